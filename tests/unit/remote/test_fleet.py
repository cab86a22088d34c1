"""Many hosts at once: limits, deadlines, cancelling, questions."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

from lvstui.remote.fleet import run_on_all
from lvstui.remote.operator_wait import current
from lvstui.remote.runner import ErrorKind, RemoteError


def test_values_and_errors_come_as_they_are_there() -> None:
    def work(number: int) -> int:
        time.sleep(0.05 * number)
        if number == 2:
            raise RemoteError(ErrorKind.LOGIN, "no")
        if number == 3:
            raise ValueError("\x1b[31m")
        return number * 10

    seen = list(run_on_all([4, 3, 2, 1], work))
    assert [o.item for o in seen] == [1, 2, 3, 4]
    assert [o.value for o in seen] == [10, None, None, 40]
    troubles = [o.error.trouble if o.error else None for o in seen]
    assert troubles == [None, ErrorKind.LOGIN, ErrorKind.SETUP, None]
    assert "\x1b" not in str(seen[2].error)


def test_no_more_than_the_limit_at_a_time() -> None:
    lock, now, most = threading.Lock(), [0], [0]

    def work(_: int) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.02)
        with lock:
            now[0] -= 1

    assert len(list(run_on_all(range(12), work, limit=3))) == 12
    assert most[0] == 3


def test_one_that_hangs_gives_its_place_to_others() -> None:
    stop = threading.Event()

    def work(number: int) -> int:
        if number == 0:
            stop.wait(30)
        return number

    started = time.monotonic()
    seen = list(run_on_all([0, 1, 2], work, limit=1, deadline_s=0.3))
    stop.set()
    assert time.monotonic() - started < 5
    assert [(o.item, o.error.trouble if o.error else None) for o in seen] == [
        (0, ErrorKind.HANGS),
        (1, None),
        (2, None),
    ]


def test_the_operators_time_does_not_count() -> None:
    def work(_: int) -> str:
        with current().asking():
            time.sleep(0.6)
        return "done"

    (outcome,) = run_on_all([1], work, deadline_s=0.3)
    assert outcome.value == "done"


def test_cancel() -> None:
    cancel, stop = threading.Event(), threading.Event()
    seen = []
    for outcome in run_on_all(
        ["quick", "slow", "later"],
        lambda name: None if name == "quick" else stop.wait(30),
        limit=2,
        cancel=cancel,
    ):
        seen.append((outcome.item, outcome.error.trouble if outcome.error else None))
        cancel.set()
    stop.set()
    assert seen[0] == ("quick", None)
    assert {item for item, _ in seen} == {"quick", "slow", "later"}
    assert seen[-1][1] is ErrorKind.CANCELLED


def test_the_program_ends_while_a_host_hangs() -> None:
    code = (
        "import time\nfrom lvstui.remote.fleet import run_on_all\n"
        "for o in run_on_all([1], lambda n: time.sleep(60), deadline_s=0.2): print(o.error)"
    )
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert "not done in 0 s" in done.stdout
    assert time.monotonic() - started < 10
