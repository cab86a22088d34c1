"""The one queue between the sources and who makes pictures: bounded, and it says what it dropped.

What is a state (a table, the files, the daemon) or a change of one is never dropped; of the tables
that wait only the newest counts. What comes in any number (adverts, checks, other lines of the log)
waits up to a limit, and then the oldest of its kind makes room.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable

from lvstui.model import facts as f

MOST = 2000
"""Observations of one kind that may wait, where more can come than anybody needs."""
MOST_OF_ALL = 50_000
"""Observations that wait at most, whatever they are."""
MANY: dict[type, str] = {
    f.AdvertSeen: "adverts",
    f.CheckSeen: "words of checks",
    f.DaemonSaid: "lines of keepalived's log",
    f.CountersSeen: "readings of counters",
}
"""Kinds of which the oldest makes room, and what they are called."""
_REST = "observations"


class _Place:
    """One place in the queue; emptied when something newer makes it needless."""

    __slots__ = ("at", "seen")

    def __init__(self, at: float, seen: f.Observation | None) -> None:
        self.at = at
        self.seen = seen


class Inbox:
    """`put` from any thread, `take` from one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._places: deque[_Place] = deque()
        self._tables: dict[str, _Place] = {}
        self._many: dict[type, deque[_Place]] = {kind: deque() for kind in MANY}
        self._count = 0
        self._dropped: Counter[str] = Counter()
        self._came = threading.Condition()
        self._wake = False
        self.came = self.taken = 0
        """How many have come, and been taken or dropped, since the start."""

    def put(self, seen: f.Observation) -> None:
        """Add one; never waits."""
        kind = type(seen.fact)
        place = _Place(self._clock(), seen)
        with self._came:
            if kind is f.TableSeen:
                self._empty(self._tables.get(seen.source))
                self._tables[seen.source] = place
            elif kind in self._many:
                waiting = self._many[kind]
                if len(waiting) >= MOST:
                    self._empty(waiting.popleft())
                    self._dropped[MANY[kind]] += 1
                waiting.append(place)
            elif self._count >= MOST_OF_ALL:
                self._dropped[_REST] += 1
                return
            self._places.append(place)
            self.came += 1
            self._count += 1
            self._came.notify()

    def _empty(self, place: _Place | None) -> None:
        if place is not None and place.seen is not None:
            place.seen = None
            self.taken += 1
            self._count -= 1

    def take(self, timeout_s: float) -> f.Observation | None:
        """The oldest; None when nothing came in that time, or `wake` was called."""
        with self._came:
            if not self._count and not self._wake:
                self._came.wait(max(timeout_s, 0))
            if self._wake:
                self._wake = False
                return None
            while self._places:
                place = self._places.popleft()
                seen = place.seen
                if seen is None:
                    continue
                self._empty(place)
                kind = type(seen.fact)
                if kind is f.TableSeen:
                    del self._tables[seen.source]
                elif kind in self._many:
                    self._many[kind].popleft()
                return seen
            return None

    def wake(self) -> None:
        """Have `take` return now."""
        with self._came:
            self._wake = True
            self._came.notify()

    def __len__(self) -> int:
        return self._count

    def age_s(self) -> float:
        """How long the oldest that waits has been waiting; 0 when nothing waits."""
        with self._came:
            while self._places and self._places[0].seen is None:
                self._places.popleft()
            return max(self._clock() - self._places[0].at, 0.0) if self._places else 0.0

    def dropped(self) -> dict[str, int]:
        """What was dropped since it was asked last, by what it is called."""
        with self._came:
            dropped = dict(self._dropped)
            self._dropped.clear()
        return dropped
