"""Who answers ARP (or neighbour discovery) for a VIP.

In Direct Routing every real server holds the VIP and only the director may answer for it. An
answer by a real server takes traffic past the director, now or when some client's entry expires.
Neighbour tables cannot show it (they keep one winner), asking can. What cannot be seen: hosts
behind a filter that answers ARP itself (EVPN suppression, cloud fabrics), private VLANs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from lvstui.model.text import plain
from lvstui.realserver.probes.asking import TRIES, WAIT_S, Asked, Expectation, ProbeAnswer, exchange
from lvstui.realserver.probes.frames import family
from lvstui.realserver.probes.links import Network, address_of, asking_link, read_network, usable
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
    answers: tuple[ProbeAnswer, ...]
    """Everybody but this host's own interfaces, in order of arrival."""
    offenders: tuple[str, ...]
    """MACs that must not answer."""
    names: tuple[tuple[str, str], ...] = ()
    """(MAC, `rs3 10.10.0.5`) of those that are known."""


def ask_all(
    vips: Sequence[str],
    interface: str = "",
    *,
    servers: Mapping[str, str] | None = None,
    directors: Mapping[str, str] | None = None,
    tries: int = TRIES,
    wait_s: float = WAIT_S,
) -> dict[str, ArpAnswers | Unavailable]:
    """Ask the link who has each VIP, and say who must not have answered; keyed as given.

    interface: where to ask; found out for each when empty. A VMAC link stands for its base.
    servers, directors: address → name of the real servers and of the other directors. When
    somebody answers, each is asked for its own address to find out whose MAC that is.

    Where this host holds the VIP every answer offends. Elsewhere one answer is expected, by a
    director's MAC if any is known, else by one that is no real server's. Blocks `tries` times
    `wait_s` for each interface, twice that when hosts have to be told apart. Needs CAP_NET_RAW;
    never raises for what the host or the link lacks.
    """
    result: dict[str, ArpAnswers | Unavailable] = {}
    batches: dict[tuple[str, int], list[tuple[str, str]]] = {}
    network: Network | None = None
    for given in vips:
        what = f"nobody can be asked for {plain(given, 60)}"
        try:
            network = network or read_network()
            vip = address_of(given, what)
            link = asking_link(vip, network, interface, what)
        except CannotProbe as error:
            result[given] = error.result
            continue
        batches.setdefault((link.name, family(vip)), []).append((given, vip))
    for (name, _), pairs in batches.items():
        assert network is not None
        try:
            found = _ask_link(network, name, pairs, (servers or {}, directors or {}), tries, wait_s)
        except CannotProbe as error:
            result.update((given, error.result) for given, _ in pairs)
            continue
        result.update(found)
    return {given: result[given] for given in vips}


def ask(
    vip: str,
    interface: str = "",
    *,
    servers: Mapping[str, str] | None = None,
    directors: Mapping[str, str] | None = None,
    tries: int = TRIES,
    wait_s: float = WAIT_S,
) -> ArpAnswers | Unavailable:
    found = ask_all(
        [vip], interface, servers=servers, directors=directors, tries=tries, wait_s=wait_s
    )
    return found[vip]


def _ask_link(
    network: Network,
    name: str,
    pairs: Sequence[tuple[str, str]],
    hosts: tuple[Mapping[str, str], Mapping[str, str]],
    tries: int,
    wait_s: float,
) -> dict[str, ArpAnswers]:
    """Ask for (as given, address) VIPs of one family on one interface."""
    what = f"nobody on {name} can be asked for a VIP"
    link = usable(network, name, what)
    vips = [vip for _, vip in pairs]
    asked, found = exchange(network, link, vips, tries, wait_s, what)
    after, own = read_network(), network.macs()
    answers = {vip: tuple(answer for answer in found[vip] if answer.mac not in own) for vip in vips}
    names: list[dict[str, str]] = [{}, {}]
    same = [one for some in hosts for one in some if family(one) == family(vips[0])]
    if same and any(answers.values()):
        _, replies = exchange(network, link, same, tries, wait_s, what)
        names = [
            {a.mac: f"{some[one]} {one}" for one in some for a in replies.get(one, ())}
            for some in hosts
        ]
    result = {}
    for given, vip in pairs:
        moved = after.owns(vip) != network.owns(vip)
        who = Expectation(network.owns(vip), own, names[1], names[0])
        result[given] = judge(vip, asked, answers[vip], who, moved, network)
    return result


def judge(
    vip: str,
    asked: Asked,
    answers: tuple[ProbeAnswer, ...],
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
        vip,
        asked.interface,
        state,
        text,
        tuple(lines),
        expectation.owned,
        answers,
        offenders,
        tuple((mac, label) for mac, label in known if mac != label),
    )
