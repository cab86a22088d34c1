"""What can be done on every screen, and what several screens do alike."""

from __future__ import annotations

from lvstui.tui.change import decide
from lvstui.tui.command import Command, HarmlessCommand, grouped
from lvstui.tui.host import FilteredPage, PageHost
from lvstui.tui.screens import SCREENS, ScreenEntry

FILTER = HarmlessCommand[FilteredPage](
    id="filter",
    keys="slash",
    label="filter",
    title="Filter",
    help="Show only what holds all the words you type: address, name, state, reason. A leading ! "
    "hides what matches. Enter keeps the filter, Esc clears it.",
    run=lambda page: page.open_filter(),
)
"""Screens say what they find; `id` and `help` are theirs."""
BACK = HarmlessCommand[FilteredPage](
    id="back",
    keys="escape",
    title="Clear filter and marks",
    help="One step back: clear the filter, then faults-only, then the marks.",
    run=lambda page: page.step_back(),
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
    """End the app; what runs on other hosts is named first."""
    console = page.console
    work = console.under_way
    if work and work != console.warned_of:
        console.warned_of = work
        page.tell(
            f"{work} is under way: what is not confirmed yet is left to its timer. "
            "Press again to leave all the same.",
            bad=True,
        )
        return
    lost, sentence = ("", "") if work else console.left_behind()
    if lost and lost != console.warned_of:
        # Not the sentence: it counts seconds, and would be another one at each press.
        console.warned_of = lost
        page.tell(f"{sentence} Press again to leave all the same.", bad=True)
        return
    page.app.exit()


def _show(screen: ScreenEntry) -> Command[PageHost]:
    return HarmlessCommand(
        id=f"show-{screen.mode}",
        keys=screen.key,
        title=f"{screen.title} screen",
        help=screen.summary,
        group="Screens",
        run=lambda page: page.console.show_screen(screen.mode),
    )


_EVERYWHERE: tuple[Command[PageHost], ...] = grouped(
    "Everywhere",
    HarmlessCommand(
        id="palette",
        keys="colon,ctrl+p",
        label="command",
        title="Command palette",
        help="Search every command by name: screens, actions, themes.",
        run=lambda page: page.app.action_command_palette(),
        in_palette=False,
    ),
    HarmlessCommand(
        id="help",
        keys="question_mark,f1",
        label="help",
        title="Help",
        help="Every key and command, what it does, and its twin on the shell.",
        run=_open_help,
    ),
    HarmlessCommand(
        id="refresh",
        keys="r,f5",
        label="look again",
        title="Look again now",
        help="Read everything again now, without waiting for the next tick.",
        run=_look_again,
    ),
    Command(
        id="ask",
        keys="A",
        title="Ask keepalived for its numbers",
        help="Ask keepalived once for its own numbers: adverts sent and received, errors, sync "
        "groups, each check. It writes a few lines to its log, so lvstui never does this by "
        "itself.",
        run=_ask_daemon,
        why_not=lambda page: (
            "" if page.console.picture.daemon.running else "keepalived does not run here."
        ),
        twin="lvstui status --ask",
    ),
    HarmlessCommand(
        id="warnings",
        keys="W",
        label="warnings",
        title="All warnings",
        help="All warnings in full, what can not be seen from here, and what lvstui itself takes.",
        run=_open_warnings,
    ),
    HarmlessCommand(
        id="theme",
        keys="T",
        title="Theme",
        help="Choose the colours; also light, high contrast, deuteranopia-safe and ANSI ones.",
        run=lambda page: page.console.choose_theme(),
    ),
    HarmlessCommand(
        id="redraw",
        keys="ctrl+l",
        title="Draw everything again",
        help="Draw the whole screen again, after something else has written on the terminal.",
        run=lambda page: page.refresh(),
    ),
    HarmlessCommand(
        id="change-last",
        keys="P",
        label="keep/undo",
        title="Show the change that waits or the last one; keep or undo it",
        help="A change of keepalived.conf that waits: keep it or undo it. One that was rolled "
        "back: what happened to it. Else the last change again: its plan, how far it is, or "
        "what came of it.",
        run=decide.show_change,
        why_not=lambda page: page.console.unsettled.why_nothing(),
        twin="lvstui config keep",
    ),
    Command(
        id="undo",
        keys="u",
        label="undo",
        title="Undo the newest operation",
        help="Undo your newest operation, whatever kind it was: kernel weights, "
        "keepalived.conf, real servers. Shows first what that means, how old it is and what "
        "came after it. Once more: makes it again.",
        run=decide.propose_undo,
        twin="lvstui undo",
    ),
    Command(
        id="undo-older",
        title="Undo an older operation …",
        help="Undo an operation that is not the newest, out of the list of all that lvstui did "
        "here.",
        run=decide.choose_undo,
        twin="lvstui undo --list; lvstui undo N",
    ),
    HarmlessCommand(
        id="suspend",
        keys="ctrl+z",
        title="Suspend to the shell",
        help="Back to the shell for a moment; `fg` comes back.",
        run=lambda page: page.app.action_suspend_process(),
    ),
    HarmlessCommand(
        id="quit",
        keys="q,ctrl+q,ctrl+c",
        title="Quit",
        help="Leave lvstui. Nothing on the director depends on it running. While something is "
        "being changed, and while a draft of the configuration is not applied, it takes two "
        "presses.",
        run=_quit,
    ),
)
COMMON = (*_EVERYWHERE, *map(_show, SCREENS))
