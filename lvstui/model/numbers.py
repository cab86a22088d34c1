"""Numbers in foreign text: a number within its limits, or none; never an exception.

`int()` raises beyond 4300 digits, takes `²`-like signs only in part, and takes `1_000`, ` 7 ` and
the digits of every script; `float()` also takes `nan` and `inf`, which end arithmetic later.
"""

from __future__ import annotations

import re

PIDS = 1 << 22
"""The largest pid there is (PID_MAX_LIMIT of linux/threads.h)."""
MOST = (1 << 64) - 1
"""The largest number that any of our sources writes: an unsigned 64-bit counter."""
LAST_SECOND = 253_370_764_800.0
"""The first of 9999 in epoch seconds: calendars can show it, and nothing takes longer."""
_DIGITS = 20
"""Of `MOST`, whatever the base: leading zeros beyond that are nobody's honest number."""
_DECIMAL = re.compile(r"[0-9]{1,20}(?:\.[0-9]{0,40})?|\.[0-9]{1,40}")


def _text(text: str | bytes) -> str:
    return text if isinstance(text, str) else text.decode("latin-1")


def number(text: str | bytes, most: int = MOST) -> int | None:
    """`text`, all of it decimal digits, as a number from 0 to `most`; else None."""
    text = _text(text)
    if len(text) > _DIGITS or not (text.isascii() and text.isdigit()):
        return None
    value = int(text)
    return value if value <= most else None


def signed(text: str | bytes, most: int = MOST) -> int | None:
    """`number`, perhaps with one sign before it: from -`most` to `most`; else None."""
    text = _text(text)
    value = number(text[1:] if text[:1] in ("-", "+") else text, most)
    return -value if value is not None and text[:1] == "-" else value


def hexadecimal(text: str | bytes, most: int = MOST) -> int | None:
    """Hexadecimal digits, perhaps behind `0x`, as a number from 0 to `most`; else None."""
    text = _text(text).removeprefix("0x")
    if len(text) > _DIGITS or not re.fullmatch("[0-9A-Fa-f]+", text):
        return None
    value = int(text, 16)
    return value if value <= most else None


def decimal(text: str | bytes, most: float = LAST_SECOND) -> float | None:
    """`12`, `12.5` as a number from 0 to `most`; None for anything else, `nan` and `1e9` too."""
    text = _text(text)
    if not _DECIMAL.fullmatch(text):
        return None
    value = float(text)
    return value if value <= most else None
