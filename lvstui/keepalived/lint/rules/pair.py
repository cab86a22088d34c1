"""The two directors against each other: their instances, and what a failover would serve."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lvstui.keepalived.lint.context import LintContext, Peer, error, note, settings_of, warning
from lvstui.keepalived.lint.routers import InstanceAddress, InstanceLines, routers, value
from lvstui.keepalived.text.tree import Statement
from lvstui.model.config import ConfiguredService
from lvstui.model.finding import Finding, FindingSeverity

LENIENT = (2, 3, 3)
"""From here on a backup takes adverts with another list of VIPs, and only logs it."""


def instances(context: LintContext) -> Iterator[Finding]:
    """What both ends of one virtual router must agree on."""
    peer = context.peer
    if peer is None:
        return
    others = routers(peer.tree, peer.configuration)
    left = list(others)
    for router in context.routers:
        other = partner(router, others)
        if other is None:
            yield warning(
                "instance-on-one-director",
                f"instance {router.name} (VRID {router.vrid}) has no counterpart on {peer.name}",
                router.block.place,
                evidence="nobody takes over its VIPs",
                fix=f"the same VRID and VIPs on {peer.name}",
            )
            continue
        if other in left:
            left.remove(other)
        if other.vrid != router.vrid:
            yield error(
                "vrid-differs",
                f"instance {router.name}: VRID {router.vrid} here, {other.vrid} on {peer.name}",
                (router.vrid_line or router.block.header).place,
                evidence="neither hears the other: both become MASTER, the VIPs are there twice",
                fix="one virtual_router_id on both",
            )
            continue
        yield from _vips(context, peer, router, other)
        yield from _adverts(peer, router, other)
        yield from _roles(peer, router, other)
    for other in left:
        yield warning(
            "instance-on-one-director",
            f"instance {other.name} (VRID {other.vrid}) of {peer.name} has no counterpart here",
            evidence="nobody takes over its VIPs",
            fix="the same VRID and VIPs here",
        )


def partner(router: InstanceLines, others: tuple[InstanceLines, ...]) -> InstanceLines | None:
    """The other director's end of the same virtual router: by VRID and family, else by a VIP,
    else by name."""
    vips = {vip.address for vip in router.addresses}

    def same_router(other: InstanceLines) -> bool:
        return (other.vrid, other.family) == (router.vrid, router.family)

    tests: tuple[Callable[[InstanceLines], bool], ...] = (
        lambda other: same_router(other) and other.name == router.name,
        same_router,
        lambda other: bool(vips & {vip.address for vip in other.addresses}),
        lambda other: other.name == router.name,
    )
    for test in tests:
        for other in others:
            if test(other):
                return other
    return None


def _vips(
    context: LintContext, peer: Peer, router: InstanceLines, other: InstanceLines
) -> Iterator[Finding]:
    """Up to 2.3.2 a backup rejects adverts whose VIPs are not its own, and takes over."""
    here, there = _set(router.vips), _set(other.vips)
    if here == there:
        if _set(router.excluded) != _set(other.excluded):
            differing = sorted(_set(router.excluded) ^ _set(other.excluded))
            yield warning(
                "excluded-vips-differ",
                f"instance {router.name}: {', '.join(differing[:8])} only on one director "
                "(virtual_ipaddress_excluded)",
                router.block.place,
                evidence="not in adverts; after a failover it is missing",
                fix="the same entries on both",
            )
        return
    parts = []
    if here - there:
        parts.append(f"{', '.join(sorted(here - there)[:8])} only here")
    if there - here:
        parts.append(f"{', '.join(sorted(there - here)[:8])} only on {peer.name}")
    lenient = context.known_from(*LENIENT) and peer.surroundings.release >= LENIENT
    unchecked = _unchecked(router, context.settings) and _unchecked(other, settings_of(peer.tree))
    yield Finding(
        "vips-differ",
        FindingSeverity.WARNING if lenient or unchecked else FindingSeverity.ERROR,
        f"instance {router.name}: {'; '.join(parts)}",
        router.block.place,
        evidence="after a failover the VIP is missing"
        if lenient or unchecked
        else "keepalived up to 2.3.2 rejects the adverts of the other: both become MASTER in "
        "about 4 s, and every VIP of the instance is there twice",
        fix="the same virtual_ipaddress on both, changed within 3 s of each other",
    )


def _unchecked(router: InstanceLines, settings: dict[bytes, Statement]) -> bool:
    return b"vrrp_skip_check_adv_addr" in settings or bool(
        router.block.last(b"skip_check_adv_addr")
    )


def _set(vips: tuple[InstanceAddress, ...]) -> set[str]:
    return {vip.address for vip in vips}


def _adverts(peer: Peer, router: InstanceLines, other: InstanceLines) -> Iterator[Finding]:
    """What makes one end drop the adverts of the other."""

    def differs(rule: str, what: str, severity: FindingSeverity = FindingSeverity.ERROR) -> Finding:
        return Finding(
            rule,
            severity,
            f"instance {router.name}: {what}",
            router.block.place,
            evidence="adverts are dropped: both become MASTER"
            if severity is FindingSeverity.ERROR
            else "",
            fix="the same on both directors",
        )

    if router.version != other.version:
        yield differs(
            "vrrp-version-differs",
            f"VRRP version {router.version} here, {other.version} on {peer.name}",
        )
    mine, theirs = _auth(router), _auth(other)
    if mine[0] != theirs[0]:
        yield differs(
            "authentication-differs",
            f"authentication {mine[0] or 'none'} here, {theirs[0] or 'none'} on {peer.name}",
        )
    elif mine != theirs:
        yield differs("password-differs", f"the password is not the same here and on {peer.name}")
    intervals = _interval(router), _interval(other)
    if intervals[0] != intervals[1]:
        yield differs(
            "interval-differs",
            f"advert_int {intervals[0]:g} s here, {intervals[1]:g} s on {peer.name}",
            FindingSeverity.ERROR if router.version == 2 else FindingSeverity.WARNING,
        )
    if router.unicast != other.unicast:
        yield differs("unicast-differs", f"{_cast(router)} here, {_cast(other)} on {peer.name}")
    elif not router.unicast and router.group != other.group:
        yield differs("multicast-group-differs", f"another mcast_dst_ip on {peer.name}")


def _cast(router: InstanceLines) -> str:
    return "unicast" if router.unicast else "multicast"


def _auth(router: InstanceLines) -> tuple[str, bytes]:
    """The kind that is in force, and the password, which never leaves this module."""
    if router.version != 2 or router.strict:
        return "", b""
    kind = secret = b""
    for block in router.block.blocks(b"authentication"):
        kind = value(block.last(b"auth_type")) or kind
        secret = value(block.last(b"auth_pass")) or secret
    if kind not in (b"PASS", b"AH") or not secret:
        return "", b""
    return kind.decode(), secret[:8]


def _interval(router: InstanceLines) -> float:
    """advert_int in seconds; 1 by default, whole seconds with version 2."""
    try:
        given = float(value(router.block.last(b"advert_int")) or b"1")
    except ValueError:
        return 1.0
    return float(max(1, int(given + 0.5))) if router.version == 2 else given


def _roles(peer: Peer, router: InstanceLines, other: InstanceLines) -> Iterator[Finding]:
    """Who is to be MASTER."""
    place = (router.priority_line or router.block.header).place
    quiet = [one.block.last(b"nopreempt") is not None and not one.master for one in (router, other)]
    if router.priority == other.priority:
        yield Finding(
            "priorities-equal",
            FindingSeverity.NOTE if all(quiet) else FindingSeverity.WARNING,
            f"instance {router.name}: priority {router.priority} on both directors",
            place,
            evidence="the higher address of the two wins",
            fix="a higher priority on the director that is to be MASTER",
        )
    elif any(quiet) and not all(quiet):
        lower = router if router.priority < other.priority else other
        if quiet[(router, other).index(lower)]:
            yield note(
                "nopreempt-on-the-lower",
                f"instance {router.name}: nopreempt only on the director with the lower priority",
                place,
                evidence="the other one still takes the VIPs back when it returns",
                fix="nopreempt and state BACKUP on both",
            )
    if router.master and other.master:
        yield note(
            "both-start-as-master",
            f"instance {router.name}: state MASTER on both directors",
            (router.state_line or router.block.header).place,
            evidence="at a start both claim the VIPs until an advert is heard",
            fix="state BACKUP on the one with the lower priority",
        )


def versions(context: LintContext) -> Iterator[Finding]:
    """Two versions of keepalived."""
    if context.peer is None:
        return
    mine, theirs = context.surroundings.release, context.peer.surroundings.release
    if mine and theirs and mine != theirs:
        yield note(
            "keepalived-versions-differ",
            f"keepalived {context.surroundings.version} here, "
            f"{context.peer.surroundings.version} on {context.peer.name}",
            evidence="defaults and checks of adverts differ between versions",
        )


_SHOWN = 6


def services(context: LintContext) -> Iterator[Finding]:
    """Both must serve the same."""
    peer = context.peer
    if peer is None or not (context.configuration.services or peer.configuration.services):
        return
    theirs = {service.key: service for service in peer.configuration.services}
    mine = {service.key: service for service in context.configuration.services}
    for key, service in mine.items():
        if key in theirs:
            yield from _compare(peer, service, theirs[key])
        else:
            yield error(
                "service-on-one-director",
                f"{key} is not on {peer.name}",
                service.place,
                evidence="after a failover nobody serves it",
                fix=f"add it on {peer.name}",
            )
    for key in theirs:
        if key not in mine:
            yield error(
                "service-on-one-director",
                f"{key} of {peer.name} is not here",
                evidence="after a failover nobody serves it",
                fix="add it here",
            )


def _compare(peer: Peer, mine: ConfiguredService, theirs: ConfiguredService) -> Iterator[Finding]:
    if mine.servers == theirs.servers and _head(mine) == _head(theirs):
        return
    if mine.forwarding != theirs.forwarding:
        yield error(
            "forwarding-differs",
            f"{mine.key}: {mine.forwarding} here, {theirs.forwarding} on {peer.name}",
            mine.place,
            evidence="real servers are set up for one of them",
            fix="the same lb_kind on both",
        )
    for what, ours, others in (
        ("scheduler", mine.scheduler, theirs.scheduler),
        ("persistence", _seconds(mine), _seconds(theirs)),
        ("quorum", str(mine.quorum), str(theirs.quorum)),
    ):
        if ours != others:
            text = f"{mine.key}: {what} {ours} here, {others} on {peer.name}"
            yield warning(f"{what}-differs", text, mine.place, fix="the same on both")
    here = {server.key: server for server in mine.servers}
    there = {server.key: server for server in theirs.servers}
    only = [f"{key} only here" for key in here if key not in there]
    only += [f"{key} only on {peer.name}" for key in there if key not in here]
    if only:
        yield warning(
            "servers-differ",
            f"{mine.key}: {_listed(only)}",
            mine.place,
            evidence="after a failover another pool serves",
            fix="the same real servers on both",
        )
    weights = [
        f"{key} {server.weight} here, {there[key].weight} on {peer.name}"
        for key, server in here.items()
        if key in there and there[key].weight != server.weight
    ]
    if weights:
        first = next(k for k, s in here.items() if k in there and there[k].weight != s.weight)
        yield warning(
            "weights-differ",
            f"{mine.key}: weight of {_listed(weights)}",
            here[first].weight_place or here[first].place,
            evidence="a server that is drained here may be in use after a failover",
            fix="the same weights on both",
        )


def _head(service: ConfiguredService) -> tuple[str, str, int | None, int]:
    return service.forwarding, service.scheduler, service.persistence_s, service.quorum


def _seconds(service: ConfiguredService) -> str:
    return "none" if service.persistence_s is None else f"{service.persistence_s} s"


def _listed(texts: list[str]) -> str:
    more = len(texts) - _SHOWN
    return "; ".join(texts[:_SHOWN]) + (f"; {more} more" if more > 0 else "")
