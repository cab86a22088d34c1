"""Changing the configuration: into the draft, to a plan, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lvstui.tui.command import Command

if TYPE_CHECKING:
    from lvstui.tui.config.screen import ConfigScreen


class _Changing(Command["ConfigScreen"]):
    group = "Change"

    def why_not(self, screen: ConfigScreen) -> str:
        """There must be a text, and nothing else under way."""
        if screen.session.document is None:
            return screen.why_nothing()
        return screen.editing.actions.why_not()


class Add(_Changing):
    """Add a real server, a check, a VIP, a service, an instance or a script, by a form. What is
    offered depends on where the cursor is."""

    id = "config-add"
    keys = "a"
    label = "add"
    title = "Add …"

    def run(self, screen: ConfigScreen) -> None:
        """Choose what."""
        screen.editing.add()


class Change(_Changing):
    """Another value for the setting under the cursor; on a block, choose which of its settings."""

    id = "config-change"
    keys = "c"
    label = "change"
    title = "Change a value …"

    def why_not(self, screen: ConfigScreen) -> str:
        """There must be a block."""
        reason = super().why_not(screen)
        if reason:
            return reason
        return "" if screen.editing.spot.target else "No block with settings is here."

    def run(self, screen: ConfigScreen) -> None:
        """Open the form."""
        screen.editing.change()


class Remove(_Changing):
    """Take what is under the cursor out of the file: real server, check, service, VIP, instance,
    script. Only in the draft, until it is planned and applied."""

    id = "config-remove"
    keys = "x"
    label = "remove"
    title = "Remove"

    def why_not(self, screen: ConfigScreen) -> str:
        """There must be such a thing."""
        reason = super().why_not(screen)
        if reason:
            return reason
        spot = screen.editing.spot
        return "" if spot.removal else "What is here can only be removed with the text editor (i)."

    def run(self, screen: ConfigScreen) -> None:
        """Into the draft."""
        screen.editing.actions.remove(screen.editing.spot)


class _OnServer(_Changing):
    def why_not(self, screen: ConfigScreen) -> str:
        """There must be a real server."""
        reason = super().why_not(screen)
        spot = screen.editing.spot
        return reason or ("" if spot.server else "The cursor is on no real server.")


class DisableHere(_OnServer):
    """Switch the real server off in the file, with your name and the reason beside the line: it
    lasts over reloads and restarts, unlike a drain in the kernel."""

    id = "config-disable"
    keys = "b"
    title = "Disable in keepalived.conf (lasting)"

    def shell(self, screen: ConfigScreen) -> str:
        """The same."""
        return 'lvstui config disable ADDR:PORT --service "tcp VIP:PORT"'

    def run(self, screen: ConfigScreen) -> None:
        """Ask why."""
        spot = screen.editing.spot
        if spot.service is not None and spot.server is not None:
            screen.editing.actions.disable([(spot.service, spot.server)])


class EnableHere(_OnServer):
    """Give a real server that was disabled in the file back what it had."""

    id = "config-enable"
    keys = "B"
    title = "Enable in keepalived.conf"

    def shell(self, screen: ConfigScreen) -> str:
        """The same."""
        return 'lvstui config enable ADDR:PORT --service "tcp VIP:PORT"'

    def run(self, screen: ConfigScreen) -> None:
        """Into the draft."""
        spot = screen.editing.spot
        if spot.service is not None and spot.server is not None:
            screen.editing.actions.enable([(spot.service, spot.server)])


class EditText(_Changing):
    """Edit the whole file as text, here. Passwords are placeholders that are put back."""

    id = "config-edit"
    keys = "i"
    title = "Edit the text"

    def run(self, screen: ConfigScreen) -> None:
        """Open it."""
        screen.editing.edit_text(outside=False)


class EditOutside(_Changing):
    """Edit the whole file in your own editor ($VISUAL, $EDITOR); what you save goes into the
    draft. Passwords are placeholders that are put back."""

    id = "config-editor"
    keys = "E"
    title = "Edit in $EDITOR"

    def why_not(self, screen: ConfigScreen) -> str:
        """There must be one."""
        from lvstui.tui.config.editor import editor_command

        reason = super().why_not(screen)
        return reason or ("" if editor_command() else "No editor was found: set $EDITOR.")

    def run(self, screen: ConfigScreen) -> None:
        """Lend it the terminal."""
        screen.editing.edit_text(outside=True)


class UndoEdit(_Changing):
    """Undo the last change of the draft; without a draft your newest operation, whatever kind it
    was."""

    # It stands for the one of all screens.
    id = "undo"
    keys = "u"
    label = "undo"
    title = "Undo in the draft, else the newest operation"

    def why_not(self, screen: ConfigScreen) -> str:
        """While there is a draft, what keeps it from being worked on."""
        return super().why_not(screen) if screen.session.pending.undoable else ""

    def shell(self, screen: ConfigScreen) -> str:
        """That of the newest operation."""
        return "lvstui undo"

    def run(self, screen: ConfigScreen) -> None:
        """In a thread."""
        if screen.session.pending.undoable:
            screen.session.undo()
        else:
            screen.propose_undo()


class RedoEdit(_Changing):
    """Make the change again that was undone last in the draft."""

    id = "config-redo"
    keys = "U,ctrl+r"
    title = "Redo in the draft"

    def why_not(self, screen: ConfigScreen) -> str:
        """There must be one."""
        reason = super().why_not(screen)
        return reason or ("" if screen.session.pending.redoable else "Nothing was undone here.")

    def run(self, screen: ConfigScreen) -> None:
        """In a thread."""
        screen.session.redo()


class ShowDiff(Command["ConfigScreen"]):
    """What is in the draft and not on the disk: every change, and the text difference."""

    id = "config-diff"
    keys = "D"
    label = "diff"
    title = "Difference of the draft"
    group = "Change"
    changes = False

    def why_not(self, screen: ConfigScreen) -> str:
        """There must be one."""
        return "" if screen.session.pending.changed else "The draft is empty."

    def shell(self, screen: ConfigScreen) -> str:
        """Running against file."""
        return "lvstui config diff"

    def run(self, screen: ConfigScreen) -> None:
        """Open it."""
        screen.editing.show_diff()


class PlanDraft(_Changing):
    """Test everything in the draft and show what it would do; then apply it."""

    id = "config-plan"
    keys = "p"
    label = "plan"
    title = "Plan and apply the draft"

    def why_not(self, screen: ConfigScreen) -> str:
        """There must be something to plan."""
        reason = super().why_not(screen)
        if not reason and not screen.session.pending.changed:
            reason = "The draft is empty: a adds, c changes, x removes, i edits the text."
        return reason or screen.session.stale

    def shell(self, screen: ConfigScreen) -> str:
        """From files."""
        return "lvstui config apply FILE"

    def run(self, screen: ConfigScreen) -> None:
        """Open it."""
        screen.editing.actions.plan()


class History(Command["ConfigScreen"]):
    """What was changed through lvstui: when, by whom, why; the difference, and the way back."""

    id = "config-history"
    keys = "H"
    title = "History and rollback"
    group = "Change"
    changes = False

    def why_not(self, screen: ConfigScreen) -> str:
        """There must be an engine that is free."""
        if not screen.session.changeable:
            return "This is a recording: it has no history."
        return f"Wait for this: {screen.session.under_way}." if screen.session.under_way else ""

    def shell(self, screen: ConfigScreen) -> str:
        """The same."""
        return "lvstui config history"

    def run(self, screen: ConfigScreen) -> None:
        """Read it, then show it."""
        screen.editing.show_history()


class FirstConfiguration(Command["ConfigScreen"]):
    """The way from nothing to a working pair of directors in Direct Routing: asks for VIP,
    servers and checks, guesses the rest, shows both files and plans them."""

    id = "config-first"
    keys = "I"
    title = "First configuration …"
    group = "Change"

    def why_not(self, screen: ConfigScreen) -> str:
        """There must be an engine that is free."""
        return screen.editing.actions.why_not()

    def shell(self, screen: ConfigScreen) -> str:
        """The same."""
        return "lvstui config first"

    def run(self, screen: ConfigScreen) -> None:
        """Open the wizard."""
        screen.editing.actions.first()


class Discard(_Changing):
    """Forget everything that is in the draft."""

    id = "config-discard"
    keys = "X"
    title = "Discard the draft"

    def why_not(self, screen: ConfigScreen) -> str:
        """There must be one."""
        reason = super().why_not(screen)
        pending = screen.session.pending
        return reason or ("" if pending.titles or pending.redoable else "The draft is empty.")

    def run(self, screen: ConfigScreen) -> None:
        """Ask first."""
        screen.editing.ask_discard()


EDIT_COMMANDS: tuple[Command[Any], ...] = (
    Add(),
    Change(),
    Remove(),
    DisableHere(),
    EnableHere(),
    EditText(),
    EditOutside(),
    UndoEdit(),
    RedoEdit(),
    ShowDiff(),
    PlanDraft(),
    History(),
    FirstConfiguration(),
    Discard(),
)
