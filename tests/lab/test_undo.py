"""One undo over kernel weights, keepalived.conf and real servers, and a change that waits in sight
of a console that did not make it: on a real director."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import pytest

from lvstui.lab.control import LabProcess
from lvstui.lab.topology import Topology
from tests.lab.conftest import Labs
from tests.lab.director import LVSTUI, SERVES_ZERO
from tests.lab.test_config_command import RS1, RS2, RS3, said, weight
from tests.lab.test_configuration import clean, read
from tests.labs import Lab

DRAW_S = 120.0
"""A console that starts in the guest draws after some ten seconds."""


@pytest.fixture
def bare(labs: Labs) -> Lab:
    """A cluster whose real servers are as freshly installed, and a director without a past."""
    lab = labs(Topology().stripped())
    lab.wait_all_up()
    lab.connection.wait_phase("ssh", 30)
    lab.run("lb1", "rm -rf /var/lib/lvstui /var/log/lvstui")
    lab.run("rs1", "rm -rf /var/lib/lvstui")
    return lab


def vip_on(lab: Lab, node: str) -> bool:
    return " 10.10.0.20/" in lab.run(node, "ip -o addr show dev lo").stdout


@SERVES_ZERO
def test_one_undo_over_all_three_kinds(bare: Lab) -> None:
    lab = bare
    code, text = said(lab, "realserver push rs1 --yes")
    assert (code, vip_on(lab, "rs1")) == (0, True), text
    code, text = said(lab, "undo --yes")
    assert (code, vip_on(lab, "rs1")) == (0, False), text
    code, text = said(lab, "undo --yes")
    assert (code, vip_on(lab, "rs1")) == (0, True), text

    whole = read(lab, "lb1")
    code, text = said(lab, "drain rs2 --service 'tcp 10.10.0.20:80' --yes")
    assert (code, weight(lab, RS2)) == (0, 0), text
    code, text = said(lab, "config disable rs3 --service web --reason 'disk swap' --yes")
    assert (code, weight(lab, RS3)) == (0, 0), text
    disabled = read(lab, "lb1")

    # It means the newest, which is in the file; the drain of rs2 stays as it is.
    code, text = said(lab, "undo --plan")
    assert (code, text.startswith("undo: disable rs3")) == (0, True), text
    assert "rs2" not in text
    code, text = said(lab, "undo --yes")
    assert (code, read(lab, "lb1")) == (0, whole), text
    lab.wait("lb1", lambda: weight(lab, RS3) == 10, what="rs3's weight before")
    assert weight(lab, RS2) == 0
    # Once more: as it was after the disable.
    code, text = said(lab, "undo --yes")
    assert (code, read(lab, "lb1")) == (0, disabled), text
    code, text = said(lab, "undo --yes")
    assert (code, read(lab, "lb1")) == (0, whole), text

    code, text = said(lab, "undo --list")
    (line,) = [line for line in text.splitlines() if ": drain rs2 " in line]
    assert code == 0
    assert "push on rs1" in text
    code, text = said(lab, f"undo {line.split()[0]} --plan")
    assert code == 0
    assert "changes since: the newest is “undo: disable rs3" in text
    code, text = said(lab, f"undo {line.split()[0]} --yes")
    assert (code, weight(lab, RS2)) == (0, 10), text

    # Somebody else's hand in the file: nothing of it is thrown away by a reflex.
    assert said(lab, "config weight rs1 7 --service web --yes")[0] == 0
    lab.run("lb1", "echo '# by hand' >> /etc/keepalived/keepalived.conf")
    mine = read(lab, "lb1")
    code, text = said(lab, "undo --yes")
    assert (code, read(lab, "lb1")) == (1, mine), text
    assert "was changed again after it: undo would throw that away" in text
    assert "lvstui config rollback" in text
    assert weight(lab, RS2) == 10, "an older operation was undone instead"


@pytest.fixture
def quiet(lab: Lab) -> Iterator[Lab]:
    clean(lab, "lb1", "lb2")
    yield lab
    clean(lab, "lb1", "lb2")


def until(true: Callable[[], bool], what: Callable[[], str], seconds: float = DRAW_S) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, what()
        time.sleep(0.1)


class Console:
    """lvstui on a terminal of lb1."""

    def __init__(self, lab: Lab, rows: int, columns: int) -> None:
        environment = {"TERM": "xterm-256color", "PYTHONUTF8": "1"}
        self.process: LabProcess = lab.spawn(
            "lb1", f"exec {LVSTUI}", pty=(rows, columns), env=environment
        )
        self._from = 0

    @property
    def text(self) -> str:
        """What it has drawn since `mark`, without the sequences between."""
        drawn = self.process.output()[self._from :].decode("utf-8", "replace")
        return re.sub(r"\x1b(\[[0-9;?<>=]*[A-Za-z~]|\][^\x07\x1b]*(\x07|\x1b\\))", "", drawn)

    def mark(self) -> None:
        self._from = len(self.process.output())

    def press(self, keys: str) -> None:
        self.process.write(keys.encode())

    def until(self, words: str, seconds: float = DRAW_S) -> None:
        until(lambda: words in self.text, lambda: f"{words!r}: {self.text[-3000:]}", seconds)


def test_a_change_of_the_shell_waits_in_sight_and_its_end_stays(quiet: Lab) -> None:
    lab = quiet
    whole = read(lab, "lb1")
    console = Console(lab, 24, 40)
    try:
        console.until("1  Services")
        code, text = said(lab, "config weight rs1 12 --service web --hold --timer 30 --yes")
        assert (code, weight(lab, RS1)) == (0, 12), text
        console.until(" s: P keep/undo")
        lab.wait("lb1", lambda: read(lab, "lb1") == whole, timeout=90, what="the timer")
        console.until("rolled back ")
        console.mark()
        # So narrow an event has no room for its words.
        console.process.resize(24, 140)
        console.press("7")
        console.until("EVENTS")
        console.until("waits to be kept")
        console.mark()
        console.press("P")
        console.until("not kept in time")
        console.press("\x1b")
        time.sleep(1)
        console.press("q")
        until(lambda: console.process.status is not None, lambda: console.text[-2000:])
    finally:
        console.process.kill()
        console.process.wait(10)
    code, text = said(lab, "config history")
    assert code == 0
    assert "rolled back: not kept in time (timer), " in text
    assert re.search(r"after it was made \(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\)", text), text
