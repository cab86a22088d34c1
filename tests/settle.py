"""Waiting until an app under a pilot has done all that it has to do."""

from __future__ import annotations

import asyncio
from typing import Any

from textual._context import active_app
from textual._wait import wait_for_idle

_SHORT = ("planning", "reading the audit log")


async def settled(min_sleep: float = 0.0, max_sleep: float = 1.0) -> None:
    """Until the event loop has nothing more to do at once. Textual's own wait sleeps until the
    process has used no time for 20 ms, a second at most; that is left to its workers. A plan of
    weights is there after a moment."""
    app: Any = active_app.get()
    if any(worker.is_running for worker in app.workers):
        await wait_for_idle(min_sleep, max_sleep)
    await _work(app)
    while app.weights.under_way in _SHORT:
        await asyncio.sleep(0.001)
        await _work(app)


async def _work(app: Any) -> None:
    loop: Any = asyncio.get_running_loop()
    for _ in range(2):
        while loop._ready:
            await asyncio.sleep(0)
        app.screen._on_timer_update()
        await asyncio.sleep(0)
    while loop._ready:
        await asyncio.sleep(0)
