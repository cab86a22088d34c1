"""Where the columns of the matrix of real servers stand. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lvstui.model.realserver import Check, Verdict
from lvstui.realserver.checks import TITLES
from lvstui.tui.widgets.format import width_of
from lvstui.tui.widgets.glyphs import Glyphs

SHORT = {
    "reachable": "SSH",
    "vip": "VIP",
    "prefix": "/32",
    "arp_ignore": "ign",
    "arp_announce": "ann",
    "persistent": "boot",
    "listens": "port",
    "rp_filter": "rpf",
    "l2": "L2",
    "arp_silent": "ARP",
    "path": "path",
}
"""Headings for narrow terminals."""
MARKS = {
    Verdict.GOOD: ("✓", "ok"),
    Verdict.WARN: ("!", "!"),
    Verdict.BAD: ("✖", "x"),
    Verdict.UNKNOWN: ("?", "?"),
    Verdict.NONE: ("–", "-"),
}
"""A verdict in one sign: on a Unicode terminal, and in ASCII."""
_GUTTER = 6
"""Pointer, box and sign of drift."""
_MOST_TEXT, _MOST_TEXT_NARROW = 13, 8
_MOST_NAME = 18
_WIDE, _VIP_FROM = 100, 130
_NOTE, _MOST_NOTE = 12, 26


LineId = tuple[str, str]
"""(address of the host, VIP)."""


@dataclass(frozen=True, slots=True)
class MatrixLine:
    """One host and VIP as the matrix shows them."""

    address: str
    name: str
    vip: str
    checks: tuple[Check | None, ...] = ()
    """In the order of the columns; empty: not looked at."""
    first: bool = True
    """The host's first line: it bears the name."""
    drift: bool = False
    """Something is worse than at the look before."""
    stage: str = ""
    """What is under way there, in a word or three."""
    note: str = ""
    """When nothing is under way: how old this is."""

    @property
    def id(self) -> LineId:
        """What the cursor holds on to."""
        return self.address, self.vip

    @property
    def label(self) -> str:
        return self.name or self.address


def mark(verdict: Verdict, glyphs: Glyphs) -> str:
    """The sign for a verdict on this terminal."""
    return MARKS[verdict][0 if glyphs.braille else 1]


@dataclass(frozen=True, slots=True)
class Places:
    """The columns at one width."""

    width: int
    name: int
    address: int
    """Cells of the address; 0: not shown."""
    vip: int
    head: int
    """Cells before the first check."""
    widths: tuple[int, ...]
    """Of the checks, with the gap after each."""
    gap: int
    titles: tuple[str, ...]
    note: int
    """Cells of the last column (stage, age); 0: not shown."""

    def shown(self, left: int) -> Iterator[tuple[int, int, int]]:
        """(column, start, width) of the checks from column `left` that fit."""
        at = self.head
        for column in range(left, len(self.widths)):
            width = self.widths[column]
            if at + width - self.gap > self.width - self.note and column > left:
                return
            yield column, at, width
            at += width

    def hidden(self, left: int) -> bool:
        """Some columns are to the right of what is shown."""
        last = max((column for column, _, _ in self.shown(left)), default=0)
        return last < len(self.widths) - 1

    def follow(self, left: int, column: int) -> int:
        """The first column to show so that `column` is among them, and none is wasted."""
        left = min(left, column)
        while column not in [shown for shown, _, _ in self.shown(left)] and left < column:
            left += 1
        while left and not self.hidden(left - 1):
            left -= 1
        return left


def cell_text(check: Check | None, glyphs: Glyphs) -> str:
    """The sign of a check and the word or two behind it."""
    if check is None:
        return mark(Verdict.UNKNOWN, glyphs)
    sign = mark(check.verdict, glyphs)
    # Some verdicts have the sign itself as their text.
    text = "" if check.text in MARKS[check.verdict] else check.text
    return f"{sign} {text}".rstrip()


def place(width: int, lines: Sequence[MatrixLine], glyphs: Glyphs) -> Places:
    """Columns for these lines in `width` cells."""
    name = min(max((width_of(line.label) for line in lines), default=4), _MOST_NAME)
    name = max(name, 4)
    named = any(line.name for line in lines)
    widest = max((width_of(line.address) for line in lines), default=0)
    address = widest + 2 if named and width >= _WIDE else 0
    vips = {line.vip for line in lines}
    vip = 0
    if len(vips) > 1 or width >= _VIP_FROM:
        vip = max((width_of(v) for v in vips), default=3) + 2
    head = _GUTTER + name + 1 + address + vip + (1 if width >= _WIDE else 0)
    room = width - head

    def widths(titles: Sequence[str], most: int, gap: int) -> tuple[int, ...]:
        found = []
        for column, title in enumerate(titles):
            cells = [cell_text(line.checks[column], glyphs) for line in lines if line.checks]
            longest = min(max(map(width_of, cells), default=1), most)
            found.append(max(width_of(title), longest) + gap)
        return tuple(found)

    titles = tuple(TITLES.values())
    gap, found = 2, widths(titles, _MOST_TEXT, 2)
    fits = sum(found) <= room
    if not fits:
        titles = tuple(SHORT[id_] for id_ in TITLES)
        for gap in (2, 1):
            found = widths(titles, _MOST_TEXT_NARROW, gap)
            if sum(found) <= room:
                break
    spare = room - sum(found)
    note = min(_MOST_NOTE, spare) if spare >= _NOTE else 0
    if fits:
        more = min((spare - note) // len(titles), 2)
        gap, found = gap + more, tuple(wide + more for wide in found)
    return Places(width, name, address, vip, head, found, gap, titles, note)
