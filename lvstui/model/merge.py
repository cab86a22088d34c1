"""File ∪ keepalived ∪ kernel for one virtual service: the state of each real server.

Pure: everything that is known comes in as an argument, the time too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TypeVar

from lvstui.model import states
from lvstui.model.config import ConfiguredChecker, ConfiguredServer, ConfiguredService
from lvstui.model.facts import Done
from lvstui.model.health import Health, HealthState
from lvstui.model.ipvs import Destination, KernelService, unfinished
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.picture import Disagreement, ServerView, ServiceView, Severity, State, Weights
from lvstui.model.rates import Traffic, total
from lvstui.model.say import plural
from lvstui.model.states import Drain, Standing, StateInputs

ServerId = tuple[ServiceKey, ServerKey]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is known about one service."""

    key: ServiceKey
    kernel: KernelService | None
    file: ConfiguredService | None
    loaded: ConfiguredService | None


@dataclass(frozen=True, slots=True)
class Learnt:
    """What was learnt besides the table and the files."""

    book: HealthState
    traffic: Traffic
    drains: Mapping[ServerId, Drain]
    since: Mapping[ServerId, tuple[State, float | None]]
    """The states in the picture before."""
    done: Mapping[ServerId, Done]
    """What lvstui did to each server last."""
    checked: Mapping[ServerId, tuple[ConfiguredChecker, ...]]
    """Servers that were up since keepalived began, with their checks then."""


def service_view(inputs: Inputs, learnt: Learnt, around: StateInputs) -> ServiceView:
    return _Merge(inputs, learnt, around).view()


