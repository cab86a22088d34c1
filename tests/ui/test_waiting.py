"""A change of keepalived.conf that waits is on every screen, and what became of it stays until it
was seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lvstui.model.changes import Ended
from lvstui.model.picture import Picture
from lvstui.model.waiting import ChangeStands
from lvstui.operations.change import Phase
from lvstui.tui.change.config_plan import ConfigPlanScreen
from lvstui.tui.choice import TextScreen

from . import pictures
from .configurations import FakeEngine, FakeFiles, FakePast
from .conftest import Desk, Start
from .fakes import FakeOperator
from .servers import FakeRealServers
from .test_config_edit import idle

TITLE = "weight of rs1: 10 → 12"
SCREENS = {"1": "services", "2": "failover", "4": "config", "5": "realservers", "7": "events"}


def waits(**more: Any) -> ChangeStands:
    """One that another session made, 52 s before its timer runs out."""
    values: dict[str, Any] = {
        "at": pictures.NOW - 8,
        "deadline": pictures.NOW + 52,
        "guarded": True,
        **more,
    }
    return ChangeStands("c-9", "armed", TITLE, "bob", **values)


def ended(why: str = "the timer ran out") -> ChangeStands:
    """What became of it."""
    return replace(waits(), state="reverted", outcome=why, came=pictures.NOW + 52)


def site(*changes: ChangeStands) -> Picture:
    return replace(pictures.site(), changes=changes)


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(FakeFiles(), past=[FakePast("c-9", TITLE, ended=Ended.WAITING, left_s=52)])


@pytest.fixture
def options(engine: FakeEngine) -> dict[str, Any]:
    return {
        "configuration": engine.files,
        "config_engine": lambda asker: engine,
        "realservers": lambda asker: FakeRealServers(),
    }


@pytest.mark.parametrize("width", [40, 80, 160])
@pytest.mark.parametrize("key", SCREENS)
async def test_it_stands_first_on_every_screen_with_its_seconds_and_its_key(
    start: Start, options: dict[str, Any], width: int, key: str
) -> None:
    async with start(site(waits()), size=(width, 24), **options) as desk:
        await desk.press(key)
        await idle(desk)
        assert desk.app.current_mode == SCREENS[key]
        assert desk.lines()[0].startswith(" ▲ 52 s: P keep/undo ")
        assert "lb1" in desk.lines()[0]
        assert "14:03:22" in desk.lines()[0]
        assert desk.lines()[-1].strip().startswith("P  keep/undo")
        assert (TITLE in desk.lines()[0]) is (width > 60)


@pytest.mark.parametrize("key", SCREENS)
async def test_p_keeps_it_from_every_screen(
    start: Start, options: dict[str, Any], engine: FakeEngine, key: str
) -> None:
    async with start(site(waits()), **options) as desk:
        await desk.press(key)
        await idle(desk)
        await desk.press("P")
        assert isinstance(desk.app.screen, ConfigPlanScreen)
        assert "applied by bob" in desk.text()
        await desk.press("y")
        await idle(desk)
        assert engine.kept == ["c-9"]
        await desk.press("escape")
        # The host's word of it comes later: it is not shown as waiting meanwhile.
        assert "keep/undo" not in desk.text()


async def test_it_counts_on_without_a_picture(start: Start, options: dict[str, Any]) -> None:
    now = [pictures.NOW]
    async with start(site(waits()), clock=lambda: now[0], **options) as desk:
        now[0] += 11
        await desk.until(lambda: desk.lines()[0].startswith(" ▲ 41 s: P keep/undo "))


async def test_one_that_is_not_verified_yet_can_not_be_kept(
    start: Start, options: dict[str, Any]
) -> None:
    async with start(site(waits(applying=True)), **options) as desk:
        assert desk.lines()[0].startswith(" ▲ applying  weight of rs1")
        await desk.press("P")
        assert len(desk.app.screen_stack) == 1
        await desk.tells("bob applies")


async def test_a_timer_that_is_gone_is_said_first(start: Start, options: dict[str, Any]) -> None:
    async with start(site(waits(guarded=False)), size=(80, 24), **options) as desk:
        assert desk.lines()[0].startswith(f" ✗ NOT rolled back: P  {TITLE}: the timer is")


async def test_in_a_read_only_session_it_is_told_and_nothing_else(
    start: Start, options: dict[str, Any], engine: FakeEngine
) -> None:
    async with start(site(waits()), operator=FakeOperator(read_only=True), **options) as desk:
        await desk.press("P")
        assert isinstance(desk.app.screen, TextScreen)
        await desk.press("y", "b")
        assert engine.kept == engine.taken_back == []


async def test_what_was_rolled_back_stays_until_it_was_seen(
    start: Start, options: dict[str, Any]
) -> None:
    async with start(site(waits()), size=(80, 24), **options) as desk:
        await desk.push(site(ended()))
        line = desk.lines()[2]
        assert line.startswith(f" ▲ rolled back 14:04:14, P: {TITLE}: not kept in time (timer)")
        assert desk.lines()[-1].startswith(" P  rolled back")
        assert "keep/undo" not in desk.lines()[0]
        for key in ("2", "7", "4", "5", "1"):
            await desk.press(key)
            await idle(desk)
            assert "rolled back 14:04:14, P:" in desk.text(), key
        await desk.press("P")
        await idle(desk)
        assert "not kept in time (timer)" in desk.text()
        await desk.press("escape")
        assert "rolled back 14:04:14" not in desk.text()
        await desk.press("2")
        assert "rolled back 14:04:14" not in desk.text()


async def test_a_console_that_was_opened_after_it_says_so_too(start: Start) -> None:
    """Without anything that could change files: a recording."""
    async with start(site(replace(ended(), came=pictures.NOW - 600))) as desk:
        assert "rolled back 13:53:22, P:" in desk.text()
        await desk.press("P")
        assert isinstance(desk.app.screen, TextScreen)
        assert "bob made it at 2026-11-22 14:03:14" in desk.text().replace("  ", " ")
    async with start(site(replace(ended(), came=pictures.NOW - 7200))) as desk:
        assert "rolled back" not in desk.text()


async def test_its_end_is_told_once_and_no_toast_says_what_is_untrue(
    start: Start, options: dict[str, Any]
) -> None:
    async with start(site(waits()), **options) as desk:
        await desk.push(site(ended()))
        await idle(desk)
        assert len([said for said in desk.said if TITLE in said]) == 1
        assert not any("taken back in" in said or "unless" in said for said in desk.said)
        change = desk.app.config_session.change
        assert change is not None
        assert change.phase is Phase.ENDED


async def test_who_looks_at_its_end_has_seen_it(start: Start, options: dict[str, Any]) -> None:
    async with start(site(waits()), **options) as desk:
        await desk.press("P")
        await desk.push(site(ended(why="lb1: 10.10.0.6:80 is not in the pool")))
        await desk.pilot.pause()
        assert "is not in the pool" in desk.text()
        await desk.press("escape")
        assert "rolled back" not in desk.lines()[2]


async def quit_twice(desk: Desk, wait_s: float) -> None:
    await desk.press("q")
    assert desk.app.is_running
    await desk.tells("Press again")
    await desk.pilot.pause(wait_s)
    await desk.press("q")


async def test_q_twice_leaves_while_a_change_waits(
    start: Start, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start(site(waits()), **options) as desk:
        left: list[bool] = []
        monkeypatch.setattr(desk.app, "exit", lambda *a, **k: left.append(True))
        # The seconds in its sentence have gone on by then.
        await quit_twice(desk, 1.2)
        assert left == [True]
