"""What the console sees of a change that waits, from the marks that the host's scripts leave."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lvstui.model.facts import ChangesSeen, Fact, Missing, Observation
from lvstui.model.waiting import ChangeStands
from lvstui.sources.base import Context
from lvstui.sources.changes import ChangeMarks
from tests.unit.keepalived.daemon.change_host import ID, Host


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    found = Host(tmp_path)
    found.conf.write_bytes(b"old \x00 'text' \xff\n")
    yield found
    found.close()


def seen(host: Host) -> ChangeStands:
    (change,) = ChangeMarks(host.state).look()
    return change


def test_a_change_from_its_beginning_to_its_end(host: Host) -> None:
    assert ChangeMarks(host.state).look() == ()
    host.begin(host.step(), seconds=600)
    change = seen(host)
    assert (change.id, change.state, change.title, change.who) == (ID, "armed", "a change", "alice")
    assert 500 < change.left_s(time.time()) <= 600
    assert (change.guarded, change.plight(time.time())) == (True, "")
    host.phase("write")
    host.close()
    assert "the timer is gone" in seen(host).plight(time.time())
    (host.state / ID / "boot_id").write_text("another\n")
    assert "started anew" in seen(host).plight(time.time())
    host.phase("revert", "a reason")
    change = seen(host)
    assert (change.state, change.outcome, change.plight(time.time())) == (
        "reverted",
        "a reason",
        "",
    )


def test_somebody_with_the_number_of_a_guard_is_none(host: Host) -> None:
    host.begin(host.step())
    host.close()
    for name in ("guard.1", "guard.2"):
        (host.state / ID / name).write_text(f"{os.getpid()}\n")
    assert seen(host).guarded is False
    assert host.entry().standing[0].guarded is False


def test_all_that_the_host_remembers_newest_first(tmp_path: Path) -> None:
    for name, mark, title in (
        ("20260101T000000-a", "armed", "old"),
        ("20260102T000000-a", "confirmed", "new"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / mark).touch()
        (tmp_path / name / "meta.json").write_text(json.dumps({"title": title, "at": 5}))
    marks = ChangeMarks(tmp_path)
    assert [change.title for change in marks.look()] == ["new", "old"]


@pytest.mark.parametrize("meta", ["", "{", "[]", '{"title": 5, "at": "x"}', "\x00\xff"])
def test_what_is_cut_or_strange_is_one_strange_change(tmp_path: Path, meta: str) -> None:
    folder = tmp_path / "20260101T000000-a"
    folder.mkdir()
    for name in ("armed", "deadline", "guard.1", "boot_id", "trouble"):
        (folder / name).write_text(meta)
    (folder / "meta.json").write_text(meta)
    (change,) = ChangeMarks(tmp_path).look()
    assert (change.state, change.guarded) == ("armed", False)


def told(marks: ChangeMarks, until: int) -> list[Fact]:
    """The facts that the source pushes, until there are so many."""
    found: list[Fact] = []
    stop = threading.Event()

    def push(observation: Observation) -> None:
        found.append(observation.fact)
        if len(found) >= until:
            stop.set()

    timer = threading.Timer(20, stop.set)
    timer.start()
    marks.run(Context("here", push, stop, 0.05))
    timer.cancel()
    return found


def test_it_is_told_once_and_when_its_timer_dies(host: Host) -> None:
    host.begin(host.step())
    death = threading.Timer(1.0, host.close)
    death.start()
    first, second = told(ChangeMarks(host.state), 2)
    death.join()
    assert isinstance(first, ChangesSeen)
    assert isinstance(second, ChangesSeen)
    assert (first.changes[0].guarded, second.changes[0].guarded) == (True, False)
    assert first.changes[0].deadline == second.changes[0].deadline


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_without_the_right_it_says_what_is_not_seen(tmp_path: Path) -> None:
    state = tmp_path / "shut" / "config"
    state.mkdir(parents=True)
    (tmp_path / "shut").chmod(0)
    (fact,) = told(ChangeMarks(state), 1)
    (tmp_path / "shut").chmod(0o700)
    assert isinstance(fact, Missing)
    assert "wait to be kept" in fact.what
