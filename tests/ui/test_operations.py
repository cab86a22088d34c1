"""Keys that change something: the plan is shown, and applied only on a clear yes.

The plans are those of the real planner, the table that they change is the one of the picture."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lvstui.model.keys import ServerKey
from lvstui.model.picture import Picture
from lvstui.operations.audit import AuditLog
from lvstui.operations.weight_changes import WeightChanges
from lvstui.sources.audit import entries
from lvstui.tui.services.weight import MOST, WeightScreen, read_weight
from tests.unit.world import WEB, World, rs, three

from . import pictures
from .conftest import Desk, Start
from .fakes import FakeOperator
from .tables import RecordedTable

UP = ((1, 10, 6, 40), (2, 10, 6, 40), (3, 10, 6, 40))
"""Number, weight, active and inactive connections of each server."""


def seen(*servers: tuple[int, int, int, int]) -> Picture:
    """The site, with these in the kernel's table."""
    return at_once(three().kernel(*servers))


def at_once(world: World) -> Picture:
    return replace(world.picture(), at=pictures.NOW)


Site = tuple[Desk, RecordedTable]
Open = Callable[..., AbstractAsyncContextManager[Site]]


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path / "audit.jsonl", who="alice")


@pytest.fixture
def open_(start: Start, log: AuditLog) -> Open:
    """The console over a site, and the table that its operator changes."""

    @asynccontextmanager
    async def run(
        picture: Picture | None = None, *, read_only: bool = False, **options: Any
    ) -> AsyncIterator[Site]:
        picture = picture or seen(*UP)
        table = RecordedTable(picture)
        operator = WeightChanges(read_only=read_only, audit=log, kernel=table)
        async with start(picture, operator=operator, **options) as desk:
            yield desk, table

    return run


async def test_drain_shows_the_plan_and_applies_exactly_it(open_: Open) -> None:
    async with open_() as (desk, table):
        await desk.press("j", "d")
        plan = await desk.expect_plan()
        plan.says("drain 10.10.0.3:80 in tcp 10.10.0.20:80 on lb1")
        plan.says('lvstui drain 10.10.0.3:80 --service "tcp 10.10.0.20:80"')
        plan.effects("tcp 10.10.0.20:80: 2 of 3 left, each other one gets 50% more")
        plan.effects("clients of 6 connections on rs1 keep going until they end by themselves")
        plan.cautions("the weight goes back to 10")
        assert table.written == []
        await plan.confirm()
        assert table.written == [(WEB, rs(1), 0)]
        assert desk.feed.refreshes == 1
        assert [said for said in desk.said if "read back" in said and "u undoes it" in said]


async def test_enter_on_a_fresh_plan_cancels(open_: Open) -> None:
    async with open_() as (desk, table):
        await desk.press("j", "d", "enter")
        desk.expect_no_plan()
        assert table.written == []


async def test_reason_goes_into_the_record(open_: Open, log: AuditLog) -> None:
    async with open_() as (desk, table):
        await desk.press("j", "d")
        desk.app.screen.query_one("#reason").focus()
        await desk.press(*"disk", "enter", "enter")
        await desk.until(lambda: bool(table.written))
        assert {entry.reason for entry in entries(log.path)} == {"disk"}


async def test_marked_servers_are_the_targets_and_are_unmarked_after(open_: Open) -> None:
    async with open_() as (desk, table):
        await desk.press("j", "space", "space", "d")
        plan = (await desk.expect_plan()).steps("rs1 kernel weight 10", "rs2 kernel weight 10")
        await plan.effects("1 of 3 left").confirm()
        assert table.written == [(WEB, rs(1), 0), (WEB, rs(2), 0)]
        await desk.until(lambda: desk.services.table.marks == set())


