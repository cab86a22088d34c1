"""What speaks against a push or an undo on this host, and what an operator should know first."""

from __future__ import annotations

from lvstui.realserver import sysctls
from lvstui.realserver.facts import HostFacts, host_prefix
from lvstui.realserver.parse import names
from lvstui.realserver.stacks import STACKS, Choice, Stack, unknown

_NEEDED_KB = 2048


def _common(facts: HostFacts) -> list[str]:
    found = []
    if not facts.as_root:
        found.append("root is needed on the host to change it (root login, sudo or doas)")
    if not facts.program("ip"):
        found.append("the host has no `ip` (package iproute2 or iproute): install it first")
    found += [
        f"{folder} is read-only: an image-based system or a damaged disk; nothing that lasts can "
        "be written"
        for folder in facts.read_only
    ]
    for folder, free in facts.free_kb:
        if free < _NEEDED_KB:
            found.append(f"{folder} has {free} kB free, {_NEEDED_KB} are needed: the disk is full")
    if facts.manifest is not None and facts.manifest.problem:
        found.append(facts.manifest.problem)
    if facts.unfinished is not None:
        found.append(
            facts.unfinished.plight
            or "another change is under way on this host: it is confirmed, or its timer (it lives) "
            "takes it back"
        )
    return found


def refusals(
    facts: HostFacts, vips: tuple[str, ...], choice: Choice, method: str
) -> tuple[str, ...]:
    """Why nothing may be pushed here; empty: it may."""
    found = _common(facts)
    manifest = facts.manifest
    if manifest is not None and manifest.method and method and method != manifest.method:
        found.append(
            f"lvstui's VIPs are here by {manifest.method}: undo that before {method} is used"
        )
    elif choice.stack is None:
        found += [*choice.passed, choice.why]
    if any(name in facts.processes for name in ("pacemakerd", "corosync")):
        found.append("pacemaker runs here and moves addresses of lo itself (IPaddr2 lvs_support)")
    for vip in vips:
        for held in facts.holders(vip):
            if held.link != "lo" and not facts.is_director:
                found.append(
                    f"{vip} is on {held.link}: there it answers ARP whatever the settings are; "
                    "take it away first"
                )
            elif held.link == "lo" and held.prefix != host_prefix(vip):
                places = [m.place for m in facts.mentions if names(m, vip)]
                if places:
                    found.append(
                        f"{vip}/{held.prefix} is on lo by {places[0]}: /{host_prefix(vip)} is the "
                        "only right prefix; change it there first"
                    )
        if ":" in vip and "1" in (
            facts.sysctl("net/ipv6/conf/all/disable_ipv6"),
            facts.sysctl("net/ipv6/conf/lo/disable_ipv6"),
        ):
            found.append(f"IPv6 is switched off on lo (disable_ipv6): {vip} can not be there")
        for route in facts.routes:
            if route.ask == f"away {vip}" and route.via == vip:
                found.append(
                    f"the default route goes to {vip} itself: replies would never leave; set the "
                    "router as gateway"
                )
    return tuple(dict.fromkeys(found))


def cautions(facts: HostFacts, vips: tuple[str, ...], stack: Stack) -> tuple[str, ...]:
    """What an operator should know before saying yes."""
    found = []
    links = facts.ingress
    for vip in vips:
        here = any(item.link == "lo" for item in facts.holders(vip))
        loud = [e for link in links if not (e := sysctls.effective(facts, sysctls.IGNORE, link)).ok]
        if here and loud and ":" not in vip:
            found.append(
                f"{vip} is on lo and this host answers ARP for it now ({loud[0]}): neighbours may "
                "hold its MAC until the master sends a gratuitous ARP"
            )
    found += _no_reboot(facts)
    if not stack.seen_working:
        found.append(
            f"{stack.title}: made after that stack's documentation, not run by us on such a host"
        )
    if facts.is_director:
        found.append("keepalived runs here as well: the VIP may also be on a NIC when it is master")
    strict = [
        link
        for link in links
        if max(
            sysctls.number(facts.sysctl(f"net/ipv4/conf/{name}/rp_filter")) or 0
            for name in ("all", link)
        )
        == 1
    ]
    away = {route.dev for route in facts.routes if route.ask.startswith("away ") and route.dev}
    if strict and away and not away & set(strict):
        found.append(
            f"rp_filter is strict on {strict[0]} and replies leave by {', '.join(sorted(away))}: "
            "the director's packets are dropped (0 or 2 works)"
        )
    for file in facts.sysctl_files:
        if facts.systemd and file.path == "/etc/sysctl.conf":
            for setting in file.settings:
                name = setting.key.rpartition("/")[2]
                value = sysctls.number(setting.value)
                if name in sysctls.WANTED and value is not None and not sysctls.good(name, value):
                    found.append(
                        f"{setting.place} says {sysctls.dotted(setting.key)} = {setting.value}: "
                        "right after a boot, but `sysctl --system` by hand would bring it back"
                    )
    if "tuned" in facts.processes:
        found.append("tuned runs here: see that its profile sets no arp_ignore or arp_announce")
    return tuple(dict.fromkeys(found))


def _no_reboot(facts: HostFacts) -> list[str]:
    """The timer of a host without systemd ends with the boot."""
    if facts.systemd:
        return []
    return [
        "no systemd runs here: a reboot before the confirmation ends the timer, and only "
        "`lvstui realserver undo --unfinished` takes back what was written then"
    ]


def undo_refusals(facts: HostFacts, vips: tuple[str, ...]) -> tuple[str, ...]:
    """Why nothing can be taken back here."""
    found = _common(facts)
    manifest = facts.manifest
    if manifest is None:
        found.append("lvstui has pushed nothing to this host (it has no manifest)")
    elif not manifest.problem:
        if manifest.method not in {stack.name for stack in STACKS}:
            found.append(unknown(manifest.method))
        strangers = [vip for vip in vips if vip not in manifest.vips]
        if strangers:
            known = ", ".join(manifest.vips)
            found.append(f"{', '.join(strangers)}: not by lvstui; it manages {known} here")
    return tuple(found)


def undo_cautions(facts: HostFacts, vips: tuple[str, ...]) -> tuple[str, ...]:
    """Taking a VIP away cuts who is connected to it."""
    return (
        *_no_reboot(facts),
        "clients that are connected through the VIP hang, they get no reset: drain the server "
        "first (lvstui drain)",
    )
