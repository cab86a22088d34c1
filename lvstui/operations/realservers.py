"""Real servers: look at many, push and undo on many, recorded; the same for screens and shell.

Everything here blocks on the network and belongs on a worker's thread. Hosts are independent: one
that hangs or fails keeps no other waiting.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace

from lvstui.model.changes import Ended
from lvstui.model.realserver import Look, Verdict
from lvstui.model.text import plain
from lvstui.operations.audit import AuditLog, Deed, NotRecordedError
from lvstui.operations.change import (
    NOT_BEGUN,
    Outcome,
    Progress,
    ReadBack,
    Stop,
    Tell,
    not_recorded,
    refused,
    silent,
    worst,
)
from lvstui.operations.rows import HostsPlan, Row, drift, row_of
from lvstui.process.readonly import READ_ONLY
from lvstui.realserver import checks, outside, probes, push
from lvstui.realserver.facts import HostFacts
from lvstui.realserver.hosts import Host
from lvstui.realserver.plan import plan_push, plan_undo
from lvstui.realserver.push import HostOutcome, Push
from lvstui.realserver.steps import HostPlan
from lvstui.realserver.transaction import TIMER_S
from lvstui.remote.connect import Connector
from lvstui.remote.fleet import run_on_all
from lvstui.remote.runner import ErrorKind, RemoteError, Runner

log = logging.getLogger("lvstui")
_REBOOT_S = 300.0
_LOOK_DEADLINE_S = 120.0


Told = Callable[[str, str], None]
"""Takes a host's label and the stage it is in."""


