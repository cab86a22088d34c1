"""Real servers of one service, and their checks."""

from __future__ import annotations

from lvstui.keepalived.diff.form import CUTS, MOVES, WATCHES, About, Collector, Compared
from lvstui.model.config import ConfiguredChecker, ConfiguredServer, ConfiguredService

_Relative = tuple[str, int]
"""Address and port, 0 when it is the service's: stays when the service's port moves."""

_LATE = (
    ": keepalived does not apply it by a reload alone, only with a change of weight or forwarding"
)
_FIELDS = (
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


def _label(server: ConfiguredServer) -> str:
    return f"{server.name} ({server.key})" if server.name else str(server.key)


def compare_servers(
    old: ConfiguredService, new: ConfiguredService, service: str, to: Collector
) -> None:
    """Servers that went, came or changed; `service` is what people call it."""
    was, now = _relative(old), _relative(new)
    for key, server in was.items():
        if key not in now:
            stay = f", {len(now)} of {len(was)} servers stay" if len(now) < len(was) else ""
            to.about(f"{_label(server)} in {service}", server.place).say(
                "server-removed",
                CUTS,
                f"this backend vanishes: its connections are cut{stay}",
                before=server.key,
                gone=server.place,
            )
    for key, server in now.items():
        about = to.about(f"{_label(server)} in {service}", server.place, new.place)
        if key in was:
            to.pair(was[key].place, server.place)
            _compare(was[key], server, about)
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


def _compare(old: ConfiguredServer, new: ConfiguredServer, about: About) -> None:
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
    about.fields(_FIELDS, old, new)
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
