"""What can be done on the services screen: in the kernel, in the file, and to the view."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from lvstui.model.picture import ServerView, ServiceView, State
from lvstui.tui import twins
from lvstui.tui.command import Command, HarmlessCommand, first_reason, grouped
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
    def open_details(self) -> None: ...
    def mark_here(self) -> None: ...
    def mark_servers(self, servers: Sequence[ServerView]) -> None: ...
    def add_in_file(self) -> None: ...
    def remove_in_file(self) -> None: ...
    def reshape(self, shape: ViewOptions) -> None: ...
    def choose_sort(self) -> None: ...
    def show_target(self) -> None: ...
    def resize_events(self, by: int | None) -> None: ...


# Guards

_NO_TARGET = "Move to a real server first, or mark some with Space (V: all of a service)."


def _row(nothing: str) -> Callable[[ServicesPage], str]:
    """There must be a row."""
    return lambda page: "" if page.table.row is not None else nothing


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
        id="drain",
        keys="d",
        label="drain",
        title="Drain real servers",
        help="No new connections to the marked real servers (or the one under the cursor); those "
        "that run go on. Kernel weight 0, taken back by enable or undo.",
        run=lambda page: page.propose("drain"),
        why_not=_in_kernel,
        twin=_twin("drain"),
    ),
    Command(
        id="enable",
        keys="e",
        label="enable",
        title="Enable real servers",
        help="Give the marked real servers (or the one under the cursor) their original weight "
        "back. Of those that are disabled in the file it says so, and enables them there (as B "
        "does).",
        run=_enable,
        why_not=lambda page: "" if page.disabled_targets() else _in_kernel(page),
        twin=_twin("enable"),
    ),
    Command(
        id="weight",
        keys="w",
        label="weight",
        title="Set weight of real servers",
        help="Set the kernel weight; shows what share of the new connections each server gets.",
        run=lambda page: page.ask_weight(),
        why_not=_in_kernel,
        twin=_twin("weight", " WEIGHT"),
    ),
    HarmlessCommand(
        id="details",
        keys="enter",
        label="details",
        title="Details",
        help="Everything known about the service or real server under the cursor.",
        run=lambda page: page.open_details(),
        why_not=_row("There is nothing under the cursor."),
    ),
    HarmlessCommand(
        id="mark",
        keys="space",
        title="Mark",
        help="Mark the real server under the cursor; on a service, all of its servers. Keys that "
        "act on servers then act on all marked ones.",
        run=lambda page: page.mark_here(),
        why_not=_row("There is nothing to mark."),
    ),
    HarmlessCommand(
        id="mark-service",
        keys="V",
        title="Mark the whole service",
        help="Mark every real server of the service under the cursor; again: unmark them.",
        run=_mark_service,
        why_not=_row("There is nothing to mark."),
    ),
    HarmlessCommand(
        id="mark-all",
        keys="asterisk",
        title="Mark all shown",
        help="Mark every real server that the filter shows; again: unmark them.",
        run=lambda page: page.mark_servers(
            [row for row in page.table.rows if isinstance(row, ServerView)]
        ),
    ),
    HarmlessCommand(
        id="copy",
        keys="y",
        title="Copy the address",
        help="Copy the address under the cursor (or all marked ones) to your terminal's clipboard.",
        run=_copy,
        why_not=_row("There is nothing to copy."),
    ),
)

_FILE: tuple[Command[ServicesPage], ...] = grouped(
    "In keepalived.conf",
    Command(
        id="file-add",
        keys="a",
        label="add",
        title="Add in keepalived.conf …",
        help="A real server, check, service, VIP or instance more in keepalived.conf, by a form; "
        "then the plan, with what it does, before anything is written.",
        run=lambda page: page.add_in_file(),
        why_not=_file_free,
        twin=lambda page: twins.add(page.spot),
    ),
    Command(
        id="file-remove",
        keys="x",
        title="Remove from keepalived.conf …",
        help="Take the service or real server under the cursor out of keepalived.conf; the plan "
        "says what is lost, and asks.",
        run=lambda page: page.remove_in_file(),
        why_not=first_reason(_row_in_file, _file_free),
        twin=lambda page: twins.remove(page.spot),
    ),
    Command(
        id="file-disable",
        keys="b",
        label="disable",
        title="Disable in keepalived.conf (lasting)",
        help="Switch the marked real servers (or the one under the cursor) off in keepalived.conf: "
        "it lasts over reloads, restarts and failed checks. A drain (d) is in the kernel only.",
        run=lambda page: page.in_file.disable([server.id for server in page.targets()]),
        why_not=first_reason(_targets_in_file, _file_free, _not_all_disabled),
        twin=_twin("config disable"),
    ),
    Command(
        id="file-enable",
        keys="B",
        title="Enable in keepalived.conf",
        help="Give real servers that were disabled in keepalived.conf back what they had.",
        run=lambda page: page.in_file.enable([server.id for server in page.targets()]),
        why_not=first_reason(_targets_in_file, _file_free, _all_disabled),
        twin=_twin("config enable"),
    ),
    HarmlessCommand(
        id="show-in-file",
        keys="F",
        title="Show in keepalived.conf",
        help="The place of the service or real server under the cursor in keepalived.conf; Enter "
        "comes back from there.",
        run=_show_in_file,
        why_not=_row_in_file,
    ),
)

_VIEW: tuple[Command[ServicesPage], ...] = (
    FILTER,
    BACK,
    HarmlessCommand(
        id="faults",
        keys="f",
        label="faults",
        title="Faults only",
        help="Only what is not plainly up; again: everything.",
        run=lambda page: page.reshape(
            replace(page.table.shape, faults=not page.table.shape.faults)
        ),
    ),
    HarmlessCommand(
        id="sort",
        keys="s",
        label="sort",
        title="Sort …",
        help="Order of services and of the servers in each; the same key again goes on, o turns it "
        "round.",
        run=lambda page: page.choose_sort(),
    ),
    HarmlessCommand(
        id="reverse",
        keys="o",
        title="Reverse the order",
        help="Turn the order round.",
        run=lambda page: page.reshape(
            replace(page.table.shape, reverse=not page.table.shape.reverse)
        ),
    ),
    HarmlessCommand(
        id="columns",
        keys="c",
        title="Next column set",
        help="Next set of columns: load, health (each check's last words), traffic, settings.",
        run=_next_columns,
    ),
    HarmlessCommand(
        id="fold",
        keys="h,left",
        title="Fold the service",
        help="Fold the service under the cursor away.",
        run=_fold,
        why_not=_foldable,
    ),
    HarmlessCommand(
        id="unfold",
        keys="l,right",
        title="Unfold the service",
        help="Show the servers of the service under the cursor.",
        run=_unfold,
        why_not=_foldable,
    ),
    HarmlessCommand(
        id="fold-all",
        keys="z",
        title="Fold or unfold all",
        help="Fold every service away; again: open all.",
        run=lambda page: page.table.fold_all(
            len(page.table.folded) < len(page.console.picture.services)
        ),
        why_not=_foldable,
    ),
    HarmlessCommand(
        id="events-pane",
        keys="E",
        title="Events pane",
        help="Show or hide the events below the table.",
        run=lambda page: page.resize_events(None),
    ),
    HarmlessCommand(
        id="events-bigger",
        keys="plus",
        title="Events pane: larger",
        help="More room for the events.",
        run=lambda page: page.resize_events(2),
    ),
    HarmlessCommand(
        id="events-smaller",
        keys="minus",
        title="Events pane: smaller",
        help="Less room for the events.",
        run=lambda page: page.resize_events(-2),
    ),
)

SERVICES_COMMANDS = (*_SERVERS, *_FILE, *_VIEW)
