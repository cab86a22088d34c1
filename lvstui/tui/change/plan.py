"""Weights in the kernel in their dialog. What went as planned needs no box; what did not stays
until it was read.
"""

from __future__ import annotations

from textual.widgets import Button

from lvstui.model.keys import ServiceKey
from lvstui.model.picture import Picture
from lvstui.model.text import plain
from lvstui.operations.change import Outcome, Phase
from lvstui.operations.weights import SetKernelWeight, WeightsPlan
from lvstui.session.weights import WeightsChange, WeightSession
from lvstui.tui.change.dialog import ChangeScreen, sections
from lvstui.tui.widgets.format import fit, width_of
from lvstui.tui.widgets.glyphs import Glyphs
from lvstui.tui.widgets.line import Bit

_MOST_TWINS = 3


class PlanScreen(ChangeScreen[WeightSession, WeightsChange]):
    """Shows a plan of weights and applies it."""

    WIDTH = 100
    _stale = ""

    @property
    def plan(self) -> WeightsPlan:
        assert self.change.plan is not None
        return self.change.plan

    def heading(self) -> str:
        return f"{plain(self.change.title)}  on {self.console.picture.host}"

    def on_screen_resume(self) -> None:
        """A question of a host may have been on top of it when it was done."""
        self.draw()

    def draw(self) -> None:
        """What is stale cannot be applied; what went as planned needs no box."""
        if self.change.good:
            self.dismiss(True)
            return
        super().draw()
        if self.whole:
            self.query_one("#apply", Button).disabled = bool(self._stale)

    def entered(self) -> None:
        """A plan says on which servers."""
        self.query_one("#box").border_title = self.framed_heading()

    def bits(self, width: int, glyphs: Glyphs) -> list[Bit]:
        plan, outcome = self.plan, self.change.outcome
        bits = self._steps()
        if outcome is not None:
            return bits + self._result(outcome)
        if bits:
            bits.append(("\n", ""))
        bits += sections(plan.refusals, plan.effects, plan.cautions, width, glyphs)
        if plan.steps and not plan.refusals:
            first = plan.steps[0]
            bits += [("Checked by  ", "$lv-dim"), (first.verify + "\n", "$lv-text")]
            if first.undo:
                bits += [("To undo     ", "$lv-dim"), (f"u ({first.undo})\n", "$lv-text")]
            twins = plan.shell_lines
            for index, line in enumerate(twins[:_MOST_TWINS]):
                head = "On the shell  " if not index else " " * 14
                bits += [(head, "$lv-dim"), (line + "\n", "$lv-accent")]
            if len(twins) > _MOST_TWINS:
                bits.append((" " * 14 + f"… and {len(twins) - _MOST_TWINS} more\n", "$lv-dim"))
        if self._stale:
            bits.append((f"\n{glyphs.warn} {self._stale}\n", "bold $sev-warn"))
        return bits

    def progress(self, width: int, glyphs: Glyphs) -> list[Bit]:
        if self.change.phase is Phase.PLANNING:
            return [("Planning …", "bold $lv-accent")]
        bits = self._steps()
        bits.append(("\nApplying and reading back …  ", "bold $lv-accent"))
        bits.append(("it goes on when you close this.\n", "$lv-dim"))
        bits += [(f"{plain(stage)}\n", "$lv-accent") for stage in self.change.stages[-1:]]
        return bits

    def _steps(self) -> list[Bit]:
        """A table: server, weight before and after, grouped by service."""
        steps = self.plan.steps
        if not steps:
            return []
        arrow = self.console.glyphs.arrow
        picture = self.console.picture
        names: dict[SetKernelWeight, str] = {}
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
            mark = glyphs.yes if result.ok else glyphs.no
            bits.append((f"  {mark} ", "$sev-good" if result.ok else "bold $sev-bad"))
            bits.append((result.what, "$lv-text"))
            bits.append((f"  read back: {result.seen}\n", "$lv-dim" if result.ok else "$sev-bad"))
        return bits

    def show_picture(self, picture: Picture) -> None:
        """The kernel may have changed under an open plan: then it is no longer true."""
        if self.change.phase is not Phase.PLANNED or self._stale:
            return
        for step in self.plan.steps:
            view = picture.server(step.service, step.server)
            now = view.weights.kernel if view is not None else None
            if now != step.before and not (now is None and step.before == 0):
                said = "gone from the kernel" if now is None else f"weight {now}"
                self._stale = f"{step.server} is {said} meanwhile; r plans again."
                self.draw()
                return

    # Deciding

    def again(self) -> WeightsChange:
        """From the kernel's table as it is now."""
        self._stale = ""
        return self.session.plan(self.change.operation, self.change.make)

    def leave(self) -> None:
        """Cancel, or close when it is done."""
        self.dismiss(bool(self.change.started))

    def action_apply(self) -> None:
        if self._stale and self.is_open:
            self.tell(self._stale, bad=True)
        else:
            super().action_apply()