class RealServers:
    """Looks, plans, pushes, undoes; one for a session."""

    def __init__(
        self,
        connector: Connector,
        *,
        audit: AuditLog | None = None,
        read_only: bool = False,
        directors: Mapping[str, str] | None = None,
        limit: int = 10,
        timer_s: int = TIMER_S,
        keep: Callable[[Look], None] = lambda look: None,
    ) -> None:
        """directors: address → name of the other directors. limit: hosts at a time. keep: takes
        what was seen of a host, for those who come later; may raise OSError."""
        self.connector = connector
        self.audit = audit or AuditLog()
        self.read_only = read_only
        self.directors = dict(directors or {})
        self.limit = limit
        self.timer_s = timer_s
        self.cancelled = threading.Event()
        self._keep = keep
        self._last: dict[str, Row] = {}

    def open(self, host: Host) -> Runner:
        """A connection to a host. Raises RemoteError."""
        return self.connector.open(host.access, backend=host.backend)

    # Looking

    def look(
        self, hosts: Sequence[Host], *, came: Callable[[Row], None] | None = None
    ) -> tuple[Row, ...]:
        """Look at hosts, all at once up to the limit, and ask from this director as well; `came`
        hears of each as it comes, without what the wire says."""
        self.cancelled.clear()
        self.connector.expect(host.access for host in hosts)
        seen_outside: outside.Outside = {}
        asking = threading.Thread(
            target=self._ask_wire, args=(hosts, seen_outside), name="probes", daemon=True
        )
        asking.start()
        dips = self._dips(hosts)
        rows: dict[str, Row] = {}

        def facts(host: Host) -> HostFacts:
            with closing(self.open(host)) as runner:
                return push.look(runner, host.address, host.vip_addresses, dips)

        for done in run_on_all(
            hosts,
            facts,
            limit=self.limit,
            deadline_s=_LOOK_DEADLINE_S,
            cancel=self.cancelled,
            name=lambda host: host.label,
        ):
            found = done.value or done.error
            assert found is not None
            row = rows[done.item.address] = row_of(done.item, found)
            if came is not None:
                came(row)
        asking.join()
        result = []
        for host in hosts:
            row = with_wire(rows[host.address], seen_outside)
            row = replace(row, drift=drift(self._last.get(host.address), row))
            if row.facts is not None:
                # One that was not reached, or not waited for, says nothing to compare with.
                self._last[host.address] = row
            result.append(row)
            if row.trouble != ErrorKind.CANCELLED.value:
                try:
                    self._keep(row.told)
                except OSError as error:
                    # It is known here all the same; only others do not hear of it.
                    log.warning("a look could not be kept: %s", error)
        return tuple(result)

    def _ask_wire(self, hosts: Sequence[Host], into: outside.Outside) -> None:
        try:
            into.update(outside.look_from_here(hosts, self.directors))
        except Exception as error:
            # The hosts were looked at all the same; what was not asked is said in its place.
            into.update(outside.nothing(hosts, plain(f"{type(error).__name__}: {error}")))

    def _dips(self, hosts: Sequence[Host]) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*outside.director_addresses(hosts), *self.directors)))

    # Planning

    def plan(
        self,
        rows: Sequence[Row],
        operation: str,
        *,
        vips: Sequence[str] = (),
        method: str = "",
        variant: str = "",
    ) -> tuple[HostPlan, ...]:
        """A plan for each host that was looked at. `vips`: only these (else all of the host).
        Raises ValueError for what is no address, method, variant or operation."""
        when = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        plans = []
        for row in rows:
            if row.facts is None:
                why = f"{row.host.label} could not be looked at ({row.trouble}): {row.error}"
                plans.append(HostPlan(row.host.address, operation, tuple(vips), refusals=(why,)))
                continue
            if operation == "push":
                plans.append(
                    plan_push(
                        row.facts,
                        vips or row.host.vip_addresses,
                        method=method or row.host.method,
                        variant=variant or row.host.variant,
                        operator=self.audit.who,
                        when=when,
                    )
                )
            elif operation == "undo":
                plans.append(plan_undo(row.facts, vips, operator=self.audit.who, when=when))
            else:
                raise ValueError(f"no operation {operation!r}")
        return tuple(plans)

    # Doing

    def apply(
        self,
        plan: HostsPlan,
        *,
        tell: Tell = silent,
        came: Callable[[HostOutcome], None] | None = None,
        stop: Stop | None = None,
    ) -> Outcome:
        """Carry a plan out: one host first, the others at once when that went well. Never raises
        for what hosts or disk refuse: the outcomes say it.

        `came` hears of each outcome (from this thread). `stop`, or `cancelled`, is heeded between
        hosts: what has begun comes to its end, by itself or by the host's own timer.
        """
        if self.read_only:
            return refused(plan, READ_ONLY)
        self.cancelled.clear()
        stops = (self.cancelled, *([stop] if stop is not None else []))
        self.connector.expect(row.host.access for row in plan.rows)
        deeds = [
            Deed(part.host, part.name, plan.operation, _in_words(host))
            for part, host in zip(plan.parts, plan.hosts, strict=True)
        ]
        outcomes: dict[str, HostOutcome] = {}

        def keep(outcome: HostOutcome) -> None:
            outcomes[outcome.host] = outcome
            if came is not None:
                came(outcome)

        def begin(label: str, stage: str) -> None:
            tell(Progress(len(outcomes) + 1, len(plan.hosts), label, stage))

        vips = tuple(dict.fromkeys(vip for host in plan.hosts for vip in host.vips))
        servers = {row.host.address: row.host.label for row in plan.rows}
        try:
            with self.audit.around(deeds, plan.reason, plan.undoes) as record:
                with probes.ArpListener(vips, servers) as ear:
                    self._apply(list(zip(plan.rows, plan.hosts, strict=True)), begin, keep, stops)
                done = tuple(outcomes[host.host] for host in plan.hosts)
                announced = self._announce(plan.rows, plan.hosts, done)
                record.came = [
                    deed.came(one.ok, f"{one.ended.value}: {one.text}")
                    for deed, one in zip(deeds, done, strict=True)
                ]
        except NotRecordedError as error:
            return not_recorded(plan, error)
        notes = (("listened", ear.words), ("neighbours", announced))
        return Outcome(
            plan,
            worst(one.ended for one in done),
            record.id,
            _summary(plan.rows, done),
            tuple(ReadBack(o.host, "", o.ok, o.text, o.ended, o.trouble) for o in done),
            wrong=tuple(f"on the wire: {text}" for text in ear.wrong),
            notes=tuple((word, text) for word, text in notes if text),
        ).recorded(record.unrecorded)

    def _apply(
        self,
        pairs: list[tuple[Row, HostPlan]],
        tell: Told,
        keep: Callable[[HostOutcome], None],
        stops: Sequence[Stop],
    ) -> None:
        dips = self._dips([row.host for row, _ in pairs])

        def work(pair: tuple[Row, HostPlan]) -> HostOutcome:
            row, plan = pair
            if any(stop.is_set() for stop in stops):
                return HostOutcome(plan.host, Ended.STOPPED, NOT_BEGUN)
            return Push(
                connect=lambda: self.open(row.host),
                plan=plan,
                directors=dips,
                timer_s=self.timer_s,
                prove=lambda plan, facts: prove(row.host, plan, facts),
                tell=lambda stage: tell(row.host.label, stage),
            ).run()

        left = list(pairs)
        # A mistake that every host shares should hit one of them only.
        while left:
            first = left.pop(0)
            outcome = work(first)
            keep(outcome)
            if outcome.ended in (Ended.ROLLED_BACK, Ended.TROUBLE):
                for _, plan in left:
                    why = f"not begun, because {first[0].host.label} {outcome.ended.value}"
                    keep(HostOutcome(plan.host, Ended.FAILED, why))
                return
            if outcome.ended is Ended.DONE:
                break
        # A whole push may take two timers when the connection is lost at its end.
        limit = 3.0 * self.timer_s + 2 * _LOOK_DEADLINE_S
        # Not cancelled from here: what has begun comes to its end, and says which.
        for done in run_on_all(
            left, work, limit=self.limit, deadline_s=limit, name=lambda pair: pair[0].host.label
        ):
            if done.value is not None:
                keep(done.value)
            elif done.error is not None:
                # Whether it had begun is not known here: the host decides by its own timer.
                why = done.error.trouble.value
                keep(HostOutcome(done.item[1].host, Ended.UNKNOWN, str(done.error), trouble=why))

    @staticmethod
    def _announce(
        rows: Sequence[Row], plans: Sequence[HostPlan], outcomes: Sequence[HostOutcome]
    ) -> str:
        """Mended hosts may have poisoned caches: the owner of the VIP sets them right."""
        loud = [
            vip
            for row, plan, outcome in zip(rows, plans, outcomes, strict=True)
            if outcome.ended is Ended.DONE and plan.operation == "push"
            for vip, found in row.checks
            if vip in plan.vips
            and row.facts is not None
            and row.facts.holders(vip)
            and any(
                check.id in ("arp_silent", "arp_ignore", "arp_announce")
                and check.verdict is Verdict.BAD
                for check in found
            )
        ]
        if not loud:
            return ""
        return probes.announce(dict.fromkeys(loud))

    # After

    def reboot(self, host: Host, tell: Told = lambda host, stage: None) -> RemoteError | None:
        """Start a host anew and wait until it answers in a new boot; the trouble if it does not."""
        if self.read_only:
            return RemoteError(ErrorKind.CANCELLED, READ_ONLY)
        self.cancelled.clear()
        deed = Deed(host.address, host.name, "reboot", "reboot, and wait for a new boot")
        try:
            with self.audit.around([deed]) as record:
                trouble = self._reboot(host, tell)
                end = str(trouble) if trouble else "it answers in a new boot"
                record.came = [deed.came(trouble is None, end)]
        except NotRecordedError as error:
            return RemoteError(ErrorKind.SETUP, f"{host.label}: {error}")
        if record.unrecorded:
            return RemoteError(ErrorKind.SETUP, f"{host.label}: {end}; {record.unrecorded}")
        return trouble

    def _reboot(self, host: Host, tell: Told) -> RemoteError | None:
        read = "cat /proc/sys/kernel/random/boot_id"
        try:
            with closing(self.open(host)) as runner:
                before = runner.run(read, what="which boot is this").text.strip()
                tell(host.label, "rebooting")
                # Detached, so that the answer comes before the network goes.
                runner.run(
                    "(sleep 1; systemctl reboot || reboot) >/dev/null 2>&1 </dev/null &",
                    root=True,
                    what="reboot",
                )
        except RemoteError as error:
            return error
        until = time.monotonic() + _REBOOT_S
        last = RemoteError(ErrorKind.UNREACHABLE, f"{host.label} does not come back")
        while time.monotonic() < until and not self.cancelled.wait(3.0):
            try:
                with closing(self.open(host)) as runner:
                    if runner.run(read, what="which boot is this").text.strip() != before:
                        return None
            except RemoteError as error:
                last = error
        return last

    def take_back_unfinished(self, host: Host) -> str:
        """Take back what an earlier change left half done; what was done, in words."""
        if self.read_only:
            return f"refused: {READ_ONLY}"
        what = "take back a change that was cut half way"
        deed = Deed(host.address, host.name, "undo", what)
        try:
            with self.audit.around([deed]) as record:
                good, end = True, ""
                try:
                    with closing(self.open(host)) as runner:
                        end = push.take_back_unfinished(runner)
                except RemoteError as error:
                    good, end = False, str(error)
                record.came = [deed.came(good, end)]
        except NotRecordedError as error:
            return str(error)
        return f"{end}; {record.unrecorded}" if record.unrecorded else end


