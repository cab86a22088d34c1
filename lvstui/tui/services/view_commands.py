"""How the services screen shows what it shows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lvstui.model.picture import ServerView
from lvstui.tui.command import Command
from lvstui.tui.services.columns import COLUMN_SETS

if TYPE_CHECKING:
    from lvstui.tui.services.screen import ServicesScreen


class Filter(Command["ServicesScreen"]):
    """Show only what holds all the words you type: address, name, state, reason. A leading !
    hides what matches. Enter keeps the filter, Esc clears it."""

    id = "filter"
    keys = "slash"
    label = "filter"
    title = "Filter"
    changes = False

    def run(self, screen: ServicesScreen) -> None:
        """Open the input."""
        screen.open_filter()


class Back(Command["ServicesScreen"]):
    """One step back: clear the filter, then faults-only, then the marks."""

    id = "back"
    keys = "escape"
    title = "Clear filter and marks"
    changes = False

    def run(self, screen: ServicesScreen) -> None:
        """Undo the narrowest of what is set."""
        screen.step_back()


class FaultsOnly(Command["ServicesScreen"]):
    """Only what is not plainly up; again: everything."""

    id = "faults"
    keys = "f"
    label = "faults"
    title = "Faults only"
    changes = False

    def run(self, screen: ServicesScreen) -> None:
        """Turn it round."""
        shape = screen.table.shape
        screen.reshape(replace(shape, faults=not shape.faults))


class SortBy(Command["ServicesScreen"]):
    """Order of services and of the servers in each; the same key again goes on, o turns it
    round."""

    id = "sort"
    keys = "s"
    label = "sort"
    title = "Sort …"
    changes = False

    def run(self, screen: ServicesScreen) -> None:
        """Open the choice."""
        screen.choose_sort()


class Reverse(Command["ServicesScreen"]):
    """Turn the order round."""

    id = "reverse"
    keys = "o"
    title = "Reverse the order"
    changes = False

    def run(self, screen: ServicesScreen) -> None:
        """Turn it."""
        shape = screen.table.shape
        screen.reshape(replace(shape, reverse=not shape.reverse))


class Columns(Command["ServicesScreen"]):
    """Next set of columns: load, health (each check's last words), traffic, settings."""

    id = "columns"
    keys = "c"
    title = "Next column set"
    changes = False

    def run(self, screen: ServicesScreen) -> None:
        """Go on."""
        at = COLUMN_SETS.index(screen.table.column_set)
        chosen = COLUMN_SETS[(at + 1) % len(COLUMN_SETS)]
        screen.table.show_columns(chosen)
        screen.show_target()
        screen.tell(f"Columns: {chosen.name}")


class _Folding(Command["ServicesScreen"]):
    changes = False

    def why_not(self, screen: ServicesScreen) -> str:
        """A filter shows what it found, folded or not."""
        if screen.table.shape.narrowed:
            return "Folding rests while a filter is on: Esc clears it."
        return "" if screen.table.row is not None else "There is nothing to fold."


class Fold(_Folding):
    """Fold the service under the cursor away."""

    id = "fold"
    keys = "h,left"
    title = "Fold the service"

    def run(self, screen: ServicesScreen) -> None:
        """Fold; from a server first go up to its service."""
        row = screen.table.row
        if isinstance(row, ServerView):
            screen.table.go_to((row.service, None))
        elif row is not None:
            screen.table.fold(row.key, True)


class Unfold(_Folding):
    """Show the servers of the service under the cursor."""

    id = "unfold"
    keys = "l,right"
    title = "Unfold the service"

    def run(self, screen: ServicesScreen) -> None:
        """Open; when open already go to the first server."""
        row = screen.table.row
        if row is None or isinstance(row, ServerView):
            return
        if row.key in screen.table.folded:
            screen.table.fold(row.key, False)
        elif row.servers:
            screen.table.action_move(1)


class FoldAll(_Folding):
    """Fold every service away; again: open all."""

    id = "fold-all"
    keys = "z"
    title = "Fold or unfold all"

    def run(self, screen: ServicesScreen) -> None:
        """Turn it round."""
        folded = len(screen.table.folded)
        screen.table.fold_all(folded < len(screen.console.picture.services))


class EventsPane(Command["ServicesScreen"]):
    """Show or hide the events below the table."""

    id = "events-pane"
    keys = "E"
    title = "Events pane"
    changes = False

    def run(self, screen: ServicesScreen) -> None:
        """Turn it round."""
        screen.resize_events(None)


class EventsBigger(Command["ServicesScreen"]):
    """More room for the events."""

    id = "events-bigger"
    keys = "plus"
    title = "Events pane: larger"
    changes = False

    def run(self, screen: ServicesScreen) -> None:
        """Two lines."""
        screen.resize_events(2)


class EventsSmaller(Command["ServicesScreen"]):
    """Less room for the events."""

    id = "events-smaller"
    keys = "minus"
    title = "Events pane: smaller"
    changes = False

    def run(self, screen: ServicesScreen) -> None:
        """Two lines."""
        screen.resize_events(-2)


VIEW_COMMANDS: tuple[Command[Any], ...] = (
    Filter(),
    Back(),
    FaultsOnly(),
    SortBy(),
    Reverse(),
    Columns(),
    Fold(),
    Unfold(),
    FoldAll(),
    EventsPane(),
    EventsBigger(),
    EventsSmaller(),
)