async def test_a_refused_plan_can_not_be_applied(open_: Open) -> None:
    async with open_(seen((1, 0, 6, 40), *UP[1:])) as (desk, table):
        await desk.press("j", "d")
        (await desk.expect_plan()).refusals(
            "nothing to change: rs1 in tcp 10.10.0.20:80 has weight 0 already"
        )
        await desk.press("y", "escape")
        assert table.written == []


async def test_the_last_server_has_to_be_typed(open_: Open) -> None:
    async with open_(seen(UP[0], (2, 0, 0, 0), (3, 0, 0, 0))) as (desk, table):
        await desk.press("j", "d")
        (await desk.expect_plan()).effects("every new connection is refused")
        await desk.press("y")
        assert any("Type 10.10.0.3" in said for said in desk.said)
        assert table.written == []
        await desk.press(*"10.10.0.3", "enter", "enter")
        await desk.until(lambda: bool(table.written))


async def test_a_step_that_is_not_read_back_is_shown_as_failed(open_: Open) -> None:
    async with open_() as (desk, table):
        table.deaf = True
        await desk.press("j", "d", "y")
        await desk.until(lambda: "read back 10, not 0" in desk.text())
        assert table.written == [(WEB, rs(1), 0)]


async def test_what_the_kernel_refuses_is_told(open_: Open) -> None:
    async with open_() as (desk, table):
        table.raises = PermissionError(1, "Operation not permitted")
        await desk.press("j", "d", "y")
        await desk.until(lambda: "Operation not permitted" in desk.text())


async def test_an_exception_of_the_operator_is_told_not_fatal(open_: Open) -> None:
    async with open_() as (desk, table):
        table.raises = RuntimeError("not [foreseen]")
        await desk.press("j", "d", "y")
        await desk.until(lambda: "It failed" in desk.text())
        assert "not [foreseen]" in desk.text()


async def test_closing_while_applying_tells_the_end_by_notification(open_: Open) -> None:
    async with open_() as (desk, table):
        table.gate = threading.Event()
        await desk.press("j", "d", "y")
        assert "Applying and reading back" in desk.text()
        await desk.press("escape")
        desk.expect_no_plan()
        table.gate.set()
        await desk.until(lambda: any("read back" in said for said in desk.said))


async def test_plan_goes_stale_when_the_kernel_changes(open_: Open) -> None:
    async with open_() as (desk, table):
        await desk.press("j", "d")
        table.weights[WEB, rs(1)] = 3
        await desk.push(seen((1, 3, 6, 40), *UP[1:]))
        (await desk.expect_plan()).says("weight 3 meanwhile")
        await desk.press("y")
        assert table.written == []
        await desk.press("r")
        await (await desk.expect_plan()).steps("rs1 kernel weight 3 → 0").confirm()
        assert table.written == [(WEB, rs(1), 0)]


async def test_read_only_refuses_and_says_so(open_: Open) -> None:
    async with open_(read_only=True) as (desk, table):
        await desk.press("j", "d")
        desk.expect_no_plan()
        assert any("read-only" in said for said in desk.said)
        bottom = desk.lines()[-1]
        assert "drain" not in bottom
        assert "read-only" in bottom
        assert "read-only" in desk.lines()[0]
        for key in ("e", "w", "u"):
            await desk.press(key)
            desk.expect_no_plan()
        assert table.written == []


async def test_disabled_keys_say_why(open_: Open) -> None:
    async with open_(seen(*UP[:2])) as (desk, _):
        await desk.press("d")
        assert any("Move to a real server first" in said for said in desk.said)
        desk.services.table.go_to((WEB, rs(3)))
        await desk.press("d")
        assert any("not in the kernel" in said for said in desk.said)
        await desk.press("u")
        assert any("nothing to undo" in said for said in desk.said)


async def test_weight_shows_shares_and_goes_on_to_the_plan(open_: Open) -> None:
    async with open_() as (desk, table):
        await desk.press("j", "w")
        assert isinstance(desk.app.screen, WeightScreen)
        await desk.press("backspace", "backspace", *"20")
        assert "50 %" in desk.text()
        await desk.press("up", "enter")
        await (await desk.expect_plan()).steps("rs1 kernel weight 10 → 21").confirm()
        assert table.written == [(WEB, rs(1), 21)]


