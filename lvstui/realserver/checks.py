"""What a look means: one verdict for each check of a host, with the evidence. Pure.

Most need a look at the host, the last three a look from the director.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from lvstui.model.keys import address_family
from lvstui.model.realserver import Check, Verdict
from lvstui.realserver import sysctls
from lvstui.realserver.facts import MANIFEST, HostFacts, host_prefix
from lvstui.realserver.manifest import sha
from lvstui.realserver.parse import names
from lvstui.realserver.plan import foreign_place
from lvstui.realserver.stacks import STACKS, choose, title_of

Ports = Sequence[tuple[str, int]]
"""Protocol and port of the virtual services on a VIP."""
_PUSH = "push this host (p, or lvstui realserver push)"


def _reachable(facts: HostFacts, vip: str, _: Ports) -> Check:
    """What the host is; with what else runs there that may touch addresses, ARP or the VIP's
    packets."""
    choice = choose(facts, (vip,))
    away = [route for route in facts.routes if route.ask == f"away {vip}" and route.dev]
    evidence = [
        f"lo: {choice.why}" + (f" ({choice.stack.title})" if choice.stack else ""),
        *(f"default route by {route.via or 'the link'} on {route.dev}" for route in away),
        f"SELinux: {facts.selinux}" if facts.selinux else "",
        f"containers: {', '.join(facts.containers)}" if facts.containers else "",
        "keepalived runs here as well" if facts.is_director else "",
        *(f"policy rule: {rule}" for rule in facts.rules),
        *(f"firewall: {line}" for line in facts.firewall),
        f"a change took itself back: {facts.reverted}" if facts.reverted else "",
        *facts.gaps,
    ]
    shown = tuple(line for line in evidence if line)
    system = f"{facts.os_name or 'unknown system'}, kernel {facts.kernel}"
    if facts.as_root:
        return Check("reachable", Verdict.GOOD, "", system, shown)
    fix = "give lvstui root, sudo or doas there to push"
    return Check("reachable", Verdict.WARN, "no root", f"{system}; without root", shown, fix)


def _holders(facts: HostFacts, vip: str) -> tuple[str, ...]:
    return tuple(
        f"{item.address}/{item.prefix} on {item.link}, scope {item.scope}"
        + (f", label {item.label}" if item.label not in ("", item.link) else "")
        for item in facts.holders(vip)
    ) or (f"no link of the host has {vip}",)


def _vip(facts: HostFacts, vip: str, _: Ports) -> Check:
    links = {item.link for item in facts.holders(vip)}
    check = partial(Check, "vip", evidence=("ip addr show:", *_holders(facts, vip)))
    if not links:
        return check(Verdict.BAD, "", f"{vip} is on no link: packets for it are dropped", fix=_PUSH)
    if links == {"lo"} or (links == {"dummy0"}):
        return check(Verdict.GOOD, "", f"{vip} is on {' and '.join(links)}")
    others = " and ".join(sorted(links - {"lo"}))
    if facts.is_director and "lo" in links:
        return check(Verdict.GOOD, "", f"on lo, and on {others} as director")
    says = f"{vip} is on {others}: it answers ARP there"
    return check(Verdict.BAD, others[:8], says, fix=f"take it from {others}, then push")


def _prefix(facts: HostFacts, vip: str, _: Ports) -> Check:
    held = [item for item in facts.holders(vip) if item.link == "lo"]
    right = host_prefix(vip)
    if not held:
        return Check("prefix", Verdict.NONE, "–", f"{vip} is not on lo")
    wrong = [item for item in held if item.prefix != right]
    if not wrong:
        return Check("prefix", Verdict.GOOD, "", f"/{right}", _holders(facts, vip))
    says = f"/{wrong[0].prefix} on lo makes every address of that network local to this host"
    return Check("prefix", Verdict.BAD, f"/{wrong[0].prefix}", says, _holders(facts, vip), _PUSH)


def _arp(name: str, facts: HostFacts, vip: str, _: Ports) -> Check:
    if address_family(vip) == 6:
        return Check(name, Verdict.NONE, "–", "IPv6 needs no setting: a /128 on lo is silent")
    links = facts.ingress
    if not links:
        return Check(name, Verdict.UNKNOWN, "?", "no interface to the director was found")
    shown = [sysctls.effective(facts, name, link) for link in links]
    evidence = [str(item) for item in shown]
    evidence += [
        f"{setting.place}: {sysctls.dotted(setting.key)} = {setting.value or '(left out)'}"
        for setting in sysctls.who_sets(facts, name, links)
    ] or ["no file under sysctl.d sets it"]
    lo = facts.sysctl(sysctls.key("lo", name))
    bad = [item for item in shown if not item.ok]
    if bad:
        if lo not in ("", "0"):
            evidence.append(f"lo has {lo}: no effect on packets of {bad[0].link}")
        if facts.holders(vip):
            ignore, announce = "it answers ARP for it", "its ARP requests name it as the sender"
        else:
            ignore = "with the VIP on lo it would answer ARP for it"
            announce = "with the VIP on lo its ARP requests would name it as the sender"
        harm = ignore if name == sysctls.IGNORE else announce + " and poison caches"
        text = "?" if bad[0].value is None else str(bad[0].value)
        if bad[0].value == 8:
            harm = "it answers no ARP at all"
        return Check(name, Verdict.BAD, text, f"{bad[0]}: {harm}", tuple(evidence), _PUSH)
    others = [
        item
        for link in facts.lan
        if link not in links
        if not (item := sysctls.effective(facts, name, link)).ok
    ]
    if others:
        evidence += [str(item) for item in others]
        says = f"right towards the director, but not on {others[0].link}"
        return Check(name, Verdict.WARN, others[0].link[:6], says, tuple(evidence), _PUSH)
    if name == sysctls.IGNORE and any(item.value == 2 for item in shown):
        says = "2: silent; senders outside the interface's network get no answer at all"
        return Check(name, Verdict.GOOD, "2", says, tuple(evidence))
    return Check(name, Verdict.GOOD, "", str(shown[0]), tuple(evidence))


def _persistent(facts: HostFacts, vip: str, _: Ports) -> Check:
    evidence: list[str] = []
    place = ""
    for stack in STACKS:
        if place := stack.persistent(facts, vip):
            break
    place = place or foreign_place(facts, None, vip)
    evidence.append(f"{vip} comes back by {place}" if place else f"no file brings {vip} back")
    evidence += [f"{m.place}: {m.text}" for m in facts.mentions if names(m, vip)][:6]
    missing = [] if place else ["the VIP"]
    if address_family(vip) == 4:
        boot = sysctls.in_order(facts)
        for name in sysctls.WANTED:
            shown = [sysctls.effective_at_boot(boot, name, link) for link in facts.ingress]
            evidence += [f"after a reboot: {item}" for item in shown]
            if any(not item.ok for item in shown) or not shown:
                missing.append(name)
    manifest = facts.manifest
    if manifest is not None and not manifest.problem:
        changed = [
            file.path
            for file in manifest.files
            if (seen := facts.seen(file.path)) is not None
            and seen.content is not None
            and sha(seen.content) != file.sha256
        ]
        gone = [
            file.path
            for file in manifest.files
            if file.path != MANIFEST and facts.seen(file.path) is None
        ]
        evidence.append(
            f"lvstui's push of {manifest.pushed_at} by {manifest.operator or 'somebody'}"
            f" ({title_of(manifest.method)})"
        )
        evidence += [f"{path} was changed since" for path in changed]
        evidence += [f"{path} is gone" for path in gone]
        if (changed or gone) and not missing:
            says = f"{(changed + gone)[0]} is not as lvstui left it"
            return Check("persistent", Verdict.WARN, "changed", says, tuple(evidence), _PUSH)
        if not missing:
            proven = manifest.boot_id != facts.boot_id and vip in manifest.vips
            evidence.append(
                "the host was started anew since the push, and it is all there"
                if proven
                else "no reboot since the push (verify --reboot tries one)"
            )
    if not missing:
        return Check("persistent", Verdict.GOOD, "", f"comes back by {place}", tuple(evidence))
    says = f"after a reboot {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} gone"
    verdict = Verdict.WARN if place else Verdict.BAD
    return Check("persistent", verdict, "no", says, tuple(evidence), _PUSH)


def _listens(facts: HostFacts, vip: str, ports: Ports) -> Check:
    wanted = [(protocol, port) for protocol, port in ports if protocol in ("tcp", "udp") and port]
    if not wanted:
        return Check("listens", Verdict.NONE, "–", "no service with a port is known for this VIP")
    anywhere = {"*", "::", "0.0.0.0"} if ":" not in vip else {"*", "::"}
    bad, warn, evidence = [], [], []
    for protocol, port in wanted:
        here = [item for item in facts.listeners if item.protocol == protocol and item.port == port]
        seen = ", ".join(sorted({item.address for item in here})) or "nobody"
        evidence.append(f"{protocol} {port}: {seen}")
        fits = {item.address for item in here} & {*anywhere, vip}
        # A v6 wildcard takes IPv4 as well unless bindv6only is set.
        if fits == {"::"} and ":" not in vip and facts.sysctl("net/ipv6/bindv6only") == "1":
            fits = set()
        if not fits:
            bad.append(f"{protocol} {port}" + (f" (only at {seen})" if here else ""))
        elif protocol == "udp" and vip not in fits:
            warn.append(f"udp {port}")
    check = partial(Check, "listens", evidence=tuple(evidence))
    if bad:
        fix = "start the service, or let it listen on every address"
        return check(Verdict.BAD, "no", f"nobody listens for {vip} on {', '.join(bad)}", fix=fix)
    if warn:
        says = (
            f"{', '.join(warn)}: bound to every address; the service must answer from the "
            "address that was asked (bind the VIP, or IP_PKTINFO)"
        )
        return check(Verdict.GOOD, "", says)
    return check(Verdict.GOOD, "", "listens for the VIP")


def _rp_filter(facts: HostFacts, vip: str, _: Ports) -> Check:
    if address_family(vip) == 6:
        return Check("rp_filter", Verdict.NONE, "–", "IPv6 has no rp_filter setting")
    links = facts.ingress
    if not links:
        return Check("rp_filter", Verdict.UNKNOWN, "?", "no interface to the director was found")
    away = {route.dev for route in facts.routes if route.ask == f"away {vip}" and route.dev}
    evidence = []
    verdict, says, text = Verdict.GOOD, "", ""
    for link in links:
        every = sysctls.number(facts.sysctl("net/ipv4/conf/all/rp_filter")) or 0
        own = sysctls.number(facts.sysctl(f"net/ipv4/conf/{link}/rp_filter")) or 0
        value = max(every, own)
        evidence.append(f"rp_filter on {link}: {value} = max(all {every}, {link} {own})")
        if value == 1 and away and link not in away:
            verdict, text = Verdict.BAD, "1"
            says = f"strict on {link}, but replies leave by {', '.join(sorted(away))}: dropped"
        elif not says:
            says = f"{value} on {link}" + (", replies leave the same way" if value == 1 else "")
    evidence += [f"default route by {link}" for link in sorted(away)] or ["no default route"]
    fix = f"set net.ipv4.conf.{links[0]}.rp_filter to 2 (loose)" if verdict is Verdict.BAD else ""
    return Check("rp_filter", verdict, text, says, tuple(evidence), fix)


@dataclass(frozen=True, slots=True)
class HostCheck:
    """One check: what it is called, what it asks, and who answers it."""

    id: str
    title: str
    """Its heading."""
    meaning: str
    judge: Callable[[HostFacts, str, Ports], Check] | None = None
    """For one VIP, by a look at the host; None: a look from the director answers it."""
    pushable: bool = False
    """Whether a push mends it."""


CHECKS = (
    HostCheck("reachable", "SSH", "lvstui can log in by SSH, and become root", _reachable),
    HostCheck("vip", "VIP on lo", "the VIP is an address of the loopback", _vip, True),
    HostCheck(
        "prefix",
        "/32",
        "with prefix 32 (IPv6: 128): a wider one makes its whole network local",
        _prefix,
        True,
    ),
    HostCheck(
        sysctls.IGNORE,
        "ignore",
        "max(all, interface) is 1 or 2: no ARP answer for an address of the loopback",
        partial(_arp, sysctls.IGNORE),
        True,
    ),
    HostCheck(
        sysctls.ANNOUNCE,
        "announce",
        "max(all, interface) is 2: no ARP request names the VIP as its sender",
        partial(_arp, sysctls.ANNOUNCE),
        True,
    ),
    HostCheck("persistent", "boot", "VIP and settings come back after a reboot", _persistent, True),
    HostCheck(
        "listens",
        "listens",
        "something listens on the service's port, at the VIP or at every address",
        _listens,
    ),
    HostCheck(
        "rp_filter", "rp_filter", "the director's packets pass the reverse path filter", _rp_filter
    ),
    HostCheck("l2", "same L2", "the director reaches its address by ARP, without a router between"),
    HostCheck(
        "arp_silent",
        "ARP mute",
        "the director asks for the VIP by ARP, and this host does not answer",
    ),
    HostCheck(
        "path",
        "VIP path",
        "a TCP connection to the VIP at this host's MAC is answered by its service",
    ),
)
"""Every check, in the order of the matrix; a new one is its function and a row here."""
TITLES = {check.id: check.title for check in CHECKS}
MEANINGS = {check.id: check.meaning for check in CHECKS}
PUSHABLE = tuple(check.id for check in CHECKS if check.pushable)


def judge(facts: HostFacts, vip: str, ports: Ports = ()) -> tuple[Check, ...]:
    """The checks that a look at the host can answer, for one VIP."""
    return tuple(check.judge(facts, vip, ports) for check in CHECKS if check.judge is not None)


def unreachable(why: str, text: str, todo: str = "") -> tuple[Check, ...]:
    """The checks of a host that could not be looked at."""
    first = Check("reachable", Verdict.BAD, text, why, (), todo)
    asked = [check.id for check in CHECKS[1:] if check.judge is not None]
    return (
        first,
        *(Check(id_, Verdict.UNKNOWN, "", "the host was not looked at") for id_ in asked),
    )
