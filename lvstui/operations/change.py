"""One change, whatever it is of: planned as data, shown, confirmed, made, read back, recorded.

Weights, keepalived.conf and real servers differ in their steps, in who carries them out, and in
what there is to read back. All else is here, and is the same for screens, shell and JSON.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import Enum
from time import monotonic
from typing import TYPE_CHECKING

from lvstui.model.changes import Ended
from lvstui.model.text import plain
from lvstui.operations.audit import NotRecordedError
from lvstui.process.readonly import READ_ONLY

if TYPE_CHECKING:
    from lvstui.keepalived.diff import Difference
    from lvstui.model.finding import Finding

Stop = threading.Event
"""Set by whoever wants it stopped: what is not begun is left, and is said to be."""
NOT_BEGUN = "not begun: it was stopped before"


class Phase(Enum):
    """Where a change stands."""

    PLANNING = "planning"
    PLANNED = "planned"
    RUNNING = "running"
    WAITING = "waiting"
    """Applied and verified; the timer rolls it back unless it is kept."""
    DECIDING = "deciding"
    """It is being kept or undone."""
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is done, in words."""

    what: str
    """`kernel weight of rs2 in tcp 10.10.0.20:80: 10 → 0`, `new file /etc/…`."""
    verify: str
    """How it is checked."""
    undo: str
    """How it is taken back."""
    why: str = ""
    """Empty where the plan as a whole says it."""
    diff: str = ""
    """Of a file that may be shown as it is; else empty."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a plan does on one host."""

    host: str
    """Name or address."""
    name: str = ""
    """The same for people, when it has another one."""
    trouble: str = ""
    """Why it could not be looked at, in one word; empty: it could."""
    about: str = ""
    """What runs there: `keepalived 2.2.7`, `Debian 12, ifupdown`."""
    steps: tuple[Step, ...] = ()
    differences: tuple[Difference, ...] = ()
    """What its steps mean to keepalived."""
    findings: tuple[Finding, ...] = ()
    known: tuple[Finding, ...] = ()
    """Those that were there before."""
    diff: str = ""
    """Of all its files, secrets masked."""
    notes: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A change before it is made."""

    title: str
    """One line."""
    effects: tuple[str, ...] = field(default=(), kw_only=True)
    """What it will do to the site, one sentence each."""
    cautions: tuple[str, ...] = field(default=(), kw_only=True)
    """What the operator should know before saying yes."""
    refusals: tuple[str, ...] = field(default=(), kw_only=True)
    """Why it cannot be applied; a plan with a refusal is never applied."""
    typed: str = field(default="", kw_only=True)
    """What has to be typed to confirm; empty: a plain yes."""
    reason: str = field(default="", kw_only=True)
    undoes: str = field(default="", kw_only=True)
    """Id of the change that this one takes back."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """Host by host, in words."""
        return ()

    @property
    def empty(self) -> bool:
        return not any(part.steps for part in self.parts)

    @property
    def ready(self) -> bool:
        """There is something to apply, and nothing forbids it."""
        return not self.refusals and any(p.steps and not p.refusals for p in self.parts)

    @property
    def shell_lines(self) -> tuple[str, ...]:
        """The same on the command line."""
        return ()


@dataclass(frozen=True, slots=True)
class ReadBack:
    """One thing that was done or looked at, as it was read back."""

    host: str
    what: str
    """In words: `VIPs on eth0`, `same children`; empty: the host's part as a whole."""
    ok: bool
    """It is as planned."""
    seen: str = ""
    """What was seen, or how it ended."""
    ended: Ended | None = None
    """How the host's part as a whole stands."""
    trouble: str = ""
    """Why the host could not be reached, in one word; empty: it could."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a plan."""

    plan: Plan
    ended: Ended
    id: str
    """In the audit log, and in the history of configurations; empty when nothing was done."""
    text: str
    """One line for the operator."""
    results: tuple[ReadBack, ...] = ()
    left_s: float = 0.0
    """Seconds until the timer rolls it back (WAITING)."""
    unrecorded: str = ""
    """Why the audit log has nothing of what came of it; empty: it has."""
    wrong: tuple[str, ...] = ()
    """What else was seen meanwhile and should not have been."""
    notes: tuple[tuple[str, str], ...] = ()
    """What else is worth knowing: a word for what it is, and the text."""

    @property
    def ok(self) -> bool:
        """It is in force as planned."""
        return self.ended.good and not self.wrong

    def recorded(self, unrecorded: str) -> Outcome:
        """The same with why the audit log has nothing of it: what was made was made."""
        if not unrecorded:
            return self
        return replace(self, text=f"{self.text}; {unrecorded}", unrecorded=unrecorded)


