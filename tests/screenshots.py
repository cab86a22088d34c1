"""The pictures in screenshots/, taken in a real lab: `python -m tests.screenshots`.

The host's half starts the lab and fetches the pictures; the other half is lvstui itself, run on
lb1 without a terminal, looking at that director's kernel and keepalived.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

from lvstui.lab import Lab, faults

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "screenshots"
NAMES = ("services", "plan", "details", "failover", "help", "services-80x24")
SIZE = (140, 36)


def main() -> None:
    """Take all pictures."""
    FOLDER.mkdir(exist_ok=True)
    with Lab() as lab:
        lab.wait_all_up()
        time.sleep(20)  # a history to look at
        command = f"exec {sys.executable} -m tests.screenshots --inside /root"
        done = lab.run("lb1", command, timeout=180, env={"PYTHONPATH": str(ROOT)}, cwd="/root")
        print(done.stdout, end="")
        for name in NAMES:
            lab.copy_out("lb1", f"/root/{name}.svg", FOLDER / f"{name}.svg")
            print(FOLDER.name, f"{name}.svg")


async def inside(folder: Path) -> None:
    """The half that runs on lb1."""
    from lvstui.app import LvstuiApp
    from lvstui.live import local_watcher
    from lvstui.model.picture import Picture, State
    from lvstui.operations.operator import Operator
    from lvstui.screens.picture_file import save_svg
    from lvstui.screens.settings import Settings

    def states(picture: Picture) -> set[State]:
        return {server.state for service in picture.services for server in service.servers}

    async def until(condition: Callable[[Picture], bool], what: str) -> None:
        for _ in range(600):
            if condition(watcher.picture):
                return
            await asyncio.sleep(0.1)
        raise SystemExit(f"{what} did not happen")

    with local_watcher() as watcher:
        app = LvstuiApp(watcher, Operator(), settings=Settings(watch_terminal=False))
        async with app.run_test(size=SIZE) as pilot:

            async def shoot(name: str) -> None:
                await pilot.pause(1.5)
                save_svg(app, folder / f"{name}.svg", "lvstui on lb1")

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
            await press("escape")
            await pilot.resize_terminal(80, 24)
            await shoot("services-80x24")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        asyncio.run(inside(Path(sys.argv[2])))
    else:
        main()
