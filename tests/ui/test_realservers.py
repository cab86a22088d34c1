"""The screen of real servers: nothing is asked unbidden, everything is shown, nothing is cut."""

from __future__ import annotations

import gc
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from lvstui.model.changes import Ended
from lvstui.model.picture import Picture
from lvstui.operations.change import Phase
from lvstui.remote.credentials import Redactor
from lvstui.remote.runner import ErrorKind, RemoteError, SecretAnswer, SecretRequest, UnknownKey
from lvstui.remote.transcript import Record, Transcript
from lvstui.tui.change.push import PushScreen, RebootScreen
from lvstui.tui.questions import KeyScreen, ScreenAsker, SecretScreen
from lvstui.tui.realservers.screen import EvidenceScreen, RealServersScreen

from . import pictures, servers
from .conftest import Desk, Start
from .fakes import FakeOperator
from .servers import FakeRealServers

Open = Callable[..., AbstractAsyncContextManager[Desk]]
KEY = UnknownKey(
    "rs1",
    "10.10.0.3",
    22,
    "ssh-ed25519",
    "SHA256:qWeRtYuIoPaSdFgHjKlZxCvBnM0123456789abcdefg",
    "/root/.ssh/known_hosts",
    ("ssh-rsa in /root/.ssh/known_hosts:3",),
)
SECRET = "c0rrect-horse-[b]battery"


@pytest.fixture
def open_(start: Start) -> Open:
    """The console on its fifth tab, over recorded hosts."""

    @asynccontextmanager
    async def run(
        fake: FakeRealServers | None, picture: Picture | None = None, **options: Any
    ) -> AsyncIterator[Desk]:
        def make(asker: Any) -> FakeRealServers:
            assert fake is not None
            fake.asker = asker
            return fake

        async with start(
            picture or servers.picture(), realservers=make if fake else None, **options
        ) as desk:
            await desk.press("5")
            yield desk

    return run


def screen(desk: Desk) -> RealServersScreen:
    """The tab."""
    found = desk.app.screen_stack[0]
    assert isinstance(found, RealServersScreen)
    return found


async def idle(desk: Desk) -> None:
    """Wait until nothing is under way."""
    await desk.until(lambda: not screen(desk).session.under_way)
    await desk.pilot.pause()


async def looked(desk: Desk, *keys: str) -> None:
    """Look, then press keys."""
    await desk.press("r")
    await idle(desk)
    await desk.press(*keys)


def top(desk: Desk) -> PushScreen:
    """The open wizard."""
    found = desk.app.screen
    assert isinstance(found, PushScreen)
    return found


# Looking


async def test_nothing_is_asked_until_the_operator_says_so(open_: Open) -> None:
    fake = FakeRealServers()
    async with open_(fake) as desk:
        text = desk.text()
        assert text.count("not looked at") == 3
        for words in ("rs1", "10.10.0.5", "VIP on lo", "ARP mute", "look"):
            assert words in text
        await desk.press("j", "l", "enter")
        await desk.tells("r looks")
        assert fake.looks == []


async def test_a_look_fills_the_matrix_and_the_evidence_follows_the_cursor(open_: Open) -> None:
    fake = FakeRealServers()
    async with open_(fake) as desk:
        await looked(desk, "j", "l", "l", "l")
        assert fake.looks == [("rs1", "rs2", "rs3")]
        matrix = screen(desk).matrix
        assert (matrix.here and matrix.here.name, matrix.check_id) == ("rs2", "arp_ignore")
        text = desk.text()
        assert "arp_ignore on eth0: 0 = max(all 0, eth0 0)" in text
        assert "→ push this host" in text
        assert "asks: max(all, interface) is 1 or 2" in text
        assert "NOT GOOD" in text
        assert "0 of 3 good" in text


