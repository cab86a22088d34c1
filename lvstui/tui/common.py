"""What can be done on every screen, and what several screens do alike."""

from __future__ import annotations

from lvstui.tui.change import decide
from lvstui.tui.command import Command, HarmlessCommand, Names, grouped
from lvstui.tui.host import FilteredPage, PageHost
from lvstui.tui.screens import SCREENS, ScreenEntry

FILTER = HarmlessCommand[FilteredPage](
    Names("filter", "slash", "Filter", "filter"),
    "Show only what holds all the words you type: address, name, state, reason. A leading ! "
    "hides what matches. Enter keeps the filter, Esc clears it.",
    lambda page: page.open_filter(),
)
"""Screens say what they find; `id` and `help` are theirs."""
BACK = HarmlessCommand[FilteredPage](
    Names("back", "escape", "Clear filter and marks"),
    "One step back: clear the filter, then faults-only, then the marks.",
    lambda page: page.step_back(),
)


def _open_help(page: PageHost) -> None:
    from lvstui.tui.help import HelpScreen

    page.app.push_screen(HelpScreen(page))


def _look_again(page: PageHost) -> None:
    page.console.feed.refresh()
    page.tell("Looking again.")


def _ask_daemon(page: PageHost) -> None:
    if page.console.feed.ask_daemon():
        page.tell("Asked keepalived; what it wrote shows on Failover and in the details.")
    else:
        page.tell("keepalived can not be asked: that needs root, and 1.2.20 or later.", bad=True)


def _open_warnings(page: PageHost) -> None:
    from lvstui.tui.notices import WarningsScreen

    page.app.push_screen(WarningsScreen())


def _quit(page: PageHost) -> None:
    """End the app; what would be lost is named first."""
    console = page.console
    lost, sentence = console.left_behind()
    if lost and lost != console.warned_of:
        # Not the sentence: it counts seconds, and would be another one at each press.
        console.warned_of = lost
        page.tell(f"{sentence} Press again to leave all the same.", bad=True)
        return
    page.app.exit()


def _show(screen: ScreenEntry) -> Command[PageHost]:
    return HarmlessCommand(
        Names(f"show-{screen.mode}", screen.key, f"{screen.title} screen"),
        screen.summary,
        lambda page: page.console.show_screen(screen.mode),
        group="Screens",
    )


_EVERYWHERE: tuple[Command[PageHost], ...] = grouped(
    "Everywhere",
    HarmlessCommand(
        Names("palette", "colon,ctrl+p", "Command palette", "command"),
        "Search every command by name: screens, actions, themes.",
        lambda page: page.app.action_command_palette(),
        in_palette=False,
    ),
    HarmlessCommand(
        Names("help", "question_mark,f1", "Help", "help"),
        "Every key and command, what it does, and its twin on the shell.",
        _open_help,
    ),
    HarmlessCommand(
        Names("refresh", "r,f5", "Look again now", "look again"),
        "Read everything again now, without waiting for the next tick.",
        _look_again,
    ),
    Command(
        Names("ask", "A", "Ask keepalived for its numbers"),
        "Ask keepalived once for its own numbers: adverts sent and received, errors, sync "
        "groups, each check. It writes a few lines to its log, so lvstui never does this by "
        "itself.",
        _ask_daemon,
        lambda page: "" if page.console.picture.daemon.running else "keepalived does not run here.",
        "lvstui status --ask",
    ),
    HarmlessCommand(
        Names("warnings", "W", "All warnings", "warnings"),
        "All warnings in full, what can not be seen from here, and what lvstui itself takes.",
        _open_warnings,
    ),
    HarmlessCommand(
        Names("theme", "T", "Theme"),
        "Choose the colours; also light, high contrast, deuteranopia-safe and ANSI ones.",
        lambda page: page.console.choose_theme(),
    ),
    HarmlessCommand(
        Names("redraw", "ctrl+l", "Draw everything again"),
        "Draw the whole screen again, after something else has written on the terminal.",
        lambda page: page.refresh(),
    ),
    HarmlessCommand(
        Names(
            "change-last",
            "P",
            "Show the change that waits or the last one; keep or undo it",
            "keep/undo",
        ),
        "A change of keepalived.conf that waits: keep it or undo it. One that was rolled "
        "back: what happened to it. Else the last change again: its plan, how far it is, or "
        "what came of it.",
        decide.show_change,
        lambda page: page.console.unsettled.why_nothing(),
        "lvstui config keep",
    ),
    Command(
        Names("undo", "u", "Undo the newest operation", "undo"),
        "Undo your newest operation, whatever kind it was: kernel weights, "
        "keepalived.conf, real servers. Shows first what that means, how old it is and what "
        "came after it. Once more: makes it again.",
        decide.propose_undo,
        twin="lvstui undo",
    ),
    Command(
        Names("undo-older", "", "Undo an older operation …"),
        "Undo an operation that is not the newest, out of the list of all that lvstui did here.",
        decide.choose_undo,
        twin="lvstui undo --list; lvstui undo N",
    ),
    HarmlessCommand(
        Names("suspend", "ctrl+z", "Suspend to the shell"),
        "Back to the shell for a moment; `fg` comes back.",
        lambda page: page.app.action_suspend_process(),
    ),
    HarmlessCommand(
        Names("quit", "q,ctrl+q,ctrl+c", "Quit"),
        "Leave lvstui. Nothing on the director depends on it running. While something is "
        "being changed, and while a draft of the configuration is not applied, it takes two "
        "presses.",
        _quit,
    ),
)
COMMON = (*_EVERYWHERE, *map(_show, SCREENS))
