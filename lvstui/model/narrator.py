"""Facts told as events: one line for each thing an operator would want to have seen.

The same change reaches us several times (kernel table, log, fifo): it is told once, by whoever
can give the reason. A change of the kernel table is held back for a moment in case keepalived
explains it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from lvstui.model import facts as f
from lvstui.model.changes import Ended
from lvstui.model.config import Configuration, ConfiguredService
from lvstui.model.health import HealthState
from lvstui.model.instances import InstanceState
from lvstui.model.ipvs import KernelService
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.names import NamesInConfigurations
from lvstui.model.picture import Event, Severity
from lvstui.model.processes import told
from lvstui.model.say import plural
from lvstui.model.states import brief, said
from lvstui.model.waiting import APPLYING, GOING_BACK, ChangeStands

HOLD_S = 1.2
"""How long an unexplained change of the table waits for keepalived's word."""
REASON_S = 0.4
"""A removal waits this long, at most, for the check's message, and a check for the removal."""
STOP_S = 2.0
"""What is removed this close to keepalived's last words is removed because it stops."""
_STATE_SEVERITY = {
    "MASTER": Severity.GOOD,
    "BACKUP": Severity.INFO,
    "DELETED": Severity.WARN,
    **dict.fromkeys(("FAULT", "STOP"), Severity.BAD),
}
_ENDED_SEVERITY = {Ended.KEPT: Severity.GOOD, Ended.UNDONE: Severity.INFO}
_ENDED_SEVERITY[Ended.TROUBLE] = Severity.BAD
_SAID_SEVERITY = {
    **dict.fromkeys(("fatal", "mismatch"), Severity.BAD),
    **dict.fromkeys(("config", "script", "stop", "link"), Severity.WARN),
}


_SAME_S = 3.0
"""Seconds between what keepalived or lvstui says and when the kernel's table was seen to follow."""
_WEIGHED = 1000
EVENTS = 1000
"""Events kept."""
ServerId = tuple[ServiceKey, ServerKey]


Told = tuple[Ended, str, bool]
"""Of a change of the configuration: how it stood, what was being done, whether its timer lived."""


def _judged(good: bool) -> Severity:
    return Severity.GOOD if good else Severity.BAD


def _change_in_words(change: ChangeStands, before: Told | None) -> tuple[Severity, str] | None:
    why = f", “{change.reason}”" if change.reason else ""
    text = f"{change.title}: {change.end}{why}"
    if change.ended is Ended.REFUSED:
        return None
    if change.ended is not Ended.WAITING:
        return _ENDED_SEVERITY.get(change.ended, Severity.WARN), text
    if not change.guarded:
        text = f"{change.title}: its timer is gone, it will NOT be rolled back by itself"
        return Severity.BAD, text
    if change.stage == APPLYING:
        return Severity.INFO, f"{change.who} applies {change.title}{why}"
    if change.stage == GOING_BACK:
        return Severity.WARN, f"{change.title}: the old files are being put back"
    if before is not None and not before[2]:
        return None
    return Severity.WARN, f"{change.who} applied {change.title}{why}: waits to be kept"


def _where(fact: f.ServerChanged | f.WeightChanged | f.QuorumChanged) -> str:
    return f"group {fact.service_name}" if fact.service_name else str(fact.service)


