"""Real servers for screens: recorded looks at the lab's hosts, and an engine without a network.

tests/data/realservers: the text of `look.sh` from the lab's rs1, rs2 and rs3 as installed (bare),
after a push (pushed), and with two faults after it (broken: rs2 lost the VIP, rs3 answers ARP);
beside them what the director saw from outside.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from lvstui.model.changes import Ended
from lvstui.model.picture import Picture
from lvstui.model.realserver import Check, Verdict
from lvstui.operations.change import (
    NOT_BEGUN,
    Outcome,
    Progress,
    ReadBack,
    Stop,
    Tell,
    refused,
    silent,
    worst,
)
from lvstui.operations.realservers import RealServers, _summary, with_wire
from lvstui.operations.rows import HostsPlan, Row, drift, row_of
from lvstui.process.readonly import READ_ONLY
from lvstui.realserver import parse
from lvstui.realserver.facts import HostFacts
from lvstui.realserver.hosts import Host
from lvstui.realserver.push import HostOutcome
from lvstui.remote.connect import Connector
from lvstui.remote.runner import Access, Asker, ErrorKind, RemoteError, Runner

from . import pictures

DATA = Path(__file__).parents[1] / "data" / "realservers"
NONCE = "N0NCE"


def picture() -> Picture:
    """lb1 with one VIP and three real servers in Direct Routing."""
    web = pictures.web()
    recorded = {"10.10.0.3", "10.10.0.4", "10.10.0.5"}
    assert web.configured is not None
    servers = tuple(s for s in web.configured.servers if s.key.address in recorded)
    assert len(servers) == len(recorded)
    shown = replace(web, configured=replace(web.configured, servers=servers))
    return replace(pictures.site(), services=(shown,), warnings=())


def facts(state: str, name: str, address: str) -> HostFacts:
    """What a recorded look saw."""
    text = (DATA / f"{state}-{name}.txt").read_text(encoding="utf-8")
    return parse.facts(text, NONCE, address, pictures.NOW)


def outside(state: str, address: str) -> dict[str, tuple[Check, ...]]:
    """What the director saw of a host at that time, by VIP."""
    hosts = json.loads((DATA / f"{state}.json").read_text(encoding="utf-8"))
    found = next(host for host in hosts if host["host"] == address)
    return {
        vip: tuple(
            Check(
                c["id"], Verdict(c["verdict"]), c["text"], c["says"], tuple(c["evidence"]), c["fix"]
            )
            for c in some
        )
        for vip, some in found["outside"].items()
    }


class _NoNetwork:
    transcript = None

    def expect(self, hosts: Iterable[Access]) -> None:
        pass

    def open(self, access: Access, *, backend: str = "") -> Runner:
        raise RemoteError(ErrorKind.UNREACHABLE, f"{access.host}: tests have no network")


class FakeRealServers(RealServers):
    """Looks into recordings; plans are real; changes are only remembered."""

    def __init__(self, asker: Asker | None = None, *, read_only: bool = False) -> None:
        super().__init__(cast(Connector, _NoNetwork()), read_only=read_only)
        self.asker = asker
        self.state: dict[str, str] = {}
        """Recorded state by host; `bare` unless said."""
        self.errors: dict[str, RemoteError] = {}
        self.looks: list[tuple[str, ...]] = []
        self.applied: list[tuple[str, tuple[str, ...], str]] = []
        self.rebooted: list[str] = []
        self.ends: dict[str, tuple[Ended, str]] = {}
        self.gate: threading.Event | None = None
        """Work waits here until it is set or cancelled."""
        self.heard: tuple[str, ...] = ()
        self.unfinished: list[str] = []

    def _wait(self) -> None:
        while self.gate is not None and not self.gate.is_set() and not self.cancelled.is_set():
            time.sleep(0.01)

    def look(
        self, hosts: Sequence[Host], *, came: Callable[[Row], None] | None = None
    ) -> tuple[Row, ...]:
        """As in RealServers, from the recordings."""
        self.looks.append(tuple(host.label for host in hosts))
        self.cancelled.clear()
        rows = []
        for host in hosts:
            self._wait()
            found: HostFacts | RemoteError
            state = self.state.get(host.label, "bare")
            if self.cancelled.is_set():
                found = RemoteError(ErrorKind.CANCELLED, f"{host.label}: stopped")
            else:
                found = self.errors.get(host.label) or facts(state, host.label, host.address)
            seen = {(host.address, vip): c for vip, c in outside(state, host.address).items()}
            row = with_wire(row_of(host, found), seen)
            row = replace(row, at=pictures.NOW, drift=drift(self._last.get(host.address), row))
            if row.facts is not None:
                self._last[host.address] = row
            if came is not None:
                came(row)
            rows.append(row)
        return tuple(rows)

    def apply(
        self,
        plan: HostsPlan,
        *,
        tell: Tell = silent,
        came: Callable[[HostOutcome], None] | None = None,
        stop: Stop | None = None,
    ) -> Outcome:
        """As in RealServers, without a host."""
        if self.read_only:
            return refused(plan, READ_ONLY)
        self.cancelled.clear()
        outcomes = []
        for number, (row, host) in enumerate(zip(plan.rows, plan.hosts, strict=True), 1):
            tell(Progress(number, len(plan.hosts), row.host.label, "changing what is in force"))
            self._wait()
            end, text = self.ends.get(row.host.label, (Ended.DONE, "as planned; read back"))
            if self.cancelled.is_set():
                end, text = Ended.STOPPED, NOT_BEGUN
            outcome = HostOutcome(host.host, end, text)
            if outcome.ok:
                self.state[row.host.label] = "pushed" if plan.operation == "push" else "bare"
                self.applied.append((plan.operation, (row.host.label,), plan.reason))
            outcomes.append(outcome)
            if came is not None:
                came(outcome)
        return Outcome(
            plan,
            worst(outcome.ended for outcome in outcomes),
            "20261122T140322-aaaaaa",
            _summary(plan.rows, outcomes),
            tuple(ReadBack(one.host, "", one.ok, one.text, one.ended) for one in outcomes),
            wrong=tuple(f"on the wire: {text}" for text in self.heard),
            notes=(
                ("listened", "12 ARP packets heard in 36 s: quiet"),
                ("neighbours", "announced, 4 frames"),
            ),
        )

    def reboot(
        self, host: Host, tell: Callable[[str, str], None] = lambda host, stage: None
    ) -> RemoteError | None:
        """Only remembered."""
        self.rebooted.append(host.label)
        tell(host.label, "rebooting")
        return None

    def take_back_unfinished(self, host: Host) -> str:
        """Only remembered."""
        self.unfinished.append(host.label)
        return "reverted"
