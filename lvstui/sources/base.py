"""The one small interface of every source."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lvstui.model.facts import Fact, Missing, Observation
from lvstui.model.keys import ServiceKey
from lvstui.model.vrrp import HeldAddress

Emit = Callable[[Observation], None]
"""Takes an observation; called from the source's thread; cheap and never blocks long."""


@dataclass(slots=True)
class Context:
    """What a source is given: whom it observes for, where it pushes to, when it must end."""

    host: str
    push: Emit
    stop: threading.Event = field(default_factory=threading.Event)
    interval_s: float = 1.0
    """The tick for sources that have to poll."""

    def emit(self, source: str, fact: Fact, at: float | None = None, past: bool = False) -> None:
        """Push one fact; `at` in epoch seconds, now when left out."""
        self.push(Observation(time.time() if at is None else at, self.host, source, fact, past))

    def missing(self, source: str, what: str, remedy: str = "") -> None:
        """Say what cannot be seen here, and the way to get it."""
        self.emit(source, Missing(source, what, remedy))

    def wait(self, seconds: float) -> bool:
        """Sleep; True when it is time to end."""
        return self.stop.wait(seconds)

    def ticks(self, every_s: float | None = None) -> Iterator[None]:
        """Now and after each interval (or other time), until it is time to end."""
        while True:
            yield
            if self.wait(self.interval_s if every_s is None else every_s):
                return


class Heartbeat(threading.Event):
    """Whether it is time to end, as one source asks it: who asks has just ended a look, and who
    waits says for how long."""

    def __init__(self, whole: threading.Event, beat: Callable[[float], None]) -> None:
        super().__init__()
        self._whole, self._beat = whole, beat

    def is_set(self) -> bool:
        self._beat(0.0)
        return self._whole.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        self._beat(math.inf if timeout is None else timeout)
        return self._whole.wait(timeout)

    def set(self) -> None:
        self._whole.set()


class Source:
    """One place that facts come from. What it can do besides is called from any thread, and does
    nothing unless a source says so."""

    name: str
    look_within_s = 15.0
    """A look, and whatever else keeps it from asking whether to end, takes no longer than this
    on a slow host."""

    def run(self, context: Context) -> None:
        """Observe until `context.stop` is set. Returns early when there is nothing to see here
        (after a `Missing` fact). Any exception is turned into a `Missing` fact and a later
        restart by whoever runs it. Must notice `context.stop` within half a second: asking is its
        sign of life."""
        raise NotImplementedError

    def look_now(self) -> None:
        """Do not wait for the next tick."""

    def watch_closely(self, services: tuple[ServiceKey, ...]) -> None:
        """These are on screen now."""

    def services(self, services: tuple[ServiceKey, ...]) -> None:
        """These are in the kernel's table now."""

    def virtual(self, vips: tuple[HeldAddress, ...]) -> None:
        """These are this host's virtual addresses now."""

    def ask_owners(self, vips: tuple[str, ...]) -> bool:
        """Ask on the wire who has these addresses; False when this source cannot."""
        return False

    def ask_daemon(self) -> bool:
        """Have keepalived write what it knows; False when this source cannot ask it."""
        return False


def modified(path: str | os.PathLike[str]) -> float:
    """Epoch seconds of a file's last change; 0 when it cannot be seen."""
    try:
        return max(os.stat(path).st_mtime, 0.0)
    except OSError:
        return 0.0
