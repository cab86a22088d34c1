"""What must be seen after a reload, and whether it is. Pure: looks go in, verdicts come out.

Expected is what the new file says, corrected by what was seen before: a server that was down may
stay absent, a weight that a hand or a script had set may stay (keepalived does not rewrite what
did not change in the file), a director that was BACKUP stays BACKUP.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from lvstui.keepalived.daemon.facts import DaemonLook, DirectorSeen
from lvstui.keepalived.meaning.view import parse_consolidated, same
from lvstui.kernel.table import TableReader
from lvstui.model.config import (
    Configuration,
    ConfiguredInstance,
    ConfiguredServer,
    ConfiguredService,
)
from lvstui.model.ipvs import Counters, Destination, KernelService
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.operations.change import ReadBack
from lvstui.operations.configuration_rules import master_down_s

SHORTEST_S = 2.0
"""How long the same processes must be seen alive: a daemon that dies of a file takes a moment."""
LONGEST_S = 90.0
"""Cap on waiting for first checks."""
_REACT_S = 3.0
"""For the reload itself and for a slow host, on top of what the checkers need."""
_ANSWERED = 2
"""Of so many new connections one at least must have been answered."""
_SCRIPTED = frozenset(("MISC_CHECK", "FILE_CHECK", "BFD_CHECK"))
"""Checkers that may set weights of their own (misc_dynamic and the like)."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One director: how it was, and what its new file says."""

    before: DirectorSeen
    after: Configuration
    was: Configuration = field(default_factory=Configuration)
    """What was in force before: what the daemon had loaded, else the files."""
    unchecked: bool = False
    """Servers that come in with their first check may stay away."""

    @property
    def host(self) -> str:
        return self.before.daemon.host


def kernel(daemon: DaemonLook) -> dict[ServiceKey, KernelService]:
    """The kernel's table by service. Raises ValueError for what is not the kernel's."""
    table = TableReader().parse(daemon.table)
    return {service.key: service for service in (*table.services, *daemon.left_out)}


def watch_s(expected: Expected) -> float:
    """How long to look at least, even when all is as expected."""
    longest = SHORTEST_S
    was = {instance.name: instance for instance in expected.was.instances}
    for instance in expected.after.instances:
        old = was.get(instance.name)
        if old is None or _election(old) != _election(instance):
            # A split or a change of roles shows when the other one's patience has run out.
            longest = max(longest, master_down_s(instance) + 1.0)
    return min(longest, 15.0)


def window_of(expected: Expected) -> float:
    """Within what time after this director its peers must be told; 0 when that does not matter:
    none of its adverts changes."""
    was = {instance.name: instance for instance in expected.was.instances}
    return min(
        (
            master_down_s(old)
            for new in expected.after.instances
            if (old := was.get(new.name)) is not None and _advert(old) != _advert(new)
        ),
        default=0.0,
    )


_SENT = attrgetter("vrid", "version", "advert_interval_s", "auth_type")
_ROLES = attrgetter(
    *("priority", "state", "nopreempt", "interface", "vrid", "advert_interval_s", "version"),
    *("unicast_peers", "track_scripts", "sync_group"),
)
"""What decides who is MASTER, beside the VIPs."""


def _advert(instance: ConfiguredInstance) -> tuple[object, ...]:
    return sorted(instance.advertised), *_SENT(instance)


def patience_s(expected: Expected) -> float:
    """How long to wait at most for what is expected: alpha servers come in after warmup (as long
    as delay_loop by default) and their first check."""
    need = max(
        (
            check.delay_loop_s + check.connect_timeout_s
            for _, server in unproven(expected)
            for check in server.checkers
        ),
        default=0.0,
    )
    return min(max(watch_s(expected), need) + _REACT_S, LONGEST_S)


