"""Virtual services, their real servers and checks: what a changed one does to connections.

How keepalived applies it at a reload is in check/ipwrapper.c (2.2.7 to 2.4.3): a service is known
by its address, port and protocol, its mark, or its group; a real server by its address and port.
"""

from __future__ import annotations

from collections.abc import Iterator

from lvstui.keepalived.diff.form import CUTS, MOVES, WATCHES, About, Collector, Compared, word
from lvstui.model.config import (
    Configuration,
    ConfiguredChecker,
    ConfiguredServer,
    ConfiguredService,
    Place,
)
from lvstui.model.keys import ServiceKey

_Numbered = tuple[ServiceKey, int]
"""A key, and the how many-th service that has it: keepalived sets up both of two."""


def label(service: ConfiguredService) -> str:
    """How the operator knows it: `web (tcp 10.0.0.1:80)`."""
    return f"{service.name} ({service.key})" if service.name else str(service.key)


def compare_services(before: Configuration, after: Configuration, to: Collector) -> None:
    old, new = dict(_numbered(before)), dict(_numbered(after))
    gone = {key: service for key, service in old.items() if key not in new}
    come = {key: service for key, service in new.items() if key not in old}
    for was, now in _replaced(gone, come):
        _replacement(gone.pop(was), come.pop(now), to)
    for service in gone.values():
        to.about(label(service), service.place).say(
            "service-removed",
            CUTS,
            f"the service is gone, with {_real_servers(service)}: clients are cut off",
            before=service.key,
            gone=service.place,
        )
        _members(service, to)
    for service in come.values():
        to.about(label(service), service.place).say(
            "service-added",
            MOVES,
            f"new service, {service.scheduler}, {service.forwarding}, {_real_servers(service)}",
            after=service.key,
            come=service.place,
        )
        _members(service, to)
    seen: set[tuple[str, Place | None, Place | None]] = set()
    for key, service in new.items():
        if key not in old:
            continue
        # The members of a group differ by their address only: one speaks for all.
        same_block = (service.group, old[key].place, service.place)
        if service.group and same_block in seen:
            continue
        seen.add(same_block)
        _compare(old[key], service, to)


def _numbered(configuration: Configuration) -> Iterator[tuple[_Numbered, ConfiguredService]]:
    count: dict[ServiceKey, int] = {}
    for service in configuration.services:
        count[service.key] = count.get(service.key, 0) + 1
        yield (service.key, count[service.key]), service


def _replaced(
    gone: dict[_Numbered, ConfiguredService], come: dict[_Numbered, ConfiguredService]
) -> list[tuple[_Numbered, _Numbered]]:
    """Services that stay the same to people and are another one to keepalived: only the protocol
    or only the port differs, and there is just one that it can have been."""
    by_address: dict[str, tuple[list[_Numbered], list[_Numbered]]] = {}
    for side, services in enumerate((gone, come)):
        for key, service in services.items():
            if service.key.address:
                by_address.setdefault(service.key.address, ([], []))[side].append(key)
    pairs = []
    for olds, news in by_address.values():
        for was in olds:
            near = [now for now in news if _near(gone[was], come[now])]
            if len(near) == 1 and sum(_near(gone[o], come[near[0]]) for o in olds) == 1:
                pairs.append((was, near[0]))
    return pairs


def _near(old: ConfiguredService, new: ConfiguredService) -> bool:
    a, b = old.key, new.key
    return (
        bool(a.address)
        and a.address == b.address
        and (a.protocol == b.protocol) != (a.port == b.port)
    )


def _replacement(old: ConfiguredService, new: ConfiguredService, to: Collector) -> None:
    what = "protocol" if old.key.protocol != new.key.protocol else "port"
    was, now = getattr(old.key, what), getattr(new.key, what)
    to.about(label(old), new.place).say(
        what,
        CUTS,
        f"{what} {was} → {now}: keepalived deletes the service and makes a new one; clients of "
        "the old one are cut off",
        "protocol header",
        before=was,
        after=now,
    )
    to.pair(old.place, new.place)
    _compare(old, new, to)


def _real_servers(service: ConfiguredService) -> str:
    count = len(service.servers)
    return f"{count} real server{'s' if count != 1 else ''}"


def _members(service: ConfiguredService, to: Collector) -> None:
    if service.group:
        to.everywhere.add(f"members of {service.group}")