async def test_a_second_look_shows_what_became_worse(open_: Open) -> None:
    fake = FakeRealServers()
    fake.state.update(rs1="pushed", rs2="pushed", rs3="pushed")
    async with open_(fake) as desk:
        await looked(desk)
        assert "3 of 3 good" in desk.text()
        fake.state.update(rs2="broken", rs3="broken")
        await looked(desk, "j")
        assert [line.drift for line in screen(desk).matrix.rows] == [False, True, True]
        assert "worse than at the look before: VIP on lo, VIP path" in desk.text()
        await desk.press("f")
        assert [line.name for line in screen(desk).matrix.rows] == ["rs2", "rs3"]
        await desk.press("escape", "slash", *"mute", "enter")
        assert [line.name for line in screen(desk).matrix.rows] == ["rs3"]


async def test_only_the_marked_are_looked_at(open_: Open) -> None:
    fake = FakeRealServers()
    async with open_(fake) as desk:
        await desk.press("j", "space")
        await looked(desk)
        assert fake.looks == [("rs2",)]
        assert "1 host marked: rs2" in desk.text()
        await desk.press("V")
        assert len(screen(desk).matrix.marks) == 3
        await desk.press("V")
        assert not screen(desk).matrix.marks


async def test_a_look_can_be_stopped_and_keeps_what_was_known(open_: Open) -> None:
    fake = FakeRealServers()
    async with open_(fake) as desk:
        await looked(desk)
        fake.gate = threading.Event()
        await desk.press("r")
        assert "looking at 3 hosts" in desk.text()
        await desk.press("p")
        await desk.tells("Wait for this")
        await desk.press("escape")
        await idle(desk)
        assert all(line.checks for line in screen(desk).matrix.rows)


async def test_a_changed_key_is_shown_whole(open_: Open) -> None:
    fake = FakeRealServers()
    what = (
        "the host key of 10.10.0.3 is not the one of /root/.ssh/known_hosts:12 "
        "(known SHA256:aaa, offered SHA256:bbb)"
    )
    fake.errors["rs1"] = RemoteError(ErrorKind.CHANGED_KEY, what, "ask who changed it")
    async with open_(fake) as desk:
        await looked(desk)
        assert "/root/.ssh/known_hosts:12" in desk.text()
        assert "ask who changed it" in desk.text()
        await desk.press("enter")
        assert isinstance(desk.app.screen, EvidenceScreen)
        assert "changed-key" in "".join(desk.text().split("\n")) or "known_hosts:12" in desk.text()


async def test_the_whole_evidence_can_be_copied(open_: Open) -> None:
    async with open_(FakeRealServers()) as desk:
        await looked(desk, "enter")
        assert isinstance(desk.app.screen, EvidenceScreen)
        await desk.press("y")
        assert "no file brings 10.10.0.20 back" in desk.app.clipboard
        await desk.press("escape", "l", "y")
        assert desk.app.clipboard.startswith("rs1 10.10.0.20 vip bad")


async def test_verify_says_how_many_are_as_they_have_to_be(open_: Open) -> None:
    fake = FakeRealServers()
    fake.state.update(rs1="pushed", rs2="pushed", rs3="broken")
    async with open_(fake) as desk:
        await desk.press("v")
        await idle(desk)
        await desk.tells("2 of 3 hosts", "rs3")


async def test_a_recording_can_ask_nobody(open_: Open) -> None:
    async with open_(None) as desk:
        assert "No host can be asked from here" in desk.text()
        await desk.press("r", "p")
        await desk.tells("this is a recording")


async def test_what_the_engine_raises_is_no_crash(open_: Open) -> None:
    fake = FakeRealServers()

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("[b]no[/b] disk")

    fake.look = broken  # type: ignore[method-assign]
    async with open_(fake) as desk:
        await desk.press("r")
        await idle(desk)
        await desk.tells("[b]no[/b] disk")


# Changing


