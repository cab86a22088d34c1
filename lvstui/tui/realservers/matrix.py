"""The matrix of real servers: a line for each host and VIP, a column for each check.

Drawn line by line, only what is visible. The part with the host's name stays; columns that do not
fit scroll sideways with the cursor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from lvstui.model.realserver import Check, Verdict
from lvstui.realserver.checks import TITLES
from lvstui.tui.realservers.matrix_layout import MatrixLine, Places, cell_text, place
from lvstui.tui.widgets.format import fit, width_of
from lvstui.tui.widgets.glyphs import UNICODE, Glyphs
from lvstui.tui.widgets.lines import LineList, classes_of, moves


class Matrix(LineList[MatrixLine], inherit_bindings=False):
    """Hosts down, checks across; the cursor is a cell."""

    COMPONENT_CLASSES: ClassVar[set[str]] = classes_of(
        "matrix",
        "plain header header-here host address muted box pointer stage drift cursor cursor-idle "
        "cell cell-idle marked",
        Verdict,
    )

    PREFIX = "matrix"
    OVER = ("cursor", "cell")
    HEAD = 1
    BINDINGS: ClassVar[list[BindingType]] = [
        *moves()[:2],
        Binding("h,left", "across(-1)", "Check to the left", show=False, key_display="h ←"),
        Binding("l,right", "across(1)", "Check to the right", show=False, key_display="l →"),
        Binding("0,circumflex_accent", "across(-99)", "First check", show=False, key_display="0 ^"),
        Binding("dollar_sign", "across(99)", "Last check", show=False, key_display="$"),
        *moves()[2:],
    ]

    class Marked(Message):
        """Other hosts are marked."""

    class Headed(Message):
        """A heading was clicked: what does it ask?"""

        def __init__(self, check: str) -> None:
            super().__init__()
            self.check = check

    def __init__(self, glyphs: Glyphs = UNICODE, *, id: str | None = None) -> None:
        super().__init__(glyphs, id=id)
        self.marks: set[str] = set()
        """Addresses of the marked hosts."""
        self._column = 0
        self._left = 0
        """First check column that is shown."""
        self._places: Places | None = None

    # What is shown

    def show_lines(self, lines: Sequence[MatrixLine]) -> None:
        """Show these; the cursor stays on its host."""
        new = tuple(lines)
        if new == self.rows:
            return
        here = self.here
        self.rows, self._places = new, None
        if here is not None:
            at = next((i for i, line in enumerate(new) if line.id == here.id), self._at)
            self._at = at
        gone = self.marks - {line.address for line in new}
        if gone and here is None:
            self.marks -= gone
        self.fit_lines()
        if self.here is None or here is None or self.here.id != here.id:
            self.post_message(self.Moved(self))
        self.put_cursor(self._at)

    @property
    def check_id(self) -> str:
        """The check under the cursor."""
        return tuple(TITLES)[self._column]

    @property
    def check(self) -> Check | None:
        """The verdict under the cursor; None when there is none yet."""
        line = self.here
        return line.checks[self._column] if line is not None and line.checks else None

    def mark(self, addresses: set[str], marked: bool) -> None:
        self.marks = self.marks | addresses if marked else self.marks - addresses
        self.post_message(self.Marked())
        self.refresh()

    def go_to(self, address: str, check: str = "") -> bool:
        """Put the cursor on a host, and on one of its checks; False when it is not shown."""
        at = next((i for i, line in enumerate(self.rows) if line.address == address), None)
        if at is None:
            return False
        if check:
            self._column = tuple(TITLES).index(check)
        self.action_move(at - self._at)
        return True

    # Painting

    def _chosen_places(self) -> Places:
        width = self.scrollable_content_region.width
        if self._places is None or self._places.width != width:
            self._places = place(width, self.rows, self.glyphs)
        return self._places

    def head(self) -> Strip:
        """Titles of the columns that are shown."""
        places = self._chosen_places()
        dim = self.style("header")
        bits = [Segment(fit("      HOST", places.head), dim)]
        if places.vip:
            bits[0] = Segment(fit("      HOST", places.head - places.vip), dim)
            bits.append(Segment(fit("VIP", places.vip), dim))
        used = places.head
        for column, _, width in places.shown(self._left):
            here = column == self._column and bool(self.rows)
            bits.append(
                Segment(
                    fit(places.titles[column], width - places.gap, ellipsis=""),
                    self.style("header-here" if here else "header"),
                )
            )
            bits.append(Segment(" " * places.gap, dim))
            used += width
        if places.hidden(self._left) and places.width - used >= 2:
            bits.append(Segment(self.glyphs.arrow[-1:], dim))
        return Strip(bits).adjust_cell_length(places.width, dim)

    def is_marked(self, at: int) -> bool:
        return self.rows[at].address in self.marks

    def segments(self, at: int, over: int) -> list[Segment]:
        places, line, glyphs = self._chosen_places(), self.rows[at], self.glyphs
        marked = self.is_marked(at)

        def style(meaning: str, level: int = over) -> Style:
            return self.style(meaning, level, marked)

        boxes = "□■" if glyphs.braille else ".*"
        box = boxes[marked] if line.first else " "
        bits = [
            Segment(glyphs.cursor if over else " ", style("pointer")),
            Segment(f" {box} ", style("box" if marked else "muted")),
            Segment(fit(glyphs.differs if line.drift else "", 2), style("drift")),
            Segment(fit(line.label if line.first else "", places.name) + " ", style("host")),
        ]
        if places.address:
            shown = line.address if line.first and line.name else ""
            bits.append(Segment(fit(shown, places.address), style("address")))
        if places.vip:
            bits.append(Segment(fit(line.vip, places.vip), style("muted")))
        said = line.stage or ("" if line.checks else line.note)
        if not line.checks or (line.stage and not places.note):
            room = places.width - places.head
            meaning = "stage" if line.stage else "muted"
            bits.append(Segment(fit(said, room, ellipsis=glyphs.ellipsis), style(meaning)))
            return bits
        for column, _, width in places.shown(self._left):
            check = line.checks[column]
            verdict = check.verdict if check is not None else Verdict.UNKNOWN
            text = fit(cell_text(check, glyphs), width - places.gap, ellipsis=glyphs.ellipsis)
            here = 2 if over and column == self._column else over
            bits.append(Segment(text, style(verdict.value, here)))
            bits.append(Segment(" " * places.gap, style("plain")))
        if places.note:
            note = line.stage or line.note
            used = sum(width_of(bit.text) for bit in bits)
            bits.append(Segment(" " * (places.width - places.note - used), style("plain")))
            bits.append(
                Segment(
                    fit(note, places.note, ellipsis=glyphs.ellipsis),
                    style("stage" if line.stage else "muted"),
                )
            )
        return bits

    # Moving

    def scroll_to_cursor(self, *, middle: bool = False) -> None:
        """The column of the cursor is kept on the screen as well."""
        super().scroll_to_cursor(middle=middle)
        self._left = self._chosen_places().follow(self._left, self._column)

    def action_across(self, by: int) -> None:
        self._column = min(max(self._column + by, 0), len(TITLES) - 1)
        self.action_move(0)

    def on_click(self, event: events.Click) -> None:
        """The cell's column first; the rest is the list's own handler, which comes next."""
        column = self._column_at(event.x)
        if column is not None and event.y - self.HEAD < self.count - self.scroll_offset.y:
            self._column = column

    def _column_at(self, x: int) -> int | None:
        shown = self._chosen_places().shown(self._left)
        return next((column for column, start, wide in shown if start <= x < start + wide), None)

    def clicked(self, at: int, x: int) -> None:
        """On the box: mark."""
        address = self.rows[at].address
        if x < 4 and self.rows[at].first:
            self.mark({address}, address not in self.marks)

    def head_clicked(self, x: int) -> None:
        """Say what the column asks."""
        if self._column_at(x) is not None:
            self.action_move(0)
            self.post_message(self.Headed(self.check_id))

    def on_resize(self) -> None:
        """Another width; the rest is the list's own handler, which comes next."""
        self._places = None
