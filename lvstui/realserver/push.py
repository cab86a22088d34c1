"""Carrying out a plan on one host: begin under a timer, live, prove by a new login, confirm.

Whatever happens to the connection, to sshd or to lvstui, the host ends as it was or as planned:
the decision is one rename on the host, made by the confirmation or by the timer.
"""

from __future__ import annotations

import secrets
import shlex
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

from lvstui.model.changes import Ended
from lvstui.model.text import plain
from lvstui.realserver import parse, transaction
from lvstui.realserver.facts import MANIFEST, STATE, HostFacts
from lvstui.realserver.steps import ChangeFile, HostPlan, MoveAddress, SetSysctl
from lvstui.remote.runner import ErrorKind, Ran, RemoteError, Runner

_LOOK_S = 60.0
_AGAIN_S = 3.0
"""Between tries to reach a host that was lost."""
_GRACE_S = 20.0
"""How long after its timer a host may take to go back."""


@dataclass(frozen=True, slots=True)
class HostOutcome:
    """What came of a plan on one host."""

    host: str
    ended: Ended
    text: str
    """One line for the operator."""
    facts: HostFacts | None = None
    """What the host has now, as far as it was seen."""
    trouble: str = ""
    """Why it could not be reached (see `ErrorKind`)."""

    @property
    def ok(self) -> bool:
        """As planned."""
        return self.ended.good


Connect = Callable[[], Runner]
Tell = Callable[[str], None]
"""Takes the name of each stage, in a few words."""
Prove = Callable[[HostPlan, HostFacts], Sequence[str]]
"""What is wrong, seen from outside the host, while the change is live; empty: nothing."""


def look(runner: Runner, host: str, vips: Sequence[str], directors: Sequence[str]) -> HostFacts:
    """Find out what a host is and has; as root where that is possible.

    Raises RemoteError.
    """
    nonce = secrets.token_hex(6)
    script = (
        f"N={nonce}\nVIPS={shlex.quote(' '.join(vips))}\n"
        f"DIPS={shlex.quote(' '.join(directors))}\n" + transaction.look()
    )
    try:
        ran = runner.run(script, root=True, timeout_s=_LOOK_S, what="look")
    except RemoteError as error:
        if error.trouble is not ErrorKind.ROOT:
            raise
        # What an ordinary user sees is better than nothing; the gap is said.
        ran = runner.run(script, timeout_s=_LOOK_S, what="look without root")
    try:
        return parse.facts(ran.text, nonce, host, time.time())
    except ValueError as error:
        last = plain(ran.err.strip().splitlines()[-1]) if ran.err.strip() else ""
        raise RemoteError(
            ErrorKind.LOST, f"{host}: {error}" + (f" (it said: {last})" if last else "")
        ) from error


def read_back(plan: HostPlan, facts: HostFacts, *, lasting: bool) -> list[str]:
    """What is not as the plan wants it, in words; `lasting`: its files as well."""
    wrong: list[str] = []
    steps = plan.steps if lasting else plan.live
    for step in steps:
        if isinstance(step, SetSysctl):
            now = facts.sysctl(step.key)
            if now != step.after:
                wrong.append(f"{step.key} reads {now or 'nothing'}, not {step.after}")
        elif isinstance(step, MoveAddress):
            here = any(
                item.link == "lo" and item.prefix == step.prefix for item in facts.holders(step.vip)
            )
            if here != step.add:
                wrong.append(f"{step.vip}/{step.prefix} is {'' if here else 'not '}on lo")
        elif isinstance(step, ChangeFile):
            seen = facts.seen(step.path)
            now_ = seen.content if seen else None
            if now_ != step.after:
                wrong.append(f"{step.path} does not read back as written")
    return wrong