async def test_push_from_look_to_results(open_: Open) -> None:
    fake = FakeRealServers()
    async with open_(fake) as desk:
        await desk.press("V", "p")
        await desk.until(lambda: top(desk).change.phase is Phase.PLANNED)
        await desk.pilot.pause()
        text = desk.text()
        assert "rs1 goes first" in text
        assert "goes back by itself after 60 s" in text
        assert "net.ipv4.conf.all.arp_ignore: 0 → 1" in text
        assert fake.applied == []
        await desk.press("enter")
        assert fake.applied == []
        await desk.press("p")
        assert top(desk).change.phase is Phase.PLANNED
        assert len(fake.looks) == 1
        await desk.press("y")
        await desk.until(lambda: top(desk).change.phase is Phase.ENDED)
        await idle(desk)
        assert [name for _, name, _ in fake.applied] == [("rs1",), ("rs2",), ("rs3",)]
        text = desk.text()
        for words in (
            "done: as planned",
            "12 ARP packets heard",
            "announced, 4 frames",
            "20261122T140322",
        ):
            assert words in text
        await desk.press("escape")
        assert "3 of 3 good" in desk.text()
        await desk.press("o")
        assert "done: as planned" in desk.text()


async def test_diffs_and_the_same_steps_once(open_: Open) -> None:
    async with open_(FakeRealServers(), size=(120, 90)) as desk:
        await desk.press("V", "p")
        await desk.until(lambda: top(desk).change.phase is Phase.PLANNED)
        await desk.pilot.pause()
        text = desk.text()
        assert "+net.ipv4.conf.all.arp_ignore = 1" in text
        assert text.count("+net.ipv4.conf.all.arp_ignore = 1") == 1
        assert text.count("steps as on rs1") == 2


async def test_a_refused_host_is_said_and_not_touched(open_: Open) -> None:
    fake = FakeRealServers()
    fake.errors["rs1"] = RemoteError(ErrorKind.UNREACHABLE, "10.10.0.3: no route", "")
    async with open_(fake) as desk:
        await desk.press("p")
        await desk.until(lambda: top(desk).change.phase is Phase.PLANNED)
        await desk.pilot.pause()
        assert "could not be looked at" in desk.text()
        assert "Apply" not in desk.text()
        await desk.press("y", "escape")
        assert fake.applied == []


async def test_closing_the_wizard_cuts_nothing(open_: Open) -> None:
    fake = FakeRealServers()
    fake.gate = threading.Event()
    async with open_(fake) as desk:
        fake.gate.set()
        await looked(desk, "p")
        fake.gate.clear()
        await desk.press("y")
        await desk.until(lambda: "changing what is in force" in desk.text())
        await desk.press("escape")
        assert "changing what is in force" in desk.text()
        await desk.press("q")
        await desk.tells("left to its timer")
        await desk.press("1")
        fake.gate.set()
        await desk.until(lambda: bool(fake.applied))
        await desk.tells("done: rs1")


async def test_a_push_can_be_stopped_and_says_what_it_left(open_: Open) -> None:
    fake = FakeRealServers()
    async with open_(fake) as desk:
        await looked(desk, "V", "p")
        fake.gate = threading.Event()
        await desk.press("y")
        await desk.until(lambda: "changing what is in force" in desk.text())
        await desk.press("s")
        await desk.until(lambda: top(desk).change.phase is Phase.ENDED)
        await desk.pilot.pause()
        assert desk.text().count("not begun: it was stopped before") == 3
        assert fake.applied == []


async def test_a_host_that_went_back_is_no_success(open_: Open) -> None:
    fake = FakeRealServers()
    fake.ends["rs1"] = (Ended.ROLLED_BACK, "everything is as it was before: rs1 answers ARP")
    fake.heard = ("rs1 said 10.10.0.20 is at 52:54:00:00:00:03",)
    async with open_(fake) as desk:
        await looked(desk, "p", "y")
        await desk.until(lambda: top(desk).change.phase is Phase.ENDED)
        await desk.pilot.pause()
        assert "rolled back: everything is as it was before" in desk.text()
        assert "on the wire: rs1 said" in desk.text()


