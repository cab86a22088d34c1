"""Numbers, and times in words: once, for the screen, the shell and texts alike."""

from __future__ import annotations

import time

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_UNITS = ("", "k", "M", "G", "T", "P")


def duration(seconds: float) -> str:
    """How long, in one unit: `40 s`, `3 min`, `27 h`, `12 d`. Never more than it was."""
    whole = int(max(seconds, 0))
    for below, unit, length in ((_MINUTE, "s", 1), (_HOUR, "min", _MINUTE), (2 * _DAY, "h", _HOUR)):
        if whole < below:
            return f"{whole // length} {unit}"
    return f"{whole // _DAY} d"


def clock(at: float) -> str:
    """`14:03:22` in local time."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def clock_ms(at: float) -> str:
    """`14:03:19.120` in local time; the second is that of `clock`."""
    second, milliseconds = divmod(round(at * 1000), 1000)
    return f"{clock(second)}.{milliseconds:03d}"


def moment(at: float, now: float = 0.0) -> str:
    """A time of day when it is on the day of `now`, else with its date: `2026-11-21 14:03:19`."""
    then = time.localtime(at)
    if then[:3] == time.localtime(now)[:3]:
        return clock(at)
    return time.strftime("%Y-%m-%d %H:%M:%S", then)


def grouped(number: int) -> str:
    """`8 102`: thousands apart, no comma that reads like a fraction."""
    return f"{number:,}".replace(",", " ")


def compact(number: float, width: int) -> str:
    """`number` in at most `width` cells when that is possible: `1 204`, else `12.3k`, `4M`."""
    text = grouped(round(number))
    if len(text) <= width:
        return text
    for power, unit in enumerate(_UNITS[1:5], 1):
        scaled = number / 1000**power
        if scaled < 999.5:
            for digits in (1, 0):
                text = f"{scaled:.{digits}f}{unit}"
                if len(text) <= width:
                    return text
    return f"{number:.0e}"


def _scaled(number: float, blank: str, unit: str) -> str:
    """Two digits at least, three at most, of a number from 0.5 up."""
    if number < 999.5:
        return f"{number:.0f}{blank}{unit}"
    for power, prefix in enumerate(_UNITS[1:], 1):
        scaled = number / 1000**power
        if scaled < 999.5:
            digits = 1 if scaled < 9.95 else 0
            return f"{scaled:.{digits}f}{blank}{prefix}{unit}"
    return f"{number:.1e}{blank}{unit}"


def per_second(rate: float) -> str:
    """Connections or packets per second, three digits at most: `0.4`, `205`, `1.9k`."""
    if rate <= 0:
        return "0"
    if rate < 0.05:
        return "<0.1"
    return f"{rate:.1f}".removesuffix(".0") if rate < 9.95 else _scaled(rate, "", "")


def bits(bytes_per_second: float) -> str:
    """Traffic in bits: `96 Mb/s`, `1.4 kb/s`; `0` below one."""
    rate = max(bytes_per_second, 0.0) * 8
    return "0" if rate < 0.5 else _scaled(rate, " ", "b/s")


def size(count: float) -> str:
    """Bytes: `1.2 GB`."""
    return _scaled(count, " ", "B")


def plural(count: int, one: str, many: str = "") -> str:
    """`1 service`, `2 services`."""
    return f"{grouped(count)} {one if count == 1 else many or one + 's'}"
