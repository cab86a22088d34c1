"""What can be done on every screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lvstui.tui.command import Command

if TYPE_CHECKING:
    from lvstui.tui.console import ConsoleScreen


class Palette(Command["ConsoleScreen"]):
    """Search every command by name: screens, actions, themes."""

    id = "palette"
    keys = "colon,ctrl+p"
    label = "command"
    title = "Command palette"
    group = "Everywhere"
    in_palette = False
    changes = False

    def run(self, screen: ConsoleScreen) -> None:
        """Open it."""
        screen.app.action_command_palette()


class Help(Command["ConsoleScreen"]):
    """Every key and command, what it does, and its twin on the shell."""

    id = "help"
    keys = "question_mark,f1"
    label = "help"
    title = "Help"
    group = "Everywhere"
    changes = False

    def run(self, screen: ConsoleScreen) -> None:
        """Open it."""
        screen.open_help()


class LookAgain(Command["ConsoleScreen"]):
    """Read everything again now, without waiting for the next tick."""

    id = "refresh"
    keys = "r,f5"
    label = "look again"
    title = "Look again now"
    group = "Everywhere"
    changes = False

    def run(self, screen: ConsoleScreen) -> None:
        """Ask the feed."""
        screen.console.feed.refresh()
        screen.tell("Looking again.")


class AskDaemon(Command["ConsoleScreen"]):
    """Ask keepalived once for its own numbers: adverts sent and received, errors, sync groups,
    each check. It writes a few lines to its log, so lvstui never does this by itself."""

    id = "ask"
    keys = "A"
    title = "Ask keepalived for its numbers"
    group = "Everywhere"

    def why_not(self, screen: ConsoleScreen) -> str:
        """Nobody to ask."""
        running = screen.console.picture.daemon.running
        return "" if running else "keepalived does not run here."

    def shell(self, screen: ConsoleScreen) -> str:
        """The twin."""
        return "lvstui status --ask"

    def run(self, screen: ConsoleScreen) -> None:
        """Signal it."""
        if screen.console.feed.ask_daemon():
            screen.tell("Asked keepalived; what it wrote shows on Failover and in the details.")
        else:
            screen.tell(
                "keepalived can not be asked: that needs root, and 1.2.20 or later.", bad=True
            )


class ShowWarnings(Command["ConsoleScreen"]):
    """All warnings in full, what can not be seen from here, and what lvstui itself takes."""

    id = "warnings"
    keys = "W"
    label = "warnings"
    title = "All warnings"
    group = "Everywhere"
    changes = False

    def run(self, screen: ConsoleScreen) -> None:
        """Open the list."""
        screen.open_warnings()


class ChooseTheme(Command["ConsoleScreen"]):
    """Choose the colours; also light, high contrast, deuteranopia-safe and ANSI ones."""

    id = "theme"
    keys = "T"
    title = "Theme"
    group = "Everywhere"
    changes = False

    def run(self, screen: ConsoleScreen) -> None:
        """Open the choice."""
        screen.console.choose_theme()


class Redraw(Command["ConsoleScreen"]):
    """Draw the whole screen again, after something else has written on the terminal."""

    id = "redraw"
    keys = "ctrl+l"
    title = "Draw everything again"
    group = "Everywhere"
    changes = False

    def run(self, screen: ConsoleScreen) -> None:
        """As the key does on every screen and in every dialog."""
        screen.refresh()


class Undo(Command["ConsoleScreen"]):
    """Undo your newest operation, whatever kind it was: kernel weights, keepalived.conf, real
    servers. Shows first what that means, how old it is and what came after it. Once more: makes it
    again."""

    id = "undo"
    keys = "u"
    label = "undo"
    title = "Undo the newest operation"
    group = "Everywhere"

    def shell(self, screen: ConsoleScreen) -> str:
        """The same."""
        return "lvstui undo"

    def run(self, screen: ConsoleScreen) -> None:
        """Show the plan that takes it back."""
        screen.propose_undo()


class UndoOlder(Command["ConsoleScreen"]):
    """Undo an operation that is not the newest, out of the list of all that lvstui did here."""

    id = "undo-older"
    title = "Undo an older operation …"
    group = "Everywhere"

    def shell(self, screen: ConsoleScreen) -> str:
        """By its number."""
        return "lvstui undo --list; lvstui undo N"

    def run(self, screen: ConsoleScreen) -> None:
        """Show the list."""
        screen.choose_undo()


class ShowChange(Command["ConsoleScreen"]):
    """A change of keepalived.conf that waits: keep it or undo it. One that was rolled back: what
    happened to it. Else the last change again: its plan, how far it is, or what came of it."""

    id = "change-last"
    keys = "P"
    label = "keep/undo"
    title = "Show the change that waits or the last one; keep or undo it"
    group = "Everywhere"
    changes = False

    def why_not(self, screen: ConsoleScreen) -> str:
        """There must be one."""
        return screen.console.unsettled.why_nothing()

    def shell(self, screen: ConsoleScreen) -> str:
        """Keep it."""
        return "lvstui config keep"

    def run(self, screen: ConsoleScreen) -> None:
        """Open it."""
        screen.show_change()


class Suspend(Command["ConsoleScreen"]):
    """Back to the shell for a moment; `fg` comes back."""

    id = "suspend"
    keys = "ctrl+z"
    title = "Suspend to the shell"
    group = "Everywhere"
    changes = False

    def run(self, screen: ConsoleScreen) -> None:
        """Stop this process like any other job."""
        screen.app.action_suspend_process()


class Quit(Command["ConsoleScreen"]):
    """Leave lvstui. Nothing on the director depends on it running. While something is being
    changed, and while a draft of the configuration is not applied, it takes two presses."""

    id = "quit"
    keys = "q,ctrl+q,ctrl+c"
    title = "Quit"
    group = "Everywhere"
    changes = False

    def __init__(self) -> None:
        self._warned_of = ""

    def run(self, screen: ConsoleScreen) -> None:
        """End the app; what runs on other hosts is named first."""
        work = screen.console.under_way
        if work and work != self._warned_of:
            self._warned_of = work
            screen.tell(
                f"{work} is under way: what is not confirmed yet is left to its timer. "
                "Press again to leave all the same.",
                bad=True,
            )
            return
        lost, sentence = ("", "") if work else screen.console.left_behind()
        if lost and lost != self._warned_of:
            # Not the sentence: it counts seconds, and would be another one at each press.
            self._warned_of = lost
            screen.tell(f"{sentence} Press again to leave all the same.", bad=True)
            return
        screen.app.exit()


class Show(Command["ConsoleScreen"]):
    """Go to another screen."""

    group = "Screens"
    changes = False

    def __init__(self, number: int, mode: str, title: str, summary: str) -> None:
        self.number, self.mode, self._summary = number, mode, summary
        self.name = title
        # One object a screen, so these are instance values here.
        self.id = f"show-{mode}"  # type: ignore[misc]
        self.keys = str(number)  # type: ignore[misc]
        self.title = f"{title} screen"  # type: ignore[misc]

    @property
    def summary(self) -> str:
        """What is there."""
        return self._summary

    def run(self, screen: ConsoleScreen) -> None:
        """Go there."""
        screen.console.show_screen(self.mode)


SCREENS: tuple[Show, ...] = (
    Show(1, "services", "Services", "Virtual services and real servers, and what to do to them."),
    Show(2, "failover", "Failover", "VRRP instances of this host, and whom it hears."),
    Show(4, "config", "Config", "keepalived.conf: outline, text, findings; is it what runs?"),
    Show(
        5, "realservers", "Real servers", "What each real server has over SSH; push, verify, undo."
    ),
    Show(7, "events", "Events", "Everything that happened: filter, pause, export."),
)
"""Screens that exist, in the order of their tabs."""

COMMON: tuple[Command[Any], ...] = (
    Palette(),
    Help(),
    LookAgain(),
    AskDaemon(),
    ShowWarnings(),
    ChooseTheme(),
    Redraw(),
    ShowChange(),
    Undo(),
    UndoOlder(),
    Suspend(),
    Quit(),
    *SCREENS,
)
