"""`python -m tests.truth.screen` on a director: what its console shows after a few seconds."""

from __future__ import annotations

import asyncio
import sys

from lvstui.operations.weight_changes import WeightChanges
from lvstui.session.on_disk import OnDisk
from lvstui.sources.processes import config_id
from lvstui.tui.app import LvstuiApp
from lvstui.tui.settings import Settings
from lvstui.watch import local_watcher

SIZE = (200, 150)
"""Every server of a site has its line."""
LOOK_S = 6.0


async def shown() -> str:
    """The text of the first screen."""
    with local_watcher() as watcher:
        watcher.settle()
        app = LvstuiApp(
            watcher,
            WeightChanges(),
            configuration=OnDisk("", config_id=config_id),
            settings=Settings(watch_terminal=False),
        )
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause(LOOK_S)
            return "\n".join(
                strip.text.rstrip() for strip in app.screen._compositor.render_strips()
            )


if __name__ == "__main__":
    sys.stdout.write(asyncio.run(shown()))
