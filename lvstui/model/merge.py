"""File ∪ keepalived ∪ kernel for one virtual service: the state of each real server.

Pure: everything that is known comes in as an argument, the time too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TypeVar

from lvstui.model.config import ConfiguredChecker, ConfiguredServer, ConfiguredService
from lvstui.model.health import Health, HealthState
from lvstui.model.ipvs import Destination, KernelService, Rates, ServerDetail, unfinished
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.picture import ServerView, ServiceView, Severity, State, Weights
from lvstui.model.rates import Traffic, total
from lvstui.model.say import plural
from lvstui.model.states import (
    TAKEN_OUT,
    Drain,
    StateInputs,
    absent,
    credible,
    quiesced,
    said,
    same_checks,
    serving,
)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is known about one service."""

    key: ServiceKey
    kernel: KernelService | None
    file: ConfiguredService | None
    loaded: ConfiguredService | None


def _keepalived_weight(
    loaded: ConfiguredServer | None, health: Health | None, around: StateInputs
) -> int | None:
    if around.daemon_running is False or loaded is None:
        return None
    if health is not None and not health.up:
        return None
    return loaded.weight


def service_view(
    inputs: Inputs,
    book: HealthState,
    traffic: Traffic,
    drains: Mapping[tuple[ServiceKey, ServerKey], Drain],
    since: Mapping[tuple[ServiceKey, ServerKey], tuple[State, float | None]],
    checked: Mapping[tuple[ServiceKey, ServerKey], tuple[ConfiguredChecker, ...]],
    around: StateInputs,
) -> ServiceView:
    key = inputs.key
    in_file = {s.key: s for s in inputs.file.servers} if inputs.file else {}
    in_loaded = {s.key: s for s in inputs.loaded.servers} if inputs.loaded else {}
    in_kernel = {d.key: d for d in inputs.kernel.destinations} if inputs.kernel else {}
    config = inputs.file or inputs.loaded
    sorry = config.sorry_server if config else None
    order = dict.fromkeys([*in_file, *in_loaded, *in_kernel])
    if sorry is not None:
        order.setdefault(sorry)
    rates = traffic.rates(key)
    details = traffic.details(key)
    total_weight = sum(d.weight for d in in_kernel.values())
    summed = total(rates.get(k) for k in in_kernel)
    servers = tuple(
        _server_view(
            key,
            server,
            in_file.get(server),
            in_loaded.get(server),
            in_kernel.get(server),
            book,
            traffic,
            rates,
            details,
            drains.get((key, server)),
            since.get((key, server)),
            checked.get((key, server)),
            total_weight,
            summed,
            around,
            sorry == server and server not in in_file and server not in in_loaded,
            bool(inputs.file or inputs.loaded),
            inputs.kernel is not None,
        )
        for server in order
    )
    return _summed(inputs, config, servers, summed, traffic, around)


