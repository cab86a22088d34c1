"""A plan for the configuration, while it is applied, and until it is kept, undone or rolled back.

It shows a `ConfigChange` of the desk and can be closed and opened at any time: the work and the
timer go on. The focus starts on Cancel.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, Static

from lvstui.model.text import plain
from lvstui.operations.change import Phase
from lvstui.operations.config_plan import ConfigPlan
from lvstui.tui.change.config_change import ConfigChange
from lvstui.tui.change.config_plan_text import outcome_bits, plan_bits, progress_bits
from lvstui.tui.change.plan_form import PlanForm
from lvstui.tui.config.desk import ConfigDesk
from lvstui.tui.dialog import PAGE_KEYS
from lvstui.tui.realservers.text import prose
from lvstui.tui.widgets.format import plural
from lvstui.tui.widgets.line import Bit

_WIDTH, _BESIDE = 116, 12
"""Of the box as the stylesheet has it, and of what is beside its text."""
FORCE = "force"
"""What has to be typed to apply a plan with errors."""


class ConfigPlanScreen(PlanForm[None]):
    """Follows one change to its end."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "back", "Undo now", show=False),
        # No letter: a text for the reason may begin with any.
        Binding("ctrl+t", "unchecked", "Keep it even when a first check fails", show=False),
        *PAGE_KEYS,
    ]

    def __init__(self, desk: ConfigDesk, change: ConfigChange) -> None:
        super().__init__()
        self._desk = desk
        self.change = change
        """What is shown."""
        self._drawn: Phase | None = None

    def heading(self) -> str:
        """The change in one line."""
        return plain(self.change.title)

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
        if not self.whole:
            return
        change = self.change
        waits = change.phase is Phase.WAITING
        open_ = self._open
        width = max(min(self.size.width - 4, _WIDTH) - _BESIDE, 30)
        self.query_one("#plan-text", Static).update(Content.assemble(*self._bits(width)).rstrip())
        self.show_form(
            # What is typed while it is being planned has to have a place.
            reason=open_ or change.phase is Phase.PLANNING,
            typed=open_ and bool(self.to_type),
            apply="Keep it" if waits else "Apply" if open_ else "",
            cancel="Undo" if waits else "Cancel" if open_ else "Close",
        )
        if self._drawn is not change.phase:
            self._drawn = change.phase
            if change.outcome is not None:
                self.console.unsettled.saw(change.outcome.id)
            self.query_one("#plan-scroll").scroll_home(animate=False)
            if waits:
                # To keep needs a key; Enter on whatever has the focus must decide nothing.
                self.set_focus(None)
            elif not isinstance(self.focused, Input):
                self.start()

    @property
    def _open(self) -> bool:
        return self.change.phase is Phase.PLANNED and self.change.ready

    @property
    def to_type(self) -> str:
        """What has to be typed before it is applied."""
        plan = self.change.plan
        if plan is None:
            return ""
        return " ".join(filter(None, (plan.typed, FORCE if plan.to_force else "")))

    def keys(self) -> Sequence[tuple[str, str]]:
        """Those of the phase."""
        phase = self.change.phase
        if self._open:
            return (
                ("Esc n", "cancel"),
                ("y", "apply"),
                ("r", "again"),
                ("j k", "scroll"),
                ("Tab", "reason, buttons"),
            )
        if phase is Phase.WAITING:
            return ("Esc", "close: the timer goes on"), ("y", "keep"), ("b", "undo now")
        if phase in (Phase.RUNNING, Phase.PLANNING, Phase.DECIDING):
            return (("Esc", "close: it goes on"),)
        return ("Esc", "close"), ("j k", "scroll"), ("r", "plan again")

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
            self.change = self._desk.plan(
                self.change.title, self.change.make, from_draft=self.change.from_draft
            )
            self._desk.looked_at = self.change
            self.draw()

    def action_unchecked(self) -> None:
        """Keep it even when the first check of a new server fails; again: do not."""
        plan = self.change.plan
        if self.change.phase is Phase.PLANNED and plan is not None and plan.unproven:
            self.change.plan = replace(plan, unchecked=not plan.unchecked)
            self.draw()

    def _free(self) -> bool:
        if self._desk.under_way:
            self.notify(f"Wait for this: {self._desk.under_way}.", severity="warning", markup=False)
        return not self._desk.under_way

    def action_back(self) -> None:
        """Undo it now."""
        if self.change.phase is Phase.WAITING and self._free():
            self._desk.decide(self.change, keep=False)

    def action_apply(self) -> None:
        """Apply it, or keep what was applied."""
        change = self.change
        if change.phase is Phase.WAITING:
            if self._free():
                self._desk.decide(change, keep=True)
            return
        if change.phase is not Phase.PLANNED or not change.ready or not self._free():
            return
        if not self.typed_rightly():
            return
        plan = change.plan
        self._desk.apply(change, self.reason, force=plan is not None and bool(plan.to_force))

    def cancel(self) -> None:
        """Take it back while it waits to be kept; else close."""
        if self.change.phase is Phase.WAITING:
            self.action_back()
        else:
            self.leave()


def _forced(plan: ConfigPlan, width: int) -> list[Bit]:
    if not plan.to_force or plan.refusals:
        return []
    count = plural(len(plan.to_force), "new error")
    text = f"{count}: this is applied only when you insist."
    return [*prose(text, "bold $sev-bad", width), ("\n", "")]
