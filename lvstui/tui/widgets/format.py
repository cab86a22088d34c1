"""Numbers, times and texts as they stand on the screen. Pure functions."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
_GROUP_FROM = 1000


def width_of(text: str) -> int:
    """Cells that `text` takes."""
    return len(text) if text.isascii() else cell_len(text)


def fit(text: str, width: int, *, right: bool = False, ellipsis: str = "…") -> str:
    """`text` in exactly `width` cells: padded, or cut with an ellipsis."""
    if width <= 0:
        return ""
    length = width_of(text)
    if length > width:
        return cut(text, width, ellipsis=ellipsis)
    pad = " " * (width - length)
    return pad + text if right else text + pad


def cut(text: str, width: int, *, ellipsis: str = "…") -> str:
    """`text` in at most `width` cells; what was cut off is shown by an ellipsis."""
    if width_of(text) <= width:
        return text
    if width <= 0:
        return ""
    mark = width_of(ellipsis)
    if width <= mark:
        return set_cell_size(text, width)
    if text.isascii():
        return text[: width - mark] + ellipsis
    return set_cell_size(text, width - mark).rstrip(" ") + ellipsis


def group(number: int) -> str:
    """`8 102`: thousands apart, no comma that reads like a fraction."""
    return f"{number:,}".replace(",", " ") if abs(number) >= _GROUP_FROM else str(number)


def compact(number: float, width: int) -> str:
    """`number` in at most `width` cells when that is possible: `1 204`, else `12.3k`, `4M`."""
    text = group(round(number))
    if len(text) <= width:
        return text
    for unit, size in (("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12)):
        scaled = number / size
        if scaled < 999.5:
            for digits in (1, 0):
                text = f"{scaled:.{digits}f}{unit}"
                if len(text) <= width:
                    return text
    return f"{number:.0e}"


def per_second(rate: float) -> str:
    """Connections or packets per second, three digits at most: `0.4`, `205`, `1.9k`."""
    if rate <= 0:
        return "0"
    if rate < 0.05:
        return "<0.1"
    if rate < 9.95:
        return f"{rate:.1f}".removesuffix(".0")
    if rate < 999.5:
        return f"{rate:.0f}"
    for unit, size in (("k", 1e3), ("M", 1e6), ("G", 1e9)):
        scaled = rate / size
        if scaled < 9.95:
            return f"{scaled:.1f}{unit}"
        if scaled < 999.5:
            return f"{scaled:.0f}{unit}"
    return f"{rate:.0e}"


def bits(bytes_per_second: float) -> str:
    """Traffic in bits: `96 Mb/s`, `0.4 kb/s`."""
    rate = max(bytes_per_second, 0.0) * 8
    if rate < 0.5:
        return "0"
    if rate < 999.5:
        return f"{rate:.0f} b/s"
    for unit, size in (("kb/s", 1e3), ("Mb/s", 1e6), ("Gb/s", 1e9), ("Tb/s", 1e12)):
        scaled = rate / size
        if scaled < 9.95:
            return f"{scaled:.1f} {unit}"
        if scaled < 999.5:
            return f"{scaled:.0f} {unit}"
    return f"{rate:.0e}b/s"


def size(count: float) -> str:
    """Bytes: `1.2 GB`."""
    if count < 999.5:
        return f"{count:.0f} B"
    for unit, scale in (("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("PB", 1e15)):
        scaled = count / scale
        if scaled < 9.95:
            return f"{scaled:.1f} {unit}"
        if scaled < 999.5:
            return f"{scaled:.0f} {unit}"
    return f"{count:.1e} B"


def age(seconds: float) -> str:
    """How long, coarsely: `40 s`, `3 min`, `2 h`, `12 d`."""
    seconds = max(seconds, 0.0)
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min"
    if seconds < _DAY * 2:
        return f"{seconds // _HOUR:.0f} h"
    return f"{seconds // _DAY:.0f} d"


def clock(at: float) -> str:
    """`14:03:22` in local time."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def clock_ms(at: float) -> str:
    """`14:03:19.120` in local time."""
    milliseconds = round((at % 1) * 1000) % 1000
    whole = round(at - milliseconds / 1000)
    return f"{clock(whole)}.{milliseconds:03d}"


def moment(at: float, now: float) -> str:
    """A time of day today, else with its date: `14:03:19`, `2026-11-21 14:03:19`."""
    then, today = time.localtime(at), time.localtime(now)
    if then[:3] == today[:3]:
        return clock(at)
    return time.strftime("%Y-%m-%d %H:%M:%S", then)


def plural(count: int, one: str, many: str = "") -> str:
    """`1 service`, `2 services`."""
    return f"{group(count)} {one if count == 1 else many or one + 's'}"


def joined(items: Sequence[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"
