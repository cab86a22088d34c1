"""A plan: what will be done, as data. The TUI draws it, the shell prints it, tests assert it."""

from __future__ import annotations

from dataclasses import dataclass

from lvstui.model.keys import ServerKey, ServiceKey


@dataclass(frozen=True, slots=True)
class Step:
    """One write: the kernel weight of one real server in one virtual service."""

    host: str
    service: ServiceKey
    server: ServerKey
    before: int
    """Weight in the kernel when the plan was made."""
    after: int
    what: str
    """In words: `kernel weight of rs2 (10.10.0.4:80) in tcp 10.10.0.20:80: 10 → 0`."""
    verify: str
    """How it is checked, in words."""
    undo: str
    """How it is taken back, in words."""
    name: str = ""
    """The real server's name, when it has one."""


@dataclass(frozen=True, slots=True)
class Plan:
    """An operation before it is applied."""

    operation: str
    """drain, enable, weight or undo."""
    host: str
    steps: tuple[Step, ...]
    effects: tuple[str, ...] = ()
    """What it will do to the site, one sentence each."""
    cautions: tuple[str, ...] = ()
    """What the operator should know before saying yes."""
    refusals: tuple[str, ...] = ()
    """Why it can not be applied; a plan with a refusal is never applied."""
    typed: str = ""
    """What has to be typed to confirm (last server of a service); empty: a plain yes."""
    reason: str = ""
    undoes: str = ""
    """Audit id of the operation that an undo takes back."""

    @property
    def title(self) -> str:
        """One line: `drain rs2 (10.10.0.4:80) in tcp 10.10.0.20:80`."""
        if not self.steps:
            return self.operation
        first = self.steps[0]
        where = f"{first.server} in {first.service}"
        more = f" and {len(self.steps) - 1} more" if len(self.steps) > 1 else ""
        return f"{self.operation} {where}{more}"


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step after it was applied."""

    step: Step
    ok: bool
    seen: int | None
    """Weight read back from the kernel; None when the server was gone or unreadable."""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A plan after it was applied."""

    plan: Plan
    results: tuple[StepResult, ...]
    id: str
    """Audit id, for undo."""
    text: str
    """One line for the operator."""
    unrecorded: str = ""
    """Why the audit log has nothing of what came of it; empty: it has."""

    @property
    def ok(self) -> bool:
        """Every step was applied and read back."""
        return bool(self.results) and all(result.ok for result in self.results)


def shell_lines(plan: Plan) -> list[str]:
    """A plan as the command line has it, a line for each step."""
    if plan.operation == "undo":
        return ["lvstui undo"]
    lines = []
    for step in plan.steps:
        weight = f" {step.after}" if plan.operation == "weight" else ""
        lines.append(f'lvstui {plan.operation} {step.server}{weight} --service "{step.service}"')
    return lines
