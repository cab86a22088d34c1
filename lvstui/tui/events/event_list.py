"""Events, newest first: drawn line by line, only what is visible."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.binding import BindingType

from lvstui.model.picture import Event, Severity
from lvstui.model.say import clock_ms, moment
from lvstui.tui.widgets.format import cut, filter_words, fit, width_of
from lvstui.tui.widgets.glyphs import UNICODE, Glyphs
from lvstui.tui.widgets.lines import LineList, classes_of, moves


def event_matches(event: Event, pattern: str) -> bool:
    """Whether all words of `pattern` are in the event; `!` in front turns it round."""
    words, hide = filter_words(pattern)
    if not words:
        return True
    line = f"{event.host} {event.kind} {event.severity.value} {event.text}".lower()
    line += f" {event.service or ''} {event.server or ''}"
    return all(word in line for word in words) != hide


class EventList(LineList[Event], inherit_bindings=False):
    """`14:03:19.120  lb1  ▎ rs3 down: …`, newest at the top."""

    PREFIX = "event-list"
    COMPONENT_CLASSES: ClassVar[set[str]] = classes_of(
        "event-list", "plain time host text past cursor cursor-idle pointer", Severity
    )
    BINDINGS: ClassVar[list[BindingType]] = moves("To the newest", "To the oldest")

    def __init__(
        self, glyphs: Glyphs = UNICODE, *, cursor: bool = True, id: str | None = None
    ) -> None:
        super().__init__(glyphs, id=id)
        self.can_focus = cursor
        self._source: Sequence[Event] = ()
        self._pattern = ""
        self._now = 0.0
        self._hosts = 3

    def show_events(self, found: Sequence[Event], now: float, pattern: str = "") -> None:
        """Show these (oldest first, as the picture holds them)."""
        if found is self._source and pattern == self._pattern:
            return
        at = self.here
        self._source, self._pattern, self._now = found, pattern, now
        rows = [event for event in reversed(found) if event_matches(event, pattern)]
        same = len(rows) == len(self.rows) and all(
            a is b for a, b in zip(rows, self.rows, strict=True)
        )
        if same:
            return
        old_at = self._at
        self.rows = rows
        self._hosts = max((width_of(event.host) for event in rows), default=3)
        self.fit_lines()
        if at is not None and (old_at or self.scroll_offset.y):
            # Someone reads further down: keep that event where it is.
            self._at = next((i for i, event in enumerate(rows) if event is at), 0)
            moved = self._at - old_at
            if moved:
                self.scroll_to(y=self.scroll_offset.y + moved, animate=False, immediate=True)
        else:
            self._at = 0
        if self.here is not at and self.can_focus:
            self.post_message(self.Moved(self))
        self.refresh()

    def segments(self, at: int, over: int) -> list[Segment]:
        width = self.scrollable_content_region.width
        over = over and int(self.has_focus)
        event = self.rows[at]
        stamp = clock_ms(event.at)
        day = moment(event.at, self._now)
        if len(day) > len("00:00:00"):
            stamp = f"{day[5:10]} {stamp}"
        head = [
            (self.glyphs.cursor if over else " ", "pointer"),
            (stamp + "  ", "time"),
            (fit(event.host, min(self._hosts, 16)) + "  ", "past" if event.past else "host"),
            (self.glyphs.severity + " ", event.severity.value),
        ]
        room = width - sum(width_of(text) for text, _ in head)
        text = cut(event.text, room, ellipsis=self.glyphs.ellipsis)
        meaning = "past" if event.past else "text"
        pieces = [*head, (fit(text, room), meaning)]
        return [Segment(text, self.style(name, over)) for text, name in pieces]
