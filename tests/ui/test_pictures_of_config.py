"""Snapshots of the configuration: text, draft, forms, plan, countdown, history.

Drawn anew with `--snapshot-update`; look at the difference before you commit it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest
from textual.pilot import Pilot

from lvstui.model.changes import Ended
from lvstui.tui.app import LvstuiApp

from . import pictures
from .configurations import ERROR, FakeEngine, FakeFiles, FakePast
from .conftest import Desk, Make
from .fakes import FakeOperator

Compare = Callable[..., bool]
WAIT = "(until idle)"
DISABLE = ["j", "b", *"disk", "enter", WAIT, WAIT]
CASES: dict[str, tuple[list[str], dict[str, Any]]] = {
    "tree": (["4", WAIT, *"jjjjjjjj"], {}),
    "text": (["4", WAIT, "tab", "slash", *"delay", "enter", "n"], {}),
    "draft": (
        ["4", WAIT, "tab", "slash", *"weight", "enter", "c", "backspace", "7", "ctrl+s", WAIT],
        {},
    ),
    "form": (["4", WAIT, "a", "enter", *"10.0", "tab", "tab", "tab"], {}),
    "plan": (DISABLE, {}),
    "forced": (DISABLE, {"findings": (ERROR,), "typed": "LB_1"}),
    "countdown": ([*DISABLE, "y", WAIT], {}),
    "failed": ([*DISABLE, "y", WAIT], {"fails": True}),
    "history": (
        ["4", WAIT, "H", WAIT],
        {
            "past": [
                FakePast("c-7", "weight of rs1: 10 → 5", reason="tests"),
                FakePast(
                    "c-6",
                    "remove real server 10.10.0.9:80",
                    ended=Ended.ROLLED_BACK,
                    end="rolled back: not kept in time (timer), 1 min after it was made",
                ),
            ]
        },
    ),
    "editor": (["4", WAIT, "i", WAIT], {}),
}


class _Fixed(datetime):
    """The clock that marks beside a weight are written with."""

    @classmethod
    def now(cls, tz: Any = None) -> _Fixed:
        return cls.fromtimestamp(pictures.NOW, timezone.utc)


@pytest.fixture(autouse=True)
def _held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lvstui.tui.config.actions.datetime", _Fixed)
    monkeypatch.setattr("lvstui.tui.app.identify", lambda: "alice")
    monkeypatch.setattr("lvstui.operations.change.monotonic", lambda: 1000.0)


def press(keys: list[str]) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Presses keys; at WAIT until nothing is read or worked on any more."""

    async def run(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, LvstuiApp)
        hand = Desk(app, pilot)
        for key in keys:
            if key != WAIT:
                await hand.press(key)
                continue
            desk = app.config_session
            for _ in range(500):
                quiet = not desk.under_way and not desk._busy
                there = desk.document is not None or desk.trouble or app.current_mode != "config"
                if quiet and there:
                    break
                await pilot.pause(0.02)
            await pilot.pause(0.1)

    return run


def site(make: Make, options: dict[str, Any], **more: Any) -> Any:
    """An app over files that can be changed."""
    files = FakeFiles()
    engine = FakeEngine(files, **options)
    return make(configuration=files, config_engine=lambda asker: engine, **more)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("case", CASES)
def test_config(make: Make, snap_compare: Compare, case: str, size: tuple[int, int]) -> None:
    keys, options = CASES[case]
    assert snap_compare(site(make, options), terminal_size=size, run_before=press(keys))


@pytest.mark.parametrize("theme", ["ansi-dark", "lvstui-light"])
def test_config_themes(make: Make, snap_compare: Compare, theme: str) -> None:
    keys, options = CASES["text"]
    assert snap_compare(
        site(make, options, theme=theme), terminal_size=(160, 50), run_before=press(keys)
    )


def test_config_without_colour(
    make: Make, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    keys, options = CASES["text"]
    assert snap_compare(
        site(make, options, ascii=True), terminal_size=(120, 40), run_before=press(keys)
    )


def test_config_read_only_and_not_reloaded(make: Make, snap_compare: Compare) -> None:
    picture = pictures.site()
    changed = replace(picture, daemon=replace(picture.daemon, loaded_is_file=False))
    app = make(changed, configuration=FakeFiles(), operator=FakeOperator(read_only=True))
    assert snap_compare(app, terminal_size=(120, 40), run_before=press(["4", WAIT]))


def test_config_that_may_not_be_read(make: Make, snap_compare: Compare) -> None:
    files = FakeFiles()
    files.error = PermissionError(13, "Permission denied", pictures.CONF)
    app = make(pictures.not_root(), configuration=files)
    assert snap_compare(app, terminal_size=(80, 24), run_before=press(["4", WAIT]))
