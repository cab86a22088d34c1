"""What can be done with events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lvstui.tui.command import Command

if TYPE_CHECKING:
    from lvstui.tui.events.screen import EventsScreen


class FilterEvents(Command["EventsScreen"]):
    """Show only events that hold all the words you type: host, kind, severity, text, address.
    A leading ! hides what matches."""

    id = "event-filter"
    keys = "slash"
    label = "filter"
    title = "Filter events"
    group = "Events"
    changes = False

    def run(self, screen: EventsScreen) -> None:
        """Open the input."""
        screen.open_filter()


class ClearFilter(Command["EventsScreen"]):
    """Show all events again."""

    id = "event-clear"
    keys = "escape"
    title = "Clear the filter"
    group = "Events"
    changes = False

    def run(self, screen: EventsScreen) -> None:
        """Clear it."""
        screen.close_filter(clear=True)


class Pause(Command["EventsScreen"]):
    """Hold the list still; new events are counted. Again: go on."""

    id = "event-pause"
    keys = "p,space"
    label = "pause"
    title = "Pause"
    group = "Events"
    changes = False

    def run(self, screen: EventsScreen) -> None:
        """Turn it round."""
        screen.pause()


class Export(Command["EventsScreen"]):
    """Write the events that are shown to a new file in lvstui's state folder, one JSON object a
    line."""

    id = "event-export"
    keys = "x"
    label = "export"
    title = "Export to a file"
    group = "Events"

    def why_not(self, screen: EventsScreen) -> str:
        """Nothing to write."""
        return "" if screen.list.shown else "There is no event to write."

    def run(self, screen: EventsScreen) -> None:
        """In a thread."""
        screen.export()


class GoThere(Command["EventsScreen"]):
    """Go to the real server or service of the event under the cursor."""

    id = "event-open"
    keys = "enter"
    label = "go there"
    title = "Go to its server"
    group = "Events"
    changes = False

    def why_not(self, screen: EventsScreen) -> str:
        """Not every event is about a service."""
        event = screen.list.event_at
        if event is None:
            return "There is no event."
        return "" if event.service is not None else "This event is about no particular service."

    def run(self, screen: EventsScreen) -> None:
        """Switch screens."""
        screen.go_there()


class CopyEvent(Command["EventsScreen"]):
    """Copy the event under the cursor to your terminal's clipboard."""

    id = "event-copy"
    keys = "y"
    label = "copy"
    title = "Copy the event"
    group = "Events"
    changes = False

    def why_not(self, screen: EventsScreen) -> str:
        """Nothing to copy."""
        return "" if screen.list.event_at is not None else "There is no event."

    def run(self, screen: EventsScreen) -> None:
        """Through OSC 52."""
        screen.copy_event()


EVENT_COMMANDS: tuple[Command[Any], ...] = (
    GoThere(),
    FilterEvents(),
    ClearFilter(),
    Pause(),
    Export(),
    CopyEvent(),
)
