"""VRRP instances of this host, merged from what is told, what is on the interfaces and the wire."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from lvstui.model.config import Configuration, ConfiguredInstance
from lvstui.model.facts import STAMP_S, UNDATED, InstanceChanged, InstancesSeen
from lvstui.model.picture import InstanceView, VridClash
from lvstui.model.vrrp import Advert, HeldAddress, InstanceSeen

_HANDOVER = 0.5
"""Of an advert interval: how long an old master's last advert may come behind the new one's."""
_SENDERS = 16
"""Senders that are remembered of each VRID."""
_SILENT_S = 60.0
CLASH_HOLDS = 5.0
"""Advert intervals after which another cluster's last advert is no news any more."""
SKEW_FACTOR = 3.6
"""A master is down after three adverts and the skew (RFC 9568: at most one more interval)."""


@dataclass(slots=True)
class _Told:
    """The last word about an instance and its origin."""

    state: str
    at: float
    via: str
    priority: int | None = None
    priority_at: float = 0.0
    """When that was said."""


@dataclass(slots=True)
class _Heard:
    advert: Advert
    at: float
    first: float
    """Since when it has been sending without a pause."""
    other: tuple[str, ...] = ()
    """Addresses in its adverts before these."""

    @property
    def pair(self) -> tuple[str, int]:
        return self.advert.source, self.advert.priority


