"""One vrrp_instance alone: what ends the daemon, and what it does not do as written."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from lvstui.keepalived.lint.context import LintContext, error, lethal, warning
from lvstui.keepalived.lint.routers import OWNER, InstanceLines, entries, value
from lvstui.keepalived.text.lexer import strip
from lvstui.keepalived.text.tree import Statement
from lvstui.keepalived.text.values import shown
from lvstui.model.finding import Finding, FindingSeverity

MAX_VIPS = 255

_ENDS = "keepalived ends over this at a start and at a reload; the VIPs stay where they are"


def essentials(context: LintContext) -> Iterator[Finding]:
    """What an instance must have (chk_min_cfg, vrrp_complete_instance): without it the daemon
    ends."""
    for router in context.routers:
        if not router.vrid:
            line = router.vrid_line or router.block.header
            what = "is out of range (1 to 255)" if router.vrid_line else "is missing"
            yield lethal(
                "vrid-missing",
                f"instance {router.name}: virtual_router_id {what}",
                line.place,
                evidence=_ENDS,
                fix="virtual_router_id N, the same on both directors, unique on the network",
            )
        if router.interface is None and not _does_without_interface(context, router):
            text = f"instance {router.name}: interface is missing"
            yield lethal(
                "interface-missing", text, router.block.place, evidence=_ENDS, fix="interface NAME"
            )
        if not router.vips and not any(router.block.statements(b"no_virtual_ipaddress")):
            yield _without_vip(router)
        if router.strict and router.unicast:
            yield _strict_unicast(context, router)


def advertised(context: LintContext) -> Iterator[Finding]:
    """The count of VIPs is one byte of an advert."""
    for router in context.routers:
        if len(router.vips) > MAX_VIPS:
            yield warning(
                "vips-too-many",
                f"instance {router.name}: {len(router.vips)} VIPs; an advert has room for "
                f"{MAX_VIPS}: keepalived moves the others to virtual_ipaddress_excluded",
                router.block.place,
                fix="put them there yourself, or into another instance",
            )


def _does_without_interface(context: LintContext, router: InstanceLines) -> bool:
    """2.2.5 to 2.2.7 refuse what came with 2.1.0, an instance of unicast without interface."""
    if router.block.last(b"unicast_src_ip") is None or not router.unicast:
        return False
    release = context.surroundings.release
    return release >= (2, 1) and not (2, 2, 5) <= release <= (2, 2, 7)


def _without_vip(router: InstanceLines) -> Finding:
    if router.version == 3 or router.strict or router.family == 6:
        why = "strict mode" if router.strict else "VRRP version 3"
        return lethal(
            "vip-missing",
            f"instance {router.name}: no valid VIP, and {why} needs one",
            router.block.place,
            evidence=_ENDS,
            fix="virtual_ipaddress { ADDRESS/PREFIX }",
        )
    severity = FindingSeverity.NOTE if router.excluded else FindingSeverity.ERROR
    return Finding(
        "vip-missing",
        severity,
        f"instance {router.name}: no valid VIP in virtual_ipaddress",
        router.block.place,
        fix="virtual_ipaddress { ADDRESS/PREFIX }",
    )


def _strict_unicast(context: LintContext, router: InstanceLines) -> Finding:
    # The check stands before the flag that it asks for from 2.2.5 to 2.3.4.
    works = (2, 2, 5) <= context.surroundings.release < (2, 4)
    return Finding(
        "strict-with-unicast",
        FindingSeverity.WARNING if works else FindingSeverity.LETHAL,
        f"instance {router.name}: strict mode does not go with unicast_peer",
        router.block.place,
        evidence="this version lets it pass" if works else _ENDS,
        fix="take vrrp_strict (strict_mode) out",
    )


def twice(context: LintContext) -> Iterator[Finding]:
    """The same VRID, or the same VIP, in two instances."""
    for first, second in combinations(context.routers, 2):
        if first.vrid and _same_vrid(first, second):
            yield lethal(
                "vrid-twice",
                f"instances {first.name} and {second.name} both use VRID {first.vrid} on "
                f"{first.interface_name or 'one interface'}",
                (second.vrid_line or second.block.header).place,
                evidence=_ENDS,
                fix="another virtual_router_id, free on that network",
            )
    owners: dict[str, InstanceLines] = {}
    for router in context.routers:
        for vip in router.addresses:
            before = owners.setdefault(vip.address, router)
            if before is not router:
                yield error(
                    "vip-in-two-instances",
                    f"VIP {vip.address} is in instance {before.name} and in {router.name}",
                    vip.line.place,
                    evidence="whichever gives it up takes it from the other",
                    fix="keep it in one of them",
                )
        seen: set[str] = set()
        for vip in router.addresses:
            if vip.address in seen:
                text = f"VIP {vip.address} stands twice in instance {router.name}"
                yield warning("vip-twice", text, vip.line.place, fix="take one out")
            seen.add(vip.address)


def _same_vrid(first: InstanceLines, second: InstanceLines) -> bool:
    """As check_vrid_conflicts of vrrp.c."""
    if (first.vrid, first.family, first.unicast) != (second.vrid, second.family, second.unicast):
        return False
    if first.interface_name != second.interface_name:
        return False
    if not first.unicast:
        return first.group == second.group
    if value(first.source) != value(second.source):
        return False
    return bool({p.address for p in first.peers} & {p.address for p in second.peers})


def prefixes(context: LintContext) -> Iterator[Finding]:
    """Addresses with an impossible prefix, which keepalived takes for none."""
    for router in context.routers:
        for vip in router.addresses:
            if vip.prefix is None and b"/" in vip.line.words[0]:
                alone = 128 if ":" in vip.address else 32
                yield error(
                    "prefix-invalid",
                    f"instance {router.name}: the prefix of a VIP is impossible: keepalived takes "
                    f"/{alone}",
                    vip.line.place,
                    fix="/0 to /32, for IPv6 to /128",
                )


def strictness(context: LintContext) -> Iterator[Finding]:
    """What strict mode and no_accept do to those who use the VIP."""
    for router in context.routers:
        accept = router.block.last(b"accept", b"no_accept")
        refuses = accept is not None and accept.words[0] == b"no_accept"
        if router.strict and router.priority != OWNER and router.vips:
            # In version 2 strict mode takes back an `accept` as well.
            if accept is None or refuses or router.version == 2:
                yield error(
                    "strict-drops-traffic",
                    f"instance {router.name}: strict mode without accept drops every packet to "
                    "its VIPs, those of IPVS too",
                    (context.settings.get(b"vrrp_strict") or router.block.header).place,
                    evidence="keepalived sets firewall rules for it when it becomes MASTER",
                    fix="take vrrp_strict out (or version 3 and accept)",
                )
        elif refuses and router.priority != OWNER:
            yield warning(
                "no-accept-drops-traffic",
                f"instance {router.name}: no_accept drops packets to its VIPs",
                accept.place if accept else router.block.place,
                fix="take no_accept out where services use the VIPs",
            )


def elections(context: LintContext) -> Iterator[Finding]:
    """Priority, preemption and unicast peers."""
    own = context.surroundings.own_addresses
    for router in context.routers:
        if router.priority == OWNER:
            given = router.priority_line is not None
            how = "priority 255" if given else "state MASTER without priority (255)"
            yield warning(
                "priority-of-owner",
                f"instance {router.name}: {how} makes it the owner of the addresses: it always "
                "takes over, and no tracking lowers it",
                (router.priority_line or router.block.header).place,
                fix="priority 1 to 254, unless the VIP is the host's own address",
            )
        nopreempt = router.block.last(b"nopreempt")
        delay = router.block.last(b"preempt_delay")
        if nopreempt is not None and delay is not None and not router.master:
            text = f"instance {router.name}: preempt_delay has no effect with nopreempt"
            yield warning(
                "preempt-delay-with-nopreempt", text, delay.place, fix="take one of them out"
            )
        source = shown(value(router.source))
        for peer in router.peers:
            if peer.address == source or peer.address in own:
                yield error(
                    "unicast-peer-is-self",
                    f"instance {router.name}: unicast_peer {peer.address} is this host itself",
                    peer.line.place,
                    evidence="its own adverts come back; the other director hears nothing",
                    fix="the address of the other director",
                )
        unicast = router.block.last(b"unicast_src_ip", b"unicast_ttl", b"check_unicast_src")
        if unicast is not None and not router.unicast:
            yield warning(
                "unicast-without-peer",
                f"instance {router.name}: {unicast.words[0].decode()} without any unicast_peer: "
                "adverts go out as multicast",
                unicast.place,
                fix="unicast_peer { ADDRESS }",
            )


def tracked(context: LintContext) -> Iterator[Finding]:
    """track_file, track_process, track_bfd of things that are not defined."""
    for keyword, kinds in _DEFINED_BY.items():
        known = {
            block.header.words[1]
            for block in context.tree.blocks(*kinds)
            if len(block.header.words) > 1
        }
        for block in context.tree.blocks(b"vrrp_instance", b"vrrp_sync_group"):
            for line in entries(block, keyword):
                if line.words[0] not in known:
                    yield error(
                        "tracked-unknown",
                        f"{keyword.decode()}: there is no {kinds[0].decode()} of that name; "
                        "keepalived ignores it",
                        line.place,
                        fix="define it, or mend the name",
                    )
    scripts = {
        block.header.words[1]
        for block in context.tree.blocks(b"vrrp_script")
        if len(block.header.words) > 1 and block.last(b"script") is not None
    }
    for block in context.tree.blocks(b"vrrp_sync_group"):
        for line in entries(block, b"track_script"):
            if line.words[0] not in scripts:
                text = "track_script: no such vrrp_script; keepalived ignores it"
                fix = "define the vrrp_script, or mend it"
                yield error("track-script-unknown", text, line.place, fix=fix)
    for block in context.tree.blocks(b"vrrp_script"):
        if block.last(b"script") is None:
            text = "vrrp_script without script: keepalived removes it, and nothing is tracked"
            fix = 'script "/path/to/program arguments"'
            yield error("script-empty", text, block.place, fix=fix)


_DEFINED_BY = {
    b"track_file": (b"track_file", b"vrrp_track_file"),
    b"track_process": (b"vrrp_track_process",),
    b"track_bfd": (b"bfd_instance",),
}


_NEUTRAL = b' \t"'


def authentication(context: LintContext) -> Iterator[Finding]:
    """Passwords that are lost, cut or ignored. No finding shows one or a part of one."""
    for router in context.routers:
        for block in router.block.blocks(b"authentication"):
            kind, secret = block.last(b"auth_type"), block.last(b"auth_pass")
            if secret is not None:
                yield from _cut(secret)
            one_line = kind is not None and b"auth_pass" in kind.words[2:]
            if kind is not None and secret is None and not one_line:
                yield warning(
                    "password-missing",
                    f"instance {router.name}: authentication without auth_pass: adverts are not "
                    "authenticated",
                    block.place,
                    fix="add auth_pass on both directors at the same time, or take the block out",
                )
            elif kind is None and secret is not None:
                yield warning(
                    "authentication-without-type",
                    f"instance {router.name}: authentication without auth_type: adverts are not "
                    "authenticated",
                    block.place,
                    fix="add auth_type PASS on both directors at the same time",
                )
            elif kind is not None and value(kind) not in (b"PASS", b"AH"):
                text = f"instance {router.name}: unknown auth_type: adverts are not authenticated"
                yield error(
                    "authentication-unknown", text, kind.place, fix="auth_type PASS, in capitals"
                )
            if kind is not None and secret is not None:
                yield from _auth_ignored(router, kind)


def _auth_ignored(router: InstanceLines, kind: Statement) -> Iterator[Finding]:
    why = "strict mode" if router.strict else "VRRP version 3" if router.version == 3 else ""
    if why:
        yield warning(
            "authentication-ignored",
            f"instance {router.name}: {why} knows no authentication: the password is ignored",
            kind.place,
            fix="take the block out" + (" or take vrrp_strict out" if router.strict else ""),
        )


def _cut(secret: Statement) -> Iterator[Finding]:
    """A # or ! in the middle of a password begins a comment."""
    if secret.text.base < 0 or secret.line > len(secret.file.lines):
        return
    raw = secret.file.lines[secret.line - 1]
    mark = strip(raw).comment
    if mark > 0 and raw[mark - 1] not in _NEUTRAL:
        text = "the password is cut: a # or ! begins a comment even within a word"
        yield error(
            "password-cut", text, secret.place, fix='put it in double quotes: auth_pass "…"'
        )
