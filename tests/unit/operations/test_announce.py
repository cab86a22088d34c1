"""Announcing addresses again: who may, what is recorded, what the proof says."""

from __future__ import annotations

import json
from pathlib import Path

from lvstui.model import facts as f
from lvstui.model.changes import Ended
from lvstui.operations.announce import Announcements, LinkVoice, plan_announcement
from lvstui.operations.audit import AuditLog
from lvstui.operations.change import Outcome
from tests.unit.world import World, three

VIP, OTHER = "10.10.0.20", "02:00:00:00:00:06"


class Voice(LinkVoice):
    """Says nothing on any wire."""

    def __init__(self, said: str = "announced, 4 frames", others: tuple[str, ...] = ()) -> None:
        self.said, self.found, self.heard = said, others, [""][:0]

    def announce(self, vip: str) -> str:
        self.heard.append(vip)
        return self.said

    def others(self, vip: str) -> tuple[str, ...]:
        return self.found


def holder() -> World:
    return three().say(f.AddressesSeen((("eth0", VIP, 32),)))


def apply(world: World, voice: Voice, tmp_path: Path, *, read_only: bool = False) -> Outcome:
    plan = plan_announcement(world.picture(), reason="moved")
    log = AuditLog(tmp_path / "audit.jsonl", "alice")
    return Announcements(read_only=read_only, audit=log, voice=voice).apply(plan)


def test_a_director_without_the_address_is_refused() -> None:
    world = three().say(f.AddressesSeen((("eth0", "10.10.0.6", 24),)))
    for vips in ((), (VIP,), ("10.10.0.77",)):
        plan = plan_announcement(world.picture(), vips)
        assert plan.refusals
    assert plan_announcement(holder().picture(), (VIP, "10.10.0.77")).refusals == (
        "10.10.0.77 is no virtual address of this director",
    )


def test_it_is_said_recorded_and_proven(tmp_path: Path) -> None:
    voice = Voice()
    outcome = apply(holder(), voice, tmp_path)
    assert (outcome.ended, voice.heard) == (Ended.DONE, [VIP])
    assert "nobody else answers" in outcome.text
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert [(one["phase"], one["operation"]) for one in lines] == [
        ("planned", "announce"),
        ("done", "announce"),
    ]
    assert lines[0]["reason"] == "moved"


def test_whoever_answers_all_the_same_is_trouble(tmp_path: Path) -> None:
    outcome = apply(holder(), Voice(others=(OTHER,)), tmp_path)
    assert outcome.ended is Ended.TROUBLE
    assert OTHER in outcome.text


def test_what_cannot_be_said_failed(tmp_path: Path) -> None:
    outcome = apply(holder(), Voice("eth0 is down"), tmp_path)
    assert (outcome.ended, outcome.results[0].seen) == (Ended.FAILED, "eth0 is down")


def test_nothing_is_said_read_only(tmp_path: Path) -> None:
    voice = Voice()
    outcome = apply(holder(), voice, tmp_path, read_only=True)
    assert (outcome.ended, voice.heard) == (Ended.REFUSED, [])
    assert not (tmp_path / "audit.jsonl").exists()


def test_a_second_holder_is_a_caution() -> None:
    world = holder().later(100).say(f.AddressClaimed(VIP, OTHER, "eth0", "announces")).later(2)
    (caution,) = plan_announcement(world.picture()).cautions
    assert OTHER in caution
