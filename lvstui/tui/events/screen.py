"""Everything that happened, newest first: filter, pause, export."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from lvstui.model.picture import Event, Picture
from lvstui.model.say import clock_ms, plural
from lvstui.session.jobs import save
from lvstui.tui.command import Command
from lvstui.tui.events.commands import EVENT_COMMANDS
from lvstui.tui.events.event_list import EventList
from lvstui.tui.filtered import FilteredScreen, hidden_field
from lvstui.tui.widgets.line import Bit


class EventsScreen(FilteredScreen):
    """All events."""

    MODE = "events"
    OWN: ClassVar[tuple[Command[Any], ...]] = EVENT_COMMANDS
    FOOTER = "event-open event-filter event-pause event-export event-copy"

    def body(self) -> ComposeResult:
        yield Static("", id="events-state", markup=False)
        yield EventList(self.console.glyphs, id="main")
        yield hidden_field()
        yield Static("", id="event-text", markup=False)

    def on_mount(self) -> None:
        self.list = self.query_one(EventList)
        self._pattern = ""
        self._held: Sequence[Event] | None = None

    def show_picture(self, picture: Picture) -> None:
        """Show what is new, unless paused."""
        super().show_picture(picture)
        events = picture.events if self._held is None else self._held
        self.list.show_events(events, self.console.settings.clock(), self._pattern)
        self._say_state(picture)

    def _say_state(self, picture: Picture) -> None:
        total = len(picture.events)
        bits: list[Bit] = [(" EVENTS ", "bold $lv-dim")]
        shown = len(self.list.rows)
        if not total:
            bits.append((" Nothing has happened since lvstui began to look.", "$lv-dim"))
        else:
            bits.append((f" {plural(shown, 'event')}, newest first", "$lv-dim"))
        if self._pattern:
            bits.append((f"   /{self._pattern}", "bold $lv-accent"))
            bits.append((f"  {total - shown} hidden", "$lv-dim"))
        if self._held is not None:
            last = self._held[-1] if self._held else None
            new = 0
            for event in reversed(picture.events):
                if event is last:
                    break
                new += 1
            bits.append((f"   paused, {new} new  (p goes on)", "bold $sev-warn"))
        self.query_one("#events-state", Static).update(Content.assemble(*bits))

    # What commands ask

    def filter_by(self, pattern: str) -> None:
        self._pattern = pattern
        self.show_picture(self.console.picture)

    def pause(self) -> None:
        """Hold still or go on."""
        self._held = self.console.picture.events if self._held is None else None
        self.show_picture(self.console.picture)

    def export(self) -> None:
        """What is shown to a new file in the state folder, in a thread."""
        shown = tuple(self.list.rows)
        self.run_worker(lambda: self._write(shown), thread=True, exit_on_error=False)

    def _write(self, shown: Sequence[Event]) -> None:
        folder, now = self.console.settings.state_folder, self.console.settings.clock()
        lines = (event_line(event) + "\n" for event in reversed(shown))
        text, bad = save(plural(len(shown), "event"), lines, folder, "events", now)
        self.app.call_from_thread(self.tell, text, bad=bad)

    @on(EventList.Moved)
    def _show_whole(self) -> None:
        """The event under the cursor in full: its line may have been too short for it."""
        event = self.list.here
        content = Content("")
        if event is not None:
            about = " ".join(str(key) for key in (event.server, event.service) if key)
            content = Content.assemble(
                (f"{clock_ms(event.at)}  ", "$lv-dim"),
                (f"{event.host}  ", "bold"),
                (f"{event.text}", "$lv-text"),
                (f"   {about}" if about else "", "$lv-dim"),
            )
        self.query_one("#event-text", Static).update(content)
        self.keys.look_again()

    @on(EventList.Opened)
    def _event_opened(self) -> None:
        self.action_command("event-open")


def event_line(event: Event) -> str:
    """One event as a JSON line."""
    fields: dict[str, object] = {
        "at": round(event.at, 6),
        "host": event.host,
        "severity": event.severity.value,
        "kind": event.kind,
        "text": event.text,
        "service": str(event.service) if event.service else None,
        "server": str(event.server) if event.server else None,
        "past": event.past,
    }
    return json.dumps(fields, ensure_ascii=False)