@dataclass(frozen=True, slots=True)
class Progress:
    """A step that begins now."""

    step: int
    """From 1."""
    of: int
    host: str
    text: str

    def __str__(self) -> str:
        return f"{self.step} of {self.of}, {self.host}: {self.text}"


@dataclass
class TrackedChange:
    """One change from the first question to its end; outlives whatever shows it."""

    title: str
    phase: Phase = Phase.PLANNING
    plan: Plan | None = None
    outcome: Outcome | None = None
    reason: str = ""
    """What was said already when it was asked for."""
    cautions: tuple[str, ...] = ()
    """What those who made it said that one must know."""
    problem: str = ""
    """Why it could not even be planned, or was lost on the way."""
    stages: list[str] = field(default_factory=list)
    """What was and is being done, in order."""
    started: float = 0.0
    """Monotonic time at which it was begun."""
    deadline: float = 0.0
    """Monotonic time at which the timer rolls it back."""
    stop: Stop = field(default_factory=Stop)

    @property
    def left_s(self) -> float:
        """Seconds until the timer rolls it back."""
        return max(self.deadline - monotonic(), 0.0)

    @property
    def good(self) -> bool:
        """It is in force as planned."""
        return self.outcome is not None and self.outcome.ok

    @property
    def line(self) -> str:
        """What came of it, for a notification."""
        return self.problem or plain(self.outcome.text if self.outcome is not None else "")

    def begin(self) -> None:
        """It is being carried out from now on."""
        self.phase, self.started = Phase.RUNNING, monotonic()

    def planned(self, plan: Plan) -> None:
        """This is what will be done."""
        self.plan, self.phase = plan, Phase.PLANNED
        self.title = plan.title or self.title

    def lost(self, problem: str) -> None:
        """It could not even be tried, or nobody knows what came of it."""
        self.problem, self.phase = problem, Phase.ENDED
        self.stages.clear()

    def ended(self, outcome: Outcome) -> None:
        """Take up what came of it."""
        self.outcome = outcome
        self.phase = Phase.ENDED
        self.stages.clear()
        if outcome.ended is Ended.WAITING:
            self.phase = Phase.WAITING
            self.deadline = monotonic() + outcome.left_s


Tell = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """For those who do not want to hear it."""


_WORST_FIRST = (
    Ended.TROUBLE,
    Ended.UNKNOWN,
    Ended.STOPPED,
    Ended.ROLLED_BACK,
    Ended.FAILED,
    Ended.REFUSED,
    Ended.WAITING,
    Ended.UNDONE,
    Ended.KEPT,
    Ended.DONE,
)


def worst(ends: Iterable[Ended]) -> Ended:
    """How a change ended whose parts ended like this."""
    found = set(ends)
    return next((ended for ended in _WORST_FIRST if ended in found), Ended.NOTHING)


def stops(plan: Plan, *, read_only: bool) -> str:
    """Why a plan may not be carried out; empty: it may."""
    if read_only:
        return READ_ONLY
    if plan.refusals:
        return "; ".join(plan.refusals)
    return "there is nothing to do" if plan.empty else ""


def refused(plan: Plan, why: str, id_: str = "") -> Outcome:
    """What comes of a plan that may not be carried out."""
    return Outcome(plan, Ended.REFUSED, id_, f"nothing was done: {why}")


def not_recorded(plan: Plan, error: NotRecordedError) -> Outcome:
    """What comes of a plan that cannot be accounted for."""
    return Outcome(plan, Ended.FAILED, "", str(error))
