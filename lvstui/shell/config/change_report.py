"""Plans, outcomes and history of the configuration, for people and as JSON (lvstui.change/1)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from lvstui.keepalived.diff import Difference
from lvstui.model.finding import Finding
from lvstui.model.say import moment
from lvstui.operations.config_history import HistoryEntry
from lvstui.operations.config_plan import ConfigOutcome, ConfigPlan, Ended, HostChange

SCHEMA = "lvstui.change/1"


def plan_lines(plan: ConfigPlan) -> list[str]:
    """The whole plan: what it means, what is wrong with it, the lines."""
    lines = [plan.title]
    shown: dict[str, str] = {}
    for host in plan.hosts:
        lines += _host_lines(host, shown.get(host.diff, ""))
        shown.setdefault(host.diff, host.director.host)
    if plan.empty and not plan.refusals:
        lines.append("  nothing to do: the files say so already")
    said = "\n".join(lines)
    lines += [f"  → {effect}" for effect in plan.effects if effect not in said]
    lines += [f"  ⚠ {caution}" for caution in plan.cautions]
    if not plan.refusals:
        lines += [f"  ⚠ {one}" for one in plan.on_proof]
    if plan.unproven and not plan.refusals and not plan.unchecked:
        lines.append("  ⚠ (--unchecked keeps it all the same)")
    lines += [f"  ✖ {refusal}" for refusal in plan.refusals]
    if plan.to_force and not plan.refusals:
        lines.append("  ✖ with these errors it is applied only with --force")
    return lines


def _host_lines(host: HostChange, same_as: str) -> list[str]:
    """same_as: a director whose diff was shown already and is the same."""
    director = host.director
    running = f"keepalived {director.version}" if director.pid else "keepalived does not run"
    lines = [f"on {director.host} ({running})"]
    lines += [f"  {_difference(one)}" for one in host.differences]
    lines += [f"  {_finding(one)}" for one in host.findings]
    if host.known:
        many = len(host.known)
        had = f"{many} findings were" if many > 1 else "1 finding was"
        lines.append(f"  {had} there before (`lvstui config check` tells)")
    if same_as and host.diff:
        lines.append(f"  │ the same lines as on {same_as}")
    else:
        lines += [f"  │ {line}" for line in host.diff.splitlines()]
    return lines


def _difference(one: Difference) -> str:
    mark = {"cuts": "✂", "moves": "⇄", "watches": "·"}[one.impact.value]
    return f"{mark} {one.subject}: {one.text}"


def _finding(one: Finding) -> str:
    where = f"{one.place}: " if one.place else ""
    fix = f" ({one.fix})" if one.fix else ""
    return f"{one.severity.value.upper()} {where}{one.text}{fix}"


def history_lines(entries: Sequence[HistoryEntry], first: int = 1) -> list[str]:
    """One line a change, and why below it."""
    lines = []
    for number, entry in enumerate(entries, first):
        head = f"{number:>3}  {moment(entry.at)}  {entry.who:<10} {entry.ended.value:<11} "
        lines.append(head + entry.title)
        if entry.ended is Ended.WAITING:
            lines.append(f"     {_waits(entry)}")
        else:
            lines.append(f"     {entry.end}" + (f" ({moment(entry.came)})" if entry.came else ""))
        if entry.reason:
            lines.append(f"     “{entry.reason}”")
    return lines


def _waits(entry: HistoryEntry) -> str:
    """What happens next to a change that is neither kept nor back."""
    if entry.plight:
        return entry.plight
    if entry.going_back:
        return "is on its way back"
    # Its timer was seen just now.
    return f"rolled back by itself in {max(entry.left_s, 0):.0f} s unless it is kept"


def entry_json(number: int, entry: HistoryEntry) -> dict[str, Any]:
    """A change as it is remembered."""
    return {
        "number": number,
        **asdict(entry),
        "ended": entry.ended.value,
        "end": entry.end,
        "text": entry.text,
        "plight": entry.plight,
    }


def plan_json(plan: ConfigPlan) -> dict[str, Any]:
    """A plan; the files' texts hold passwords and are left out, the masked difference is in it."""
    return {
        "title": plan.title,
        "hosts": [
            {
                "director": asdict(host.director),
                "files": [change.path for change in host.files],
                "differences": [asdict(one) for one in host.differences],
                "findings": [asdict(one) for one in host.findings],
                "known_findings": [asdict(one) for one in host.known],
                "diff": host.diff,
            }
            for host in plan.hosts
        ],
        "effects": plan.effects,
        "cautions": plan.cautions,
        "refusals": plan.refusals,
        "typed": plan.typed,
        "reason": plan.reason,
        "timer_s": plan.timer_s,
        "undoes": plan.undoes,
        "unproven": plan.unproven,
        "unchecked": plan.unchecked,
    }


def outcome_json(outcome: ConfigOutcome) -> dict[str, Any]:
    """What came of it."""
    return {
        "ended": outcome.ended.value,
        "ok": outcome.ok,
        "id": outcome.id,
        "text": outcome.text,
        "verified": [asdict(one) for one in outcome.verified],
        "left_s": outcome.left_s,
        "recorded": not outcome.unrecorded,
    }


def as_json(content: Any) -> None:
    """Print one document."""
    document: dict[str, Any] = {"schema": SCHEMA}
    if isinstance(content, dict):
        for key, value in content.items():
            if isinstance(value, ConfigPlan):
                value = plan_json(value)
            elif isinstance(value, ConfigOutcome):
                value = outcome_json(value)
            document[key] = value
    else:
        document["history"] = content
    print(json.dumps(document, indent=1, ensure_ascii=False))


def tell(quiet: bool) -> Callable[[str], None]:
    """Says how far it is, on standard error."""

    def say(text: str) -> None:
        if not quiet:
            print(f"… {text}", file=sys.stderr, flush=True)

    return say