def _server_view(
    service: ServiceKey,
    key: ServerKey,
    file: ConfiguredServer | None,
    loaded: ConfiguredServer | None,
    kernel: Destination | None,
    book: HealthState,
    traffic: Traffic,
    rates: Mapping[ServerKey, Rates | None],
    details: Mapping[ServerKey, ServerDetail],
    drain: Drain | None,
    before: tuple[State, float | None] | None,
    checked: tuple[ConfiguredChecker, ...] | None,
    total_weight: int,
    summed: Rates | None,
    around: StateInputs,
    sorry: bool,
    service_configured: bool,
    service_there: bool,
) -> ServerView:
    configured = file or loaded
    health = credible(book.get(service, key), kernel, around)
    if sorry:
        state, reason = (State.UP, "") if kernel is not None else (State.DISABLED, "stands by")
    elif kernel is None:
        checker, message = book.failing(service, key)
        failing = said(Health(False, around.now, "", checker, message)) if checker else ""
        state, reason = absent(
            file, loaded, health, around, service_there=service_there, failing=failing
        )
    elif file is None and loaded is None and (service_configured or around.file_known):
        state, reason = State.FOREIGN, "in the kernel, in no file"
        if kernel.weight == 0:
            reason += "; weight 0"
    elif kernel.weight == 0:
        state, reason = quiesced(service, kernel, file or loaded, health, drain, around)
    else:

        def spoken() -> bool:
            return book.succeeded(service, key) or (
                configured is not None
                and checked is not None
                and same_checks(configured.checkers, checked)
            )

        state, reason = serving(kernel, file, loaded, health, around, spoken=spoken)
    since: float | None
    if state is State.DOWN and health is not None and not health.up:
        since = health.since
    elif state in (State.DRAINING, State.DRAINED) and drain is not None:
        since = drain.since
    elif before is not None and before[0] is state:
        since = before[1]
    else:
        since = around.now if before is not None else None
    rate = rates.get(key) if kernel is not None else None
    share: float | None = None
    if rate is not None and summed is not None:
        if summed.connections > 0:
            share = rate.connections / summed.connections
        elif summed.bytes_in > 0:
            share = rate.bytes_in / summed.bytes_in
    kinds = ", ".join(dict.fromkeys(c.kind for c in configured.checkers)) if configured else ""
    checker = health.checker if health is not None and not health.up and health.checker else kinds
    name = configured.name if configured is not None and configured.name else ""
    if not name and around.names:
        name = around.names.get(key.address, "")
    return ServerView(
        service=service,
        key=key,
        name=name,
        state=state,
        since=since,
        reason=reason,
        checker=checker,
        weights=Weights(
            file.weight if file is not None else None,
            _keepalived_weight(loaded, health, around),
            kernel.weight if kernel is not None else None,
        ),
        forwarding=either.forwarding if (either := kernel or configured) is not None else "",
        active=kernel.active if kernel is not None else 0,
        inactive=kernel.inactive if kernel is not None else 0,
        rates=rate,
        history=traffic.history(service, key) if rates else (),
        share_of_weight=kernel.weight / total_weight if kernel and total_weight else None,
        share_of_traffic=share,
        in_kernel=kernel is not None,
        configured=configured,
        detail=details.get(key) if kernel is not None else None,
        checks=book.checks(service, key),
        sorry=sorry,
        drain_left_s=(
            drain.left_s(around.now, unfinished(service.protocol, kernel.active, kernel.inactive))
            if drain is not None and kernel is not None
            else None
        ),
    )


def _summed(
    inputs: Inputs,
    config: ConfiguredService | None,
    servers: tuple[ServerView, ...],
    summed: Rates | None,
    traffic: Traffic,
    around: StateInputs,
) -> ServiceView:
    kernel = inputs.kernel
    ordinary = [s for s in servers if not s.sorry]
    taking = sum(1 for s in ordinary if s.weights.kernel and s.state is not State.DOWN)
    live_weight = sum(s.weights.kernel or 0 for s in ordinary if s.state is not State.DOWN)
    quorum = config.quorum if config is not None else 1
    sorry_active = any(s.sorry and s.in_kernel for s in servers)
    methods = {s.forwarding for s in ordinary if s.forwarding and s.forwarding != "LOCAL"}
    forwarding = methods.pop() if len(methods) == 1 else ("mixed" if methods else "")
    severity, reason = _judge(
        kernel, config, ordinary, taking, live_weight, quorum, sorry_active, around
    )
    name = config.name if config is not None else ""
    if not name and around.names and inputs.key.address:
        name = around.names.get(inputs.key.address, "")
    reading = traffic.reading(inputs.key)
    return ServiceView(
        key=inputs.key,
        name=name,
        scheduler=kernel.scheduler if kernel is not None else (config.scheduler if config else ""),
        forwarding=forwarding or (config.forwarding if config is not None else ""),
        persistence_s=either.persistence_s if (either := kernel or config) else None,
        one_packet=kernel.one_packet if kernel else bool(config and config.one_packet),
        servers=servers,
        up=sum(1 for s in ordinary if s.state is State.UP),
        quorum=quorum,
        quorum_ok=live_weight >= quorum,
        severity=severity,
        reason=reason,
        active=sum(s.active for s in servers),
        inactive=sum(s.inactive for s in servers),
        rates=summed,
        history=traffic.history(inputs.key) if reading is not None else (),
        in_kernel=kernel is not None,
        configured=config,
        kernel=kernel,
        counters=reading.counters if reading is not None else None,
        sorry_active=sorry_active,
        vip_here=(
            None
            if not inputs.key.address or around.addresses is None
            else inputs.key.address in around.addresses
        ),
    )


