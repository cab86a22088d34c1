"""The pictures in screenshots/, taken in a real lab: `python -m tests.screenshots`.

Only those of the real servers, in a bare lab: `python -m tests.screenshots realservers`; only the
others: `python -m tests.screenshots console`.

The host's half starts the lab and fetches the pictures; the other half is lvstui itself, run on
lb1 without a terminal, looking at that director's kernel and keepalived.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lvstui.lab import faults
from lvstui.lab.topology import Topology
from tests.labs import Lab

if TYPE_CHECKING:
    from textual.app import App

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "screenshots"
NAMES = (
    "services",
    "plan",
    "details",
    "failover",
    "help",
    "config",
    "config-plan",
    "services-80x24",
)
BARE_NAMES = ("realservers", "push")
SIZE = (140, 36)


def main(wanted: str) -> None:
    """Take all pictures, or those of the real servers."""
    FOLDER.mkdir(exist_ok=True)
    if wanted != "realservers":
        _take(Lab(), "--inside", NAMES)
    if wanted != "console":
        _take(Lab(Topology().stripped()), "--inside-bare", BARE_NAMES)


def _take(new: Lab, word: str, names: Sequence[str]) -> None:
    with new as lab:
        lab.wait_all_up()
        if word == "--inside":
            time.sleep(20)  # a history to look at
        command = f"exec {sys.executable} -m tests.screenshots {word} /root"
        done = lab.run("lb1", command, timeout=240, env={"PYTHONPATH": str(ROOT)}, cwd="/root")
        print(done.stdout, end="")
        for name in names:
            lab.copy_out("lb1", f"/root/{name}.svg", FOLDER / f"{name}.svg")
            print(FOLDER.name, f"{name}.svg")


def save_svg(app: App[None], path: Path) -> None:
    """Write what `app` shows now. Call it on the app's own loop."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(app.export_screenshot(title="lvstui on lb1"), encoding="utf-8")


async def inside(folder: Path) -> None:
    """The half that runs on lb1."""

    from lvstui.model.picture import Picture, State
    from lvstui.operations.change import Phase
    from lvstui.operations.configuration import DirectorConfigs
    from lvstui.operations.configuration_hosts import DirectorAccess
    from lvstui.operations.weight_changes import WeightChanges
    from lvstui.remote.local import LocalRunner
    from lvstui.session.on_disk import OnDisk
    from lvstui.sources.processes import config_id
    from lvstui.tui.app import LvstuiApp
    from lvstui.tui.settings import Settings
    from lvstui.watch import local_watcher

    def states(picture: Picture) -> set[State]:
        return {server.state for service in picture.services for server in service.servers}

    async def until(condition: Callable[[Picture], bool], what: str) -> None:
        for _ in range(600):
            if condition(watcher.picture):
                return
            await asyncio.sleep(0.1)
        raise SystemExit(f"{what} did not happen")

    with local_watcher() as watcher:
        here = watcher.picture.host
        engine = DirectorConfigs([DirectorAccess(here, lambda: LocalRunner(here), local=True)])
        app = LvstuiApp(
            watcher,
            WeightChanges(),
            configuration=OnDisk("", config_id=config_id),
            config_engine=lambda asker: engine,
            settings=Settings(watch_terminal=False),
        )
        async with app.run_test(size=SIZE) as pilot:

            async def ready(true: Callable[[], bool], what: str) -> None:
                for _ in range(600):
                    if true():
                        await pilot.pause(0.5)
                        return
                    await asyncio.sleep(0.1)
                raise SystemExit(f"{what} did not come")

            async def shoot(name: str) -> None:
                await pilot.pause(1.5)
                save_svg(app, folder / f"{name}.svg")

            async def press(*keys: str) -> None:
                for key in keys:
                    await pilot.press(key)
                    await pilot.pause(0.3)

            def history(picture: Picture) -> bool:
                return bool(picture.services) and len(picture.services[0].history) > 25

            await until(history, "a history")
            faults.inject("stop", "rs3")
            await until(lambda picture: State.DOWN in states(picture), "rs3 down")
            await press("j", "j", "d")
            await press("tab", "tab")
            for letter in "disk swap":
                await press("space" if letter == " " else letter)
            await shoot("plan")
            await press("shift+tab", "enter")
            await until(lambda p: states(p) & {State.DRAINING, State.DRAINED} != set(), "drain")
            await pilot.pause(5)
            await press("escape")
            await shoot("services")
            await press("j", "enter")
            await shoot("details")
            await press("escape", "2")
            await shoot("failover")
            await press("1", "question_mark")
            await shoot("help")
            await press("escape", "4")
            await ready(lambda: app.config_session.document is not None, "the configuration")
            await press("tab", "slash")
            for letter in "rs2":
                await press(letter)
            await press("enter")
            await shoot("config")
            await press("b")
            await ready(lambda: len(app.screen_stack) > 1, "the question for a reason")
            for letter in "disk":
                await press(letter)
            await press("enter")
            await ready(lambda: bool(app.config_session.pending.titles), "the draft")
            await press("p")
            change = app.config_session
            await ready(
                lambda: change.change is not None and change.change.phase is Phase.PLANNED,
                "the plan",
            )
            await shoot("config-plan")
            await press("escape", "1")
            await pilot.resize_terminal(80, 24)
            await shoot("services-80x24")