class _Merge:
    """One service, while its view is made."""

    def __init__(self, inputs: Inputs, learnt: Learnt, around: StateInputs) -> None:
        self.key, self.kernel = inputs.key, inputs.kernel
        self.config = inputs.file or inputs.loaded
        self.learnt, self.around = learnt, around
        self.in_file = {s.key: s for s in inputs.file.servers} if inputs.file else {}
        self.in_loaded = {s.key: s for s in inputs.loaded.servers} if inputs.loaded else {}
        self.in_kernel = {d.key: d for d in inputs.kernel.destinations} if inputs.kernel else {}
        self.rates = learnt.traffic.rates(inputs.key)
        self.details = learnt.traffic.details(inputs.key)
        self.total_weight = sum(d.weight for d in self.in_kernel.values())
        self.summed = total(self.rates.get(server) for server in self.in_kernel)
        self.differs = tuple(self._differences(inputs.loaded or inputs.file))

    def view(self) -> ServiceView:
        config, kernel, around, traffic = self.config, self.kernel, self.around, self.learnt.traffic
        order = dict.fromkeys([*self.in_file, *self.in_loaded, *self.in_kernel])
        if config is not None and config.sorry_server is not None:
            order.setdefault(config.sorry_server)
        servers = tuple(map(self._server, order))
        ordinary = [s for s in servers if not s.sorry]
        live_weight = sum(s.weights.kernel or 0 for s in ordinary if s.state is not State.DOWN)
        sorry_active = any(s.sorry and s.in_kernel for s in servers)
        quorum_ok = self._has_quorum(live_weight, sorry_active)
        methods = {s.forwarding for s in ordinary if s.forwarding and s.forwarding != "LOCAL"}
        forwarding = methods.pop() if len(methods) == 1 else ("mixed" if methods else "")
        severity, reason = self._judge(ordinary, live_weight, quorum_ok, sorry_active)
        address = self.key.address
        known_here = address and around.addresses is not None
        either = kernel or config
        reading = traffic.reading(self.key)
        return ServiceView(
            key=self.key,
            name=(config.name if config is not None else "") or self._named(address),
            scheduler=either.scheduler if either else "",
            forwarding=forwarding or (config.forwarding if config is not None else ""),
            persistence_s=either.persistence_s if either else None,
            one_packet=bool(either and either.one_packet),
            servers=servers,
            up=sum(1 for s in ordinary if s.state is State.UP),
            quorum=config.quorum if config is not None else 1,
            quorum_ok=quorum_ok,
            severity=severity,
            reason=reason,
            active=sum(s.active for s in servers),
            inactive=sum(s.inactive for s in servers),
            rates=self.summed,
            history=traffic.history(self.key) if reading is not None else (),
            in_kernel=kernel is not None,
            configured=config,
            kernel=kernel,
            counters=reading.counters if reading is not None else None,
            sorry_active=sorry_active,
            differs=self.differs,
            vip_here=address in (around.addresses or ()) if known_here else None,
        )

    def _has_quorum(self, live_weight: int, sorry_active: bool) -> bool:
        """Gained from quorum + hysteresis on, lost below quorum - hysteresis (update_quorum_state
        in ipwrapper.c); between them the sorry server tells which of both was last."""
        quorum = self.config.quorum if self.config is not None else 1
        hysteresis = self.config.hysteresis if self.config is not None else 0
        if quorum - hysteresis <= live_weight < quorum + hysteresis:
            return not sorry_active
        return live_weight >= quorum

    def _differences(self, config: ConfiguredService | None) -> Iterator[Disagreement]:
        """What the kernel has of the service itself that its configuration does not say."""
        kernel = self.kernel
        if kernel is None or config is None:
            return
        for what, has, meant in (
            ("scheduler", kernel.scheduler, config.scheduler),
            ("persistence", kernel.persistence_s or 0, config.persistence_s or 0),
            ("one-packet", kernel.one_packet, config.one_packet),
        ):
            if has != meant:
                text = f"{what} is {_said(has)}, configured {_said(meant)}"
                yield Disagreement(what, text, "somebody")

    def _named(self, address: str) -> str:
        return (self.around.names or {}).get(address, "")

    def _server(self, key: ServerKey) -> ServerView:
        learnt, around = self.learnt, self.around
        file, loaded = self.in_file.get(key), self.in_loaded.get(key)
        kernel, configured = self.in_kernel.get(key), file or loaded
        health = states.credible(learnt.book.get(self.key, key), kernel, around)
        down = health is not None and not health.up
        drain = learnt.drains.get((self.key, key))
        # Its servers are in one of the two: only the sorry server is in neither and meant.
        sorry = configured is None and self.config is not None and self.config.sorry_server == key
        told = learnt.book.weight((self.key, key), around.checks_since)
        if not sorry:
            judged = self._state(key, file, loaded, kernel, health, drain, told)
        elif kernel is not None:
            judged = Standing(State.UNVERIFIED, "answers as the sorry server; nobody checks it")
        else:
            judged = Standing(State.STANDBY, "sorry server: waits until the quorum is lost")
        state = judged.state
        left = None
        if drain is not None and kernel is not None:
            connections = unfinished(self.key.protocol, kernel.active, kernel.inactive)
            left = drain.left_s(around.now, connections)
        kinds = ", ".join(dict.fromkeys(c.kind for c in configured.checkers)) if configured else ""
        keeps_out = down or around.daemon_running is False
        return ServerView(
            service=self.key,
            key=key,
            name=(configured.name if configured is not None else "") or self._named(key.address),
            state=state,
            since=self._since(key, state, health, drain),
            reason=judged.reason,
            checker=health.checker if health is not None and down and health.checker else kinds,
            weights=Weights(
                file.weight if file is not None else None,
                (loaded.weight if told is None else told)
                if loaded is not None and not keeps_out
                else None,
                kernel.weight if kernel is not None else None,
            ),
            forwarding=either.forwarding if (either := kernel or configured) is not None else "",
            active=kernel.active if kernel is not None else 0,
            inactive=kernel.inactive if kernel is not None else 0,
            rates=self.rates.get(key) if kernel is not None else None,
            history=learnt.traffic.history(self.key, key) if self.rates else (),
            share_of_weight=(
                kernel.weight / self.total_weight if kernel and self.total_weight else None
            ),
            share_of_traffic=self._share(key),
            in_kernel=kernel is not None,
            configured=configured,
            detail=self.details.get(key) if kernel is not None else None,
            checks=learnt.book.checks(self.key, key),
            sorry=sorry,
            differs=judged.differs,
            drain_left_s=left,
        )

    def _state(
        self,
        key: ServerKey,
        file: ConfiguredServer | None,
        loaded: ConfiguredServer | None,
        kernel: Destination | None,
        health: Health | None,
        drain: Drain | None,
        told: int | None,
    ) -> Standing:
        book, around, configured = self.learnt.book, self.around, file or loaded
        done = self.learnt.done.get((self.key, key))
        if kernel is None:
            checker, message = book.failing(self.key, key)
            failed = Health(False, around.now, "", checker, message)
            failing = states.said(failed) if checker else ""
            return states.absent(
                file,
                loaded,
                health,
                around,
                service_there=self.kernel is not None,
                failing=failing,
                passes=not checker and book.succeeded(self.key, key),
                done=done,
            )
        if configured is None and (self.config is not None or around.file_known):
            weightless = "; weight 0" if kernel.weight == 0 else ""
            by = done.who if done is not None and done.ok else "somebody"
            entry = Disagreement("entry", f"in the kernel, in no file{weightless}", by)
            return Standing(State.FOREIGN, entry.text, (entry,) if self.config is not None else ())
        if kernel.weight == 0:
            return states.quiesced(self.key, kernel, configured, health, drain, around, told=told)

        def spoken() -> bool:
            checked = self.learnt.checked.get((self.key, key))
            return book.succeeded(self.key, key) or (
                configured is not None
                and checked is not None
                and states.same_checks(configured.checkers, checked)
            )

        return states.serving(
            kernel,
            file,
            loaded,
            health,
            around,
            spoken=spoken,
            told=told,
            done=done,
            full=self._full(key, kernel, configured),
            sorry=self.config is not None and self.config.sorry_server == key,
        )

    def _full(
        self, key: ServerKey, kernel: Destination, configured: ConfiguredServer | None
    ) -> bool:
        detail, before = self.details.get(key), self.learnt.since.get((self.key, key))
        limits = detail or configured
        if limits is None:
            return False
        upper, lower = limits.upper_threshold, limits.lower_threshold
        was = before is not None and before[0] is State.OVERLOADED
        return states.overloaded(kernel, upper, lower, before=was)

    def _since(
        self, key: ServerKey, state: State, health: Health | None, drain: Drain | None
    ) -> float | None:
        before = self.learnt.since.get((self.key, key))
        if state is State.DOWN and health is not None and not health.up:
            return health.since
        if state in (State.DRAINING, State.DRAINED) and drain is not None:
            return drain.since if drain.begun else None
        if before is None:
            return None
        if before[0] is state:
            return before[1]
        return self.around.now if self.around.dated else None

    def _share(self, key: ServerKey) -> float | None:
        """Of the service's new connections, or of its bytes when there are none."""
        rate, summed = self.rates.get(key) if key in self.in_kernel else None, self.summed
        if rate is None or summed is None:
            return None
        if summed.connections > 0:
            return rate.connections / summed.connections
        return rate.bytes_in / summed.bytes_in if summed.bytes_in > 0 else None

    def _judge(
        self, servers: list[ServerView], live_weight: int, quorum_ok: bool, sorry_active: bool
    ) -> tuple[Severity, str]:
        if self.kernel is None:
            if not self.around.table_readable:
                return Severity.WARN, "the kernel table can not be read"
            if self.config is None:
                return Severity.BAD, "gone"
            if not self.in_loaded or self.around.daemon_running is False:
                return Severity.BAD, "not in the kernel table"
            # keepalived told that it had put a server of it in: so it was there.
            taken_out = any(one.by for server in servers for one in server.differs)
            why = states.TAKEN_OUT if taken_out else SERVICE_GONE
            return Severity.BAD, f"not in the kernel table: {why}"
        if not servers:
            return Severity.WARN, "no real server"
        if not any(s.weights.kernel and s.state is not State.DOWN for s in servers):
            return Severity.BAD, "sorry server answers" if sorry_active else "no real server up"
        if not quorum_ok:
            wanted = self.config.quorum if self.config is not None else 1
            return Severity.BAD, f"quorum lost: weight {live_weight} of {wanted}"
        counts = Counter(server.state for server in servers)
        words = [plural(counts[s], s.value, s.value) for s in _WORST_FIRST if counts[s]]
        odd = sum(bool(server.differs) and server.state is State.UP for server in servers)
        if odd:
            words.append(f"{odd} not as configured")
        words = [*map(str, self.differs), *words]
        differs = self.differs or any(server.differs for server in servers)
        if differs or counts[State.DOWN] or counts[State.OVERLOADED]:
            return Severity.WARN, ", ".join(words)
        return (Severity.INFO if words else Severity.GOOD), ", ".join(words)


SERVICE_GONE = "removed by hand, or keepalived could not put it in (see its log)"
_WORST_FIRST = (
    *(State.DOWN, State.OVERLOADED, State.UNVERIFIED, State.FOREIGN),
    *(State.DRAINING, State.DRAINED, State.DISABLED),
)


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value} s" if isinstance(value, int) and value else str(value or "none")


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
    if _service_of(before) != _service_of(after):
        return True
    return any(
        a is not b and (a.key is not b.key or a.weight != b.weight or a.forwarding != b.forwarding)
        for a, b in zip(before.destinations, after.destinations, strict=True)
    )


_service_of = attrgetter("scheduler", "persistence_s", "one_packet", "netmask")


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