async def test_undo(open_: Open) -> None:
    async with open_() as (desk, table):
        await desk.press("j", "d", "y")
        await desk.until(lambda: len(desk.app.screen_stack) == 1)
        await desk.push(seen((1, 0, 6, 40), *UP[1:]))
        await desk.press("u")
        await (await desk.expect_plan()).steps("rs1 kernel weight 0 → 10").confirm()
        assert table.written == [(WEB, rs(1), 0), (WEB, rs(1), 10)]
        await desk.until(lambda: any("u makes it again" in said for said in desk.said))


def test_weights_that_are_none() -> None:
    assert read_weight("0") == 0
    assert read_weight(str(MOST)) == MOST
    for bad in ("", "-1", "x", "1.5", str(MOST + 1), "9" * 30, "²"):
        assert isinstance(read_weight(bad), str)


async def test_what_a_key_acts_on_is_always_on_the_screen(open_: Open) -> None:
    async with open_(size=(80, 24)) as (desk, _):
        await desk.press("j")
        line = desk.lines()[-2]
        assert "lb1" in line
        assert "tcp 10.10.0.20:80" in line
        assert "10.10.0.3:80" in line
        await desk.press("space", "space")
        assert "2 marked" in desk.lines()[-2]


async def test_copy_goes_to_the_clipboard(open_: Open) -> None:
    async with open_() as (desk, _):
        await desk.press("j", "y")
        assert desk.app.clipboard == str(ServerKey("10.10.0.3", 80))


async def test_a_notification_does_not_lie_over_the_next_plan(open_: Open) -> None:
    async with open_(size=(80, 24)) as (desk, _):
        await desk.press("j", "d", "y")
        await desk.until(lambda: any("read back" in said for said in desk.said))
        await desk.push(seen((1, 0, 6, 40), *UP[1:]))
        await desk.press("e")
        await desk.expect_plan()
        assert desk.said == []


async def test_long_lines_of_a_plan_are_wrapped_once(open_: Open) -> None:
    """At 80 columns, with the scroll bar beside them."""
    async with open_(size=(80, 24)) as (desk, _):
        await desk.press("j", "d")
        plan = await desk.expect_plan()
        plan.cautions("this changes the kernel only: if the server's check fails and recovers, or")
        lines = [line.strip(" │▎▌┃") for line in desk.lines()]
        first = next(n for n, line in enumerate(lines) if "this changes the kernel only" in line)
        assert len(lines[first]) > 50, lines[first : first + 3]
        assert "goes back to 10" in " ".join(lines[first : first + 3])


async def test_keepalived_is_asked_on_a_wish_only(open_: Open) -> None:
    async with open_() as (desk, _):
        await desk.press("r", "j")
        assert desk.feed.asked == 0
        await desk.press("A")
        assert desk.feed.asked == 1


async def test_read_only_asks_nothing_of_keepalived(open_: Open) -> None:
    async with open_(read_only=True) as (desk, _):
        await desk.press("A")
        assert desk.feed.asked == 0


async def test_what_is_under_way_shows_how_far_it_is_and_can_be_stopped(start: Start) -> None:
    operator = FakeOperator(gate=threading.Event())
    async with start(operator=operator) as desk:
        await desk.press("j", "space", "space", "d", "y")
        await desk.until(lambda: "1 of 2, lb1: kernel weight of" in desk.text())
        assert "stop what is not begun" in desk.text()
        await desk.press("s")
        assert "Stopping: what has begun comes to its end." in desk.text()
        assert operator.gate is not None
        operator.gate.set()
        await desk.until(lambda: "stopped" in desk.text())
        assert "not begun" in desk.text()
        assert [len(plan.steps) for plan in operator.applied] == [2]
