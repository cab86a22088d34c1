"""A plan before it is applied, while it is applied, and what came of it.

A key that changes something asks by showing what will happen. The focus starts on Cancel.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import replace

from textual.content import Content
from textual.widgets import Button, Static

from lvstui.model.keys import ServiceKey
from lvstui.model.picture import Picture
from lvstui.model.text import plain
from lvstui.operations.change import Outcome
from lvstui.operations.weights import SetWeight, WeightsPlan
from lvstui.tui.change.plan_form import PlanForm
from lvstui.tui.widgets.format import fit, width_of
from lvstui.tui.widgets.line import Bit

_MOST_TWINS = 3
_WIDTH = 100
"""Of the box, as the stylesheet has it."""
_BESIDE = 15
"""Cells of a line that frame, padding, mark and scroll bar take."""


class PlanScreen(PlanForm[bool]):
    """Shows a plan and applies it; True when it was applied."""

    def __init__(
        self, plan: WeightsPlan, make: Callable[[], WeightsPlan | None] | None = None
    ) -> None:
        """`make` plans anew when the kernel changed meanwhile."""
        super().__init__()
        self._plan = plan
        self._make = make
        self._stale = ""
        self._busy = False
        self._outcome: Outcome | None = None
        self._applied = False

    @property
    def plan(self) -> WeightsPlan:
        """What is shown."""
        return self._plan

    def heading(self) -> str:
        """The plan in one line."""
        return f"{self._plan.title}  on {self._plan.host}"

    @property
    def to_type(self) -> str:
        """What has to be typed before it is applied."""
        return self._plan.typed

    def keys(self) -> Sequence[tuple[str, str]]:
        """Those of an open plan, or only the way out."""
        if not self._open:
            return (("Esc", "close"),)
        return ("Esc n", "cancel"), ("y", "apply"), ("r", "again"), ("Tab", "reason, buttons")

    def on_mount(self) -> None:
        """Draw it, with nothing of the last one over its fields and buttons."""
        self.app.clear_notifications()
        self._draw()

    def on_screen_resume(self) -> None:
        """A question of a host may have been on top of it when it was done."""
        if self._applied:
            self.dismiss(True)

    def on_resize(self) -> None:
        """Wrap anew."""
        self._draw()

    @property
    def _open(self) -> bool:
        return not self._plan.refusals and self._outcome is None and not self._busy

    def _draw(self) -> None:
        plan = self._plan
        self.query_one("#plan-text", Static).update(self._content())
        open_ = self._open
        self.show_form(
            reason=open_,
            typed=open_ and bool(plan.typed),
            apply="" if plan.refusals or self._outcome is not None else "Apply",
            cancel="Cancel" if open_ else "Close",
        )
        self.query_one("#apply", Button).disabled = self._busy or bool(self._stale)

    def _content(self) -> Content:
        plan, glyphs = self._plan, self.console.glyphs
        bits: list[Bit] = []

        def section(title: str, lines: tuple[str, ...], mark: str, style: str) -> None:
            if lines:
                bits.append((f"\n{title}\n", "$lv-dim"))
                room = max(min(self.size.width, _WIDTH) - _BESIDE, 20)
                for line in lines:
                    bits.append((f"  {mark} ", style))
                    text = f"\n{' ' * (3 + width_of(mark))}".join(textwrap.wrap(line, room))
                    bits.append((text + "\n", style if style != "$lv-dim" else "$lv-text"))

        bits += self._steps()
        if self._outcome is not None:
            bits += self._result(self._outcome)
            return Content.assemble(*bits).rstrip()
        if plan.refusals:
            section("Refused", plan.refusals, glyphs.no, "$sev-bad")
        section("What it does", plan.effects, glyphs.dot, "$lv-dim")
        section("Know before you say yes", plan.cautions, glyphs.warn, "$sev-warn")
        if plan.steps and not plan.refusals:
            first = plan.steps[0]
            bits.append(("\nChecked by  ", "$lv-dim"))
            bits.append((first.verify + "\n", "$lv-text"))
            if first.undo:
                bits.append(("To undo     ", "$lv-dim"))
                bits.append((f"u ({first.undo})\n", "$lv-text"))
            twins = plan.shell_lines
            for index, line in enumerate(twins[:_MOST_TWINS]):
                bits.append(("On the shell  " if not index else " " * 14, "$lv-dim"))
                bits.append((line + "\n", "$lv-accent"))
            if len(twins) > _MOST_TWINS:
                bits.append((" " * 14 + f"… and {len(twins) - _MOST_TWINS} more\n", "$lv-dim"))
        if self._stale:
            bits.append((f"\n{glyphs.warn} {self._stale}\n", "bold $sev-warn"))
        if self._busy:
            bits.append(("\nApplying and reading back …  ", "bold $lv-accent"))
            bits.append(("it goes on when you close this.\n", "$lv-dim"))
        return Content.assemble(*bits).rstrip()

    def _steps(self) -> list[Bit]:
        """A table: server, weight before and after, grouped by service."""
        steps = self._plan.steps
        if not steps:
            return []
        arrow = self.console.glyphs.arrow
        picture = self.console.picture
        names: dict[SetWeight, str] = {}
        for step in steps:
            view = picture.server(step.service, step.server)
            names[step] = view.name if view is not None else ""
        wide = max(width_of(str(step.server)) for step in steps)
        wide_name = max((width_of(name) for name in names.values()), default=0)
        bits: list[Bit] = []
        service: ServiceKey | None = None
        for step in steps:
            if step.service != service:
                service = step.service
                found = picture.service(service)
                bits.append((f"{step.host} ", "$lv-dim"))
                bits.append((str(service), "bold $lv-text"))
                bits.append((f" {found.name if found else ''}\n", "$lv-dim"))
            bits.append((f"  {fit(str(step.server), wide)}  ", "bold $lv-accent"))
            bits.append((fit(names[step], wide_name) + "  ", "$lv-dim"))
            bits.append(("kernel weight ", "$lv-dim"))
            bits.append((f"{step.before:>3} ", "$lv-text"))
            bits.append((f"{arrow} ", "$lv-dim"))
            same = step.before == step.after
            bits.append((f"{step.after}", "bold $lv-text"))
            bits.append(("  (as it is)\n" if same else "\n", "$lv-dim"))
        return bits

    def _result(self, outcome: Outcome) -> list[Bit]:
        glyphs = self.console.glyphs
        bits: list[Bit] = [(f"\n{glyphs.no} {outcome.text}\n", "bold $sev-bad")]
        for result in outcome.results:
            bits.append((f"  {glyphs.yes if result.ok else glyphs.no} ", "bold $sev-bad"))
            if result.ok:
                bits[-1] = (bits[-1][0], "$sev-good")
            bits.append((f"{result.what}", "$lv-text"))
            bits.append((f"  read back: {result.seen}\n", "$lv-dim" if result.ok else "$sev-bad"))
        return bits

    def show_picture(self, picture: Picture) -> None:
        """The kernel may have changed under an open plan: then it is no longer true."""
        if self._busy or self._outcome is not None or self._stale:
            return
        for step in self._plan.steps:
            view = picture.server(step.service, step.server)
            now = view.weights.kernel if view is not None else None
            if now != step.before and not (now is None and step.before == 0):
                said = "gone from the kernel" if now is None else f"weight {now}"
                self._stale = f"{step.server} is {said} meanwhile; r plans again."
                self._draw()
                return

    # Deciding

    def action_again(self) -> None:
        """WeightsPlan anew from what is true now."""
        plan = self._make() if self._make is not None else None
        if plan is not None and not self._busy and self._outcome is None:
            self._plan, self._stale = plan, ""
            self._draw()

    def leave(self) -> None:
        """Cancel, or close when it is done."""
        self.dismiss(self._busy or self._outcome is not None)

    def action_apply(self) -> None:
        """Apply it, unless something is in the way."""
        plan = self._plan
        if self._busy or self._outcome is not None or plan.refusals:
            return
        if self._stale:
            self.notify(self._stale, severity="warning", markup=False)
            return
        if not self.typed_rightly():
            return
        self._plan = replace(plan, reason=self.reason)
        self._busy = True
        self.start()
        self._draw()
        self.console.carry_out(self._plan, self._finished)

    def _finished(self, outcome: Outcome | Exception) -> bool:
        """On the UI's thread; False when this does not show it: a notification has to.

        What went as planned needs no box; what did not stays until it was read.
        """
        if not self.whole or self not in self.app.screen_stack:
            return False
        if isinstance(outcome, Outcome) and outcome.ok:
            self._applied = True
            self.dismiss(True)
            return False
        self._busy = False
        if isinstance(outcome, Outcome):
            self._outcome = outcome
        else:
            text = plain(str(outcome) or type(outcome).__name__)
            self._plan = replace(self._plan, refusals=(f"It failed: {text}",))
        self._draw()
        return True
