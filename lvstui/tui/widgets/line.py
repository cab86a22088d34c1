"""One-line strips: what header, tabs and footer are made of."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.widget import Widget

from lvstui.tui.widgets.format import cut, width_of
from lvstui.tui.widgets.glyphs import Glyphs

Bit = tuple[str, str]
"""(text, style): text is never parsed, the style names theme variables."""


@dataclass(frozen=True, slots=True)
class LinePart:
    """A piece of a strip that may be shortened or left out."""

    bits: tuple[Bit, ...]
    rank: int = 0
    """Parts with the highest rank give way first; 0 never does."""
    short: tuple[Bit, ...] | None = None
    """What stands for it when room is scarce."""

    @property
    def width(self) -> int:
        """Cells in full."""
        return bits_width(self.bits)


def bits_width(bits: Iterable[Bit]) -> int:
    """Cells that these take."""
    return sum(width_of(text) for text, _ in bits)


def arrange(parts: Sequence[LinePart], width: int, gap: int = 3) -> list[tuple[Bit, ...]]:
    """As many of `parts` as `width` cells hold, in full, short, or not at all."""
    chosen: list[tuple[Bit, ...] | None] = [part.bits for part in parts]

    def used() -> int:
        shown = [bits for bits in chosen if bits]
        return sum(map(bits_width, shown)) + gap * max(len(shown) - 1, 0)

    # First shorten, least important first; then leave out.
    order = sorted(range(len(parts)), key=lambda i: -parts[i].rank)
    for i in order:
        if used() <= width:
            break
        if parts[i].short is not None:
            chosen[i] = parts[i].short
    for i in order:
        if used() <= width:
            break
        if parts[i].rank:
            chosen[i] = None
    return [bits for bits in chosen if bits]


def clipped(bits: Sequence[Bit], width: int, ellipsis: str = "…") -> list[Bit]:
    """`bits` in at most `width` cells."""
    found: list[Bit] = []
    room = width
    for text, style in bits:
        length = width_of(text)
        if length > room:
            found.append((cut(text, room, ellipsis=ellipsis), style))
            break
        found.append((text, style))
        room -= length
    return found


def prose(text: str, style: str, width: int, head: str = "", head_style: str = "") -> list[Bit]:
    """`head` and then the text, wrapped and hanging under its first word."""
    indent = width_of(head)
    lines = textwrap.wrap(text, max(width - indent, 20), break_on_hyphens=False) or [""]
    bits: list[Bit] = [(head, head_style or style), (lines[0] + "\n", style)]
    bits += [(" " * indent + line + "\n", style) for line in lines[1:]]
    return bits


class LineStrip(Widget):
    """A strip of one line (or a few) whose content is computed from its width."""

    DEFAULT_CSS = "LineStrip { height: 1; width: 1fr; }"
    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._last: tuple[Bit, ...] | None = None

    def bits(self, width: int) -> Sequence[Bit]:
        """What it shows in `width` cells."""
        raise NotImplementedError

    def look_again(self) -> None:
        """Repaint when what it shows has changed."""
        if self.size.width and tuple(self.bits(self.size.width)) != self._last:
            self.refresh()

    def render(self) -> Content:
        """Its content; nothing in it is ever parsed as markup."""
        bits = tuple(self.bits(self.size.width))
        self._last = bits
        return Content.assemble(*bits)


class CommandStrip(LineStrip):
    """A strip with pieces that stand for commands of its screen: a click runs one."""

    spans: Sequence[tuple[int, int, str]] = ()
    """The first cell of each, the one behind its last, and the command's id."""

    async def on_click(self, event: events.Click) -> None:
        for start, end, command in self.spans:
            if start <= event.x < end:
                await self.run_action(f"screen.command({command!r})")


class RuleStrip(LineStrip):
    """` EVENTS ─────────`: the heading of a part of the screen."""

    def __init__(self, title: str, glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._title = title
        self._glyphs = glyphs

    def bits(self, width: int) -> Sequence[Bit]:
        """The title, then a rule."""
        rule = self._glyphs.rule * max(width - width_of(self._title) - 3, 0)
        return [(f" {self._title} ", "bold $lv-dim"), (rule, "$lv-faint")]
