"""What can be done with real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lvstui.tui.command import Command

if TYPE_CHECKING:
    from lvstui.tui.realservers.screen import RealServersScreen

NO_WAY = "No host can be asked from here: this is a recording."


class _OnHosts(Command["RealServersScreen"]):
    group = "Real servers"
    word = ""
    options = ""
    everybody = False
    """Without marks it means all hosts."""

    def why_not(self, screen: RealServersScreen) -> str:
        """There must be a way to ask, somebody to ask, and nothing else under way."""
        if not screen.session.possible:
            return NO_WAY
        if not screen.targets():
            return "There is no real server here."
        if screen.session.under_way:
            return f"Wait for this: {screen.session.under_way}."
        return ""

    def shell(self, screen: RealServersScreen) -> str:
        """For the same hosts."""
        if not self.word:
            return ""
        hosts = screen.marked() if self.everybody else screen.targets()
        names = " ".join(host.label for host in hosts) or ("" if self.everybody else "HOST")
        return " ".join(f"lvstui realserver {self.word} {names} {self.options}".split())


class Look(_OnHosts):
    """Look at the marked hosts, or at all, over SSH and from this director: what they have and
    whether Direct Routing works with it. Changes nothing. A second look shows what became worse."""

    id = "refresh"
    keys = "r,L,f5"
    label = "look"
    title = "Look at real servers"
    word = "look"
    everybody = True
    changes = False

    def run(self, screen: RealServersScreen) -> None:
        """Start it."""
        screen.look()


class Verify(_OnHosts):
    """Look again at the marked hosts, or at all, and say how many are as they have to be."""

    id = "rs-verify"
    keys = "v"
    label = "verify"
    title = "Verify real servers"
    word = "verify"
    everybody = True
    changes = False

    def run(self, screen: RealServersScreen) -> None:
        """Start it."""
        screen.verify()


class PushHosts(_OnHosts):
    """Give the marked hosts (or the one under the cursor) the VIP on lo and ARP silence, now and
    after a reboot. Shows the plan first; each host goes back by itself unless it is proven."""

    id = "rs-push"
    keys = "p"
    label = "push"
    title = "Push to real servers"
    word = "push"

    def run(self, screen: RealServersScreen) -> None:
        """Show the plan."""
        screen.propose("push")


class UndoHosts(_OnHosts):
    """Take lvstui's work off the marked hosts (or the one under the cursor); shows the plan
    first."""

    id = "rs-undo"
    keys = "U"
    label = "undo"
    title = "Undo on real servers"
    word = "undo"

    def run(self, screen: RealServersScreen) -> None:
        """Show the plan."""
        screen.propose("undo")


class Reboot(_OnHosts):
    """Start the marked hosts (or the one under the cursor) anew, one after the other, and look
    whether everything is there again. Their names have to be typed."""

    id = "rs-reboot"
    keys = "R"
    title = "Reboot and verify"
    word = "verify"
    options = "--reboot"

    def run(self, screen: RealServersScreen) -> None:
        """Ask first."""
        screen.ask_reboot()


class TakeBack(_OnHosts):
    """Take back a change that was cut half way on the marked hosts (or the one under the cursor),
    because the host went down in it."""

    id = "rs-unfinished"
    keys = "t"
    title = "Take back what is unfinished"
    word = "undo"
    options = "--unfinished"

    def why_not(self, screen: RealServersScreen) -> str:
        """Something must be unfinished there."""
        reason = super().why_not(screen)
        if reason:
            return reason
        rows = [screen.session.rows.get(host.address) for host in screen.targets()]
        if any(row and row.facts and row.facts.unfinished is not None for row in rows):
            return ""
        return "No unfinished change was seen there."

    def run(self, screen: RealServersScreen) -> None:
        """Do it."""
        screen.take_back()


class LastResult(Command["RealServersScreen"]):
    """Open the last push or undo again: its progress, or what came of it."""

    id = "rs-last"
    keys = "o"
    title = "Open the last push or undo"
    group = "Real servers"
    changes = False

    def why_not(self, screen: RealServersScreen) -> str:
        """There must be one."""
        return (
            "" if screen.session.change is not None else "Nothing was pushed in this session yet."
        )

    def run(self, screen: RealServersScreen) -> None:
        """Open it."""
        screen.open_last()


class Evidence(Command["RealServersScreen"]):
    """Everything that the look saw of the host under the cursor: each check with its evidence."""

    id = "rs-evidence"
    keys = "enter"
    label = "evidence"
    title = "Evidence"
    group = "Real servers"
    changes = False

    def why_not(self, screen: RealServersScreen) -> str:
        """It must have been looked at."""
        return "" if screen.look_here() is not None else "It was not looked at yet: r looks."

    def shell(self, screen: RealServersScreen) -> str:
        """The same."""
        here = screen.here()
        return f"lvstui realserver look {here.label if here else 'HOST'} --verbose"

    def run(self, screen: RealServersScreen) -> None:
        """Open it."""
        screen.open_evidence()


class MarkHost(Command["RealServersScreen"]):
    """Mark the host under the cursor; keys then act on all marked ones."""

    id = "rs-mark"
    keys = "space"
    label = "mark"
    title = "Mark"
    group = "Real servers"
    changes = False

    def why_not(self, screen: RealServersScreen) -> str:
        """There must be one."""
        return "" if screen.here() is not None else "There is nothing to mark."

    def run(self, screen: RealServersScreen) -> None:
        """Mark and go on to the next host."""
        matrix = screen.matrix
        line = matrix.line
        if line is None:
            return
        matrix.mark({line.address}, line.address not in matrix.marks)
        while matrix.line is not None and matrix.line.address == line.address:
            before = matrix.line
            matrix.action_move(1)
            if matrix.line is before:
                break


class MarkAllHosts(Command["RealServersScreen"]):
    """Mark every host that is shown; again: unmark them."""

    id = "rs-mark-all"
    keys = "V,asterisk"
    title = "Mark all shown"
    group = "Real servers"
    changes = False

    def run(self, screen: RealServersScreen) -> None:
        """Mark or unmark."""
        shown = {line.address for line in screen.matrix.lines}
        screen.matrix.mark(shown, bool(shown - screen.matrix.marks))


class FilterHosts(Command["RealServersScreen"]):
    """Show only hosts that hold all the words you type: name, address, VIP, what is wrong. A
    leading ! hides what matches. Enter keeps the filter, Esc clears it."""

    id = "rs-filter"
    keys = "slash"
    label = "filter"
    title = "Filter"
    changes = False

    def run(self, screen: RealServersScreen) -> None:
        """Open the input."""
        screen.open_filter()


class NotGood(Command["RealServersScreen"]):
    """Only hosts that are not plainly good; again: everything."""

    id = "rs-faults"
    keys = "f"
    label = "not good"
    title = "Not good only"
    changes = False

    def run(self, screen: RealServersScreen) -> None:
        """Turn it round."""
        screen.turn_faults()


class BackHosts(Command["RealServersScreen"]):
    """One step back: stop a look that is under way, then clear the filter, then not-good-only,
    then the marks."""

    id = "rs-back"
    keys = "escape"
    title = "Stop looking, clear filter and marks"
    changes = False

    def run(self, screen: RealServersScreen) -> None:
        """Undo the narrowest of what is set."""
        screen.step_back()


class SaveTranscript(Command["RealServersScreen"]):
    """Write every command that was run on real servers in this session, and how it ended, to a
    new file in lvstui's state folder that only you can read. It holds no password."""

    id = "rs-transcript"
    keys = "x"
    title = "Save the transcript"
    group = "Real servers"

    def why_not(self, screen: RealServersScreen) -> str:
        """Something must have been run."""
        return "" if screen.session.transcript is not None else "Nothing was run on a host yet."

    def shell(self, screen: RealServersScreen) -> str:
        """The twin."""
        return "lvstui realserver look --transcript FILE"

    def run(self, screen: RealServersScreen) -> None:
        """In a thread."""
        screen.save_transcript()


class CopyCell(Command["RealServersScreen"]):
    """Copy the verdict under the cursor with its evidence to your terminal's clipboard."""

    id = "rs-copy"
    keys = "y"
    title = "Copy the evidence"
    group = "Real servers"
    changes = False

    def why_not(self, screen: RealServersScreen) -> str:
        """There must be a verdict."""
        return "" if screen.matrix.check is not None else "It was not looked at yet: r looks."

    def run(self, screen: RealServersScreen) -> None:
        """Through OSC 52."""
        check, line = screen.matrix.check, screen.matrix.line
        if check is not None and line is not None:
            head = f"{line.label} {line.vip} {check.id} {check.verdict.value}: {check.says}"
            screen.copy("\n".join([head, *check.evidence, *([check.fix] if check.fix else [])]))


REALSERVER_COMMANDS: tuple[Command[Any], ...] = (
    Look(),
    PushHosts(),
    Verify(),
    UndoHosts(),
    Evidence(),
    LastResult(),
    Reboot(),
    TakeBack(),
    MarkHost(),
    MarkAllHosts(),
    CopyCell(),
    SaveTranscript(),
    FilterHosts(),
    NotGood(),
    BackHosts(),
)
