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
from lvstui.model.changes import Ended
from lvstui.model.facts import Available, ChangesSeen
from lvstui.model.numbers import decimal, number
from lvstui.model.text import plain
from lvstui.model.waiting import ChangeStands
from lvstui.sources.base import Context, Source, modified

_STATES = ("armed", "reverting", "confirmed", "reverted", "trouble.end", "never")
_MOST_BYTES = 65536
_JITTER_S = 3.0
"""A deadline that seems to move by less has not: clocks and uptime are read one after the other."""


class ChangeMarks(Source):
    """Pushes them at the start and when one stands differently."""

    name = "changes"

    def __init__(self, state: Path = Path(STATE), proc: Path = Path("/proc")) -> None:
        self._state, self._proc = state, proc
        self._decided: dict[str, ChangeStands] = {}
        """Those whose end is known: they change no more, but for who was told."""

    def run(self, context: Context) -> None:
        """Look every tick; without a change that waits that is two questions to the kernel."""
        last: tuple[ChangeStands, ...] = ()
        stamp: object = None
        hidden = False
        for _ in context.ticks():
            try:
                now = self._stamp()
                if now != stamp or any(_moves(change) for change in last):
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
                    context.missing(self.name, what, "sudo lvstui")

    def _stamp(self) -> object:
        try:
            return os.stat(self._state).st_mtime_ns
        except FileNotFoundError:
            return None

    def look(self) -> tuple[ChangeStands, ...]:
        """Every change that the host remembers, as it stands, newest first. Raises
        PermissionError."""
        try:
            names = sorted(name for name in os.listdir(self._state) if name[:1].isdigit())
        except FileNotFoundError:
            return ()
        found = {name: self._decided.get(name) or self._stands(name) for name in reversed(names)}
        # What nobody was told of yet may be told.
        self._decided = {
            name: one
            for name, one in found.items()
            if one.came and (one.ended is not Ended.TROUBLE or one.seen)
        }
        return tuple(found.values())

    def _stands(self, name: str) -> ChangeStands:
        folder = self._state / name
        with suppress(FileNotFoundError):
            marks = set(os.listdir(folder))
            state = next((state for state in _STATES if state in marks), "")
            meta = _meta(folder)
            waits = state in ("armed", "reverting")
            deadline = self._deadline(folder) if state == "armed" else 0.0
            timer_s = _number(meta.get("timer_s"))
            return ChangeStands(
                id=plain(name),
                state=state,
                title=plain(str(meta.get("title", ""))),
                who=plain(str(meta.get("who", ""))),
                at=_number(meta.get("at")),
                outcome="" if waits else _first_line(folder / "outcome"),
                deadline=deadline,
                # A guard that was not started yet is none that is gone.
                guarded=waits
                and (("room.guard.1" in marks and "writing" not in marks) or self._guarded(folder)),
                trouble=_first_line(folder / "trouble") if waits else "",
                other_boot=waits and self._other_boot(folder),
                seen="seen" in marks,
                reason=plain(str(meta.get("reason", ""))),
                undoes=plain(str(meta.get("undoes", ""))),
                came=0.0 if waits else modified(folder / "outcome"),
                # Until all was verified its timer waits for the time that looking may take, too.
                applying=state == "armed"
                and (not timer_s or deadline - time.time() > timer_s + _JITTER_S),
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
            if number(pid, 1 << 22) is None:
                continue
            with suppress(OSError):
                process = self._proc / pid
                words = (process / "cmdline").read_bytes().split(b"\0")
                if _uids(process) == {folder.stat().st_uid} and any(
                    word in mine and after == b"guard" for word, after in pairwise(words)
                ):
                    return True
        return False


def _uids(process: Path) -> set[int | None]:
    """Real, effective and saved one: of a setuid program that somebody started they differ."""
    line = next((x for x in _read(process / "status").split("\n") if x.startswith("Uid:")), "")
    return {number(word) for word in line.split()[1:4]}


def _moves(change: ChangeStands) -> bool:
    """It stands otherwise soon: it waits, or was decided and the words of that come next."""
    return change.waits or (
        change.state in ("confirmed", "reverted", "trouble.end") and not change.came
    )


def _steady(change: ChangeStands, last: tuple[ChangeStands, ...]) -> ChangeStands:
    """The change with the deadline that it had before, if it is the same one."""
    for old in last:
        if old.id == change.id and abs(old.deadline - change.deadline) < _JITTER_S:
            return replace(change, deadline=old.deadline)
    return change


def _meta(folder: Path) -> dict[str, object]:
    try:
        raw = json.loads(_read(folder / "meta.json"))
    except ValueError:
        # It was cut while it was laid out.
        return {}
    return raw if isinstance(raw, dict) else {}


def _number(value: object) -> float:
    return decimal(str(value)[:40]) or 0.0


def _first_line(path: Path) -> str:
    return plain(_read(path).partition("\n")[0].strip())


def _read(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return stream.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