class Known:
    """What is known of one director, as far as its events are told by it."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.book = HealthState()
        self.instances = InstanceState()
        self.file: Configuration | None = None
        self.loaded: Configuration | None = None
        self.names: dict[str, str] = {}
        self.done: dict[ServerId, f.Done] = {}
        self.done_at: dict[ServerId, float] = {}
        self.processes: tuple[f.ProcessState, ...] = ()
        self.events: deque[Event] = deque(maxlen=EVENTS)
        self._events_changed = True
        self._events_seen: tuple[Event, ...] = ()
        self._kernel: dict[ServiceKey, KernelService] = {}
        self._in_file: dict[ServiceKey, ConfiguredService] = {}
        self._in_loaded: dict[ServiceKey, ConfiguredService] = {}
        self._names_in = NamesInConfigurations()

    def events_seen(self) -> tuple[Event, ...]:
        """All of them; the same object as long as none came."""
        if self._events_changed:
            self._events_seen, self._events_changed = tuple(self.events), False
        return self._events_seen

    def say(self, event: Event) -> None:
        """Add an event, kept in the order of time."""
        events = self.events
        if events and events[-1].at > event.at:
            later = [events.pop()]
            while events and events[-1].at > event.at:
                later.append(events.pop())
            events.append(event)
            events.extend(reversed(later))
        else:
            events.append(event)
        self._events_changed = True

    def explains(self, server: ServerId, at: float) -> bool:
        """keepalived or lvstui itself told of a change of that server about then."""
        health = self.book.last(*server)
        return health is not None and abs(health.since - at) <= _SAME_S

    def server_name(self, service: ServiceKey, server: ServerKey) -> str:
        """The name of a real server from the configuration or the hosts file; may be empty."""
        for config in (self._in_file.get(service), self._in_loaded.get(service)):
            for known in config.servers if config is not None else ():
                if known.key == server and known.name:
                    return known.name
        return self.names.get(server.address, "")

    def any_name(self, server: ServerKey) -> str:
        """The name of a real server whatever the service; may be empty."""
        named = self._names_in.of(self._in_file, self._in_loaded)
        return named.get(server) or self.names.get(server.address, "")

    def active_connections(self, service: ServiceKey, server: ServerKey) -> int:
        """Active connections in the last table that had the server."""
        kernel = self._kernel.get(service)
        for destination in kernel.destinations if kernel is not None else ():
            if destination.key == server:
                return destination.active
        return 0


class EventBuilder:
    """Writes the events of what is known."""

    def __init__(self, knowledge: Known) -> None:
        self._known = knowledge
        self._held: list[tuple[float, ServerId, Event]] = []
        self._told: dict[object, float] = {}
        self._downs: list[tuple[f.Observation, f.ServerChanged, str]] = []
        self._checks: list[tuple[f.Observation, f.CheckSeen, str]] = []
        self._daemon_told: tuple[bool, int] | None = None
        self._processes: tuple[f.ProcessState, ...] = ()
        self._stopping_at = 0.0
        """When keepalived last said that it stops."""
        self._changes: dict[str, Told] = {}
        """How changes of the configuration stood when that was told."""
        self._changes_known = False
        self._weighed: dict[ServerId, float] = {}
        """When keepalived last said that it changed a weight."""

    def tell(self, seen: f.Observation) -> None:
        """Say what this observation means, when it means something to an operator."""
        fact = seen.fact
        if isinstance(fact, f.ServerChanged):
            self._server(fact, seen)
        elif isinstance(fact, f.CheckSeen):
            self._check(fact, seen)
        elif isinstance(fact, f.QuorumChanged):
            if self._once(("quorum", fact.service, fact.up), seen.at):
                how = "has its quorum again" if fact.up else "lost its quorum"
                text = f"{_where(fact)} {how}"
                self._say(seen, _judged(fact.up), text, "service", fact.service)
        elif isinstance(fact, f.InstanceChanged):
            if seen.at == f.UNDATED:
                return
            if self._once(("instance", fact.instance, fact.state), seen.at):
                priority = f", priority {fact.priority}" if fact.priority is not None else ""
                severity = _STATE_SEVERITY.get(fact.state, Severity.INFO)
                self._say(seen, severity, f"{fact.instance} is {fact.state}{priority}", "vrrp")
        elif isinstance(fact, f.GroupChanged):
            if self._once(("group", fact.group, fact.state), seen.at):
                self._say(seen, Severity.INFO, f"sync group {fact.group} is {fact.state}", "vrrp")
        elif isinstance(fact, f.PriorityChanged):
            if self._once(("priority", fact.instance, fact.after), seen.at):
                before = f"{fact.before} → " if fact.before is not None else ""
                text = f"{fact.instance} priority {before}{fact.after}"
                self._say(seen, Severity.WARN, text, "vrrp")
        elif isinstance(fact, f.AddressChanged):
            self._address(fact, seen)
        elif isinstance(fact, f.LinkChanged):
            text = f"link {fact.interface} {'up' if fact.up else 'down'}"
            self._say(seen, _judged(fact.up), text, "address")
        elif isinstance(fact, f.WeightChanged):
            if len(self._weighed) > _WEIGHED:
                self._weighed.clear()
            self._weighed[fact.service, fact.server] = seen.at
            name = self._server_name(fact.service, fact.server)
            text = f"keepalived changed the weight of {name} in {_where(fact)}: "
            text += f"{fact.before} → {fact.after}"
            self._say_of(fact, seen, Severity.INFO, text)
        elif isinstance(fact, f.ChangesSeen):
            self._stand(fact, seen)
        elif isinstance(fact, f.Done) and fact.operation == "configuration":
            # The host's own memory of its changes tells it, with how it ended.
            return
        elif isinstance(fact, f.Done):
            severity = Severity.INFO if fact.ok else Severity.WARN
            self._say(seen, severity, fact.text, "operation", fact.service, fact.server)
        elif isinstance(fact, f.DaemonSaid):
            if fact.kind == "stop":
                self._stopping_at = seen.at
            if fact.kind in ("vip", "election", "other"):
                return  # the transition that follows is told
            if fact.kind == "link" and not seen.past:
                return  # rtnetlink tells it better
            if self._once(("said", fact.text), seen.at, 5.0):
                severity = _SAID_SEVERITY.get(fact.kind, Severity.INFO)
                text = fact.text
                if fact.instance and f"({fact.instance})" not in text:
                    text = f"({fact.instance}) {text}"
                if not text.startswith(fact.ident):
                    text = f"keepalived: {text}"
                self._say(seen, severity, text, "daemon")
        elif isinstance(fact, f.DaemonSeen):
            self._daemon(fact, seen)
        elif isinstance(fact, f.ProcessesSeen):
            holds = self._known.instances.holds_vip(self._known.loaded or self._known.file)
            for severity, text in told(self._processes, fact.processes, seen.at, holds):
                self._say(seen, severity, text, "daemon")
            self._processes = fact.processes

    def table_changed(
        self,
        before: Mapping[ServiceKey, KernelService],
        after: Mapping[ServiceKey, KernelService],
        changed: Sequence[tuple[KernelService | None, KernelService]],
        at: float,
    ) -> None:
        """Hold what changed in the kernel until keepalived or an operation explains it.

        `changed` are the services (before, after) in which more than connection counts changed.
        """
        host = self._known.host
        for key in after.keys() - before.keys():
            text = f"{key} was added to the kernel table"
            self._known.say(Event(at, host, Severity.INFO, text, "service", key))
        for key in before.keys() - after.keys():
            text = f"{key} is gone from the kernel table"
            self._known.say(Event(at, host, Severity.BAD, text, "service", key))
        for old, service in changed:
            if old is None:
                continue
            key = service.key
            for what in ("scheduler", "persistence_s", "one_packet", "netmask"):
                ones = getattr(old, what), getattr(service, what)
                if ones[0] != ones[1]:
                    name = what.removesuffix("_s").replace("_", " ")
                    text = f"{name} of {key} changed in the kernel: {ones[0]} → {ones[1]}"
                    self._known.say(Event(at, host, Severity.WARN, text, "service", key))
            was = {d.key: d for d in old.destinations}
            now = {d.key: d for d in service.destinations}
            for server in was.keys() - now.keys():
                text = f"{self._server_name(key, server)} removed from {key} in the kernel"
                text += self._were_on(was[server].active)
                self._hold(at, key, server, Severity.WARN, text)
            for server in now.keys() - was.keys():
                text = f"{self._server_name(key, server)} added to {key}"
                self._hold(at, key, server, Severity.INFO, f"{text}, weight {now[server].weight}")
            for server in now.keys() & was.keys():
                if now[server].weight != was[server].weight:
                    text = f"kernel weight of {self._server_name(key, server)} in {key}: "
                    text += f"{was[server].weight} → {now[server].weight}, not by this lvstui"
                    self._hold(at, key, server, Severity.WARN, text)

    @property
    def waits(self) -> bool:
        """Something is held and should be settled soon."""
        return bool(self._downs or self._checks or self._held)

    def settle(self, now: float) -> None:
        """Say what was held long enough and stays unexplained."""
        if self._downs:
            self._settle_downs(now)
        if self._checks:
            self._settle_checks(now)
        if not self._held:
            return
        still = []
        for due, server, event in self._held:
            if self._known.explains(server, event.at) or self._by_us(server, event.at):
                continue
            if abs(self._weighed.get(server, 0.0) - event.at) <= _SAME_S:
                continue
            if now >= due:
                self._known.say(event)
            else:
                still.append((due, server, event))
        self._held = still

    # -- one kind each

    def _server(self, fact: f.ServerChanged, seen: f.Observation) -> None:
        if not self._once(("server", fact.service, fact.server, fact.up), seen.at):
            return
        name = self._server_name(fact.service, fact.server)
        if fact.up:
            how = {"enabled": "its weight is back in", "added": "back in"}.get(fact.how, "back in")
            self._say_of(fact, seen, Severity.GOOD, f"{name} up, {how} {_where(fact)}")
            return
        active = self._known.active_connections(fact.service, fact.server)
        self._downs.append((seen, fact, self._were_on(active)))

    def _settle_downs(self, now: float) -> None:
        """The fifo is quicker than the log: wait a moment for the reason."""
        waiting = []
        for seen, fact, connections in self._downs:
            health = self._known.book.last(fact.service, fact.server)
            known = health is not None and health.failed and (health.message or health.checker)
            if not known and fact.how != "stopped" and now - seen.at < REASON_S:
                waiting.append((seen, fact, connections))
                continue
            if fact.how == "stopped" or abs(seen.at - self._stopping_at) < STOP_S:
                # It takes its table with it: no check has failed.
                name = self._server_name(fact.service, fact.server)
                text = f"{name} removed from {_where(fact)}: keepalived stops"
                self._say_of(fact, seen, Severity.WARN, text + connections)
                continue
            why = f": {said(health)}" if known and health is not None else ""
            how = "weight 0 in" if fact.how == "disabled" else "removed from"
            name = self._server_name(fact.service, fact.server)
            text = f"{name} down{why} → {how} {_where(fact)}{connections}"
            self._say_of(fact, seen, Severity.BAD, text)
        self._downs = waiting

    def _settle_checks(self, now: float) -> None:
        """A failed check is an event of its own only when no removal tells it."""
        waiting = []
        for seen, fact, text in self._checks:
            if fact.server is not None and self._known.book.went_down(fact.server, seen.at):
                continue
            if now - seen.at < REASON_S:
                waiting.append((seen, fact, text))
            else:
                self._say_of(fact, seen, Severity.WARN, text)
        self._checks = waiting

    def _check(self, fact: f.CheckSeen, seen: f.Observation) -> None:
        if fact.ok or fact.server is None:
            return
        if self._once(("check", fact.server, fact.checker, fact.message), seen.at, 30.0):
            name = self._known.any_name(fact.server)
            label = f"{name} ({fact.server})" if name else str(fact.server)
            message = brief(fact.message)
            checker = "" if fact.checker in message else f"{fact.checker}: "
            text = f"check of {label} failed: {checker}{message}"
            self._checks.append((seen, fact, text))

    def _address(self, fact: f.AddressChanged, seen: f.Observation) -> None:
        known = self._known
        if not (instance := known.instances.is_vip(fact.address, known.loaded or known.file)):
            return
        verb = "is here now" if fact.added else "left"
        text = f"VIP {fact.address} {verb} ({fact.interface}, {instance})"
        self._say(seen, Severity.GOOD if fact.added else Severity.WARN, text, "address")

    def _stand(self, fact: f.ChangesSeen, seen: f.Observation) -> None:
        """Applied, kept, undone, rolled back, each once; what was so before we looked is past."""
        first, self._changes_known = not self._changes_known, True
        for change in reversed(fact.changes):
            if not change.waits and not change.came:
                # Decided just now: why comes next.
                continue
            told = (change.ended, change.stage, change.guarded)
            before = self._changes.get(change.id)
            self._changes[change.id] = told
            said = _change_in_words(change, before)
            if before == told or said is None:
                continue
            at = change.came or (seen.at if before is not None else change.at)
            severity, text = said
            past = seen.past or (first and not change.waits)
            self._known.say(Event(at, seen.host, severity, text, "config", past=past))

    def _daemon(self, fact: f.DaemonSeen, seen: f.Observation) -> None:
        before, self._daemon_told = self._daemon_told, (fact.running, fact.pid)
        if before == self._daemon_told:
            return
        if fact.running and before is not None:
            self._say(seen, Severity.GOOD, f"keepalived runs, pid {fact.pid}", "daemon")
        elif not fact.running and fact.installed:
            text = "keepalived is not running: nobody checks, nobody fails over"
            self._say(seen, Severity.BAD, text, "daemon")

    # -- words

    def _say(
        self,
        seen: f.Observation,
        severity: Severity,
        text: str,
        kind: str,
        service: ServiceKey | None = None,
        server: ServerKey | None = None,
    ) -> None:
        self._known.say(Event(seen.at, seen.host, severity, text, kind, service, server, seen.past))

    def _say_of(
        self,
        fact: f.ServerChanged | f.CheckSeen | f.WeightChanged,
        seen: f.Observation,
        severity: Severity,
        text: str,
    ) -> None:
        self._say(seen, severity, text, "server", fact.service, fact.server)

    def _hold(
        self, at: float, service: ServiceKey, server: ServerKey, severity: Severity, text: str
    ) -> None:
        event = Event(at, self._known.host, severity, text, "server", service, server)
        self._held.append((at + HOLD_S, (service, server), event))

    def _once(self, what: object, at: float, window_s: float = 2.5) -> bool:
        """True the first time within the window: log and fifo tell the same thing."""
        last = self._told.get(what)
        if len(self._told) > 4096:
            self._told.clear()
        self._told[what] = at
        return last is None or abs(at - last) > window_s

    def _by_us(self, server: ServerId, at: float) -> bool:
        done = self._known.done.get(server)
        return done is not None and abs(self._known.done_at.get(server, 0.0) - at) <= _SAME_S

    def _server_name(self, service: ServiceKey, server: ServerKey) -> str:
        name = self._known.server_name(service, server)
        return f"{name} ({server})" if name else str(server)

    def _were_on(self, active: int) -> str:
        return f" ({plural(active, 'active connection')} on it)" if active else ""
