"""What can be done on the services screen: in the kernel, in the file, and to the view."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from lvstui.model.picture import ServerView, ServiceView, State
from lvstui.tui import twins
from lvstui.tui.command import Command, HarmlessCommand, Names, first_reason, grouped, needs
from lvstui.tui.common import BACK, FILTER
from lvstui.tui.host import FilteredPage
from lvstui.tui.services.columns import COLUMN_SETS

if TYPE_CHECKING:
    from lvstui.session.selection import Selection
    from lvstui.tui.config.actions import ConfigActions
    from lvstui.tui.services.rows import ViewOptions
    from lvstui.tui.services.server_table import ServerTable


class ServicesPage(FilteredPage, Protocol):
    """What the commands ask of the screen."""

    table: ServerTable

    @property
    def in_file(self) -> ConfigActions: ...

    @property
    def spot(self) -> Selection: ...

    def marked(self) -> list[ServerView]: ...
    def targets(self) -> list[ServerView]: ...
    def disabled_targets(self) -> list[ServerView]: ...
    def service_here(self) -> ServiceView | None: ...
    def propose(self, operation: str) -> None: ...
    def choose_enable(self) -> None: ...
    def ask_weight(self) -> None: ...
    def check_now(self) -> None: ...
    def open_details(self) -> None: ...
    def mark_here(self) -> None: ...
    def mark_servers(self, servers: Sequence[ServerView]) -> None: ...
    def add_in_file(self) -> None: ...
    def reshape(self, shape: ViewOptions) -> None: ...
    def choose_sort(self) -> None: ...
    def show_target(self) -> None: ...
    def resize_events(self, by: int | None) -> None: ...


# Guards

_NO_TARGET = "Move to a real server first, or mark some with Space (V: all of a service)."


def _row(nothing: str) -> Callable[[ServicesPage], str]:
    return needs(lambda page: page.table.row is not None, nothing)


def _in_kernel(page: ServicesPage) -> str:
    targets = page.targets()
    if not targets:
        return "There is no real server here." if page.table.row is None else _NO_TARGET
    if any(server.in_kernel for server in targets):
        return ""
    one = targets[0]
    if len(targets) > 1:
        return "None of the marked servers is in the kernel's table."
    why = f": {one.reason}" if one.reason else ""
    return f"{one.label} is not in the kernel's table ({one.state.value}{why})."


def _row_in_file(page: ServicesPage) -> str:
    row = page.table.row
    if row is None:
        return "There is nothing under the cursor."
    return f"{row.key} is in no file." if row.configured is None else ""


def _targets_in_file(page: ServicesPage) -> str:
    targets = page.targets()
    if not targets:
        return _NO_TARGET
    lost = next((server for server in targets if server.configured is None), None)
    return f"{lost.label} is in no file." if lost is not None else ""


def _file_free(page: ServicesPage) -> str:
    return page.in_file.why_not()


def _not_all_disabled(page: ServicesPage) -> str:
    targets = page.targets()
    if all(server.state is State.DISABLED for server in targets):
        return f"{targets[0].label} is disabled already: B enables it."
    return ""


def _all_disabled(page: ServicesPage) -> str:
    on = next((server for server in page.targets() if server.weights.file != 0), None)
    if on is None:
        return ""
    return f"{on.label} is not disabled in the file (e enables what was drained)."


def _foldable(page: ServicesPage) -> str:
    if page.table.shape.narrowed:
        return "Folding rests while a filter is on: Esc clears it."
    return "" if page.table.row is not None else "There is nothing to fold."


def _checkable(page: ServicesPage) -> str:
    if not isinstance(page.table.row, ServerView):
        return "Move to a real server first."
    session = page.console.check_session
    if session is None:
        return "A recording asks nobody."
    return f"Wait for this: {session.under_way}" if session.under_way else ""


# Twins and deeds


def _twin(words: str, more: str = "") -> Callable[[ServicesPage], str]:
    return lambda page: twins.on_server(words, [one.id for one in page.targets()], more)


def _enable(page: ServicesPage) -> None:
    if page.disabled_targets():
        page.choose_enable()
    else:
        page.propose("enable")


def _mark_service(page: ServicesPage) -> None:
    service = page.service_here()
    if service is not None:
        page.mark_servers(service.servers)


def _copy(page: ServicesPage) -> None:
    marked, row = page.marked(), page.table.row
    if marked:
        page.copy(" ".join(str(server.key) for server in marked))
    elif row is not None:
        text = str(row.key)
        page.copy(text if isinstance(row, ServerView) else text.split(" ", 1)[-1])


def _show_in_file(page: ServicesPage) -> None:
    row = page.table.row
    if isinstance(row, ServerView):
        page.run_worker(page.console.show_in_file(row.service, row.key))
    elif row is not None:
        page.run_worker(page.console.show_in_file(row.key, None))


def _next_columns(page: ServicesPage) -> None:
    at = COLUMN_SETS.index(page.table.column_set)
    chosen = COLUMN_SETS[(at + 1) % len(COLUMN_SETS)]
    page.table.show_columns(chosen)
    page.show_target()
    page.tell(f"Columns: {chosen.name}")


def _fold(page: ServicesPage) -> None:
    """From a server first go up to its service."""
    row = page.table.row
    if isinstance(row, ServerView):
        page.table.go_to((row.service, None))
    elif row is not None:
        page.table.fold(row.key, True)


def _unfold(page: ServicesPage) -> None:
    """When open already go to the first server."""
    row = page.table.row
    if row is None or isinstance(row, ServerView):
        return
    if row.key in page.table.folded:
        page.table.fold(row.key, False)
    elif row.servers:
        page.table.action_move(1)


_SERVERS: tuple[Command[ServicesPage], ...] = grouped(
    "Real servers",
    Command(
        Names("drain", "d", "Drain real servers", "drain"),
        "No new connections to the marked real servers (or the one under the cursor); those "
        "that run go on. Kernel weight 0, taken back by enable or undo.",
        lambda page: page.propose("drain"),
        _in_kernel,
        _twin("drain"),
    ),
    Command(
        Names("enable", "e", "Enable real servers", "enable"),
        "Give the marked real servers (or the one under the cursor) their original weight "
        "back. Of those that are disabled in the file it says so, and enables them there (as B "
        "does).",
        _enable,
        lambda page: "" if page.disabled_targets() else _in_kernel(page),
        _twin("enable"),
    ),
    Command(
        Names("weight", "w", "Set weight of real servers", "weight"),
        "Set the kernel weight; shows what share of the new connections each server gets.",
        lambda page: page.ask_weight(),
        _in_kernel,
        _twin("weight", " WEIGHT"),
    ),
    HarmlessCommand(
        Names("details", "enter", "Details", "details"),
        "Everything known about the service or real server under the cursor.",
        lambda page: page.open_details(),
        _row("There is nothing under the cursor."),
    ),
    HarmlessCommand(
        Names("check", "C", "Check now from this director"),
        "Ask the real server under the cursor now: connect to its address, send what its HTTP_GET "
        "or SSL_GET sends and, in Direct Routing, a SYN for the VIP to its MAC. Shows what came "
        "and how long it took; changes nothing.",
        lambda page: page.check_now(),
        _checkable,
        lambda page: twins.check(page.targets()),
    ),
    HarmlessCommand(
        Names("mark", "space", "Mark"),
        "Mark the real server under the cursor; on a service, all of its servers. Keys that "
        "act on servers then act on all marked ones.",
        lambda page: page.mark_here(),
        _row("There is nothing to mark."),
    ),
    HarmlessCommand(
        Names("mark-service", "V", "Mark the whole service"),
        "Mark every real server of the service under the cursor; again: unmark them.",
        _mark_service,
        _row("There is nothing to mark."),
    ),
    HarmlessCommand(
        Names("mark-all", "asterisk", "Mark all shown"),
        "Mark every real server that the filter shows; again: unmark them.",
        lambda page: page.mark_servers(
            [row for row in page.table.rows if isinstance(row, ServerView)]
        ),
    ),
    HarmlessCommand(
        Names("copy", "y", "Copy the address"),
        "Copy the address under the cursor (or all marked ones) to your terminal's clipboard.",
        _copy,
        _row("There is nothing to copy."),
    ),
)

_FILE: tuple[Command[ServicesPage], ...] = grouped(
    "In keepalived.conf",
    Command(
        Names("file-add", "a", "Add in keepalived.conf …", "add"),
        "A real server, check, service, VIP or instance more in keepalived.conf, by a form; "
        "then the plan, with what it does, before anything is written.",
        lambda page: page.add_in_file(),
        _file_free,
        lambda page: twins.add(page.spot),
    ),
    Command(
        Names("file-remove", "x", "Remove from keepalived.conf …"),
        "Take the service or real server under the cursor out of keepalived.conf; the plan "
        "says what is lost, and asks.",
        lambda page: page.in_file.remove(page.spot),
        first_reason(_row_in_file, _file_free),
        lambda page: twins.remove(page.spot),
    ),
    Command(
        Names("file-disable", "b", "Disable in keepalived.conf (lasting)", "disable"),
        "Switch the marked real servers (or the one under the cursor) off in keepalived.conf: "
        "it lasts over reloads, restarts and failed checks. A drain (d) is in the kernel only.",
        lambda page: page.in_file.disable([server.id for server in page.targets()]),
        first_reason(_targets_in_file, _file_free, _not_all_disabled),
        _twin("config disable"),
    ),
    Command(
        Names("file-enable", "B", "Enable in keepalived.conf"),
        "Give real servers that were disabled in keepalived.conf back what they had.",
        lambda page: page.in_file.enable([server.id for server in page.targets()]),
        first_reason(_targets_in_file, _file_free, _all_disabled),
        _twin("config enable"),
    ),
    HarmlessCommand(
        Names("show-in-file", "F", "Show in keepalived.conf"),
        "The place of the service or real server under the cursor in keepalived.conf; Enter "
        "comes back from there.",
        _show_in_file,
        _row_in_file,
    ),
)

_VIEW: tuple[Command[ServicesPage], ...] = (
    FILTER,
    BACK,
    HarmlessCommand(
        Names("faults", "f", "Faults only", "faults"),
        "Only what is not plainly up; again: everything.",
        lambda page: page.reshape(replace(page.table.shape, faults=not page.table.shape.faults)),
    ),
    HarmlessCommand(
        Names("sort", "s", "Sort …", "sort"),
        "Order of services and of the servers in each; the same key again goes on, o turns it "
        "round.",
        lambda page: page.choose_sort(),
    ),
    HarmlessCommand(
        Names("reverse", "o", "Reverse the order"),
        "Turn the order round.",
        lambda page: page.reshape(replace(page.table.shape, reverse=not page.table.shape.reverse)),
    ),
    HarmlessCommand(
        Names("columns", "c", "Next column set"),
        "Next set of columns: load, health (each check's last words), traffic, settings.",
        _next_columns,
    ),
    HarmlessCommand(
        Names("fold", "h,left", "Fold the service"),
        "Fold the service under the cursor away.",
        _fold,
        _foldable,
    ),
    HarmlessCommand(
        Names("unfold", "l,right", "Unfold the service"),
        "Show the servers of the service under the cursor.",
        _unfold,
        _foldable,
    ),
    HarmlessCommand(
        Names("fold-all", "z", "Fold or unfold all"),
        "Fold every service away; again: open all.",
        lambda page: page.table.fold_all(
            len(page.table.folded) < len(page.console.picture.services)
        ),
        _foldable,
    ),
    HarmlessCommand(
        Names("events-pane", "E", "Events pane"),
        "Show or hide the events below the table.",
        lambda page: page.resize_events(None),
    ),
    HarmlessCommand(
        Names("events-bigger", "plus", "Events pane: larger"),
        "More room for the events.",
        lambda page: page.resize_events(2),
    ),
    HarmlessCommand(
        Names("events-smaller", "minus", "Events pane: smaller"),
        "Less room for the events.",
        lambda page: page.resize_events(-2),
    ),
)

SERVICES_COMMANDS = (*_SERVERS, *_FILE, *_VIEW)
