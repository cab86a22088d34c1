"""`u` is the undo of the newest operation, whatever kind it was, on every screen; the real planner
and the real audit log stand behind these keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import OptionList

from lvstui.model.changes import Ended
from lvstui.model.config import DisabledBy
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.picture import Picture, Weights
from lvstui.model.waiting import ChangeStands
from lvstui.operations.audit import AuditLog, Deed
from lvstui.operations.realservers import _in_words
from lvstui.operations.weight_changes import LiveKernel, WeightChanges
from lvstui.realserver.steps import HostPlan
from lvstui.tui.change.config_plan import ConfigPlanScreen
from lvstui.tui.change.plan import PlanScreen
from lvstui.tui.change.push import PushScreen
from lvstui.tui.choice import ChoiceScreen

from . import pictures
from .configurations import WEB_CONF, FakeEngine, FakeFiles, FakePast
from .conftest import Start
from .fakes import FakeOperator
from .pictures import WEB, rs
from .servers import FakeRealServers
from .test_config_edit import idle, planned

TITLE = "disable rs3 (10.10.0.5:80) in tcp 10.10.0.20:80: weight 10 → 0"
SCREENS = ("1", "2", "4", "5", "7")


class Kernel(LiveKernel):
    """Weights by server."""

    def __init__(self) -> None:
        self.weights = {rs(1, 80): 10, rs(2, 80): 10}

    def set_weight(self, key: ServiceKey, server: ServerKey, weight: int) -> None:
        """As in Kernel."""
        self.weights[server] = weight

    def weight(self, key: ServiceKey, server: ServerKey) -> int | None:
        """As in Kernel."""
        return self.weights.get(server)


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path / "audit.jsonl", who="alice")


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(FakeFiles())


@pytest.fixture
def options(engine: FakeEngine, log: AuditLog, kernel: Kernel) -> dict[str, Any]:
    return {
        "operator": WeightChanges(audit=log, kernel=kernel),
        "configuration": engine.files,
        "config_engine": lambda asker: engine,
        "realservers": lambda asker: FakeRealServers(),
    }


def site(kernel: Kernel, *changes: ChangeStands) -> Picture:
    """As it is now: later than all that was recorded in the log."""
    found = pictures.site()
    for server, weight in kernel.weights.items():
        found = pictures.changed(found, WEB, server, weights=Weights(10, 10, weight))
    return replace(found, changes=changes)


_STATES = {
    Ended.WAITING: "armed",
    Ended.KEPT: "confirmed",
    Ended.UNDONE: "reverted",
    Ended.TROUBLE: "trouble.end",
}


def change(ended: Ended = Ended.KEPT, **more: Any) -> ChangeStands:
    """The newest of all: made in the year 2100."""
    values: dict[str, Any] = {
        "title": TITLE,
        "who": "alice",
        "at": 4.1e9,
        "came": 4.1e9,
        "guarded": True,
        "outcome": "undone by alice" if ended is Ended.UNDONE else "",
        **more,
    }
    return ChangeStands("c-9", _STATES[ended], **values)


def drained(options: dict[str, Any], kernel: Kernel) -> None:
    """Alice drained rs1."""
    operator = options["operator"]
    plan = operator.plan(site(kernel), "drain", [(WEB, rs(1, 80))])
    assert operator.apply(plan).ok
    assert kernel.weights[rs(1, 80)] == 0


@pytest.mark.parametrize("key", SCREENS)
async def test_u_undoes_a_drain_on_every_screen(
    start: Start, options: dict[str, Any], kernel: Kernel, key: str
) -> None:
    drained(options, kernel)
    async with start(site(kernel), **options) as desk:
        await desk.press(key)
        await idle(desk)
        await desk.press("u")
        assert isinstance(desk.app.screen, PlanScreen)
        assert "kernel weight   0 → 10" in desk.text()
        await desk.press("y")
        await desk.until(lambda: kernel.weights[rs(1, 80)] == 10)
        await desk.until(lambda: len(desk.app.screen_stack) == 1)


async def test_an_undo_does_not_come_up_over_a_plan_that_was_opened_meanwhile(
    start: Start, options: dict[str, Any], kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `y` that is meant for the drain must not be one for the undo."""
    drained(options, kernel)
    offered: list[Callable[[], None]] = []

    def read(words: str, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        offered.append(lambda: done(work()))

    async with start(site(kernel), **options) as desk:
        with monkeypatch.context() as slow:
            slow.setattr(desk.app.weights, "start", read)
            await desk.press("u", "j", "j", "d")
        shown = desk.app.screen
        assert isinstance(shown, PlanScreen)
        offered.pop()()
        await desk.pilot.pause()
        assert shown.is_active
        assert shown.change.operation == "drain"


async def test_u_u_toggles_and_each_plan_says_so(
    start: Start, options: dict[str, Any], kernel: Kernel
) -> None:
    async with start(site(kernel), **options) as desk:
        await desk.press("j", "d")
        assert "To undo     u (kernel weight back to 10)" in desk.text()
        await desk.press("y")
        await desk.until(lambda: kernel.weights[rs(1, 80)] == 0)
        await desk.until(lambda: len(desk.app.screen_stack) == 1)
        for before, after in ((0, 10), (10, 0), (0, 10)):
            await desk.push(site(kernel))
            await desk.press("u")
            assert f"kernel weight {before:>3} → {after}" in desk.text()
            assert f"To undo     u (kernel weight back to {before})" in desk.text()
            await desk.press("y")
            await desk.until(lambda: kernel.weights[rs(1, 80)] == after)  # noqa: B023
            await desk.until(lambda: len(desk.app.screen_stack) == 1)
        assert kernel.weights[rs(2, 80)] == 10


@pytest.mark.parametrize("key", SCREENS)
async def test_after_a_change_of_the_file_u_is_its_undo_and_drains_nobody(
    start: Start, options: dict[str, Any], kernel: Kernel, engine: FakeEngine, key: str
) -> None:
    """rs1 was drained and enabled again; then rs3 was disabled in the file."""
    drained(options, kernel)
    operator = options["operator"]
    assert operator.apply(operator.plan(site(kernel), "enable", [(WEB, rs(1, 80))])).ok
    async with start(site(kernel, change()), **options) as desk:
        await desk.press(key)
        await idle(desk)
        await desk.press("u")
        await planned(desk)
        assert isinstance(desk.app.screen, ConfigPlanScreen)
        assert "kernel weight  " not in desk.text(), "no step on a weight"
        assert engine.asked_back == [("c-9", False, True)]
        await desk.press("y")
        await idle(desk)
        assert kernel.weights == {rs(1, 80): 10, rs(2, 80): 10}


async def test_what_was_undone_before_it_was_kept_is_made_again(
    start: Start, options: dict[str, Any], kernel: Kernel, engine: FakeEngine
) -> None:
    async with start(site(kernel, change(Ended.UNDONE)), **options) as desk:
        await desk.press("u")
        await planned(desk)
        assert engine.asked_back == [("c-9", True, True)]


async def test_one_that_waits_is_undone_at_once_and_y_keeps_nothing(
    start: Start, options: dict[str, Any], kernel: Kernel, engine: FakeEngine
) -> None:
    engine.past = [FakePast("c-9", TITLE, ended=Ended.WAITING, left_s=50)]
    waits = change(Ended.WAITING, deadline=pictures.NOW + 50)
    async with start(site(kernel, waits), **options) as desk:
        await desk.press("u", "y")
        await idle(desk)
        assert isinstance(desk.app.screen, ChoiceScreen)
        assert engine.kept == engine.taken_back == []
        await desk.press("enter")
        await idle(desk)
        assert (engine.kept, engine.taken_back) == ([], ["c-9"])


async def test_a_push_is_undone_on_its_hosts(
    start: Start, options: dict[str, Any], kernel: Kernel, log: AuditLog
) -> None:
    plan = HostPlan("10.10.0.3", "push", ("10.10.0.20",), method="ifupdown")
    what = Deed("10.10.0.3", "rs1", "push", _in_words(plan))
    log.end(log.begin([what], ""), [what.came(True, "proven")], "")
    async with start(site(kernel), **options) as desk:
        await desk.press("u")
        await desk.until(lambda: isinstance(desk.app.screen, PushScreen))
        shown = desk.app.screen
        assert isinstance(shown, PushScreen)
        assert (shown.change.operation, shown.change.vips) == ("undo", ("10.10.0.20",))
        assert [host.address for host in shown.change.hosts] == ["10.10.0.3"]
        assert desk.app.current_mode == "realservers"


async def test_while_a_draft_is_open_u_is_its_undo(
    start: Start, options: dict[str, Any], kernel: Kernel, engine: FakeEngine
) -> None:
    drained(options, kernel)
    async with start(site(kernel), **options) as desk:
        await desk.press("4")
        await idle(desk)
        await desk.press("tab", "slash", *"weight", "enter", "c", "backspace", "7", "ctrl+s")
        await idle(desk)
        assert desk.app.config_session.pending.titles
        await desk.press("u")
        await idle(desk)
        assert not desk.app.config_session.pending.titles
        assert len(desk.app.screen_stack) == 1
        await desk.press("u")
        assert isinstance(desk.app.screen, PlanScreen)


async def test_its_age_and_what_came_after_are_in_the_plan(
    start: Start, options: dict[str, Any], kernel: Kernel
) -> None:
    drained(options, kernel)
    others = change(Ended.KEPT, who="bob", title="weight of rs1: 10 → 12")
    later = replace(site(kernel, others), at=4.1e9 + 16 * 60)
    async with start(later, **options) as desk:
        await desk.press("u")
        assert isinstance(desk.app.screen, PlanScreen)
        assert "16 min ago" in desk.text()
        (caution,) = [one for one in desk.app.screen.plan.cautions if "since:" in one]
        assert caution.endswith(
            "and 1 change since: the newest is “weight of rs1: 10 → 12” of bob, 16 min ago"
        )


async def test_trouble_is_told_and_nothing_older_is_offered(
    start: Start, options: dict[str, Any], kernel: Kernel
) -> None:
    drained(options, kernel)
    async with start(site(kernel, change(Ended.TROUBLE, outcome="it died")), **options) as desk:
        await desk.press("u")
        assert len(desk.app.screen_stack) == 1
        await desk.tells("ended in trouble", "lvstui undo --list")


async def test_an_older_one_is_chosen_from_the_list(
    start: Start, options: dict[str, Any], kernel: Kernel
) -> None:
    drained(options, kernel)
    async with start(site(kernel, change(who="bob")), **options) as desk:
        desk.services.action_command("undo-older")
        await desk.pilot.pause()
        text = desk.text()
        assert "1 " in text
        assert "bob: disable rs3" in text
        await desk.press("j", "enter")
        assert isinstance(desk.app.screen, PlanScreen)
        assert "kernel weight   0 → 10" in desk.text()


# Enable of what is disabled in the file


def off(kernel: Kernel) -> Picture:
    """rs2 is disabled in the file."""
    found = site(kernel)
    view = found.server(WEB, rs(2, 80))
    assert view is not None
    assert view.configured is not None
    mark = DisabledBy("root", "2026-11-22 13:50", "disk swap", 10)
    return pictures.changed(
        found,
        WEB,
        rs(2, 80),
        weights=Weights(0, 0, 0),
        configured=replace(view.configured, weight=0, disabled=mark),
    )


def disabled_file(engine: FakeEngine) -> None:
    """The same in its text."""
    text = engine.files.files[WEB_CONF]
    at = text.index(b"real_server 10.10.0.4")
    mark = b"weight 0 # lvstui: disabled by root 2026-11-22T13:50Z was 10: disk swap\n"
    engine.files.files[WEB_CONF] = text[:at] + text[at:].replace(b"weight 10\n", mark, 1)


async def test_e_on_a_disabled_server_says_what_b_does_and_enter_does_it(
    start: Start, options: dict[str, Any], kernel: Kernel, engine: FakeEngine
) -> None:
    disabled_file(engine)
    async with start(off(kernel), size=(80, 24), **options) as desk:
        desk.services.table.go_to((WEB, rs(2, 80)))
        await desk.press("e")
        offered = desk.app.screen.query_one(OptionList).get_option_at_index(0)
        assert str(offered.prompt) == (
            "rs2 in tcp 10.10.0.20:80 is disabled in the file since 2026-11-22 13:50 UTC by root "
            "(disk swap): B enables it there (weight 10). Enter: its plan."
        )
        await desk.press("enter")
        await planned(desk)
        assert isinstance(desk.app.screen, ConfigPlanScreen)
        shown = desk.app.screen.change.plan
        assert shown is not None
        assert "+        weight 10" in shown.hosts[0].diff
        assert kernel.weights[rs(2, 80)] == 10, "nothing is written before that plan is applied"


async def test_e_on_mixed_marks_offers_both(
    start: Start, options: dict[str, Any], kernel: Kernel
) -> None:
    drained(options, kernel)
    async with start(off(kernel), **options) as desk:
        desk.services.mark_servers(
            [
                view
                for view in desk.services.console.picture.services[0].servers
                if view.key in (rs(1, 80), rs(2, 80))
            ]
        )
        await desk.press("e")
        assert "is disabled in" in desk.text()
        assert "The other 1 server: e, in the kernel." in desk.text()
        await desk.press("j", "enter")
        assert isinstance(desk.app.screen, PlanScreen)
        assert [step.server for step in desk.app.screen.plan.steps] == [rs(1, 80)]


async def test_read_only_undoes_nothing(start: Start, options: dict[str, Any]) -> None:
    options["operator"] = FakeOperator(read_only=True)
    async with start(**options) as desk:
        for key in SCREENS:
            await desk.press(key)
            await idle(desk)
            await desk.press("u")
            assert len(desk.app.screen_stack) == 1
            await desk.tells("read-only")
