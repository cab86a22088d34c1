"""Carrying out one change on one or several directors: all of them, or none.

Laid out with its guard on each, written on each, loaded on all at the same moment, looked at until
everything is as expected. Whatever happens to lvstui or to a connection, each director's own guard
takes back what was not confirmed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lvstui.keepalived.daemon import transaction
from lvstui.keepalived.daemon.facts import DaemonLook, DirectorSeen, FileStep
from lvstui.keepalived.daemon.trial import ConfigTest
from lvstui.model.changes import UNDONE_BY, Ended
from lvstui.model.config import Configuration
from lvstui.model.ipvs import Counters
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.text import plain
from lvstui.operations import configuration_verify as verify
from lvstui.operations.change import Progress, ReadBack, Stop, Tell
from lvstui.operations.config_history import read_history
from lvstui.operations.configuration_hosts import (
    DirectorAccess,
    at_once,
    look_daemon_at,
    with_left_out,
)
from lvstui.operations.configuration_verify import Expected
from lvstui.remote.runner import RemoteError, Runner

_SPARE_S = 30
"""What the guard waits longer than all the looking may take, while nobody can confirm yet."""
_EVERY_S = 0.7
_RESTART_S = 30.0
"""What a keepalived that was started again may take to be MASTER and to have checked everybody."""
_NAT_S = 5.0
"""How long replies are waited for when forwarding becomes NAT."""
STAGES = 5
"""Looking again, laying out, writing, reloading, reading back."""


CounterReader = Callable[[ServiceKey], Mapping[ServerKey, Counters]]
"""Counters of a service's servers in this host's kernel. Raises OSError, LookupError."""


@dataclass(frozen=True, slots=True)
class Target:
    """One director of a change."""

    where: DirectorAccess
    seen: DirectorSeen
    files: tuple[FileStep, ...]
    after: Configuration
    tested: ConfigTest | None = None
    old_is_lethal: bool = False
    unchecked: bool = False
    """See `ConfigPlan`."""

    @property
    def expected(self) -> Expected:
        """What is to be seen afterwards."""
        was = self.seen.running or self.seen.config.configuration or Configuration()
        return Expected(self.seen, self.after, was, self.unchecked)

    @property
    def as_before(self) -> Expected:
        """What is to be seen after it was rolled back: the old files, loaded."""
        was = self.seen.config.configuration or self.seen.running or Configuration()
        return Expected(self.seen, was, was)


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """What came of it."""

    ended: Ended
    text: str
    verified: tuple[ReadBack, ...] = ()
    restarted: tuple[str, ...] = ()
    """Directors whose keepalived had died and was started again on the way back."""


@dataclass(slots=True)
class ApplyRun:
    """One change on its way."""

    id: str
    targets: Sequence[Target]
    meta: Mapping[str, object]
    timer_s: int
    tell: Tell
    counters: CounterReader | None = None
    stop: Stop = field(default_factory=Stop)
    """Set by the operator: nothing more is begun, and what was written is taken back."""
    _runners: dict[str, Runner] = field(default_factory=dict)
    _told_at: dict[str, float] = field(default_factory=dict)
    _cautions: list[str] = field(default_factory=list)

    def run(self) -> ApplyResult:
        """Do it; never raises for what a host or the network does."""
        try:
            return self._run()
        finally:
            for runner in self._runners.values():
                runner.close()

    # Stages

    def _tell(self, stage: int, text: str) -> None:
        names = ", ".join(target.where.name for target in self.targets)
        self.tell(Progress(stage, STAGES, names, text))

    def _stopped(self, found: tuple[ReadBack, ...] = (), *, loaded: bool = True) -> ApplyResult:
        """The operator stopped it: every director has its old files, at once."""
        came = self._back(UNDONE_BY + str(self.meta.get("who", "")), found, loaded=loaded)
        return replace(came, ended=Ended.UNDONE) if came.ended is Ended.ROLLED_BACK else came

    def _run(self) -> ApplyResult:
        self._tell(2, "laying it out, under a timer")
        wrong = self._each(self._begin)
        if wrong:
            self._each(lambda t: self._phase(t, "revert", "it could not be laid out everywhere"))
            return ApplyResult(Ended.FAILED, "nothing was written: " + "; ".join(wrong))
        if self.stop.is_set():
            return self._stopped(loaded=False)
        self._tell(3, "writing")
        wrong = self._each(lambda target: self._phase(target, "write"))
        if wrong:
            return self._back("; ".join(wrong), loaded=False)
        if self.stop.is_set():
            return self._stopped(loaded=False)
        if any(target.seen.daemon.pid for target in self.targets):
            self._tell(4, "reloading")
        wrong = self._each(self._reload)
        if wrong:
            return self._back("; ".join(wrong))
        spread = self._spread()
        if spread:
            return self._back(spread)
        running = [target for target in self.targets if target.seen.daemon.pid]
        found: tuple[ReadBack, ...] = ()
        if running:
            self._tell(5, "looking what keepalived made of it")
            found = self._watch([t.expected for t in running], running, stop=self.stop)
            if self.stop.is_set():
                return self._stopped(found)
            bad = [v for v in found if not v.ok]
            if bad:
                return self._back("; ".join(f"{v.host}: {v.what}: {v.seen}" for v in bad), found)
        return self._keep(found, bool(running))

    def _keep(self, found: tuple[ReadBack, ...], running: bool) -> ApplyResult:
        read = f"loaded and read back ({len(found)} checks)"
        if not running:
            read = (
                "written; keepalived does not run, so nothing is loaded and nothing could be "
                "verified"
            )
        if not self.timer_s:
            wrong = self._each(lambda t: self._phase(t, "confirm", str(self.meta.get("who", ""))))
            if wrong:
                return ApplyResult(Ended.TROUBLE, "; ".join(wrong), found)
            return ApplyResult(Ended.KEPT, read, found)
        wrong = self._each(lambda target: self._phase(target, "extend", str(self.timer_s)))
        if wrong:
            return self._back("; ".join(wrong), found)
        # Each has said that its timer is there (`extended`).
        return ApplyResult(Ended.WAITING, "; ".join([read, *self._cautions]), found)

    def _begin(self, target: Target) -> str:
        patience = verify.patience_s(target.expected) + _NAT_S
        longest = max([patience, *(verify.patience_s(t.expected) + _NAT_S for t in self.targets)])
        text, stdin = transaction.begin(
            self.id,
            target.files,
            target.seen.daemon,
            seconds=int(longest) + _SPARE_S + self.timer_s,
            meta={**self.meta, "files": [file.path for file in target.files]},
            tested=target.tested,
            old_is_lethal=target.old_is_lethal,
        )
        runner = self._runner(target)
        ran = runner.run(
            text, stdin=stdin, root=True, timeout_s=60, what="begin the change", private=True
        )
        if ran.status == 0 and "armed" in ran.text:
            if target.seen.daemon.systemd and "armed process" in ran.text:
                self._cautions.append(
                    f"{target.where.name}: no unit could be made for systemd, so "
                    "that a reboot is not covered"
                )
            return ""
        return ran.failure or f"status {ran.status}"

    def _reload(self, target: Target) -> str:
        self._told_at[target.where.name] = time.monotonic()
        return self._phase(target, "reload")

    def _spread(self) -> str:
        """Why the directors were not told at the same moment as far as they have to be."""
        window = min(
            [verify.window_of(t.expected) for t in self.targets if t.seen.daemon.pid] or [0.0]
        )
        times = list(self._told_at.values())
        if len(times) < 2 or not window:
            return ""
        took = time.monotonic() - min(times)
        if took < window:
            return ""
        return (
            f"the directors took {took:.1f} s to be told, and only {window:.1f} s are allowed "
            "while their adverts differ"
        )

    def _phase(self, target: Target, word: str, *arguments: str) -> str:
        """Run one phase; what went wrong, else empty."""
        ran = self._runner(target).run(
            transaction.phase(self.id, word, *arguments), root=True, timeout_s=90, what=f"{word} it"
        )
        if ran.status == 0:
            return ""
        return ran.failure or f"{word}: status {ran.status}"

    def _each(self, work: Callable[[Target], str]) -> list[str]:
        """The same at all directors at once; what went wrong."""
        found = []
        for target, said, error in at_once(self.targets, work):
            why = str(error) if error is not None else said
            if why:
                found.append(f"{target.where.name}: {why}")
        return found

    def _runner(self, target: Target) -> Runner:
        name = target.where.name
        if name not in self._runners:
            self._runners[name] = target.where.connect()
        return self._runners[name]

    # Looking

    def _watch(
        self,
        expected: Sequence[Expected],
        targets: Sequence[Target],
        patience_s: float = 0.0,
        stop: Stop | None = None,
    ) -> tuple[ReadBack, ...]:
        """Look until all is as expected for long enough, or patience ends (not before
        `patience_s`), or it is stopped."""
        began = time.monotonic()
        least = max(verify.watch_s(e) for e in expected)
        most = max([patience_s, *(verify.patience_s(e) for e in expected)])
        first = self._count(expected, targets)
        if first:
            least = max(least, _NAT_S)
            most = max(most, _NAT_S + 1)
        found: tuple[ReadBack, ...] = ()
        while True:
            looks = at_once(targets, lambda t: look_daemon_at(t.where, self._runner(t), brief=True))
            seen: list[DaemonLook] = []
            verdicts: list[ReadBack] = []
            over = False
            for (target, daemon, error), wanted in zip(looks, expected, strict=True):
                if daemon is None:
                    verdicts.append(
                        ReadBack(target.where.name, "it can be looked at", False, str(error))
                    )
                    over = True
                    continue
                seen.append(daemon)
                verdicts += _judged(target, wanted, daemon)
                over = over or bool(verify.lost(wanted, daemon))
            if len(seen) == len(expected):
                verdicts += verify.together(expected, seen)
            found = tuple(verdicts)
            took = time.monotonic() - began
            over = over or (stop is not None and stop.is_set())
            if over or took >= most or (took >= least and all(v.ok for v in found)):
                break
            time.sleep(_EVERY_S)
        return (*found, *self._replies(first, targets))

    def _count(
        self, expected: Sequence[Expected], targets: Sequence[Target]
    ) -> dict[tuple[ServiceKey, ServerKey], Counters]:
        """Counters of what becomes NAT on this host, before anything came of it."""
        if self.counters is None:
            return {}
        return {
            pair: self._counted(*pair) or Counters()
            for target, wanted in zip(targets, expected, strict=True)
            if target.where.local
            for pair in verify.becomes_nat(wanted)
        }

    def _counted(self, service: ServiceKey, server: ServerKey) -> Counters | None:
        try:
            return self.counters(service).get(server) if self.counters is not None else None
        except (OSError, LookupError):
            return None

    def _replies(
        self, first: Mapping[tuple[ServiceKey, ServerKey], Counters], targets: Sequence[Target]
    ) -> list[ReadBack]:
        host = next((t.where.name for t in targets if t.where.local), "")
        return [
            verify.replies(host, service, server, counted, self._counted(service, server))
            for (service, server), counted in first.items()
        ]

    # Going back

    def _as_before(self, target: Target, restarted: bool) -> Expected:
        """What is to be seen after a way back; of a daemon that was started again, its new
        processes."""
        wanted = target.as_before
        if not restarted:
            return wanted
        try:
            now = look_daemon_at(target.where, self._runner(target), brief=True)
        except RemoteError:
            return wanted
        was = wanted.before.daemon
        daemon = replace(was, pid=now.pid, ticks=now.ticks, children=now.children)
        return replace(wanted, before=replace(wanted.before, daemon=daemon))

    def _back(
        self, why: str, found: tuple[ReadBack, ...] = (), *, loaded: bool = True
    ) -> ApplyResult:
        """Every director back to its old files, and what is seen then."""
        why_back = "stopped" if self.stop.is_set() else "it is not as planned"
        self._tell(STAGES, f"{why_back}: the old files are put back")
        result = take_back(self.id, [t.where for t in self.targets], why, self._runners)
        if result.ended is not Ended.ROLLED_BACK or not loaded:
            return ApplyResult(result.ended, f"{why}; {result.text}", found)
        running = [t for t in self.targets if t.seen.daemon.pid]
        wanted = [self._as_before(t, t.where.name in result.restarted) for t in running]
        patience = _RESTART_S if result.restarted else 0.0
        seen = self._watch(wanted, running, patience) if running else ()
        again = [v for v in seen if not v.ok]
        if again:
            text = "; ".join(f"{v.host}: {v.what}: {v.seen}" for v in again)
            return ApplyResult(Ended.TROUBLE, f"{why}; the old files are back, but {text}", found)
        how = f"{result.text}, loaded, and read back" if running else result.text
        return ApplyResult(Ended.ROLLED_BACK, f"{why}; {how}", found)


def _judged(target: Target, wanted: Expected, daemon: DaemonLook) -> tuple[ReadBack, ...]:
    """What is expected of one director, held against one look at it."""
    found = verify.look_back(wanted, daemon)
    if target.where.local and (
        target.seen.daemon.left_out or not all(verified.ok for verified in found)
    ):
        found = verify.look_back(wanted, with_left_out(daemon))
    return found


def take_back(
    id_: str,
    wheres: Sequence[DirectorAccess],
    why: str,
    runners: Mapping[str, Runner] | None = None,
) -> ApplyResult:
    """Every director back to its old files; how it ended, in words. Never raises."""
    have = runners or {}

    def one(where: DirectorAccess) -> tuple[str, tuple[str, ...]]:
        runner = have.get(where.name) or where.connect()
        try:
            script = transaction.phase(id_, "revert", plain(why, 400))
            ran = runner.run(script, root=True, timeout_s=90, what="take it back")
            lines = [plain(line) for line in ran.text.splitlines() if line.strip()]
            last = lines[-1] if lines else ran.last
            if last != "reverted" and not last.startswith("trouble: "):
                # Cut, or somebody else was quicker: the host's own marks say how it stands.
                last = _decision(runner, id_) or last
            notes = tuple(
                "keepalived had died and was started again"
                for line in lines
                if line.startswith("started ")
            )
            return last, notes
        finally:
            if where.name not in have:
                runner.close()

    trouble: list[str] = []
    notes: list[str] = []
    restarted: list[str] = []
    for where, said, error in at_once(wheres, one):
        if said is None:
            trouble.append(
                f"{where.name}: {error}; whether its own timer rolls it back could not be seen"
            )
            continue
        notes += [f"{where.name}: {note}" for note in said[1]]
        restarted += [where.name] if said[1] else []
        if said[0] != "reverted":
            trouble.append(f"{where.name}: {said[0].removeprefix('trouble: ') or 'no word'}")
    if trouble:
        return ApplyResult(Ended.TROUBLE, "; ".join((*notes, *trouble)), (), tuple(restarted))
    return ApplyResult(
        Ended.ROLLED_BACK, "; ".join((*notes, "the old files are back")), (), tuple(restarted)
    )


def _decision(runner: Runner, id_: str) -> str:
    """What was decided about a change, waiting a little for it: `reverted`, or in words."""
    for _ in range(20):
        entry = next(iter(read_history(runner, id_)), None)
        if entry is None:
            # It was never laid out here, so there is nothing to take back.
            return "reverted"
        if entry.ended is Ended.KEPT:
            return "it was kept there: undo it"
        if entry.ended is not Ended.WAITING:
            return "reverted" if entry.ended is not Ended.TROUBLE else entry.standing[0].text
        if entry.plight:
            return entry.standing[0].plight
        time.sleep(_EVERY_S)
    return "it is still on its way back"
