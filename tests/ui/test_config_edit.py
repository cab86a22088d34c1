"""Changing the configuration: draft, forms, text, plan, keep or take back."""

from __future__ import annotations

import re
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Button, Input, OptionList, TextArea

from lvstui.keepalived.daemon.facts import ConfigSeen, DaemonLook, DirectorSeen, FileSeen
from lvstui.model.changes import Ended
from lvstui.model.waiting import ChangeStands
from lvstui.operations.change import Phase
from lvstui.remote.runner import ErrorKind, RemoteError
from lvstui.tui.change.config_plan import ConfigPlanScreen
from lvstui.tui.config.first import AfterFirstScreen
from lvstui.tui.config.form import FormScreen
from lvstui.tui.config.screen import ConfigScreen
from lvstui.tui.services.screen import ServicesScreen

from . import pictures
from .configurations import (
    ERROR,
    MAIN,
    PASSWORD,
    WEB_CONF,
    FakeEngine,
    FakeFiles,
    FakePast,
    noticed,
)
from .conftest import Desk, Start
from .fakes import FakeOperator
from .test_first import FOUND

Open = Callable[..., AbstractAsyncContextManager[Desk]]
ROLLED = "rolled back: not kept in time (timer)"


@pytest.fixture
def files() -> FakeFiles:
    """The site's files."""
    return FakeFiles()


@pytest.fixture
def engine(files: FakeFiles) -> FakeEngine:
    """What changes them."""
    return FakeEngine(files)


@pytest.fixture
def open_(start: Start, files: FakeFiles, engine: FakeEngine) -> Open:
    """The console on its fourth tab, over files that can be changed."""

    @asynccontextmanager
    async def run(**options: Any) -> AsyncIterator[Desk]:
        async with start(
            configuration=files, config_engine=lambda asker: engine, **options
        ) as desk:
            await desk.press("4")
            await desk.until(lambda: desk.app.config_session.document is not None)
            await idle(desk)
            yield desk

    return run


async def idle(desk: Desk) -> None:
    """Wait until nothing is under way."""
    await desk.until(lambda: not desk.app.config_session.under_way)
    await desk.pilot.pause()


def screen(desk: Desk) -> ConfigScreen:
    """The tab."""
    found = desk.app.screen_stack[0]
    assert isinstance(found, ConfigScreen)
    return found


async def at(desk: Desk, words: str) -> None:
    """Put the cursor of the text on the line that holds `words`."""
    screen(desk).text.focus()
    await desk.press("slash", *["space" if c == " " else _key(c) for c in words], "enter")


def _key(char: str) -> str:
    return {"_": "underscore", ".": "full_stop", "{": "left_curly_bracket"}.get(char, char)


def plan(desk: Desk) -> ConfigPlanScreen:
    """The open plan."""
    found = desk.app.screen
    assert isinstance(found, ConfigPlanScreen)
    return found


async def planned(desk: Desk) -> ConfigPlanScreen:
    """The plan, once it is made."""
    await desk.until(lambda: isinstance(desk.app.screen, ConfigPlanScreen))
    await idle(desk)
    return plan(desk)


async def fill(desk: Desk, **values: str) -> None:
    """Type into the open form."""
    form = desk.app.screen
    assert isinstance(form, FormScreen)
    for index, field in enumerate(form._fields):
        if field.keyword in values:
            form.query_one(f"#field-{index}", Input).value = values.pop(field.keyword)
    assert not values
    await desk.pilot.pause()


async def changed(desk: Desk) -> None:
    """One line of the file is another one, in the draft."""
    await at(desk, "weight 10")
    await desk.press("c")
    await fill(desk, weight="7")
    await desk.press("ctrl+s")
    await idle(desk)


# The draft


async def test_a_value_is_changed_by_a_form_and_only_in_the_draft(
    open_: Open, files: FakeFiles
) -> None:
    async with open_() as desk:
        await changed(desk)
        assert "draft: 1 change not applied" in desk.text()
        assert any("weight 7" in line for line in desk.lines())
        assert b"weight 7" not in files.files[WEB_CONF]
        await desk.press("u")
        await idle(desk)
        assert "not applied" not in desk.text()
        assert not any("weight 7" in line for line in desk.lines())
        await desk.press("U")
        await idle(desk)
        assert any("weight 7" in line for line in desk.lines())


