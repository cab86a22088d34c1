"""The configuration of the directors: look, plan, apply, confirm, take back, remember.

One engine for this host and the peer, for screens and shell. Everything here blocks on files,
processes and the network, and belongs on a worker's thread.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from lvstui.keepalived.daemon import transaction
from lvstui.keepalived.daemon.facts import ConfigSeen, DirectorSeen
from lvstui.keepalived.daemon.look import read_files
from lvstui.keepalived.text.mask import Secrets, masked_diff, secrets_in, secrets_of
from lvstui.model.changes import UNDONE_BY, Ended
from lvstui.model.finding import FindingSeverity
from lvstui.model.ipvs import Counters
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.text import plain
from lvstui.model.waiting import NO_REBOOT
from lvstui.operations import config_history as history
from lvstui.operations import configuration_rules as rules
from lvstui.operations.audit import AuditLog, Deed, NotRecordedError
from lvstui.operations.change import (
    Outcome,
    Progress,
    Stop,
    Tell,
    not_recorded,
    refused,
    silent,
    stops,
)
from lvstui.operations.config_history import HistoryEntry
from lvstui.operations.config_plan import ConfigPlan, FileChange
from lvstui.operations.configuration_apply import STAGES, ApplyRun, CounterReader, Target, take_back
from lvstui.operations.configuration_hosts import DirectorAccess, at_once, look_at, with_runner
from lvstui.operations.configuration_plan import (
    HostPlanned,
    as_plan,
    candidate,
    draw,
    effects,
    idle,
    moved,
    peer_of,
)
from lvstui.operations.undo import CONFIGURATION as OPERATION
from lvstui.operations.undo import undo_title
from lvstui.process.readonly import READ_ONLY
from lvstui.remote.runner import ErrorKind, RemoteError, Runner

TIMER_S = 60
SHORTEST_S, LONGEST_S = 15, 3600  # of the timer; 0 is none
_LOAD_S = 8.0
"""How long a reload may take until it counts as failed."""
_CONFIRM_S = 30
"""The guards are put off by this much while all directors are asked to confirm."""
LOOK_FIRST = (
    "4 H R (lvstui config rollback N) shows the difference and goes back all the same, or edit it"
)

Files = Mapping[str, Sequence[FileChange]]
"""By director: the files as they were read, and as they are to be."""
Looks = Mapping[str, "DirectorSeen | RemoteError"]
"""By director: what was seen there, or why nothing was."""


def kernel_counters(service: ServiceKey) -> dict[ServerKey, Counters]:
    """Counters of a service's servers on this host. Raises OSError, LookupError."""
    from lvstui.kernel.ipvs import KernelIpvs

    with KernelIpvs() as ipvs:
        return {key: detail.counters for key, detail in ipvs.read(service).servers}


