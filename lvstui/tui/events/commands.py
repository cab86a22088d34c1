"""What can be done with events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from lvstui.model.say import clock_ms
from lvstui.tui.command import Command, HarmlessCommand, Names, grouped, needs
from lvstui.tui.common import BACK, FILTER
from lvstui.tui.host import FilteredPage

if TYPE_CHECKING:
    from lvstui.tui.events.event_list import EventList


class EventsPage(FilteredPage, Protocol):
    """What the commands ask of the screen."""

    list: EventList

    def pause(self) -> None: ...
    def export(self) -> None: ...


_event: Callable[[EventsPage], str] = needs(lambda page: page.list.here, "There is no event.")


def _about_a_service(page: EventsPage) -> str:
    event = page.list.here
    if event is None or event.service is not None:
        return _event(page)
    return "This event is about no particular service."


def _go_there(page: EventsPage) -> None:
    event = page.list.here
    if event is not None and event.service is not None:
        page.run_worker(page.console.show_server(event.service, event.server))


def _copy(page: EventsPage) -> None:
    event = page.list.here
    if event is not None:
        page.copy(f"{clock_ms(event.at)} {event.host} {event.text}")


EVENT_COMMANDS: tuple[Command[EventsPage], ...] = grouped(
    "Events",
    HarmlessCommand(
        Names("event-open", "enter", "Go to its server", "go there"),
        "Go to the real server or service of the event under the cursor.",
        _go_there,
        _about_a_service,
    ),
    replace(
        FILTER,
        names=Names("event-filter", "slash", "Filter events", "filter"),
        help="Show only events that hold all the words you type: host, kind, severity, text, "
        "address. A leading ! hides what matches.",
    ),
    replace(
        BACK,
        names=Names("event-clear", "escape", "Clear the filter"),
        help="Show all events again.",
    ),
    HarmlessCommand(
        Names("event-pause", "p,space", "Pause", "pause"),
        "Hold the list still; new events are counted. Again: go on.",
        lambda page: page.pause(),
    ),
    Command(
        Names("event-export", "x", "Export to a file", "export"),
        "Write the events that are shown to a new file in lvstui's state folder, one JSON "
        "object a line.",
        lambda page: page.export(),
        needs(lambda page: page.list.rows, "There is no event to write."),
        "lvstui status --json",
    ),
    HarmlessCommand(
        Names("event-copy", "y", "Copy the event", "copy"),
        "Copy the event under the cursor to your terminal's clipboard.",
        _copy,
        _event,
    ),
)
