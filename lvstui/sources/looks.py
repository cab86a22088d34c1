"""Source `looks`: what the sessions of this host saw of real servers.

Nothing looks by itself: an operator does, from the screen or by `lvstui realserver`. Each look is
kept (`lvstui.operations.looks`), the last one of a host in a file of its own, so that every other
lvstui here knows of it: `status`, `stream`, another console.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from lvstui.model.facts import RealServerSeen
from lvstui.model.realserver import Look
from lvstui.model.text import plain
from lvstui.model.wire import decode
from lvstui.process.newfile import state_folder
from lvstui.sources.base import Context, Source

BACK_S = 7 * 86400.0
"""An older look tells nothing."""
_MOST = 10_000
"""Files that are read."""
_MOST_BYTES = 1 << 20
"""Of one of them."""


def folder_of_looks() -> Path:
    """Root's, which all of root's sessions share, or the user's own."""
    return state_folder() / "looks"


class KeptLooks(Source):
    """Pushes what is there at the start and what comes later."""

    name = "looks"

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or folder_of_looks()
        self._said: dict[str, float] = {}

    def run(self, context: Context) -> None:
        """One question to the kernel every tick: a file that takes the place of another moves the
        time of their folder."""
        last: object = None
        first = True
        for _ in context.ticks():
            try:
                now = self._folder.stat().st_mtime_ns
                if now != last:
                    last = now
                    self._read(context, first)
            except FileNotFoundError:
                # Nobody looked yet.
                last = None
            except OSError as error:
                context.missing(self.name, plain(f"earlier looks: {error}"))
                return
            first = False

    def _read(self, context: Context, first: bool) -> None:
        horizon = time.time() - BACK_S
        for look in self._looks():
            if look.at >= horizon and look.at > self._said.get(look.address, 0.0):
                self._said[look.address] = look.at
                context.emit(self.name, RealServerSeen(look), look.at, past=first)

    def _looks(self) -> Iterator[Look]:
        for name in sorted(os.listdir(self._folder))[:_MOST]:
            if name.startswith("."):
                # It is being written.
                continue
            try:
                with open(self._folder / name, "rb") as stream:
                    seen = decode(stream.read(_MOST_BYTES).decode("utf-8", "replace"))
            except (OSError, ValueError):
                # Gone meanwhile, or of another version: the next look at that host mends it.
                continue
            if isinstance(seen.fact, RealServerSeen):
                yield seen.fact.look
