"""From a row to the strip that stands for it on the screen, kept as long as it is true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from lvstui.model.picture import ServerView, ServiceView, State
from lvstui.model.say import duration
from lvstui.tui.services.cells import Cell, Paint
from lvstui.tui.services.columns import GAP, Layout
from lvstui.tui.services.rows import BIGGEST_FIRST, Row, RowId, Sort, row_id
from lvstui.tui.widgets.format import cut, fit, width_of

_KEPT_STRIPS = 4096
_FILE_WEIGHT = 5
"""Cells of the weight in the file, with the gap after it."""


@dataclass(frozen=True, slots=True)
class RowStyle:
    """What of a row's look does not come from the row: a part of what makes a strip stale."""

    cursor: bool = False
    marked: bool = False
    folded: bool = False
    focused: bool = True


@dataclass(frozen=True, slots=True)
class Painted:
    """One row as it stands on the screen."""

    view: Row
    looks: RowStyle
    ages: str
    """Texts in it that depend on the clock alone."""
    layout: Layout
    cells: tuple[tuple[int, int, Cell], ...]
    """(start, width, pieces) of each cell: what a difference is told by."""
    strip: Strip


class Painter:
    """Paints rows for one table; `style` looks a meaning up for a look."""

    def __init__(self, style: Callable[[str, RowStyle], Style]) -> None:
        self._style = style
        self._kept: dict[RowId, Painted] = {}

    def forget(self) -> None:
        """Drop every strip (the theme or the width changed)."""
        self._kept.clear()

    def last(self, wanted: RowId) -> Painted | None:
        """What was painted for that row last."""
        return self._kept.get(wanted)

    def paint(self, view: Row, looks: RowStyle, layout: Layout, now: float) -> Painted:
        """The row as it should stand on the screen now."""
        wanted = row_id(view)
        known = self._kept.get(wanted)
        ages = _ages(view, now)
        if (
            known is not None
            and known.view is view
            and known.layout is layout
            and known.ages == ages
            and known.looks == looks
        ):
            return known
        cells = _cells(view, looks, layout, now)
        if known is not None and known.looks == looks and known.cells == cells:
            strip = known.strip
        else:
            strip = self._strip(cells, looks, layout)
        painted = Painted(view, looks, ages, layout, cells, strip)
        if len(self._kept) > _KEPT_STRIPS:
            self._kept.clear()
        self._kept[wanted] = painted
        return painted

    def _strip(
        self, cells: tuple[tuple[int, int, Cell], ...], looks: RowStyle, layout: Layout
    ) -> Strip:
        style, glyphs = self._style, layout.glyphs
        blank = style("plain", looks)
        segments = [
            Segment(glyphs.cursor if looks.cursor else " ", style("pointer", looks)),
            Segment(glyphs.mark if looks.marked else " ", style("mark", looks)),
        ]
        at = 2
        for start, width, pieces in cells:
            cell = [Segment(" " * (start - at), blank)] if start > at else []
            cell += [Segment(text, style(meaning, looks)) for text, meaning in pieces]
            # Fewer escape sequences on the wire; not across columns, so that a picture of the
            # screen in another font stays aligned.
            segments += Segment.simplify(cell)
            at = start + width
        if layout.width > at:
            segments.append(Segment(" " * (layout.width - at), blank))
        return Strip(segments, max(layout.width, at))

    def header(self, layout: Layout, sort: Sort, reverse: bool) -> Strip:
        """The line of titles; the column that orders the table carries an arrow."""
        looks = RowStyle()
        segments: list[Segment] = []
        down = reverse != (sort in BIGGEST_FIRST)
        arrow = layout.glyphs.descending if down else layout.glyphs.ascending
        plain = self._style("header", looks)
        at = 0
        for column, start, width in zip(layout.columns, layout.starts, layout.widths, strict=True):
            title, meaning = column.title, "header"
            if column.sort is not None and column.sort is sort:
                title = arrow + title if column.right else f"{title} {arrow}"
                meaning = "header-sorted"
                if width_of(title) > width:
                    # The arrow takes a cell of the gap where the title leaves no room.
                    start, width = start - 1, width + 1
            segments.append(Segment(" " * (start - at), plain))
            text = fit(title, width, right=column.right, ellipsis="")
            segments.append(Segment(text, self._style(meaning, looks)))
            at = start + width
        segments.append(Segment(" " * max(layout.width - at, 0), plain))
        return Strip(segments, max(at, layout.width))


