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
    name: str
    """The class, in `screen.py` of its folder."""

    def make(self) -> Screen[Any]:
        """A new one."""
        module = importlib.import_module(f"{__package__}.{self.mode}.screen")
        screen: Screen[Any] = getattr(module, self.name)()
        return screen


SCREENS = (
    ScreenEntry(
        "1",
        "services",
        "Services",
        "Virtual services and real servers, and what to do to them.",
        "ServicesScreen",
    ),
    ScreenEntry(
        "2",
        "failover",
        "Failover",
        "VRRP instances of this host, and whom it hears.",
        "FailoverScreen",
    ),
    ScreenEntry(
        "4",
        "config",
        "Config",
        "keepalived.conf: outline, text, findings; is it what runs?",
        "ConfigScreen",
    ),
    ScreenEntry(
        "5",
        "realservers",
        "Real servers",
        "What each real server has over SSH; push, verify, undo.",
        "RealServersScreen",
    ),
    ScreenEntry(
        "7", "events", "Events", "Everything that happened: filter, pause, export.", "EventsScreen"
    ),
)
"""In the order of their tabs."""
