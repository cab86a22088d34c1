"""A plan before it is applied, while it is applied, and what came of it.

A key that changes something asks by showing what will happen. The focus starts on Cancel.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, Input, Static

from lvstui.commands.servers import plan_twins
from lvstui.model.keys import ServiceKey
from lvstui.model.picture import Picture
from lvstui.model.text import plain
from lvstui.operations.plan import Outcome, Plan, Step
from lvstui.screens.dialog import BUTTON_KEYS, Dialog, plan_form
from lvstui.widgets.format import fit, plural, width_of
from lvstui.widgets.line import Bit

_MOST_TWINS = 3
_WIDTH = 100
"""Of the box, as the stylesheet has it."""
_BESIDE = 15
"""Cells of a line that frame, padding, mark and scroll bar take."""


class PlanScreen(Dialog[bool]):
    """Shows a plan and applies it; True when it was applied."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "apply", "Apply", show=False),
        Binding("n", "leave", "Cancel", show=False),
        Binding("r", "again", "Plan again", show=False),
        *BUTTON_KEYS,
    ]
    KEYS = (("y", "apply"), ("n Esc", "cancel"), ("Tab", "reason, buttons"))
    AUTO_FOCUS = "#cancel"
    SCROLLS = "#plan-scroll"

    def __init__(self, plan: Plan, make: Callable[[], Plan | None] | None = None) -> None:
        """`make` plans anew when the kernel changed meanwhile."""
        super().__init__()
        self._plan = plan
        self._make = make
        self._stale = ""
        self._busy = False
        self._outcome: Outcome | None = None

    @property
    def plan(self) -> Plan:
        """What is shown."""
        return self._plan

    def heading(self) -> str:
        """The plan in one line."""
        return f"{self._plan.title}  on {self._plan.host}"

    def body(self) -> ComposeResult:
        """The plan, then reason and typed confirmation as needed, then the buttons."""
        yield from plan_form()

    def on_mount(self) -> None:
        """Draw it, with nothing of the last one over its fields and buttons."""
        self.app.clear_notifications()
        self._draw()

    def on_resize(self) -> None:
        """Wrap anew."""
        self._draw()

    def _draw(self) -> None:
        plan = self._plan
        self.query_one("#plan-text", Static).update(self._content())
        done = self._outcome is not None
        open_ = not plan.refusals and not done and not self._busy
        self.query_one("#reason-line").display = open_ and plan.operation != "undo"
        self.query_one("#typed-line").display = open_ and bool(plan.typed)
        if plan.typed:
            label = Content.assemble(("Type ", ""), (plan.typed, "bold"), (" to confirm ", ""))
            self.query_one("#typed-label", Static).update(label)
        apply = self.query_one("#apply", Button)
        apply.display = not plan.refusals and not done
        apply.disabled = self._busy or bool(self._stale)
        cancel = self.query_one("#cancel", Button)
        cancel.label = Content("Close" if plan.refusals or done or self._busy else "Cancel")
        keys = self.query_one("#dialog-keys", Static)
        keys.display = open_
        self.fit_height()

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
            twins = plan_twins(plan)
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
        names: dict[Step, str] = {}
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
            seen = "gone" if result.seen is None else f"weight {result.seen}"
            line_style = "$sev-good" if result.ok else "$sev-bad"
            bits.append((f"  {glyphs.yes if result.ok else glyphs.no} ", line_style))
            bits.append((f"{result.step.server}", "$lv-text"))
            bits.append((f"  read back: {seen}", "$lv-dim"))
            bits.append((f"  {result.error}\n" if result.error else "\n", "$sev-bad"))
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
        """Plan anew from what is true now."""
        plan = self._make() if self._make is not None else None
        if plan is not None and not self._busy and self._outcome is None:
            self._plan, self._stale = plan, ""
            self._draw()

    def action_leave(self) -> None:
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
        if plan.typed and self.query_one("#typed", Input).value.strip() != plan.typed:
            self.notify(
                f"Type {plan.typed} to confirm: this is not an everyday step.",
                severity="warning",
                markup=False,
            )
            self.query_one("#typed", Input).focus()
            return
        self._plan = replace(plan, reason=plain(self.query_one("#reason", Input).value.strip()))
        self._busy = True
        self.query_one("#cancel", Button).focus()
        self._draw()
        self.console.carry_out(self._plan, self._finished)

    def _finished(self, outcome: Outcome | Exception) -> bool:
        """On the UI's thread; False when this does not show it: a notification has to.

        What went as planned needs no box; what did not stays until it was read.
        """
        if not self.is_mounted or self not in self.app.screen_stack:
            return False
        if isinstance(outcome, Outcome) and outcome.ok:
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

    @on(Button.Pressed, "#apply")
    def _apply_pressed(self) -> None:
        self.action_apply()

    @on(Button.Pressed, "#cancel")
    def _cancel_pressed(self) -> None:
        self.action_leave()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        """Enter in a field goes on to the next thing; it never applies by itself."""
        event.stop()
        if event.input.id == "reason" and self._plan.typed:
            self.query_one("#typed", Input).focus()
        else:
            self.query_one("#apply", Button).focus()


def steps_in_words(plan: Plan) -> str:
    """For notifications."""
    return f"{plan.title} ({plural(len(plan.steps), 'step')})"
