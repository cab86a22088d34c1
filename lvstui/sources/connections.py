"""Source `connections`: what becomes of clients' connections, sampled from the kernel's table.

Each look costs a small share of a tick however many connections there are; nothing is read while
there is no virtual service.
"""

from __future__ import annotations

from lvstui.kernel.connections import PATH, ConnectionFile
from lvstui.model.facts import Available, ConnectionsSeen
from lvstui.model.keys import ServiceKey
from lvstui.model.text import plain
from lvstui.sources.base import Context, Source

SHARE = 0.005
"""Most of a tick spent on reading and counting, one page aside."""
EVERY_S = 1.0


class ConnectionSamples(Source):
    """Pushes a slice of the table each tick."""

    name = "connections"

    def __init__(self, path: str = PATH) -> None:
        self._file = ConnectionFile(path)
        self._services = False
        self._gap = False

    def services(self, services: tuple[ServiceKey, ...]) -> None:
        self._services = bool(services)

    def run(self, context: Context) -> None:
        every = max(context.interval_s, EVERY_S)
        try:
            for _ in context.ticks(every):
                if self._services:
                    self._look(context, every * SHARE)
                else:
                    self._file.close()
        finally:
            self._file.close()

    def _look(self, context: Context, budget_s: float) -> None:
        try:
            seen = self._file.look(budget_s)
        except FileNotFoundError:
            return  # the table source says that there is no IPVS
        except OSError as error:
            if not self._gap:
                self._gap = True
                what = f"what becomes of connections: {plain(str(error))}"
                context.missing(self.name, what, "run lvstui as root: sudo lvstui")
            return
        if self._gap:
            self._gap = False
            context.emit(self.name, Available(self.name))
        context.emit(self.name, ConnectionsSeen(seen))
