"""Operations on real servers, and looking into them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lvstui.model.picture import ServerView
from lvstui.operations.weights import shell_line
from lvstui.tui.command import Command

if TYPE_CHECKING:
    from lvstui.tui.services.screen import ServicesScreen


def twin(operation: str, server: ServerView, *, weight: str = "", reason: str = "") -> str:
    """An operation on one server as the shell has it."""
    return shell_line(operation, str(server.key), str(server.service), weight, reason)


class _OnServers(Command["ServicesScreen"]):
    group = "Real servers"
    operation = ""

    def why_not(self, screen: ServicesScreen) -> str:
        """There must be something to act on, and not what it is already."""
        targets = screen.targets()
        if not targets:
            if screen.table.row is None:
                return "There is no real server here."
            return "Move to a real server first, or mark some with Space (V: all of a service)."
        if not any(server.in_kernel for server in targets):
            one = targets[0]
            if len(targets) > 1:
                return "None of the marked servers is in the kernel's table."
            why = f": {one.reason}" if one.reason else ""
            return f"{one.label} is not in the kernel's table ({one.state.value}{why})."
        return ""

    def shell(self, screen: ServicesScreen) -> str:
        """For the first target."""
        targets = screen.targets()
        if not targets:
            return f'lvstui {self.operation} ADDR:PORT --service "tcp VIP:PORT"'
        return twin(self.operation, targets[0])

    def run(self, screen: ServicesScreen) -> None:
        """Show the plan."""
        screen.propose(self.operation)


class Drain(_OnServers):
    """No new connections to the marked real servers (or the one under the cursor); those
    that run go on. Kernel weight 0, taken back by enable or undo."""

    id = "drain"
    keys = "d"
    label = "drain"
    title = "Drain real servers"
    operation = "drain"


class Enable(_OnServers):
    """Give the marked real servers (or the one under the cursor) their original weight back. Of
    those that are disabled in the file it says so, and enables them there (as B does)."""

    id = "enable"
    keys = "e"
    label = "enable"
    title = "Enable real servers"
    operation = "enable"

    def why_not(self, screen: ServicesScreen) -> str:
        """Not what is neither in the kernel nor disabled in the file."""
        return "" if screen.disabled_targets() else super().why_not(screen)

    def run(self, screen: ServicesScreen) -> None:
        """Show the plan, or where it has to be done."""
        if screen.disabled_targets():
            screen.choose_enable()
        else:
            screen.propose(self.operation)


class Weight(_OnServers):
    """Set the kernel weight; shows what share of the new connections each server gets."""

    id = "weight"
    keys = "w"
    label = "weight"
    title = "Set weight of real servers"
    operation = "weight"

    def shell(self, screen: ServicesScreen) -> str:
        """With a place for the weight."""
        targets = screen.targets()
        if not targets:
            return 'lvstui weight ADDR:PORT WEIGHT --service "tcp VIP:PORT"'
        return twin("weight", targets[0], weight="WEIGHT")

    def run(self, screen: ServicesScreen) -> None:
        """Ask for the weight, then show the plan."""
        screen.ask_weight()


class Details(Command["ServicesScreen"]):
    """Everything known about the service or real server under the cursor."""

    id = "details"
    keys = "enter"
    label = "details"
    title = "Details"
    group = "Real servers"
    changes = False

    def why_not(self, screen: ServicesScreen) -> str:
        """There must be a row."""
        return "" if screen.table.row is not None else "There is nothing under the cursor."

    def run(self, screen: ServicesScreen) -> None:
        """Open them."""
        screen.open_details()


class Mark(Command["ServicesScreen"]):
    """Mark the real server under the cursor; on a service, all of its servers. Keys that act
    on servers then act on all marked ones."""

    id = "mark"
    keys = "space"
    title = "Mark"
    group = "Real servers"
    changes = False

    def why_not(self, screen: ServicesScreen) -> str:
        """There must be a row."""
        return "" if screen.table.row is not None else "There is nothing to mark."

    def run(self, screen: ServicesScreen) -> None:
        """Mark and go on to the next row."""
        screen.mark_here()


class MarkAll(Command["ServicesScreen"]):
    """Mark every real server that the filter shows; again: unmark them."""

    id = "mark-all"
    keys = "asterisk"
    title = "Mark all shown"
    group = "Real servers"
    changes = False

    def run(self, screen: ServicesScreen) -> None:
        """Mark or unmark."""
        screen.mark_servers([row for row in screen.table.rows if isinstance(row, ServerView)])


class MarkService(Command["ServicesScreen"]):
    """Mark every real server of the service under the cursor; again: unmark them."""

    id = "mark-service"
    keys = "V"
    title = "Mark the whole service"
    group = "Real servers"
    changes = False

    def why_not(self, screen: ServicesScreen) -> str:
        """There must be a row."""
        return "" if screen.table.row is not None else "There is nothing to mark."

    def run(self, screen: ServicesScreen) -> None:
        """Mark or unmark."""
        service = screen.service_here()
        if service is not None:
            screen.mark_servers(service.servers)


class CopyAddress(Command["ServicesScreen"]):
    """Copy the address under the cursor (or all marked ones) to your terminal's clipboard."""

    id = "copy"
    keys = "y"
    title = "Copy the address"
    group = "Real servers"
    changes = False

    def why_not(self, screen: ServicesScreen) -> str:
        """There must be a row."""
        return "" if screen.table.row is not None else "There is nothing to copy."

    def run(self, screen: ServicesScreen) -> None:
        """Through OSC 52."""
        marked = screen.marked()
        row = screen.table.row
        if marked:
            screen.copy(" ".join(str(server.key) for server in marked))
        elif row is not None:
            key = row.key
            screen.copy(str(key) if isinstance(row, ServerView) else str(key).split(" ", 1)[-1])


SERVER_COMMANDS: tuple[Command[Any], ...] = (
    Drain(),
    Enable(),
    Weight(),
    Details(),
    Mark(),
    MarkService(),
    MarkAll(),
    CopyAddress(),
)
