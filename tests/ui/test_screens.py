"""Screens and dialogs: what they say, what they bear, how they end."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from textual.app import ComposeResult
from textual.binding import Binding
from textual.color import Color
from textual.command import CommandPalette

from lvstui.keepalived.text.parser import parse_bytes
from lvstui.model.picture import Event, Picture, Severity
from lvstui.process.readonly import READ_ONLY
from lvstui.realserver.check_now import Ask, Came
from lvstui.session.checking import CheckSession
from lvstui.tui.app import LvstuiApp, PictureChanged
from lvstui.tui.command import shown_key
from lvstui.tui.console import ConsoleScreen
from lvstui.tui.events.event_list import EventList
from lvstui.tui.events.screen import EventsScreen
from lvstui.tui.help import HelpScreen
from lvstui.tui.host import ConsoleHost
from lvstui.tui.palette import CommandProvider
from lvstui.tui.screens import SCREENS
from lvstui.tui.services.check import CheckScreen
from lvstui.tui.services.details import DetailsScreen
from lvstui.tui.services.explain import explain
from lvstui.tui.services.screen import ServicesScreen
from lvstui.tui.theme import THEMES

from . import pictures
from .conftest import Desk, Make, Start
from .fakes import FakeFeed, FakeLab, FakeOperator
from .pictures import DNS, NOW, WEB, rs

BLACK = Color(0, 0, 0)
SIZES = [(80, 24), (120, 40), (160, 50), (200, 60)]


@pytest.mark.parametrize("size", SIZES)
async def test_every_size_shows_what_matters(start: Start, size: tuple[int, int]) -> None:
    async with start(size=size) as desk:
        text = desk.text()
        for words in (
            "lb1",
            "MASTER",
            "LB_1",
            "14:03:22",
            "tcp 10.10.0.20:80",
            "10.10.0.4:80",
            "rs2",
            "draining",
            "TCP_CHECK connection refused",
            "rs3 answers ARP",
            "14:03:19.120",
            "drain",
            "filter",
            "help",
            "INACTIVE",
            "4 350",
        ):
            assert words in text, words
        assert all(len(line) <= size[0] for line in desk.lines())


async def test_the_smallest_terminals_do_not_break_it(start: Start) -> None:
    async with start(size=(20, 6)) as desk:
        for size in ((20, 6), (40, 10), (60, 15)):
            await desk.pilot.resize_terminal(*size)
            await desk.press("j", "j", "enter", "escape", "question_mark", "escape", "7", "1")
            assert {len(line) for line in desk.lines()} == {size[0]}
            assert "lvstui" in desk.text()


async def test_every_theme_works_on_every_screen(start: Start) -> None:
    async with start(theme="nord") as desk:
        assert desk.app.theme == "nord"
        for theme in ("nord", *(t.name for t in THEMES), "ansi-dark", "ansi-light"):
            desk.app.theme = theme
            await desk.press("j", "enter", "escape", "d", "escape", "question_mark", "escape")
            await desk.press("2", "7", "1", "g")
            assert "draining" in desk.text(), theme


async def test_themes_are_previewed_and_given_back(start: Start) -> None:
    async with start() as desk:
        await desk.press("T", "j")
        assert desk.app.theme == "lvstui-light"
        await desk.press("escape")
        assert desk.app.theme == "lvstui-dark"


async def test_textual_theme_is_respected(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTUAL_THEME", "gruvbox")
    async with start() as desk:
        assert desk.app.theme == "gruvbox"
    monkeypatch.setenv("TEXTUAL_THEME", "no-such-theme")
    async with start() as desk:
        assert desk.app.theme == "lvstui-dark"


async def test_no_color_has_no_colour_and_loses_nothing(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = make()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        desk = Desk(app, pilot)
        text = desk.text()
        for words in ("● 10.10.0.3:80", "✖ 10.10.0.5:80", "down 3 min", "◐ 10.10.0.4:80", "≠0"):
            assert words in text
        for strip in app.screen._compositor.render_strips():
            filtered = strip.apply_filter(app._filters[-1], app.screen.background_colors[1])
            for segment in filtered:
                color = segment.style.color if segment.style else None
                if color is not None and color.triplet is not None:
                    assert len(set(color.triplet)) == 1, color


async def test_ascii_terminals_get_ascii(start: Start) -> None:
    async with start(ascii=True, size=(160, 50)) as desk:
        for keys in ([], ["j"], ["enter"], ["escape"], ["2"], ["1"], ["W"]):
            await desk.press(*keys)
            strips = desk.app.screen._compositor.render_strips()
            ours = {c for strip in strips for segment in strip for c in segment.text}
            drawn = "".join(
                segment.text
                for strip in strips
                for segment in strip.apply_filter(desk.app._filters[-1], BLACK)
            )
            assert not ours & set("●◐✖▾▌━─▁▇✓")
            strange = {c for c in drawn if ord(c) > 126}
            assert not strange, strange


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (pictures.waiting(), ["Reading the IPVS table"]),
        (pictures.not_root(), ["root only", "sudo lvstui", "What to do"]),
        (pictures.no_ipvs(), ["no IPVS loaded", "modprobe ip_vs", "keepalived not running"]),
        (pictures.no_keepalived(), ["not installed", "apt install keepalived"]),
        (replace(pictures.no_keepalived(), daemon=pictures.daemon()), ["No virtual services"]),
    ],
)
async def test_what_is_missing_is_explained(
    start: Start, picture: Picture, words: list[str]
) -> None:
    async with start(picture, size=(80, 24)) as desk:
        for word in words:
            assert word in desk.text(), word
        await desk.press("j", "d", "enter", "space", "z", "2", "7", "1")
        assert explain(picture) is not None
        await desk.push(pictures.site())
        assert "tcp 10.10.0.20:80" in desk.text()


async def test_gaps_are_said_once_and_listed(start: Start) -> None:
    async with start(pictures.counters_missing(), size=(160, 50)) as desk:
        assert desk.text().count("counters and rates") == 1
        assert "sudo lvstui" in desk.text()
        await desk.press("W")
        assert "Not seen from here" in desk.text()


async def test_nothing_is_ever_markup(start: Start) -> None:
    async with start(pictures.hostile(), size=(160, 50), lab=FakeLab()) as desk:
        text = desk.text()
        for word in pictures.HOSTILE:
            assert word in text, word
        await desk.press("j", "enter")
        assert "[/usr/bin/check] said [/usr/bin/check]" in desk.text()
        await desk.press("escape", "W")
        assert "[@click=app.quit]x" in desk.text()
        await desk.press("escape", "d", "y", "colon", "escape", "2")
        assert "[@click=app.quit]x" in desk.text()
        await desk.press("7", "j", "y")
        assert "[@click=app.quit]x" in desk.text()
        await desk.press("1", "slash", *"[/]")
        assert desk.services.table.shape.pattern == "[/]"
        await desk.press("escape", "space", "slash", *"[bold", "enter")
        assert desk.app.is_running


async def test_split_brain_and_tracking_stand_in_the_header(start: Start) -> None:
    rival = replace(pictures.instance(), others=(("10.10.0.2", 100),), priority=100)
    async with start(replace(pictures.site(), instances=(rival,)), size=(120, 40)) as desk:
        first = desk.lines()[0]
        assert "also MASTER: 10.10.0.2" in first
        assert "of 150" in first
        await desk.press("2")
        assert "two masters" in desk.text()


async def test_many_instances_are_counted(start: Start) -> None:
    many = tuple(
        replace(pictures.instance("MASTER" if n % 3 else "FAULT"), name=f"I{n}") for n in range(30)
    )
    async with start(replace(pictures.site(), instances=many), size=(80, 24)) as desk:
        assert "20 MASTER" in desk.lines()[0]
        assert "10 FAULT" in desk.lines()[0]


async def test_old_news_is_called_old(make: Make) -> None:
    app = make(clock=lambda: NOW + 60)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "no news for 1 min" in Desk(app, pilot).lines()[0]


async def test_details_follow_the_picture(start: Start) -> None:
    async with start(size=(120, 50)) as desk:
        await desk.press("j", "j", "j", "enter")
        assert isinstance(desk.app.screen, DetailsScreen)
        text = desk.text()
        assert "failed (Connection refused)" in text
        assert "keepalived.conf:56" in text
        await desk.push(pictures.changed(desk.feed.picture, WEB, rs(3, 80), reason="timeout"))
        assert "timeout" in desk.text()
        await desk.press("c")
        assert desk.app.clipboard.endswith("keepalived.conf:56")
        empty = replace(desk.feed.picture, services=())
        await desk.push(empty)
        assert "It is gone" in desk.text()


async def test_details_of_a_service(start: Start) -> None:
    async with start(size=(120, 60)) as desk:
        await desk.press("enter")
        for words in ("wrr", "Quorum", "51 234 567 890", "10.10.0.5:80", "on this host"):
            assert words in desk.text(), words


async def test_a_server_is_checked_now_and_what_comes_is_shown(start: Start) -> None:
    asked, go = [], threading.Event()

    def run(asks: Sequence[Ask], stopped: Callable[[], bool], came: Callable[[Came], None]) -> None:
        asked.append([ask.what for ask in asks])
        came(Came(asks[0].what, True, "connected", 0.4))
        while not go.wait(0.01) and not stopped():
            pass
        came(Came(asks[-1].what, False, "no answer", None, ("SYN to [b]52:54[/b]",)))

    async with start(size=(120, 40)) as desk:
        await desk.press("j", "C")
        await desk.tells("A recording asks nobody")
        session = CheckSession(lambda: parse_bytes(b""), desk.app.call_later, run=run)
        desk.app._check_session = session
        await desk.press("C")
        assert isinstance(desk.app.screen, CheckScreen)
        await desk.until(lambda: "connected, 0.4 ms" in desk.text())
        assert f"2 of {len(asked[0])}: {asked[0][1]}" in desk.text()
        assert "s  stop" in desk.text()
        await desk.press("s")
        await desk.until(lambda: "SYN to [b]52:54[/b]" in desk.text())
        assert "C  again" in desk.text()
        go.set()
        await desk.press("C")
        await desk.until(lambda: len(asked) == 2 and not session.under_way)
        await desk.press("escape")
        await desk.until(lambda: session.watchers == [])
        assert "lb1" in desk.lines()[0]


async def test_help_lists_every_binding(start: Start) -> None:
    async with start() as desk:
        for mode in ("1", "2", "7"):
            await desk.press(mode)
            screen = desk.app.screen
            assert isinstance(screen, ConsoleScreen)
            keys = {key for key, _ in screen._bindings} - {"tab", "shift+tab"}
            focused = desk.app.focused
            if isinstance(focused, EventList) or mode == "1":
                assert focused is not None
                bound = [b for b in type(focused).BINDINGS if isinstance(b, Binding)]
                keys |= {key for binding in bound for key in binding.key.split(",")}
            await desk.press("question_mark")
            page = desk.app.screen
            assert isinstance(page, HelpScreen)
            rows = [row for rows in page.rows().values() for row in rows]
            listed = " ".join(row[0] for row in rows).split()
            moves = {
                b.key for b in getattr(type(focused), "BINDINGS", []) if isinstance(b, Binding)
            }
            for key in keys:
                shown = shown_key(key)
                known = shown in listed or any(key in each.split(",") for each in moves)
                assert known or key in ("ctrl+c", "super+c", "escape"), key
            await desk.press("escape")


async def test_every_command_is_in_the_palette(start: Start) -> None:
    async with start(lab=FakeLab()) as desk:
        provider = CommandProvider(desk.services)
        titles = {entry.title for entry in provider._entries()}
        for command in desk.services.commands:
            assert (command.names.title in titles) == command.in_palette
        assert {"fault: stop rs1", "fault: stop rs3", "fault: heal"} <= titles


async def test_read_only_refuses_whatever_does_not_call_itself_harmless(start: Start) -> None:
    async with start(operator=FakeOperator(read_only=True)) as desk:
        for mode in desk.app.MODES:
            await desk.app.switch_mode(mode)
            await desk.pilot.pause()
            screen = desk.app.screen
            assert isinstance(screen, ConsoleScreen)
            for command in screen.commands:
                refused = screen.why_not(command) == READ_ONLY
                assert refused == command.changes, command.id
            assert {c.id for c in screen.commands if c.changes} >= {"ask"}
            keys = {key.id for key in screen._keys()}
            assert not keys & {c.id for c in screen.commands if c.changes}


async def test_read_only_palette_offers_no_fault(start: Start) -> None:
    async with start(operator=FakeOperator(read_only=True), lab=FakeLab()) as desk:
        provider = CommandProvider(desk.app.screen)
        assert not [e.title for e in provider._entries() if e.title.startswith("fault")]


async def test_read_only_palette_offers_no_change(start: Start) -> None:
    async with start(operator=FakeOperator(read_only=True)) as desk:
        titles = {entry.title for entry in CommandProvider(desk.services)._entries()}
        assert "Details" in titles
        assert not any("Drain" in title or "Undo" in title for title in titles)


async def test_palette_runs_a_command_and_a_fault(start: Start) -> None:
    lab = FakeLab()
    async with start(lab=lab) as desk:
        await desk.press("colon")
        assert isinstance(desk.app.screen, CommandPalette)
        await desk.press(*"faults only")
        await desk.pilot.pause(0.3)
        await desk.press("enter")
        await desk.until(lambda: desk.services.table.shape.faults)
        await desk.press("ctrl+p", *"fault: stop rs3")
        await desk.pilot.pause(0.3)
        await desk.press("enter")
        await desk.until(lambda: lab.injected == [("stop", "rs3", None)])
        await desk.tells("[stop] done on rs3")


def many_events(count: int) -> tuple[Event, ...]:
    """One a second."""
    return tuple(
        Event(NOW - count + n, "lb1", Severity.INFO, f"event number {n}", "server", DNS, rs(2, 53))
        for n in range(count)
    )


async def test_events_filter_pause_and_go_there(start: Start) -> None:
    picture = replace(pictures.site(), events=many_events(200))
    async with start(picture) as desk:
        await desk.press("7")
        screen = desk.app.screen
        assert isinstance(screen, EventsScreen)
        assert "event number 199" in desk.text()
        await desk.press("p")
        await desk.push(replace(picture, events=(*picture.events, *pictures.events())))
        assert "paused, 4 new" in desk.text()
        assert "rs3 down" not in desk.text()
        await desk.press("p")
        assert "rs3 down" in desk.text()
        await desk.press("slash", *"number 15", "enter")
        assert all("15" in event.text for event in screen.list.rows)
        await desk.press("enter")
        await desk.until(lambda: desk.app.current_mode == "services")
        row = desk.services.table.row
        assert row is not None
        assert row.key == rs(2, 53)


async def test_events_keep_their_place_while_new_ones_come(start: Start) -> None:
    picture = replace(pictures.site(), events=many_events(100))
    async with start(picture) as desk:
        await desk.press("7", *"jjjjj")
        screen = desk.app.screen
        assert isinstance(screen, EventsScreen)
        event = screen.list.here
        await desk.push(replace(picture, events=(*picture.events, *pictures.events())))
        assert screen.list.here is event


async def test_export_writes_json_lines_and_never_over_a_file(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    async with start() as desk:
        # The clock stands still, and so does the name that is tried first.
        for number in (1, 2):
            await desk.press("7", "x")
            await desk.until(lambda number=number: sum("written" in s for s in desk.said) == number)  # type: ignore[misc]
        first, second = sorted(folder.iterdir(), key=lambda path: len(path.name))
        assert (folder.stat().st_mode & 0o777, first.stat().st_mode & 0o777) == (0o700, 0o600)
        assert second.name == first.name.replace(".jsonl", "-1.jsonl")
        assert second.read_text() == first.read_text()
        assert f"4 events written to {first}" in desk.said
        lines = [json.loads(line) for line in first.read_text().splitlines()]
        assert [line["severity"] for line in lines] == ["warn", "good", "info", "bad"]
        assert lines[-1]["server"] == "10.10.0.5:80"


async def test_export_goes_through_no_link(start: Start, tmp_path: Path) -> None:
    folder, victim = tmp_path / "state", tmp_path / "victim"
    victim.write_text("as it was")
    folder.mkdir()
    async with start() as desk:
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(pictures.NOW))
        (folder / f"events-{stamp}.jsonl").symlink_to(victim)
        await desk.press("7", "x")
        await desk.tells("written")
    assert victim.read_text() == "as it was"
    assert len((folder / f"events-{stamp}-1.jsonl").read_text().splitlines()) == 4


async def test_events_pane_hides_and_grows(start: Start) -> None:
    async with start() as desk:
        pane = desk.services.query_one("#events-pane")
        height = pane.size.height
        await desk.press("plus")
        assert pane.size.height == height + 2
        await desk.press("E")
        assert not pane.display
        await desk.press("E")
        assert pane.display


async def test_only_the_newest_picture_is_kept() -> None:
    first, second = PictureChanged(pictures.site()), PictureChanged(pictures.site())
    assert second.can_replace(first)


async def test_a_crash_says_one_line_and_tells_no_secret(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = make()

    def explode(picture: Picture) -> None:
        auth_pass = "s3cret"
        raise RuntimeError(f"broken {len(auth_pass)}")

    async def session() -> None:
        async with app.run_test() as pilot:
            await pilot.pause()
            app.screen.show_picture = explode  # type: ignore[attr-defined]
            assert isinstance(app.feed, FakeFeed)
            app.feed.show(pictures.site())
            await pilot.pause()

    with pytest.raises(RuntimeError):
        await session()
    assert app.return_code == 1
    said = " ".join(capsys.readouterr().err.split())
    assert said.startswith("lvstui stopped: internal error (RuntimeError); the trace is in")
    # Where it was is printed too: the file may be gone with the lab's guest.
    assert "app.py:" in said
    assert "explode: raise RuntimeError(" in said
    assert "broken 6" not in said
    assert "s3cret" not in said
    written = list((tmp_path / "state").glob("crash-*.txt"))
    assert len(written) == 1
    assert written[0].stat().st_mode & 0o777 == 0o600
    trace = written[0].read_text()
    assert "RuntimeError" in trace
    assert "s3cret" not in trace.replace('auth_pass = "s3cret"', "")


async def test_tabs_are_the_screens_that_exist(start: Start) -> None:
    async with start() as desk:
        tabs = desk.lines()[1]
        assert "Services" in tabs
        assert "Failover" in tabs
        assert "Events" in tabs
        assert "Doctor" not in tabs
        await desk.pilot.click("#tabs", offset=(16, 0))
        await desk.pilot.pause()
        assert desk.app.current_mode == "failover"


async def test_footer_keys_can_be_clicked(start: Start) -> None:
    async with start() as desk:
        at = desk.lines()[-1].index("filter")
        await desk.pilot.click("#keys", offset=(at, 0))
        await desk.pilot.pause()
        assert desk.services.query_one("#filter").display


async def test_quit(make: Make) -> None:
    app: LvstuiApp = make()
    async with app.run_test() as pilot:
        await pilot.press("q")
        await pilot.pause()
    assert app.return_code == 0


async def test_a_screen_visited_before_takes_a_new_theme(start: Start) -> None:
    async with start() as desk:
        await desk.press("7", "1", "T", "j", "enter", "7")
        assert desk.app.theme == "lvstui-light"
        events = desk.app.screen.query_one(EventList)
        color = events.style("text").color
        assert color is not None
        assert color.name == desk.app.theme_variables["lv-text"]
        await desk.press("1")
        color = desk.services.table.get_component_rich_style("server-table--address").color
        assert color is not None
        assert color.name == desk.app.theme_variables["lv-text"]


def test_the_app_is_what_its_screens_expect(make: Make) -> None:
    host: ConsoleHost = make()
    assert host.picture.host == "lb1"


async def test_a_second_that_passes_before_the_screen_is_there(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticked = []
    compose = ServicesScreen.compose

    def late(screen: ServicesScreen) -> ComposeResult:
        # A busy host: the clock ticks before there is a widget.
        app = screen.app
        assert isinstance(app, LvstuiApp)
        app._tick()
        ticked.append(screen.is_mounted)
        return compose(screen)

    monkeypatch.setattr(ServicesScreen, "compose", late)
    app = make()
    async with app.run_test() as pilot:
        await pilot.pause()
    assert ticked == [False]


async def test_a_picture_that_comes_before_the_screen_has_begun(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    came = []
    mount = ServicesScreen.on_mount

    def late(screen: ServicesScreen) -> None:
        # Its widgets are there, what it keeps of them is not.
        app = screen.app
        assert isinstance(app, LvstuiApp)
        app.on_picture_changed(PictureChanged(app.picture))
        app._tick()
        came.append(screen.whole)
        mount(screen)

    monkeypatch.setattr(ServicesScreen, "on_mount", late)
    app = make()
    async with app.run_test() as pilot:
        await pilot.pause()
        assert isinstance(app.screen, ServicesScreen)
        assert app.screen.table.rows
    assert came == [True]


def test_no_key_means_two_things_on_a_screen() -> None:
    for entry in SCREENS:
        screen, taken = entry.make(), dict[str, str]()
        assert isinstance(screen, ConsoleScreen)
        assert entry.mode == screen.MODE
        for command in screen.commands:
            for key in filter(None, command.names.keys.split(",")):
                other = taken.setdefault(key, command.id)
                assert other == command.id, f"{entry.mode}: {key} is {other} and {command.id}"
