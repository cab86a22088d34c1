"""Keys that change something: the plan is shown, and applied only on a clear yes."""

from __future__ import annotations

import threading

from lvstui.model.keys import ServerKey
from lvstui.tui.change.plan import PlanScreen
from lvstui.tui.services.weight import MOST, WeightScreen, read_weight

from . import pictures
from .conftest import Desk, Start
from .fakes import FakeOperator
from .pictures import WEB, rs


def plan_screen(desk: Desk) -> PlanScreen:
    """The open plan."""
    screen = desk.app.screen
    assert isinstance(screen, PlanScreen)
    return screen


async def test_drain_shows_the_plan_and_applies_exactly_it(start: Start) -> None:
    async with start() as desk:
        await desk.press("j", "d")
        shown = plan_screen(desk).plan
        assert shown.steps[0].server == rs(1, 80)
        text = desk.text()
        assert "drain 10.10.0.3:80 in tcp 10.10.0.20:80" in text
        assert "on lb1" in text
        assert 'lvstui drain 10.10.0.3:80 --service "tcp 10.10.0.20:80"' in text
        assert desk.operator.applied == []
        await desk.press("y")
        await desk.until(lambda: len(desk.app.screen_stack) == 1)
        assert [plan.steps for plan in desk.operator.applied] == [shown.steps]
        assert desk.feed.refreshes == 1
        assert [said for said in desk.said if "read back" in said and "u undoes it" in said]


async def test_enter_on_a_fresh_plan_cancels(start: Start) -> None:
    async with start() as desk:
        await desk.press("j", "d", "enter")
        assert len(desk.app.screen_stack) == 1
        assert desk.operator.applied == []


async def test_reason_goes_into_the_plan(start: Start) -> None:
    async with start() as desk:
        await desk.press("j", "d")
        desk.app.screen.query_one("#reason").focus()
        await desk.press(*"disk", "enter", "enter")
        await desk.until(lambda: bool(desk.operator.applied))
        assert desk.operator.applied[0].reason == "disk"


async def test_marked_servers_are_the_targets_and_are_unmarked_after(start: Start) -> None:
    async with start() as desk:
        await desk.press("j", "space", "space", "d")
        assert desk.operator.asked[-1][1] == ((WEB, rs(1, 80)), (WEB, rs(2, 80)))
        await desk.press("y")
        await desk.until(lambda: bool(desk.operator.applied))
        await desk.until(lambda: desk.services.table.marks == set())


async def test_a_refused_plan_can_not_be_applied(start: Start) -> None:
    operator = FakeOperator(refusal="It is the last server of the quorum.")
    async with start(operator=operator) as desk:
        await desk.press("j", "d")
        assert "It is the last server of the quorum." in desk.text()
        await desk.press("y", "escape")
        assert operator.applied == []


async def test_typed_confirmation(start: Start) -> None:
    operator = FakeOperator(typed="rs1")
    async with start(operator=operator) as desk:
        await desk.press("j", "d", "y")
        assert operator.applied == []
        assert any("Type rs1" in said for said in desk.said)
        await desk.press(*"rs1", "enter", "enter")
        await desk.until(lambda: bool(operator.applied))


async def test_failed_step_is_shown_as_failed(start: Start) -> None:
    async with start(operator=FakeOperator(fails=True)) as desk:
        await desk.press("j", "d", "y")
        await desk.until(lambda: "read back" in desk.text())
        assert "not done" in desk.text()
        assert "the kernel still says so" in desk.text()


async def test_an_exception_of_the_operator_is_told_not_fatal(start: Start) -> None:
    operator = FakeOperator(raises=PermissionError("[Errno 1] not permitted"))
    async with start(operator=operator) as desk:
        await desk.press("j", "d", "y")
        await desk.until(lambda: "It failed" in desk.text())
        assert "[Errno 1] not permitted" in desk.text()


async def test_closing_while_applying_tells_the_end_by_notification(start: Start) -> None:
    operator = FakeOperator(gate=threading.Event())
    async with start(operator=operator) as desk:
        await desk.press("j", "d", "y")
        assert "Applying and reading back" in desk.text()
        await desk.press("escape")
        assert len(desk.app.screen_stack) == 1
        assert operator.gate is not None
        operator.gate.set()
        await desk.until(lambda: any("done" in said for said in desk.said))


