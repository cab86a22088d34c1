"""What the table of services tells its screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from lvstui.model.keys import ServiceKey
from lvstui.tui.services.rows import Row

if TYPE_CHECKING:
    from lvstui.tui.services.server_table import ServerTable


class CursorMoved(Message):
    """The cursor is on another row (or on none)."""

    def __init__(self, table: ServerTable, row: Row | None) -> None:
        super().__init__()
        self.table = table
        self.row = row

    @property
    def control(self) -> ServerTable:
        """The table."""
        return self.table


class Opened(CursorMoved):
    """The row was opened: double click."""


class MarksChanged(CursorMoved):
    """Other servers are marked now."""


class VisibleChanged(Message):
    """Other services are visible now."""

    def __init__(self, services: tuple[ServiceKey, ...]) -> None:
        super().__init__()
        self.services = services

    def can_replace(self, message: Message) -> bool:
        """Only the newest counts."""
        return isinstance(message, VisibleChanged)


class Reshaped(Message):
    """Order, filter or columns changed by a click."""