def unproven(expected: Expected) -> tuple[tuple[ServiceKey, ConfiguredServer], ...]:
    """Servers that come into the pool only when a check of theirs has succeeded that has not been
    made yet (alpha)."""
    was = _servers(expected.was)
    return tuple(
        (service.key, server)
        for service in expected.after.services
        for server in service.servers
        if (server.alpha or service.alpha)
        and server.checkers
        and ((old := was.get((service.key, server.key))) is None or _checks(old) != _checks(server))
    )


def on_proof(expected: Expected) -> tuple[str, ...]:
    """The same in words, with how long is waited."""
    patience = patience_s(expected)
    found = []
    for service, server in unproven(expected):
        name = f"{server.name} ({server.key})" if server.name else str(server.key)
        kinds = ", ".join(dict.fromkeys(check.kind for check in server.checkers))
        found.append(f"{kinds} of {name} in {service} succeeds within {patience:.0f} s")
    return tuple(found)


def _checks(server: ConfiguredServer) -> tuple[object, ...]:
    return tuple((c.kind, c.target) for c in server.checkers)


def _election(instance: ConfiguredInstance) -> tuple[object, ...]:
    return sorted(instance.vips), *_ROLES(instance)


def _servers(configuration: Configuration) -> dict[tuple[ServiceKey, ServerKey], ConfiguredServer]:
    return {
        (service.key, server.key): server
        for service in configuration.services
        for server in service.servers
    }


def lost(expected: Expected, now: DaemonLook) -> str:
    """Why nothing more can be waited for: the daemon is gone or another one; else empty."""
    before = expected.before.daemon
    if not before.pid:
        return ""
    if not now.pid:
        return f"keepalived (pid {before.pid}) ended"
    if (now.pid, now.ticks) != (before.pid, before.ticks):
        return f"keepalived was started anew (pid {before.pid} → {now.pid})"
    for child in before.children:
        found = now.child(child.role)
        if found is None and not _needed(child.role, expected.after):
            continue
        if found is None:
            return f"its {child.role} process (pid {child.pid}) ended"
        if (found.pid, found.ticks) != (child.pid, child.ticks):
            what = f"its {child.role} process died and was started anew"
            return f"{what} (pid {child.pid} → {found.pid})"
    return ""


def _needed(role: str, after: Configuration) -> bool:
    needs = {"vrrp": after.instances, "checkers": after.services}
    return bool(needs.get(role, True))


def look_back(expected: Expected, now: DaemonLook) -> tuple[ReadBack, ...]:
    """Everything that is expected of one director, each with what was seen."""
    before, host = expected.before.daemon, expected.host
    if not before.pid:
        return ()
    why = lost(expected, now)
    who = ", ".join(f"{child.role} {child.pid}" for child in now.children)
    found = [ReadBack(host, f"the same processes (keepalived {before.pid})", not why, why or who)]
    if why:
        return tuple(found)
    found += _loaded(expected, now)
    try:
        have, had = kernel(now), kernel(before)
    except ValueError:
        return (*found, ReadBack(host, "the kernel's table", False, "it can not be read"))
    for service in expected.after.services:
        found += _service(expected, service, have.get(service.key), had.get(service.key), now)
    kept = {service.key for service in expected.after.services}
    for service in expected.was.services:
        if service.key not in kept:
            gone = service.key not in have
            seen = "gone" if gone else "it is still in the kernel"
            found.append(ReadBack(host, f"{service.key} gone from the kernel", gone, seen))
    found += _vips(expected, now)
    return tuple(found)


def _loaded(expected: Expected, now: DaemonLook) -> list[ReadBack]:
    if now.loaded is None:
        return []
    has = parse_consolidated(now.loaded, config_id=expected.before.daemon.config_id)
    ok = same(has, expected.after)
    seen = "what it has loaded is the new file" if ok else "it has another configuration loaded"
    return [ReadBack(expected.host, "reload finished", ok, seen)]


