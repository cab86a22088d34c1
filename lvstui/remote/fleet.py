"""The same work on many hosts at once."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from lvstui.model.text import plain
from lvstui.remote.operator_wait import OperatorWait, using
from lvstui.remote.runner import ErrorKind, RemoteError

LIMIT = 10
"""Hosts at a time; sshd of a jump host refuses more than that (MaxStartups 10:30:100)."""

DEADLINE_S = 120.0
TICK_S = 0.1

Item = TypeVar("Item")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class FleetOutcome(Generic[Item, Value]):
    """What came of one host: `value`, or `error` when that is not None."""

    item: Item
    value: Value | None = None
    error: RemoteError | None = None


class _Job(Generic[Item, Value]):
    def __init__(self, item: Item) -> None:
        self.item = item
        self.patience = OperatorWait()
        self.started = time.monotonic()

    def worked_s(self) -> float:
        return time.monotonic() - self.started - self.patience.waited_s()


def run_on_all(
    items: Sequence[Item],
    work: Callable[[Item], Value],
    *,
    limit: int = LIMIT,
    deadline_s: float = DEADLINE_S,
    cancel: threading.Event | None = None,
    name: Callable[[Item], str] = str,
) -> Iterator[FleetOutcome[Item, Value]]:
    """Do `work` for every item, `limit` at a time; outcomes come as they are there.

    deadline_s: for one item; the time the operator is asked something does not count. An item
    that passes it is given up (HANGS): its thread is left behind as a daemon, its place is free.
    cancel: when set, everything that is not done is given up (CANCELLED).
    name: the item in error messages.
    Errors of `work` other than RemoteError are told as SETUP. An iterator that is left early
    starts nothing more.
    """
    waiting = list(reversed(items))
    running: dict[int, _Job[Item, Value]] = {}
    results: queue.SimpleQueue[tuple[int, FleetOutcome[Item, Value]]] = queue.SimpleQueue()
    number = 0
    while waiting or running:
        if cancel is not None and cancel.is_set():
            for item in [job.item for job in running.values()] + waiting[::-1]:
                yield FleetOutcome(
                    item, error=RemoteError(ErrorKind.CANCELLED, f"{name(item)}: stopped")
                )
            return
        while waiting and len(running) < limit:
            number += 1
            job: _Job[Item, Value] = _Job(waiting.pop())
            running[number] = job
            threading.Thread(
                target=_run,
                args=(number, job, work, results, name),
                daemon=True,
                name="lvstui-fleet",
            ).start()
        try:
            key, outcome = results.get(timeout=TICK_S)
        except queue.Empty:
            for key, job in list(running.items()):
                if job.worked_s() > deadline_s:
                    del running[key]
                    text = f"{name(job.item)}: not done in {deadline_s:.0f} s"
                    error = RemoteError(ErrorKind.HANGS, text, "look at its load and the network")
                    yield FleetOutcome(job.item, error=error)
            continue
        # One that was given up may still come to an end.
        if running.pop(key, None) is not None:
            yield outcome


def _run(
    number: int,
    job: _Job[Item, Value],
    work: Callable[[Item], Value],
    results: queue.SimpleQueue[tuple[int, FleetOutcome[Item, Value]]],
    name: Callable[[Item], str],
) -> None:
    value, error = None, None
    try:
        with using(job.patience):
            value = work(job.item)
    except RemoteError as failure:
        error = failure
    except BaseException as failure:
        text = f"{name(job.item)}: {type(failure).__name__}: {plain(str(failure), 300)}"
        error = RemoteError(ErrorKind.SETUP, text, "this is a fault of lvstui or of its setup")
    results.put((number, FleetOutcome(job.item, value, error)))
