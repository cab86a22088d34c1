"""Peers for comparison: an empty Textual app, and a DataTable over the same table.

`peers.py empty` and `peers.py datatable PATH`; the DataTable is used as well as it allows (fixed
widths, only changed cells updated, no markup).
"""

from __future__ import annotations

import sys

from rich.text import Text
from textual.app import App, ComposeResult
from textual.coordinate import Coordinate
from textual.widgets import DataTable, Static

from lvstui.kernel.table import TableReader, read_text
from lvstui.model.ipvs import KernelTable

COLUMNS = ("server", "state", "file", "ka", "kernel", "active", "inactive", "share")


class Empty(App[None]):
    """Nothing but a line of text."""

    def compose(self) -> ComposeResult:
        yield Static("empty application")


class Table(App[None]):
    """All real servers in a DataTable, once a second."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self._reader = TableReader()
        self._shown: list[tuple[str, ...]] = []

    def compose(self) -> ComposeResult:
        yield DataTable(cursor_type="row")

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        for name in COLUMNS:
            table.add_column(name, width=18)
        self._shown = self._rows(self._reader.parse(read_text(self._path)))
        for row in self._shown:
            table.add_row(*(Text(cell) for cell in row))
        self.set_interval(1.0, self._tick)

    def _rows(self, seen: KernelTable) -> list[tuple[str, ...]]:
        return [
            (str(d.key), "up", "10", "10", str(d.weight), str(d.active), str(d.inactive), "10 %")
            for service in seen.services
            for d in service.destinations
        ]

    def _tick(self) -> None:
        table = self.query_one(DataTable)
        rows = self._rows(self._reader.parse(read_text(self._path)))
        for number, (old, new) in enumerate(zip(self._shown, rows, strict=True)):
            for column, (before, after) in enumerate(zip(old, new, strict=True)):
                if before != after:
                    table.update_cell_at(Coordinate(number, column), Text(after))
        self._shown = rows


if __name__ == "__main__":
    (Empty() if sys.argv[1] == "empty" else Table(sys.argv[2])).run()
