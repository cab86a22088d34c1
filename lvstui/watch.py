"""Sources in, pictures out: the only clock of lvstui.

Every source has a thread of its own; what they push goes through one queue into the store of one
builder thread, which makes a picture when something was learnt and hands it to the listeners.
"""

from __future__ import annotations

import logging
import os
import queue
import resource
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from lvstui.keepalived.meaning.view import default_config_id
from lvstui.model import facts as f
from lvstui.model.keys import ServiceKey
from lvstui.model.knowledge import Knowledge
from lvstui.model.picture import Cost, Gap, Picture
from lvstui.model.realserver import Look
from lvstui.model.text import plain
from lvstui.model.vrrp import HeldAddress
from lvstui.process import readonly
from lvstui.process.memory import give_back
from lvstui.sources.base import Context, Source
from lvstui.sources.local import local_sources
from lvstui.sources.recording import Recording

GATHER_S = 0.02
"""Observations of one moment come in bursts: wait this long for the rest of them."""
HELD_S = 0.2
"""Time to the next picture while an event is held back for its reason."""
BETWEEN_S = 0.05
"""Least time between two pictures, so that a storm of facts cannot eat the host."""
RESTART_S = (1.0, 5.0, 30.0, 60.0)
"""Pauses before a source that failed is tried again."""
STEADY_S = 2.0
"""A source that failed and has run again for so long works."""
NEEDED = frozenset({"proc", "daemon", "dump", "file", "rtnetlink"})
"""Sources whose first word makes a picture worth judging."""
TRIM_S = 60.0
"""How often freed memory is given back."""
_URGENT = (f.AddressChanged, f.InstanceChanged, f.LinkChanged, f.ServerChanged)
_PAGE = os.sysconf("SC_PAGE_SIZE")
log = logging.getLogger("lvstui")


