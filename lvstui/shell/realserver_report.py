"""What the shell face of real servers prints of what was seen: the matrix, JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lvstui.model.realserver import Check
    from lvstui.operations.rows import Row

SCHEMA = "lvstui.realserver/1"
_MARKS = {"good": "✓", "warn": "!", "bad": "✖", "unknown": "?", "none": "–"}


def table(rows: Sequence[Row], verbose: bool = False) -> str:
    """The matrix for people: a line for each host and VIP, then what is wrong and why."""
    from lvstui.model.realserver import Verdict
    from lvstui.realserver.checks import TITLES

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
