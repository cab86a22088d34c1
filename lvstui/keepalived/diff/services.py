"""Virtual services: what a changed one does to connections.

How keepalived applies it at a reload is in check/ipwrapper.c (2.2.7 to 2.4.3): a service is known
by its address, port and protocol, its mark, or its group; a real server by its address and port.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lvstui.keepalived.diff.collect import Collector
from lvstui.keepalived.diff.form import Impact
from lvstui.keepalived.diff.servers import compare_servers
from lvstui.model.config import Configuration, ConfiguredService, Place
from lvstui.model.keys import ServiceKey

_Numbered = tuple[ServiceKey, int]
"""A key, and the how many-th service that has it: keepalived sets up both of two."""


def label(service: ConfiguredService) -> str:
    """How the operator knows it: `web (tcp 10.0.0.1:80)`."""
    return f"{service.name} ({service.key})" if service.name else str(service.key)


def compare_services(before: Configuration, after: Configuration, to: Collector) -> None:
    """Everything about services."""
    old, new = dict(_numbered(before)), dict(_numbered(after))
    gone = {key: service for key, service in old.items() if key not in new}
    come = {key: service for key, service in new.items() if key not in old}
    for was, now in _replaced(gone, come):
        _replacement(gone.pop(was), come.pop(now), to)
    for service in gone.values():
        _removed(service, to)
    for service in come.values():
        _added(service, to)
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
    protocol = old.key.protocol != new.key.protocol
    what = (
        f"protocol {old.key.protocol} → {new.key.protocol}"
        if protocol
        else f"port {old.key.port} → {new.key.port}"
    )
    to.say(
        "protocol" if protocol else "port",
        Impact.CUTS,
        label(old),
        f"{what}: keepalived deletes the service and makes a new one; clients of the old one "
        "are cut off",
        before=old.key.protocol if protocol else old.key.port,
        after=new.key.protocol if protocol else new.key.port,
        place=new.place,
        blocks=(new.place,),
        keywords="protocol header",
    )
    to.pair(old.place, new.place)
    _compare(old, new, to)


def _removed(service: ConfiguredService, to: Collector) -> None:
    count = len(service.servers)
    to.say(
        "service-removed",
        Impact.CUTS,
        label(service),
        f"the service is gone, with {count} real server{'s' if count != 1 else ''}: clients are "
        "cut off",
        before=service.key,
        place=service.place,
        gone=service.place,
    )
    if service.group:
        to.everywhere.add(f"members of {service.group}")


def _added(service: ConfiguredService, to: Collector) -> None:
    count = len(service.servers)
    to.say(
        "service-added",
        Impact.MOVES,
        label(service),
        f"new service, {service.scheduler}, {service.forwarding}, {count} real "
        f"server{'s' if count != 1 else ''}",
        after=service.key,
        place=service.place,
        come=service.place,
    )
    if service.group:
        to.everywhere.add(f"members of {service.group}")


@dataclass(frozen=True, slots=True)
class _Scalar:
    """One plain field of a service."""

    field: str
    kind: str
    impact: Impact
    keywords: str
    word: str
    tail: str = ""


_SCALARS = (
    _Scalar("scheduler", "scheduler", Impact.MOVES, "lb_algo lvs_sched", "scheduler"),
    _Scalar(
        "persistence_s",
        "persistence",
        Impact.MOVES,
        "persistence_timeout persistence_granularity",
        "persistence",
        ": clients may be sent to another server",
    ),
    _Scalar(
        "persistence_granularity",
        "persistence-granularity",
        Impact.MOVES,
        "persistence_granularity persistence_timeout",
        "persistence granularity",
    ),
    _Scalar(
        "persistence_engine",
        "persistence-engine",
        Impact.MOVES,
        "persistence_engine",
        "persistence engine",
    ),
    _Scalar("one_packet", "one-packet", Impact.MOVES, "ops", "one-packet scheduling"),
    _Scalar(
        "flags",
        "scheduler-flags",
        Impact.MOVES,
        "hashed flag-1 flag-2 flag-3 sh-port sh-fallback mh-port mh-fallback",
        "scheduler flags",
    ),
    _Scalar(
        "quorum",
        "quorum",
        Impact.WATCHES,
        "quorum weight",
        "quorum",
        ": when the sorry server and the quorum scripts come in",
    ),
    _Scalar("hysteresis", "hysteresis", Impact.WATCHES, "hysteresis quorum", "hysteresis"),
    _Scalar("alpha", "alpha", Impact.WATCHES, "alpha", "alpha (servers start as down)"),
    _Scalar("omega", "omega", Impact.WATCHES, "omega", "omega (notify when keepalived ends)"),
    _Scalar(
        "ha_suspend",
        "ha-suspend",
        Impact.WATCHES,
        "ha_suspend",
        "ha_suspend (no checks without the VIP)",
    ),
    _Scalar("quorum_up", "quorum-script", Impact.WATCHES, "quorum_up", "quorum_up script"),
    _Scalar("quorum_down", "quorum-script", Impact.WATCHES, "quorum_down", "quorum_down script"),
    _Scalar(
        "sorry_forwarding",
        "sorry-forwarding",
        Impact.MOVES,
        "sorry_server_lvs_method lb_kind lvs_method",
        "forwarding of the sorry server",
    ),
    _Scalar(
        "sorry_inhibit",
        "sorry-inhibit",
        Impact.WATCHES,
        "sorry_server_inhibit",
        "sorry_server_inhibit",
    ),
)


def _word(value: object) -> str:
    if value is None or value == "" or value == ():
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return str(value)


def _relative_sorry(service: ConfiguredService) -> tuple[str, int] | None:
    """Address and port of the sorry server, 0 when it is the service's."""
    key = service.sorry_server
    if key is None:
        return None
    return key.address, 0 if key.port == service.key.port else key.port


def _compare(old: ConfiguredService, new: ConfiguredService, to: Collector) -> None:
    blocks = (new.place,)
    subject = label(new)
    if new.group and new.group == old.group:
        subject = f"group {new.group}"
    if old.group != new.group:
        to.say(
            "group",
            Impact.CUTS,
            label(new),
            f"group {_word(old.group)} → {_word(new.group)}: keepalived knows the service by its "
            "group, deletes it and makes it anew",
            before=old.group,
            after=new.group,
            place=new.place,
            blocks=blocks,
            keywords="group",
        )
    for scalar in _SCALARS:
        was, now = getattr(old, scalar.field), getattr(new, scalar.field)
        if was == now or (scalar.field == "sorry_forwarding" and not (was and now)):
            continue
        unit = " s" if scalar.field.endswith("_s") else ""
        to.say(
            scalar.kind,
            scalar.impact,
            subject,
            f"{scalar.word} {_word(was)}{unit if was is not None else ''} → "
            f"{_word(now)}{unit if now is not None else ''}{scalar.tail}",
            before=was,
            after=now,
            place=new.place,
            blocks=blocks,
            keywords=scalar.keywords,
        )
    was_sorry, now_sorry = _relative_sorry(old), _relative_sorry(new)
    if was_sorry == now_sorry and old.key.port != new.key.port:
        to.explain(blocks, "sorry_server")
    if was_sorry != now_sorry:
        to.say(
            "sorry-server",
            Impact.MOVES,
            subject,
            f"sorry server {_word(old.sorry_server)} → {_word(new.sorry_server)}",
            before=old.sorry_server,
            after=new.sorry_server,
            place=new.place,
            blocks=blocks,
            keywords="sorry_server sorry_server_lvs_method sorry_server_inhibit",
        )
    compare_servers(old, new, subject, to)
