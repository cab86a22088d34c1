"""The history of the configuration, for people and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from lvstui.model.changes import Ended
from lvstui.model.say import moment
from lvstui.operations.config_history import HistoryEntry


def history_lines(entries: Sequence[HistoryEntry], first: int = 1) -> list[str]:
    """One line a change, and why below it."""
    lines = []
    for number, entry in enumerate(entries, first):
        head = f"{number:>3}  {moment(entry.at)}  {entry.who:<10} {entry.ended.value:<11} "
        lines.append(head + entry.title)
        if entry.ended is Ended.WAITING:
            lines.append(f"     {_waits(entry)}")
        else:
            lines.append(f"     {entry.end}" + (f" ({moment(entry.came)})" if entry.came else ""))
        if entry.reason:
            lines.append(f"     “{entry.reason}”")
    return lines


def _waits(entry: HistoryEntry) -> str:
    """What happens next to a change that is neither kept nor back."""
    if entry.plight:
        return entry.plight
    if entry.going_back:
        return "is on its way back"
    # Its timer was seen just now.
    return f"rolled back by itself in {max(entry.left_s, 0):.0f} s unless it is kept"


def entry_json(number: int, entry: HistoryEntry) -> dict[str, Any]:
    """A change as it is remembered."""
    return {
        "number": number,
        **asdict(entry),
        "ended": entry.ended.value,
        "end": entry.end,
        "text": entry.text,
        "plight": entry.plight,
    }
