"""What the shell face of real servers prints: plans, the matrix, JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lvstui.operations.rows import Result, Row
    from lvstui.realserver.checks import Check
    from lvstui.realserver.steps import HostPlan

SCHEMA = "lvstui.realserver/1"
_MARKS = {"good": "✓", "warn": "!", "bad": "✖", "unknown": "?", "none": "–"}


def words(row: Row, plan: HostPlan) -> str:
    """One host's plan for people, with diffs."""
    from lvstui.realserver.steps import ChangeFile

    facts = row.facts
    about = f"  {facts.os_name}, {plan.method or 'no method'}" if facts else ""
    lines = [
        f"{plan.operation} {', '.join(plan.vips) or '-'}: {row.host.label} "
        f"({row.host.address}){about}"
    ]
    if plan.why_method and plan.method:
        lines.append(f"  by {plan.method}: {plan.why_method}")
    lines += [f"  ✖ {text}" for text in plan.refusals]
    if plan.empty and not plan.refusals:
        lines.append("  everything is as it has to be already")
    for number, step in enumerate(plan.steps, 1):
        lines.append(f"  {number:>2} {step.what}" + (f"   ({step.why})" if step.why else ""))
        if isinstance(step, ChangeFile) and not step.path.endswith("manifest.json"):
            lines += [f"       {line}" for line in step.diff.splitlines()]
    lines += [f"  ⚠ {text}" for text in plan.cautions]
    lines += [f"  · {text}" for text in plan.notes]
    return "\n".join(lines)


def table(rows: Sequence[Row], verbose: bool = False) -> str:
    """The matrix for people: a line for each host and VIP, then what is wrong and why."""
    from lvstui.realserver.checks import TITLES, Verdict

    head = ["HOST", "VIP", *TITLES.values()]
    body: list[list[str]] = []
    said: list[str] = []
    for row in rows:
        for vip, found in row.checks:
            by_id = {check.id: check for check in found}
            cells = [_cell(by_id.get(id_)) for id_ in TITLES]
            body.append([row.host.label, vip, *cells])
            for check in found:
                bad = check.verdict in (Verdict.BAD, Verdict.WARN)
                told = check.id == "reachable" or row.facts is not None or check.evidence
                if (bad and told) or verbose:
                    fix = f"  → {check.fix}" if check.fix else ""
                    said.append(f"{row.host.label} {vip} {TITLES[check.id]}: {check.says}{fix}")
                    said += [f"    {line}" for line in check.evidence] if verbose else []
        said += [f"{row.host.label}: drift: {text}" for text in row.drift]
    widths = [max(len(line[at]) for line in [head, *body]) for at in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in [head, *body]
    ]
    return "\n".join([*lines, *([""] if said else []), *said])


def _cell(check: Check | None) -> str:
    if check is None:
        return "?"
    mark = _MARKS[check.verdict.value]
    return f"{mark} {check.text}".strip() if check.text != mark else mark


def row_document(row: Row) -> dict[str, Any]:
    """One host for JSON."""
    facts = row.facts
    return {
        "host": row.host.address,
        "name": row.host.name,
        "reached": facts is not None,
        "trouble": row.trouble or None,
        "error": row.error or None,
        "todo": row.todo or None,
        "system": facts.os_name if facts else None,
        "kernel": facts.kernel if facts else None,
        "boot_id": facts.boot_id if facts else None,
        "as_root": facts.as_root if facts else None,
        "managed": list(facts.manifest.vips) if facts and facts.manifest else [],
        "verdict": row.verdict.value,
        "drift": list(row.drift),
        "vips": {
            vip: {
                check.id: {
                    "verdict": check.verdict.value,
                    "text": check.text,
                    "says": check.says,
                    "evidence": list(check.evidence),
                    "fix": check.fix or None,
                }
                for check in found
            }
            for vip, found in row.checks
        },
    }


def document(
    rows: Sequence[Row], plans: Sequence[HostPlan], result: Result | None
) -> dict[str, Any]:
    """Plans and what came of them, for JSON (schema `lvstui.realserver/1`)."""
    outcomes = {outcome.host: outcome for outcome in (result.outcomes if result else ())}
    hosts = []
    for row, plan in zip(rows, plans, strict=True):
        outcome = outcomes.get(plan.host)
        hosts.append(
            {
                "name": row.host.name,
                "plan": plan.document(),
                "end": outcome.ended.value if outcome else None,
                "ok": outcome.ok if outcome else None,
                "text": outcome.text if outcome else None,
                "trouble": (outcome.trouble if outcome else "") or row.trouble or None,
            }
        )
    return {
        "schema": SCHEMA,
        "applied": result is not None,
        "ok": result.ok if result else None,
        "id": result.id if result else None,
        "recorded": not result.unrecorded if result else None,
        "heard": list(result.heard) if result else [],
        "listened": result.listened if result else None,
        "announced": (result.announced or None) if result else None,
        "hosts": hosts,
    }
