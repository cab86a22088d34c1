"""A push or an undo in its dialog; and the question before hosts are started anew."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, Static

from lvstui.model.changes import Ended
from lvstui.model.realserver import Verdict
from lvstui.model.say import plural
from lvstui.operations.change import Phase
from lvstui.operations.rows import Row
from lvstui.realserver.checks import PUSHABLE, TITLES
from lvstui.realserver.push import HostOutcome
from lvstui.realserver.steps import ChangeFile, HostPlan
from lvstui.session.realservers import HostsChange, RealServerSession
from lvstui.tui.change.dialog import ChangeScreen, diff_bits, sections
from lvstui.tui.dialog import Dialog
from lvstui.tui.realservers.matrix_layout import mark
from lvstui.tui.widgets.format import fit, width_of
from lvstui.tui.widgets.glyphs import Glyphs
from lvstui.tui.widgets.line import Bit, prose

_MANIFEST = "manifest.json"


class PushScreen(ChangeScreen[RealServerSession, HostsChange]):
    """One of the session's changes."""

    def keys(self) -> Sequence[tuple[str, str]]:
        """Looking can be stopped as well."""
        if self.change.phase is Phase.PLANNING:
            return ("Esc", "close: it goes on"), ("s", self.STOPS)
        if self.is_open or self.change.phase is Phase.RUNNING:
            return super().keys()
        return ("Esc", "close"), ("r", "look and plan again"), ("j k", "scroll")

    def bits(self, width: int, glyphs: Glyphs) -> list[Bit]:
        if self.change.phase is Phase.PLANNED:
            return plan_bits(self.change, width, glyphs)
        return result_bits(self.change, width, glyphs)

    def progress(self, width: int, glyphs: Glyphs) -> list[Bit]:
        change, stages = self.change, self.session.stages
        if change.phase is not Phase.PLANNING:
            return progress_bits(change, stages, self.seconds, width, glyphs)
        bits: list[Bit] = [("Looking first: a plan is made from what is true now.\n\n", "$lv-text")]
        for host in change.hosts:
            bits += [
                (f"  {glyphs.dot} {host.label}  ", "bold $lv-text"),
                (f"{stages.get(host.address, 'seen')}\n", "$lv-accent"),
            ]
        return bits

    def action_stop(self) -> None:
        if self.change.phase in (Phase.RUNNING, Phase.PLANNING):
            self.session.stop()

    def again(self) -> HostsChange:
        was = self.change
        for host in was.hosts:
            self.session.rows.pop(host.address, None)
        return self.session.begin(was.operation, was.hosts, was.vips, was.cautions)


class RebootScreen(Dialog[bool]):
    """Asks before hosts are started anew: their names have to be typed."""

    KEYS = (("Enter", "reboot, when the name is typed"), ("Esc", "leave"))

    def __init__(self, names: tuple[str, ...], cautions: tuple[str, ...]) -> None:
        super().__init__()
        self.title = f"reboot {' '.join(names)}"
        self._names, self._cautions = names, cautions

    def body(self) -> ComposeResult:
        glyphs = self.console.glyphs
        count = plural(len(self._names), "host")
        bits: list[Bit] = [
            (
                f"{count}: started anew, one after the other, each awaited for 5 minutes; then "
                "looked\nat. What comes back by itself proves that the push survives a reboot.\n",
                "$lv-text",
            )
        ]
        bits += [(f"{glyphs.warn} {text}\n", "$sev-warn") for text in self._cautions]
        bits.append(("\nType ", "$lv-dim"))
        bits += [(" ".join(self._names), "bold $lv-accent"), (" to confirm", "$lv-dim")]
        yield Static(Content.assemble(*bits), classes="prose")
        yield Input(id="answer")

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        if event.value.split() == list(self._names):
            self.dismiss(True)
        else:
            self.tell("That is not the name.", bad=True)


def plan_bits(change: HostsChange, width: int, glyphs: Glyphs) -> list[Bit]:
    """A change before it is made, host by host."""
    bits: list[Bit] = []
    whole = change.plan
    if whole is None:
        return bits
    bits += sections((), whole.effects, whole.cautions, width, glyphs)
    shown: dict[tuple[str, ...], str] = {}
    for row, plan in zip(whole.rows, whole.hosts, strict=True):
        bits += _host_plan(row, plan, shown, width, glyphs)
    if whole.ready:
        for line in whole.shell_lines:
            bits += prose(line, "$lv-accent", width, "On the shell  ", "$lv-dim")
    return bits