def _ages(view: Row, now: float) -> str:
    if isinstance(view, ServerView) and view.since is not None and view.state is not State.UP:
        return duration(now - view.since)
    return ""


def _cells(
    view: Row, looks: RowStyle, layout: Layout, now: float
) -> tuple[tuple[int, int, Cell], ...]:
    """Every cell of a row, padded to its width."""
    found: list[tuple[int, int, Cell]] = []
    over = _reason_over_numbers(view, layout)
    for column, start, width in zip(layout.columns, layout.starts, layout.widths, strict=True):
        if over is not None and start + width > over:
            # What is left of the column it starts in: the weight in the file.
            kept = over - start - 1
            room = layout.starts[-1] + layout.widths[-1] - over
            text = view.reason if isinstance(view, ServerView) else ""
            if kept > 0:
                paint = Paint(layout.glyphs, now, looks.folded, width, layout.noted)
                cell = column.server(cast(ServerView, view), paint)
                found.append((start, kept, _padded(cell, kept, False, layout)))
            found.append((over, room, _padded(((text, _reason_style(view)),), room, False, layout)))
            break
        paint = Paint(layout.glyphs, now, looks.folded, width, layout.noted)
        if isinstance(view, ServiceView):
            cell = column.service(view, paint)
        else:
            cell = column.server(view, paint)
        found.append((start, width, _padded(cell, width, column.right, layout)))
    return tuple(found)


def _reason_style(view: Row) -> str:
    if isinstance(view, ServiceView) or view.state is State.DOWN:
        return "reason-down"
    return str(view.state.value)


def _reason_over_numbers(view: Row, layout: Layout) -> int | None:
    """Where the reason of a server that is down or not there starts, over the numbers.

    A server that is not in the kernel has no numbers: its reason takes their place, in every such
    row from the same cell on. Where there is no column for notes, that of one that is down takes
    the weights in keepalived and in the kernel as well: "in neither" is what down means.
    """
    if not isinstance(view, ServerView) or not view.reason or view.sorry:
        return None
    # One that keepalived has and the kernel has not shows its weights: that is the fault.
    down = view.state is State.DOWN and not view.differs
    if (view.in_kernel and (layout.noted or not down)) or layout.columns[-1].id == "said":
        return None
    for column, start in zip(layout.columns, layout.starts, strict=True):
        if column.id == "weights":
            if down and not view.in_kernel and not layout.noted:
                return start + _FILE_WEIGHT
        elif column.id not in ("name", "state"):
            return start
    return None


def _padded(cell: Cell, width: int, right: bool, layout: Layout) -> Cell:
    """The pieces of a cell in exactly `width` cells."""
    used = sum(width_of(text) for text, _ in cell)
    if used <= width:
        if used == width:
            return cell
        pad = (" " * (width - used), "plain")
        return (pad, *cell) if right else (*cell, pad)
    kept: list[tuple[str, str]] = []
    room = width
    for text, meaning in cell:
        length = width_of(text)
        if length >= room:
            short = cut(text, room, ellipsis=layout.glyphs.ellipsis)
            kept.append((fit(short, room), meaning))
            break
        kept.append((text, meaning))
        room -= length
    return tuple(kept)


def changed_spans(before: Painted, after: Painted) -> list[tuple[int, int]]:
    """(start, end) of what differs between two paintings of one line; [] when nothing does."""
    if before.strip is after.strip:
        return []
    if (
        before.layout is not after.layout
        or before.looks != after.looks
        or len(before.cells) != len(after.cells)
    ):
        return [(0, after.layout.width)]
    spans: list[tuple[int, int]] = []
    for old, new in zip(before.cells, after.cells, strict=True):
        if old == new:
            continue
        start, end = min(old[0], new[0]), max(old[0] + old[1], new[0] + new[1])
        if spans and start - spans[-1][1] <= GAP:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans
