"""Everything that could make two runs look different is held still here."""

from __future__ import annotations

import os
import re
import time
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual import events, pilot
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.keys import REPLACED_KEYS, _character_to_key, _get_unicode_name_from_key
from textual.pilot import Pilot

from lvstui.model.picture import Picture
from lvstui.operations.weight_changes import WeightChanges
from lvstui.tui.app import LvstuiApp
from lvstui.tui.change.plan import PlanScreen
from lvstui.tui.services.screen import ServicesScreen
from lvstui.tui.settings import Settings
from tests.settle import settled

from . import pictures
from .fakes import FakeFeed, FakeLab, FakeOperator


@pytest.fixture(autouse=True)
def _still(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """UTC, no colours or themes from the environment; a pause ends when all has been done, and a
    style sheet is parsed once for all tests."""
    monkeypatch.setattr(pilot, "wait_for_idle", settled)
    monkeypatch.setattr(Stylesheet, "_parse_rules", _parse_once)
    for name in ("NO_COLOR", "TEXTUAL_THEME", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    os.environ.pop("TZ", None)
    time.tzset()


_parse, _parsed = Stylesheet._parse_rules, dict[object, list[RuleSet]]()


def _parse_once(sheet: Stylesheet, css: str, *args: Any, **options: Any) -> list[RuleSet]:
    key = (css, args, *options.items(), *sheet._variables.items())
    if key not in _parsed:
        _parsed[key] = _parse(sheet, css, *args, **options)
    return _parsed[key]


Make = Callable[..., LvstuiApp]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes an app over a picture made by hand, with the clock held at 14:03:22."""

    def build(
        picture: Picture | None = None,
        *,
        operator: WeightChanges | None = None,
        lab: FakeLab | None = None,
        realservers: Any = None,
        configuration: Any = None,
        config_engine: Any = None,
        **settings: Any,
    ) -> LvstuiApp:
        values: dict[str, Any] = {
            "ascii": False,
            "clock": lambda: pictures.NOW,
            "state_folder": tmp_path / "state",
            "watch_terminal": False,
            **settings,
        }
        return LvstuiApp(
            FakeFeed(picture if picture is not None else pictures.site()),
            operator or FakeOperator(),
            lab=lab,
            realservers=realservers,
            configuration=configuration,
            config_engine=config_engine,
            settings=Settings(**values),
        )

    return build


class Desk:
    """An app under a pilot, with the questions that tests ask."""

    def __init__(self, app: LvstuiApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot
        self._hand = 0.0

    @property
    def feed(self) -> FakeFeed:
        """The feed, as the fake that it is."""
        assert isinstance(self.app.feed, FakeFeed)
        return self.app.feed

    @property
    def operator(self) -> FakeOperator:
        """The operator, as the fake that it is."""
        assert isinstance(self.app.operator, FakeOperator)
        return self.app.operator

    @property
    def services(self) -> ServicesScreen:
        """The main screen."""
        screen = self.app.screen_stack[0]
        assert isinstance(screen, ServicesScreen)
        return screen

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other, each settled, as a calm hand does: one a second."""
        for key in keys:
            self.send(key, 1.0)
            await self.pilot.pause()
            await self.pilot.pause()

    def send(self, key: str, after: float) -> None:
        """One key into the queue, as the terminal's thread would, `after` seconds after the last
        by the time of the key: no test has to wait for it, or to be quick."""
        self._hand += after
        event = key_event(key)
        event.time = self._hand
        assert self.app._driver is not None
        self.app._driver.send_message(event)

    async def type_text(self, text: str, *, pace: float) -> None:
        """Type it, a key each `pace` seconds by the time of the keys; with 0 nothing is settled
        in between, as when a terminal pastes keys."""
        for character in text:
            self.send(character, pace)
            if pace:
                await self.pilot.pause()
        await self.pilot.pause()
        await self.pilot.pause()

    async def paste(self, text: str) -> None:
        """As a terminal with bracketed paste gives it."""
        event = events.Paste(text)
        event.time = self._hand + 1
        self._hand += 1
        assert self.app._driver is not None
        self.app._driver.send_message(event)
        await self.pilot.pause()
        await self.pilot.pause()

    async def expect_plan(self) -> ShownPlan:
        """The plan dialog, which is open or about to be."""
        await self.until(lambda: isinstance(self.app.screen, PlanScreen))
        await self.pilot.pause()
        return ShownPlan(self)

    def expect_no_plan(self) -> None:
        """No dialog is open."""
        assert len(self.app.screen_stack) == 1, self.text()

    async def push(self, picture: Picture) -> None:
        """The next picture comes."""
        self.feed.show(picture)
        await self.pilot.pause()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for something that happens in a thread."""
        for _ in range(200):
            if true():
                return
            await self.pilot.pause(0.02)
        raise AssertionError("it never came true")

    async def tells(self, *words: str) -> None:
        """Wait for a notice with these words in it: it comes after what it is about."""
        await self.until(lambda: any(all(word in said for word in words) for said in self.said))

    def lines(self) -> list[str]:
        """The screen as text, a string a line."""
        screen = self.app.screen
        strips = screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip) for strip in strips]

    def text(self) -> str:
        """The screen as text."""
        return "\n".join(self.lines())

    @property
    def said(self) -> list[str]:
        """What notifications said."""
        return [str(note.message) for note in self.app._notifications]


class ShownPlan:
    """A plan as the operator reads it: what is asked of it is asked of the screen."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def says(self, *texts: str) -> ShownPlan:
        """It says each of these, wherever its lines are wrapped."""
        inside = [re.search(r"[│╭](.*)[│╮]", line) for line in self._desk.lines()]
        shown = " ".join(" ".join(found[1] for found in inside if found).split())
        for text in texts:
            assert text in shown, (text, self._desk.text())
        return self

    steps = effects = cautions = refusals = says
    """The same by the name of what is meant."""

    async def confirm(self) -> None:
        """Say yes, and wait until it was applied and the dialog has closed."""
        await self._desk.press("y")
        await self._desk.until(lambda: len(self._desk.app.screen_stack) == 1)
        await self._desk.pilot.pause()


def key_event(key: str) -> events.Key:
    """The event of a key by Textual's name or by its character."""
    if len(key) == 1 and not key.isalnum():
        key = "enter" if key == "\n" else _character_to_key(key)
    try:
        character = unicodedata.lookup(_get_unicode_name_from_key(REPLACED_KEYS.get(key, key)))
    except KeyError:
        character = key if len(key) == 1 else ""
    return events.Key(key, character or None)


Start = Callable[..., AbstractAsyncContextManager[Desk]]


@pytest.fixture
def start(make: Make) -> Start:
    """Starts an app headless."""

    @asynccontextmanager
    async def run(
        picture: Picture | None = None, size: tuple[int, int] = (120, 40), **options: Any
    ) -> AsyncIterator[Desk]:
        app = make(picture, **options)
        async with app.run_test(size=size, notifications=True) as pilot:
            await pilot.pause()
            yield Desk(app, pilot)

    return run


Wait = Callable[[], Awaitable[None]]