async def test_a_wrong_value_is_said_in_the_form_and_goes_nowhere(open_: Open) -> None:
    async with open_() as desk:
        await at(desk, "weight 10")
        await desk.press("c")
        await fill(desk, weight="-1")
        assert "it goes from 0 to" in desk.text()
        await desk.press("ctrl+s")
        assert isinstance(desk.app.screen, FormScreen)
        await desk.press("escape")
        assert not desk.app.config_session.pending.titles


async def test_a_server_is_added_where_the_cursor_is(open_: Open) -> None:
    async with open_() as desk:
        await at(desk, "# web")
        await desk.press("a", "enter")
        await fill(desk, address="10.10.0.6", name="rs4", weight="5")
        await desk.press("ctrl+s")
        await idle(desk)
        new = desk.app.config_session.pending.files[WEB_CONF][1]
        assert b"real_server 10.10.0.6 80 { # rs4" in new
        assert new.count(b"HTTP_GET") == 2, "the checks of the last one are copied"


async def test_a_new_service_with_its_first_server(open_: Open) -> None:
    async with open_() as desk:
        await desk.press("a")
        options = desk.app.screen.query_one(OptionList)
        options.highlighted = 0
        await desk.press("enter")
        await fill(
            desk,
            address="10.10.0.20",
            port="443",
            protocol="TCP",
            lb_algo="wrr",
            lb_kind="DR",
            rs_address="10.10.0.3",
        )
        await desk.press("ctrl+s")
        await idle(desk)
        assert not desk.said or "In the draft" in desk.said[-1]
        new = b"".join(after for _, after in desk.app.config_session.pending.files.values())
        assert b"virtual_server 10.10.0.20 443" in new
        assert "tcp 10.10.0.20:443" in desk.text()


async def test_what_can_not_be_done_says_why(open_: Open) -> None:
    async with open_() as desk:
        await at(desk, "# web")
        await desk.press("a", "enter")
        await fill(desk, address="10.10.0.3")
        await desk.press("ctrl+s")
        await desk.tells("has that server already")


async def test_remove_disable_and_enable(open_: Open, files: FakeFiles) -> None:
    async with open_() as desk:
        await at(desk, "# rs3")
        await desk.press("x")
        await idle(desk)
        assert b"10.10.0.5" not in desk.app.config_session.pending.files[WEB_CONF][1]
        await at(desk, "real_server 10.10.0.4 80")
        await desk.press("b", *"disk", "enter")
        await idle(desk)
        new = desk.app.config_session.pending.files[WEB_CONF][1]
        assert b"weight 0 # lvstui: disabled by" in new
        assert b"was 10: disk" in new
        await desk.press("B")
        await idle(desk)
        assert b"lvstui: disabled" not in desk.app.config_session.pending.files[WEB_CONF][1]


async def test_discard_asks_and_then_shows_the_file_again(open_: Open) -> None:
    async with open_() as desk:
        await changed(desk)
        await desk.press("X", "enter")
        assert desk.app.config_session.pending.titles
        await desk.press("X", "j", "enter")
        await desk.until(lambda: not any("weight 7" in line for line in desk.lines()))
        assert not desk.app.config_session.pending.titles


async def test_the_diff_is_shown_without_secrets(open_: Open) -> None:
    async with open_() as desk:
        await changed(desk)
        await desk.press("D")
        text = desk.text()
        assert "-        weight 10" in text
        assert "+        weight 7" in text


async def test_files_changed_under_the_draft_are_noticed(open_: Open, files: FakeFiles) -> None:
    async with open_() as desk:
        await changed(desk)
        files.files[pictures.CONF] += b"# somebody else\n"
        await desk.push(noticed(1.0))
        await desk.until(lambda: "changed on the disk" in desk.text())
        await desk.press("p")
        await desk.tells("changed on the disk")


async def test_quitting_with_a_draft_takes_two_presses(open_: Open) -> None:
    async with open_() as desk:
        await changed(desk)
        await desk.press("q")
        await desk.tells("1 change) is not applied")
        assert desk.app.is_running
        await desk.press("q")
        assert not desk.app.is_running


# Text


async def test_the_editor_never_sees_a_password_and_puts_it_back(
    open_: Open, files: FakeFiles
) -> None:
    async with open_() as desk:
        await at(desk, "auth_type")
        await desk.press("i")
        await desk.until(lambda: bool(desk.app.screen.query(TextArea)))
        area = desk.app.screen.query_one(TextArea)
        assert PASSWORD not in area.text
        assert "<secret-1>" in area.text
        assert PASSWORD not in desk.text()
        area.text = area.text.replace("advert_int 1", "advert_int 2")
        await desk.press("ctrl+s")
        await idle(desk)
        new = desk.app.config_session.pending.files[pictures.CONF][1]
        assert new == MAIN.replace(b"advert_int 1", b"advert_int 2")


