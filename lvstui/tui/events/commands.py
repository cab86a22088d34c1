"""What can be done with events."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from lvstui.tui.command import Command, HarmlessCommand, grouped
from lvstui.tui.common import BACK, FILTER
from lvstui.tui.host import FilteredPage

if TYPE_CHECKING:
    from lvstui.tui.events.event_list import EventList


class EventsPage(FilteredPage, Protocol):
    """What the commands ask of the screen."""

    list: EventList

    def pause(self) -> None: ...
    def export(self) -> None: ...
    def go_there(self) -> None: ...
    def copy_event(self) -> None: ...


def _event(page: EventsPage) -> str:
    return "" if page.list.event_at is not None else "There is no event."


def _about_a_service(page: EventsPage) -> str:
    event = page.list.event_at
    if event is None:
        return "There is no event."
    return "" if event.service is not None else "This event is about no particular service."


EVENT_COMMANDS: tuple[Command[EventsPage], ...] = grouped(
    "Events",
    HarmlessCommand(
        id="event-open",
        keys="enter",
        label="go there",
        title="Go to its server",
        help="Go to the real server or service of the event under the cursor.",
        run=lambda page: page.go_there(),
        why_not=_about_a_service,
    ),
    replace(
        FILTER,
        id="event-filter",
        title="Filter events",
        help="Show only events that hold all the words you type: host, kind, severity, text, "
        "address. A leading ! hides what matches.",
    ),
    replace(BACK, id="event-clear", title="Clear the filter", help="Show all events again."),
    HarmlessCommand(
        id="event-pause",
        keys="p,space",
        label="pause",
        title="Pause",
        help="Hold the list still; new events are counted. Again: go on.",
        run=lambda page: page.pause(),
    ),
    Command(
        id="event-export",
        keys="x",
        label="export",
        title="Export to a file",
        help="Write the events that are shown to a new file in lvstui's state folder, one JSON "
        "object a line.",
        run=lambda page: page.export(),
        why_not=lambda page: "" if page.list.shown else "There is no event to write.",
        twin="lvstui status --json",
    ),
    HarmlessCommand(
        id="event-copy",
        keys="y",
        label="copy",
        title="Copy the event",
        help="Copy the event under the cursor to your terminal's clipboard.",
        run=lambda page: page.copy_event(),
        why_not=_event,
    ),
)
