"""Real servers of one service, and their checks."""

from __future__ import annotations

from lvstui.keepalived.diff.collect import Collector
from lvstui.keepalived.diff.form import Impact
from lvstui.model.config import ConfiguredChecker, ConfiguredServer, ConfiguredService, Place

_Relative = tuple[str, int]
"""Address and port, 0 when it is the service's: stays when the service's port moves."""


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
    outer = (new.place,)
    for key, server in was.items():
        if key in now:
            continue
        to.say(
            "server-removed",
            Impact.CUTS,
            f"{_label(server)} in {service}",
            f"this backend vanishes: its connections are cut, {len(now)} of {len(was)} servers stay"
            if len(now) < len(was)
            else "this backend vanishes: its connections are cut",
            before=server.key,
            place=server.place,
            gone=server.place,
        )
    for key, server in now.items():
        if key in was:
            to.pair(was[key].place, server.place)
            _compare(was[key], server, f"{_label(server)} in {service}", outer, to)
            continue
        if not server.weight:
            tail = "at weight 0: no connections yet"
        elif server.alpha:
            tail = f"weight {server.weight}: gets connections after its first check (alpha)"
        else:
            tail = f"weight {server.weight}: gets connections at once, before its first check"
        to.say(
            "server-added",
            Impact.MOVES,
            f"{_label(server)} in {service}",
            f"new backend, {server.forwarding}, {tail}",
            after=server.key,
            place=server.place,
            come=server.place,
        )
    if any(s.weight for s in old.servers) and not any(s.weight for s in new.servers):
        to.say(
            "no-weight-left",
            Impact.CUTS,
            service,
            "every real server has weight 0: no new connections at all, and the quorum can not be "
            "reached until the next reload",
            place=new.place,
        )


def _compare(
    old: ConfiguredServer,
    new: ConfiguredServer,
    subject: str,
    outer: tuple[Place | None, ...],
    to: Collector,
) -> None:
    blocks = (*outer, new.place)
    if old.weight != new.weight:
        tail = ": no new connections" if not new.weight else ""
        to.say(
            "weight",
            Impact.MOVES,
            subject,
            f"weight {old.weight} → {new.weight}{tail}",
            before=old.weight,
            after=new.weight,
            place=new.weight_place or new.place,
            blocks=blocks,
            keywords="weight",
        )
    if old.forwarding != new.forwarding:
        to.say(
            "forwarding",
            Impact.CUTS,
            subject,
            f"forwarding {old.forwarding} → {new.forwarding}: packets reach it in another way, and "
            "it must be set up for that",
            before=old.forwarding,
            after=new.forwarding,
            place=new.place,
            blocks=blocks,
            keywords="lb_kind lvs_method",
        )
    for field, word in (("upper_threshold", "uthreshold"), ("lower_threshold", "lthreshold")):
        was, now = getattr(old, field), getattr(new, field)
        if was != now:
            to.say(
                "threshold",
                Impact.WATCHES,
                subject,
                f"{word} {was} → {now}: keepalived does not apply it by a reload alone, only with "
                "a change of weight or forwarding",
                before=was,
                after=now,
                place=new.place,
                blocks=blocks,
                keywords=word,
            )
    for field, kind, words, text in (
        (
            "inhibit_on_failure",
            "inhibit",
            "inhibit_on_failure",
            "inhibit_on_failure (when it fails it stays, at weight 0)",
        ),
        ("alpha", "alpha", "alpha", "alpha (starts as down)"),
        ("notify_up", "notify", "notify_up", "notify_up script"),
        ("notify_down", "notify", "notify_down", "notify_down script"),
    ):
        was, now = getattr(old, field), getattr(new, field)
        if was != now:
            to.say(
                kind,
                Impact.WATCHES,
                subject,
                f"{text} {_word(was)} → {_word(now)}",
                before=was,
                after=now,
                place=new.place,
                blocks=(*blocks, *(check.place for check in new.checkers)),
                keywords=words,
            )
    _checkers(old, new, subject, outer, to)


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value) or "none"


def _checkers(
    old: ConfiguredServer,
    new: ConfiguredServer,
    subject: str,
    outer: tuple[Place | None, ...],
    to: Collector,
) -> None:
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
        _timing(check, match, subject, (*outer, new.place), to)
    for check in gone:
        match = next((c for c in left if c.kind == check.kind), None)
        if match is None:
            last = "" if new.checkers else ": nothing watches this server any more"
            to.say(
                "checker-removed",
                Impact.WATCHES,
                subject,
                f"{check.kind} ({check.target}) is gone{last}",
                before=f"{check.kind} {check.target}",
                place=new.place,
                gone=check.place,
            )
            continue
        left.remove(match)
        to.say(
            "checker-changed",
            Impact.WATCHES,
            subject,
            f"{check.kind} looks at {match.target} instead of {check.target}: it starts anew, and "
            "a server that was down counts as up until it has run",
            before=check.target,
            after=match.target,
            place=match.place,
            blocks=(match.place,),
            keywords="connect_ip connect_port misc_path track_file name type url path host",
        )
        _timing(check, match, subject, (*outer, new.place), to)
    for check in left:
        to.say(
            "checker-added",
            Impact.WATCHES,
            subject,
            f"{check.kind} ({check.target}) is new",
            after=f"{check.kind} {check.target}",
            place=check.place,
            come=check.place,
        )


def _relative_target(check: ConfiguredChecker, server: ConfiguredServer) -> tuple[str, str]:
    """Kind and target; a check of the server's own address and port follows it."""
    return check.kind, check.target.replace(str(server.key), "its own port")


def _timing(
    old: ConfiguredChecker,
    new: ConfiguredChecker,
    subject: str,
    outer: tuple[Place | None, ...],
    to: Collector,
) -> None:
    for field, keywords, word, unit in (
        ("delay_loop_s", "delay_loop", "every", " s"),
        ("connect_timeout_s", "connect_timeout misc_timeout", "timeout", " s"),
        ("retry", "retry nb_get_retry", "retries", ""),
    ):
        was, now = getattr(old, field), getattr(new, field)
        if was != now:
            to.say(
                "checker-changed",
                Impact.WATCHES,
                subject,
                f"{new.kind} ({new.target}): {word} {was:g}{unit} → {now:g}{unit}",
                before=was,
                after=now,
                place=new.place,
                blocks=(*outer, new.place),
                keywords=keywords,
            )
