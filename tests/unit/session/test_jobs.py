"""One piece of work at a time; its end is heard, whatever it was."""

from __future__ import annotations

import threading
from collections.abc import Callable

from lvstui.session.jobs import Jobs, at_once


def test_in_place_it_is_done_when_start_returns() -> None:
    jobs = Jobs(at_once, at_once)
    seen: list[object] = []
    jobs.watchers.append(lambda: seen.append(jobs.under_way))
    jobs.start("adding", lambda: 1 + 1, seen.append)
    assert seen == [2, "", ""]


def test_what_went_wrong_is_told_and_the_next_one_begins() -> None:
    jobs = Jobs(at_once, at_once)
    told: list[tuple[str, bool]] = []
    jobs.tell = lambda text, bad: told.append((text, bad))
    lost: list[str] = []
    jobs.start("dividing", lambda: 1 // 0, lambda value: None)
    jobs.start("dividing", lambda: 1 // 0, lambda value: None, lost.append)
    assert told == [("ZeroDivisionError: integer division or modulo by zero", True)]
    assert lost == ["ZeroDivisionError: integer division or modulo by zero"]
    assert jobs.under_way == ""


def test_a_second_piece_waits_for_the_first() -> None:
    calls: list[Callable[[], None]] = []
    gate = threading.Event()
    came = threading.Event()

    def later(call: Callable[[], None]) -> None:
        calls.append(call)
        came.set()

    jobs = Jobs(later)
    done: list[bool] = []
    lost: list[str] = []
    jobs.start("waiting", lambda: gate.wait(60), done.append)
    jobs.start("hurrying", lambda: True, done.append, lost.append)
    assert (jobs.under_way, lost) == ("waiting", ["wait for this: waiting"])
    gate.set()
    assert came.wait(60)
    assert not done, "its end belongs to the owner's thread"
    calls.pop()()
    assert (jobs.under_way, done) == ("", [True])
