"""A change of keepalived.conf in its dialog, until it is kept, undone or rolled back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding, BindingType

from lvstui.keepalived.diff import Impact
from lvstui.model.changes import Ended
from lvstui.model.finding import Finding
from lvstui.model.say import plural
from lvstui.model.text import plain
from lvstui.operations.change import Outcome, Phase
from lvstui.operations.config_plan import ConfigPlan, HostChange
from lvstui.session.config import ConfigSession
from lvstui.session.drafting import ConfigChange
from lvstui.tui.change.dialog import ChangeScreen, diff_bits, sections
from lvstui.tui.config.summary import STYLES, glyph_of
from lvstui.tui.widgets.glyphs import Glyphs
from lvstui.tui.widgets.line import Bit, prose

ENDED: Mapping[Ended, str] = {
    **dict.fromkeys(Ended, "bold $sev-bad"),
    **dict.fromkeys((Ended.WAITING, Ended.ROLLED_BACK, Ended.STOPPED), "bold $sev-warn"),
    **dict.fromkeys((Ended.KEPT, Ended.DONE, Ended.NOTHING), "bold $sev-good"),
    Ended.UNDONE: "$lv-dim",
}
_IMPACTS = {
    Impact.CUTS: ("bold $sev-bad", "cuts"),
    Impact.MOVES: ("$sev-warn", "moves"),
    Impact.WATCHES: ("$lv-dim", "watches"),
}
_MOST = 200
"""Differences or findings that are shown."""
FORCE = "force"
"""What has to be typed to apply a plan with errors."""


class ConfigPlanScreen(ChangeScreen[ConfigSession, ConfigChange]):
    """One of the session's changes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # No letter: a text for the reason may begin with any.
        Binding("ctrl+t", "unchecked", "Keep it even when a first check fails", show=False)
    ]
    STOPS = "stop: the old files are put back"

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
        change = self.change
        if change.phase is Phase.PLANNED and change.plan is not None:
            return _forced(change.plan, width) + plan_bits(
                change.plan, width, glyphs, change.cautions
            )
        if change.outcome is not None:
            return outcome_bits(change.outcome, change.then, width, glyphs)
        return []

    def progress(self, width: int, glyphs: Glyphs) -> list[Bit]:
        return progress_bits(self.change, self.seconds, width, glyphs)

    def again(self) -> ConfigChange:
        """From the files as they are now."""
        was = self.change
        return self.session.plan(was.title, was.make, from_draft=was.from_draft)

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


def plan_bits(
    plan: ConfigPlan, width: int, glyphs: Glyphs, cautions: tuple[str, ...] = ()
) -> list[Bit]:
    """A plan before it is applied: the worst first, the text last. `cautions` come on top of its
    own."""
    bits: list[Bit] = []
    if plan.empty and not plan.refusals:
        bits += prose(
            "Nothing would be written: the files are like this already.", "$lv-text", width
        )
    known = tuple(dict.fromkeys((*cautions, *plan.cautions, *_on_proof(plan))))
    bits += sections(plan.refusals, tuple(_beyond(plan)), known, width, glyphs)
    for host in plan.hosts:
        bits += _host_bits(host, width, glyphs)
    if not plan.refusals and not plan.empty:
        bits += _after_bits(plan, width)
    return bits


def _host_bits(host: HostChange, width: int, glyphs: Glyphs) -> list[Bit]:
    director = host.director
    bits: list[Bit] = [(director.host, "bold $lv-accent"), (f"  {director.main}", "$lv-dim")]
    if director.version:
        bits.append((f"  keepalived {director.version}", "$lv-dim"))
    if not director.pid:
        bits.append(("  not running", "$sev-warn"))
    bits.append(("\n", ""))
    if director.in_step is False:
        bits += prose(
            "What runs now is not what the files say: this applies their other changes too.",
            "bold $sev-warn",
            width,
            f"  {glyphs.warn} ",
        )
    if host.differences:
        for difference in host.differences[:_MOST]:
            style, word = _IMPACTS[difference.impact]
            bits += prose(
                f"{difference.subject}: {difference.text}", "$lv-text", width, f"  {word:<8}", style
            )
        bits += _more(len(host.differences), "difference")
    elif host.files:
        bits += prose("Means the same as before: only text, no behaviour.", "$lv-dim", width, "  ")
    bits += _finding_lines("New findings", host.findings, width, glyphs)
    if host.known:
        bits += prose(
            f"{len(host.known)} known before and still there", "$lv-dim", width, f"  {glyphs.info} "
        )
    bits += diff_bits(host.diff)
    return [*bits, ("\n", "")]