def _service(
    expected: Expected,
    service: ConfiguredService,
    have: KernelService | None,
    had: KernelService | None,
    now: DaemonLook,
) -> list[ReadBack]:
    host, key = expected.host, service.key
    if have is None:
        # A group's or a suspended service may be without a destination; the service itself is not.
        loaded = any(old.key == key for old in expected.was.services)
        if loaded and had is None and expected.before.daemon.table:
            # Removed by hand (a reload does not bring it back), or left out of the kernel's file
            # (`lvstui.kernel.truncated`): this change is not what it is missing for.
            return [ReadBack(host, f"{key} in the kernel", True, "not there before either")]
        return [ReadBack(host, f"{key} in the kernel", False, "it is not there")]
    wrong = []
    if have.scheduler != service.scheduler:
        wrong.append(f"scheduler {have.scheduler}, not {service.scheduler}")
    if bool(have.persistence_s) != bool(service.persistence_s):
        wrong.append("persistent" if have.persistence_s else "not persistent")
    wanted = {_effective(server.key, key): server for server in service.servers}
    old = {s.key: s for s in next((s.servers for s in expected.was.services if s.key == key), ())}
    pool = {destination.key: destination for destination in have.destinations}
    before = {destination.key: destination for destination in had.destinations} if had else {}
    sorry = service.sorry_server and _effective(service.sorry_server, key)
    sorry_serves = sorry is not None and sorry in pool and sorry not in wanted
    excused = (
        {server.key for of, server in unproven(expected) if of == key}
        if expected.unchecked
        else frozenset()
    )
    for address, server in wanted.items():
        wrong += _one(
            service,
            server,
            old.get(server.key),
            pool.get(address),
            before.get(address),
            sorry_serves
            or (service.ha_suspend and not now.interfaces_of(key.address))
            or server.key in excused,
        )
    known = {_effective(server, key) for server in old}
    for address in pool:
        if (
            address not in wanted
            and address != sorry
            and (address in known or address not in before)
        ):
            wrong.append(f"{address} is still there")
    what = f"{key}: {service.scheduler}, {len(wanted)} servers"
    return [ReadBack(host, what, not wrong, "; ".join(wrong) or _in_words(pool))]


def _effective(server: ServerKey, service: ServiceKey) -> ServerKey:
    """As the kernel has it: the service's port where the file gives none."""
    return server if server.port else ServerKey(server.address, service.port)


def _in_words(pool: Mapping[ServerKey, Destination]) -> str:
    return ", ".join(f"{key} {d.forwarding} {d.weight}" for key, d in pool.items()) or "no server"


def _one(
    service: ConfiguredService,
    server: ConfiguredServer,
    old: ConfiguredServer | None,
    now: Destination | None,
    before: Destination | None,
    may_be_absent: bool,
) -> list[str]:
    """What is wrong with one server."""
    was_down = old is not None and (before is None or (before.weight == 0 and old.weight > 0))
    if now is None:
        if was_down or may_be_absent:
            return []
        kinds = ", ".join(dict.fromkeys(c.kind for c in server.checkers))
        return [f"{server.key} is not in the pool" + (f" ({kinds})" if kinds else "")]
    wrong = []
    if now.forwarding not in (server.forwarding, "LOCAL"):
        wrong.append(f"{server.key} is {now.forwarding}, not {server.forwarding}")
    allowed = {server.weight}
    if before is not None and old is not None and old.weight == server.weight:
        allowed.add(before.weight)
    if server.inhibit_on_failure and (was_down or may_be_absent):
        allowed.add(0)
    by_script = any(checker.kind in _SCRIPTED for checker in server.checkers)
    if by_script and before is not None and old is not None and before.weight != old.weight:
        return wrong
    if now.weight not in allowed:
        wrong.append(f"{server.key} has weight {now.weight}, not {server.weight}")
    return wrong


def holds(daemon: DaemonLook, address: str) -> bool:
    """Whether a director answers for an address: on the loopback it does not."""
    return any(name != "lo" for name in daemon.interfaces_of(address))


