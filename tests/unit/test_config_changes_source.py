"""What lvstui changed in keepalived.conf is seen by every session, with its end and why."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lvstui.model.changes import APPLYING, GOING_BACK, ConfigChangeSeen, Ended, end_in_words
from lvstui.model.facts import Available, Done, Fact, Missing, Observation
from lvstui.model.picture import Severity
from lvstui.model.wire import decode, encode
from lvstui.sources.base import Context
from lvstui.sources.changes import ConfigChanges
from tests.unit.world import T0, World

ID = "20261128T062304-aaaaaa"
UPTIME_S = 5000


class Host:
    """A director's memory of changes, and the /proc that its guard is seen in."""

    def __init__(self, path: Path) -> None:
        self.folder, self.proc = path / "config", path / "proc"
        self.folder.mkdir()
        self.proc.mkdir()
        (self.proc / "uptime").write_text(f"{UPTIME_S}.25 1.0\n")
        self.seen: list[Observation] = []
        self.source = ConfigChanges(self.folder, self.proc)
        self.context = Context("lb1", self.seen.append)

    def change(self, id_: str = ID, left_s: int = 52, **meta: object) -> Path:
        """One that waits, laid out as `begin.sh` does."""
        folder = self.folder / id_
        folder.mkdir()
        about = {"title": "weight of rs1: 10 → 12", "who": "root", "at": time.time() - 8,
                 "timer_s": 60, **meta}  # fmt: skip
        (folder / "meta.json").write_text(json.dumps(about) + "\n")
        (folder / "deadline").write_text(f"{UPTIME_S + left_s}\n")
        (folder / "armed").write_text("")
        current = self.folder / "current"
        current.unlink(missing_ok=True)
        current.symlink_to(id_)
        self.guard(id_)
        return folder

    def guard(self, id_: str = ID, *, alive: bool = True) -> None:
        """Its timer's process."""
        process = self.proc / "77"
        if not alive:
            shutil.rmtree(process)
            return
        process.mkdir(exist_ok=True)
        line = f"sh\0{self.folder}/{id_}/change.sh\0guard\0"
        (process / "cmdline").write_bytes(line.encode())

    def decide(self, folder: Path, marker: str, outcome: str) -> None:
        """As `change.sh` does."""
        (folder / "armed").rename(folder / marker)
        (folder / "outcome").write_text(outcome + "\n")
        (self.folder / "current").unlink()

    def look(self, *, first: bool = False) -> list[ConfigChangeSeen]:
        """What is new."""
        self.seen.clear()
        self.source._look(self.context, first)
        return [one.fact for one in self.seen if isinstance(one.fact, ConfigChangeSeen)]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_a_change_that_another_session_made_is_seen_with_its_seconds(host: Host) -> None:
    assert host.look(first=True) == []
    host.change(reason="more power")
    (one,) = host.look()
    assert (one.ended, one.stage, one.guarded, one.waits) == (Ended.WAITING, "", True, True)
    assert (one.title, one.who, one.reason) == ("weight of rs1: 10 → 12", "root", "more power")
    assert 50 < one.deadline - time.time() < 53
    assert host.look() == [], "told once, not at each tick"
    decoded = decode(encode(host_observation(one)))
    assert decoded.fact == one


def host_observation(fact: Fact) -> Observation:
    return Observation(1.0, "lb1", "changes", fact)


def test_until_it_was_verified_it_can_not_be_kept(host: Host) -> None:
    folder = host.change(left_s=110)
    (one,) = host.look()
    assert (one.stage, one.waits) == (APPLYING, False)
    (folder / "deadline").write_text(f"{UPTIME_S + 60}\n")
    (one,) = host.look()
    assert (one.stage, one.waits) == ("", True)


@pytest.mark.parametrize(
    ("marker", "outcome", "ended", "words"),
    [
        ("reverted", "the timer ran out", Ended.TAKEN_BACK,
         "rolled back: not kept in time (timer)"),
        ("reverted", "lb1: 10.10.0.6:80 is not in the pool", Ended.TAKEN_BACK,
         "rolled back: lb1: 10.10.0.6:80 is not in the pool"),
        ("reverted", "undone by bob", Ended.UNDONE, "undone by bob"),
        ("confirmed", "kept by bob", Ended.CONFIRMED, "kept by bob"),
        ("trouble.end", "the timer ran out; it can not be restored", Ended.TROUBLE,
         "trouble: the timer ran out; it can not be restored"),
    ],
)  # fmt: skip
def test_its_end_says_who_or_what_and_why(
    host: Host, marker: str, outcome: str, ended: Ended, words: str
) -> None:
    folder = host.change()
    host.look(first=True)
    host.decide(folder, marker, outcome)
    (one,) = host.look()
    assert one.ended is ended
    assert one.end.startswith(words)
    assert one.end.endswith("after it was made")
    assert abs(one.came - time.time()) < 60
    assert host.look() == []


