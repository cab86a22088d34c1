"""The screens there are: a new one is its folder and a line here."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from textual.screen import Screen


@dataclass(frozen=True)
class ScreenEntry:
    """One tab. Its module is imported when it is opened: what stands behind some is no small
    thing."""

    key: str
    mode: str
    """Its name among the app's modes, and its folder."""
    title: str
    summary: str
    """What is there, in one sentence."""

    def make(self) -> Screen[Any]:
        """A new one of the class in `screen.py` of its folder, named as the tab is."""
        module = importlib.import_module(f"{__package__}.{self.mode}.screen")
        screen: Screen[Any] = getattr(module, f"{self.title.title().replace(' ', '')}Screen")()
        return screen


SCREENS = (
    ScreenEntry(
        "1", "services", "Services", "Virtual services and real servers, and what to do to them."
    ),
    ScreenEntry("2", "failover", "Failover", "VRRP instances of this host, and whom it hears."),
    ScreenEntry(
        "4", "config", "Config", "keepalived.conf: outline, text, findings; is it what runs?"
    ),
    ScreenEntry(
        "5",
        "realservers",
        "Real servers",
        "What each real server has over SSH; push, verify, undo.",
    ),
    ScreenEntry("7", "events", "Events", "Everything that happened: filter, pause, export."),
)
"""In the order of their tabs."""
