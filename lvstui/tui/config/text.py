"""The text of one configuration file, coloured by meaning, with what is said about its lines."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType

from lvstui.model.finding import Finding, FindingSeverity
from lvstui.session.document import FilePage
from lvstui.session.pieces import Meaning
from lvstui.tui.widgets.format import width_of
from lvstui.tui.widgets.glyphs import UNICODE, Glyphs
from lvstui.tui.widgets.lines import LineList, classes_of

_STEP = 8
"""Cells that one key scrolls sideways."""
_MARKS = {
    FindingSeverity.LETHAL: "bad",
    FindingSeverity.ERROR: "bad",
    FindingSeverity.WARNING: "warn",
    FindingSeverity.NOTE: "note",
}


class ConfigText(LineList[bytes], inherit_bindings=False):
    """One file; the cursor is a line."""

    PREFIX = "config-text"
    APART = frozenset(("match",))
    COMPONENT_CLASSES: ClassVar[set[str]] = classes_of(
        "config-text",
        "plain changed number-line number-here dead match bad warn note cursor cursor-idle",
        Meaning,
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        *LineList.BINDINGS,
        Binding("h,left", "across(-1)", "To the left", show=False, key_display="h ←"),
        Binding("l,right", "across(1)", "To the right", show=False, key_display="l →"),
        Binding(
            "0,circumflex_accent", "across(-1000)", "First column", show=False, key_display="0 ^"
        ),
    ]

    def __init__(self, glyphs: Glyphs = UNICODE, *, id: str | None = None) -> None:
        super().__init__(glyphs, id=id)
        self.page: FilePage | None = None
        """What is shown."""
        self.words = ""
        """What was searched for, brought out wherever it stands."""
        self._left = 0

    @property
    def line(self) -> int:
        """The line under the cursor, from 1."""
        return self._at + 1

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is said about the line under the cursor."""
        return self.page.findings.get(self.line, ()) if self.page is not None else ()

    def show(self, page: FilePage | None, line: int = 0) -> None:
        """Show this file; with the cursor on `line`, or where it is when that is 0."""
        other = page is None or self.page is None or page.path != self.page.path
        self.page, self.rows = page, page.lines if page is not None else ()
        if other:
            self._left = 0
            self._at = 0
        self.fit_lines()
        self.put_cursor(line - 1 if line else self._at, middle=True)

    def look_for(self, words: str) -> None:
        """Bring out `words` on every line."""
        self.words = words
        self.refresh()

    def segments(self, at: int, over: int) -> list[Segment]:
        page, number = self.page, at + 1
        assert page is not None
        said = page.findings.get(number, ())
        if said:
            meaning = _MARKS[said[0].severity]
            # One cell each, and different ones, in ASCII too.
            bad = self.glyphs.no if len(self.glyphs.no) == 1 else "X"
            glyph = {"bad": bad, "warn": self.glyphs.warn}.get(meaning, self.glyphs.info)
            mark = Segment(glyph[:1], self.style(meaning, over))
        elif number in page.changed:
            mark = Segment(self.glyphs.severity[:1], self.style("changed", over))
        else:
            cursor = self.glyphs.cursor if over else " "
            mark = Segment(cursor, self.style("number-here", over))
        wide = len(str(self.count))
        here = "number-here" if over else "changed" if number in page.changed else "number-line"
        numbers = self.style(here, over)
        bits = [mark, Segment(f"{number:>{wide}} ", numbers)]
        dead = not page.in_force(number)
        texts: list[tuple[str, str]] = [
            (
                piece.text,
                "dead" if dead and piece.meaning is not Meaning.SECRET else piece.meaning.value,
            )
            for piece in page.pieces(number)
        ]
        if self.words:
            texts = _brought_out(texts, self.words)
        left = self._left
        for text, meaning in texts:
            if left:
                gone = min(left, len(text))
                text, left = text[gone:], left - gone
            if text:
                bits.append(Segment(text, self.style(meaning, over)))
        return bits

    def longest(self) -> int:
        """Cells of the longest visible line."""
        if self.page is None:
            return 0
        first = self.scroll_offset.y
        last = min(first + self.size.height, self.count)
        return max((width_of(self.page.shown(n + 1)) for n in range(first, last)), default=0)

    def action_across(self, by: int) -> None:
        """Sideways, as far as there is text."""
        most = max(self.longest() - self.size.width // 2, 0)
        self._left = min(max(self._left + by * _STEP, 0), max(most, 0))
        self.refresh()


def _brought_out(texts: list[tuple[str, str]], words: str) -> list[tuple[str, str]]:
    """The pieces, with every place that holds `words` a piece of its own."""
    whole = "".join(text for text, _ in texts)
    low, wanted = whole.casefold(), words.casefold()
    if len(low) != len(whole):
        return texts
    found: list[tuple[int, int]] = []
    at = low.find(wanted)
    while at >= 0:
        found.append((at, at + len(wanted)))
        at = low.find(wanted, at + len(wanted))
    if not found:
        return texts
    result: list[tuple[str, str]] = []
    start = 0
    for text, meaning in texts:
        cuts = {0, len(text)}
        for first, last in found:
            cuts |= {min(max(edge - start, 0), len(text)) for edge in (first, last)}
        edges = sorted(cuts)
        for one, other in pairwise(edges):
            inside = any(first <= start + one and start + other <= last for first, last in found)
            result.append((text[one:other], "match" if inside else meaning))
        start += len(text)
    return result
