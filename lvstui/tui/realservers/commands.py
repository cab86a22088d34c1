"""What can be done with real servers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from lvstui.realserver.hosts import Host
from lvstui.tui.command import Command, HarmlessCommand, Names, first_reason, grouped, needs
from lvstui.tui.common import BACK, FILTER
from lvstui.tui.host import FilteredPage

if TYPE_CHECKING:
    from lvstui.model.realserver import Look
    from lvstui.session.realservers import RealServerSession
    from lvstui.tui.realservers.matrix import Matrix

NO_WAY = "No host can be asked from here: this is a recording."
_NOT_LOOKED = "It was not looked at yet: r looks."


class RealServersPage(FilteredPage, Protocol):
    """What the commands ask of the screen."""

    @property
    def session(self) -> RealServerSession: ...

    matrix: Matrix

    def marked(self) -> list[Host]: ...
    def here(self) -> Host | None: ...
    def targets(self) -> list[Host]: ...
    def look_here(self) -> Look | None: ...
    def verify(self) -> None: ...
    def propose(self, operation: str) -> None: ...
    def ask_reboot(self) -> None: ...
    def open_last(self) -> None: ...
    def open_evidence(self) -> None: ...
    def turn_faults(self) -> None: ...


def _hosts_free(page: RealServersPage) -> str:
    """There must be a way to ask, somebody to ask, and nothing else under way."""
    if not page.session.possible:
        return NO_WAY
    if not page.targets():
        return "There is no real server here."
    return page.session.wait


def _unfinished(page: RealServersPage) -> str:
    rows = [page.session.rows.get(host.address) for host in page.targets()]
    if any(row and row.facts and row.facts.unfinished is not None for row in rows):
        return ""
    return "No unfinished change was seen there."


def _twin(
    word: str, options: str = "", *, everybody: bool = False
) -> Callable[[RealServersPage], str]:
    """For the same hosts; `everybody`: without marks it means all hosts."""

    def twin(page: RealServersPage) -> str:
        hosts = page.marked() if everybody else page.targets()
        names = " ".join(host.label for host in hosts) or ("" if everybody else "HOST")
        return " ".join(f"lvstui realserver {word} {names} {options}".split())

    return twin


def _look_verbose(page: RealServersPage) -> str:
    here = page.here()
    return f"lvstui realserver look {here.label if here else 'HOST'} --verbose"


def _mark(page: RealServersPage) -> None:
    """Mark and go on to the next host."""
    matrix = page.matrix
    line = matrix.here
    if line is None:
        return
    matrix.mark({line.address}, line.address not in matrix.marks)
    while matrix.here is not None and matrix.here.address == line.address:
        before = matrix.here
        matrix.action_move(1)
        if matrix.here is before:
            break


def _mark_all(page: RealServersPage) -> None:
    shown = {line.address for line in page.matrix.rows}
    page.matrix.mark(shown, bool(shown - page.matrix.marks))


def _copy(page: RealServersPage) -> None:
    check, line = page.matrix.check, page.matrix.here
    if check is not None and line is not None:
        head = f"{line.label} {line.vip} {check.id} {check.verdict.value}: {check.says}"
        page.copy("\n".join([head, *check.evidence, *([check.fix] if check.fix else [])]))


def _save_transcript(page: RealServersPage) -> None:
    settings = page.console.settings
    page.session.save_transcript(settings.state_folder, settings.clock())


_HOSTS: tuple[Command[RealServersPage], ...] = grouped(
    "Real servers",
    HarmlessCommand(
        Names("refresh", "r,L,f5", "Look at real servers", "look"),
        "Look at the marked hosts, or at all, over SSH and from this director: what they have "
        "and whether Direct Routing works with it. Changes nothing. A second look shows what "
        "became worse.",
        lambda page: page.session.look(page.marked() or page.session.hosts),
        _hosts_free,
        _twin("look", everybody=True),
    ),
    Command(
        Names("rs-push", "p", "Push to real servers", "push"),
        "Give the marked hosts (or the one under the cursor) the VIP on lo and ARP silence, "
        "now and after a reboot. Shows the plan first; each host goes back by itself unless it is "
        "proven.",
        lambda page: page.propose("push"),
        _hosts_free,
        _twin("push"),
    ),
    HarmlessCommand(
        Names("rs-verify", "v", "Verify real servers", "verify"),
        "Look again at the marked hosts, or at all, and say how many are as they have to be.",
        lambda page: page.verify(),
        _hosts_free,
        _twin("verify", everybody=True),
    ),
    Command(
        Names("rs-undo", "U", "Undo on real servers", "undo"),
        "Take lvstui's work off the marked hosts (or the one under the cursor); shows the "
        "plan first.",
        lambda page: page.propose("undo"),
        _hosts_free,
        _twin("undo"),
    ),
    HarmlessCommand(
        Names("rs-evidence", "enter", "Evidence", "evidence"),
        "Everything that the look saw of the host under the cursor: each check with its evidence.",
        lambda page: page.open_evidence(),
        needs(lambda page: page.look_here(), _NOT_LOOKED),
        _look_verbose,
    ),
    HarmlessCommand(
        Names("rs-last", "o", "Open the last push or undo"),
        "Open the last push or undo again: its progress, or what came of it.",
        lambda page: page.open_last(),
        needs(lambda page: page.session.change, "Nothing was pushed in this session yet."),
    ),
    Command(
        Names("rs-reboot", "R", "Reboot and verify"),
        "Start the marked hosts (or the one under the cursor) anew, one after the other, and "
        "look whether everything is there again. Their names have to be typed.",
        lambda page: page.ask_reboot(),
        _hosts_free,
        _twin("verify", "--reboot"),
    ),
    Command(
        Names("rs-unfinished", "t", "Take back what is unfinished"),
        "Take back a change that was cut half way on the marked hosts (or the one under the "
        "cursor), because the host went down in it.",
        lambda page: page.session.take_back(page.targets()),
        first_reason(_hosts_free, _unfinished),
        _twin("undo", "--unfinished"),
    ),
    HarmlessCommand(
        Names("rs-mark", "space", "Mark", "mark"),
        "Mark the host under the cursor; keys then act on all marked ones.",
        _mark,
        needs(lambda page: page.here(), "There is nothing to mark."),
    ),
    HarmlessCommand(
        Names("rs-mark-all", "V,asterisk", "Mark all shown"),
        "Mark every host that is shown; again: unmark them.",
        _mark_all,
    ),
    HarmlessCommand(
        Names("rs-copy", "y", "Copy the evidence"),
        "Copy the verdict under the cursor with its evidence to your terminal's clipboard.",
        _copy,
        needs(lambda page: page.matrix.check, _NOT_LOOKED),
    ),
    Command(
        Names("rs-transcript", "x", "Save the transcript"),
        "Write every command that was run on real servers in this session, and how it ended, "
        "to a new file in lvstui's state folder that only you can read. It holds no password.",
        _save_transcript,
        needs(lambda page: page.session.transcript is not None, "Nothing was run on a host yet."),
        "lvstui realserver look --transcript FILE",
    ),
)

REALSERVER_COMMANDS: tuple[Command[RealServersPage], ...] = (
    *_HOSTS,
    replace(
        FILTER,
        names=Names("rs-filter", "slash", "Filter", "filter"),
        help="Show only hosts that hold all the words you type: name, address, VIP, what is wrong. "
        "A leading ! hides what matches. Enter keeps the filter, Esc clears it.",
    ),
    HarmlessCommand(
        Names("rs-faults", "f", "Not good only", "not good"),
        "Only hosts that are not plainly good; again: everything.",
        lambda page: page.turn_faults(),
    ),
    replace(
        BACK,
        names=Names("rs-back", "escape", "Stop looking, clear filter and marks"),
        help="One step back: stop a look that is under way, then clear the filter, then "
        "not-good-only, then the marks.",
    ),
)