def test_a_timer_that_is_gone_is_said_and_one_that_is_started_again_is_not(host: Host) -> None:
    host.change()
    host.look(first=True)
    host.guard(alive=False)
    assert host.look() == [], "whoever kills it gets another one within a second"
    host.guard()
    assert host.look() == []
    host.guard(alive=False)
    assert host.look() == []
    (one,) = host.look()
    assert not one.guarded


def test_going_back_is_a_stage(host: Host) -> None:
    folder = host.change()
    host.look(first=True)
    (folder / "armed").rename(folder / "reverting")
    (one,) = host.look()
    assert (one.ended, one.stage) == (Ended.WAITING, GOING_BACK)


def test_one_that_can_not_be_read_keeps_no_other_from_being_seen(host: Host) -> None:
    bad = host.change("20261128T062000-bad000")
    (bad / "meta.json").write_text('["no object"]')
    worse = host.change("20261128T062001-bad001")
    (worse / "meta.json").unlink()
    (worse / "meta.json").symlink_to("/proc/self/mem")
    (host.folder / "20261128T062002-bad002").symlink_to("nowhere")
    host.change()
    assert [one.id for one in host.look(first=True)] == [ID]


def test_hostile_words_are_made_harmless(host: Host) -> None:
    host.change(title="a\x1b[31mred\nline", who="eve\x07")
    (one,) = host.look(first=True)
    assert (one.title, one.who) == ("a␛[31mred␊line", "eve␇")


def test_what_may_not_be_looked_at_is_a_gap_until_it_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = Host(tmp_path)
    denied = True

    class Folder(type(Path())):  # type: ignore[misc]
        def stat(self, **options: object) -> os.stat_result:
            if denied:
                raise PermissionError(13, "Permission denied")
            return os.stat(str(self))

    source = ConfigChanges(Folder(host.folder), host.proc)
    context = Context("lb1", host.seen.append, interval_s=0.01)
    thread = threading.Thread(target=source.run, args=(context,), daemon=True)
    thread.start()
    try:
        until(lambda: bool(host.seen))
        assert [type(one.fact) for one in host.seen] == [Missing]
        denied = False
        until(lambda: len(host.seen) > 1)
        assert isinstance(host.seen[-1].fact, Available)
    finally:
        context.stop.set()
        thread.join(10)


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


# What is told of it


def one(ended: Ended, outcome: str = "", **more: object) -> ConfigChangeSeen:
    values: dict[str, object] = {
        "came": T0 + 70 if ended is not Ended.WAITING else 0.0, "outcome": outcome,
        "deadline": T0 + 60, **more,
    }  # fmt: skip
    return ConfigChangeSeen(ID, ended, "weight of rs1: 10 → 12", "root", T0, **values)  # type: ignore[arg-type]


def test_applied_and_rolled_back_are_events_each_once() -> None:
    world = World()
    world.say(one(Ended.WAITING, stage=APPLYING))
    for _ in range(3):
        world.say(one(Ended.WAITING))
    world.say(one(Ended.TAKEN_BACK, "the timer ran out"))
    told = [(e.severity, e.text) for e in world.picture().events if e.kind == "config"]
    assert told == [
        (Severity.INFO, "root applies weight of rs1: 10 → 12"),
        (Severity.WARN, "root applied weight of rs1: 10 → 12: waits to be kept"),
        (Severity.WARN, "weight of rs1: 10 → 12: rolled back: not kept in time (timer), 1 min "
         "after it was made"),
    ]  # fmt: skip
    (change,) = world.picture().changes
    assert change.ended is Ended.TAKEN_BACK


def test_a_lost_timer_is_bad_news_and_kept_is_good() -> None:
    world = World()
    world.say(one(Ended.WAITING))
    world.say(one(Ended.WAITING, guarded=False))
    world.say(one(Ended.WAITING))
    world.say(one(Ended.CONFIRMED, "kept by bob"))
    told = [(e.severity, e.text) for e in world.picture().events if e.kind == "config"]
    assert [severity for severity, _ in told] == [Severity.WARN, Severity.BAD, Severity.GOOD]
    assert "NOT be rolled back" in told[1][1]
    assert "kept by bob" in told[2][1]


def test_the_audit_logs_word_of_it_is_not_told_twice() -> None:
    world = World()
    world.say(Done("configuration", "root", "root: configuration on lb1: waiting: loaded"))
    assert world.picture().events == ()


def test_a_change_without_a_known_end_is_said_as_it_is() -> None:
    assert end_in_words(Ended.TAKEN_BACK, "", 5.0, 0.0) == (
        "rolled back: the host does not say why"
    )
    assert end_in_words(Ended.CONFIRMED, "confirmed by root", 5.0, 4.0) == "kept by root"
