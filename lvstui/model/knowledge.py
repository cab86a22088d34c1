"""Everything that was observed about one director, and the picture made of it.

Pure: no I/O and no clock. `learn` takes observations in any order, `picture` merges what is
known; only what an observation touched is merged again, the rest keeps its identity.
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, get_args

from lvstui.model import facts as f
from lvstui.model.ages import Ages, clock_was_set, shift
from lvstui.model.alarms import Alarms
from lvstui.model.config import ConfiguredChecker
from lvstui.model.daemon import daemon_view
from lvstui.model.facts import STAMP_S
from lvstui.model.files import ConfigFiles
from lvstui.model.gaps import Gaps
from lvstui.model.groups import of_members
from lvstui.model.ipvs import KernelService, KernelTable, unfinished
from lvstui.model.keys import ServiceKey
from lvstui.model.link import LinkState
from lvstui.model.merge import Inputs, Learnt, keep_identity, moved, recounted, service_view
from lvstui.model.narrator import EventBuilder, Known, ServerId
from lvstui.model.packet_events import PacketWatch
from lvstui.model.picture import Cost, Picture, ServerView, ServiceView, State
from lvstui.model.rates import Traffic
from lvstui.model.realserver import Look
from lvstui.model.states import WAITS, Drain, StateInputs
from lvstui.model.waiting import ChangeStands
from lvstui.model.warnings import warnings

TURN = 128
"""Services off the screen whose connection counts are renewed in one picture."""
FIRST_WORDS_S = 1.0
"""After the first word of the last source the others of that moment follow."""
DRAINS = (State.DRAINING, State.DRAINED)
_UNKNOWN = 1000


def _moves_with_time(server: ServerView) -> bool:
    """Time alone can change what is said of it."""
    return (
        server.state is State.DRAINING
        or (server.state is State.UNVERIFIED and server.reason.startswith(WAITS))
        or (server.state is State.DOWN and server.in_kernel)
    )


class Knowledge(Known):
    """The store. One thread uses it."""

    def __init__(self, host: str, interval_s: float = 1.0) -> None:
        super().__init__(host)
        self.interval_s = interval_s
        self.traffic = Traffic()
        self.table: KernelTable | None = None
        self.daemon: f.DaemonSeen | None = None
        self.other_daemons = f.OtherDaemons()
        self.gaps = Gaps()
        self.drains: dict[ServerId, Drain] = {}
        self.sysctls: tuple[tuple[str, str], ...] = ()
        self.changes: tuple[ChangeStands, ...] = ()
        self.files: ConfigFiles | None = None
        self.looks: Mapping[str, Look] = {}
        self._packets = PacketWatch(
            host, lambda *server: self.server_name(*server) or str(server[1])
        )
        self.link = LinkState()
        self._alarms = Alarms(host)
        self.cost = Cost()
        self.ages = Ages()
        self.awaited: frozenset[str] = frozenset()
        """Sources that have not said their first word: until they have, what changes in the
        picture is what is learnt, not what happens."""
        self._narrator = EventBuilder(self)
        self._views: dict[ServiceKey, ServiceView] = {}
        self._states: dict[ServerId, tuple[State, float | None]] = {}
        self._checked: dict[ServerId, tuple[ConfiguredChecker, ...]] = {}
        """Servers that were up since keepalived began, with their checks: a reload keeps what
        those know."""
        self._learnt = Learnt(
            self.book, self.traffic, self.drains, self._states, self.done, self._checked
        )
        self._dirty: set[ServiceKey] = set()
        self._stale: dict[ServiceKey, None] = {}
        self._on_screen: frozenset[ServiceKey] | None = None
        self._all_dirty = True
        self._volatile: set[ServiceKey] = set()
        self._checks_since: float | None = None
        self._undated_until = -math.inf
        self._of_unknown_groups: deque[f.Observation] = deque(maxlen=_UNKNOWN)
        """What was said of groups before their configuration was read."""

    # -- taking in

    def learn(self, seen: f.Observation) -> None:
        found = self._take(seen)
        if not found:
            self._of_unknown_groups.append(seen)
        self._narrator.tell(replace(seen, fact=found[0]) if found else seen)

    def _take(self, seen: f.Observation) -> list[f.Fact]:
        found = of_members(seen.fact, lambda: {**self._in_file, **self._in_loaded})
        for fact in found:
            _LEARN.get(type(fact), Knowledge._learn_vrrp)(self, fact, seen.at)
        return found

    def _learn_of_looking(self, fact: f.SourceSilent | f.Overrun, at: float) -> None:
        if isinstance(fact, f.SourceSilent):
            self.ages.hear(fact)
        else:
            self.ages.overrun("", fact, at)

    def _learn_clock(self, fact: f.ClockStepped, at: float) -> None:
        """Move every time that is known: how long ago things were stays as it was."""
        by_s = -fact.by_s if fact.back else fact.by_s
        self._narrator.settle(math.inf)
        for store in (self.ages, self.book, self.instances, self.traffic):
            store.shift(by_s)
        # Who claims our addresses is asked again: what was heard is dated by the old clock.
        self.link = LinkState()
        shift(by_s, self.drains, self.done_at, self._states, self.events)
        if self._checks_since is not None:
            self._checks_since += by_s
        self.say(clock_was_set(self.host, fact, at))
        self._all_dirty = True

    def _learn_counters(self, fact: f.CountersSeen, at: float) -> None:
        for reading in fact.services:
            self.traffic.read(reading, at)
            self._packets.counted(reading.service, self.traffic.rates(reading.service), at)
            self._dirty.add(reading.service)

    def _learn_names(self, fact: f.NamesSeen, at: float) -> None:
        self.names = dict(fact.names)
        self._all_dirty = True

    def _learn_as_it_is(self, fact: Any, at: float) -> None:
        if isinstance(fact, f.SysctlsSeen):
            self.sysctls = fact.values
        elif isinstance(fact, f.OtherDaemons):
            self.other_daemons = fact
        elif isinstance(fact, f.ProcessesSeen):
            self.processes = fact.processes
        elif isinstance(fact, f.ChangesSeen):
            self.changes = fact.changes
        else:
            self.files = fact.files

    def _learn_packets(self, fact: f.ConnectionsSeen | f.LocalSeen, at: float) -> None:
        self._packets.learn(fact, self._kernel, at)

    def _learn_missing(self, fact: f.Missing, at: float) -> None:
        self.gaps.missing(fact)
        if fact.source == "proc":
            self.table, self._kernel = None, {}
        if fact.source in ("file", "memfd"):
            self._drop_configuration(loaded=fact.source == "memfd")
        self._all_dirty = True

    def _learn_available(self, fact: f.Available, at: float) -> None:
        if fact.source == "wire" and self.instances.listening_since is None:
            self.instances.listening_since = at
        self._all_dirty |= self.gaps.available(fact.source)

    def _learn_table(self, fact: f.TableSeen, at: float) -> None:
        table, before = fact.table, self._kernel
        first = self.table is None
        self.table = table
        self._kernel = {service.key: service for service in table.services}
        changed = []
        for key, service in self._kernel.items():
            old = before.get(key)
            if old is service:
                continue
            if moved(old, service):
                self._dirty.add(key)
                self._follow_drains(service, old, at, first)
                changed.append((old, service))
            else:
                self._stale[key] = None
        if len(before) != len(self._kernel) or before.keys() != self._kernel.keys():
            self._dirty.update(before.keys() - self._kernel.keys())
            self.traffic.keep_only(self._kernel)
        self._packets.table(self._kernel, () if first else changed, at)
        if first:
            self._all_dirty = True
        else:
            self._narrator.table_changed(before, self._kernel, changed, at)

    def _follow_drains(
        self, service: KernelService, before: KernelService | None, at: float, first: bool
    ) -> None:
        for destination in service.destinations:
            server = (service.key, destination.key)
            if destination.weight:
                self.drains.pop(server, None)
                done = self.done.get(server)
                if done is not None and done.after == 0 and before is not None:
                    # Somebody, or a check that flapped, gave the weight back.
                    del self.done[server]
            elif server not in self.drains:
                left = unfinished(service.key.protocol, destination.active, destination.inactive)
                self.drains[server] = Drain(at, left, self.done.get(server), not first)

    def _learn_configuration(self, fact: f.ConfigurationSeen, at: float) -> None:
        services = {service.key: service for service in fact.configuration.services}
        if fact.loaded:
            if self.loaded is not None and self.loaded.digest != fact.configuration.digest:
                self._reloaded(at)
            self.loaded, self._in_loaded = fact.configuration, services
        else:
            self.file, self._in_file = fact.configuration, services
        self._all_dirty = True
        waiting, self._of_unknown_groups = self._of_unknown_groups, deque(maxlen=_UNKNOWN)
        for seen in waiting:
            self._take(seen)

    def _drop_configuration(self, *, loaded: bool) -> None:
        if loaded:
            self.loaded, self._in_loaded = None, {}
        else:
            self.file, self._in_file, self.files = None, {}, None

    def _learn_daemon(self, fact: f.DaemonSeen, at: float) -> None:
        before = self.daemon
        self.daemon = fact
        self._all_dirty = True
        if not fact.running:
            self.instances.forget()
            self._drop_configuration(loaded=True)
            self._checked.clear()
            return
        if before is None or not before.running or before.pid != fact.pid:
            self.instances.forget(fact.began("vrrp"))
        began, known = fact.began("checkers"), self.book.began
        # Not by a hair: a clock that was set moves what is computed from it.
        if began is None or known is None or abs(began - known) > STAMP_S / 2:
            self._checked.clear()
        self.book.began = began
        if self._checks_since is None or self._checks_since < (self.book.began or 0.0):
            self._checks_since = self.book.began

    def _learn_link(self, fact: Any, at: float) -> None:
        if isinstance(fact, f.WireHears):
            self.instances.hears_own = fact.own
        else:
            self.link.learn(fact, at)

    def _learn_look(self, fact: f.RealServerSeen, at: float) -> None:
        look = fact.look
        known = self.looks.get(look.address)
        if known is None or known.at <= look.at:
            # Another mapping each time: pictures hold the one before.
            self.looks = {**self.looks, look.address: look}

    def _learn_done(self, fact: f.Done, at: float) -> None:
        if fact.service is None or fact.server is None:
            return
        server = (fact.service, fact.server)
        self.done[server] = fact
        self.done_at[server] = at
        drain = self.drains.get(server)
        if fact.after == 0 and drain is not None:
            self.drains[server] = replace(drain, done=fact)
        self._dirty.add(fact.service)

    def _learn_weight(self, fact: f.WeightChanged, at: float) -> None:
        self.book.weighed(fact.service, fact.server, fact.after, at)
        self._dirty.add(fact.service)

    def _learn_health(self, fact: f.CheckSeen | f.ServerChanged | f.ChecksSeen, at: float) -> None:
        if isinstance(fact, f.ChecksSeen):
            self._dirty |= self.book.dumped(fact, at)
        elif isinstance(fact, f.ServerChanged):
            self.book.changed(fact, at)
            self._dirty.add(fact.service)
        else:
            self.book.check(fact, at)
            if fact.service is not None:
                self._dirty.add(fact.service)
            else:
                self._dirty |= self.book.services_of(fact.server)

    def _learn_vrrp(self, fact: f.Fact, at: float) -> None:
        book = self.instances
        if isinstance(fact, f.InstanceChanged):
            book.changed(fact, at)
        elif isinstance(fact, f.PriorityChanged):
            book.priority(fact.instance, fact.after, at)
        elif isinstance(fact, f.InstancesSeen):
            book.dumped(fact, at)
        elif isinstance(fact, f.AddressesSeen):
            book.addresses(fact.addresses, at)
            self._all_dirty = True
        elif isinstance(fact, f.AddressChanged):
            if book.address(fact.interface, fact.address, fact.prefix, fact.added, at):
                self._dirty.update(key for key in self._views if key.address == fact.address)
        elif isinstance(fact, f.AdvertSeen):
            book.advert(fact.advert, at)
            self.link.claims.advert(fact.advert)
        elif isinstance(fact, f.DaemonSaid) and fact.kind in ("reload", "reloaded"):
            self._reloaded(at)

    def _reloaded(self, at: float) -> None:
        self.instances.reloaded(at)
        if self._checks_since is None or at > self._checks_since:
            self._checks_since = at
            self._all_dirty = True

    # -- giving out

    @property
    def waits(self) -> bool:
        """An event is held back for a moment: make the next picture soon."""
        return self._narrator.waits or self.link.claims.pending

    def surroundings(self, now: float) -> StateInputs:
        """What holds for every service."""
        return StateInputs(
            now=now,
            file_known=self.file is not None,
            loaded_known=self.loaded is not None,
            table_readable=self.table is not None,
            daemon_running=self.daemon.running if self.daemon is not None else None,
            checks_since=self._checks_since,
            names=self.names,
            addresses=self.instances.here() if self.instances.addresses_known else None,
            dated=now >= self._undated_until,
        )

    def picture(self, now: float, lag_s: float = 0.0) -> Picture:
        """The merged state at epoch `now`; unchanged parts keep their identity. lag_s: how long
        what is not in it yet has been waiting."""
        self._narrator.settle(now)
        if self.awaited:
            self._undated_until = math.inf
        elif self._undated_until == math.inf:
            self._undated_until = now + FIRST_WORDS_S
        around = self.surroundings(now)
        for event in self._packets.judge(self._kernel, around.addresses, now):
            self.say(event)
        order = dict.fromkeys([*self._in_file, *self._in_loaded, *self._kernel])
        todo = order.keys() if self._all_dirty else (self._dirty | self._volatile) & order.keys()
        views = self._views
        for key in list(todo):
            self._merge(key, around)
            self._stale.pop(key, None)
        self._recount(around)
        if len(views) != len(order):
            for gone in views.keys() - order.keys():
                for server in views[gone].servers:
                    self._forget(server.id)
                del views[gone]
                self._volatile.discard(gone)
        self._dirty.clear()
        self._all_dirty = False
        services = tuple(views[key] for key in order)
        instances = self.instances.views(
            self.loaded or self.file,
            now,
            running=self.daemon is None or self.daemon.running,
            loaded=self.loaded is not None,
            since=self._checks_since,
        )
        link = self.link.view(instances, self.instances.moved, self.loaded or self.file, now)
        idle = self.daemon is not None and not self.daemon.running
        picture = Picture(
            at=now,
            host=self.host,
            services=services,
            instances=instances,
            daemon=daemon_view(
                self.daemon, self.other_daemons, self.processes, self.file, self.loaded
            ),
            rivals=link.rivals,
            owners=link.owners,
            strays=link.strays,
            gaps=(*self.gaps.seen(self.ages.silent, idle), *self.ages.gaps()),
            cost=self.cost,
            ready=self.table is not None or "proc" in self.gaps or "proc" in self.ages.silent,
            table_readable=self.table is not None,
            interval_s=self.interval_s,
            sysctls=self.sysctls,
            changes=self.changes,
            files=self.files,
            silent=dict(self.ages.silent),
            lag_s=lag_s,
            overruns=self.ages.overruns(now),
            looks=self.looks,
            packets=self._packets.view,
        )
        found = warnings(picture, self.done)
        for event in self._alarms.changed(found, now):
            self.say(event)
        return replace(picture, warnings=found, events=self.events_seen())

    def on_screen(self, services: tuple[ServiceKey, ...]) -> None:
        """From now on only these need fresh connection counts in every picture; the others take
        turns. Until this is called every service counts as visible."""
        self._on_screen = frozenset(services)

    def _recount(self, around: StateInputs) -> None:
        """Bring connection counts up to date: what is on screen at once, some of the rest."""
        shown = self._on_screen
        if shown is None:
            now = list(self._stale)
        else:
            now = [key for key in self._stale if key in shown]
            now += itertools.islice((key for key in self._stale if key not in shown), TURN)
        for key in now:
            del self._stale[key]
            view, kernel = self._views.get(key), self._kernel.get(key)
            if view is None or kernel is None:
                continue
            if view.rates is None and not any(server.state in DRAINS for server in view.servers):
                self._views[key] = recounted(view, kernel)
            else:
                self._merge(key, around)

    def _merge(self, key: ServiceKey, around: StateInputs) -> None:
        found = (self._kernel.get(key), self._in_file.get(key), self._in_loaded.get(key))
        inputs = Inputs(key, *found)
        old = self._views.get(key)
        new = keep_identity(old, service_view(inputs, self._learnt, around))
        self._views[key] = new
        if new is old:
            return
        self._volatile.discard(key)
        for server in new.servers:
            self._states[server.id] = (server.state, server.since)
            if server.state is State.UP and server.configured is not None:
                self._checked[server.id] = server.configured.checkers
            if _moves_with_time(server):
                self._volatile.add(key)
        if old is not None and len(new.servers) != len(old.servers):
            for gone in {s.id for s in old.servers} - {s.id for s in new.servers}:
                self._forget(gone)

    def _forget(self, server: ServerId) -> None:
        self._states.pop(server, None)
        self._checked.pop(server, None)
        self.drains.pop(server, None)


_LEARN: dict[type, Callable[[Knowledge, Any, float], None]] = {
    f.TableSeen: Knowledge._learn_table,
    f.WeightChanged: Knowledge._learn_weight,
    f.CountersSeen: Knowledge._learn_counters,
    f.ConfigurationSeen: Knowledge._learn_configuration,
    f.DaemonSeen: Knowledge._learn_daemon,
    **dict.fromkeys(get_args(f.OfLink), Knowledge._learn_link),
    f.NamesSeen: Knowledge._learn_names,
    **dict.fromkeys(
        (f.SysctlsSeen, f.ChangesSeen, f.FilesSeen, f.OtherDaemons, f.ProcessesSeen),
        Knowledge._learn_as_it_is,
    ),
    f.RealServerSeen: Knowledge._learn_look,
    **dict.fromkeys((f.SourceSilent, f.Overrun), Knowledge._learn_of_looking),
    f.ClockStepped: Knowledge._learn_clock,
    **dict.fromkeys((f.ConnectionsSeen, f.LocalSeen), Knowledge._learn_packets),
    f.Missing: Knowledge._learn_missing,
    f.Available: Knowledge._learn_available,
    f.Done: Knowledge._learn_done,
    **dict.fromkeys((f.CheckSeen, f.ServerChanged, f.ChecksSeen), Knowledge._learn_health),
}
"""What takes in a fact of each kind; what is not in here is about VRRP."""
