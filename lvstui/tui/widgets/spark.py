"""History drawn with characters: one line of blocks for a table, braille dots for a graph."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from lvstui.tui.widgets.glyphs import Glyphs

# Dots of one braille cell, bottom row first, left and right column (Unicode block U+2800).
_LEFT = (0x40, 0x04, 0x02, 0x01)
_RIGHT = (0x80, 0x20, 0x10, 0x08)
_ROWS = 4


def resample(values: Sequence[float], width: int) -> list[float]:
    """The last minute in `width` points: the highest value of each share of time."""
    count = len(values)
    if count <= width:
        return list(values)
    return [
        max(values[i * count // width : max((i + 1) * count // width, i * count // width + 1)])
        for i in range(width)
    ]


def means(values: Sequence[float], width: int) -> list[float]:
    """Like `resample`, but the mean of each share: a shape to see at a glance."""
    count = len(values)
    if count <= width:
        return list(values)
    edges = [i * count // width for i in range(width + 1)]
    return [sum(values[a:b]) / (b - a) for a, b in pairwise(edges)]


def sparkline(values: Sequence[float], width: int, glyphs: Glyphs) -> str:
    """`values` as `width` block characters, newest at the right, blank before the first."""
    if not values or width <= 0:
        return " " * max(width, 0)
    points = means(values, width)
    top = max(points)
    levels = glyphs.spark
    if top <= 0:
        return (levels[0] * len(points)).rjust(width)
    steps = len(levels) - 1
    # Whatever is above zero is told apart from zero, however high the peak.
    drawn = "".join(levels[max(1, round(v / top * steps)) if v > 0 else 0] for v in points)
    return drawn.rjust(width)


def graph(values: Sequence[float], width: int, height: int, glyphs: Glyphs) -> list[str]:
    """`values` as an area of `height` lines and `width` cells, newest at the right."""
    if width <= 0 or height <= 0:
        return []
    top = max(values, default=0.0)
    if not glyphs.braille:
        points = resample(values, width)
        points = [0.0] * (width - len(points)) + points
        scale = height / top if top > 0 else 0.0
        return [
            "".join("#" if v * scale > level else " " for v in points)
            for level in range(height - 1, -1, -1)
        ]
    # Where there is room each value takes a whole cell, so that a minute fills the graph.
    doubled = [value for value in values for _ in (0, 1)] if len(values) <= width else values
    points = resample(doubled, width * 2)
    points = [-1.0] * (width * 2 - len(points)) + points
    dots = height * _ROWS
    # Zero is one dot high: a line at the bottom says "known and idle", blank says "not known".
    filled = [0 if v < 0 else max(1, round(v / top * dots)) if top > 0 else 1 for v in points]
    lines = []
    for line in range(height - 1, -1, -1):
        base = line * _ROWS
        cells = []
        for x in range(width):
            code = 0
            for row in range(_ROWS):
                if filled[2 * x] > base + row:
                    code |= _LEFT[row]
                if filled[2 * x + 1] > base + row:
                    code |= _RIGHT[row]
            cells.append(chr(0x2800 + code))
        lines.append("".join(cells))
    return lines
