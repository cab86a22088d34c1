"""The screen of the configuration: what is in the files, what is wrong with it, what runs."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from lvstui.model.picture import Gap, Picture
from lvstui.session import pieces as config_pieces
from lvstui.tui.config.screen import ConfigScreen
from lvstui.tui.services.screen import ServicesScreen

from . import pictures
from .configurations import MAIN, PASSWORD, WEB_CONF, FakeFiles, noticed
from .conftest import Desk, Start
from .fakes import FakeOperator

Open = Callable[..., AbstractAsyncContextManager[Desk]]


def screen(desk: Desk) -> ConfigScreen:
    """The tab."""
    found = desk.app.screen_stack[0]
    assert isinstance(found, ConfigScreen)
    return found


async def read(desk: Desk) -> None:
    """Wait until the files are shown."""
    await desk.until(lambda: screen(desk).session.document is not None)
    await desk.pilot.pause()


@pytest.fixture
def open_(start: Start) -> Open:
    """The console on its fourth tab."""

    @asynccontextmanager
    async def run(
        files: FakeFiles | None = None, picture: Picture | None = None, **options: Any
    ) -> AsyncIterator[Desk]:
        async with start(picture, configuration=files or FakeFiles(), **options) as desk:
            await desk.press("4")
            await read(desk)
            yield desk

    return run


def loaded(same: bool | None, **more: Any) -> Picture:
    """A site whose daemon has loaded the file, another one, or nobody knows."""
    site = pictures.site()
    return replace(site, daemon=replace(site.daemon, loaded_is_file=same, **more))


async def test_tree_and_text_show_the_site(open_: Open) -> None:
    async with open_() as desk:
        text = desk.text()
        for words in ("Files", "global_defs", "LB_1", "tcp 10.10.0.20:80", "router_id lb1"):
            assert words in text


async def test_no_password_ever_reaches_the_screen(open_: Open) -> None:
    async with open_() as desk:
        await desk.press("tab", "g")
        seen = ""
        for _ in range(4):
            seen += desk.text()
            await desk.press("pagedown")
        assert "auth_pass ••••" in seen
        assert "# ••••" in seen
        assert PASSWORD not in seen
        assert "g3heim" not in seen


async def test_the_text_follows_the_tree_and_the_tree_the_text(open_: Open) -> None:
    async with open_() as desk:
        tree, text = screen(desk).tree_view, screen(desk).text
        while tree.item is None or tree.item.kind != "server":
            await desk.press("j")
        assert text.page is not None
        assert text.page.path == WEB_CONF
        assert text.page.shown(text.line).strip().startswith("real_server 10.10.0.3 80")
        await desk.press("tab", *"jjjjjjj")
        assert tree.item.label == "10.10.0.4:80"


async def test_enter_on_an_include_opens_it_and_escape_comes_back(open_: Open) -> None:
    async with open_() as desk:
        await desk.press("tab", "slash", *"include", "enter")
        text = screen(desk).text
        assert text.page is not None
        assert "include" in text.page.shown(text.line)
        assert "Opens web.conf" in desk.text()
        await desk.press("enter")
        assert text.page.path == WEB_CONF
        await desk.press("escape")
        assert text.page.path == pictures.CONF
        assert "include" in text.page.shown(text.line)


async def test_search_goes_through_all_files_and_round(open_: Open) -> None:
    async with open_() as desk:
        await desk.press("slash", *"TCP_check", "enter")
        text = screen(desk).text
        places = []
        for _ in range(3):
            assert text.page is not None
            places.append((text.page.path, text.line))
            await desk.press("n")
        assert places == [(WEB_CONF, 9), (WEB_CONF, 15), (WEB_CONF, 9)]
        await desk.press("N")
        assert text.line == 9


async def test_search_can_not_be_used_to_guess_a_password(open_: Open) -> None:
    async with open_() as desk:
        await desk.press("slash", *"g3heim", "enter")
        await desk.tells("nowhere")


async def test_findings_are_marked_and_the_key_goes_to_them(open_: Open) -> None:
    async with open_() as desk:
        await desk.press("tab", "f")
        while "delay_lop" not in _here(desk):
            await desk.press("f")
        assert "unknown keyword 'delay_lop'" in desk.text()
        line = next(line for line in desk.lines() if "delay_lop 3" in line)
        assert "▲" in line.split("delay_lop")[0]


def _here(desk: Desk) -> str:
    text = screen(desk).text
    assert text.page is not None
    return text.page.shown(text.line)


async def test_lines_of_another_host_are_said_to_be(open_: Open) -> None:
    async with open_() as desk:
        await desk.press("tab", "slash", *"@lb2", "enter")
        assert "Not in force on this host" in desk.text()
        await desk.press("k")
        assert "Not in force" not in desk.text()


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        pytest.param(loaded(True), "loaded = file ✓", id="same"),
        pytest.param(loaded(False), "file changed, not reloaded", id="changed"),
        pytest.param(loaded(None, running=False), "does not run", id="stopped"),
        pytest.param(loaded(None, version="2.1.5"), "2.1.5 keeps no copy", id="old"),
        pytest.param(
            replace(loaded(None), gaps=(Gap("memfd", "which is loaded", "run lvstui as root"),)),
            "not known: run lvstui as root",
            id="not-root",
        ),
    ],
)
async def test_it_always_says_whether_the_file_is_what_runs(
    open_: Open, picture: Picture, words: str
) -> None:
    async with open_(picture=picture) as desk:
        assert words in desk.text()


async def test_a_changed_file_is_read_again_and_the_cursor_stays(open_: Open) -> None:
    files = FakeFiles()
    async with open_(files) as desk:
        await desk.press("tab", "slash", *"interface", "enter")
        line = screen(desk).text.line
        files.files[pictures.CONF] = MAIN.replace(b"router_id lb1", b"router_id other")
        await desk.push(noticed(1.0))
        await desk.until(lambda: "router_id other" in desk.text())
        assert screen(desk).text.line == line


async def test_unchanged_files_are_not_read_again(open_: Open) -> None:
    files = FakeFiles()
    async with open_(files) as desk:
        await desk.push(pictures.site())
        assert files.looks == 1
        for at in (1.0, 2.0, 3.0):
            await desk.push(noticed(at))
            await desk.until(lambda: not screen(desk).session._busy)
        assert files.reads == 1


async def test_without_the_right_to_read_it_says_so(start: Start) -> None:
    files = FakeFiles()
    files.error = PermissionError(13, "Permission denied", pictures.CONF)
    async with start(configuration=files) as desk:
        await desk.press("4")
        await desk.until(lambda: screen(desk).session.trouble != "")
        await desk.pilot.pause()
        assert "run lvstui as root" in desk.text()
        await desk.press("f")
        await desk.tells("run lvstui as root")


async def test_a_recording_has_no_text(start: Start) -> None:
    async with start() as desk:
        await desk.press("4")
        assert "This is a recording" in desk.text()


async def test_the_screen_lives_while_a_big_file_is_read(start: Start) -> None:
    files = FakeFiles()
    files.gate = threading.Event()
    async with start(configuration=files) as desk:
        await desk.press("4")
        assert "being read" in desk.text()
        await desk.press("j", "t", "question_mark", "escape")
        files.gate.set()
        await read(desk)
        assert "router_id" in desk.text()


async def test_from_a_row_to_the_file_and_back(start: Start) -> None:
    async with start(configuration=FakeFiles()) as desk:
        await desk.press("j", "j", "F")
        await desk.until(lambda: isinstance(desk.app.screen, ConfigScreen))
        await read(desk)
        await desk.until(lambda: "real_server 10.10.0.4 80" in _here(desk))
        await desk.press("enter")
        await desk.until(lambda: isinstance(desk.app.screen, ServicesScreen))
        row = desk.services.table.row
        assert str(getattr(row, "key", "")) == "10.10.0.4:80"


async def test_read_only_shows_everything(open_: Open) -> None:
    async with open_(operator=FakeOperator(read_only=True)) as desk:
        assert "read-only" in desk.text()
        assert "virtual_server" in desk.text() or "router_id" in desk.text()


async def test_only_visible_lines_are_drawn(open_: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0
    real = config_pieces.pieces

    def counted(*args: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        return real(*args, **more)

    monkeypatch.setattr("lvstui.session.document.pieces", counted)
    servers = b"".join(
        b"virtual_server 10.%d.%d.1 80 {\n  lb_algo rr\n  lb_kind DR\n  protocol TCP\n}\n"
        % (i // 250, i % 250)
        for i in range(4000)
    )
    async with open_(FakeFiles({pictures.CONF: servers})) as desk:
        await desk.press("tab", "G")
        assert screen(desk).text.line == 20000
        assert calls < 1000


async def test_the_mouse_selects_folds_and_opens(open_: Open) -> None:
    async with open_() as desk:
        tree = screen(desk).tree_view
        before = tree.count
        # What is said above the panes comes and goes with the work, and moves them by a row.
        await desk.until(lambda: not screen(desk).session.under_way)
        await desk.pilot.pause(0.2)
        await desk.pilot.click("#config-tree", offset=(1, 0))
        await desk.pilot.pause()
        assert tree.count < before
        await desk.pilot.pause(0.2)
        await desk.pilot.click("#main", offset=(10, 3))
        await desk.until(lambda: screen(desk).text.line == 4)


async def test_it_fits_a_small_terminal(open_: Open) -> None:
    async with open_(size=(80, 24)) as desk:
        assert all(len(line) <= 80 for line in desk.lines())
        assert "loaded = file" in desk.text()
        await desk.press("t")
        assert not screen(desk).tree_view.display
        assert "global_defs {" in desk.text()