class DirectorConfigs:
    """Plans and applies; one for a session, for any thread: every call makes its own connections,
    and the directors themselves see to it that one change is under way at a time."""

    def __init__(
        self,
        directors: Sequence[DirectorAccess],
        *,
        audit: AuditLog | None = None,
        read_only: bool = False,
        alone: bool = False,
        counters: CounterReader = kernel_counters,
    ) -> None:
        """directors: this one first, then its peers. alone: there is no other director than
        these, so nothing has to agree with one that cannot be seen."""
        self.directors = tuple(directors)
        self.audit = audit or AuditLog()
        self.read_only = read_only
        self.alone = alone
        self.unheard: dict[str, RemoteError] = {}
        """Directors that the history could not be asked of the last time, and why."""
        self._counters = counters

    # Looking

    def look(self) -> dict[str, DirectorSeen | RemoteError]:
        """Every director as it is now: daemon, files, what is loaded; or why it cannot be seen."""
        found: dict[str, DirectorSeen | RemoteError] = {}
        for where, seen, error in at_once(
            self.directors, lambda w: with_runner(w, lambda runner: look_at(w, runner))
        ):
            result = seen if seen is not None else error
            assert result is not None
            found[where.name] = result
        return found

    # Planning

    def plan(
        self,
        title: str,
        files: Files,
        *,
        reason: str = "",
        timer_s: int = TIMER_S,
        undoes: str = "",
        looks: Looks | None = None,
    ) -> ConfigPlan:
        """What writing these files would do. Nothing is changed; the candidate is tested on each
        director by its own keepalived. looks: what `look` said a moment ago, when the files were
        made of it. Raises KeyError for a director that is not known and ValueError for a timer out
        of range."""
        if timer_s and not SHORTEST_S <= timer_s <= LONGEST_S:
            raise ValueError(f"the timer has to be 0 or {SHORTEST_S} to {LONGEST_S} s")
        return self._plan(title, files, reason, timer_s, undoes, looks)[0]

    def _plan(
        self,
        title: str,
        files: Files,
        reason: str,
        timer_s: int,
        undoes: str,
        looks: Looks | None = None,
    ) -> tuple[ConfigPlan, tuple[HostPlanned, ...]]:
        unknown = set(files) - {where.name for where in self.directors}
        if unknown:
            raise KeyError(f"no director {', '.join(sorted(unknown))}")
        if self.read_only:
            # Not even a trial of the candidate: it makes files.
            return ConfigPlan(
                plain(title),
                refusals=(READ_ONLY,),
                reason=plain(reason),
                timer_s=timer_s,
                undoes=undoes,
            ), ()
        refusals: list[str] = []
        cautions: list[str] = []
        looks = looks or self.look()
        drawn: list[HostPlanned] = []
        wanted = []
        for where in self.directors:
            seen = looks[where.name]
            if isinstance(seen, RemoteError):
                if where.name in files:
                    refusals.append(f"{where.name} can not be worked on: {seen}")
                else:
                    cautions.append(f"{where.name} could not be looked at: {seen}")
            elif where.name in files:
                wanted.append((where, seen))
            else:
                drawn.append(idle(where, seen))

        def read(item: tuple[DirectorAccess, DirectorSeen]) -> ConfigSeen:
            where, seen = item
            return with_runner(where, lambda r: candidate(seen, r, files[where.name]))

        there = {name: seen for name, seen in looks.items() if isinstance(seen, DirectorSeen)}
        old = {name: seen.config for name, seen in there.items()}
        versions = {name: seen.daemon.version for name, seen in there.items()}
        came = at_once(wanted, read)
        new = {where.name: after for (where, _), after, _ in came if after}
        unread = {where.name: error for (where, _), _, error in came if error}

        def one(item: tuple[DirectorAccess, DirectorSeen]) -> HostPlanned:
            where, seen = item
            name = where.name
            if name not in new:
                error = unread[name]
                raise RemoteError(error.trouble, f"its files: {error.what}", error.todo)
            # Each text is held against the peer's of the same moment.
            peers = peer_of(name, old, versions), peer_of(name, {**old, **new}, versions)
            return with_runner(where, lambda r: draw(where, seen, r, files[name], new[name], peers))

        for (where, _), part, error in at_once(wanted, one):
            if part is None:
                refusals.append(f"{where.name} can not be worked on: {error}")
                continue
            drawn.append(part)
            refusals += part.refusals
            cautions += part.cautions
            if timer_s and part.change.files and not part.seen.daemon.systemd:
                cautions.append(f"{part.where.name}: {NO_REBOOT}")
        order = {where.name: number for number, where in enumerate(self.directors)}
        drawn.sort(key=lambda part: order[part.where.name])
        sides = [part.side for part in drawn]
        cautions += rules.directors_as_servers(sides, looks)
        # A director that cannot be seen still sends and hears adverts: then nobody is alone.
        reached = len(sides) == len(self.directors)
        refusals += rules.refusals(sides, alone=self.alone and reached)
        plan = ConfigPlan(
            title=plain(title),
            hosts=tuple(part.change for part in drawn if part.change.files),
            effects=effects(drawn),
            cautions=tuple(dict.fromkeys(cautions)),
            refusals=tuple(dict.fromkeys(refusals)),
            typed=rules.typed(sides),
            reason=plain(reason),
            timer_s=timer_s,
            undoes=undoes,
            unproven=tuple(dict.fromkeys(one for part in drawn for one in part.unproven)),
        )
        return plan, tuple(drawn)

    # Doing

    def apply(
        self,
        plan: ConfigPlan,
        *,
        force: bool = False,
        tell: Tell = silent,
        stop: Stop | None = None,
    ) -> Outcome:
        """Put a plan in force, on all of its directors or on none. `force`: in spite of findings
        that are errors; what is lethal is never applied. `stop` is heeded between two stages: what
        was written by then is taken back at once.

        Never raises for what hosts, disk or keepalived refuse: the outcome says it. A WAITING
        outcome is rolled back by the directors themselves unless `confirm` comes in time.
        """
        why = self._stops(plan, force)
        if why:
            return refused(plan, why)
        names = ", ".join(host.director.host for host in plan.hosts)
        tell(Progress(1, STAGES, names, "looking again, testing again"))
        files = {host.director.host: host.files for host in plan.hosts}
        now, drawn = self._plan(plan.title, files, plan.reason, plan.timer_s, plan.undoes)
        why = moved(plan, now) or self._stops(now, force)
        if why:
            return refused(plan, why)
        if stop is not None and stop.is_set():
            return Outcome(plan, Ended.STOPPED, "", "nothing was written")
        parts = [part for part in drawn if part.change.files]
        deeds = []
        for part in parts:
            paths = ", ".join(change.path for change in part.change.files)
            deeds.append(Deed(part.where.name, "", OPERATION, f"{plan.title} ({paths})"))

        targets = [
            Target(
                p.where,
                p.seen,
                p.steps,
                p.after.configuration or p.side.after,
                p.tried.before,
                p.old_is_lethal,
                plan.unchecked,
            )
            for p in parts
        ]
        about = {
            "title": plan.title,
            "who": self.audit.who,
            "at": round(time.time(), 3),
            "reason": plan.reason,
            "timer_s": plan.timer_s,
            "forced": force,
            "hosts": [part.where.name for part in parts],
            "undoes": plan.undoes,
        }
        heed = stop or Stop()
        try:
            with self.audit.around(deeds, plan.reason, plan.undoes) as record:
                came = ApplyRun(
                    record.id, targets, about, plan.timer_s, tell, self._counters, heed
                ).run()
                left = float(plan.timer_s) if came.ended is Ended.WAITING else 0.0
                outcome = Outcome(plan, came.ended, record.id, came.text, came.verified, left)
                end = f"{outcome.ended.value}: {outcome.text}"
                record.came = [deed.came(outcome.ok, end) for deed in deeds]
        except NotRecordedError as error:
            return not_recorded(plan, error)
        return outcome.recorded(record.unrecorded)

    def _stops(self, plan: ConfigPlan, force: bool) -> str:
        why = stops(plan, read_only=self.read_only)
        if why:
            return why
        found = [f for host in plan.hosts for f in host.findings]
        lethal = [
            f"{f.place or ''} {f.text}" for f in found if f.severity is FindingSeverity.LETHAL
        ]
        if lethal:
            return "; ".join(lethal)
        errors = [f"{f.place or ''} {f.text}".strip() for f in plan.to_force]
        if errors and not force:
            return f"{'; '.join(errors)} (only when forced)"
        return ""

    # What waits

    def waiting(self) -> tuple[HistoryEntry, ...]:
        """Changes that are neither kept nor undone nor rolled back, also those of another lvstui.
        Directors that cannot be asked are passed over (`unheard`)."""
        return tuple(e for e in self.history(history.CURRENT) if e.ended is Ended.WAITING)

    def history(self, only: str = "") -> tuple[HistoryEntry, ...]:
        """The changes that the directors remember, newest first; `only` as for `read_history`.
        Directors that cannot be asked are passed over (`unheard`)."""

        def one(where: DirectorAccess) -> tuple[HistoryEntry, ...]:
            found = with_runner(where, lambda r: history.read_history(r, only))
            return tuple(
                replace(
                    e,
                    hosts=(where.name,) if e.problem else e.hosts,
                    standing=tuple(replace(s, host=where.name) for s in e.standing),
                )
                for e in found
            )

        found = at_once(self.directors, one)
        self.unheard = {where.name: error for where, _, error in found if error is not None}
        return history.merged([f for _, f, _ in found if f is not None])

    def _entry(self, id_: str) -> HistoryEntry:
        """Raises KeyError."""
        for entry in self.history(id_):
            return entry
        raise KeyError(id_)

    def confirm(self, id_: str) -> Outcome:
        """Keep a change that waits, on all of its directors. Raises KeyError for an unknown id.

        The guards are put off first, so that either all keep it or the change is rolled back.
        """
        entry = self._entry(id_)
        plan = as_plan(entry)
        if self.read_only:
            return refused(plan, READ_ONLY, id_)
        wheres = [w for w in self.directors if w.name in entry.hosts]
        missing = [name for name in entry.hosts if name not in {w.name for w in wheres}]
        if missing:
            why = f"{', '.join(missing)} takes part in it, and is not known here"
            return refused(plan, why, id_)
        bad = self._tell(id_, wheres, "extended", "extend", str(_CONFIRM_S))
        if bad:
            why = f"it can not be kept everywhere ({'; '.join(bad)})"
            return self.take_back(id_, why)
        bad = self._tell(id_, wheres, "confirmed", "confirm", self.audit.who)
        ended = Ended.TROUBLE if bad else Ended.KEPT
        text = "; ".join(bad) or f"kept on {', '.join(entry.hosts)}"
        return self._settled(plan, entry, ended, text)

    def take_back(self, id_: str, why: str = "") -> Outcome:
        """Put back what a change that waits replaced, now; `why` it is not the operator's wish.
        Raises KeyError for an unknown id. A change that was kept is undone by `plan_rollback`."""
        entry = self._entry(id_)
        plan = as_plan(entry)
        if self.read_only:
            return refused(plan, READ_ONLY, id_)
        wheres = [w for w in self.directors if w.name in entry.hosts]
        wish = UNDONE_BY + self.audit.who
        came = take_back(id_, wheres, why or wish)
        ended, text = came.ended, f"{why or wish}; {came.text}"
        if ended is Ended.ROLLED_BACK and not why:
            ended = Ended.UNDONE
        late = self._not_loaded(wheres) if ended in (Ended.ROLLED_BACK, Ended.UNDONE) else ""
        if late:
            ended, text = Ended.TROUBLE, f"{text}; {late}"
        return self._settled(plan, entry, ended, text)

    def give_up(self, id_: str) -> str:
        """End the way back of a change that does not come to its end, or know of its trouble: the
        files stay as they are. What went wrong, else empty. Raises KeyError for an unknown id."""
        entry = self._entry(id_)
        names = {s.host for s in entry.standing if s.going_back or s.ended is Ended.TROUBLE}
        wheres = [where for where in self.directors if where.name in names]
        if self.read_only or not wheres:
            return READ_ONLY if self.read_only else "it is not on its way back"
        bad = self._tell(id_, wheres, "stopped", "stop", self.audit.who)
        why = "; ".join(bad) or "its way back was given up"
        text = self._settled(as_plan(entry), entry, Ended.TROUBLE, why).text
        return "" if text == why and not bad else text

    def _not_loaded(self, wheres: Sequence[DirectorAccess]) -> str:
        """Which director has not loaded what its files say; empty when all have, or do not tell
        (not running, before 2.2.0)."""
        until = time.monotonic() + _LOAD_S
        while True:
            looks = at_once(wheres, lambda w: with_runner(w, lambda r: look_at(w, r)))
            late = [w.name for w, seen, _ in looks if seen is not None and seen.in_step is False]
            if not late:
                return ""
            if time.monotonic() > until:
                return f"keepalived on {', '.join(late)} has not loaded them"
            time.sleep(0.5)

    def _settled(self, plan: ConfigPlan, entry: HistoryEntry, ended: Ended, text: str) -> Outcome:
        end = f"{ended.value}: {text}"
        deeds = [
            Deed(name, "", OPERATION, entry.title, ended is not Ended.TROUBLE, end)
            for name in entry.hosts
        ]
        unrecorded = self.audit.end(entry.id, deeds, entry.reason)
        if unrecorded:
            text += f"; {unrecorded}"
        return Outcome(plan, ended, entry.id, text, unrecorded=unrecorded)

    @staticmethod
    def _tell(id_: str, wheres: Sequence[DirectorAccess], wanted: str, *words: str) -> list[str]:
        """Run a phase of a change at several directors; who answered something else, and what."""

        def one(runner: Runner) -> str:
            script = transaction.phase(id_, *words)
            ran = runner.run(script, root=True, timeout_s=90, what=words[0])
            return ran.last or f"status {ran.status}"

        done = at_once(wheres, lambda where: with_runner(where, one))
        return [f"{where.name}: {error or said}" for where, said, error in done if said != wanted]

    @property
    def here(self) -> str:
        """This director's name in plans."""
        return self.directors[0].name

    def diff(self, id_: str) -> str:
        """Text diff of a past change, secrets masked, each file once when the directors agree.
        Raises KeyError for an unknown id, RemoteError when a director cannot be asked."""
        entry = self._entry(id_)
        found: dict[str, None] = {}

        def work(runner: Runner, where: DirectorAccess) -> list[str]:
            if where.name not in entry.hosts and not history.read_history(runner, id_):
                return []
            kept = history.read_kept(runner, id_, _mine(runner, id_).files)
            known = secrets_in(text for one in kept for text in (one.before, one.after))
            tree = look_at(where, runner).config.tree
            known |= secrets_of(tree) if tree is not None else Secrets()
            return [masked_diff(one.before, one.after, one.path, known) for one in kept]

        for where in self.directors:
            # This one may have had another name for the director that made it.
            if where.name in entry.hosts or where.local:
                shown = with_runner(where, lambda runner, where=where: work(runner, where))  # type: ignore[misc]
                found.update(dict.fromkeys(shown))
        return "\n".join(found)

    # Going back to an earlier one

    def plan_rollback(
        self, id_: str, *, timer_s: int = TIMER_S, again: bool = False, strict: bool = False
    ) -> ConfigPlan:
        """A plan that puts back what a past change replaced; `again`: what it had put there.
        `strict`: it is refused when a file was changed since, as an undo without looking must be.
        Raises KeyError for an unknown id, RemoteError when a director of it cannot be asked."""
        entry = self._entry(id_)
        files: dict[str, list[FileChange]] = {}
        later: list[str] = []
        for where in self.directors:
            if where.name not in entry.hosts:
                continue

            def work(runner: Runner, where: DirectorAccess = where) -> list[FileChange]:
                mine = _mine(runner, id_)
                kept = history.read_kept(runner, id_, mine.files)
                now = {
                    f.path: f.data if f.exists else None
                    for f in read_files(runner, [one.path for one in kept])
                }
                found = []
                for one in kept:
                    left, wanted = (one.before, one.after) if again else (one.after, one.before)
                    if now[one.path] != left:
                        later.append(f"{where.name}: {one.path} was changed again after it")
                    found.append(FileChange(one.path, now[one.path], wanted))
                return found

            files[where.name] = with_runner(where, work)
        missing = [name for name in entry.hosts if name not in files]
        plan = self.plan(undo_title(entry.title, again=again), files, timer_s=timer_s, undoes=id_)
        refused = [f"{name} took part in it, and is not known here" for name in missing]
        if strict:
            refused += [f"{one}: undo would throw that away. {LOOK_FIRST}" for one in later]
        else:
            later = [f"{one}: these later changes go, too (see the difference)" for one in later]
        return replace(
            plan,
            cautions=plan.cautions if strict else (*plan.cautions, *later),
            refusals=(*plan.refusals, *refused),
        )


def _mine(runner: Runner, id_: str) -> HistoryEntry:
    """What one director remembers of a change. Raises RemoteError when that is nothing of use."""
    mine = next(iter(history.read_history(runner, id_)), None)
    if mine is None or mine.problem:
        why = mine.problem if mine else "it does not remember this change"
        raise RemoteError(ErrorKind.LOST, f"{runner.host}: {why}")
    return mine