async def test_leaving_the_editor_warns_once(open_: Open) -> None:
    async with open_() as desk:
        await desk.press("i")
        await desk.until(lambda: bool(desk.app.screen.query(TextArea)))
        await desk.press("x", "escape")
        assert desk.app.screen.query(TextArea)
        await desk.press("escape")
        assert isinstance(desk.app.screen, ConfigScreen)
        assert not desk.app.config_session.pending.titles


def test_the_own_editor_gets_a_private_copy_that_is_gone_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lvstui.tui.config.editor import edit_outside
    from lvstui.tui.config.placeholder import veil

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    script = tmp_path / "ed"
    script.write_text(
        '#!/bin/sh\nstat -c \'%a %n\' "$1" "$(dirname "$1")" > '
        + str(tmp_path / "seen")
        + '\ncat "$1" >> '
        + str(tmp_path / "seen")
        + '\nsed -i s/eth0/eth1/ "$1"\n'
    )
    script.chmod(0o700)
    new = edit_outside([str(script)], pictures.CONF, veil(MAIN), 3)
    assert new == MAIN.replace(b"eth0", b"eth1")
    seen = (tmp_path / "seen").read_text()
    modes = [line.split()[0] for line in seen.splitlines()[:2]]
    assert modes == ["600", "700"]
    assert PASSWORD not in seen
    assert not list(tmp_path.glob("lvstui-*"))


def test_an_editor_that_fails_takes_nothing_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lvstui.tui.config.editor import edit_outside
    from lvstui.tui.config.placeholder import veil

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(OSError, match="status 1"):
        edit_outside(["/bin/false"], pictures.CONF, veil(MAIN), 1)
    assert not list(tmp_path.glob("lvstui-*"))


# Plan, apply, keep


async def test_plan_apply_and_keep(open_: Open, engine: FakeEngine, files: FakeFiles) -> None:
    async with open_() as desk:
        await changed(desk)
        await desk.press("p")
        await planned(desk)
        text = desk.text()
        for words in ("weight 10 → 7", "+        weight 7", "after 60 s"):
            assert words in text
        assert engine.applied == []
        await desk.press("y")
        await idle(desk)
        assert "Rolled back in 4" in desk.text()
        assert b"weight 7" in files.files[WEB_CONF]
        await desk.press("y")
        await idle(desk)
        assert engine.kept == ["c-1"]
        assert "kept on lb1" in desk.text()
        assert "lvstui undo" in desk.text()
        await desk.press("escape")
        assert not desk.app.config_session.pending.titles


async def test_with_a_peer_the_same_goes_to_both_in_one_plan(
    open_: Open, engine: FakeEngine, files: FakeFiles
) -> None:
    engine.directors = ("lb1", "lb2")
    tree = FakeFiles(config_id="lb2").read()
    seen = tuple(FileSeen(path, path, data=data) for path, data in files.files.items())
    engine.looks = {
        "lb2": DirectorSeen(
            DaemonLook("lb2", argv=("keepalived", "-i", "lb2")), ConfigSeen(tree, None, seen)
        )
    }
    async with open_() as desk:
        await changed(desk)
        await desk.press("p")
        shown = await planned(desk)
        plan_ = shown.change.plan
        assert plan_ is not None, shown.change.problem
        assert [host.director.host for host in plan_.hosts] == ["lb1", "lb2"]
        after = plan_.hosts[1].files[0].after
        assert after is not None
        assert b"weight 7" in after


async def test_a_peer_that_is_away_is_said_in_the_plan(open_: Open, engine: FakeEngine) -> None:
    engine.directors = ("lb1", "lb2")
    engine.looks = {"lb2": RemoteError(ErrorKind.UNREACHABLE, "no answer from lb2")}
    async with open_() as desk:
        await changed(desk)
        await desk.press("p")
        await planned(desk)
        assert "no answer from lb2" in desk.text()


async def test_enter_on_a_fresh_plan_cancels(open_: Open, engine: FakeEngine) -> None:
    async with open_() as desk:
        await changed(desk)
        await desk.press("p")
        await planned(desk)
        await desk.press("enter")
        assert isinstance(desk.app.screen, ConfigScreen)
        assert engine.applied == []
        assert desk.app.config_session.pending.titles, "what was worked on is not lost"