class InstanceState:
    """What is known of every VRRP instance."""

    def __init__(self) -> None:
        self._told: dict[str, _Told] = {}
        self._dumped: dict[str, InstanceSeen] = {}
        self._dumped_at = UNDATED
        self._reloaded_at = UNDATED
        self._began: float | None = None
        self._heard: dict[tuple[str, int, int], dict[str, _Heard]] = {}
        self._addresses: set[tuple[str, str]] = set()
        self._prefixes: dict[tuple[str, str], int] = {}
        self._address_at: dict[str, float] = {}
        self._first_look: float | None = None
        self.addresses_known = False
        self.listening_since: float | None = None
        self.hears_own = False
        """What this host sends is heard."""

    # -- taking in

    def changed(self, fact: InstanceChanged, at: float) -> bool:
        """An instance changed its state; False when that was known already."""
        before = self._told.get(fact.instance)
        if not self._counts(at) or (before is not None and before.at > at + 1.0):
            return False
        priority, priority_at = fact.priority, at
        if priority is None and before is not None:
            priority, priority_at = before.priority, before.priority_at
        fresh = before is None or before.state != fact.state
        moment = at if fresh or before is None or before.at == UNDATED else before.at
        self._told[fact.instance] = _Told(fact.state, moment, fact.via, priority, priority_at)
        return fresh

    def priority(self, instance: str, priority: int, at: float) -> None:
        if self._counts(at) and at >= self._reloaded_at - STAMP_S:
            told = self._told.setdefault(instance, _Told("unknown", at, "log"))
            told.priority, told.priority_at = priority, at

    def dumped(self, fact: InstancesSeen, at: float) -> None:
        if not self._counts(at) or at < self._reloaded_at - STAMP_S:
            return
        # It tells of all that there are.
        self._dumped, self._dumped_at = {}, at
        for seen in fact.instances:
            self._dumped[seen.name] = seen
            told = self._told.get(seen.name)
            if told is None or told.at < at:
                when, via = seen.last_transition or at, "dump"
                if told is not None and told.state == seen.state and told.at != UNDATED:
                    # A reload moves the transition that a dump tells.
                    when, via = told.at, told.via
                self._told[seen.name] = _Told(seen.state, when, via, seen.effective_priority, at)

    def addresses(self, found: Iterable[tuple[str, str, int]], at: float) -> None:
        triples = list(found)
        new = {(interface, address) for interface, address, _ in triples}
        for _, address in new ^ self._addresses:
            self._address_at[address] = at
        if self._first_look is None:
            self._first_look = at
        self._addresses = new
        self._prefixes = {(i, a): p for i, a, p in triples}
        self.addresses_known = True

    def address(self, interface: str, address: str, prefix: int, added: bool, at: float) -> bool:
        """One address came or went; False when that was known already."""
        pair = (interface, address)
        if (pair in self._addresses) == added:
            return False
        if added:
            self._addresses.add(pair)
            self._prefixes[pair] = prefix
        else:
            self._addresses.discard(pair)
            self._prefixes.pop(pair, None)
        self._address_at[address] = at
        return True

    def advert(self, advert: Advert, at: float) -> None:
        if self.listening_since is None:
            self.listening_since = at
        family = 6 if ":" in advert.source else 4
        senders = self._heard.setdefault((advert.interface, advert.vrid, family), {})
        before = senders.get(advert.source)
        pause = SKEW_FACTOR * max(advert.interval_s, 0.01)
        going_on = before is not None and before.advert.priority > 0 and at - before.at <= pause
        first = before.first if before is not None and going_on else at
        other: tuple[str, ...] = ()
        if before is not None:
            other = before.other if before.advert.vips == advert.vips else before.advert.vips
        senders[advert.source] = _Heard(advert, at, first, other)
        if len(senders) > _SENDERS:
            # Who fell silent goes first, then who has just begun: ever new addresses must not
            # crowd out those that have been sending.
            silent = [name for name, heard in senders.items() if at - heard.at > _SILENT_S]
            newest = max(reversed(senders), key=lambda name: senders[name].first)
            del senders[silent[0] if silent else newest]

    def shift(self, by_s: float) -> None:
        """The clock of this host was set."""

        def moved(at: float) -> float:
            return at if at == UNDATED else at + by_s

        for told in self._told.values():
            told.at = moved(told.at)
        for senders in self._heard.values():
            for heard in senders.values():
                heard.at, heard.first = heard.at + by_s, heard.first + by_s
        for address in self._address_at:
            self._address_at[address] += by_s
        self._dumped_at, self._reloaded_at = moved(self._dumped_at), moved(self._reloaded_at)
        if self._began is not None:
            self._began += by_s
        if self._first_look is not None:
            self._first_look += by_s
        if self.listening_since is not None:
            self.listening_since += by_s

    def reloaded(self, at: float) -> None:
        """keepalived has read its file anew: what a dump or a word told of priorities before is
        of another configuration."""
        if at <= self._reloaded_at:
            return
        self._reloaded_at = at
        if self._dumped_at < at - STAMP_S:
            self._dumped = {}
        for name, told in list(self._told.items()):
            if told.priority_at < at - STAMP_S:
                told.priority = None
            if told.via == "dump" and not self._dumped:
                del self._told[name]

    def forget(self, began: float | None = None) -> None:
        """The daemon ended, or another one began (epoch): what was told of instances before holds
        no longer, whenever it comes."""
        self._began = began
        self._told = {
            name: told
            for name, told in self._told.items()
            if began is not None and self._counts(told.at)
        }
        if began is None or not self._counts(self._dumped_at):
            self._dumped = {}

    def _counts(self, at: float) -> bool:
        return self._began is None or at == UNDATED or at >= self._began - STAMP_S

    # -- giving out

    def moved(self, address: str) -> float:
        """Epoch at which it came to this host or left it; 0: before the first look."""
        return self._when(self._address_at.get(address, 0.0)) or 0.0

    def virtual(self, instances: Iterable[InstanceView]) -> tuple[HeldAddress, ...]:
        """The addresses of these instances as they are now."""
        loopback = {address for link, address in self._addresses if link == "lo"}
        return tuple(
            HeldAddress(vip, view.interface, vip in view.vips_here, vip in loopback)
            for view in instances
            for vip in view.vips
        )

    def here(self, *, off_loopback: bool = False) -> frozenset[str]:
        """Addresses on this host's interfaces."""
        hidden = "lo" if off_loopback else ""
        return frozenset(address for link, address in self._addresses if link != hidden)

    def holds_vip(self, config: Configuration | None) -> bool:
        """A virtual address of any instance is on this host."""
        return any(self.is_vip(address, config) for address in self.here(off_loopback=True))

    def views(
        self,
        config: Configuration | None,
        now: float,
        *,
        running: bool = True,
        loaded: bool = False,
        since: float | None = None,
    ) -> tuple[InstanceView, ...]:
        """Every configured instance, then those that only the daemon knows.

        loaded: `config` is what the daemon runs, so that there are no others. since: epoch of its
        start or last reload; others than in the file have to have been heard of after it.
        """
        configured = {i.name: i for i in config.instances} if config is not None else {}
        names = dict.fromkeys(configured)
        if not loaded:
            newer = (
                name
                for name, told in self._told.items()
                if config is None or since is None or told.at >= since - STAMP_S
            )
            names |= dict.fromkeys(newer)
        return tuple(self._view(name, configured.get(name), now, running) for name in names)

    def is_vip(self, address: str, config: Configuration | None) -> str:
        """The instance whose virtual address that is; empty when none."""
        for instance in config.instances if config is not None else ():
            if address in instance.vips:
                return instance.name
        for seen in self._dumped.values():
            if address in seen.vips:
                return seen.name
        return ""

    def _view(
        self, name: str, configured: ConfiguredInstance | None, now: float, running: bool
    ) -> InstanceView:
        seen = self._dumped.get(name)
        told = self._told.get(name)
        known = configured or seen or InstanceSeen(name, "unknown")
        vips = known.vips
        here_all = self.here(off_loopback=True)
        here = tuple(vip for vip in vips if vip in here_all)
        state, source, since = "unknown", "", None
        if told is not None:
            state, source = told.state, told.via
            since = told.at if told.at != UNDATED else None
        if self.addresses_known and vips:
            moved = max((self._address_at.get(vip, 0.0) for vip in vips), default=0.0)
            newer = told is None or told.state == "unknown" or moved > told.at
            if here and state != "MASTER" and newer:
                state, source, since = "MASTER", "address", self._when(moved)
            elif not here and state in ("MASTER", "unknown") and newer:
                state, source, since = "BACKUP", "address", self._when(moved)
        if not running and not here:
            # It stands by for nothing: without the daemon nobody takes over here.
            state, source = "STOP", "daemon"
        base = configured.priority if configured else (seen.base_priority if seen else None)
        priority = told.priority if told is not None else None
        if priority is None:
            priority = seen.effective_priority if seen is not None else base
        # What was there at the first look may have been there for long.
        here_since = self._when(max((self._address_at.get(v, 0.0) for v in here), default=0.0))
        sent = self._sent_priority(known, now) if here else None
        priority = priority if sent is None else sent
        wire = self._wire(known, here_since or 0.0, bool(here), now)
        master_address = wire.master.source if wire.master else ""
        master_priority = wire.master.priority if wire.master else None
        if wire.master is None and seen is not None and seen.master_address and state == "BACKUP":
            master_address, master_priority = seen.master_address, seen.master_priority
        return InstanceView(
            name=name,
            state=state,
            source=source,
            interface=known.interface,
            vrid=known.vrid,
            priority=priority,
            base_priority=base,
            vips=vips,
            vips_here=here,
            since=since,
            sync_group=known.sync_group,
            version=known.version,
            advert_interval_s=known.advert_interval_s,
            master_address=master_address,
            master_priority=master_priority,
            last_advert=wire.last,
            adverts_ok=wire.ok,
            others=wire.others,
            clashes=wire.clashes,
            own_heard=not (state == "MASTER" and running and here) or wire.own_heard,
            stats=seen.stats if seen is not None else None,
            meant=configured.state if configured is not None else "",
        )

    def _when(self, moved: float) -> float | None:
        """An address that was there at the first look came nobody knows when."""
        return None if moved in (0.0, self._first_look) else moved

    def _sent_priority(self, known: ConfiguredInstance | InstanceSeen, now: float) -> int | None:
        """The priority in the adverts that this host sends: what counts, whatever was told."""
        window, own = SKEW_FACTOR * max(known.advert_interval_s, 0.01), self.here()
        family, _ = _advertised(known)
        sent = [
            heard
            for (where, number, kind), found in self._heard.items()
            if number == known.vrid and kind == family and where in (known.interface, "")
            for source, heard in found.items()
            if (heard.advert.outgoing or source in own)
            and now - heard.at <= window
            and heard.advert.priority > 0
        ]
        return max(sent, key=lambda heard: heard.at).advert.priority if sent else None

    def _wire(
        self, known: ConfiguredInstance | InstanceSeen, here_since: float, here: bool, now: float
    ) -> _Wire:
        """What is heard of it.

        A handover is no split brain: the old master's last adverts are still fresh when the new
        one begins. Only who goes on sending after that is another sender. Adverts for other
        addresses are another cluster's, or of a director that is configured otherwise: keepalived
        does not heed them (up to 2.3.2), so they are no sign of a master.
        """
        interval = known.advert_interval_s
        window = SKEW_FACTOR * max(interval, 0.01)
        family, ours = _advertised(known)
        own = self.here()
        senders: list[_Heard] = []
        clashing: list[_Heard] = []
        for (where, number, kind), found in self._heard.items():
            if number != known.vrid or kind != family or where not in (known.interface, ""):
                continue
            for heard in found.values():
                theirs = not heard.advert.outgoing and heard.advert.source not in own
                clash = theirs and ours and ours.isdisjoint(heard.advert.vips)
                (clashing if clash else senders).append(heard)
        fresh = [h for h in senders if now - h.at <= window and h.advert.priority > 0]
        foreign = [h for h in fresh if not h.advert.outgoing and h.advert.source not in own]
        begun = here_since if here else max((h.first for h in foreign), default=0.0)
        handover = _HANDOVER * interval
        others = tuple(
            sorted(
                h.pair
                for h in foreign
                if h.at >= begun + (handover if here or h.first < begun else 0.0)
                # Who hears his first advert and has the address still is just about to let go.
                and (not here or now - h.first >= handover)
            )
        )
        last = max((h.at for h in senders), default=None)
        listened = 0.0 if self.listening_since is None else now - self.listening_since
        ok = bool(fresh) if listened >= window else (True if fresh else None)
        best = max(
            [h for h in fresh if h not in foreign or here or h.pair in others] or fresh,
            key=lambda h: (h.advert.priority, ipaddress.ip_address(h.advert.source.split("%")[0])),
            default=None,
        )
        # With unicast peers they may leave by another interface.
        sends = any(
            heard.advert.outgoing and now - heard.at <= window
            for (_, number, kind), found in self._heard.items()
            if number == known.vrid and kind == family
            for heard in found.values()
        )
        silent = self.hears_own and min(listened, now - here_since) >= window and not sends
        peers = getattr(known, "unicast_peers", ())
        clashes = tuple(
            VridClash(
                h.advert.source,
                h.advert.priority,
                h.advert.vips,
                h.advert.source in peers or not ours.isdisjoint(h.other),
            )
            for h in sorted(clashing, key=lambda h: h.advert.source)
            if now - h.at <= CLASH_HOLDS * max(interval, h.advert.interval_s)
        )
        return _Wire(best.advert if best else None, others, last, ok, clashes, not silent)


@dataclass(frozen=True, slots=True)
class _Wire:
    """What is heard of one instance."""

    master: Advert | None
    others: tuple[tuple[str, int], ...]
    """Other senders."""
    last: float | None
    """Epoch of the last advert."""
    ok: bool | None
    """They come on time."""
    clashes: tuple[VridClash, ...]
    own_heard: bool
    """False: this host sends none, and that would be heard."""


def _advertised(known: ConfiguredInstance | InstanceSeen) -> tuple[int, frozenset[str]]:
    """The family of an instance's adverts, and the addresses in them (dumps also have others)."""
    advertised: tuple[str, ...] = getattr(known, "advertised", ()) or known.vips
    family = 6 if advertised and ":" in advertised[0] else 4
    return family, frozenset(advertised)
