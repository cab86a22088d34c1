"""The table of services and real servers.

Drawn line by line (Textual's Line API) over an immutable ordered list: only what is visible is
ever painted, and a new picture repaints only the cells that changed. Cursor, marks and folding
are kept by identity, so they survive every refresh and re-ordering.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.picture import ServerView, ServiceView, State
from lvstui.tui.services.columns import COLUMN_SETS, GUTTER, ColumnSet, Layout
from lvstui.tui.services.painter import Painted, Painter, RowStyle, changed_spans
from lvstui.tui.services.rows import Row, RowId, RowList, ViewOptions, row_id
from lvstui.tui.widgets.glyphs import UNICODE, Glyphs
from lvstui.tui.widgets.lines import LineList, classes_of, moves

_Target = tuple[ServiceKey, ServerKey]


class ServerTable(LineList[Row], inherit_bindings=False):
    """Services that fold, with their real servers."""

    class CursorMoved(Message):
        """The cursor is on another row (or on none)."""

    class MarksChanged(Message):
        """Other servers are marked now."""

    class Reshaped(Message):
        """Order, filter or columns changed by a click."""

    class VisibleChanged(Message):
        """Other services are visible now."""

        def __init__(self, services: tuple[ServiceKey, ...]) -> None:
            super().__init__()
            self.services = services

        def can_replace(self, message: Message) -> bool:
            """Only the newest counts."""
            return isinstance(message, type(self))

    COMPONENT_CLASSES: ClassVar[set[str]] = classes_of(
        "server-table",
        "plain header header-sorted service address name fold pointer mark muted faint number "
        "weight differs spark spark-server spark-idle bar track share warn reason-down cursor "
        "cursor-idle marked",
        State,
    )

    PREFIX = "server-table"
    HEAD = 1
    BINDINGS: ClassVar[list[BindingType]] = [
        *moves(),
        Binding("J,shift+down", "service(1)", "Next service", show=False),
        Binding("K,shift+up", "service(-1)", "Previous service", show=False),
    ]

    def __init__(self, glyphs: Glyphs = UNICODE, *, id: str | None = None) -> None:
        super().__init__(glyphs, id=id)
        self.shape = ViewOptions()
        """Order and filter."""
        self.column_set: ColumnSet = COLUMN_SETS[0]
        self.folded: set[ServiceKey] = set()
        """Services whose servers are folded away."""
        self.marks: set[_Target] = set()
        """Real servers that the next operation acts on."""
        self._services: tuple[ServiceView, ...] = ()
        self._now = 0.0
        self._list = RowList()
        self._cursor: RowId | None = None
        self._layout: Layout | None = None
        self._painter = Painter(self._style_for)
        self._on_screen: dict[int, Painted] = {}
        self._visible: tuple[ServiceKey, ...] = ()
        self.painted_lines = 0
        """How often a line was asked for; tests watch it."""

    # What is shown

    def show_services(self, services: tuple[ServiceView, ...], now: float) -> None:
        """Show these services; repaint what is new and visible."""
        self._services, self._now = services, now
        if self.marks:
            there = {
                (view.key, server.key)
                for view in services
                if any(mark[0] == view.key for mark in self.marks)
                for server in view.servers
            }
            if self.marks - there:
                self.marks &= there
                self.post_message(self.MarksChanged())
        self._rebuild()

    def reshape(self, shape: ViewOptions) -> None:
        if shape != self.shape:
            self.shape = shape
            self.repaint()
            self._rebuild()

    def show_columns(self, chosen: ColumnSet) -> None:
        self.column_set = chosen
        self._layout = None
        self.repaint()

    def _rebuild(self) -> None:
        """Make the row list anew, keep the cursor on its row, repaint the difference."""
        rows = self._list
        before_at, known_width = self._at, rows.name_width
        rows.build(self._services, self.shape, self.folded)
        self.rows = rows.rows
        found = rows.index(self._cursor) if self._cursor is not None else None
        if found is None and self._cursor is not None:
            # Folded or filtered away: its service, else whatever stands in its place.
            found = rows.index((self._cursor[0], None))
        at = found if found is not None else min(before_at, max(len(rows) - 1, 0))
        if rows.name_width != known_width:
            self._layout = None
        self.fit_lines()
        scroll = self.scroll_offset.y
        if at != before_at and found is not None and scroll > 0:
            # Rows moved about the cursor: keep it at its place on the screen.
            self.scroll_to(y=max(scroll + at - before_at, 0), animate=False, immediate=True)
        self.set_cursor(at)
        self.redraw()
        self._report_visible()

    def redraw(self) -> None:
        """Ask for a repaint of exactly the cells that differ from what is on the screen."""
        layout = self._layout
        if layout is None or not self._on_screen:
            self.refresh()
            return
        regions: list[Region] = []
        top = self.scroll_offset.y
        rows = self._list.rows
        for y in range(1, self.size.height):
            at = top + y - 1
            before = self._on_screen.get(y)
            if at >= len(rows):
                if before is not None:
                    del self._on_screen[y]
                    regions.append(Region(0, y, layout.width, 1))
                continue
            after = self._paint(at, layout)
            if before is after:
                continue
            if before is None or row_id(before.view) != row_id(after.view):
                regions.append(Region(0, y, layout.width, 1))
            else:
                regions += [
                    Region(start, y, end - start, 1) for start, end in changed_spans(before, after)
                ]
            self._on_screen[y] = after
        if regions:
            self.refresh(*regions)

    def repaint(self) -> None:
        """Nothing that is on the screen is true any more."""
        self._on_screen.clear()
        self.refresh()

    # Painting

    def _style_for(self, meaning: str, looks: RowStyle) -> Style:
        return self.style(meaning, int(looks.cursor), looks.marked)

    def notify_style_update(self) -> None:
        """The theme changed: nothing painted so far is true any more."""
        self._painter.forget()
        self._on_screen.clear()
        super().notify_style_update()

    def _chosen_layout(self) -> Layout:
        width = self.scrollable_content_region.width
        if self._layout is None or self._layout.width != width:
            self._layout = Layout.choose(width, self._list.name_width, self.column_set, self.glyphs)
            self._painter.forget()
        return self._layout

    def _paint(self, at: int, layout: Layout) -> Painted:
        view = self._list.rows[at]
        looks = RowStyle(
            cursor=at == self._at,
            marked=isinstance(view, ServerView) and view.id in self.marks,
            folded=not self.shape.narrowed
            and isinstance(view, ServiceView)
            and view.key in self.folded,
            focused=self.has_focus,
        )
        return self._painter.paint(view, looks, layout, self._now)

    def render_line(self, y: int) -> Strip:
        """One line of the widget; line 0 is the header and does not scroll."""
        self.painted_lines += 1
        layout = self._chosen_layout()
        if y == 0:
            return self._painter.header(layout, self.shape.sort, self.shape.reverse)
        at = self.scroll_offset.y + y - 1
        if at >= len(self._list.rows):
            self._on_screen.pop(y, None)
            return Strip.blank(layout.width, self._style_for("plain", RowStyle()))
        painted = self._paint(at, layout)
        self._on_screen[y] = painted
        return painted.strip

    # Cursor

    @property
    def row(self) -> Row | None:
        return self.here

    @property
    def hidden(self) -> int:
        """Real servers that the filter hides."""
        return self._list.hidden

    def go_to(self, wanted: RowId) -> bool:
        """Put the cursor on that row, unfolding its service. False when it is not shown."""
        if wanted[1] is not None and wanted[0] in self.folded:
            self.folded.discard(wanted[0])
            self._rebuild()
        at = self._list.index(wanted)
        if at is None:
            return False
        self.put_cursor(at)
        return True

    def set_cursor(self, at: int) -> None:
        """Onto that row; tell when it is another one."""
        super().set_cursor(at)
        rows = self._list.rows
        now = row_id(rows[self._at]) if rows else None
        if now != self._cursor and (now is not None or not self._services):
            self._cursor = now
            self.post_message(self.CursorMoved())
        elif now is None and self._cursor is not None:
            # Nothing is shown for the moment (a filter): come back to the row afterwards.
            self.post_message(self.CursorMoved())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Scrolled: other services may be visible."""
        super().watch_scroll_y(old_value, new_value)
        self._report_visible()

    def _report_visible(self) -> None:
        top = self.scroll_offset.y
        seen: dict[ServiceKey, None] = {}
        for row in self._list.rows[top : top + max(self.size.height - 1, 0)]:
            seen[row.service if isinstance(row, ServerView) else row.key] = None
        visible = tuple(seen)
        if visible != self._visible:
            self._visible = visible
            self.post_message(self.VisibleChanged(visible))

    def action_move(self, by: int) -> None:
        """Another row; that it is another one is told by the cursor."""
        self.put_cursor(self._at + by)

    def action_page(self, pages: float) -> None:
        by = int(max(self.room - 1, 1) * pages) or (1 if pages > 0 else -1)
        self.scroll_to(y=self.scroll_offset.y + by, animate=False, immediate=True)
        self.put_cursor(self._at + by)

    def action_service(self, by: int) -> None:
        """Cursor to the next or previous service."""
        rows = self._list.rows
        at = self._at + by
        while 0 <= at < len(rows) and isinstance(rows[at], ServerView):
            at += by
        if 0 <= at < len(rows):
            self.put_cursor(at)

    # Folding and marks

    def fold(self, service: ServiceKey, folded: bool | None = None) -> None:
        """Fold a service away or open it; None turns it round."""
        fold = service not in self.folded if folded is None else folded
        if fold:
            self.folded.add(service)
        else:
            self.folded.discard(service)
        self._rebuild()
        self.scroll_to_cursor()

    def fold_all(self, folded: bool) -> None:
        self.folded = {view.key for view in self._services} if folded else set()
        self._rebuild()
        self.scroll_to_cursor()

    def mark(self, targets: Iterable[_Target], marked: bool) -> None:
        if marked:
            self.marks |= set(targets)
        else:
            self.marks -= set(targets)
        self.redraw()
        self.post_message(self.MarksChanged())

    # Mouse and focus

    def head_clicked(self, x: int) -> None:
        layout = self._chosen_layout()
        for column, start, width in zip(layout.columns, layout.starts, layout.widths, strict=True):
            if start <= x < start + width and column.sort is not None:
                same = self.shape.sort is column.sort
                reverse = same and not self.shape.reverse
                self.reshape(replace(self.shape, sort=column.sort, reverse=reverse))
                self.post_message(self.Reshaped())

    def clicked(self, at: int, x: int) -> None:
        """On the fold glyph: fold."""
        row = self._list.rows[at]
        if isinstance(row, ServiceView) and x < GUTTER + 2:
            self.fold(row.key)

    def on_resize(self) -> None:
        """Another width: other columns. The rest is the list's own handler, which comes next."""
        self.repaint()
        self._report_visible()
