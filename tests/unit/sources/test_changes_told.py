"""What lvstui changed in keepalived.conf is seen by every session, with its end and why."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lvstui.model.changes import Ended, end_in_words
from lvstui.model.facts import ChangesSeen, Done, Observation
from lvstui.model.picture import Severity
from lvstui.model.waiting import APPLYING, GOING_BACK, ChangeStands
from lvstui.model.wire import decode, encode
from lvstui.sources.changes import ChangeMarks
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
        self.source = ChangeMarks(self.folder, self.proc)

    def change(self, id_: str = ID, left_s: int = 52, **meta: object) -> Path:
        """One that waits, laid out as `begin.sh` does."""
        folder = self.folder / id_
        folder.mkdir()
        about = {
            "title": "weight of rs1: 10 → 12",
            "who": "root",
            "at": time.time() - 8,
            "timer_s": 60,
            **meta,
        }
        (folder / "meta.json").write_text(json.dumps(about) + "\n")
        (folder / "deadline").write_text(f"{UPTIME_S + left_s}\n")
        (folder / "armed").write_text("")
        (folder / "guard.1").write_text("77\n")
        process = self.proc / "77"
        process.mkdir(exist_ok=True)
        line = f"sh\0{folder}/change.sh\0guard\0001\0"
        (process / "cmdline").write_bytes(line.encode())
        uid = folder.stat().st_uid
        (process / "status").write_text(f"Name:\tsh\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n")
        return folder

    def decide(self, folder: Path, marker: str, outcome: str) -> None:
        """As `change.sh` does."""
        (folder / "armed").rename(folder / marker)
        (folder / "outcome").write_text(outcome + "\n")

    def look(self) -> ChangeStands:
        """The only one."""
        (one,) = self.source.look()
        return one


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_a_change_that_another_session_made_is_seen_with_its_seconds(host: Host) -> None:
    assert host.source.look() == ()
    host.change(reason="more power", undoes="x-1")
    one = host.look()
    assert (one.ended, one.stage, one.guarded, one.can_settle) == (Ended.WAITING, "", True, True)
    assert (one.title, one.who, one.reason, one.undoes) == (
        "weight of rs1: 10 → 12",
        "root",
        "more power",
        "x-1",
    )
    assert 50 < one.left_s(time.time()) < 53
    seen = Observation(1.0, "lb1", "changes", ChangesSeen((one,)))
    assert decode(encode(seen)) == seen


def test_until_it_was_verified_it_can_not_be_kept(host: Host) -> None:
    folder = host.change(left_s=110)
    assert (host.look().stage, host.look().can_settle) == (APPLYING, False)
    (folder / "deadline").write_text(f"{UPTIME_S + 60}\n")
    assert (host.look().stage, host.look().can_settle) == ("", True)


@pytest.mark.parametrize(
    ("marker", "outcome", "ended", "words"),
    [
        (
            "reverted",
            "the timer ran out",
            Ended.ROLLED_BACK,
            "rolled back: not kept in time (timer)",
        ),
        (
            "reverted",
            "lb1: 10.10.0.6:80 is not in the pool",
            Ended.ROLLED_BACK,
            "rolled back: lb1: 10.10.0.6:80 is not in the pool",
        ),
        ("reverted", "undone by bob", Ended.UNDONE, "undone by bob"),
        ("confirmed", "kept by bob", Ended.KEPT, "kept by bob"),
        (
            "trouble.end",
            "the timer ran out; it can not be restored",
            Ended.TROUBLE,
            "trouble: the timer ran out; it can not be restored",
        ),
    ],
)
def test_its_end_says_who_or_what_and_why(
    host: Host, marker: str, outcome: str, ended: Ended, words: str
) -> None:
    folder = host.change()
    host.look()
    host.decide(folder, marker, outcome)
    one = host.look()
    assert one.ended is ended
    assert one.end.startswith(words)
    assert one.end.endswith("after it was made")
    assert abs(one.came - time.time()) < 60
    assert host.look() == one


def test_going_back_is_a_stage(host: Host) -> None:
    folder = host.change()
    (folder / "armed").rename(folder / "reverting")
    assert (host.look().ended, host.look().stage) == (Ended.WAITING, GOING_BACK)


def test_one_that_can_not_be_read_keeps_no_other_from_being_seen(host: Host) -> None:
    bad = host.change("20261128T062000-bad000")
    (bad / "meta.json").write_text('["no object"]')
    worse = host.change("20261128T062001-bad001")
    (worse / "meta.json").unlink()
    (worse / "meta.json").symlink_to("/proc/self/mem")
    (host.folder / "20261128T062002-bad002").symlink_to("nowhere")
    host.change()
    assert host.source.look()[0].id == ID
    assert host.source.look()[0].title == "weight of rs1: 10 → 12"
    assert len(host.source.look()) == 4


def test_hostile_words_are_made_harmless(host: Host) -> None:
    host.change(title="a\x1b[31mred\nline", who="eve\x07")
    assert (host.look().title, host.look().who) == ("a␛[31mred␊line", "eve␇")


# What is told of it


def one(
    state: str, outcome: str = "", *, applying: bool = False, guarded: bool = True
) -> ChangesSeen:
    waits = state in ("armed", "reverting")
    return ChangesSeen(
        (
            ChangeStands(
                ID,
                state,
                "weight of rs1: 10 → 12",
                "root",
                T0,
                outcome,
                T0 + 60,
                guarded and waits,
                came=0.0 if waits else T0 + 70,
                applying=applying,
            ),
        )
    )


def told(world: World) -> list[tuple[Severity, str]]:
    return [(e.severity, e.text) for e in world.picture().events if e.kind == "config"]


def test_applied_and_rolled_back_are_events_each_once() -> None:
    world = World()
    world.say(one("armed", applying=True))
    for _ in range(3):
        world.say(one("armed"))
    world.say(one("reverted", "the timer ran out"))
    assert told(world) == [
        (Severity.INFO, "root applies weight of rs1: 10 → 12"),
        (Severity.WARN, "root applied weight of rs1: 10 → 12: waits to be kept"),
        (
            Severity.WARN,
            "weight of rs1: 10 → 12: rolled back: not kept in time (timer), 1 min "
            "after it was made",
        ),
    ]
    (change,) = world.picture().changes
    assert change.ended is Ended.ROLLED_BACK


def test_a_lost_timer_is_bad_news_and_kept_is_good() -> None:
    world = World()
    world.say(one("armed"))
    world.say(one("armed", guarded=False))
    world.say(one("armed"))
    world.say(one("confirmed", "kept by bob"))
    severities = [severity for severity, _ in told(world)]
    assert severities == [Severity.WARN, Severity.BAD, Severity.GOOD]
    assert "NOT be rolled back" in told(world)[1][1]
    assert "kept by bob" in told(world)[2][1]


def test_what_was_so_before_we_looked_is_past() -> None:
    world = World()
    world.say(one("reverted", "undone by bob"))
    (event,) = [event for event in world.picture().events if event.kind == "config"]
    assert (event.past, event.at, event.severity) == (True, T0 + 70, Severity.INFO)


def test_one_that_was_decided_just_now_is_told_with_its_reason() -> None:
    world = World()
    world.say(one("armed"))
    (change,) = one("reverted").changes
    world.say(ChangesSeen((replace(change, came=0.0),)))
    assert len(told(world)) == 1
    world.say(one("reverted", "the timer ran out"))
    assert "not kept in time" in told(world)[1][1]


def test_the_audit_logs_word_of_it_is_not_told_twice() -> None:
    world = World()
    world.say(Done("configuration", "root", "root: configuration on lb1: waiting: loaded"))
    assert world.picture().events == ()


def test_a_change_without_a_known_end_is_said_as_it_is() -> None:
    assert end_in_words(Ended.ROLLED_BACK, "", 5.0, 0.0) == (
        "rolled back: the host does not say why"
    )
    assert end_in_words(Ended.KEPT, "confirmed by root", 5.0, 4.0) == "kept by root"
