"""What the screen of real servers says in words: evidence, plans, results. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from lvstui.model.changes import Ended
from lvstui.operations.rows import Row
from lvstui.realserver.checks import MEANINGS, PUSHABLE, TITLES, Check, Verdict
from lvstui.realserver.push import HostOutcome
from lvstui.realserver.steps import ChangeFile, HostPlan
from lvstui.tui.change.realserver_change import Change
from lvstui.tui.realservers.matrix_layout import mark
from lvstui.tui.widgets.format import fit, width_of
from lvstui.tui.widgets.glyphs import Glyphs
from lvstui.tui.widgets.line import Bit

STYLES = {
    Verdict.GOOD: "$sev-good",
    Verdict.WARN: "$sev-warn",
    Verdict.BAD: "$sev-bad",
    Verdict.UNKNOWN: "$rs-unverified",
    Verdict.NONE: "$lv-dim",
}
_MANIFEST = "manifest.json"


def prose(text: str, style: str, width: int, head: str = "", head_style: str = "") -> list[Bit]:
    """`head` and then the text, wrapped and hanging under its first word."""
    indent = width_of(head)
    lines = textwrap.wrap(text, max(width - indent, 20), break_on_hyphens=False) or [""]
    bits: list[Bit] = [(head, head_style or style), (lines[0] + "\n", style)]
    bits += [(" " * indent + line + "\n", style) for line in lines[1:]]
    return bits


def cell_bits(
    label: str,
    vip: str,
    check_id: str,
    check: Check | None,
    row: Row | None,
    width: int,
    glyphs: Glyphs,
) -> list[Bit]:
    """The cell under the cursor: what it says, what was seen, what mends it."""
    bits: list[Bit] = [(f"{label}  ", "bold $lv-text"), (f"{vip}  ", "$lv-dim")]
    if check is None:
        bits.append((f"{TITLES[check_id]}\n", "bold $lv-accent"))
        bits += prose("Not looked at yet: r looks.", "$lv-dim", width, "  ")
    else:
        style = STYLES[check.verdict]
        bits += [
            (f"{mark(check.verdict, glyphs)} ", style),
            (TITLES[check_id], f"bold {style}"),
            (f"  {check.verdict.value}\n", style),
        ]
        says = check.says or MEANINGS[check_id]
        bits += prose(says, "$lv-text", width, "  ")
        for line in check.evidence:
            bits += prose(line, "$lv-dim", width, "    ")
        if check.fix:
            bits += prose(check.fix, "$lv-accent", width, f"  {glyphs.arrow} ")
    if row is not None and row.drift:
        worse = ", ".join(text.partition(" was good")[0] for text in row.drift)
        bits += prose(
            f"worse than at the look before: {worse}",
            "$sev-warn",
            width,
            f"  {glyphs.differs} ",
            "bold $sev-warn",
        )
    bits += prose(MEANINGS[check_id], "$lv-dim", width, "  asks: ")
    return bits


def host_bits(row: Row, width: int, glyphs: Glyphs) -> list[Bit]:
    """Everything that is known of a host."""
    facts = row.facts
    bits: list[Bit] = []
    if facts is None:
        bits += prose(row.error, "bold $sev-bad", width, f"{mark(Verdict.BAD, glyphs)} ")
        if row.todo:
            bits += prose(row.todo, "$lv-accent", width, f"{glyphs.arrow} ")
    else:
        bits += _pairs(
            [
                ("system", f"{facts.os_name or 'unknown'}, kernel {facts.kernel}"),
                ("login", "root" if facts.as_root else "without root"),
                ("init", f"systemd {facts.systemd}" if facts.systemd else facts.init or "?"),
                ("frames by", ", ".join(facts.ingress) or "?"),
                ("lvstui has", _managed(row)),
                ("firewall", ", ".join(facts.firewall) or "none seen"),
                ("selinux", facts.selinux or "none"),
            ],
            width,
        )
        if facts.unfinished is not None:
            plight = facts.unfinished.plight
            what = (
                f"{plight[:1].upper()}{plight[1:]} (t)."
                if plight
                else ("A change is under way there; its timer decides.")
            )
            bits += prose(
                what, "bold $sev-bad" if plight else "bold $sev-warn", width, f"{glyphs.warn} "
            )
        if facts.reverted:
            bits += prose("a change took itself back lately:", "$sev-warn", width)
            for line in facts.reverted.splitlines()[-6:]:
                bits += prose(line, "$lv-dim", width, "    ")
    for text in row.drift:
        bits += prose(text, "$sev-warn", width, f"{glyphs.differs} ")
    for vip, found in row.checks:
        bits.append((f"\n{vip}\n", "bold $lv-accent"))
        for check in found:
            style = STYLES[check.verdict]
            title = fit(TITLES[check.id], 10)
            says = check.says or check.verdict.value
            bits += prose(says, "$lv-text", width, f"{mark(check.verdict, glyphs)} {title} ", style)
            for line in check.evidence:
                bits += prose(line, "$lv-dim", width, " " * 15)
            if check.fix:
                bits += prose(check.fix, "$lv-accent", width, f"{' ' * 12}{glyphs.arrow} ")
    return bits


def _managed(row: Row) -> str:
    manifest = row.facts.manifest if row.facts is not None else None
    if manifest is None:
        return "done nothing here"
    if manifest.problem:
        return manifest.problem
    return (
        f"{', '.join(manifest.vips)} here, by {manifest.method or 'no file'}, "
        f"pushed {manifest.pushed_at} by {manifest.operator or 'somebody'}"
    )


def _pairs(pairs: Sequence[tuple[str, str]], width: int) -> list[Bit]:
    bits: list[Bit] = []
    for name, text in pairs:
        bits += prose(text, "$lv-text", width, f"{fit(name, 11)} ", "$lv-dim")
    return bits


# Plans


def plan_bits(change: Change, width: int, glyphs: Glyphs) -> list[Bit]:
    """A change before it is made, host by host."""
    bits: list[Bit] = []
    whole = change.plan
    if whole is None:
        return bits
    for title, lines, style, sign in (
        ("What will happen", whole.effects, "$lv-text", glyphs.dot),
        ("Know before you say yes", whole.cautions, "$sev-warn", glyphs.warn),
    ):
        if lines:
            bits.append((f"{title}\n", "bold $lv-dim"))
            for line in lines:
                bits += prose(line, style, width, f"  {sign} ")
            bits.append(("\n", ""))
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
                bits += _diff(step)
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


def _diff(step: ChangeFile) -> list[Bit]:
    bits: list[Bit] = []
    for line in step.diff.splitlines():
        style = "$lv-dim"
        if line.startswith("+") and not line.startswith("+++"):
            style = "$sev-good"
        elif line.startswith("-") and not line.startswith("---"):
            style = "$sev-bad"
        bits.append((f"     {line}\n", style))
    return bits


# Progress and results


def progress_bits(
    change: Change, stages: dict[str, str], seconds: float, width: int, glyphs: Glyphs
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


def result_bits(change: Change, width: int, glyphs: Glyphs) -> list[Bit]:
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


def result_line(change: Change) -> str:
    """For a notification."""
    if change.problem:
        return f"{change.title}: {change.problem}"
    came = change.outcome
    text = "; ".join((came.text, *came.wrong[:1])) if came is not None else ""
    return f"{text}. o shows it whole."


def wrong_bits(rows: Sequence[Row], width: int, glyphs: Glyphs) -> list[Bit]:
    """Everything that is not good anywhere, a line each: the same thing on many hosts once."""
    found: dict[tuple[str, Verdict, str], list[str]] = {}
    for row in rows:
        if row.facts is None:
            found.setdefault(("reachable", Verdict.BAD, row.error), []).append(row.host.label)
        for _, some in row.checks:
            for check in some:
                bad = check.verdict in (Verdict.BAD, Verdict.WARN)
                if bad and (row.facts is not None or check.id != "reachable"):
                    key = (check.id, check.verdict, check.says)
                    found.setdefault(key, []).append(row.host.label)
    bits: list[Bit] = []
    if found:
        bits.append(("\nNOT GOOD\n", "bold $lv-dim"))
    order = tuple(TITLES)
    for (id_, verdict, says), labels in sorted(found.items(), key=lambda x: order.index(x[0][0])):
        names = ", ".join(dict.fromkeys(labels))
        head = f"  {mark(verdict, glyphs)} {fit(TITLES[id_], 10)} "
        bits += prose(f"{names}: {says}", "$lv-text", width, head, STYLES[verdict])
    return bits


def untouched_bits(count: int, director: str, width: int) -> list[Bit]:
    """Before the first look: what this screen does and does not do by itself."""
    hosts = "the real server" if count == 1 else f"the {count} real servers"
    bits: list[Bit] = [("No host was asked anything yet.\n", "bold $lv-text")]
    for key, text in (
        (
            "r",
            f"looks at {hosts} by SSH, and asks from {director} by ARP and TCP; changes "
            "nothing. Space marks hosts; then only those are meant.",
        ),
        (
            "p",
            "gives a host what Direct Routing needs: the VIP on its loopback and silence on ARP, "
            "now and after a reboot. It shows the plan first.",
        ),
        ("v U", "verify it later, and take it back."),
    ):
        bits += prose(text, "$lv-text", width, f"  {fit(key, 4)}", "bold $lv-accent")
    bits.append(("\n", ""))
    bits += [
        (f"  {fit(TITLES[id_], 10)}  {meaning}\n", "$lv-dim") for id_, meaning in MEANINGS.items()
    ]
    return bits