def _finding_lines(
    title: str, findings: tuple[Finding, ...], width: int, glyphs: Glyphs
) -> list[Bit]:
    if not findings:
        return []
    bits: list[Bit] = [(f"  {title}\n", "bold $lv-dim")]
    for finding in findings[:_MOST]:
        style = STYLES[finding.severity]
        where = f"line {finding.place.line}: " if finding.place is not None else ""
        bits += prose(
            f"{where}{plain(finding.text)}",
            "$lv-text",
            width,
            f"  {glyph_of(finding.severity, glyphs)} {finding.severity.value} ",
            style,
        )
        if finding.evidence:
            bits += prose(plain(finding.evidence), "$lv-dim", width, "      ")
        if finding.fix:
            bits += prose(plain(finding.fix), "$lv-accent", width, f"    {glyphs.arrow} ")
    return [*bits, *_more(len(findings), "finding")]


def _more(count: int, what: str) -> list[Bit]:
    return [(f"  and {count - _MOST} more {what}s\n", "$lv-dim")] if count > _MOST else []


def _after_bits(plan: ConfigPlan, width: int) -> list[Bit]:
    bits = prose(
        "same processes, loaded copy, kernel table and VIPs are read back",
        "$lv-text",
        width,
        "Checked by   ",
        "$lv-dim",
    )
    if plan.timer_s:
        text = f"by itself after {plan.timer_s} s unless you keep it, even when lvstui is gone"
        bits += prose(text, "$lv-text", width, "Rolled back  ", "$lv-dim")
    return bits + prose("u, or: lvstui undo", "$lv-text", width, "To undo      ", "$lv-dim")


def progress_bits(change: ConfigChange, seconds: float, width: int, glyphs: Glyphs) -> list[Bit]:
    """While it is planned, applied, kept or undone."""
    words = {
        Phase.PLANNING: "Looking first: the candidate is tested with the installed keepalived.",
        Phase.RUNNING: f"Applying and reading back, {seconds:.0f} s. It goes on when you close "
        "this.",
        Phase.DECIDING: "Making it so …",
    }
    bits = prose(words.get(change.phase, ""), "bold $lv-accent", width)
    for index, stage in enumerate(change.stages):
        now = index == len(change.stages) - 1
        bits += prose(
            plain(stage),
            "$lv-accent" if now else "$lv-dim",
            width,
            f"  {glyphs.dot if now else glyphs.yes} ",
        )
    return bits


def outcome_bits(outcome: Outcome, then: str, width: int, glyphs: Glyphs) -> list[Bit]:
    """What came of it: what was read back, and what happens `then` unless it is kept."""
    style = ENDED[outcome.ended]
    sign = glyphs.yes if outcome.ok else glyphs.no
    bits = prose(plain(outcome.text), style, width, f"{sign} ")
    bits.append(("\n", ""))
    for one in outcome.results:
        mark = glyphs.yes if one.ok else glyphs.no
        bits.append((f"  {mark} ", "$sev-good" if one.ok else "bold $sev-bad"))
        text = f"{one.host}  {plain(one.what)}"
        bits += prose(
            text + (f": {plain(one.seen)}" if one.seen else ""),
            "$lv-text" if one.ok else "$sev-bad",
            width - 4,
        )
    if outcome.ended is Ended.WAITING:
        bits.append(("\n", ""))
        bits.append((f"{plain(then[:1].upper() + then[1:])}. ", "bold $sev-warn"))
        bits.append(("y keeps it, b undoes it now.\n", "$lv-text"))
    elif outcome.ended is Ended.KEPT and outcome.id:
        bits += prose("u, or: lvstui undo", "$lv-text", width, "\nTo undo  ", "$lv-dim")
    return bits


def _on_proof(plan: ConfigPlan) -> tuple[str, ...]:
    if not plan.unproven or plan.refusals:
        return ()
    turn = "Ctrl+T: roll it back then" if plan.unchecked else "Ctrl+T: keep it all the same"
    return (*plan.on_proof, turn)


def _beyond(plan: ConfigPlan) -> list[str]:
    """The effects that do not stand below as a difference of one director anyway."""
    told = {f"{one.subject}: {one.text}" for host in plan.hosts for one in host.differences}
    return [effect for effect in plan.effects if effect not in told]