def with_wire(row: Row, seen: outside.Outside) -> Row:
    """A row with what was asked from this director behind what the host itself told."""
    both = tuple(
        (vip, (*found, *seen.get((row.host.address, vip), ()))) for vip, found in row.checks
    )
    return replace(row, checks=both)


def prove(host: Host, plan: HostPlan, facts: HostFacts) -> list[str]:
    """What speaks against confirming a push, seen from this director while it is live: an answer
    by this host to ARP for one of its VIPs. A service that is not there yet does not."""
    if plan.operation != "push":
        return []
    asked = ("vip", "prefix", "arp_ignore", "arp_announce")
    wrong = [
        check.says
        for vip in plan.vips
        for check in checks.judge(facts, vip)
        if check.id in asked and check.verdict is Verdict.BAD
    ]
    tried = replace(host, vips=tuple(v for v in host.vips if v.address in plan.vips))
    for found in outside.look_from_here([tried]).values():
        wrong += [c.says for c in found if c.id == "arp_silent" and c.verdict is Verdict.BAD]
    return wrong


def _summary(rows: Sequence[Row], outcomes: Sequence[HostOutcome]) -> str:
    found: dict[str, list[str]] = {}
    for row, outcome in zip(rows, outcomes, strict=True):
        found.setdefault(outcome.ended.value, []).append(row.host.label)
    return "; ".join(f"{end}: {', '.join(hosts)}" for end, hosts in found.items())


def _in_words(plan: HostPlan) -> str:
    what = ", ".join(plan.vips) or "nothing"
    steps = "; ".join(step.what for step in plan.steps) or "nothing to do"
    return f"{plan.operation} {what} ({plan.method or 'no method'}): {steps}"
