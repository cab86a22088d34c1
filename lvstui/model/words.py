"""How numbers and times are said, the same on every screen and in every report."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """A length of time in at most two units: `8 s`, `3 min`, `2 h 5 min`, `12 d`."""
    whole = int(max(seconds, 0))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86400:
        hours, rest = divmod(whole, 3600)
        return f"{hours} h {rest // 60} min" if rest >= 60 and hours < 10 else f"{hours} h"
    return f"{whole // 86400} d"


def grouped(number: int) -> str:
    """`1 204`: thousands apart by a no-break thin blank's plain cousin."""
    return f"{number:,}".replace(",", " ")


def short(number: float) -> str:
    """`410`, `1.9k`, `12M`: at most four characters."""
    if number < 0.05:
        return "0"
    if number < 9.95:
        return f"{number:.1f}".rstrip("0").rstrip(".")
    for limit, suffix in ((999.5, ""), (999_500.0, "k"), (999.5e6, "M"), (999.5e9, "G")):
        if number < limit:
            value = number / {"": 1, "k": 1e3, "M": 1e6, "G": 1e9}[suffix]
            return f"{value:.1f}{suffix}" if suffix and value < 9.95 else f"{value:.0f}{suffix}"
    return f"{number / 1e12:.0f}T"


def bits(bytes_per_second: float) -> str:
    """A rate in bits: `96 Mb/s`."""
    value = bytes_per_second * 8
    for limit, unit in ((999.5, "b/s"), (999.5e3, "kb/s"), (999.5e6, "Mb/s"), (999.5e9, "Gb/s")):
        if value < limit:
            scaled = value / {"b/s": 1, "kb/s": 1e3, "Mb/s": 1e6, "Gb/s": 1e9}[unit]
            return (
                f"{scaled:.1f} {unit}"
                if 0 < scaled < 9.95 and unit != "b/s"
                else f"{scaled:.0f} {unit}"
            )
    return f"{value / 1e12:.1f} Tb/s"


def plural(number: int, one: str, many: str = "") -> str:
    """`1 connection`, `3 connections`."""
    return f"{number} {one if number == 1 else many or one + 's'}"
