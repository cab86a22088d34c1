"""What a push or an undo says in words: hosts, steps and diffs, progress, results. Pure."""

from __future__ import annotations

from lvstui.model.changes import Ended
from lvstui.model.realserver import Verdict
from lvstui.operations.rows import Row
from lvstui.realserver.checks import PUSHABLE, TITLES
from lvstui.realserver.push import HostOutcome
from lvstui.realserver.steps import ChangeFile, HostPlan
from lvstui.session.realserver_change import HostsChange
from lvstui.tui.change.config_plan_text import diff_bits, sections
from lvstui.tui.realservers.matrix_layout import mark
from lvstui.tui.realservers.text import prose
from lvstui.tui.widgets.format import fit, width_of
from lvstui.tui.widgets.glyphs import Glyphs
from lvstui.tui.widgets.line import Bit

_MANIFEST = "manifest.json"


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
    if change.ready:
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
    bits.append((glyphs.bar * bar, "$lv-accent"))
    bits.append((glyphs.track * (24 - bar), "$lv-faint"))
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
