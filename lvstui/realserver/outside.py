"""The three checks that are made from the director: same link, silence on ARP, the VIP's path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from lvstui.model.realserver import Check, Verdict
from lvstui.realserver import probes
from lvstui.realserver.hosts import Host
from lvstui.realserver.probes import ArpAnswers, MacAnswers, MacState, PathResult, PathState
from lvstui.realserver.probes.links import reach, read_network
from lvstui.realserver.probes.results import CannotProbe

_AT_ONCE = 8
Outside = dict[tuple[str, str], tuple[Check, ...]]
"""(real server's address, VIP) → checks `l2`, `arp_silent`, `path`."""


def director_addresses(hosts: Sequence[Host]) -> tuple[str, ...]:
    """The addresses by which this host reaches real servers on its own links: what they have to
    have a way back to. Empty on a host that reaches none of them directly."""
    found: dict[str, None] = {}
    try:
        network = read_network()
        for host in hosts:
            way = reach(host.address, network)
            if way is not None and way.source and not way.gateway and not way.local:
                found[way.source] = None
    except (CannotProbe, OSError):
        return ()
    return tuple(found)


def look_from_here(hosts: Sequence[Host], directors: Mapping[str, str] | None = None) -> Outside:
    """Ask the wire about every host and each of its VIPs.

    directors: address → name of the other directors. Blocks about 2 s, longer when many hosts do
    not answer; never raises for what the network lacks.
    """
    names = {a: host.label for host in hosts for a in (host.address, *host.others)}
    macs = probes.macs_of(list(names))
    vips = list(dict.fromkeys(vip for host in hosts for vip in host.vip_addresses))
    asked = probes.ask_all(vips, servers=names, directors=directors)
    with ThreadPoolExecutor(_AT_ONCE, "probe") as pool:
        jobs = {
            (host.address, vip.address): pool.submit(
                _path, host.address_for(vip.address), vip.address, vip.ports, macs
            )
            for host in hosts
            for vip in host.vips
        }
        paths = {key: job.result() for key, job in jobs.items()}
    found: Outside = {}
    for host in hosts:
        for vip in host.vip_addresses:
            seen = macs[host.address_for(vip)]
            path, leaked = paths[host.address, vip]
            found[host.address, vip] = (
                _same_link(seen),
                _silent(asked[vip], seen, host, leaked),
                path,
            )
    return found


def nothing(hosts: Sequence[Host], why: str) -> Outside:
    """The checks of a director that could not ask."""
    every = tuple(
        Check(id_, Verdict.UNKNOWN, "?", f"not asked: {why}")
        for id_ in ("l2", "arp_silent", "path")
    )
    return {(host.address, vip): every for host in hosts for vip in host.vip_addresses}


def _same_link(seen: MacAnswers | probes.Unavailable) -> Check:
    if isinstance(seen, probes.Unavailable):
        return _unknown("l2", seen)
    if seen.state in (MacState.FOUND, MacState.OWN):
        return Check("l2", Verdict.GOOD, "", seen.text, seen.evidence)
    fix = "Direct Routing needs one common link"
    return Check("l2", Verdict.BAD, seen.state.value, seen.text, seen.evidence, fix)


def _silent(
    asked: ArpAnswers | probes.Unavailable,
    seen: MacAnswers | probes.Unavailable,
    host: Host,
    leaked: bool,
) -> Check:
    if isinstance(asked, probes.Unavailable):
        return _unknown("arp_silent", asked)
    own = seen.macs if isinstance(seen, MacAnswers) else ()
    heard = [answer.mac for answer in asked.answers if answer.mac in own]
    check = partial(Check, "arp_silent", evidence=asked.evidence)
    if heard:
        who = f"{host.label} answers ARP for {asked.vip} with {heard[0]}"
        fix = "push this host; then the master announces the VIP"
        return check(Verdict.BAD, "no", f"{who}: clients go past the director", fix=fix)
    if leaked:
        says = f"{host.label} named {asked.vip} as the sender of an ARP request"
        return check(Verdict.BAD, "leaks", says, fix="push this host (arp_announce 2)")
    if not own:
        return check(Verdict.UNKNOWN, "?", "its MAC is not known")
    return check(Verdict.GOOD, "", f"it does not answer for {asked.vip}")


_PATHS = {
    PathState.SILENT: (Verdict.BAD, "no", "see VIP on lo, rp_filter and the host's firewall"),
    PathState.FORWARDS: (Verdict.BAD, "no VIP", "push this host: it has not the VIP"),
    PathState.REJECTED: (Verdict.BAD, "rejects", "see the host's firewall"),
    PathState.REFUSED: (
        Verdict.BAD,
        "closed",
        "start the service there, or let it listen on every address",
    ),
    PathState.ELSEWHERE: (Verdict.WARN, "other", ""),
    PathState.UNKNOWN: (Verdict.UNKNOWN, "?", ""),
    PathState.ANSWERED: (Verdict.GOOD, "", ""),
}
"""Verdict, cell and fix of each, the worst first."""


def _path(
    server: str,
    vip: str,
    ports: tuple[tuple[str, int], ...],
    macs: Mapping[str, MacAnswers | probes.Unavailable],
) -> tuple[Check, bool]:
    """The worst of the VIP's TCP services on this host; whether the VIP leaked meanwhile."""
    wanted = [port for protocol, port in ports if protocol == "tcp"]
    if not wanted:
        why = "no TCP service is known for this VIP: other protocols have no general probe"
        return Check("path", Verdict.NONE, "–", why), False
    seen = macs[server]
    if isinstance(seen, probes.Unavailable):
        return _unknown("path", seen), False
    mac = seen.macs[0] if len(seen.macs) == 1 else ""
    results: list[PathResult] = []
    for port in wanted:
        result = probes.try_path(vip, port, server, mac=mac)
        if isinstance(result, probes.Unavailable):
            return _unknown("path", result), False
        results.append(result)
    worst = min(results, key=lambda result: list(_PATHS).index(result.state))
    verdict, text, fix = _PATHS[worst.state]
    if worst.state is PathState.ANSWERED and worst.round_trip_ms is not None:
        text = f"{worst.round_trip_ms:.1f}ms"
    evidence = tuple(line for result in results for line in result.evidence)
    check = Check("path", verdict, text, f"port {worst.port}: {worst.text}", evidence, fix)
    return check, any(result.leaked for result in results)


def _unknown(id_: str, why: probes.Unavailable) -> Check:
    return Check(id_, Verdict.UNKNOWN, "?", why.text, why.evidence)
