"""The outline of the configuration as a tree that is only made as far as it is opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType

from lvstui.session.outline import Item, NodeId, Outline
from lvstui.tui.widgets.format import fit, width_of
from lvstui.tui.widgets.glyphs import UNICODE, Glyphs
from lvstui.tui.widgets.lines import LineList, classes_of

_MOST_ROWS = 200_000


@dataclass(frozen=True, slots=True)
class _Row:
    item: Item
    depth: int


class ConfigTree(LineList[_Row], inherit_bindings=False):
    """Files, instances, services, real servers, checks."""

    PREFIX = "config-tree"
    COMPONENT_CLASSES: ClassVar[set[str]] = classes_of(
        "config-tree",
        "plain detail fold pointer cursor cursor-idle "
        "section file block instance service server checker entry",
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        *LineList.BINDINGS,
        Binding("h,left", "fold", "Fold, or up to what it is in", show=False, key_display="h ←"),
        Binding("l,right", "unfold", "Unfold, or into it", show=False, key_display="l →"),
        Binding("space", "turn", "Fold or unfold", show=False, key_display="Space"),
    ]

    def __init__(self, glyphs: Glyphs = UNICODE, *, id: str | None = None) -> None:
        super().__init__(glyphs, id=id)
        self._outline: Outline | None = None
        self._places: dict[NodeId, int] = {}
        self._opened: set[NodeId] = set()

    @property
    def item(self) -> Item | None:
        return self.here.item if self.here is not None else None

    def show(self, outline: Outline | None) -> None:
        """Show this one; what was open stays open, the cursor on its line."""
        here = self.item
        first = self._outline is None
        self._outline = outline
        if first and outline is not None:
            # A small site is seen whole at once; a big one section by section.
            self._opened = {("files",), ("instances",), ("services",)}
            if len(outline.configuration.services) <= _FEW_SERVICES:
                self._opened |= {("services", i) for i in range(_FEW_SERVICES)}
                self._opened |= {("instances", i) for i in range(_FEW_SERVICES)}
        self._build()
        if here is not None:
            self._at = next(
                (i for i, row in enumerate(self.rows) if row.item.id == here.id), self._at
            )
        self.fit_lines()
        self.put_cursor(self._at)

    def _build(self) -> None:
        rows: list[_Row] = []
        if self._outline is not None:
            waiting = [_Row(item, 0) for item in reversed(self._outline.roots())]
            while waiting and len(rows) < _MOST_ROWS:
                row = waiting.pop()
                rows.append(row)
                if row.item.opens and row.item.id in self._opened:
                    inside = self._outline.children(row.item.id)
                    waiting.extend(_Row(item, row.depth + 1) for item in reversed(inside))
        self.rows = rows
        self._places = {row.item.id: at for at, row in enumerate(rows)}

    def reveal(self, id: NodeId | None) -> None:
        """Put the cursor on that node, or on the folded one that it is in; without a message."""
        if id is None:
            return
        while id and id not in self._places:
            id = id[:-1]
        if id:
            self.put_cursor(self._places[id], middle=True)

    def open_to(self, id: NodeId) -> None:
        """Unfold what that node is in and put the cursor on it; without a message."""
        above = {id[:length] for length in range(1, len(id))}
        if not above <= self._opened:
            self._opened |= above
            self._build()
            self.fit_lines()
        self.reveal(id)

    def segments(self, at: int, over: int) -> list[Segment]:
        row = self.rows[at]
        item, glyphs = row.item, self.glyphs
        fold = " "
        if item.opens:
            fold = glyphs.opened if item.id in self._opened else glyphs.folded
        width = self.scrollable_content_region.width
        head = f"{'  ' * row.depth}"
        room = max(width - len(head) - 3 - width_of(fold) + 1, 4)
        label = item.label
        if item.kind == "file" and width_of(label) > room:
            # The end of a path says more than its beginning.
            label = glyphs.ellipsis + label[-(room - 1) :]
        bits = [
            Segment(glyphs.cursor if over else " ", self.style("pointer", over)),
            Segment(head, self.style("plain", over)),
            Segment(f"{fold} ", self.style("fold", over)),
            Segment(
                fit(label, min(room, width_of(label)), ellipsis=glyphs.ellipsis),
                self.style(item.kind, over),
            ),
        ]
        left = room - width_of(label) - 1
        if item.detail and left > 2:
            text = f" {fit(item.detail, left, ellipsis=glyphs.ellipsis)}"
            bits.append(Segment(text, self.style("detail", over)))
        return bits

    # Folding

    def _turn(self, id: NodeId, opened: bool) -> None:
        if opened:
            self._opened.add(id)
        else:
            self._opened.discard(id)
        self._build()
        self.fit_lines()
        self.refresh()

    def action_turn(self) -> None:
        item = self.item
        if item is not None and item.opens:
            self._turn(item.id, item.id not in self._opened)

    def action_unfold(self) -> None:
        """Unfold; when it is open already go into it."""
        item = self.item
        if item is None or not item.opens:
            return
        if item.id in self._opened:
            self.action_move(1)
        else:
            self._turn(item.id, True)

    def action_fold(self) -> None:
        """Fold; when there is nothing to fold go up."""
        item = self.item
        if item is None:
            return
        if item.opens and item.id in self._opened:
            self._turn(item.id, False)
            return
        depth = self.rows[self._at].depth
        above = next((i for i in range(self._at - 1, -1, -1) if self.rows[i].depth < depth), None)
        if above is not None:
            self.action_move(above - self._at)

    def clicked(self, at: int, x: int) -> None:
        """On the fold mark: fold or unfold."""
        row = self.rows[at]
        if row.item.opens and 1 + 2 * row.depth <= x <= 2 + 2 * row.depth:
            self._turn(row.item.id, row.item.id not in self._opened)


_FEW_SERVICES = 20
