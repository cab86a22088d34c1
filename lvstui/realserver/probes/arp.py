"""Who answers ARP (or neighbour discovery) for a VIP, and which MAC a real server has.

In Direct Routing every real server holds the VIP and only the director may answer for it. An
answer by a real server takes traffic past the director, now or when some client's entry expires.
Neighbour tables can not show it (they keep one winner), asking can. What cannot be seen: hosts
behind a filter that answers ARP itself (EVPN suppression, cloud fabrics), private VLANs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from lvstui.realserver.probes.asking import (
    TRIES,
    WAIT_S,
    Answer,
    Asked,
    Expectation,
    exchange,
)
from lvstui.realserver.probes.frames import family
from lvstui.realserver.probes.links import (
    Network,
    address_of,
    asking_link,
    reach,
    read_network,
    usable,
)
from lvstui.realserver.probes.results import CannotProbe, Unavailable


class AskState(str, Enum):
    """What asking for a VIP brought."""

    CLEAN = "clean"
    """Nobody answers who must not."""
    OFFENDERS = "offenders"
    """Somebody answers who must not."""
    SEVERAL = "several"
    """More than one MAC answers and it is not known which one is the owner's."""
    NOBODY = "nobody"
    """Nobody answers at all: no director holds the VIP, or not on this link."""
    MOVED = "moved"
    """The VIP came or went while it was asked for: ask again."""


@dataclass(frozen=True, slots=True)
class ArpAnswers:
    """Who answered for a VIP."""

    vip: str
    interface: str
    state: AskState
    text: str
    evidence: tuple[str, ...]
    owned: bool
    """This host holds the VIP."""
    answers: tuple[Answer, ...]
    """Everybody but this host's own interfaces, in order of arrival."""
    offenders: tuple[str, ...]
    """MACs that must not answer."""
    names: tuple[tuple[str, str], ...] = ()
    """(MAC, `rs3 10.10.0.5`) of those that are known."""


class MacState(str, Enum):
    """Where an address was found."""

    FOUND = "found"
    """One MAC answers: it is on this link."""
    DUPLICATE = "duplicate"
    """Several MACs answer for one address."""
    SILENT = "silent"
    """It should be on this link and does not answer."""
    ROUTED = "routed"
    """It is behind a gateway: Direct Routing can not reach it."""
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


def ask(
    vip: str,
    interface: str = "",
    *,
    servers: Mapping[str, str] | None = None,
    directors: Mapping[str, str] | None = None,
    tries: int = TRIES,
    wait_s: float = WAIT_S,
) -> ArpAnswers | Unavailable:
    """Ask the link who has a VIP, and say who must not have answered.

    interface: where to ask; found out when empty. A VMAC link stands for its base.
    servers, directors: address → name of the real servers and of the other directors. When
    somebody answers, each is asked for its own address to find out whose MAC that is.

    Where this host holds the VIP every answer offends. Elsewhere one answer is expected, by a
    director's MAC if any is known, else by one that is no real server's. Blocks `tries` times
    `wait_s`, twice that when hosts have to be told apart. Needs CAP_NET_RAW; never raises for
    what the host or the link lacks.
    """
    what = f"nobody can be asked for {vip}"
    try:
        vip = address_of(vip, what)
        network = read_network()
        link = asking_link(vip, network, interface, what)
        asked, found = exchange(network, link, [vip], tries, wait_s, what)
        moved = read_network().owns(vip) != network.owns(vip)
        own = network.macs()
        answers = tuple(answer for answer in found[vip] if answer.mac not in own)
        wanted = [servers or {}, directors or {}]
        names: list[dict[str, str]] = [{}, {}]
        if answers and any(wanted):
            same = [one for some in wanted for one in some if family(one) == family(vip)]
            _, replies = exchange(network, link, same, tries, wait_s, what)
            names = [
                {a.mac: f"{name} {one}" for one, name in some.items() for a in replies.get(one, ())}
                for some in wanted
            ]
    except CannotProbe as error:
        return error.result
    expectation = Expectation(network.owns(vip), own, names[1], names[0])
    return judge(vip, asked, answers, expectation, moved, network)


def judge(
    vip: str,
    asked: Asked,
    answers: tuple[Answer, ...],
    expectation: Expectation,
    moved: bool,
    network: Network,
) -> ArpAnswers:
    """What the answers mean. Pure."""
    verdicts = {answer.mac: expectation.offends(answer.mac) for answer in answers}
    offenders = tuple(mac for mac, wrong in verdicts.items() if wrong)
    # One legitimate owner is enough: whoever else answers is not it.
    if False in verdicts.values():
        offenders = tuple(mac for mac, wrong in verdicts.items() if wrong is not False)
    rest = [mac for mac in verdicts if mac not in offenders]
    if moved:
        state, text = AskState.MOVED, "the VIP moved meanwhile: ask again"
    elif offenders:
        state = AskState.OFFENDERS
        text = ", ".join(expectation.label(mac).partition(" ")[0] for mac in offenders)
        text += " answers" if len(offenders) == 1 else " answer"
    elif len(rest) > 1:
        state, text = AskState.SEVERAL, f"{len(rest)} MACs answer"
    elif expectation.owned:
        state, text = AskState.CLEAN, "only this host"
    elif rest:
        state, text = AskState.CLEAN, f"only {expectation.label(rest[0]).partition(' ')[0]}"
    else:
        state, text = AskState.NOBODY, "nobody answers"
    lines = [f"who has {vip}: {asked.words()}"]
    if expectation.owned:
        places = ", ".join(f"{link.name} ({link.mac})" for link in network.holders(vip))
        lines.append(f"this host holds it on {places}: nobody else may answer")
    for answer in answers:
        line = f"answered by {expectation.long_label(answer.mac)}"
        line += f" {answer.times} times, first after {answer.after_ms:.1f} ms"
        if answer.frame_mac != answer.mac:
            line += f", in frames from {answer.frame_mac}"
        lines.append(line + ("" if answer.mac not in offenders else ": it must not"))
    if not answers:
        lines.append("no answer")
    known = tuple((mac, expectation.label(mac)) for mac in verdicts)
    return ArpAnswers(
        vip, asked.interface, state, text, tuple(lines), expectation.owned, answers, offenders,
        tuple((mac, label) for mac, label in known if mac != label),
    )  # fmt: skip


def macs_of(
    addresses: Sequence[str],
    interface: str = "",
    *,
    tries: int = TRIES,
    wait_s: float = WAIT_S,
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
        what = f"{given} can not be asked for its MAC"
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
    """`macs_of` for one address."""
    return macs_of([address], interface, tries=tries, wait_s=wait_s)[address]


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
            address, way.interface, MacState.ROUTED, f"behind {way.gateway}",
            (line, "Direct Routing needs the real server on the director's own link"),
        )  # fmt: skip
    return network.wire(usable(network, way.interface, what)).name


def _seen(address: str, asked: Asked, answers: tuple[Answer, ...]) -> MacAnswers:
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