class Watcher:
    """Runs sources, keeps the store, gives out pictures."""

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        host: str | None = None,
        interval_s: float = 1.0,
        recorder: Callable[[f.Observation], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.host = host or default_config_id()
        self.interval_s = interval_s
        self._sources = list(sources)
        self._recorder = recorder
        self._clock = clock
        self._queue: queue.SimpleQueue[f.Observation | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._known = Knowledge(self.host, interval_s)
        self._picture = Picture(at=clock(), host=self.host, interval_s=interval_s)
        self._listeners: list[Callable[[Picture], None]] = []
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._threads: list[threading.Thread] = []
        self._meter = _Meter()
        self._shown: tuple[ServiceKey, ...] | None = None
        self._heard: set[str] = set()
        self._last_learnt = time.monotonic()
        self._virtual: tuple[HeldAddress, ...] = ()

    # -- what the screens use

    @property
    def picture(self) -> Picture:
        return self._picture

    def subscribe(self, listener: Callable[[Picture], None]) -> Callable[[], None]:
        """Have `listener` called with every new picture, on the builder's thread; it must be
        quick. Returns what ends it."""
        with self._lock:
            self._listeners.append(listener)

        def end() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return end

    def watch_closely(self, services: tuple[ServiceKey, ...]) -> None:
        """These services are on screen: read their counters every tick, and have their
        connection counts fresh in every picture."""
        self._shown = services
        for source in self._sources:
            source.watch_closely(services)

    def refresh(self) -> None:
        """Look again now instead of at the next tick."""
        for source in self._sources:
            source.look_now()

    def wait_for(self, condition: Callable[[Picture], bool], timeout_s: float) -> Picture | None:
        """The first picture that fulfils `condition`; None when the time is up."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not condition(self._picture):
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    return self._picture if condition(self._picture) else None
            return self._picture

    def ask_owners(self, vips: tuple[str, ...]) -> bool:
        """Ask on the wire who has these addresses. False when nobody here can ask."""
        return any(source.ask_owners(vips) for source in self._sources)

    def ask_daemon(self) -> bool:
        """Ask keepalived once for its dumps: it writes lines to its log, so only on an operator's
        wish. False when it cannot be asked (no daemon, no right, too old)."""
        return any(source.ask_daemon() for source in self._sources)

    def settle(self, timeout_s: float = 3.0, quiet_s: float = 0.25) -> Picture:
        """The picture once the first word of every needed source is in and nothing new came for
        `quiet_s`; whatever is known when the time is up."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            quiet = time.monotonic() - self._last_learnt
            if self._heard >= NEEDED and quiet >= quiet_s:
                break
            time.sleep(0.02)
        self.wait_for(lambda picture: picture.ready, max(deadline - time.monotonic(), 0))
        return self._picture

    # -- running

    def start(self) -> None:
        """Start all threads (daemon threads: none of them can hold up an exit)."""
        self._spawn("lvstui-watch", self._build)
        for source in self._sources:
            self._spawn(f"lvstui-{source.name}", self._run, source)

    def stop(self) -> None:
        """End the threads; waits half a second for them at most."""
        self._stop.set()
        self._queue.put(None)
        deadline = time.monotonic() + 0.5
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0))

    def push(self, seen: f.Observation) -> None:
        """Take an observation in from any thread."""
        self._queue.put(seen)

    def report(self, look: Look) -> None:
        """Take in what this session itself saw of a real server: an observation like all others."""
        self.push(f.Observation(look.at, self.host, "looks", f.RealServerSeen(look)))

    def play(self) -> Picture:
        """The picture of all that the sources say until they end, here and now: of a recording
        that is not waited for."""
        published = self._clock()

        def take(seen: f.Observation) -> None:
            nonlocal published
            self._learn(seen)
            if self._clock() - published >= self.interval_s:
                # When a state began is known by the pictures it was in.
                self._publish(0.0)
                published = self._clock()

        for source in self._sources:
            source.run(Context(self.host, take, self._stop, self.interval_s))
        self._publish(0.0)
        return self._picture

    def __enter__(self) -> Watcher:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _spawn(self, name: str, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run(self, source: Source) -> None:
        failures = 0
        while not self._stop.is_set():
            steady = threading.Timer(STEADY_S, self._works_again, (source.name,))
            steady.daemon = True

            def push(seen: f.Observation, steady: threading.Timer = steady) -> None:
                if isinstance(seen.fact, f.Missing) and seen.fact.source == source.name:
                    steady.cancel()
                self.push(seen)

            first = failures == 0
            context = Context(self.host, self.push if first else push, self._stop, self.interval_s)
            if not first:
                steady.start()
            try:
                source.run(context)
                steady.cancel()
                return
            except Exception as error:  # a source may fail in any way; the others must go on
                steady.cancel()
                what = _trouble(f"{source.name} failed", error)
                pause = RESTART_S[min(failures, len(RESTART_S) - 1)]
                context.missing(source.name, what, "tried again by itself")
                failures += 1
                if self._stop.wait(pause):
                    return

    def _works_again(self, source: str) -> None:
        """Takes back that it failed: not every source says that it works."""
        self.push(f.Observation(time.time(), self.host, source, f.Available(source)))

    def _build(self) -> None:
        published = 0.0
        while not self._stop.is_set():
            first = self._next(HELD_S if self._known.waits else self.interval_s)
            started = time.perf_counter()
            waited = 0.0
            if first is not None and not self._learn(first):
                waited = self._gather(max(started + GATHER_S, published + BETWEEN_S))
            self._publish(time.perf_counter() - started - waited)
            published = time.perf_counter()

    def _next(self, timeout_s: float) -> f.Observation | None:
        try:
            return self._queue.get(timeout=max(timeout_s, 0))
        except queue.Empty:
            return None

    def _gather(self, deadline: float) -> float:
        """Learn what comes until `deadline` or until something urgent; seconds waited."""
        waited = 0.0
        while not self._stop.is_set():
            began = time.perf_counter()
            seen = self._next(deadline - began)
            waited += time.perf_counter() - began
            if seen is None or self._learn(seen):
                break
        return waited

    def _learn(self, seen: f.Observation) -> bool:
        """Take one in; True when the operator should see it without any delay."""
        if self._recorder is not None:
            self._recorder(seen)
        try:
            self._known.learn(seen)
        except Exception as error:
            # The thread that makes pictures outlives every fact, whatever a recording or a
            # source made of it; what could not be taken in is said.
            what = f"what {seen.source} said ({type(seen.fact).__name__}) was not understood"
            said = f.Missing("watch", _trouble(what, error))
            self._known.learn(f.Observation(self._clock(), self.host, "watch", said))
            return False
        self._heard.add(seen.source)
        self._last_learnt = time.monotonic()
        fact = seen.fact
        if isinstance(fact, f.TableSeen):
            keys = tuple(service.key for service in fact.table.services)
            for source in self._sources:
                source.services(keys)
        urgent = isinstance(fact, _URGENT) and not seen.past
        if urgent and isinstance(fact, f.ServerChanged):
            self.refresh()  # what keepalived said shows in the kernel at once
        return urgent

    def _publish(self, spent_s: float) -> None:
        self._known.cost = self._meter.cost(self._known.cost)
        began = time.perf_counter()
        if self._shown is not None:
            self._known.on_screen(self._shown)
        try:
            picture = self._known.picture(self._clock())
        except Exception as error:
            # As above. The last picture stays, with its time: it grows old before everybody.
            what = _trouble("no new picture could be made", error)
            gaps = [gap for gap in self._picture.gaps if gap.source != "watch"]
            picture = replace(self._picture, gaps=(*gaps, Gap("watch", what, "")))
        self._tell_sources(picture)
        self._meter.tick_ms = (spent_s + time.perf_counter() - began) * 1000
        with self._changed:
            self._picture = picture
            listeners = list(self._listeners)
            self._changed.notify_all()
        for listener in listeners:
            listener(picture)

    def _tell_sources(self, picture: Picture) -> None:
        """Which addresses they should heed now; what an alarm asks of them, unless nothing may be
        sent without a key."""
        virtual = self._known.instances.virtual(picture.instances)
        if virtual != self._virtual:
            self._virtual = virtual
            for source in self._sources:
                source.virtual(virtual)
        asked = self._known.link.questions
        if asked and not readonly.active():
            self._known.link.claims.asked(asked, picture.at)
            self.ask_owners(asked)


def _trouble(what: str, error: Exception) -> str:
    log.warning("%s: %s", what, type(error).__name__)
    log.debug("%s", what, exc_info=error)
    return plain(f"{what}: {type(error).__name__}: {error}", 300)


class _Meter:
    """What lvstui itself costs: CPU share over the last seconds and resident memory."""

    def __init__(self) -> None:
        self.tick_ms = 0.0
        self._at = time.monotonic()
        self._trim_at = self._at + 4.0
        self._cpu = time.process_time()

    def cost(self, last: Cost) -> Cost:
        now = time.monotonic()
        if now - self._at < 2.0:
            return last if last.resident_bytes else Cost(None, _resident())
        cpu = time.process_time()
        share = (cpu - self._cpu) / (now - self._at)
        self._at, self._cpu = now, cpu
        if now >= self._trim_at:
            self._trim_at = now + TRIM_S
            give_back()
        return Cost(round(share, 4), _resident(), round(self.tick_ms, 2))


def _resident() -> int:
    try:
        with open("/proc/self/statm", "rb") as stream:
            return int(stream.read().split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def local_watcher(
    *,
    config: str = "",
    interval_s: float = 1.0,
    recorder: Callable[[f.Observation], None] | None = None,
) -> Watcher:
    """A watcher over everything that this host can tell; not started yet."""
    return Watcher(local_sources(config), interval_s=interval_s, recorder=recorder)


def replay_watcher(recording: Recording) -> Watcher:
    return Watcher([recording], host=recording.host, clock=recording.clock)
