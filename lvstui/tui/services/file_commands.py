"""What can be done to services and real servers in the file: it lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lvstui.model.picture import ServerView, State
from lvstui.tui.command import Command

if TYPE_CHECKING:
    from lvstui.tui.services.screen import ServicesScreen


class ShowInFile(Command["ServicesScreen"]):
    """The place of the service or real server under the cursor in keepalived.conf; Enter comes
    back from there."""

    id = "show-in-file"
    keys = "F"
    title = "Show in keepalived.conf"
    group = "In keepalived.conf"
    changes = False

    def why_not(self, screen: ServicesScreen) -> str:
        """It must be in the file."""
        row = screen.table.row
        if row is None:
            return "There is nothing under the cursor."
        return f"{row.key} is in no file." if row.configured is None else ""

    def run(self, screen: ServicesScreen) -> None:
        """Go there."""
        row = screen.table.row
        if isinstance(row, ServerView):
            screen.run_worker(screen.console.show_in_file(row.service, row.key))
        elif row is not None:
            screen.run_worker(screen.console.show_in_file(row.key, None))


class _InFile(Command["ServicesScreen"]):
    group = "In keepalived.conf"

    def why_not(self, screen: ServicesScreen) -> str:
        """There must be something that changes files, and it must be free."""
        return screen.in_file.why_not()


class AddInFile(_InFile):
    """A real server, check, service, VIP or instance more in keepalived.conf, by a form; then the
    plan, with what it does, before anything is written."""

    id = "file-add"
    keys = "a"
    label = "add"
    title = "Add in keepalived.conf …"

    def shell(self, screen: ServicesScreen) -> str:
        """The same."""
        return 'lvstui config add-server ADDR:PORT --service "tcp VIP:PORT"'

    def run(self, screen: ServicesScreen) -> None:
        """Choose what."""
        screen.add_in_file()


class RemoveInFile(_InFile):
    """Take the service or real server under the cursor out of keepalived.conf; the plan says what
    is lost, and asks."""

    id = "file-remove"
    keys = "x"
    title = "Remove from keepalived.conf …"

    def why_not(self, screen: ServicesScreen) -> str:
        """It must be in the file."""
        row = screen.table.row
        if row is None:
            return "There is nothing under the cursor."
        if row.configured is None:
            return f"{row.key} is in no file."
        return super().why_not(screen)

    def shell(self, screen: ServicesScreen) -> str:
        """The same."""
        return 'lvstui config remove-server ADDR:PORT --service "tcp VIP:PORT"'

    def run(self, screen: ServicesScreen) -> None:
        """Plan it."""
        screen.remove_in_file()


class _Lasting(_InFile):
    def why_not(self, screen: ServicesScreen) -> str:
        """There must be targets, and they must be in the file."""
        targets = screen.targets()
        if not targets:
            return "Move to a real server first, or mark some with Space (V: all of a service)."
        lost = next((server for server in targets if server.configured is None), None)
        if lost is not None:
            return f"{lost.label} is in no file."
        return super().why_not(screen)


class DisableInFile(_Lasting):
    """Switch the marked real servers (or the one under the cursor) off in keepalived.conf: it
    lasts over reloads, restarts and failed checks. A drain (d) is in the kernel only."""

    id = "file-disable"
    keys = "b"
    label = "disable"
    title = "Disable in keepalived.conf (lasting)"

    def why_not(self, screen: ServicesScreen) -> str:
        """Not what is off already."""
        reason = super().why_not(screen)
        targets = screen.targets()
        if not reason and all(server.state is State.DISABLED for server in targets):
            reason = f"{targets[0].label} is disabled already: B enables it."
        return reason

    def shell(self, screen: ServicesScreen) -> str:
        """For the first target."""
        return _twin("disable", screen)

    def run(self, screen: ServicesScreen) -> None:
        """Ask why, then plan it."""
        screen.in_file.disable([server.id for server in screen.targets()])


class EnableInFile(_Lasting):
    """Give real servers that were disabled in keepalived.conf back what they had."""

    id = "file-enable"
    keys = "B"
    title = "Enable in keepalived.conf"

    def why_not(self, screen: ServicesScreen) -> str:
        """Only what is off in the file."""
        reason = super().why_not(screen)
        on = next((s for s in screen.targets() if s.weights.file != 0), None)
        if not reason and on is not None:
            reason = f"{on.label} is not disabled in the file (e enables what was drained)."
        return reason

    def shell(self, screen: ServicesScreen) -> str:
        """For the first target."""
        return _twin("enable", screen)

    def run(self, screen: ServicesScreen) -> None:
        """Plan it."""
        screen.in_file.enable([server.id for server in screen.targets()])


def _twin(word: str, screen: ServicesScreen) -> str:
    targets = screen.targets()
    server = str(targets[0].key) if targets else "ADDR:PORT"
    service = str(targets[0].service) if targets else "tcp VIP:PORT"
    return f'lvstui config {word} {server} --service "{service}"'


FILE_COMMANDS: tuple[Command[Any], ...] = (
    AddInFile(),
    RemoveInFile(),
    DisableInFile(),
    EnableInFile(),
    ShowInFile(),
)
