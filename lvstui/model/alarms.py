"""Warnings whose begin and end are events: what stood for a while must not be gone without a
trace."""

from __future__ import annotations

from collections.abc import Sequence

from lvstui.model.picture import Event, Severity, Warning
from lvstui.model.say import duration

MOST = 1000
"""Alarms that are followed at a time."""


class Alarms:
    """Those that stand."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._standing: dict[str, tuple[float, str]] = {}
        """Since when, and what is said at their end."""

    def changed(self, warnings: Sequence[Warning], now: float) -> list[Event]:
        """The events of what began and what ended until epoch `now`."""
        found = []
        here = {warning.id: warning for warning in warnings if warning.ends}
        for id_, warning in here.items():
            if id_ not in self._standing and len(self._standing) < MOST:
                self._standing[id_] = now, warning.ends
                found.append(Event(now, self._host, warning.severity, warning.text, "vrrp"))
        for id_ in [id_ for id_ in self._standing if id_ not in here]:
            since, ends = self._standing.pop(id_)
            text = f"{ends} (after {duration(max(now - since, 0.0))})"
            found.append(Event(now, self._host, Severity.GOOD, text, "vrrp"))
        return found