async def test_undo_of_the_last_one_wants_the_vip_typed(open_: Open) -> None:
    fake = FakeRealServers()
    fake.state.update(rs1="pushed", rs2="pushed", rs3="pushed")
    async with open_(fake) as desk:
        await looked(desk, "U")
        assert "2 of 3 still have it: rs2, rs3" in desk.text()
        assert "Type 10.10.0.20" not in desk.text()
        await desk.press("escape", "V", "U")
        assert "no real server is known to have it then" in desk.text()
        await desk.press("y")
        assert fake.applied == []
        await desk.tells("Type 10.10.0.20")
        await desk.press(*"10.10.0.20", "enter", "enter")
        await desk.until(lambda: len(fake.applied) == 3)
        assert {operation for operation, _, _ in fake.applied} == {"undo"}


async def test_reboot_wants_the_name_typed(open_: Open) -> None:
    fake = FakeRealServers()
    async with open_(fake) as desk:
        await desk.press("R")
        assert isinstance(desk.app.screen, RebootScreen)
        await desk.press("enter")
        assert fake.rebooted == []
        await desk.press(*"rs1", "enter")
        await desk.until(lambda: fake.rebooted == ["rs1"])
        await idle(desk)
        await desk.tells("back in a new boot")
        assert fake.looks == [("rs1",)]


async def test_the_transcript_goes_to_the_state_folder(open_: Open, tmp_path: Path) -> None:
    fake = FakeRealServers()
    transcript = Transcript(Redactor())
    transcript.add(Record(1.0, "rs1", "u", "", "look", "ls", True, 0, "it said", "", 0.1))
    fake.connector.transcript = transcript
    async with open_(fake) as desk:
        await looked(desk)
        await desk.press("x")
        await desk.tells("Transcript written")
    (file,) = (tmp_path / "state").iterdir()
    assert file.name.startswith("transcript-")
    assert file.stat().st_mode & 0o777 == 0o600
    assert "it said" in file.read_text()


async def test_read_only_looks_but_changes_nothing(open_: Open) -> None:
    fake = FakeRealServers(read_only=True)
    async with open_(fake, operator=FakeOperator(read_only=True)) as desk:
        await looked(desk)
        assert "0 of 3 good" in desk.text()
        for key in ("p", "U", "R", "t"):
            await desk.press(key)
            assert len(desk.app.screen_stack) == 1
        await desk.tells("read-only")
        assert "push" not in desk.lines()[-1]


# Questions


async def test_an_unknown_key_is_accepted_on_purpose_only(open_: Open) -> None:
    async with open_(FakeRealServers()) as desk:
        asker = ScreenAsker(desk.app)
        answers: list[bool] = []

        async def ask(*keys: str) -> None:
            thread = threading.Thread(target=lambda: answers.append(asker.accept_key(KEY)))
            thread.start()
            await desk.until(lambda: isinstance(desk.app.screen, KeyScreen))
            await desk.pilot.pause()
            text = desk.text()
            for words in (KEY.fingerprint, "rs1", "10.10.0.3", KEY.file, "ssh-rsa in"):
                assert words in text
            await desk.press(*keys)
            await desk.until(lambda: not thread.is_alive())

        await ask("enter")
        await ask("escape")
        await ask("tab", "enter")
        assert answers == [False, False, True]


async def test_a_secret_is_handed_over_and_leaves_nothing(open_: Open) -> None:
    async with open_(FakeRealServers()) as desk:
        asker = ScreenAsker(desk.app)
        answers: list[SecretAnswer | None] = []
        request = SecretRequest("sudo", "rs1", "ops", "[sudo] password for ops:", again=True)
        seen: list[Any] = []

        async def ask(*keys: str) -> None:
            thread = threading.Thread(target=lambda: answers.append(asker.secret(request)))
            thread.start()
            await desk.until(lambda: isinstance(desk.app.screen, SecretScreen))
            await desk.pilot.pause()
            seen.append(desk.app.screen)
            seen.append(desk.app.screen.query_one("#answer", Input))
            text = desk.text()
            assert "Not accepted" in text
            assert "[sudo] password for ops:" in text
            await desk.press(*keys)
            assert SECRET not in desk.app.export_screenshot()
            await desk.until(lambda: not thread.is_alive())

        await ask(*SECRET, "enter")
        await ask("q", "escape")
        assert answers == [SecretAnswer(SECRET), None]
        gc.collect()
        for thing in seen:
            assert SECRET not in repr({**vars(thing)})
        assert not any(SECRET in said for said in desk.said)