@dataclass(slots=True)
class Push:
    """One host's way through its plan."""

    connect: Connect
    plan: HostPlan
    directors: Sequence[str] = ()
    timer_s: int = transaction.TIMER_S
    prove: Prove = lambda plan, facts: ()
    tell: Tell = lambda text: None
    _armed: float = 0.0
    """Monotonic time at which the host's timer was set."""

    def run(self) -> HostOutcome:
        """Do it; never raises for what a host or the network does."""
        plan = self.plan
        if plan.refusals:
            return self._end(Ended.REFUSED, "; ".join(plan.refusals))
        if plan.empty:
            return self._end(Ended.NOTHING, "everything is as it has to be already")
        try:
            return self._run()
        except RemoteError as error:
            if not self._armed:
                text = f"nothing was changed: {error}"
                return self._end(Ended.FAILED, text, trouble=error.trouble.value)
            self.tell(f"connection lost ({error.trouble.value}): waiting for the host to decide")
            return self.await_decision(error)

    def _run(self) -> HostOutcome:
        plan = self.plan
        with closing(self.connect()) as runner:
            self.tell("laying it out")
            # From here on the timer may run, whether the answer comes back or not.
            self._armed = time.monotonic()
            script = transaction.begin(plan, self.timer_s)
            began = self._ran(runner, script, "begin the change", 30)
            if began.status != 0 or "armed" not in began.text:
                self._armed = 0.0
                said = began.last or f"status {began.status}"
                return self._end(Ended.FAILED, f"nothing was changed: {said}")
            self.tell("changing what is in force")
            live = self._ran(runner, transaction.phase("live"), "change what is in force")
            if live.status != 0:
                return self._went_back(live, live.failure)
        self.tell("proof: a new login")
        # The old connection may live on a path that new ones no longer have.
        with closing(self.connect()) as runner:
            facts = look(runner, plan.host, plan.vips, self.directors)
            wrong = read_back(plan, facts, lasting=False)
            if not wrong:
                self.tell("proof: seen from the director")
                wrong = self._proved(facts)
            if wrong:
                back = transaction.phase("revert", "the proof failed")
                return self._went_back(self._ran(runner, back, "take it back"), "; ".join(wrong))
            self.tell("making it last")
            lasting = transaction.phase("commit")
            commit = self._ran(runner, lasting, "make it last", self.timer_s + 10)
            if commit.status != 0:
                return self._went_back(commit, commit.failure)
            self.tell("reading back")
            facts = look(runner, plan.host, plan.vips, self.directors)
        wrong = read_back(plan, facts, lasting=True)
        if wrong:
            text = "confirmed, but it does not read back: " + "; ".join(wrong)
            return self._end(Ended.TROUBLE, text, facts)
        return self._end(Ended.DONE, _summary(plan), facts)

    def _proved(self, facts: HostFacts) -> list[str]:
        """A proof that breaks is none: the host goes back at once, not at its timer."""
        try:
            return list(self.prove(self.plan, facts))
        except Exception as error:
            return [plain(f"the proof could not be made: {type(error).__name__}: {error}")]

    def _ran(self, runner: Runner, script: str, what: str, timeout_s: float = 0.0) -> Ran:
        return runner.run(script, root=True, timeout_s=timeout_s or self.timer_s, what=what)

    def _went_back(self, ran: Ran, why: str) -> HostOutcome:
        """A phase that failed has gone back by itself."""
        lines = ran.text.splitlines()
        if "reverted" in lines:
            return self._end(Ended.ROLLED_BACK, f"everything is as it was before: {why}")
        trouble = next((plain(line) for line in lines if line.startswith("trouble: ")), "")
        if trouble:
            return self._end(Ended.TROUBLE, f"{why}; {trouble}")
        # Its guard was faster and has ended what ran: only the host knows what came of that.
        return self.await_decision(RemoteError(ErrorKind.LOST, f"the host broke it off: {why}"))

    def _end(
        self, ended: Ended, text: str, facts: HostFacts | None = None, trouble: str = ""
    ) -> HostOutcome:
        return HostOutcome(self.plan.host, ended, text, facts, trouble)

    def await_decision(self, error: RemoteError) -> HostOutcome:
        """After a lost connection, or where the host's guard came first: what did the host decide?
        Asks until its timer has run out."""
        manifest = next(
            (s for s in self.plan.commit if isinstance(s, ChangeFile) and s.path == MANIFEST), None
        )
        until = self._armed + self.timer_s + _GRACE_S
        last = error
        while True:
            standing = None
            try:
                with closing(self.connect()) as runner:
                    ran = self._ran(runner, transaction.standing(), "ask what was decided", 15)
                    standing = parse.unfinished(ran.text.splitlines())
                    if standing is None:
                        now = runner.read(MANIFEST, root=True)
                        facts = look(runner, self.plan.host, self.plan.vips, self.directors)
                        done = manifest is not None and now == manifest.after
                        return self._decided(done, facts, error)
            except RemoteError as again:
                last = again
            except OSError as problem:
                last = RemoteError(ErrorKind.LOST, str(problem))
            if standing is not None and not standing.guarded:
                return self._end(Ended.TROUBLE, f"{error}; {standing.plight}")
            if time.monotonic() > until:
                break
            time.sleep(_AGAIN_S)
        if standing is not None:
            how = standing.plight or "it is still going back"
            return self._end(Ended.TROUBLE, f"{error}; {how}")
        text = (
            f"{last}; whether it was confirmed or its timer took it back is not known: look again "
            "when it answers"
        )
        return self._end(Ended.UNKNOWN, text, trouble=last.trouble.value)

    def _decided(self, done: bool, facts: HostFacts, error: RemoteError) -> HostOutcome:
        plan = self.plan
        if not done:
            text = f"everything is as it was before: {error.what}"
            return self._end(Ended.ROLLED_BACK, text, facts)
        wrong = read_back(plan, facts, lasting=True)
        if wrong:
            return self._end(Ended.TROUBLE, "; ".join(wrong), facts)
        text = f"{_summary(plan)} (the connection was lost meanwhile)"
        return self._end(Ended.DONE, text, facts)


def take_back_unfinished(runner: Runner) -> str:
    """Take back a change that was cut half way (the host went down in it); what was done, in
    words. Raises RemoteError."""
    script = (
        f"T={transaction.TX}; [ -d $T ] || {{ echo 'nothing is unfinished'; exit 0; }}\n"
        f"if [ ! -e $T/change.sh ] || [ ! -e $T/steps.sh ]; then\n"
        f"  rm -rf $T; rmdir {STATE} 2>/dev/null; echo reverted; exit 0; fi\n"
        "if [ -e $T/confirmed ]; then sh $T/change.sh ended; echo 'it was confirmed'; exit 0; fi\n"
        # Without any of the three nothing was begun.
        "[ -e $T/armed ] || [ -e $T/reverting ] || mv $T/trouble.end $T/reverting 2>/dev/null ||\n"
        "  : > $T/reverting\n"
        "sh $T/change.sh revert 'an operator took back what was unfinished'\n"
    )
    ran = runner.run(script, root=True, timeout_s=60, what="take back what is unfinished")
    return ran.last or f"status {ran.status}"


def _summary(plan: HostPlan) -> str:
    what = ", ".join(plan.vips)
    if plan.operation == "push":
        return f"{what} is on lo, silent on ARP, and comes back after a reboot; read back"
    return f"{what} and what came with it is gone; read back"
