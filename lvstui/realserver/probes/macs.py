"""Which MAC a real server has, and whether it is on the director's own link at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from lvstui.model.text import plain
from lvstui.realserver.probes.asking import TRIES, WAIT_S, Asked, ProbeAnswer, exchange
from lvstui.realserver.probes.frames import family
from lvstui.realserver.probes.links import Network, address_of, reach, read_network, usable
from lvstui.realserver.probes.results import CannotProbe, Unavailable


class MacState(str, Enum):
    """Where an address was found."""

    FOUND = "found"
    """One MAC answers: it is on this link."""
    DUPLICATE = "duplicate"
    """Several MACs answer for one address."""
    SILENT = "silent"
    """It should be on this link and does not answer."""
    ROUTED = "routed"
    """It is behind a gateway: Direct Routing cannot reach it."""
    NO_ROUTE = "no-route"
    """This host knows no way to it."""
    OWN = "own"
    """It is this host's own."""


@dataclass(frozen=True, slots=True)
class MacAnswers:
    """The MAC of one address."""

    address: str
    interface: str
    state: MacState
    text: str
    evidence: tuple[str, ...]
    macs: tuple[str, ...] = ()


def macs_of(
    addresses: Sequence[str], interface: str = "", *, tries: int = TRIES, wait_s: float = WAIT_S
) -> dict[str, MacAnswers | Unavailable]:
    """The MACs of real servers, all asked in the same rounds; keyed as they were given.

    The interface is found out for each when it is empty. Says for each whether it is on the same
    link, behind a gateway, silent, or answered for by several. Blocks `tries` times `wait_s` for
    each interface. Never raises for what the host or the link lacks.
    """
    result: dict[str, MacAnswers | Unavailable] = {}
    batches: dict[tuple[str, int], list[tuple[str, str]]] = {}
    network: Network | None = None
    for given in addresses:
        what = f"{plain(given, 60)} can not be asked for its MAC"
        try:
            network = network or read_network()
            address = address_of(given, what)
            found = _where(address, network, interface, what)
        except CannotProbe as error:
            result[given] = error.result
            continue
        if isinstance(found, MacAnswers):
            result[given] = found
        else:
            batches.setdefault((found, family(address)), []).append((given, address))
    for (name, _), pairs in batches.items():
        assert network is not None
        what = f"nobody on {name} can be asked for a MAC"
        targets = [address for _, address in pairs]
        try:
            link = usable(network, name, what)
            asked, answers = exchange(network, link, targets, tries, wait_s, what)
        except CannotProbe as error:
            result.update((given, error.result) for given, _ in pairs)
            continue
        for given, address in pairs:
            result[given] = _seen(address, asked, answers[address])
    return {given: result[given] for given in addresses}


def mac_of(
    address: str, interface: str = "", *, tries: int = TRIES, wait_s: float = WAIT_S
) -> MacAnswers | Unavailable:
    return macs_of([address], interface, tries=tries, wait_s=wait_s)[address]


def mac_names(
    found: Mapping[str, MacAnswers | Unavailable], names: Mapping[str, str]
) -> dict[str, str]:
    """MAC → `rs3 10.10.0.5`, as `watch` wants it, from what `macs_of` found. Pure.

    names: address → name; an address without one stands for itself.
    """
    result: dict[str, str] = {}
    for address, answers in found.items():
        label = f"{names[address]} {address}" if address in names else address
        if isinstance(answers, MacAnswers):
            result.update((mac, label) for mac in answers.macs)
    return result


def _where(address: str, network: Network, interface: str, what: str) -> str | MacAnswers:
    """The interface to ask on, or what is known without asking."""
    way = reach(address, network, interface)
    if way is None:
        return MacAnswers(
            address, interface, MacState.NO_ROUTE, "no route", (f"no route to {address}",)
        )
    if way.local:
        line = f"{address} is an address of this host"
        return MacAnswers(address, way.interface, MacState.OWN, "this host", (line,))
    if way.gateway:
        line = f"the way to {address} is by {way.gateway} on {way.interface}"
        return MacAnswers(
            address,
            way.interface,
            MacState.ROUTED,
            f"behind {way.gateway}",
            (line, "Direct Routing needs the real server on the director's own link"),
        )
    return network.wire(usable(network, way.interface, what)).name


def _seen(address: str, asked: Asked, answers: tuple[ProbeAnswer, ...]) -> MacAnswers:
    macs = tuple(answer.mac for answer in answers)
    lines = [f"who has {address}: {asked.words()}"]
    lines += [
        f"answered by {answer.mac} {answer.times} times, first after {answer.after_ms:.1f} ms"
        for answer in answers
    ]
    if not macs:
        state, text = MacState.SILENT, "no answer"
        lines.append("no answer: the host is off, or not on this link")
    elif len(macs) == 1:
        state, text = MacState.FOUND, macs[0]
    else:
        state, text = MacState.DUPLICATE, f"{len(macs)} MACs answer"
        lines.append("the address is used twice, or one host has two interfaces on this link")
    return MacAnswers(address, asked.interface, state, text, tuple(lines), macs)