@pytest.mark.parametrize(
    ("keys", "everywhere"),
    [
        (("enter",), False),
        (("tab", "enter"), False),
        (("tab", "tab", "enter"), True),
        (("tab", "right", "enter"), True),
    ],
)
async def test_a_secret_is_for_all_hosts_only_by_their_button(
    open_: Open, keys: tuple[str, ...], everywhere: bool
) -> None:
    async with open_(FakeRealServers()) as desk:
        answers: list[SecretAnswer | None] = []
        names = tuple(f"rs{number}" for number in range(1, 11))
        request = SecretRequest("sudo", "rs1", "ops", "sudo password of ops", hosts=names)
        asker = ScreenAsker(desk.app)
        thread = threading.Thread(target=lambda: answers.append(asker.secret(request)))
        thread.start()
        await desk.until(lambda: isinstance(desk.app.screen, SecretScreen))
        await desk.pilot.pause()
        text = " ".join(desk.text().split())
        for words in ("the same on 10 hosts:", "rs10", "Only rs1", "All 10 hosts"):
            assert words in text
        await desk.press(*SECRET, *keys)
        await desk.until(lambda: not thread.is_alive())
        assert answers == [SecretAnswer(SECRET, everywhere)]


# Sizes


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (160, 50), (200, 60)])
async def test_every_size_shows_the_matrix(open_: Open, size: tuple[int, int]) -> None:
    fake = FakeRealServers()
    fake.state.update(rs2="pushed", rs3="broken")
    async with open_(fake, size=size) as desk:
        await looked(desk, "j", "j", "dollar_sign")
        text = desk.text()
        for words in ("rs3", "✖", "✓", "0.2ms", "EVIDENCE", "10.10.0.20"):
            assert words in text, words
        assert all(len(line) <= size[0] for line in desk.lines())


async def test_what_does_not_fit_scrolls_with_the_cursor(open_: Open) -> None:
    async with open_(FakeRealServers(), size=(44, 20)) as desk:
        await looked(desk)
        assert "path" not in desk.lines()[3]
        await desk.press("dollar_sign")
        assert any("path" in line and "SSH" not in line for line in desk.lines())
        assert "rs1" in desk.text()
        await desk.press("0")
        assert any("SSH" in line for line in desk.lines())


async def test_a_host_with_several_vips_has_a_line_for_each(open_: Open) -> None:
    async with open_(FakeRealServers(), picture=pictures.site()) as desk:
        lines = screen(desk).matrix.rows
        assert len({line.vip for line in lines}) > 1
        assert sum(line.first for line in lines) == len({line.address for line in lines})


async def test_ascii(open_: Open) -> None:
    async with open_(FakeRealServers(), ascii=True) as desk:
        await looked(desk, "l")
        assert "x no" in desk.text()
        assert desk.text().isascii() or desk.app._filters


async def test_the_mouse_selects_a_cell_and_opens_evidence(open_: Open) -> None:
    async with open_(FakeRealServers()) as desk:
        await looked(desk)
        matrix = screen(desk).matrix
        line = next(y for y, text in enumerate(desk.lines()) if " rs3 " in text)
        x = desk.lines()[line - 3].index("announce")
        await desk.pilot.click(offset=(x, line))
        await desk.pilot.pause()
        assert (matrix.here and matrix.here.name, matrix.check_id) == ("rs3", "arp_announce")
        await desk.pilot.click(offset=(x, line - 3))
        await desk.pilot.pause()
        await desk.tells("announce: max(all, interface) is 2")
        await desk.pilot.click(offset=(x, line), times=2)
        await desk.pilot.pause()
        assert isinstance(desk.app.screen, EvidenceScreen)