async def test_enter_decides_nothing_while_the_timer_runs(open_: Open, engine: FakeEngine) -> None:
    async with open_() as desk:
        await changed(desk)
        await desk.press("p")
        await planned(desk)
        await desk.press("y")
        await idle(desk)
        await desk.press("enter", "space")
        assert engine.kept == engine.taken_back == []
        await desk.press("b")
        await idle(desk)
        assert engine.taken_back == ["c-1"]
        assert "the old files are back" in desk.text()


async def test_the_timer_goes_on_when_the_dialog_is_closed_and_is_in_sight(
    open_: Open, engine: FakeEngine
) -> None:
    async with open_() as desk:
        await changed(desk)
        await desk.press("p")
        await planned(desk)
        await desk.press("y")
        await idle(desk)
        await desk.press("escape")
        assert re.match(r" ▲ \d+ s: P keep/undo  weight of rs1", desk.lines()[0])
        await desk.press("a")
        await desk.tells("waits to be kept")
        await desk.press("P", "y")
        await idle(desk)
        assert engine.kept == ["c-1"]


async def test_what_is_being_applied_says_how_far_it_is_and_can_be_stopped(
    open_: Open, engine: FakeEngine
) -> None:
    engine.gate = threading.Event()
    async with open_() as desk:
        await changed(desk)
        await desk.press("p")
        await planned(desk)
        await desk.press("y")
        await desk.until(lambda: "3 of 5, lb1: writing" in desk.text())
        assert "stop: the old files are put back" in desk.text()
        await desk.press("s")
        assert "Stopping: what has begun comes to its end." in desk.text()
        engine.gate.set()
        await desk.until(lambda: plan(desk).change.phase is Phase.ENDED)
        await desk.pilot.pause()
        assert "undone by alice; the old files are back" in desk.text()
        assert engine.kept == engine.taken_back == []


async def test_when_the_time_is_up_it_says_what_the_timer_did(
    open_: Open, engine: FakeEngine
) -> None:
    engine.left_s = 0.3
    async with open_() as desk:
        await changed(desk)
        await desk.press("p")
        await planned(desk)
        await desk.press("y")
        await idle(desk)
        engine.past = [FakePast("c-1", "x", ended=Ended.ROLLED_BACK, end=ROLLED)]
        await desk.until(lambda: plan(desk).change.phase is Phase.ENDED)
        await desk.pilot.pause()
        assert ROLLED in desk.text()


async def test_a_timer_that_is_gone_is_never_counted_on(open_: Open, engine: FakeEngine) -> None:
    engine.left_s = 0.3
    gone = "lb1: the timer is gone: NOT rolled back; lvstui config back"
    async with open_() as desk:
        await changed(desk)
        await desk.press("p")
        await planned(desk)
        await desk.press("y")
        await idle(desk)
        engine.past = [FakePast("c-1", "x", ended=Ended.WAITING, plight=gone)]
        await desk.until(lambda: "NOT rolled back" in desk.text())
        await desk.press("escape")
        await desk.until(lambda: "NOT rolled back" in desk.text())
        assert "NOT rolled back" in desk.app.left_behind()[1]
        picture = desk.app.picture
        engine.past = [FakePast("c-1", "x", ended=Ended.WAITING, left_s=30)]
        await desk.until(lambda: " s: P keep/undo" in desk.lines()[0])
        stands = ChangeStands("c-1", "armed", "x", deadline=picture.at + 30)
        desk.feed.show(replace(picture, changes=(stands,)))
        await desk.until(lambda: "the timer is gone" in desk.text())


async def test_the_time_is_up_while_nobody_looks(open_: Open, engine: FakeEngine) -> None:
    engine.left_s = 1.0
    async with open_() as desk:
        await changed(desk)
        await desk.press("p")
        await planned(desk)
        await desk.press("y")
        await idle(desk)
        engine.past = [FakePast("c-1", "x", ended=Ended.ROLLED_BACK, end=ROLLED)]
        await desk.press("escape")
        await desk.until(lambda: desk.app.config_session.unkept is None)
        await idle(desk)
        await desk.tells(ROLLED)