_FIELDS = (
    Compared("scheduler", MOVES, keywords="lb_algo lvs_sched"),
    Compared(
        "persistence_s",
        MOVES,
        "persistence",
        "persistence_timeout persistence_granularity",
        ": clients may be sent to another server",
        " s",
        kind="persistence",
    ),
    Compared(
        "persistence_granularity",
        MOVES,
        "persistence granularity",
        "persistence_granularity persistence_timeout",
    ),
    Compared("persistence_engine", MOVES, "persistence engine", "persistence_engine"),
    Compared("one_packet", MOVES, "one-packet scheduling", "ops"),
    Compared(
        "flags",
        MOVES,
        "scheduler flags",
        "hashed flag-1 flag-2 flag-3 sh-port sh-fallback mh-port mh-fallback",
        kind="scheduler-flags",
    ),
    Compared(
        "quorum",
        WATCHES,
        keywords="quorum weight",
        tail=": when the sorry server and the quorum scripts come in",
    ),
    Compared("hysteresis", WATCHES, keywords="hysteresis quorum"),
    Compared("alpha", WATCHES, "alpha (servers start as down)", "alpha"),
    Compared("omega", WATCHES, "omega (notify when keepalived ends)", "omega"),
    Compared("ha_suspend", WATCHES, "ha_suspend (no checks without the VIP)", "ha_suspend"),
    Compared("quorum_up", WATCHES, "quorum_up script", "quorum_up", kind="quorum-script"),
    Compared("quorum_down", WATCHES, "quorum_down script", "quorum_down", kind="quorum-script"),
    Compared(
        "sorry_forwarding",
        MOVES,
        "forwarding of the sorry server",
        "sorry_server_lvs_method lb_kind lvs_method",
    ),
    Compared("sorry_inhibit", WATCHES, "sorry_server_inhibit"),
)
_GROUP = (
    Compared(
        "group",
        CUTS,
        tail=": keepalived knows the service by its group, deletes it and makes it anew",
    ),
)


def _relative_sorry(service: ConfiguredService) -> tuple[str, int] | None:
    """Address and port of the sorry server, 0 when it is the service's."""
    key = service.sorry_server
    if key is None:
        return None
    return key.address, 0 if key.port == service.key.port else key.port


def _compare(old: ConfiguredService, new: ConfiguredService, to: Collector) -> None:
    to.about(label(new), new.place).fields(_GROUP, old, new)
    one = new.group and new.group == old.group
    about = to.about(f"group {new.group}" if one else label(new), new.place)
    both = bool(old.sorry_forwarding and new.sorry_forwarding)
    fields = (field for field in _FIELDS if field.name != "sorry_forwarding" or both)
    about.fields(fields, old, new)
    was_sorry, now_sorry = _relative_sorry(old), _relative_sorry(new)
    if was_sorry == now_sorry and old.key.port != new.key.port:
        to.explain((new.place,), "sorry_server")
    if was_sorry != now_sorry:
        about.say(
            "sorry-server",
            MOVES,
            f"sorry server {word(old.sorry_server)} → {word(new.sorry_server)}",
            "sorry_server sorry_server_lvs_method sorry_server_inhibit",
            before=old.sorry_server,
            after=new.sorry_server,
        )
    _compare_servers(old, new, about.subject, to)


# Real servers of one service, and their checks


_Relative = tuple[str, int]
"""Address and port, 0 when it is the service's: stays when the service's port moves."""

_LATE = (
    ": keepalived does not apply it by a reload alone, only with a change of weight or forwarding"
)
_SERVER_FIELDS = (
    Compared(
        "forwarding",
        CUTS,
        keywords="lb_kind lvs_method",
        tail=": packets reach it in another way, and it must be set up for that",
    ),
    Compared("upper_threshold", WATCHES, "uthreshold", tail=_LATE, kind="threshold"),
    Compared("lower_threshold", WATCHES, "lthreshold", tail=_LATE, kind="threshold"),
)
_OF_CHECKS = (
    Compared(
        "inhibit_on_failure",
        WATCHES,
        "inhibit_on_failure (when it fails it stays, at weight 0)",
        "inhibit_on_failure",
        kind="inhibit",
    ),
    Compared("alpha", WATCHES, "alpha (starts as down)", "alpha"),
    Compared("notify_up", WATCHES, "notify_up script", "notify_up", kind="notify"),
    Compared("notify_down", WATCHES, "notify_down script", "notify_down", kind="notify"),
)
"""May be written in a check, too."""
_TIMING = (
    Compared("delay_loop_s", WATCHES, "every", "delay_loop", unit=" s", kind="checker-changed"),
    Compared(
        "connect_timeout_s",
        WATCHES,
        "timeout",
        "connect_timeout misc_timeout",
        unit=" s",
        kind="checker-changed",
    ),
    Compared("retry", WATCHES, "retries", "retry nb_get_retry", kind="checker-changed"),
)


