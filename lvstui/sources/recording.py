"""Source `recording`: observations from a file that `lvstui stream` wrote, at their own pace.

The file may come from anybody and be of any length: it is read while it is played, and a line
that is no observation is said and left out.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from lvstui.model.facts import Missing, Observation
from lvstui.model.wire import FORMAT, decode, read_object
from lvstui.sources.base import Context, Source

_LONGEST_LINE = 64 << 20
"""Bytes: a table of 50,000 real servers takes about six million."""
_AHEAD, _AHEAD_LIVE = 1000, 50
"""Observations that are looked through for the time at which the recording begins."""
_APART_S = 3600.0
"""A first observation that lies this far from most of the first ones is dated wrongly."""
_TOO_LATE_S = 86400.0
"""Nobody waits so long for the next observation: its date is wrong."""
_SAY_S = 1.0
"""How often what was left out is said anew."""


class _Lines:
    """The observations of an open recording, one by one."""

    def __init__(self, file: BinaryIO) -> None:
        """Raises ValueError for what is no recording, or one of a later format."""
        self._file = file
        self.left_out = 0
        """Lines that are no observations, or cannot be played."""
        self.why = ""
        """What is wrong with the last of them."""
        try:
            version = read_object(self._read())["lvstui"]
            later = version > FORMAT
        except (ValueError, KeyError, TypeError):
            raise ValueError("this is no recording of `lvstui stream`") from None
        if later:
            raise ValueError(f"recorded in format {version}; this lvstui knows up to {FORMAT}")

    def _read(self) -> str:
        line = self._file.readline(_LONGEST_LINE)
        return line.decode("utf-8", "backslashreplace")

    def leave_out(self, why: str) -> None:
        """One more line is of no use."""
        self.left_out += 1
        self.why = why

    def __iter__(self) -> Iterator[Observation]:
        """A last line that was cut off (the recorder was killed) is left out without a word."""
        number = 1
        while line := self._read():
            number += 1
            if not line.strip():
                continue
            try:
                seen = decode(line)
            except ValueError as error:
                if line.endswith("\n"):
                    self.leave_out(f"line {number}: {error}")
                continue
            yield seen


class Recording(Source):
    """Plays a recording; its clock shows the time at which it was made."""

    name = "recording"
    look_within_s = math.inf

    def __init__(self, path: str | Path, speed: float = 1.0, *, at_once: bool = False) -> None:
        """`at_once`: without waiting for the time of anything. Raises OSError, and ValueError for
        what is no recording, or one of a later format."""
        self._speed, self._at_once = speed, at_once
        self._began = time.monotonic()
        self._file = open(path, "rb")  # noqa: SIM115 - read until it was played
        try:
            self._lines = _Lines(self._file)
        except ValueError:
            self._file.close()
            raise
        self._rest = iter(self._lines)
        self._ahead: list[Observation] = []
        live = 0
        for seen in self._rest:
            self._ahead.append(seen)
            live += not seen.past
            if live >= _AHEAD_LIVE or len(self._ahead) >= _AHEAD:
                break
        self._first = self._at = _beginning(self._ahead)
        self.host = self._ahead[0].host if self._ahead else "recording"
        self._said = 0
        self._say_at = 0.0

    def clock(self) -> float:
        """Epoch seconds in the recording's own time."""
        if self._at_once:
            return self._at
        return self._first + (time.monotonic() - self._began) * self._speed

    def _all(self) -> Iterator[Observation]:
        yield from self._ahead
        self._ahead.clear()
        yield from self._rest

    def run(self, context: Context) -> None:
        self._began = time.monotonic()
        with self._file:
            for seen in self._all():
                self._say_left_out(context)
                ahead = 0.0 if seen.past else seen.at - self.clock()
                if ahead > _TOO_LATE_S:
                    self._lines.leave_out(f"a {type(seen.fact).__name__} is of another day")
                    continue
                if self._at_once:
                    self._at += max(ahead, 0.0)
                elif ahead > 0 and context.wait(ahead / self._speed):
                    return
                context.push(seen)
            self._say_left_out(context, last=True)

    def _say_left_out(self, context: Context, last: bool = False) -> None:
        lines, now = self._lines, time.monotonic()
        if lines.left_out == self._said or (now < self._say_at and not last):
            return
        self._said, self._say_at = lines.left_out, now + _SAY_S
        count = "1 line" if lines.left_out == 1 else f"{lines.left_out} lines"
        what = f"{count} of the recording left out; the last: {lines.why}"
        context.emit(self.name, Missing(self.name, what), self.clock())


def _beginning(first: list[Observation]) -> float:
    """When a recording begins, by its first observations; a wrong date among them is no matter."""
    times = sorted(seen.at for seen in first if not seen.past) or [
        max((seen.at for seen in first), default=0.0)
    ]
    usual = times[len(times) // 2]
    return min(at for at in times if usual - at < _APART_S)