def is_master(daemon: DaemonLook, instance: ConfiguredInstance) -> bool:
    """Whether a director has an instance's VIPs."""
    return any(holds(daemon, vip) for vip in instance.vips)


def _vips(expected: Expected, now: DaemonLook) -> list[ReadBack]:
    before, host = expected.before.daemon, expected.host
    was = {instance.name: instance for instance in expected.was.instances}
    found = []
    for instance in expected.after.instances:
        old = was.get(instance.name)
        if old is None or _ROLES(old) != _ROLES(instance):
            # Who is MASTER is decided anew: see `together`.
            continue
        master = is_master(before, old)
        if master:
            missing = [vip for vip in instance.vips if not holds(now, vip)]
            seen = f"missing: {', '.join(missing)}" if missing else ", ".join(instance.vips)
            found.append(ReadBack(host, f"{instance.name} MASTER with its VIPs", not missing, seen))
        elif old.vips:
            taken = [vip for vip in instance.vips if holds(now, vip) and not holds(before, vip)]
            seen = f"has taken {', '.join(taken)}" if taken else "holds none of its VIPs"
            found.append(ReadBack(host, f"{instance.name} stays BACKUP", not taken, seen))
    left = {vip for instance in expected.after.instances for vip in instance.vips}
    for vip in dict.fromkeys(vip for i in expected.was.instances for vip in i.vips):
        if vip not in left and holds(before, vip):
            gone = not holds(now, vip)
            found.append(ReadBack(host, f"VIP {vip} gone", gone, "" if gone else "still there"))
    return found


def together(expected: Sequence[Expected], now: Sequence[DaemonLook]) -> tuple[ReadBack, ...]:
    """What is expected of the directors as a pair: each VIP at exactly one of them."""
    if len(expected) < 2:
        return ()
    found = []
    vips = dict.fromkeys(vip for e in expected for i in e.after.instances for vip in i.vips)
    for vip in vips:
        had = [e.host for e in expected if holds(e.before.daemon, vip)]
        has = [daemon.host for daemon in now if holds(daemon, vip)]
        known = any(vip in i.vips for e in expected for i in e.was.instances)
        if not has and known and not had:
            # Nobody had it before either (FAULT): not this change's doing.
            continue
        seen = " and ".join(has) or "nobody has it"
        found.append(
            ReadBack(
                seen if len(has) == 1 else ", ".join(e.host for e in expected),
                f"VIP {vip} at one director",
                len(has) == 1,
                seen,
            )
        )
    return tuple(found)


def becomes_nat(expected: Expected) -> tuple[tuple[ServiceKey, ServerKey], ...]:
    """The servers whose forwarding becomes NAT, as the kernel keys them: only replies that pass
    this director prove them."""
    was = _servers(expected.was)
    return tuple(
        (service.key, _effective(server.key, service.key))
        for service in expected.after.services
        for server in service.servers
        if server.forwarding == "NAT"
        and ((old := was.get((service.key, server.key))) is None or old.forwarding != "NAT")
    )


def replies(
    host: str, service: ServiceKey, server: ServerKey, first: Counters | None, last: Counters | None
) -> ReadBack:
    """What the counters of one NAT server say over a while."""
    what = f"replies of {server} in {service} pass this director (NAT)"
    if first is None or last is None:
        return ReadBack(host, what, True, "not proven: it has no counters yet")
    new = last.connections - first.connections
    came, went = last.packets_in - first.packets_in, last.packets_out - first.packets_out
    seen = f"{new} new connections, {came} packets to it, {went} back"
    if new < 2:
        return ReadBack(host, what, True, f"not proven: {seen}")
    # Each connection is answered at least once; a stray packet (a reset) proves nothing.
    if went * _ANSWERED >= new:
        return ReadBack(host, what, True, seen)
    return ReadBack(host, what, False, f"{seen}: it answers by another way, or not at all")