async def test_plan_goes_stale_when_the_kernel_changes(start: Start) -> None:
    from lvstui.model.picture import Weights

    async with start() as desk:
        await desk.press("j", "d")
        await desk.push(
            pictures.changed(desk.feed.picture, WEB, rs(1, 80), weights=Weights(10, 10, 3))
        )
        assert "weight 3 meanwhile" in desk.text()
        await desk.press("y")
        assert desk.operator.applied == []
        await desk.press("r")
        assert plan_screen(desk).plan.steps[0].before == 3
        await desk.press("y")
        await desk.until(lambda: bool(desk.operator.applied))


async def test_read_only_refuses_and_says_so(start: Start) -> None:
    async with start(operator=FakeOperator(read_only=True)) as desk:
        await desk.press("j", "d")
        assert len(desk.app.screen_stack) == 1
        assert any("read-only" in said for said in desk.said)
        bottom = desk.lines()[-1]
        assert "drain" not in bottom
        assert "read-only" in bottom
        assert "read-only" in desk.lines()[0]
        for key in ("e", "w", "u"):
            await desk.press(key)
        assert desk.operator.asked == []


async def test_disabled_keys_say_why(start: Start) -> None:
    async with start() as desk:
        await desk.press("d")
        assert any("Move to a real server first" in said for said in desk.said)
        desk.services.table.go_to((WEB, rs(3, 80)))
        await desk.press("d")
        assert any("not in the kernel" in said for said in desk.said)
        await desk.press("u")
        assert any("nothing to undo" in said for said in desk.said)


async def test_weight_shows_shares_and_goes_on_to_the_plan(start: Start) -> None:
    async with start() as desk:
        desk.services.table.go_to((pictures.DNS, rs(1, 53)))
        await desk.press("w")
        assert isinstance(desk.app.screen, WeightScreen)
        await desk.press("backspace", "2")
        assert "50 %" in desk.text()
        await desk.press("up", "enter")
        assert desk.operator.asked[-1] == ("weight", ((pictures.DNS, rs(1, 53)),), 3)
        assert plan_screen(desk).plan.steps[0].after == 3


async def test_undo(start: Start) -> None:
    async with start() as desk:
        await desk.press("j", "d", "y")
        await desk.until(lambda: len(desk.app.screen_stack) == 1)
        await desk.press("u")
        step = plan_screen(desk).plan.steps[0]
        assert (step.before, step.after) == (0, 10)
        await desk.press("y")
        await desk.until(lambda: len(desk.app.screen_stack) == 1)
        assert "u makes it again" in desk.said[-1]


def test_weights_that_are_none() -> None:
    assert read_weight("0") == 0
    assert read_weight(str(MOST)) == MOST
    for bad in ("", "-1", "x", "1.5", str(MOST + 1), "9" * 30, "²"):
        assert isinstance(read_weight(bad), str)


async def test_what_a_key_acts_on_is_always_on_the_screen(start: Start) -> None:
    async with start(size=(80, 24)) as desk:
        await desk.press("j")
        line = desk.lines()[-2]
        assert "lb1" in line
        assert "tcp 10.10.0.20:80" in line
        assert "10.10.0.3:80" in line
        await desk.press("space", "space")
        assert "2 marked" in desk.lines()[-2]


async def test_copy_goes_to_the_clipboard(start: Start) -> None:
    async with start() as desk:
        await desk.press("j", "y")
        assert desk.app.clipboard == str(ServerKey("10.10.0.3", 80))


async def test_a_notification_does_not_lie_over_the_next_plan(start: Start) -> None:
    async with start(size=(80, 24)) as desk:
        await desk.press("j", "d", "y")
        await desk.until(lambda: any("read back" in said for said in desk.said))
        await desk.press("d")
        assert isinstance(desk.app.screen, PlanScreen)
        assert desk.said == []


async def test_long_lines_of_a_plan_are_wrapped_once(start: Start) -> None:
    """At 80 columns, with the scroll bar beside them."""
    async with start(size=(80, 24)) as desk:
        desk.operator.effects = ("word " * 40,)
        await desk.press("j", "d")
        lines = [line for line in desk.lines() if "word" in line]
        assert len(lines) >= 3
        assert all(line.count("word") > 5 for line in lines[:-1])


async def test_keepalived_is_asked_on_a_wish_only(start: Start) -> None:
    async with start() as desk:
        await desk.press("r", "j")
        assert desk.feed.asked == 0
        await desk.press("A")
        assert desk.feed.asked == 1


async def test_read_only_asks_nothing_of_keepalived(start: Start) -> None:
    async with start(operator=FakeOperator(read_only=True)) as desk:
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
