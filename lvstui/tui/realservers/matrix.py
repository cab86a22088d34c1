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
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from lvstui.model.realserver import Check, Verdict
from lvstui.realserver.checks import TITLES
from lvstui.tui.realservers.matrix_layout import MatrixLine, Places, place
from lvstui.tui.widgets.format import fit, width_of
from lvstui.tui.widgets.glyphs import UNICODE, Glyphs

_MEANINGS = (
    "plain",
    "header",
    "header-here",
    "host",
    "address",
    "muted",
    "box",
    "pointer",
    "stage",
    "drift",
    "cursor",
    "cursor-idle",
    "cell",
    "cell-idle",
    "marked",
    *(v.value for v in Verdict),
)


class Matrix(ScrollView, can_focus=True):
    """Hosts down, checks across; the cursor is a cell."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"matrix--{name}" for name in _MEANINGS}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", show=False, key_display="j ↓"),
        Binding("k,up", "move(-1)", "Up", show=False, key_display="k ↑"),
        Binding("h,left", "across(-1)", "Check to the left", show=False, key_display="h ←"),
        Binding("l,right", "across(1)", "Check to the right", show=False, key_display="l →"),
        Binding("0,circumflex_accent", "across(-99)", "First check", show=False, key_display="0 ^"),
        Binding("dollar_sign", "across(99)", "Last check", show=False, key_display="$"),
        Binding("g,home", "move(-1000000)", "To the top", show=False, key_display="g Home"),
        Binding("G,end", "move(1000000)", "To the bottom", show=False, key_display="G End"),
        Binding("ctrl+d", "page(0.5)", "Half a page down", show=False),
        Binding("ctrl+u", "page(-0.5)", "Half a page up", show=False),
        Binding("pagedown,ctrl+f", "page(1)", "A page down", show=False),
        Binding("pageup,ctrl+b", "page(-1)", "A page up", show=False),
    ]

    class Moved(Message):
        """Another cell is under the cursor."""

    class Marked(Message):
        """Other hosts are marked."""

    class Opened(Message):
        """A cell was opened: double click."""

    class Headed(Message):
        """A heading was clicked: what does it ask?"""

        def __init__(self, check: str) -> None:
            super().__init__()
            self.check = check

    def __init__(self, glyphs: Glyphs = UNICODE, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.glyphs = glyphs
        self.marks: set[str] = set()
        """Addresses of the marked hosts."""
        self._lines: tuple[MatrixLine, ...] = ()
        self._at = 0
        self._column = 0
        self._left = 0
        """First check column that is shown."""
        self._places: Places | None = None
        self._styles_of: dict[tuple[str, int, bool], Style] = {}

    # What is shown

    def show_lines(self, lines: Sequence[MatrixLine]) -> None:
        """Show these; the cursor stays on its host."""
        new = tuple(lines)
        if new == self._lines:
            return
        here = self.line
        self._lines, self._places = new, None
        if here is not None:
            at = next((i for i, line in enumerate(new) if line.id == here.id), self._at)
            self._at = at
        self._at = min(self._at, max(len(new) - 1, 0))
        gone = self.marks - {line.address for line in new}
        if gone and here is None:
            self.marks -= gone
        self._resize()
        if self.line is None or here is None or self.line.id != here.id:
            self.post_message(self.Moved())
        self._follow()
        self.refresh()

    @property
    def lines(self) -> Sequence[MatrixLine]:
        """Every line that is shown."""
        return self._lines

    @property
    def line(self) -> MatrixLine | None:
        """The line under the cursor."""
        return self._lines[self._at] if self._at < len(self._lines) else None

    @property
    def check_id(self) -> str:
        """The check under the cursor."""
        return tuple(TITLES)[self._column]

    @property
    def check(self) -> Check | None:
        """The verdict under the cursor; None when there is none yet."""
        line = self.line
        return line.checks[self._column] if line is not None and line.checks else None

    def mark(self, addresses: set[str], marked: bool) -> None:
        """Mark or unmark hosts."""
        self.marks = self.marks | addresses if marked else self.marks - addresses
        self.post_message(self.Marked())
        self.refresh()

    def go_to(self, address: str, check: str = "") -> bool:
        """Put the cursor on a host, and on one of its checks; False when it is not shown."""
        at = next((i for i, line in enumerate(self._lines) if line.address == address), None)
        if at is None:
            return False
        if check:
            self._column = tuple(TITLES).index(check)
        self.action_move(at - self._at)
        return True

    # Painting

    def _style(self, meaning: str, over: int = 0, marked: bool = False) -> Style:
        """`over`: 1 on the cursor's line, 2 in its cell."""
        key = (meaning, over, marked)
        style = self._styles_of.get(key)
        if style is None:
            style = self.get_component_rich_style(f"matrix--{meaning}")
            if marked:
                style += self.get_component_rich_style("matrix--marked", partial=True)
            if over:
                word = ("cursor" if over == 1 else "cell") + ("" if self.has_focus else "-idle")
                top = self.get_component_rich_style(f"matrix--{word}", partial=True)
                if top.reverse:
                    style = self.get_component_rich_style("matrix--plain")
                style += top
            self._styles_of[key] = style
        return style

    def notify_style_update(self) -> None:
        """The theme changed."""
        self._styles_of.clear()
        super().notify_style_update()

    def _chosen_places(self) -> Places:
        width = self.scrollable_content_region.width
        if self._places is None or self._places.width != width:
            self._places = place(width, self._lines, self.glyphs)
        return self._places

    def render_line(self, y: int) -> Strip:
        """Line 0 is the header and does not scroll."""
        places = self._chosen_places()
        if y == 0:
            return self._header(places)
        at = self.scroll_offset.y + y - 1
        if at >= len(self._lines):
            return Strip.blank(places.width, self._style("plain"))
        return self._row(at, places)

    def _header(self, places: Places) -> Strip:
        dim = self._style("header")
        bits = [Segment(fit("      HOST", places.head), dim)]
        if places.vip:
            bits[0] = Segment(fit("      HOST", places.head - places.vip), dim)
            bits.append(Segment(fit("VIP", places.vip), dim))
        used = places.head
        for column, _, width in places.shown(self._left):
            here = column == self._column and bool(self._lines)
            bits.append(
                Segment(
                    fit(places.titles[column], width - places.gap, ellipsis=""),
                    self._style("header-here" if here else "header"),
                )
            )
            bits.append(Segment(" " * places.gap, dim))
            used += width
        if places.hidden(self._left) and places.width - used >= 2:
            bits.append(Segment(self.glyphs.arrow[-1:], dim))
        return self._whole(bits, places.width, dim)

    def _row(self, at: int, places: Places) -> Strip:
        line, glyphs = self._lines[at], self.glyphs
        over = int(at == self._at)
        marked = line.address in self.marks

        def style(meaning: str, level: int = over) -> Style:
            return self._style(meaning, level, marked)

        box = (places.box_on if marked else places.box_off) if line.first else " "
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
            return self._whole(bits, places.width, style("plain"))
        for column, _, width in places.shown(self._left):
            check = line.checks[column]
            verdict = check.verdict if check is not None else Verdict.UNKNOWN
            text = fit(places.cell(check), width - places.gap, ellipsis=glyphs.ellipsis)
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
        return self._whole(bits, places.width, style("plain"))

    @staticmethod
    def _whole(bits: list[Segment], width: int, plain: Style) -> Strip:
        strip = Strip(bits)
        return strip.adjust_cell_length(width, plain)

    # Moving

    def _resize(self) -> None:
        size = Size(self.scrollable_content_region.width, len(self._lines) + 1)
        if self.virtual_size != size:
            self.virtual_size = size

    def _follow(self) -> None:
        """Keep the cursor's cell on the screen."""
        page, top = max(self.size.height - 1, 1), self.scroll_offset.y
        if self._at < top:
            self.scroll_to(y=self._at, animate=False, immediate=True)
        elif self._at >= top + page:
            self.scroll_to(y=self._at - page + 1, animate=False, immediate=True)
        places = self._chosen_places()
        self._left = places.follow(self._left, self._column)

    def action_move(self, by: int) -> None:
        """Another line."""
        self._at = min(max(self._at + by, 0), max(len(self._lines) - 1, 0))
        self._changed()

    def action_across(self, by: int) -> None:
        """Another check."""
        self._column = min(max(self._column + by, 0), len(TITLES) - 1)
        self._changed()

    def action_page(self, pages: float) -> None:
        """Lines by pages."""
        by = int(max(self.size.height - 2, 1) * pages)
        self.action_move(by or (1 if pages > 0 else -1))

    def _changed(self) -> None:
        self._follow()
        self.post_message(self.Moved())
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Select a cell; on the box mark; twice opens; on a heading say what it asks."""
        event.stop()
        places = self._chosen_places()
        column = next(
            (
                column
                for column, start, width in places.shown(self._left)
                if start <= event.x < start + width
            ),
            None,
        )
        if event.y == 0:
            if column is not None:
                self._column = column
                self._changed()
                self.post_message(self.Headed(self.check_id))
            return
        at = self.scroll_offset.y + event.y - 1
        if at >= len(self._lines):
            return
        if column is not None:
            self._column = column
        self._at = at
        self._changed()
        address = self._lines[at].address
        if event.chain == 2:
            self.post_message(self.Opened())
        elif event.x < 4 and self._lines[at].first:
            self.mark({address}, address not in self.marks)

    def on_focus(self) -> None:
        """The cursor is bright while keys come here."""
        self._styles_of.clear()
        self.refresh()

    def on_blur(self) -> None:
        """And dim while they go elsewhere."""
        self._styles_of.clear()
        self.refresh()

    def on_resize(self) -> None:
        """Another width."""
        self._places = None
        self._resize()
        self._follow()
        self.refresh()
