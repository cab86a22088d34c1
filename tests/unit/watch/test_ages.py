"""A picture never looks fresher than it is: sources that hang, queues, clocks that are set."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lvstui import watch
from lvstui.model import facts as f
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.picture import Picture, Severity
from lvstui.sources.base import Context, Source
from lvstui.sources.proc import ProcTable
from lvstui.watch import Watcher

TABLE = Path(__file__).parents[2] / "data" / "ip_vs.txt"
WEB = ServiceKey.of("tcp", "10.10.0.20", 80)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "FIRST_LOOK_S", 0.2)


def until(watcher: Watcher, true: Callable[[Picture], bool]) -> Picture:
    found = watcher.wait_for(true, 20)
    assert found is not None, (watcher.picture.gaps, watcher.picture.silent)
    return found


class QuickTable(ProcTable):
    look_within_s = 0.2


def test_a_table_that_does_not_answer_is_named_with_its_age(tmp_path: Path) -> None:
    path = tmp_path / "ip_vs"
    path.write_text(TABLE.read_text())
    with Watcher([QuickTable(str(path))], host="lb1", interval_s=0.05) as watcher:
        before = until(watcher, lambda picture: bool(picture.services))
        assert before.silent == {}
        path.unlink()
        os.mkfifo(path)
        silent = until(watcher, lambda picture: "proc" in picture.silent)
        assert 0.0 < silent.at - silent.silent["proc"] < 20
        assert "the kernel's table: no look has ended since" in silent.gaps[0].what
        (warning,) = [one for one in silent.warnings if one.id == "silent proc"]
        assert warning.severity is Severity.BAD
        assert "the kernel's table: last looked at" in warning.text
        assert silent.services == before.services
        # Whoever opens the other end lets it go on.
        path.write_text("")
        path.unlink()
        path.write_text(TABLE.read_text())
        back = until(watcher, lambda picture: not picture.silent and bool(picture.services))
        assert not any("silent" in one.id for one in back.warnings)


def test_a_table_that_never_came_is_no_reason_to_wait_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "ip_vs"
    os.mkfifo(path)
    with Watcher([QuickTable(str(path))], host="lb1", interval_s=0.05) as watcher:
        picture = watcher.settle(0.3)
        assert picture.ready
        assert not picture.table_readable
        assert [gap.source for gap in picture.gaps] == ["proc"]


class Sleeps(Source):
    """Waits for long, as a source with nothing to do does."""

    name = "dbus"
    look_within_s = 0.2

    def run(self, context: Context) -> None:
        context.emit(self.name, f.Available(self.name))
        context.wait(60)


def test_who_waits_on_purpose_is_not_late() -> None:
    with Watcher([Sleeps()], host="lb1", interval_s=0.05) as watcher:
        began = time.monotonic()
        until(watcher, lambda _: time.monotonic() - began > 1.5)
        assert watcher.picture.silent == {}


class Storm(Source):
    """Thousands of urgent facts at once."""

    name = "log"

    def __init__(self) -> None:
        self.go = threading.Event()
        self.looks = 0

    def look_now(self) -> None:
        self.looks += 1

    def run(self, context: Context) -> None:
        self.go.wait(20)
        for number in range(4000):
            server = ServerKey(f"10.10.{number >> 8}.{number & 255}", 80)
            context.emit(self.name, f.ServerChanged(WEB, server, False, "removed"))
        context.stop.wait(60)


def test_a_storm_makes_few_pictures_and_the_last_one_has_all_of_it() -> None:
    storm = Storm()
    pictures: list[Picture] = []
    with Watcher([storm], host="lb1", interval_s=0.05) as watcher:
        watcher.subscribe(pictures.append)
        storm.go.set()
        until(watcher, lambda picture: len(picture.events) == 1000)
        last = "10.10.15.159:80"
        until(watcher, lambda picture: any(last in event.text for event in picture.events))
        assert len(pictures) < 400
        assert 1 <= storm.looks < 100


def test_what_waits_makes_the_picture_older() -> None:
    ready, go = threading.Event(), threading.Event()

    def slow(seen: f.Observation) -> None:
        ready.set()
        go.wait(20)

    with Watcher([], host="lb1", interval_s=0.05, recorder=slow) as watcher:
        for number in range(100):
            change = f.InstanceChanged(f"VI_{number}", "BACKUP")
            watcher.push(f.Observation(time.time(), "lb1", "log", change))
        assert ready.wait(20)
        time.sleep(2.5)
        go.set()
        lagging = until(watcher, lambda picture: picture.lag_s > 2)
        assert time.time() - lagging.at > 2
        assert any("behind: more comes" in warning.text for warning in lagging.warnings)
        until(watcher, lambda picture: len(picture.instances) == 100 and not picture.lag_s)


def test_a_clock_that_was_set_makes_nothing_older_or_younger() -> None:
    epoch = time.time()
    step = 0.0
    began = time.monotonic()

    def wall() -> float:
        return epoch + step + time.monotonic() - began

    with Watcher(
        [], host="lb1", interval_s=0.05, clock=wall, drift=lambda: epoch + step
    ) as watcher:
        watcher.push(f.Observation(wall() - 100, "lb1", "log", f.InstanceChanged("VI", "BACKUP")))
        before = until(watcher, lambda picture: bool(picture.instances))
        step = -7200.0
        after = until(watcher, lambda picture: picture.at < epoch - 3600)
        (was,), (now,) = before.instances, after.instances
        assert was.since is not None
        assert now.since is not None
        assert abs((after.at - now.since) - (before.at - was.since)) < 20


def test_most_of_a_table_gone_at_once_is_looked_at_again(tmp_path: Path) -> None:
    path = tmp_path / "ip_vs"
    whole = TABLE.read_text()
    head = "".join(whole.splitlines(keepends=True)[:3])
    path.write_text(whole)
    source = ProcTable(str(path))
    seen: list[f.TableSeen] = []
    context = Context("lb1", lambda o: seen.append(o.fact))  # type: ignore[arg-type]
    source._say(context, source.look().table)  # type: ignore[union-attr]
    count = len(seen[-1].table.services)
    path.write_text(head)
    mend = threading.Timer(0.01, path.write_text, (whole,))
    mend.start()
    fact = source.look()
    mend.join()
    assert isinstance(fact, f.TableSeen)
    assert len(fact.table.services) == count
    path.write_text(head)
    gone = source.look()
    assert isinstance(gone, f.TableSeen)
    assert gone.table.services == ()


def test_what_came_late_is_no_gap_any_more(tmp_path: Path) -> None:
    path = tmp_path / "ip_vs"
    os.mkfifo(path)
    with Watcher([ProcTable(str(path))], host="lb1", interval_s=0.05) as watcher:
        watcher.settle(0.3)
        found = until(watcher, lambda picture: bool(picture.gaps))
        assert found.gaps[0].what == "the kernel's table: nothing came within 0 s"
        path.write_text(TABLE.read_text())
        until(watcher, lambda picture: bool(picture.services) and not picture.gaps)
