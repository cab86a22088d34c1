"""What an operator types into a plan is a reason; nothing of it is ever a key."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Button, Input

from lvstui.operations.announce import Announcements, LinkVoice
from lvstui.operations.audit import AuditLog
from lvstui.operations.config_plan import ConfigPlan
from lvstui.tui.change.announce import AnnounceScreen
from lvstui.tui.change.config_plan import ConfigPlanScreen
from lvstui.tui.change.dialog import ChangeScreen
from lvstui.tui.change.plan import PlanScreen
from lvstui.tui.change.push import PushScreen
from lvstui.tui.choice import AskScreen

from . import servers
from .configurations import FakeEngine, FakeFiles, FakePast
from .conftest import Desk, Start
from .fakes import FakeOperator
from .servers import FakeRealServers

TEXTS = ("RAM swap, yes", "dirty by Jim", "faulty RAM; reboot by Jim", "Quorum? ask Lynn, by 5")
PASTED = "yes, noisy disk: replaced by Jim"


class Voice(LinkVoice):
    """Stands in for the wire: what was said on it."""

    def __init__(self) -> None:
        self.announced: list[str] = []

    def announce(self, vip: str) -> str:
        self.announced.append(vip)
        return "announced"

    def others(self, vip: str) -> tuple[str, ...]:
        return ()


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


class World:
    """A console over everything that can be changed, and what was changed."""

    def __init__(self, desk: Desk, engine: FakeEngine, hosts: FakeRealServers) -> None:
        self.desk, self.engine, self.hosts = desk, engine, hosts
        self.voice = Voice()
        self.audit = Path()

    @property
    def applied(self) -> int:
        """How much was done to the world, whatever it was."""
        engine = self.engine
        return (
            len(self.desk.operator.applied)
            + len(engine.applied)
            + len(self.hosts.applied)
            + len(self.voice.announced)
            + len(engine.kept)
            + len(engine.taken_back)
            + len(self.hosts.rebooted)
        )

    async def plan(self) -> ChangeScreen[Any, Any]:
        """The dialog that is open, once it can be applied."""
        await self.desk.until(lambda: isinstance(self.desk.app.screen, ChangeScreen))
        shown = self.desk.app.screen
        assert isinstance(shown, ChangeScreen)
        await self.desk.until(lambda: shown.whole and shown.query_one("#apply", Button).display)
        await self.desk.pilot.pause()
        return shown

    async def idle(self) -> None:
        """Nothing is under way."""
        app = self.desk.app
        await self.desk.until(
            lambda: not app.config_session.under_way and not app.realserver_session.under_way
        )


Open = Callable[[World], Any]


@pytest.fixture
def world(start: Start, tmp_path: Path) -> Callable[..., Any]:
    """Starts the console."""

    @asynccontextmanager
    async def run() -> AsyncIterator[World]:
        engine, hosts = FakeEngine(FakeFiles()), FakeRealServers()
        engine.past = [FakePast("c-7", "weight of rs1: 10 → 5")]
        async with start(
            servers.picture(),
            realservers=lambda asker: hosts,
            configuration=engine.files,
            config_engine=lambda asker: engine,
        ) as desk:
            some = World(desk, engine, hosts)
            some.audit = tmp_path / "audit.jsonl"
            audit = AuditLog(some.audit)
            desk.app.announcements._make = lambda: Announcements(audit=audit, voice=some.voice)
            yield some

    return run


async def _services(world: World, *keys: str) -> None:
    await world.desk.press("j", *keys)


async def _undo(world: World) -> None:
    await world.desk.press("j", "d", "y")
    await world.desk.until(lambda: len(world.desk.app.screen_stack) == 1)
    await world.desk.press("u")


async def _config(world: World, *keys: str) -> None:
    await world.desk.press("4")
    await world.desk.until(lambda: world.desk.app.config_session.document is not None)
    await world.idle()
    await world.desk.press(*keys)
    await world.idle()


async def _draft(world: World) -> None:
    await _config(world, "slash", *"10.10.0.3", "enter", "b", *"disk", "enter")
    await world.desk.press("p")


async def _history(world: World) -> None:
    await _config(world, "H")
    await world.desk.press("R")


async def _push(world: World, *keys: str) -> None:
    await world.desk.press("5", "r")
    await world.idle()
    await world.desk.press(*keys)
    await world.idle()


async def _hosts_undo(world: World) -> None:
    world.hosts.state.update(rs1="pushed", rs2="pushed", rs3="pushed")
    await _push(world, "U")


DIALOGS: Mapping[str, Open] = {
    "drain": lambda world: _services(world, "d"),
    "enable": lambda world: _services(world, "e"),
    "weight": lambda world: _services(world, "w", "5", "enter"),
    "undo": _undo,
    "disable": lambda world: _services(world, "b", *"disk ", "enter"),
    "remove": lambda world: _services(world, "x"),
    "draft": _draft,
    "rollback": _history,
    "push": lambda world: _push(world, "p"),
    "undo on hosts": _hosts_undo,
    "announce": lambda world: world.desk.press("2", "a"),
}


@pytest.mark.parametrize("dialog", DIALOGS)
async def test_a_text_typed_into_a_plan_is_its_reason_and_applies_nothing(
    world: Callable[..., Any], dialog: str
) -> None:
    async with world() as some:
        desk = some.desk
        await DIALOGS[dialog](some)
        shown = await some.plan()
        field, before = shown.query_one("#reason", Input), some.applied

        async def typed(how: Any, text: str, said: str) -> None:
            await how
            assert some.applied == before, said
            assert desk.app.screen is shown, said
            assert field.value == text, said
            await desk.press("escape")
            assert desk.app.screen is shown, "Esc leaves the field first"
            assert field.value == text, "Esc keeps the text"
            field.value = ""
            await desk.pilot.pause()

        field.value = ""
        for text in TEXTS:
            for pace in (0.0, 0.1, 0.7):
                await typed(_after_tab(desk, text, pace), text, f"Tab {text} at {pace}")
                await typed(_straight(desk, text, pace), text, f"{text} at {pace}")
        for pace in (0.0, 0.7):
            await typed(_after_tab(desk, PASTED, pace), PASTED, f"Tab {PASTED} at {pace}")
        await typed(desk.paste(PASTED), PASTED, "pasted")
        await typed(desk.paste("two\nlines, yes\n"), "two lines, yes", "pasted lines")


async def _after_tab(desk: Desk, text: str, pace: float) -> None:
    desk.send("tab", 1.0)
    if pace:
        await desk.pilot.pause()
    await desk.type_text(text, pace=pace)


async def _straight(desk: Desk, text: str, pace: float) -> None:
    desk.send(text[0], 1.0)
    await desk.type_text(text[1:], pace=pace)


@pytest.mark.parametrize("dialog", DIALOGS)
async def test_y_applies_with_the_reason(world: Callable[..., Any], dialog: str) -> None:
    async with world() as some:
        await DIALOGS[dialog](some)
        shown = await some.plan()
        before = some.applied
        shown.query_one("#reason", Input).value = ""
        shown.query_one("#typed", Input).value = shown.to_type
        await _straight(some.desk, "RAM swap, yes", 0.7)
        # Enter goes on to Apply; a second one at once, as of a pasted line, does not press it.
        some.desk.send("enter", 0.1)
        some.desk.send("enter", 0.0)
        await some.desk.pilot.pause()
        assert some.applied == before
        if shown.to_type:
            # Enter went on to the field in which it has to be typed; y is a letter there.
            await some.desk.press("escape")
        await some.desk.press("y")
        await some.desk.until(lambda: some.applied > before)
        await some.idle()
        reasons = [
            *(plan.reason for plan in some.desk.operator.applied),
            *(reason for _, _, reason in some.hosts.applied),
            *(plan.reason for plan, _ in some.engine.applied),
            *(json.loads(line).get("reason") for line in _lines(some.audit)),
        ]
        assert reasons[-1] == "RAM swap, yes"


async def test_d_y_stays_two_keys_however_fast(world: Callable[..., Any]) -> None:
    async with world() as some:
        await some.desk.press("j")
        some.desk.send("d", 1.0)
        some.desk.send("y", 0.05)
        await some.desk.until(lambda: bool(some.desk.operator.applied))
        assert some.desk.operator.applied[0].operation == "drain"


async def test_j_d_y_in_a_hurry(world: Callable[..., Any]) -> None:
    """To move the cursor is no typing."""
    async with world() as some:
        for key in "jdy":
            some.desk.send(key, 0.05)
        await some.desk.until(lambda: bool(some.desk.operator.applied))


@pytest.mark.parametrize("pace", [0.0, 0.1])
@pytest.mark.parametrize("word", ["dirty", "tidy", "ready", "muddy", "lady by day"])
async def test_a_word_typed_on_services_applies_nothing(
    world: Callable[..., Any], word: str, pace: float
) -> None:
    async with world() as some:
        await some.desk.press("j")
        some.desk.send(word[0], 1.0)
        await some.desk.type_text(word[1:], pace=pace)
        for _ in range(5):
            await some.desk.pilot.pause()
        assert some.applied == 0


async def test_a_letter_that_decides_has_to_stand_alone(world: Callable[..., Any]) -> None:
    """Also where there is no field to type into: a held key keeps nothing."""
    async with world() as some:
        await _draft(some)
        await some.plan()
        await some.desk.press("y")
        await some.idle()
        some.desk.send("x", 1.0)
        for key in ("y", "y", "b", "y"):
            some.desk.send(key, 0.1)
        await some.desk.pilot.pause()
        await some.desk.pilot.pause()
        assert some.engine.kept == some.engine.taken_back == []
        await some.desk.press("y")
        await some.idle()
        assert some.engine.kept == ["c-1"]


async def test_keys_of_the_dialog_that_begin_a_text_are_part_of_it(
    world: Callable[..., Any],
) -> None:
    async with world() as some:
        await _services(some, "d")
        shown = await some.plan()
        await _straight(some.desk, "hardware", 0.1)
        assert shown.query_one("#reason", Input).value == "hardware"


@pytest.mark.parametrize("pace", [0.0, 0.7])
async def test_what_is_typed_while_it_is_being_planned_is_the_reason_too(
    world: Callable[..., Any], pace: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    async with world() as some:
        make = some.engine.plan

        def slow(*args: Any, **options: Any) -> ConfigPlan:
            gate.wait(10)
            return make(*args, **options)  # type: ignore[no-any-return]

        monkeypatch.setattr(some.engine, "plan", slow)
        await _services(some, "b", *"disk", "enter")
        await some.desk.until(lambda: isinstance(some.desk.app.screen, ConfigPlanScreen))
        shown = some.desk.app.screen
        await some.desk.until(lambda: shown.whole)
        shown.query_one("#reason", Input).value = ""
        await _straight(some.desk, "RAM sw", pace)
        gate.set()
        await some.plan()
        await some.desk.type_text("ap, yes", pace=pace)
        assert some.applied == 0
        assert shown.query_one("#reason", Input).value == "RAM swap, yes"


async def test_what_is_typed_while_hosts_are_looked_at_stops_nothing(
    world: Callable[..., Any],
) -> None:
    async with world() as some:
        some.hosts.gate = threading.Event()
        await some.desk.press("5", "p")
        shown = some.desk.app.screen
        assert isinstance(shown, PushScreen)
        await _straight(some.desk, "RAM swap, yes", 0.1)
        some.hosts.gate.set()
        await some.plan()
        assert some.applied == 0
        assert shown.query_one("#reason", Input).value == "RAM swap, yes"
        assert not shown.change.stop.is_set()


async def test_what_is_typed_before_a_question_is_drawn_goes_into_its_field(
    world: Callable[..., Any],
) -> None:
    """q, j and k are keys of a dialog without its field."""
    async with world() as some:
        await some.desk.press("j")
        some.desk.send("b", 1.0)
        await some.desk.type_text("quick fix by jk", pace=0.0)
        asked = some.desk.app.screen
        assert isinstance(asked, AskScreen)
        assert asked.query_one(Input).value == "quick fix by jk"


async def test_the_first_tab_goes_to_the_reason_then_in_the_order_of_the_screen(
    start: Start,
) -> None:
    async with start(operator=FakeOperator(typed="rs1")) as desk:
        await desk.press("j", "d")
        assert isinstance(desk.app.screen, PlanScreen)
        seen = []
        for _ in range(6):
            assert desk.app.focused is not None
            seen.append(desk.app.focused.id)
            await desk.press("tab")
        assert seen == ["cancel", "reason", "typed", "cancel", "apply", "reason"]


async def test_an_empty_reason_looks_like_a_field(start: Start) -> None:
    """Also without colours."""
    async with start() as desk:
        await desk.press("j", "d")
        field = desk.app.screen.query_one("#reason", Input)
        assert field.styles.background != desk.app.screen.query_one("#box").styles.background
        line = next(line for line in desk.lines() if "Reason" in line)
        assert "[ optional, for the audit log" in line
        assert "]" in line


@pytest.mark.parametrize("size", [(80, 24), (40, 20)])
@pytest.mark.parametrize("dialog", DIALOGS)
async def test_the_keys_are_never_cut_and_the_way_out_is_first(
    world: Callable[..., Any], dialog: str, size: tuple[int, int]
) -> None:
    async with world() as some:
        await DIALOGS[dialog](some)
        shown = await some.plan()
        await some.desk.pilot.resize_terminal(*size)
        await some.desk.pilot.pause()
        text = some.desk.text()
        keys = shown.keys()
        assert "Esc" in keys[0][0]
        for key, what in keys:
            assert f" {key}  {what}" in text, (key, what, text)


def test_every_form_of_a_plan_is_tried_above() -> None:
    assert set(ChangeScreen.__subclasses__()) == {
        PlanScreen,
        ConfigPlanScreen,
        PushScreen,
        AnnounceScreen,
    }
