"""A plan for the configuration, while it is applied, and until it is kept or taken back.

It shows a `ConfigChange` of the desk and can be closed and opened at any time: the work and the
timer go on. The focus starts on Cancel.
"""

from __future__ import annotations

import time
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, Input, Static

from lvstui.model.text import plain
from lvstui.operations.config_plan import ConfigPlan
from lvstui.screens.config_change import ConfigChange, Phase
from lvstui.screens.config_desk import ConfigDesk
from lvstui.screens.config_plan_text import outcome_bits, plan_bits, progress_bits
from lvstui.screens.dialog import BUTTON_KEYS, PAGE_KEYS, Dialog, keys_line, plan_form
from lvstui.screens.realserver_text import prose
from lvstui.widgets.format import plural
from lvstui.widgets.line import Bit

_WIDTH, _BESIDE = 116, 12
"""Of the box as the stylesheet has it, and of what is beside its text."""
FORCE = "force"
"""What has to be typed to apply a plan with errors."""


class ConfigPlanScreen(Dialog[None]):
    """Follows one change to its end."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "yes", "Apply, keep", show=False),
        Binding("n", "leave", "Cancel", show=False),
        Binding("b", "back", "Take back now", show=False),
        Binding("r", "again", "Plan again", show=False),
        *BUTTON_KEYS,
        *PAGE_KEYS,
    ]
    AUTO_FOCUS = "#cancel"
    SCROLLS = "#plan-scroll"

    def __init__(self, desk: ConfigDesk, change: ConfigChange) -> None:
        super().__init__()
        self._desk = desk
        self.change = change
        """What is shown."""
        self._drawn: Phase | None = None

    def heading(self) -> str:
        """The change in one line."""
        return plain(self.change.title)

    def body(self) -> ComposeResult:
        """The text, then reason and typed confirmation as needed, then the buttons."""
        yield from plan_form()

    def on_mount(self) -> None:
        """Follow the desk."""
        self.app.clear_notifications()
        self._desk.watchers.append(self.draw)
        self._desk.looked_at = self.change
        self.query_one("#reason", Input).value = self.change.reason
        self.set_interval(1.0, self._tick)
        self.draw()

    def on_unmount(self) -> None:
        """Follow it no more."""
        if self.draw in self._desk.watchers:
            self._desk.watchers.remove(self.draw)
        if self._desk.looked_at is self.change:
            self._desk.looked_at = None

    def on_resize(self) -> None:
        """Wrap anew."""
        self.draw()

    def _tick(self) -> None:
        if self.change.phase in (Phase.RUNNING, Phase.WAITING):
            self.draw()

    def draw(self) -> None:
        """Show how far it is."""
        if not self.is_mounted:
            return
        change = self.change
        open_ = change.phase is Phase.PLANNED and change.ready
        waits = change.phase is Phase.WAITING
        width = max(min(self.size.width - 4, _WIDTH) - _BESIDE, 30)
        self.query_one("#plan-text", Static).update(Content.assemble(*self._bits(width)).rstrip())
        self.query_one("#reason-line").display = open_
        typed = self._typed
        self.query_one("#typed-line").display = open_ and bool(typed)
        if typed:
            label = Content.assemble(("Type ", ""), (typed, "bold"), (" to confirm ", ""))
            self.query_one("#typed-label", Static).update(label)
        yes = self.query_one("#apply", Button)
        yes.display = open_ or waits
        yes.label = Content("Keep it" if waits else "Apply")
        no = "Take back" if waits else "Cancel" if open_ else "Close"
        self.query_one("#cancel", Button).label = Content(no)
        self.query_one("#dialog-keys", Static).update(keys_line(self._keys()))
        if self._drawn is not change.phase:
            self._drawn = change.phase
            self.query_one("#plan-scroll").scroll_home(animate=False)
            if waits:
                # To keep needs a key; Enter on whatever has the focus must decide nothing.
                self.set_focus(None)
            else:
                self.query_one("#cancel").focus()
        self.fit_height()

    @property
    def _typed(self) -> str:
        """What has to be typed before it is applied."""
        plan = self.change.plan
        if plan is None:
            return ""
        return " ".join(filter(None, (plan.typed, FORCE if plan.to_force else "")))

    def _keys(self) -> tuple[tuple[str, str], ...]:
        phase = self.change.phase
        if phase is Phase.PLANNED and self.change.ready:
            return (("y", "apply"), ("n Esc", "cancel"), ("j k", "scroll"), ("r", "again"),
                    ("Tab", "reason, buttons"))  # fmt: skip
        if phase is Phase.WAITING:
            return ("y", "keep"), ("b", "take back now"), ("Esc", "close: the timer goes on")
        if phase in (Phase.RUNNING, Phase.PLANNING, Phase.DECIDING):
            return (("Esc", "close: it goes on"),)
        return ("j k", "scroll"), ("r", "plan again"), ("Esc", "close")

    def _bits(self, width: int) -> list[Bit]:
        change, glyphs = self.change, self.console.glyphs
        if change.problem:
            return prose(change.problem, "bold $sev-bad", width, f"{glyphs.no} ")
        if change.phase is Phase.PLANNED and change.plan is not None:
            return _forced(change.plan, width) + plan_bits(
                change.plan, width, glyphs, change.cautions
            )
        if change.phase in (Phase.WAITING, Phase.ENDED) and change.outcome is not None:
            return outcome_bits(change.outcome, change.then, width, glyphs)
        seconds = time.monotonic() - change.started if change.started else 0.0
        return progress_bits(change, seconds, width, glyphs)

    # Deciding

    def action_again(self) -> None:
        """Plan anew from what is true now."""
        if self.change.phase in (Phase.PLANNED, Phase.ENDED) and self._free():
            self.change = self._desk.plan(self.change.title, self.change.make,
                                          from_draft=self.change.from_draft)  # fmt: skip
            self._desk.looked_at = self.change
            self.draw()

    def _free(self) -> bool:
        if self._desk.under_way:
            self.notify(f"Wait for this: {self._desk.under_way}.", severity="warning", markup=False)
        return not self._desk.under_way

    def action_back(self) -> None:
        """Take it back now."""
        if self.change.phase is Phase.WAITING and self._free():
            self._desk.decide(self.change, keep=False)

    def action_yes(self) -> None:
        """Apply it, or keep what was applied."""
        change = self.change
        if change.phase is Phase.WAITING:
            if self._free():
                self._desk.decide(change, keep=True)
            return
        if change.phase is not Phase.PLANNED or not change.ready or not self._free():
            return
        typed = self._typed
        if typed and self.query_one("#typed", Input).value.split() != typed.split():
            self.notify(f"Type {typed} to confirm: this is not an everyday step.",
                        severity="warning", markup=False)  # fmt: skip
            self.query_one("#typed", Input).focus()
            return
        reason = plain(self.query_one("#reason", Input).value.strip())
        plan = change.plan
        self._desk.apply(change, reason, force=plan is not None and bool(plan.to_force))

    @on(Button.Pressed, "#apply")
    def _apply_pressed(self) -> None:
        self.action_yes()

    @on(Button.Pressed, "#cancel")
    def _cancel_pressed(self) -> None:
        if self.change.phase is Phase.WAITING:
            self.action_back()
        else:
            self.action_leave()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        """Enter in a field goes on to the next thing; it never applies by itself."""
        event.stop()
        if event.input.id == "reason" and self._typed:
            self.query_one("#typed", Input).focus()
        else:
            self.query_one("#apply", Button).focus()


def _forced(plan: ConfigPlan, width: int) -> list[Bit]:
    if not plan.to_force or plan.refusals:
        return []
    count = plural(len(plan.to_force), "new error")
    text = f"{count}: this is applied only when you insist."
    return [*prose(text, "bold $sev-bad", width), ("\n", "")]
