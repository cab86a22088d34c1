"""Source `recording`: observations from a file that `lvstui stream` wrote, at their own pace."""

from __future__ import annotations

import json
import time
from pathlib import Path

from lvstui.model.facts import Observation
from lvstui.model.wire import FORMAT, decode
from lvstui.sources.base import Context


def read_recording(path: str | Path) -> list[Observation]:
    """All observations of a recording, in order.

    Raises OSError, and ValueError with the line number for what is no recording, or one of a
    later format. A last line that was cut off (the recorder was killed) is left out.
    """
    lines = Path(path).read_text("utf-8").split("\n")
    try:
        head = json.loads(lines[0])
        version = head["lvstui"]
    except (ValueError, KeyError, TypeError):
        raise ValueError("this is no recording of `lvstui stream`") from None
    if version > FORMAT:
        raise ValueError(f"recorded in format {version}; this lvstui knows up to {FORMAT}")
    found: list[Observation] = []
    for number, line in enumerate(lines[1:], 2):
        if not line:
            continue
        try:
            found.append(decode(line))
        except ValueError as error:
            if number == len(lines):
                break
            raise ValueError(f"line {number}: {error}") from None
    return found


class Recording:
    """Plays a recording; its clock shows the time at which it was made."""

    name = "recording"

    def __init__(self, path: str | Path, speed: float = 1.0) -> None:
        self._seen = read_recording(path)
        self._speed = speed
        self._began = time.monotonic()
        live = [seen.at for seen in self._seen if not seen.past]
        self._first = min(live, default=0.0)
        self.host = self._seen[0].host if self._seen else "recording"

    def clock(self) -> float:
        """Epoch seconds in the recording's own time."""
        return self._first + (time.monotonic() - self._began) * self._speed

    def run(self, context: Context) -> None:
        """Push each observation when its time has come."""
        self._began = time.monotonic()
        for seen in self._seen:
            ahead = 0.0 if seen.past else (seen.at - self.clock()) / self._speed
            if ahead > 0 and context.wait(ahead):
                return
            context.push(seen)