def _relative(service: ConfiguredService) -> dict[_Relative, ConfiguredServer]:
    return {
        (server.key.address, 0 if server.key.port == service.key.port else server.key.port): server
        for server in service.servers
    }


def _server_label(server: ConfiguredServer) -> str:
    return f"{server.name} ({server.key})" if server.name else str(server.key)


def _compare_servers(
    old: ConfiguredService, new: ConfiguredService, service: str, to: Collector
) -> None:
    """Servers that went, came or changed; `service` is what people call it."""
    was, now = _relative(old), _relative(new)
    for key, server in was.items():
        if key not in now:
            stay = f", {len(now)} of {len(was)} servers stay" if len(now) < len(was) else ""
            to.about(f"{_server_label(server)} in {service}", server.place).say(
                "server-removed",
                CUTS,
                f"this backend vanishes: its connections are cut{stay}",
                before=server.key,
                gone=server.place,
            )
    for key, server in now.items():
        about = to.about(f"{_server_label(server)} in {service}", server.place, new.place)
        if key in was:
            to.pair(was[key].place, server.place)
            _compare_server(was[key], server, about)
            continue
        if not server.weight:
            tail = "at weight 0: no connections yet"
        elif server.alpha:
            tail = f"weight {server.weight}: gets connections after its first check (alpha)"
        else:
            tail = f"weight {server.weight}: gets connections at once, before its first check"
        text = f"new backend, {server.forwarding}, {tail}"
        about.say("server-added", MOVES, text, after=server.key, come=server.place)
    if any(s.weight for s in old.servers) and not any(s.weight for s in new.servers):
        to.about(service, new.place).say(
            "no-weight-left",
            CUTS,
            "every real server has weight 0: no new connections at all, and the quorum can not be "
            "reached until the next reload",
        )


def _compare_server(old: ConfiguredServer, new: ConfiguredServer, about: About) -> None:
    if old.weight != new.weight:
        tail = ": no new connections" if not new.weight else ""
        about.say(
            "weight",
            MOVES,
            f"weight {old.weight} → {new.weight}{tail}",
            "weight",
            before=old.weight,
            after=new.weight,
            place=new.weight_place,
        )
    about.fields(_SERVER_FIELDS, old, new)
    checks = (check.place for check in new.checkers)
    about.to.about(about.subject, new.place, *about.around, *checks).fields(_OF_CHECKS, old, new)
    _checkers(old, new, about)


def _checkers(old: ConfiguredServer, new: ConfiguredServer, about: About) -> None:
    """Checks are told apart by kind and target; of two alike the first goes with the first."""
    left = list(new.checkers)
    gone: list[ConfiguredChecker] = []
    for check in old.checkers:
        wanted = _relative_target(check, old)
        match = next((c for c in left if _relative_target(c, new) == wanted), None)
        if match is None:
            gone.append(check)
            continue
        left.remove(match)
        _timing(check, match, about)
    for check in gone:
        match = next((c for c in left if c.kind == check.kind), None)
        if match is None:
            last = "" if new.checkers else ": nothing watches this server any more"
            about.say(
                "checker-removed",
                WATCHES,
                f"{check.kind} ({check.target}) is gone{last}",
                before=f"{check.kind} {check.target}",
                gone=check.place,
            )
            continue
        left.remove(match)
        about.to.about(about.subject, match.place).say(
            "checker-changed",
            WATCHES,
            f"{check.kind} looks at {match.target} instead of {check.target}: it starts anew, and "
            "a server that was down counts as up until it has run",
            "connect_ip connect_port misc_path track_file name type url path host",
            before=check.target,
            after=match.target,
        )
        _timing(check, match, about)
    for check in left:
        about.say(
            "checker-added",
            WATCHES,
            f"{check.kind} ({check.target}) is new",
            after=f"{check.kind} {check.target}",
            place=check.place,
            come=check.place,
        )


def _relative_target(check: ConfiguredChecker, server: ConfiguredServer) -> tuple[str, str]:
    """Kind and target; a check of the server's own address and port follows it."""
    return check.kind, check.target.replace(str(server.key), "its own port")


def _timing(old: ConfiguredChecker, new: ConfiguredChecker, server: About) -> None:
    about = server.to.about(server.subject, new.place, server.place, *server.around)
    about.fields(_TIMING, old, new, f"{new.kind} ({new.target}): ")