def _host_plan(
    row: Row, plan: HostPlan, shown: dict[tuple[str, ...], str], width: int, glyphs: Glyphs
) -> list[Bit]:
    label, facts = row.host.label, row.facts
    bits: list[Bit] = [(label, "bold $lv-accent")]
    if label != row.host.address:
        bits.append((f"  {row.host.address}", "$lv-dim"))
    if facts is not None:
        bits.append((f"  {facts.os_name}", "$lv-text"))
    bits.append(("\n", ""))
    if plan.method and not plan.refusals:
        bits += prose(f"by {plan.method}: {plan.why_method}", "$lv-dim", width, "  ")
    if facts is not None and plan.operation == "push":
        bits += _found(row, plan, width, glyphs)
    for text in plan.refusals:
        bits += prose(text, "bold $sev-bad", width, f"  {glyphs.no} ")
    if plan.refusals:
        return [*bits, ("\n", "")]
    if plan.empty:
        bits += prose(
            "everything is as it has to be already", "$sev-good", width, f"  {glyphs.yes} "
        )
    # The record of what was done differs from host to host, in the host's own boot.
    same = tuple(
        f"{step.what} {step.diff if isinstance(step, ChangeFile) else ''}"
        for step in plan.steps
        if not step.what.endswith(_MANIFEST)
    )
    if same and same in shown:
        bits += prose(
            f"the same {len(plan.steps)} steps as on {shown[same]}",
            "$lv-text",
            width,
            f"  {glyphs.dot} ",
        )
    else:
        shown[same] = label
        for number, step in enumerate(plan.steps, 1):
            bits += prose(step.what, "$lv-text", width, f"  {number:>2} ", "$lv-dim")
            if step.why:
                bits += prose(step.why, "$lv-dim", width, "     ")
            if isinstance(step, ChangeFile) and not step.path.endswith(_MANIFEST):
                bits += diff_bits(step.diff, "     ")
    for text in plan.cautions:
        bits += prose(text, "$sev-warn", width, f"  {glyphs.warn} ")
    for text in plan.notes:
        bits += prose(text, "$lv-dim", width, f"  {glyphs.info} ")
    return [*bits, ("\n", "")]


def _found(row: Row, plan: HostPlan, width: int, glyphs: Glyphs) -> list[Bit]:
    wrong = dict.fromkeys(
        f"{TITLES[check.id]} {check.text}".strip()
        for vip, found in row.checks
        if vip in plan.vips
        for check in found
        if check.id in PUSHABLE and check.verdict in (Verdict.BAD, Verdict.WARN)
    )
    if not wrong:
        return []
    return prose(
        f"found wrong: {', '.join(wrong)}", "$sev-warn", width, f"  {mark(Verdict.BAD, glyphs)} "
    )


def progress_bits(
    change: HostsChange, stages: dict[str, str], seconds: float, width: int, glyphs: Glyphs
) -> list[Bit]:
    """A line for each host: its stage, or how it ended."""
    bits: list[Bit] = []
    wide = max((width_of(host.label) for host in change.hosts), default=4)
    done = sum(host.address in change.outcomes for host in change.hosts)
    total = len(change.hosts)
    bar = round(24 * done / max(total, 1))
    bits += [(glyphs.bar * bar, "$lv-accent"), (glyphs.track * (24 - bar), "$lv-faint")]
    bits.append((f"  {done} of {total} hosts, {seconds:.0f} s\n\n", "$lv-text"))
    for host in change.hosts:
        outcome = change.outcomes.get(host.address)
        head = f"{fit(host.label, wide)}  "
        if outcome is not None:
            bits += outcome_bits(outcome, head, width, glyphs)
        else:
            stage = stages.get(host.address, "waits")
            style = "$lv-dim" if stage == "waits" else "$lv-accent"
            bits += [
                (f"  {glyphs.dot} ", "$lv-dim"),
                (head, "bold $lv-text"),
                (f"{stage}\n", style),
            ]
    return bits


def outcome_bits(outcome: HostOutcome, head: str, width: int, glyphs: Glyphs) -> list[Bit]:
    """How one host ended."""
    style = (
        "$sev-good"
        if outcome.ok
        else "$sev-warn"
        if outcome.ended in (Ended.ROLLED_BACK, Ended.REFUSED)
        else "$sev-bad"
    )
    sign = glyphs.yes if outcome.ok else glyphs.no
    return prose(f"{outcome.ended.value}: {outcome.text}", style, width, f"  {sign} {head}", style)


def result_bits(change: HostsChange, width: int, glyphs: Glyphs) -> list[Bit]:
    """What came of it everywhere."""
    bits: list[Bit] = []
    if change.problem:
        return prose(change.problem, "bold $sev-bad", width, f"{glyphs.no} ")
    wide = max((width_of(host.label) for host in change.hosts), default=4)
    names = {host.address: host.label for host in change.hosts}
    for outcome in change.outcomes.values():
        label = names.get(outcome.host, outcome.host)
        bits += outcome_bits(outcome, f"{fit(label, wide)}  ", width, glyphs)
    came = change.outcome
    if came is not None:
        bits.append(("\n", ""))
        if not came.results:
            bits += prose(came.text, "bold $sev-bad", width, f"{glyphs.no} ")
        for text in (*came.wrong, came.unrecorded):
            if text:
                bits += prose(text, "bold $sev-bad", width, f"{glyphs.no} ")
        for name, text in (*came.notes, ("audit log", came.id)):
            if text:
                bits += prose(text, "$lv-text", width, fit(name, 12), "$lv-dim")
    return bits
