"""A change on the shell, whatever it is of: its plan, the question, its progress, what came of it.

For people and as JSON, in one form (`lvstui.change/2`, `--schema` says what each field means).
Ctrl-C stops it between two steps; what it left is said.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from lvstui.model.changes import Ended
from lvstui.operations.change import Outcome, Part, Plan, Progress, Stop, Tell
from lvstui.process.printing import as_json
from lvstui.shell.arguments import SCHEMA_HELP, flag, print_meanings
from lvstui.shell.ask import DONE, NOT_DONE, UNRECORDED, agreed, answer, fail

if TYPE_CHECKING:
    from lvstui.keepalived.diff import Difference
    from lvstui.model.finding import Finding

SCHEMA = "lvstui.change/2"
MEANINGS: dict[str, str] = {
    "schema": "name and version of this form",
    "ok": "where there is neither plan nor outcome: whether it could be done",
    "error": "why it could not, in one line",
    "text": "of `config back --give-up`: what was done",
    "plan.title": "what it is, in one line",
    "plan.effects[]": "what it will do to the site, one sentence each",
    "plan.cautions[]": "what has to be known before saying yes",
    "plan.refusals[]": "why it can not be applied; none: it can",
    "plan.typed": "what has to be typed to confirm it; empty: a plain yes",
    "plan.reason": "why it is made, in the operator's words",
    "plan.undoes": "id of the change that it takes back; empty: none",
    "plan.timer_s": "it is rolled back by itself after that, unless kept or proven; null: no timer",
    "plan.hosts[].host": "name or address",
    "plan.hosts[].name": "for people; empty: none",
    "plan.hosts[].about": "what runs there",
    "plan.hosts[].trouble": "why it could not be looked at, in one word; empty: it could",
    "plan.hosts[].steps[]": "what, why, verify, undo and the diff of a file that may be shown",
    "plan.hosts[].differences[]": "what the steps mean to keepalived: kind, impact, subject, text",
    "plan.hosts[].findings[]": "what keepalived -t and our rules say of the new files only",
    "plan.hosts[].known_findings[]": "what they said of the old ones as well",
    "plan.hosts[].diff": "of all files, secrets masked",
    "plan.hosts[].notes[]": "what is unusual there",
    "plan.hosts[].cautions[]": "as of the plan, for this host",
    "plan.hosts[].refusals[]": "as of the plan, for this host: it is left out",
    "plan.unproven[]": "new servers that come in with their first check only",
    "plan.unchecked": "they stay even when it fails",
    "outcome": "null: it was not applied",
    "outcome.ended": ", ".join(ended.value for ended in Ended),
    "outcome.ok": "it is in force as planned",
    "outcome.id": "in the audit log and the history; empty: nothing was done",
    "outcome.text": "what came of it, in one line",
    "outcome.recorded": "false: the audit log has nothing of it",
    "outcome.left_s": "seconds until the timer rolls it back (waiting); 0: none runs",
    "outcome.results[]": "what was read back: host, what, ok, seen; of a host as a whole also ended"
    " and trouble",
    "outcome.wrong[]": "what was seen meanwhile and should not have been",
    "outcome.notes": "what else was seen or told, by a word for it",
    "history[]": "of `config history`: the changes that the directors remember, newest first",
    "operations[]": "of `undo --list`: everything that was done with lvstui here, newest first",
    "files": "of `config first`: text by name",
    "notes[]": "of `config first`: what was guessed, and how",
    "next[]": "of `config first`: what to do with the files",
    "wrong[]": "of `config first`: field, why",
}


class _Schema(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        print(SCHEMA)
        print_meanings(MEANINGS)
        parser.exit()


def change_options(sub: argparse.ArgumentParser) -> None:
    """What every change can be told."""
    sub.add_argument("--reason", default="", help="why; goes to audit log, history and screens")
    flag(sub, "--plan", help="show what would be done, do nothing")
    flag(sub, "--yes", help="do it without asking, and keep it when it was verified")
    json_option(sub)


def json_option(sub: argparse.ArgumentParser) -> None:
    flag(sub, "--json", help=f"one JSON document (schema {SCHEMA})")
    sub.add_argument("--schema", action=_Schema, nargs=0, help=SCHEMA_HELP)


def not_done(args: argparse.Namespace, message: str, status: int = NOT_DONE) -> int:
    """Why it is not done; the exit status."""
    return fail(message, status, schema=SCHEMA if args.json else "")


def print_json(**content: Any) -> None:
    print(as_json({"schema": SCHEMA, **content}, indent=1))


# Doing


def carry_out(
    args: argparse.Namespace,
    plan: Plan,
    apply: Callable[[Tell, Stop], Outcome],
    settle: Callable[[Outcome, bool], Outcome] | None = None,
) -> int:
    """Show, ask, apply, say what came of it; the exit status. `settle` keeps (True) or undoes what
    waits for that."""
    blocked = bool(plan.refusals) or any(part.refusals for part in plan.parts)
    if args.plan or (blocked and not plan.ready):
        show(args, plan)
        return NOT_DONE if blocked else DONE
    if not plan.ready:
        show(args, plan, Outcome(plan, Ended.NOTHING, "", "it is like this already"))
        return DONE
    shown = "\n".join(plan_lines(plan))
    schema = SCHEMA if args.json else ""
    if not args.yes and not agreed(shown, "apply it?", typed=plan.typed, schema=schema):
        return NOT_DONE
    if args.yes and not args.json:
        print(shown)
    with stoppable() as stop:
        outcome = apply(_tell, stop)
    if outcome.ended is Ended.WAITING and settle is not None:
        outcome = _settled(args, outcome, settle, stop)
    show(args, plan, outcome)
    return status(outcome)


def _settled(
    args: argparse.Namespace,
    outcome: Outcome,
    settle: Callable[[Outcome, bool], Outcome],
    stop: Stop,
) -> Outcome:
    keep, results = not stop.is_set(), outcome.results
    if keep and not args.yes:
        print("\n".join(_results(outcome)))
        results = ()
        left = f"rolled back by itself in {outcome.left_s:.0f} s"
        print(f"it is in force, and {left} unless you keep it")
        try:
            keep = answer("keep it? [y/N] ").lower() in ("y", "yes")
        except KeyboardInterrupt:
            return replace(outcome, text=f"left to its timer: {left}", results=())
    came = settle(outcome, keep)
    return replace(
        came, id=outcome.id, results=results, unrecorded=came.unrecorded or outcome.unrecorded
    )


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Ctrl-C sets what this gives; once more is the usual one."""
    stop = Stop()

    def asked(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        # print() may be what was interrupted.
        os.write(2, b"\nstopping: what has begun comes to its end\n")

    try:
        before = signal.signal(signal.SIGINT, asked)
    except ValueError:
        # Only the main thread hears signals.
        yield stop
        return
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def _tell(progress: Progress) -> None:
    # The error stream: the output stays what it is.
    print(f"… {progress}", file=sys.stderr, flush=True)


def status(outcome: Outcome, good: bool | None = None) -> int:
    """The exit status; `good` in place of the outcome's own word."""
    if not (outcome.ok if good is None else good):
        return NOT_DONE
    return UNRECORDED if outcome.unrecorded else DONE


def show(args: argparse.Namespace, plan: Plan, outcome: Outcome | None = None) -> None:
    """The plan, or what came of it; as JSON both."""
    if args.json:
        print_json(plan=_plan_json(plan), outcome=_outcome_json(outcome) if outcome else None)
    elif outcome is None:
        print("\n".join(plan_lines(plan)))
    else:
        print("\n".join(_outcome_lines(plan, outcome)))


# For people


def plan_lines(plan: Plan) -> list[str]:
    """The whole plan: what it means, what is wrong with it, the lines."""
    from lvstui.operations.config_plan import ConfigPlan

    lines = [plan.title]
    shown: dict[str, str] = {}
    for part in plan.parts:
        lines += _part_lines(part, shown.get(part.diff, ""))
        shown.setdefault(part.diff, part.host)
    said = "\n".join(lines)
    lines += [f"  → {effect}" for effect in plan.effects if effect not in said]
    lines += [f"  ⚠ {caution}" for caution in plan.cautions]
    if isinstance(plan, ConfigPlan) and not plan.refusals:
        lines += [f"  ⚠ {one}" for one in plan.on_proof]
        if plan.unproven and not plan.unchecked:
            lines.append("  ⚠ (--unchecked keeps it all the same)")
        if plan.to_force:
            lines.append("  ✖ with these errors it is applied only with --force")
    lines += [f"  ✖ {refusal}" for refusal in plan.refusals]
    if plan.empty and not plan.refusals and not plan.parts:
        lines.append("  nothing to do: it is like this already")
    return lines


def _part_lines(part: Part, same_as: str) -> list[str]:
    """same_as: a host whose diff was shown already and is the same."""
    about = "; ".join(filter(None, (part.host if part.name else "", part.about)))
    lines = [f"on {part.name or part.host}" + (f" ({about})" if about else "")]
    lines += [f"  ✖ {refusal}" for refusal in part.refusals]
    if not part.steps and not part.refusals and not part.diff:
        lines.append("  nothing to do: it is like this already")
    for number, step in enumerate(part.steps, 1):
        lines.append(f"  {number:>2} {step.what}" + (f"   ({step.why})" if step.why else ""))
        lines += [f"       {line}" for line in step.diff.splitlines()]
    lines += [f"  {_difference(one)}" for one in part.differences]
    lines += [f"  {_finding(one)}" for one in part.findings]
    if part.known:
        many = len(part.known)
        had = f"{many} findings were" if many > 1 else "1 finding was"
        lines.append(f"  {had} there before (`lvstui config check` tells)")
    if same_as and part.diff:
        lines.append(f"  │ the same lines as on {same_as}")
    else:
        lines += [f"  │ {line}" for line in part.diff.splitlines()]
    lines += [f"  ⚠ {caution}" for caution in part.cautions]
    return [*lines, *(f"  · {note}" for note in part.notes)]


def _difference(one: Difference) -> str:
    mark = {"cuts": "✂", "moves": "⇄", "watches": "·"}[one.impact.value]
    return f"{mark} {one.subject}: {one.text}"


def _finding(one: Finding) -> str:
    where = f"{one.place}: " if one.place else ""
    fix = f" ({one.fix})" if one.fix else ""
    return f"{one.severity.value.upper()} {where}{one.text}{fix}"


def _outcome_lines(plan: Plan, outcome: Outcome) -> list[str]:
    lines = _results(outcome)
    lines += [f"✖ {text}" for text in outcome.wrong]
    lines += [f"  {word}: {text}" for word, text in outcome.notes]
    id_ = f" ({outcome.id})" if outcome.id else ""
    lines.append(f"{outcome.ended.value}: {outcome.text}{id_}")
    if outcome.ended is Ended.WAITING:
        lines.append(
            f"rolled back in {outcome.left_s:.0f} s unless it is kept: `lvstui config keep` keeps "
            "it, `lvstui config back` undoes it now"
        )
    return lines


def _results(outcome: Outcome) -> list[str]:
    names = {part.host: part.name for part in outcome.plan.parts if part.name}
    lines = []
    for one in outcome.results:
        ended = one.ended.value if one.ended else ""
        words = (names.get(one.host, one.host), one.what, ended, one.seen)
        lines.append(f"  {'ok ' if one.ok else 'NOT'} {': '.join(filter(None, words))}")
    return lines


# For programs


def _plan_json(plan: Plan) -> dict[str, Any]:
    """The texts of files hold passwords and are left out; the masked difference is in it."""
    return {
        **fields_of(plan, "title", "effects", "cautions", "refusals", "typed", "reason", "undoes"),
        "timer_s": getattr(plan, "timer_s", None),
        "unproven": getattr(plan, "unproven", ()),
        "unchecked": getattr(plan, "unchecked", False),
        "hosts": [
            {
                **fields_of(part, "host", "name", "about", "trouble"),
                "steps": [
                    fields_of(step, "what", "why", "verify", "undo", "diff") for step in part.steps
                ],
                "differences": [asdict(one) for one in part.differences],
                "findings": [asdict(one) for one in part.findings],
                "known_findings": [asdict(one) for one in part.known],
                **fields_of(part, "diff", "notes", "cautions", "refusals"),
            }
            for part in plan.parts
        ],
    }


def fields_of(of: object, *names: str) -> dict[str, Any]:
    """Some of its attributes, by name."""
    return {name: getattr(of, name) for name in names}


def _outcome_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "ended": outcome.ended.value,
        "ok": outcome.ok,
        "id": outcome.id,
        "text": outcome.text,
        "recorded": not outcome.unrecorded,
        "left_s": outcome.left_s,
        "results": [asdict(one) for one in outcome.results],
        "wrong": outcome.wrong,
        "notes": dict(outcome.notes),
    }
