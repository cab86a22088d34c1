"""The form that every plan is confirmed with, and what its keys mean.

Two keys apply a plan, so a letter of a text must never be one of them: what is typed belongs to
the reason as soon as it looks like text, and from then on until Enter or Esc.
"""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.events import Key
from textual.widgets import Button, Input, Static

from lvstui.model.text import plain
from lvstui.tui.dialog import Dialog
from lvstui.tui.live import Result

_DECIDE = frozenset("ynqbs")
"""Letters that apply, keep, take back, stop or leave: only when they stand alone."""


class PlanForm(Dialog[Result]):
    """A dialog with the text of a plan, a reason, a typed confirmation when it needs one, and the
    buttons Cancel and Apply. The focus starts on Cancel; Tab goes to the reason first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "apply", "Apply", show=False),
        Binding("n", "leave", "Cancel", show=False),
        Binding("r", "again", "Plan again", show=False),
        Binding("tab", "onward", "Reason, then buttons", show=False),
        Binding("left,h,right,l", "other_button", "The other button", show=False),
    ]
    AUTO_FOCUS = "#cancel"
    SCROLLS = "#plan-scroll"

    _fresh = True
    """The focus is where it was put, not where the operator moved it."""
    _burst = ""
    """Keys of the dialog that came one close after the other, the last of them just now: the
    beginning of a text, if the next one is no key of the dialog."""

    def body(self) -> ComposeResult:
        """The text, then reason and typed confirmation as needed, then the buttons."""
        with VerticalScroll(id="plan-scroll", can_focus=False):
            yield Static(id="plan-text", markup=False)
        with Horizontal(id="reason-line", classes="field"):
            # Brackets: a field has to look like one without colours too, and while it is empty.
            yield Static("Reason [", markup=False)
            yield Input(
                placeholder="optional, for the audit log", id="reason", select_on_focus=False
            )
            yield Static("]", markup=False)
        with Horizontal(id="typed-line", classes="field"):
            yield Static("", id="typed-label", markup=False)
            yield Input(id="typed", select_on_focus=False)
            yield Static("]", markup=False)
        with Horizontal(id="buttons"):
            yield Button("Cancel", id="cancel", compact=True)
            yield Button("Apply", id="apply", compact=True)

    @property
    def to_type(self) -> str:
        """What has to be typed before it is applied; empty: nothing."""
        return ""

    @property
    def reason(self) -> str:
        """What was typed as the reason."""
        return plain(self.query_one("#reason", Input).value.strip())

    def show_form(self, *, reason: bool, typed: bool, apply: str, cancel: str) -> None:
        """Show the fields that are asked for now, and the buttons by these names; an empty one is
        not there."""
        self.query_one("#reason-line").display = reason
        self.query_one("#typed-line").display = typed
        label = Content.assemble(("Type ", ""), (self.to_type, "bold"), (" to confirm [", ""))
        self.query_one("#typed-label", Static).update(label)
        for id_, name in (("#apply", apply), ("#cancel", cancel)):
            button = self.query_one(id_, Button)
            button.label = Content(name)
            button.display = bool(name)
        if isinstance(self.focused, Input) and not self._is_open(self.focused):
            self.start()
        self.show_keys()

    def start(self) -> None:
        """The focus is on Cancel, as at the beginning."""
        self.set_focus(self.query_one("#cancel"))
        self._fresh = True

    def typed_rightly(self) -> bool:
        """Whether what has to be typed is typed; if not the operator is told, in that field."""
        field = self.query_one("#typed", Input)
        if field.value.split() == self.to_type.split():
            return True
        self.notify(
            f"Type {self.to_type} to confirm: this is not an everyday step.",
            severity="warning",
            markup=False,
        )
        self.set_focus(field)
        return False

    # What is typed

    def take_key(self, event: Key, calm: bool) -> bool:
        """Text goes to the reason. A key that decides does so alone; Enter presses Apply alone."""
        if isinstance(self.focused, Input):
            return False
        if event.key == "enter":
            return not calm and self.focused is self.query_one("#apply")
        if not event.is_printable or event.character is None:
            return False
        known = any(
            event.key in bindings.key_to_bindings for node, bindings in self._modal_binding_chain
        )
        if known and (calm or event.character not in _DECIDE):
            self._burst = (self._burst if not calm else "") + event.character
            return False
        begun, self._burst = "" if calm else self._burst, ""
        self.take_text(begun + event.character)
        return True

    def take_text(self, text: str) -> bool:
        """Into the field that has the focus, or else into the reason; lines become one."""
        field = self.focused
        if not isinstance(field, Input):
            field = self.query_one("#reason", Input)
            if not self._is_open(field):
                return True
            self.set_focus(field)
            field.cursor_position = len(field.value)
        field.insert_text_at_cursor(" ".join(text.splitlines()))
        return True

    def _is_open(self, field: Input) -> bool:
        return all(node.display for node in (field, field.parent) if node is not None)

    def action_onward(self) -> None:
        """To the reason first, then in the order of the screen."""
        field = self.query_one("#reason", Input)
        if self._fresh and not isinstance(self.focused, Input) and self._is_open(field):
            self.set_focus(field)
        else:
            self.focus_next()
        self._fresh = False

    def action_other_button(self) -> None:
        """From Cancel to Apply, or back."""
        here = self.query_one("#cancel", Button)
        there = self.query_one("#apply", Button)
        self.set_focus(there if self.focused is here and there.focusable else here)

    def action_leave(self) -> None:
        """Out of a field, keeping its text; or out of the dialog."""
        if isinstance(self.focused, Input):
            self.start()
        else:
            self.leave()

    def leave(self) -> None:
        """Close it, whatever goes on."""
        self.dismiss(None)

    def cancel(self) -> None:
        """The button beside Apply."""
        self.leave()

    def action_apply(self) -> None:
        """Apply it, unless something is in the way."""
        raise NotImplementedError

    def action_again(self) -> None:
        """Plan anew from what is true now."""
        raise NotImplementedError

    @on(Button.Pressed, "#apply")
    def _apply_pressed(self) -> None:
        self.action_apply()

    @on(Button.Pressed, "#cancel")
    def _cancel_pressed(self) -> None:
        self.cancel()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        """Enter in a field goes on to the next thing; it never applies by itself."""
        event.stop()
        typed = self.to_type and event.input.id == "reason"
        self.set_focus(self.query_one("#typed" if typed else "#apply"))