async def inside_bare(folder: Path) -> None:
    """The half that runs on lb1 of a lab whose real servers are bare: push, break, look, push."""

    from lvstui.operations.change import Phase
    from lvstui.operations.realservers import RealServers
    from lvstui.operations.weight_changes import WeightChanges
    from lvstui.remote.connect import Connector
    from lvstui.remote.runner import Asker
    from lvstui.tui.app import LvstuiApp
    from lvstui.tui.change.push import PushScreen
    from lvstui.tui.realservers.screen import RealServersScreen
    from lvstui.tui.settings import Settings
    from lvstui.watch import local_watcher

    def make(asker: Asker) -> RealServers:
        return RealServers(Connector(asker))

    with local_watcher() as watcher:
        watcher.settle()
        app = LvstuiApp(
            watcher, WeightChanges(), realservers=make, settings=Settings(watch_terminal=False)
        )
        async with app.run_test(size=SIZE) as pilot:

            async def press(*keys: str) -> None:
                for key in keys:
                    await pilot.press(key)
                    await pilot.pause(0.3)

            async def until(true: Callable[[], bool], what: str) -> None:
                for _ in range(1200):
                    if true():
                        await pilot.pause(1.0)
                        return
                    await asyncio.sleep(0.1)
                raise SystemExit(f"{what} did not happen")

            def phase(wanted: Phase) -> bool:
                return isinstance(app.screen, PushScreen) and app.screen.change.phase is wanted

            await press("5", "j", "p")
            screen = app.screen_stack[0]
            assert isinstance(screen, RealServersScreen)
            await until(lambda: phase(Phase.PLANNED), "the plan")
            save_svg(app, folder / "push.svg")
            await press("escape", "V", "p")
            await until(lambda: phase(Phase.PLANNED), "the plan for all")
            await press("y")
            await until(lambda: phase(Phase.ENDED), "the push")
            await until(lambda: not screen.session.under_way, "the look after it")
            await press("escape", "escape")
            faults.inject("arp", "rs3")
            await press("r")
            await until(lambda: not screen.session.under_way, "the look")
            screen.matrix.go_to("10.10.0.5", "arp_ignore")
            await pilot.pause(1.0)
            save_svg(app, folder / "realservers.svg")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        asyncio.run(inside(Path(sys.argv[2])))
    elif sys.argv[1:2] == ["--inside-bare"]:
        asyncio.run(inside_bare(Path(sys.argv[2])))
    else:
        main(*sys.argv[1:2] or [""])
