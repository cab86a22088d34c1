"""Source `changes`: how lvstui's own changes of this host's configuration stand.

A change leaves marks in a folder of its own below `STATE`, and a guard that takes it back unless it
is kept (`lvstui.remote.guarded`). Whether that guard lives is looked at each time: what it promised
is worth nothing without it.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from lvstui.keepalived.daemon.facts import STATE
from lvstui.model.facts import Available, ChangesSeen, Missing
from lvstui.model.text import plain
from lvstui.model.waiting import ChangeStands
from lvstui.sources.base import Context

_STATES = ("armed", "reverting", "confirmed", "reverted", "trouble.end", "never")
_MOST_BYTES = 65536
_JITTER_S = 3.0
"""A deadline that seems to move by less has not: clocks and uptime are read one after the other."""


class ChangeMarks:
    """Pushes them at the start and when one stands differently."""

    name = "changes"

    def __init__(self, state: Path = Path(STATE), proc: Path = Path("/proc")) -> None:
        self._state, self._proc = state, proc

    def run(self, context: Context) -> None:
        """Look every tick; without a change that waits that is two questions to the kernel."""
        last: tuple[ChangeStands, ...] = ()
        stamp: object = None
        hidden = False
        while True:
            try:
                now = self._stamp()
                if now != stamp or any(change.waits for change in last):
                    stamp, found = now, self.look()
                    found = tuple(_steady(change, last) for change in found)
                    if found != last:
                        last = found
                        context.emit(self.name, ChangesSeen(found))
                if hidden:
                    hidden = False
                    context.emit(self.name, Available(self.name))
            except PermissionError:
                if not hidden:
                    hidden = True
                    what = "changes of the configuration that wait to be kept"
                    context.emit(self.name, Missing(self.name, what, "sudo lvstui"))
            if context.wait(context.interval_s):
                return

    def _stamp(self) -> object:
        try:
            return os.stat(self._state).st_mtime_ns
        except FileNotFoundError:
            return None

    def look(self) -> tuple[ChangeStands, ...]:
        """The change under way and the newest, as they stand. Raises PermissionError."""
        try:
            names = sorted(name for name in os.listdir(self._state) if name[:1].isdigit())
            current = _link(self._state / "current")
        except FileNotFoundError:
            return ()
        wanted = dict.fromkeys([*names[-1:], *([current] if current in names else [])])
        return tuple(self._stands(name) for name in wanted)

    def _stands(self, name: str) -> ChangeStands:
        folder = self._state / name
        with suppress(FileNotFoundError):
            marks = set(os.listdir(folder))
            state = next((state for state in _STATES if state in marks), "")
            meta = _meta(folder)
            waits = state in ("armed", "reverting")
            return ChangeStands(
                id=plain(name),
                state=state,
                title=plain(str(meta.get("title", ""))),
                who=plain(str(meta.get("who", ""))),
                at=_number(meta.get("at")),
                outcome="" if waits else _first_line(folder / "outcome"),
                deadline=self._deadline(folder) if state == "armed" else 0.0,
                # A guard that was not started yet is none that is gone.
                guarded=waits
                and (("room.guard.1" in marks and "writing" not in marks) or self._guarded(folder)),
                trouble=_first_line(folder / "trouble") if waits else "",
                other_boot=waits and self._other_boot(folder),
                seen="seen" in marks,
            )
        return ChangeStands(plain(name), "")

    def _deadline(self, folder: Path) -> float:
        up = _number(_first_line(self._proc / "uptime").partition(" ")[0])
        return round(time.time() - up + _number(_first_line(folder / "deadline")), 1)

    def _other_boot(self, folder: Path) -> bool:
        armed = _first_line(folder / "boot_id")
        return bool(armed) and armed != _first_line(self._proc / "sys/kernel/random/boot_id")

    def _guarded(self, folder: Path) -> bool:
        """As `guarded` of guard.sh: a number may be anybody's by now."""
        mine = {os.fsencode(folder / name) for name in ("change.sh", "again.sh")}
        for name in ("guard.1", "guard.2"):
            pid = _first_line(folder / name)
            if not (pid.isascii() and pid.isdigit() and len(pid) < 9):
                continue
            with suppress(OSError):
                process = self._proc / pid
                words = (process / "cmdline").read_bytes().split(b"\0")
                if process.stat().st_uid == folder.stat().st_uid and any(
                    word in mine and after == b"guard" for word, after in pairwise(words)
                ):
                    return True
        return False


def _steady(change: ChangeStands, last: tuple[ChangeStands, ...]) -> ChangeStands:
    """The change with the deadline that it had before, if it is the same one."""
    for old in last:
        if old.id == change.id and abs(old.deadline - change.deadline) < _JITTER_S:
            return replace(change, deadline=old.deadline)
    return change


def _link(path: Path) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _meta(folder: Path) -> dict[str, object]:
    try:
        raw = json.loads(_read(folder / "meta.json"))
    except ValueError:
        # It was cut while it was laid out.
        return {}
    return raw if isinstance(raw, dict) else {}


def _number(value: object) -> float:
    try:
        return float(str(value)[:40])
    except ValueError:
        return 0.0


def _first_line(path: Path) -> str:
    return plain(_read(path).partition("\n")[0].strip())


def _read(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return stream.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
