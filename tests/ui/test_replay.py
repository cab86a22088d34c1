"""What a sitting did to real servers and to keepalived.conf is in a recording of it: the screens
and `status --json` of the replay show it as they showed it live."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from textual.pilot import Pilot

from lvstui.model.facts import FilesSeen, Observation, RealServerSeen, TableSeen
from lvstui.model.ipvs import KernelTable
from lvstui.model.realserver import Look
from lvstui.model.wire import FORMAT, encode
from lvstui.operations.change import Phase
from lvstui.session.jobs import at_once
from lvstui.session.realservers import RealServerSession
from lvstui.sources.base import Context
from lvstui.sources.config import ConfigurationFiles
from lvstui.sources.recording import Recording
from lvstui.tui.app import LvstuiApp
from lvstui.tui.realservers.screen import RealServersScreen
from lvstui.tui.settings import Settings
from lvstui.watch import replay_watcher

from . import pictures, servers
from .conftest import Desk
from .fakes import FakeOperator

PASSWORD = "g3heim42"
TEXT = """\
vrrp_instance LB_1 {
    interface lo
    virtual_router_id 51
    priority 100
    authentication {
        auth_type PASS
        auth_pass g3heim42
    }
}
virtual_server 10.10.0.20 80 { # web
    lb_algo wrr
    lb_kind DR
    protocol TCP
    real_server 10.10.0.3 80 { # rs1
        weight 10
    }
    real_server 10.10.0.4 80 { # rs2
        weight 10
    }
    real_server 10.10.0.5 80 { # rs3
        weight 10
    }
}
"""
EDITED = TEXT.replace("lb_algo wrr", "lb_algo wlc")


def pushed_and_looked_at() -> list[Look]:
    """All that a session says of its hosts: as installed, a push to rs1 and rs2, after it."""
    said: list[Look] = []
    fake = servers.FakeRealServers()
    session = RealServerSession(lambda: fake, at_once, said.append, lambda: pictures.NOW, at_once)
    session.follow(servers.picture())
    session.look(session.hosts)
    change = session.begin("push", session.hosts[:2])
    assert change.phase is Phase.PLANNED, change.problem
    session.apply(change, "test")
    assert change.outcome is not None
    assert change.outcome.ok
    assert not session.under_way
    return said


def edited(path: Path) -> list[Observation]:
    """What the source says of a file before and after an edit."""
    said: list[Observation] = []
    path.write_text(TEXT)
    stop = threading.Event()

    def push(seen: Observation) -> None:
        said.append(seen)
        if isinstance(seen.fact, FilesSeen):
            if path.read_text() == EDITED:
                stop.set()
            path.write_text(EDITED)

    ConfigurationFiles(lambda: 0, str(path)).run(Context("lb1", push, stop, 0.02))
    return said


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of such a sitting."""
    folder = tmp_path_factory.mktemp("recorded")
    # A recording is told in order; these were seen at a time that the fakes made up.
    facts = [seen.fact for seen in edited(folder / "keepalived.conf")]
    looks = [RealServerSeen(look) for look in pushed_and_looked_at()]
    lines = [json.dumps({"lvstui": FORMAT})]
    lines += [
        encode(Observation(pictures.NOW, "lb1", "test", fact))
        for fact in (TableSeen(KernelTable(())), *facts, *looks)
    ]
    path = folder / "sitting.lvs"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_no_secret_is_in_it(recording: Path) -> None:
    text = recording.read_text()
    assert "auth_pass" in text
    assert PASSWORD not in text


def test_status_tells_how_it_ended(recording: Path) -> None:
    # A process of its own: one that shows a recording gives its rights up.
    command = [sys.executable, "-m", "lvstui", "--replay", str(recording), "status", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    document = json.loads(done.stdout)
    assert document["host"] == "lb1"
    assert document["at_epoch_s"] == pictures.NOW
    assert document["configuration"]["files"][0]["path"].endswith("keepalived.conf")
    verdicts = {host["name"]: host["verdict"] for host in document["real_servers"]}
    assert (verdicts["rs1"], verdicts["rs3"]) == ("good", "bad")
    assert any(reason.startswith("rs3, as seen now: ") for reason in document["reasons"])
    assert not any(reason.startswith("rs1, as seen") for reason in document["reasons"])


async def test_the_screens_show_it(recording: Path, tmp_path: Path) -> None:
    played = Recording(recording)
    settings = Settings(
        ascii=False, clock=played.clock, state_folder=tmp_path, watch_terminal=False
    )
    with replay_watcher(played) as watcher:
        app = LvstuiApp(watcher, FakeOperator(read_only=True), settings=settings)
        async with app.run_test(size=(160, 50)) as pilot:
            await _shown(Desk(app, pilot), pilot)


async def _shown(desk: Desk, pilot: Pilot[None]) -> None:
    await desk.press("4")
    await desk.until(lambda: "lb_algo wlc" in desk.text())
    assert PASSWORD not in desk.text()
    await desk.press("r", "a")
    await desk.tells("This is a recording")
    await desk.press("5")

    await desk.until(lambda: "2 of 3 good" in desk.text())
    screen = desk.app.screen
    assert isinstance(screen, RealServersScreen)
    assert "No host can be asked from here: this is a recording." in desk.text()
    screen.matrix.go_to("10.10.0.5", "arp_ignore")
    await pilot.pause()
    assert "arp_ignore on eth0: 0 = max(all 0, eth0 0)" in desk.text()
    await desk.press("enter")
    assert "kernel" in desk.text()
