"""Sources in, pictures out: the only clock of lvstui.

Every source has a thread of its own; what they push goes through one queue into the store of one
builder thread, which makes a picture when something was learnt and hands it to the listeners. A
picture is as old as the oldest observation that still waits; a source whose look does not end is
said to be silent.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from lvstui.keepalived.meaning.view import default_config_id
from lvstui.model import facts as f
from lvstui.model.ages import name_of
from lvstui.model.keys import ServiceKey
from lvstui.model.knowledge import Knowledge
from lvstui.model.picture import Gap, Picture
from lvstui.model.realserver import Look
from lvstui.model.text import plain
from lvstui.model.vrrp import HeldAddress
from lvstui.process import readonly
from lvstui.sources.base import Context, Heartbeat, Source
from lvstui.sources.inbox import Inbox
from lvstui.sources.local import local_sources
from lvstui.sources.meter import Meter
from lvstui.sources.recording import Recording

GATHER_S = 0.02
"""Observations of one moment come in bursts: wait this long for the rest of them."""
HELD_S = 0.2
"""Time to the next picture while an event is held back for its reason."""
BETWEEN_S = 0.05
"""Least time between two pictures, so that a storm of facts cannot eat the host."""
SHARE, MOST_BETWEEN_S = 3.0, 1.0
"""The next picture waits so many times as long as the last one took, up to so many seconds."""
LOOK_AGAIN_S = 0.25
"""Least time between two looks made because keepalived said something."""
STEP_S = 1.0
"""A clock that moved this much beside the one that nobody sets was set."""
RESTART_S = (1.0, 5.0, 30.0, 60.0)
"""Pauses before a source that failed is tried again."""
STEADY_S = 2.0
"""A source that failed and has run again for so long works."""
FIRST_LOOK_S = 20.0
"""The first look loads what it needs: on a busy host that takes longer than any other."""
NEEDED = frozenset({"proc", "daemon", "dump", "file", "log", "rtnetlink"})
"""Sources whose first word makes a picture worth judging."""
_URGENT = (f.AddressChanged, f.InstanceChanged, f.LinkChanged, f.ServerChanged)
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
        drift: Callable[[], float] | None = None,
    ) -> None:
        """drift: epoch seconds of the moment at which this host's clock that nobody sets began;
        None for another clock than the host's."""
        self.host = host or default_config_id()
        self.interval_s = interval_s
        self._sources = list(sources)
        self._recorder = recorder
        self._clock = clock
        self._inbox = Inbox()
        self._stop = threading.Event()
        self._known = Knowledge(self.host, interval_s)
        self._picture = Picture(at=clock(), host=self.host, interval_s=interval_s)
        self._listeners: list[Callable[[Picture], None]] = []
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._threads: list[threading.Thread] = []
        self._meter = Meter()
        self._shown: tuple[ServiceKey, ...] | None = None
        self._heard: set[str] = set()
        self._needed = NEEDED & {source.name for source in self._sources}
        self._known.awaited = self._needed
        self._last_learnt = time.monotonic()
        self._absent: set[str] = set()
        self._look_again, self._looked = False, 0.0
        self._drawn = 0  # how many of what has come are in the picture
        self._drift = drift
        self._epoch = drift() if drift is not None else 0.0
        self._awake = 0.0
        """Seconds in which this process was able to work: nobody is late while it was stopped."""
        self._beats: dict[str, tuple[float, float]] = {}
        """Of each source that runs: when it gave its last sign of life, how long it may wait then
        (seconds, by `_awake`)."""
        self._silent: set[str] = set()
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

    def settle(self, timeout_s: float = 5.0, quiet_s: float = 0.25) -> Picture:
        """The picture once the first word of every needed source is in and nothing new came for
        `quiet_s`; whatever is known when the time is up. What did not come is a gap of it."""
        deadline = time.monotonic() + timeout_s
        needed = self._needed
        while (now := time.monotonic()) < deadline:
            if needed <= self._heard and now - self._last_learnt >= quiet_s:
                break
            time.sleep(0.02)
        for name in sorted(needed - self._heard):
            self.absent(name, f"{name_of(name)}: nothing came within {timeout_s:.0f} s")
        self.wait_for(lambda picture: picture.ready, max(deadline - time.monotonic(), 0.5))
        return self._picture

    def with_all_said(self) -> Picture:
        """The picture in which everything is that was pushed until now."""
        came = self._inbox.came
        return self.wait_for(lambda _: self._drawn >= came, 1.5) or self._picture

    def absent(self, source: str, what: str) -> None:
        """Say that something did not come in time; it may still."""
        self._absent.add(source)
        remedy = "look again: this host is busy, or what it reads does not answer"
        self.push(f.Observation(self._clock(), self.host, source, f.Missing(source, what, remedy)))

    # -- running

    def start(self) -> None:
        """Start all threads (daemon threads: none of them can hold up an exit)."""
        self._spawn("lvstui-watch", self._build)
        for source in self._sources:
            self._spawn(f"lvstui-{source.name}", self._run, source)

    def stop(self) -> None:
        """End the threads; waits half a second for them at most."""
        self._stop.set()
        self._inbox.wake()
        deadline = time.monotonic() + 0.5
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0))

    def push(self, seen: f.Observation) -> None:
        """Take an observation in from any thread."""
        self._inbox.put(seen)

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
        life = Heartbeat(self._stop, lambda wait_s: self._alive(source, wait_s))
        try:
            self._keep_running(source, life)
        finally:
            self._beats.pop(source.name, None)

    def _alive(self, source: Source, wait_s: float) -> None:
        """A sign of life of a source that is going to wait for so long."""
        allowed = wait_s + source.look_within_s + 2 * self.interval_s
        self._beats[source.name] = self._awake, allowed

    def _keep_running(self, source: Source, life: threading.Event) -> None:
        failures = 0
        while not self._stop.is_set():
            self._alive(source, FIRST_LOOK_S)
            steady = threading.Timer(STEADY_S, self._works_again, (source.name,))
            steady.daemon = True

            def push(seen: f.Observation, steady: threading.Timer = steady) -> None:
                if isinstance(seen.fact, f.Missing) and seen.fact.source == source.name:
                    steady.cancel()
                self.push(seen)

            first = failures == 0
            context = Context(self.host, self.push if first else push, life, self.interval_s)
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
                if life.wait(pause):
                    return

    def _works_again(self, source: str) -> None:
        """Takes back that it failed: not every source says that it works."""
        self.push(f.Observation(time.time(), self.host, source, f.Available(source)))

    def _build(self) -> None:
        published, took = 0.0, 0.0
        while not self._stop.is_set():
            hurried = self._known.waits or self._look_again
            first = self._next(HELD_S if hurried else self.interval_s)
            started = time.perf_counter()
            due = published + min(max(BETWEEN_S, SHARE * took), MOST_BETWEEN_S)
            waited = 0.0
            if first is not None:
                urgent = self._learn(first)
                waited = self._gather(due, due if urgent else max(started + GATHER_S, due))
            spent = time.perf_counter() - started - waited
            began = time.perf_counter()
            self._publish(spent)
            published = time.perf_counter()
            took = published - began

    def _next(self, timeout_s: float) -> f.Observation | None:
        began = time.monotonic()
        seen = self._inbox.take(timeout_s)
        # What is more was not our time: this process was stopped, or got no processor.
        self._awake += min(time.monotonic() - began, max(timeout_s, 0.0) + 0.1)
        return seen

    def _gather(self, due: float, deadline: float) -> float:
        """Learn what comes until `deadline`, or until `due` once something urgent came; seconds
        waited."""
        waited = 0.0
        while not self._stop.is_set():
            began = time.perf_counter()
            if began >= deadline:
                break
            seen = self._next(deadline - began)
            waited += time.perf_counter() - began
            if seen is None:
                break
            if self._learn(seen):
                deadline = min(deadline, due)
        return waited

    def _mind_the_clock(self) -> None:
        """Say that the clock was set, before anything that is dated by the new one is learnt."""
        if self._drift is None:
            return
        epoch = self._drift()
        step = epoch - self._epoch
        if abs(step) > STEP_S:
            self._epoch = epoch
            self._take(self._own(f.ClockStepped(abs(step), step < 0)))

    def _own(self, fact: f.Fact) -> f.Observation:
        return f.Observation(self._clock(), self.host, "watch", fact)

    def _mind_the_sources(self) -> None:
        """Say which sources have become silent, or look again, and what was dropped."""
        beats = dict(self._beats)
        for name, (beat, allowed) in beats.items():
            late = self._awake - beat
            if late > allowed and name not in self._silent:
                self._silent.add(name)
                self._take(self._own(f.SourceSilent(name, self._clock() - late)))
        for name in list(self._silent):
            beat, allowed = beats.get(name, (self._awake, 0.0))
            if self._awake - beat <= allowed:
                self._silent.discard(name)
                self._take(self._own(f.SourceSilent(name, None)))
        for what, count in self._inbox.dropped().items():
            self._take(self._own(f.Overrun(what, count)))

    def _learn(self, seen: f.Observation) -> bool:
        """Take one in; True when the operator should see it without any delay."""
        self._mind_the_clock()
        if seen.source in self._absent and not isinstance(seen.fact, f.Missing):
            self._absent.discard(seen.source)
            self._take(self._own(f.Available(seen.source)))
        if seen.source not in self._heard and self._is_word(seen):
            self._heard.add(seen.source)
            self._known.awaited = self._needed - self._heard
        self._last_learnt = time.monotonic()
        return self._take(seen)

    @staticmethod
    def _is_word(seen: f.Observation) -> bool:
        """Whether a source has said by this what it sees: a log is read back line by line."""
        return seen.source != "log" or isinstance(seen.fact, f.Available | f.Missing)

    def _take(self, seen: f.Observation) -> bool:
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
        fact = seen.fact
        if isinstance(fact, f.TableSeen):
            keys = tuple(service.key for service in fact.table.services)
            for source in self._sources:
                source.services(keys)
        urgent = isinstance(fact, _URGENT) and not seen.past
        # What keepalived said shows in the kernel at once.
        self._look_again |= urgent and isinstance(fact, f.ServerChanged)
        return urgent

    def _publish(self, spent_s: float) -> None:
        self._known.cost = self._meter.cost(self._known.cost)
        began = time.perf_counter()
        self._mind_the_clock()
        self._mind_the_sources()
        lag, taken = self._inbox.age_s(), self._inbox.taken
        if self._shown is not None:
            self._known.on_screen(self._shown)
        try:
            picture = self._known.picture(self._clock() - lag, lag)
        except Exception as error:
            # As above. The last picture stays, with its time: it grows old before everybody.
            what = _trouble("no new picture could be made", error)
            gaps = [gap for gap in self._picture.gaps if gap.source != "watch"]
            picture = replace(self._picture, gaps=(*gaps, Gap("watch", what, "")))
        self._tell_sources(picture)
        self._meter.tick_ms = (spent_s + time.perf_counter() - began) * 1000
        with self._changed:
            self._picture, self._drawn = picture, taken
            listeners = list(self._listeners)
            self._changed.notify_all()
        for listener in listeners:
            listener(picture)
        if self._look_again and began - self._looked >= LOOK_AGAIN_S:
            self._look_again, self._looked = False, began
            self.refresh()

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


def local_watcher(
    *,
    config: str = "",
    interval_s: float = 1.0,
    recorder: Callable[[f.Observation], None] | None = None,
) -> Watcher:
    """A watcher over everything that this host can tell; not started yet."""
    sources = local_sources(config)
    return Watcher(sources, interval_s=interval_s, recorder=recorder, drift=_boot_epoch)


def _boot_epoch() -> float:
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


def replay_watcher(recording: Recording) -> Watcher:
    return Watcher([recording], host=recording.host, clock=recording.clock)
