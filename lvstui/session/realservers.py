"""The real servers as one sitting of an operator knows them, and the push or undo under way.

What was seen goes to whoever makes the picture (`report`) and comes back with it; what plans are
made from stays here. Everything that asks a host is a job, one at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lvstui.model.picture import Picture
from lvstui.model.realserver import Look
from lvstui.model.text import plain
from lvstui.operations.change import Outcome, Phase, Progress, TrackedChange
from lvstui.operations.rows import FRESH_S, HostsPlan, Row, hosts_plan, hosts_title
from lvstui.realserver.hosts import Host, HostsFileError, OwnFile, from_services, read_own
from lvstui.realserver.push import HostOutcome
from lvstui.remote.runner import ErrorKind
from lvstui.session.jobs import Begin, ChangeJobs, Later, T, in_thread, save

if TYPE_CHECKING:
    from lvstui.operations.realservers import RealServers


@dataclass
class HostsChange(TrackedChange):
    """One push or undo; it is looked at all of its hosts before it is planned."""

    plan: HostsPlan | None = None
    operation: str = field(kw_only=True)
    """push or undo."""
    hosts: tuple[Host, ...] = field(kw_only=True)
    vips: tuple[str, ...] = ()
    """Only these; none: all of each host."""
    outcomes: dict[str, HostOutcome] = field(default_factory=dict)
    """By address, as they come."""

    @property
    def line(self) -> str:
        """What came of it, for a notification."""
        came = self.outcome
        if self.problem or came is None:
            return f"{self.title}: {self.problem}"
        return f"{'; '.join((came.text, *came.wrong[:1]))}. o shows it whole."


def real_servers_of(picture: Picture, own: OwnFile) -> tuple[Host, ...]:
    """The real servers in Direct Routing that a picture knows."""
    services = [view.configured for view in picture.services if view.configured is not None]
    marked = dict.fromkeys(vip for instance in picture.instances for vip in instance.vips)
    return from_services(services, own, tuple(marked))


def other_directors(picture: Picture) -> dict[str, str]:
    """Address and name of directors beside this one, as far as the wire tells them."""
    found: dict[str, str] = {}
    for instance in picture.instances:
        for address in (instance.master_address, *(sender for sender, _ in instance.others)):
            if address and address not in instance.vips:
                found[address] = "the other director"
    return found


class RealServerSession(ChangeJobs[HostsChange]):
    """One for the console."""

    def __init__(
        self,
        make: Callable[[], RealServers] | None,
        later: Later,
        report: Callable[[Look], None],
        clock: Callable[[], float] = time.time,
        begin: Begin = in_thread,
    ) -> None:
        """make: called in a thread, at the first look; None: there is nobody to ask. report: takes
        what was seen of a host."""
        super().__init__(later, begin)
        self._make, self._report, self._clock = make, report, clock
        self._service: RealServers | None = None
        self._own = OwnFile()
        self._services: tuple[Any, ...] | None = None
        self.own_trouble = ""
        """What is wrong with lvstui's own file about hosts."""
        self.hosts: tuple[Host, ...] = ()
        """The real servers of the configuration."""
        self.rows: dict[str, Row] = {}
        """What plans can be made from: the looks of this session, by address."""
        self.stages: dict[str, str] = {}
        """What is under way, by address."""
        self.change: HostsChange | None = None
        """The last push or undo."""
        self.weights: dict[str, int] = {}
        """Kernel weights of those that take new connections."""

    @property
    def possible(self) -> bool:
        """There is a way to ask hosts."""
        return self._make is not None

    @property
    def transcript(self) -> Any:
        """What was run on hosts in this session; None before the first look."""
        return getattr(getattr(self._service, "connector", None), "transcript", None)

    # Which hosts

    def read_own(self) -> None:
        """Read lvstui's own file about hosts, in a thread."""

        def work() -> tuple[OwnFile, str]:
            try:
                return read_own(), ""
            except HostsFileError as error:
                return OwnFile(), plain(str(error))

        def done(read: tuple[OwnFile, str]) -> None:
            self._own, self.own_trouble = read
            self._services = None

        self.start("", work, done)

    def follow(self, picture: Picture) -> None:
        """The hosts that a picture names."""
        now = tuple(view.configured for view in picture.services)
        known = self._services
        if (
            known is None
            or len(now) != len(known)
            or any(a is not b for a, b in zip(now, known, strict=True))
        ):
            self._services = now
            self.hosts = real_servers_of(picture, self._own)
        self.weights = {
            server.key.address: server.weights.kernel
            for service in picture.services
            for server in service.servers
            if server.weights.kernel
        }

    def fresh(self, hosts: Sequence[Host]) -> bool:
        """All of these were looked at just now."""
        rows = [self.rows.get(host.address) for host in hosts]
        since = self._clock() - FRESH_S
        return all(row is not None and row.facts is not None and row.at >= since for row in rows)

    # Work

    def look(
        self,
        hosts: Sequence[Host],
        then: Callable[[tuple[Row, ...]], None] = lambda rows: None,
        failed: Callable[[str], None] | None = None,
    ) -> None:
        """Look at hosts; rows come one by one."""

        def early(row: Row) -> None:
            """The wire is still being asked, and what became worse is not known yet."""
            known = self.rows.get(row.host.address)
            came(row if known is None else replace(row, drift=known.drift), "asking the wire")

        def came(row: Row, stage: str = "") -> None:
            """In the job's thread: nobody else has to turn to hear of it."""
            address = row.host.address
            if row.trouble == ErrorKind.CANCELLED.value:
                # Not waited for: what was seen before is all that is known.
                stage = ""
            elif row != self.rows.get(address):
                self.rows[address] = row
                self._report(row.told)
            self.later(lambda: self._stage(address, stage))

        def work(service: RealServers) -> tuple[Row, ...]:
            rows = service.look(hosts, came=early)
            for row in rows:
                came(row)
            return rows

        what = hosts[0].label if len(hosts) == 1 else f"{len(hosts)} hosts"
        self._ask(f"looking at {what}", hosts, "looking", work, then, failed)

    def begin(
        self,
        operation: str,
        hosts: Sequence[Host],
        vips: tuple[str, ...] = (),
        cautions: tuple[str, ...] = (),
    ) -> HostsChange:
        """Look if need be, then plan for these VIPs (none: all of each host). The change tells by
        its phase how far it is."""
        change = HostsChange(
            hosts_title(operation, hosts),
            operation=operation,
            hosts=tuple(hosts),
            vips=vips,
            cautions=cautions,
        )
        self.change = change
        if self.fresh(hosts):
            self._plan(change, tuple(self.rows[host.address] for host in hosts))
            return change

        self.look(hosts, lambda rows: self._plan(change, rows), change.lost)
        return change

    def _plan(self, change: HostsChange, rows: tuple[Row, ...]) -> None:
        service = self._service
        assert service is not None
        try:
            plans = service.plan(rows, change.operation, vips=change.vips)
            found = hosts_plan(
                change.operation, rows, plans, self.hosts, self.rows, self.weights, service.timer_s
            )
            change.planned(replace(found, cautions=(*change.cautions, *found.cautions)))
        except ValueError as error:
            change.lost(plain(str(error)))
        self.changed()

    def apply(self, change: HostsChange, reason: str) -> None:
        by_label = {host.label: host.address for host in change.hosts}
        assert change.plan is not None
        plan = replace(change.plan, reason=reason)

        def tell(now: Progress) -> None:
            self.later(lambda: self._stage(by_label.get(now.host, now.host), now.text))

        def came(outcome: HostOutcome) -> None:
            def show() -> None:
                change.outcomes[outcome.host] = outcome
                self._stage(outcome.host, "")

            self.later(show)

        def done(outcome: Outcome) -> None:
            change.ended(outcome)
            over()
            # What is true there now; the matrix must not show what was before.
            self.look(change.hosts)

        def failed(text: str) -> None:
            change.lost(text)
            over()

        def over() -> None:
            if self.looked_at is not change:
                self.tell_end(change)

        change.begin()
        self._ask(
            change.title,
            change.hosts,
            "waits",
            lambda service: service.apply(plan, tell=tell, came=came, stop=change.stop),
            done,
            failed,
        )

    def _stage(self, address: str, stage: str) -> None:
        if stage:
            self.stages[address] = stage
        else:
            self.stages.pop(address, None)
        self.changed()

    def reboot(self, hosts: Sequence[Host]) -> None:
        """Start hosts anew, one after the other, and look at them again; says what came of it."""
        by_label = {host.label: host.address for host in hosts}

        def tell(label: str, stage: str) -> None:
            self.later(lambda: self._stage(by_label.get(label, label), stage))

        def work(service: RealServers) -> str:
            for host in hosts:
                error = service.reboot(host, tell)
                if error is not None:
                    # The next one may be all that is left of the service.
                    return f"{host.label}: {error}"
            return ""

        def done(trouble: str) -> None:
            names = ", ".join(host.label for host in hosts)
            self.tell(trouble or f"{names}: back in a new boot", bool(trouble))
            self.look(hosts)

        self._ask(f"reboot {', '.join(h.label for h in hosts)}", hosts, "waits", work, done)

    def take_back(self, hosts: Sequence[Host]) -> None:
        """Take back what an earlier change left half done; says what came of it."""

        def work(service: RealServers) -> list[str]:
            return [f"{host.label}: {service.take_back_unfinished(host)}" for host in hosts]

        def done(texts: list[str]) -> None:
            self.tell(plain("; ".join(texts)), False)
            self.look(hosts)

        self._ask("taking back what is unfinished", hosts, "taking back", work, done)

    def stop(self) -> None:
        """Begin nothing more; what has begun comes to its end."""
        if self.under_way and self._service is not None:
            self.stopping = True
            if self.change is not None and self.change.phase is Phase.RUNNING:
                self.change.stop.set()
            self._service.cancelled.set()
            self.changed()

    def save_transcript(self, folder: Path, at: float) -> None:
        """Write the session's transcript to a new file in `folder`, in a thread; says where."""
        transcript = self.transcript
        self.start(
            "",
            lambda: save("Transcript", transcript.lines(), folder, "transcript", at),
            lambda told: self.tell(*told),
        )

    def _ask(
        self,
        words: str,
        hosts: Sequence[Host],
        stage: str,
        work: Callable[[RealServers], T],
        done: Callable[[T], None],
        failed: Callable[[str], None] | None = None,
    ) -> None:
        """A job on hosts; they are in `stage` from now on."""
        make = self._make
        assert make is not None
        assert not self.under_way
        addresses = frozenset(host.address for host in hosts)
        self.stages.update(dict.fromkeys(addresses, stage))

        def run() -> T:
            service = self._service or make()
            self._service = service
            return work(service)

        def over() -> None:
            for address in addresses:
                self.stages.pop(address, None)

        def ended(value: T) -> None:
            over()
            done(value)

        def lost(trouble: str) -> None:
            over()
            (failed or self._bad)(trouble)

        self.start(words, run, ended, lost)
