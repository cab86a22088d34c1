"""For terminals without Unicode: what we do not draw ourselves must be ASCII too."""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter
from textual.scrollbar import ScrollBarRender

from lvstui.widgets.format import width_of

_LIKE = {
    "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "−": "-", "…": "~",
    "→": ">", "←": "<", "↑": "^", "↓": "v", "±": "+", "·": ".", "×": "x", "─": "-", "│": "|",
}  # fmt: skip


class PlainScrollBar(ScrollBarRender):
    """Draws with the background alone, where Textual rounds with eighths of a block."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * len(ScrollBarRender.VERTICAL_BARS)
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * len(ScrollBarRender.HORIZONTAL_BARS)


@lru_cache(4096)
def to_ascii(text: str) -> str:
    """`text` in ASCII and of the same width: likenesses where there are any, else `?`."""
    return "".join(
        char if char.isascii() else _LIKE.get(char, "?" * width_of(char)) for char in text
    )


class AsciiFilter(LineFilter):
    """The last thing before the terminal: names and log lines come in any alphabet."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Replace what the terminal can not show."""
        return [
            segment
            if segment.text.isascii()
            else Segment(to_ascii(segment.text), segment.style, segment.control)
            for segment in segments
        ]
