"""The last thing before the terminal: every segment of every widget passes here.

What controls a terminal, turns its direction or hides is made visible (`TerminalFilter`), wherever
it came from; on terminals without Unicode all the rest becomes ASCII too (`AsciiFilter`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter
from textual.scrollbar import ScrollBarRender

from lvstui.model.text import harmless, visible
from lvstui.tui.widgets.format import width_of

_LIKE = dict(zip("“”„‘’–—−…→←↑↓±·×─│", '"""\'\'---~><^v+.x-|', strict=True))


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


@lru_cache(4096)
def to_visible(text: str) -> str:
    """`text` with nothing in it that a terminal obeys, and of the same width, so that what was
    laid out stays in its place."""
    return text if harmless(text) else set_cell_size(visible(text), cell_len(text))


class TerminalFilter(LineFilter):
    """Lets no control or format character through, and no hyperlink: we make none."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Make visible what the terminal would obey; a clean strip stays the list that it is."""
        for text, style, _ in segments:
            if not harmless(text) or (style is not None and style.link):
                break
        else:
            return segments
        return [
            Segment(
                to_visible(text),
                style.update_link(None) if style is not None and style.link else style,
                control,
            )
            for text, style, control in segments
        ]


class AsciiFilter(LineFilter):
    """Names and log lines come in any alphabet."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Replace what the terminal cannot show."""
        return [
            segment
            if segment.text.isascii()
            else Segment(to_ascii(segment.text), segment.style, segment.control)
            for segment in segments
        ]
