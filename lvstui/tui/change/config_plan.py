"""A change of keepalived.conf in its dialog, until it is kept, undone or rolled back."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding, BindingType

from lvstui.model.say import plural
from lvstui.operations.change import Phase
from lvstui.operations.config_plan import ConfigPlan
from lvstui.session.config import ConfigSession
from lvstui.session.config_change import ConfigChange
from lvstui.tui.change.config_plan_text import outcome_bits, plan_bits, progress_bits
from lvstui.tui.change.dialog import ChangeScreen
from lvstui.tui.realservers.text import prose
from lvstui.tui.widgets.glyphs import Glyphs
from lvstui.tui.widgets.line import Bit

FORCE = "force"
"""What has to be typed to apply a plan with errors."""


class ConfigPlanScreen(ChangeScreen):
    """One of the session's changes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # No letter: a text for the reason may begin with any.
        Binding("ctrl+t", "unchecked", "Keep it even when a first check fails", show=False)
    ]
    STOPS = "stop: the old files are put back"

    def __init__(self, session: ConfigSession, change: ConfigChange) -> None:
        super().__init__(change, session.watchers)
        self._session = session

    @property
    def change(self) -> ConfigChange:
        """What is shown."""
        assert isinstance(self._change, ConfigChange)
        return self._change

    def on_mount(self) -> None:
        """The session need not tell what is seen here."""
        self._session.looked_at = self.change

    def on_unmount(self) -> None:
        """It has to, again."""
        if self._session.looked_at is self.change:
            self._session.looked_at = None

    def entered(self) -> None:
        """Its end is news no more."""
        if self.change.outcome is not None:
            self.console.unsettled.saw(self.change.outcome.id)

    @property
    def to_type(self) -> str:
        """With new errors, that they are meant."""
        plan = self.change.plan
        if plan is None:
            return ""
        return " ".join(filter(None, (plan.typed, FORCE if plan.to_force else "")))

    def bits(self, width: int, glyphs: Glyphs) -> list[Bit]:
        """Differences, findings and lines; then what was read back."""
        change = self.change
        if change.phase is Phase.PLANNED and change.plan is not None:
            return _forced(change.plan, width) + plan_bits(
                change.plan, width, glyphs, change.cautions
            )
        if change.outcome is not None:
            return outcome_bits(change.outcome, change.then, width, glyphs)
        return []

    def progress(self, width: int, glyphs: Glyphs) -> list[Bit]:
        """A line for each stage."""
        return progress_bits(self.change, self.seconds, width, glyphs)

    def again(self) -> ConfigChange:
        """From the files as they are now."""
        was = self.change
        change = self._session.plan(was.title, was.make, from_draft=was.from_draft)
        self._session.looked_at = change
        return change

    def begin(self) -> None:
        """With its errors, if that was typed."""
        plan = self.change.plan
        self._session.apply(
            self.change, self.reason, force=plan is not None and bool(plan.to_force)
        )

    def decide(self, *, keep: bool) -> None:
        """On all of its directors."""
        self._session.decide(self.change, keep=keep)

    def busy(self) -> str:
        """One piece of work at a time."""
        return self._session.under_way

    def action_unchecked(self) -> None:
        """Keep it even when the first check of a new server fails; again: do not."""
        plan = self.change.plan
        if self.change.phase is Phase.PLANNED and plan is not None and plan.unproven:
            self.change.plan = replace(plan, unchecked=not plan.unchecked)
            self.draw()


def _forced(plan: ConfigPlan, width: int) -> list[Bit]:
    if not plan.to_force or plan.refusals:
        return []
    count = plural(len(plan.to_force), "new error")
    text = f"{count}: this is applied only when you insist."
    return [*prose(text, "bold $sev-bad", width), ("\n", "")]
