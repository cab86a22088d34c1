"""Screens and dialogs that were closed leave nothing behind."""

from __future__ import annotations

import gc
from collections import Counter

import pytest
from textual.widget import Widget

from . import servers
from .configurations import FakeEngine, FakeFiles, FakePast
from .conftest import Desk, Start
from .fakes import FakeLab
from .servers import FakeRealServers

ROUNDS = {
    "help": ("question_mark", "escape"),
    "palette": ("ctrl+p", "escape"),
    "details": ("enter", "escape"),
    "warnings": ("W", "escape"),
    "theme": ("T", "escape"),
    "sort": ("s", "escape"),
    "plan": ("d", "escape"),
    "plan of the file": ("x", "escape"),
    "weight": ("w", "escape"),
    "question": ("b", "escape"),
    "screens": ("2", "4", "5", "7", "1"),
    "history": ("4", "H", "escape", "1"),
    "push": ("5", "p", "escape", "1"),
}
_WAVER = 100
"""Objects of a type each time: caches of a fixed size that are fuller at one time than at another.
One dialog that is kept is thousands."""
NOISE = {"Context", "TimerHandle", "Handle", "FIFOCache"}
"""asyncio's, until their time has come; and some two hundred caches of each widget, which is
counted itself."""


def widgets() -> set[str]:
    """Names of everything that can be on a screen."""
    found, more = set(), [Widget]
    while more:
        one = more.pop()
        found.add(one.__name__)
        more += one.__subclasses__()
    return found


async def objects(desk: Desk) -> Counter[str]:
    """How many there are of each type, once what is under way has come to its end."""
    await desk.until(
        lambda: not desk.app.realserver_session.under_way and not desk.app.config_session.under_way
    )
    for _ in range(3):
        await desk.pilot.pause()
        gc.collect()
    return Counter(type(one).__name__ for one in gc.get_objects())


@pytest.mark.parametrize(
    ("rounds", "keys"),
    [
        ((10, 50), ROUNDS["help"]),
        ((10, 30), tuple(key for keys in ROUNDS.values() for key in keys)),
    ],
    ids=["help", "everything"],
)
async def test_what_was_closed_is_gone(
    start: Start, rounds: tuple[int, int], keys: tuple[str, ...]
) -> None:
    """Fifty times leave no more than ten, every dialog and screen thirty times no more: of widgets
    less than one a round (a timer may still hold the dialog that was closed last, with all that is
    in it), and of other objects no more than caches waver."""
    hosts, engine = FakeRealServers(), FakeEngine(FakeFiles())
    engine.past = [FakePast("c-7", "weight of rs1: 10 → 5")]
    async with start(
        servers.picture(),
        size=(100, 30),
        lab=FakeLab(),
        realservers=lambda asker: hosts,
        configuration=engine.files,
        config_engine=lambda asker: engine,
    ) as desk:
        await desk.press("4", "5", "1", "j")

        async def after(count: int) -> Counter[str]:
            for _ in range(count):
                for key in keys:
                    desk.send(key, 1.0)
                    await desk.pilot.pause()
                desk.app.clear_notifications()
            return await objects(desk)

        few, many = rounds
        before = await after(few)
        more = {
            name: count - before[name]
            for name, count in (await after(many - few)).items()
            if name not in NOISE
            and count - before[name] > (many - few) * (0.9 if name in widgets() else _WAVER)
        }
        assert not more