async def test_what_could_not_be_kept_can_be_tried_again(
    open_: Open, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_() as desk:
        await changed(desk)
        await desk.press("p")
        await planned(desk)
        await desk.press("y")
        await idle(desk)
        keep = engine.confirm

        def away(id_: str) -> Any:
            raise RemoteError(ErrorKind.UNREACHABLE, "no answer from lb2")

        monkeypatch.setattr(engine, "confirm", away)
        await desk.press("y")
        await idle(desk)
        await desk.tells("no answer from lb2")
        monkeypatch.setattr(engine, "confirm", keep)
        await desk.press("y")
        await idle(desk)
        assert engine.kept == ["c-1"]


async def test_a_refused_plan_can_not_be_applied(open_: Open, engine: FakeEngine) -> None:
    engine.refusals = ("The daemon would end: line 3.",)
    async with open_() as desk:
        await changed(desk)
        await desk.press("p")
        await planned(desk)
        assert "The daemon would end" in desk.text()
        await desk.press("y")
        await idle(desk)
        assert engine.applied == []


async def test_new_errors_have_to_be_forced_by_typing(open_: Open, engine: FakeEngine) -> None:
    engine.findings, engine.typed = (ERROR,), "LB_1"
    async with open_() as desk:
        await changed(desk)
        await desk.press("p")
        shown = await planned(desk)
        assert "applied only when you insist" in desk.text()
        await desk.press("y")
        assert engine.applied == []
        shown.query_one("#typed", Input).value = "LB_1"
        shown.action_apply()
        assert engine.applied == []
        shown.query_one("#typed", Input).value = "LB_1 force"
        shown.action_apply()
        await idle(desk)
        assert [force for _, force in engine.applied] == [True]


async def test_what_fails_verification_is_shown(open_: Open, engine: FakeEngine) -> None:
    engine.fails = True
    async with open_() as desk:
        await changed(desk)
        await desk.press("p")
        await planned(desk)
        await desk.press("y")
        await idle(desk)
        assert "forwarding is NAT" in desk.text()
        await desk.press("escape")
        assert desk.app.config_session.pending.titles


async def test_the_reason_goes_into_the_plan(open_: Open, engine: FakeEngine) -> None:
    async with open_() as desk:
        await changed(desk)
        await desk.press("p")
        shown = await planned(desk)
        shown.query_one("#reason", Input).value = "[b] disk swap"
        shown.action_apply()
        await idle(desk)
        assert engine.applied[0][0].reason == "[b] disk swap"


async def test_closing_while_applying_cuts_nothing_and_tells_the_end(
    open_: Open, engine: FakeEngine
) -> None:
    engine.gate = threading.Event()
    async with open_() as desk:
        await changed(desk)
        await desk.press("p")
        await planned(desk)
        await desk.press("y", "escape")
        assert "applying" in desk.text()
        engine.gate.set()
        await idle(desk)
        await desk.tells("applied and verified")


async def test_an_error_of_the_engine_is_told_without_its_text(
    open_: Open, engine: FakeEngine
) -> None:
    engine.raises = ValueError(f"auth_pass {PASSWORD}")
    async with open_() as desk:
        await changed(desk)
        await desk.press("p")
        await planned(desk)
        assert "ValueError" in desk.text()
        assert PASSWORD not in desk.text()


async def test_history_shows_and_rolls_back(open_: Open, engine: FakeEngine) -> None:
    engine.past = [FakePast("c-7", "weight of rs1: 10 → 5", reason="[b]tests")]
    async with open_() as desk:
        await desk.press("H")
        await idle(desk)
        assert "alice" in desk.text()
        assert "[b]tests" in desk.text()
        await desk.press("enter")
        await idle(desk)
        assert "weight 5  (c-7)" in desk.text()
        await desk.press("escape", "R")
        await planned(desk)
        await desk.press("y")
        await idle(desk)
        assert engine.applied[0][0].title == "roll back c-7"


async def test_what_has_to_be_proven_is_said_and_a_key_waives_it(
    open_: Open, engine: FakeEngine
) -> None:
    engine.unproven = ("TCP_CHECK of rs9 succeeds within 9 s",)
    async with open_() as desk:
        await changed(desk)
        await desk.press("p")
        await planned(desk)
        assert "rolled back unless TCP_CHECK of rs9 succeeds within 9 s" in desk.text()
        await desk.press("ctrl+t", "ctrl+t")
        assert "rolled back unless TCP_CHECK" in desk.text()
        await desk.press("ctrl+t")
        assert "kept even when this fails: TCP_CHECK of rs9" in desk.text()
        await desk.press("y")
        await idle(desk)
        assert engine.applied[0][0].unchecked


# From Services


@asynccontextmanager
async def on_services(start: Start, files: FakeFiles, engine: FakeEngine, **more: Any) -> Any:
    async with start(configuration=files, config_engine=lambda asker: engine, **more) as desk:
        yield desk


async def test_disable_from_services_goes_through_the_plan(
    start: Start, files: FakeFiles, engine: FakeEngine
) -> None:
    async with on_services(start, files, engine) as desk:
        await desk.press("j", "b", *"disk", "enter")
        await planned(desk)
        assert "weight 0 # lvstui: disabled by" in desk.text()
        await desk.press("y")
        await idle(desk)
        assert b"weight 0 # lvstui: disabled" in files.files[WEB_CONF]


async def test_a_plan_left_on_services_leaves_no_draft(
    start: Start, files: FakeFiles, engine: FakeEngine
) -> None:
    async with on_services(start, files, engine) as desk:
        await desk.press("j", "x")
        await planned(desk)
        await desk.press("n")
        await desk.until(lambda: isinstance(desk.app.screen, ServicesScreen))
        assert not desk.app.config_session.pending.titles
        assert engine.applied == []


async def test_a_refused_edit_on_services_is_told(
    start: Start, files: FakeFiles, engine: FakeEngine
) -> None:
    files.files[WEB_CONF] = files.files[WEB_CONF].replace(b"10.10.0.3 80", b"10.10.0.9 80")
    async with on_services(start, files, engine) as desk:
        await desk.press("j", "x")
        await idle(desk)
        await desk.until(lambda: bool(desk.said))
        assert isinstance(desk.app.screen, ServicesScreen)


async def test_read_only_changes_nothing(
    start: Start, files: FakeFiles, engine: FakeEngine
) -> None:
    async with on_services(start, files, engine, operator=FakeOperator(read_only=True)) as desk:
        await desk.press("j", "b", "x", "a", "4")
        await desk.until(lambda: desk.app.config_session.document is not None)
        await desk.press("a", "x", "c", "i", "p")
        assert not desk.app.config_session.pending.titles
        assert all("read-only" in said for said in desk.said)
        assert desk.said


async def test_a_recording_changes_nothing(start: Start) -> None:
    async with start() as desk:
        await desk.press("j", "b")
        await desk.tells("recording")


async def test_a_first_configuration_goes_from_the_wizard_to_what_is_next(
    open_: Open, engine: FakeEngine, files: FakeFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lvstui.operations.first.guess", lambda host: FOUND)
    monkeypatch.setattr("lvstui.operations.first.bind_nonlocal", FakeEngine.bind_nonlocal)
    # A director that is running would be refused: its file has what the other one must have, too.
    files.files.clear()
    files.files[pictures.CONF] = b"! nothing is here yet\n"
    seen = FileSeen(pictures.CONF, pictures.CONF, data=files.files[pictures.CONF])
    daemon = DaemonLook("lb1", argv=("keepalived", "-f", pictures.CONF))
    engine.looks = {"lb1": DirectorSeen(daemon, ConfigSeen(files.read(), None, (seen,)))}
    async with open_() as desk:
        await desk.press("I")
        await desk.until(lambda: "VRID 51 by" in desk.text())
        wizard = desk.app.screen
        wizard.query_one("#first-servers", Input).value = "10.10.0.3=rs1*10 10.10.0.4=rs2"
        await desk.until(lambda: not wizard.query_one("#plan", Button).disabled)
        wizard.query_one("#plan", Button).press()
        await desk.until(lambda: isinstance(desk.app.screen, ConfigPlanScreen))
        shown = await planned(desk)
        plan_ = shown.change.plan
        assert plan_ is not None, shown.change.problem
        assert any("replaced as a whole" in text for text in plan_.cautions)
        shown.query_one("#typed", Input).value = plan_.typed
        await desk.press("y")
        await desk.until(lambda: shown.change.phase is Phase.WAITING)
        await desk.press("y")
        await desk.until(lambda: shown.change.phase is Phase.ENDED)
        assert b"real_server 10.10.0.3 80 { # rs1" in files.files[pictures.CONF]
        await desk.press("escape")
        await desk.until(lambda: isinstance(desk.app.screen, AfterFirstScreen))
        assert "net.ipv4.ip_nonlocal_bind = 1" in desk.text()
        await desk.press("s")
        await desk.until(lambda: engine.bound == 1)
        await desk.tells("read back")