def _judge(
    kernel: KernelService | None,
    config: ConfiguredService | None,
    servers: list[ServerView],
    taking: int,
    live_weight: int,
    quorum: int,
    sorry_active: bool,
    around: StateInputs,
) -> tuple[Severity, str]:
    if kernel is None:
        if not around.table_readable:
            return Severity.WARN, "the kernel table can not be read"
        if config is not None:
            taken_out = any(server.state is State.DRIFTED for server in servers)
            return Severity.BAD, "not in the kernel table" + (f": {TAKEN_OUT}" if taken_out else "")
        return Severity.BAD, "gone"
    if not servers:
        return Severity.WARN, "no real server"
    if taking == 0:
        return Severity.BAD, "sorry server answers" if sorry_active else "no real server up"
    if live_weight < quorum:
        return Severity.BAD, f"quorum lost: weight {live_weight} of {quorum}"
    counts = Counter(server.state for server in servers)
    words = [
        plural(counts[state], state.value, state.value)
        for state in (
            State.DOWN,
            State.DRIFTED,
            State.UNVERIFIED,
            State.FOREIGN,
            State.DRAINING,
            State.DRAINED,
            State.DISABLED,
        )
        if counts[state]
    ]
    if counts[State.DOWN] or counts[State.DRIFTED]:
        return Severity.WARN, ", ".join(words)
    if words:
        return Severity.INFO, ", ".join(words)
    return Severity.GOOD, ""


_SERVER_FIELDS = attrgetter(*(f for f in ServerView.__dataclass_fields__))
_SERVICE_FIELDS = attrgetter(*(f for f in ServiceView.__dataclass_fields__ if f != "servers"))


def keep_identity(old: ServiceView | None, new: ServiceView) -> ServiceView:
    """`new`, with every part that says the same as in `old` replaced by that old object."""
    if old is None:
        return new
    known = {server.key: server for server in old.servers}
    servers = tuple(
        known[s.key] if s.key in known and _SERVER_FIELDS(known[s.key]) == _SERVER_FIELDS(s) else s
        for s in new.servers
    )
    same = len(servers) == len(old.servers) and all(
        a is b for a, b in zip(servers, old.servers, strict=True)
    )
    if same and _SERVICE_FIELDS(old) == _SERVICE_FIELDS(new):
        return old
    return replace(new, servers=servers)


def moved(before: KernelService | None, after: KernelService) -> bool:
    """More than connection counts changed: real servers, their order or their weights, or the
    service itself."""
    if before is None or len(before.destinations) != len(after.destinations):
        return True
    if (before.scheduler, before.persistence_s) != (after.scheduler, after.persistence_s):
        return True
    return any(
        a is not b and (a.key is not b.key or a.weight != b.weight or a.forwarding != b.forwarding)
        for a, b in zip(before.destinations, after.destinations, strict=True)
    )


def recounted(old: ServiceView, kernel: KernelService) -> ServiceView:
    """`old` with the connection counts of `kernel`, when nothing else changed since: what most
    services need at most ticks. Only for services whose servers are all plainly up and not
    watched closely (no rates)."""
    counts = {d.key: d for d in kernel.destinations}
    servers = []
    for view in old.servers:
        seen = counts.get(view.key)
        if seen is None or (seen.active == view.active and seen.inactive == view.inactive):
            servers.append(view)
        else:
            servers.append(_copy(view, active=seen.active, inactive=seen.inactive))
    return _copy(
        old,
        servers=tuple(servers),
        kernel=kernel,
        active=sum(view.active for view in servers),
        inactive=sum(view.inactive for view in servers),
    )


_View = TypeVar("_View", ServerView, ServiceView)


def _copy(view: _View, **changes: object) -> _View:
    """dataclasses.replace without going through `__init__`: a third of the time."""
    new = object.__new__(type(view))
    for name in view.__dataclass_fields__:
        object.__setattr__(new, name, changes[name] if name in changes else getattr(view, name))
    return new
