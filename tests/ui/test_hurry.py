"""Keys, pictures and sizes that come whenever they like: before a screen has its widgets, while
it loses them, while the console ends."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from textual import events
from textual.geometry import Size

from lvstui.tui.app import LvstuiApp
from lvstui.tui.choice import AskScreen, ChoiceScreen
from lvstui.tui.help import HelpScreen
from lvstui.tui.live import LiveScreen
from lvstui.tui.notices import WarningsScreen
from lvstui.tui.services.screen import ServicesScreen

from . import servers
from .configurations import FakeEngine, FakeFiles, FakePast
from .conftest import Make, Start, key_event
from .fakes import FakeLab, alive
from .servers import FakeRealServers

KEYS = (
    *"12457",
    *"jjjkk",
    *"dewubxB",
    *"aHDPIUi",
    *"rpvRFf",
    *"?TWscEtAX",
    *"yyn",
    "q",
    *("escape",) * 12,
    *("enter",) * 6,
    "tab",
    "space",
    "slash",
    "colon",
    "ctrl+p",
    "ctrl+l",
    "f1",
    "up",
    "down",
    "pagedown",
    "ctrl+s",
)
SIZES = ((80, 24), (120, 40), (40, 12), (200, 60))


async def yields(dice: random.Random) -> None:
    """Let the others go on for a little, or not at all."""
    for _ in range(dice.choice((0, 0, 0, 1, 2, 5, 20, 60))):
        await asyncio.sleep(0)


@pytest.mark.parametrize("seed", range(20))
async def test_nothing_that_comes_at_a_bad_moment_ends_the_console(make: Make, seed: int) -> None:
    dice = random.Random(seed)
    hosts, engine = FakeRealServers(), FakeEngine(FakeFiles())
    engine.past = [FakePast("c-7", "weight of rs1: 10 → 5")]
    app = make(
        servers.picture(),
        lab=FakeLab(),
        realservers=lambda asker: hosts,
        configuration=engine.files,
        config_engine=lambda asker: engine,
    )
    feed: Any = app.feed
    async with app.run_test(size=(120, 40)):
        driver = app._driver
        assert driver is not None
        for _ in range(60):
            if app._exit:
                break
            what = dice.random()
            if what < 0.75:
                driver.send_message(key_event(dice.choice(KEYS)))
            elif what < 0.9:
                feed.show(alive(feed.picture, dice))
            else:
                size = Size(*dice.choice(SIZES))
                app.post_message(events.Resize(size, size))
            await yields(dice)
        # Left in the middle of whatever it is.
        app.exit()
        feed.show(alive(feed.picture, dice))
        for key in ("d", "y", "question_mark"):
            driver.send_message(key_event(key))
    assert app._exception is None


async def test_a_dialog_that_is_left_before_it_has_its_widgets(start: Start) -> None:
    async with start() as desk:
        for dialog in (
            ChoiceScreen("Sort by", ["one", "two"]),
            AskScreen("Why", "Say it.", "reason"),
            HelpScreen(desk.services),
            WarningsScreen(),
        ):
            desk.app.push_screen(dialog)
            desk.app.pop_screen()
            await desk.pilot.pause()
            assert not dialog.whole
        assert desk.app.screen is desk.services


async def composed(screen: LiveScreen[None]) -> bool:
    """Whether it has its widgets, after all that was to be done."""
    for _ in range(20):
        await asyncio.sleep(0)
    return screen.whole


async def test_a_picture_that_comes_before_a_screen_has_its_widgets(start: Start) -> None:
    """The crash seen on a busy host: the screen is there, its header is not."""
    async with start() as desk:
        late = ServicesScreen()
        assert not await composed(late)
        desk.app.push_screen(late)
        desk.feed.show(desk.feed.picture)
        desk.app._tick()
        await desk.pilot.pause()
        assert desk.app.screen is late
        assert await composed(late)
        gone = late.remove()
        desk.app._tick()
        desk.app.post_message(events.Resize(Size(90, 30), Size(90, 30)))
        await gone
        assert not await composed(late)


async def test_a_second_dismissal_takes_no_other_dialog_away(start: Start) -> None:
    async with start() as desk:
        below, above = WarningsScreen(), HelpScreen(desk.services)
        await desk.app.push_screen(below)
        await desk.app.push_screen(above)
        below.dismiss(None)
        await desk.pilot.pause()
        assert desk.app.screen_stack[1:] == [below, above]
        above.dismiss(None)
        above.dismiss(None)
        await desk.pilot.pause()
        assert desk.app.screen_stack[1:] == [below]


async def test_ctrl_l_draws_everything_again_wherever_one_is(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole: list[object] = []
    show = LvstuiApp._display

    def counted(self: LvstuiApp, screen: Any, update: Any) -> None:
        if type(update).__name__ == "LayoutUpdate":
            whole.append(screen)
        show(self, screen, update)

    monkeypatch.setattr(LvstuiApp, "_display", counted)
    async with start(lab=FakeLab()) as desk:
        for keys in ((), ("question_mark",), ("ctrl+p",), ("T",), ("j", "d"), ("slash",)):
            await desk.press(*keys)
            whole.clear()
            await desk.press("ctrl+l")
            assert desk.app.screen in whole, keys
            await desk.press("escape", "escape")
