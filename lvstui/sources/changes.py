"""Source `changes`: what lvstui changed in keepalived.conf of this host, and how it stands.

Each change has a folder on the host, which its guard marks as it is decided (`change.sh`): so a
change that waits is seen whoever made it, and its end also when nobody looked. A tick costs one
stat and one readlink while nothing is under way.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from pathlib import Path

from lvstui.keepalived.daemon.facts import STATE
from lvstui.model.changes import APPLYING, GOING_BACK, ConfigChangeSeen, Ended, settled
from lvstui.model.facts import Available, Missing
from lvstui.model.text import plain
from lvstui.sources.base import Context

_ID = re.compile(r"[0-9]+T[0-9A-Za-z-]+")
_MARKERS = ("armed", "reverting", "confirmed", "reverted", "trouble.end", "never")
_MOST_BYTES = 1 << 16
_JITTER_S = 2.0
"""The host counts whole seconds: by less than this no deadline has moved."""
_MISSES = 2
"""A guard that was killed is started again after a second: it is gone when missed this often."""


class ConfigChanges:
    """Pushes each change that the host remembers, and again whenever it stands otherwise."""

    name = "changes"

    def __init__(self, folder: Path = Path(STATE), proc: Path = Path("/proc")) -> None:
        self._folder, self._proc = folder, proc
        self._stamp = 0
        self._told: dict[str, ConfigChangeSeen] = {}
        self._open: set[str] = set()
        """Those that are not decided."""
        self._missed: dict[str, int] = {}

    def run(self, context: Context) -> None:
        """Read back what is remembered, then look for news every tick."""
        first = True
        blind = False
        while True:
            try:
                self._look(context, first)
                first = False
                if blind:
                    blind = False
                    context.emit(self.name, Available(self.name))
            except FileNotFoundError:
                # Nothing was ever changed here.
                first = False
            except PermissionError:
                if not blind:
                    what = "whether a change of keepalived.conf waits to be kept"
                    context.emit(self.name, Missing(self.name, what, "sudo lvstui"))
                blind = True
            if context.wait(context.interval_s):
                return

    def _look(self, context: Context, first: bool) -> None:
        stamp = self._folder.stat().st_mtime_ns
        # Not a link, or none: nothing is under way.
        with contextlib.suppress(OSError):
            # Within one tick of the file system's clock two changes have the same stamp.
            self._open.add(os.readlink(self._folder / "current"))
        if stamp != self._stamp:
            self._stamp = stamp
            names = {name for name in os.listdir(self._folder) if _ID.fullmatch(name)}
            self._open |= names - self._told.keys()
        for name in sorted(self._open):
            try:
                found = self._read(name)
            except FileNotFoundError:
                # Given up before it was laid out, or forgotten by the host.
                self._open.discard(name)
                continue
            except (OSError, ValueError, TypeError, AttributeError):
                # One that can not be read says nothing of the others.
                continue
            if found is None:
                continue
            if found.ended is not Ended.WAITING:
                self._open.discard(name)
            if not _same(self._told.get(name), found):
                at = found.came or (time.time() if name in self._told else found.at)
                self._told[name] = found
                context.emit(self.name, found, at, past=first)

    def _read(self, name: str) -> ConfigChangeSeen | None:
        """None while it is being laid out. Raises OSError, ValueError."""
        folder = self._folder / name
        marker = next((one for one in _MARKERS if (folder / one).exists()), "")
        if not marker:
            os.stat(folder)
            return None
        meta = json.loads(self._text(folder / "meta.json"))
        outcome, came = "", 0.0
        if marker not in ("armed", "reverting"):
            try:
                outcome = plain(self._text(folder / "outcome").partition("\n")[0])
                came = (folder / "outcome").stat().st_mtime
            except FileNotFoundError:
                # Decided just now; its words come next.
                came = 0.0
        ended = settled(marker, outcome)
        deadline, stage, guarded = 0.0, "", True
        if ended is Ended.WAITING:
            left = self._left(folder)
            deadline = time.time() + left
            timer_s = int(meta.get("timer_s", 0))
            if marker == "reverting":
                stage = GOING_BACK
            elif not timer_s or left > timer_s + _JITTER_S:
                # Its guard waits for the time that looking may take, too, until all was seen.
                stage = APPLYING
            guarded = self._guarded(name)
        return ConfigChangeSeen(
            name, ended, plain(str(meta.get("title", ""))), plain(str(meta.get("who", ""))),
            float(meta.get("at", 0)), plain(str(meta.get("reason", ""))), outcome, came,
            plain(str(meta.get("undoes", ""))), deadline, stage, guarded,
        )  # fmt: skip

    def _left(self, folder: Path) -> float:
        """Seconds until the timer's time is up."""
        up = float(self._text(self._proc / "uptime").split()[0])
        try:
            return float(self._text(folder / "deadline")) - up
        except (FileNotFoundError, ValueError):
            # It is being kept or rolled back at this moment.
            return 0.0

    def _guarded(self, name: str) -> bool:
        """The guard's process is there, or was a moment ago."""
        wanted = f"{name}/change.sh\0guard".encode()
        for pid in os.listdir(self._proc):
            if not pid.isdigit():
                continue
            try:
                line = (self._proc / pid / "cmdline").read_bytes()
            except OSError:
                continue
            if wanted in line:
                self._missed.pop(name, None)
                return True
        self._missed[name] = self._missed.get(name, 0) + 1
        return self._missed[name] < _MISSES

    @staticmethod
    def _text(path: Path) -> str:
        with path.open("rb") as stream:
            return stream.read(_MOST_BYTES).decode("utf-8", "replace")


def _same(told: ConfigChangeSeen | None, now: ConfigChangeSeen) -> bool:
    """Nothing but the jitter of the clock lies between them."""
    if told is None or abs(told.deadline - now.deadline) >= _JITTER_S:
        return False
    return (told.ended, told.outcome, told.stage, told.guarded) == (
        now.ended, now.outcome, now.stage, now.guarded
    )  # fmt: skip
