"""An announcement in its dialog: what it will do, and what came of it."""

from __future__ import annotations

from lvstui.model.text import plain
from lvstui.session.announce import Announcement, AnnounceSession
from lvstui.tui.change.dialog import ChangeScreen, sections
from lvstui.tui.widgets.glyphs import Glyphs
from lvstui.tui.widgets.line import Bit, prose


class AnnounceScreen(ChangeScreen[AnnounceSession, Announcement]):
    """Shows the plan and carries it out. What went as planned needs no box."""

    WIDTH = 100

    def heading(self) -> str:
        return f"{plain(self.change.title)}  on {self.console.picture.host}"

    def draw(self) -> None:
        if self.change.good:
            self.dismiss(True)
            return
        super().draw()

    def bits(self, width: int, glyphs: Glyphs) -> list[Bit]:
        plan, outcome = self.change.plan, self.change.outcome
        assert plan is not None
        bits: list[Bit] = []
        if outcome is not None:
            for one in outcome.results:
                style = "$sev-good" if one.ok else "bold $sev-bad"
                mark = glyphs.yes if one.ok else glyphs.no
                bits += prose(
                    f"{one.what}: {plain(one.seen)}", "$lv-text", width, f"{mark} ", style
                )
            return bits or prose(plain(outcome.text), "bold $sev-bad", width)
        for part in plan.parts:
            for step in part.steps:
                bits += prose(step.what, "$lv-text", width, f"  {glyphs.dot} ", "$lv-accent")
        bits += sections(plan.refusals, plan.effects, plan.cautions, width, glyphs)
        if not plan.refusals:
            bits += prose(
                plan.parts[0].steps[0].verify, "$lv-text", width, "Checked by  ", "$lv-dim"
            )
            bits += prose(plan.parts[0].steps[0].undo, "$lv-text", width, "To undo     ", "$lv-dim")
        return bits

    def progress(self, width: int, glyphs: Glyphs) -> list[Bit]:
        return prose("Announcing, and asking who answers …", "bold $lv-accent", width)

    def again(self) -> Announcement:
        return self.session.plan(self.change.make)
