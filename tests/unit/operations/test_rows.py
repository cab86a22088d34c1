"""What a change means is said before it is made; what was stopped says that it was not begun."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import cast

from lvstui.model.changes import Ended
from lvstui.model.realserver import Check, Verdict
from lvstui.operations.audit import AuditLog
from lvstui.operations.realservers import RealServers
from lvstui.operations.rows import Row, hosts_plan
from lvstui.realserver.hosts import Host, Vip
from lvstui.realserver.push import HostOutcome
from lvstui.realserver.steps import HostPlan, MoveAddress
from lvstui.remote.connect import Connector
from lvstui.remote.runner import Access, ErrorKind, RemoteError, Runner
from lvstui.sources.audit import entries

VIP = "10.10.0.20"
HOSTS = tuple(
    Host(f"10.10.0.{n}", f"rs{n - 2}", (Vip(VIP),), Access(f"rs{n - 2}")) for n in (3, 4, 5)
)
STEP = MoveAddress(VIP, 32, False, "true", "true")


def row(host: Host, verdict: Verdict = Verdict.GOOD) -> Row:
    """A host that has the VIP, or not."""
    return Row(host.address, host.name, 1.0, ((VIP, (Check("vip", verdict),)),), host=host)


def plan(host: Host, operation: str = "undo") -> HostPlan:
    """A plan with one step."""
    return HostPlan(host.address, operation, (VIP,), live=(STEP,))


def test_the_last_one_that_has_a_vip_wants_it_typed() -> None:
    first, second, third = HOSTS
    known = {first.address: row(first), second.address: row(second, Verdict.BAD)}
    some = hosts_plan("undo", [row(second)], [plan(second)], HOSTS, known, {}, 60)
    assert some.typed == ""
    assert "1 of 3 still have it: rs1" in " ".join(some.effects)
    # rs3 was never looked at: nobody knows that it has the VIP.
    last = hosts_plan("undo", [row(first)], [plan(first)], HOSTS, known, {first.address: 10}, 60)
    assert last.typed == VIP
    assert any("rs1 takes new connections now" in text for text in last.cautions)
    everybody = {host.address: row(host) for host in HOSTS}
    every = hosts_plan(
        "undo", [row(h) for h in HOSTS], [plan(h) for h in HOSTS], HOSTS, everybody, {}, 60
    )
    assert every.typed == VIP
    assert third.label in every.cautions[0]


def test_a_push_says_who_goes_first_and_wants_nothing_typed() -> None:
    rows, plans = [row(h) for h in HOSTS], [plan(h, "push") for h in HOSTS]
    found = hosts_plan("push", rows, plans, HOSTS, {}, {}, 45)
    assert found.typed == ""
    assert "rs1 goes first, the other 2 together" in found.effects[0]
    assert "45 s" in found.effects[1]
    assert hosts_plan("push", [], [], HOSTS, {}, {}, 60).effects == ()


class Unreachable:
    """Connects to nobody."""

    def expect(self, hosts: Iterable[Access]) -> None:
        """Nobody."""

    def open(self, access: Access, *, backend: str = "") -> Runner:
        """Never."""
        raise RemoteError(ErrorKind.UNREACHABLE, f"{access.host}: no route")


def test_what_was_done_is_told_though_it_could_not_be_recorded(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "log" / "audit.jsonl")
    service = RealServers(cast(Connector, Unreachable()), audit=log)

    def full(outcome: HostOutcome) -> None:
        log.path.unlink(missing_ok=True)
        log.path.mkdir(exist_ok=True)

    wanted = hosts_plan("undo", [row(HOSTS[0])], [plan(HOSTS[0])], HOSTS, {}, {}, 60)
    result = service.apply(wanted, came=full)
    assert [one.ended for one in result.results] == [Ended.FAILED]
    assert "not recorded in the audit log: " in result.unrecorded


def test_a_reboot_and_what_is_taken_back_are_recorded(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl", "alice")
    service = RealServers(cast(Connector, Unreachable()), audit=log)
    assert "no route" in str(service.reboot(HOSTS[0]))
    assert "no route" in service.take_back_unfinished(HOSTS[0])
    found = [(e.phase, e.operation, e.server, e.ok) for e in entries(log.path)]
    server = HOSTS[0].address
    assert found == [
        ("planned", "reboot", server, None),
        ("done", "reboot", server, False),
        ("planned", "undo", server, None),
        ("done", "undo", server, False),
    ]
    log.path.unlink()
    log.path.mkdir()
    assert "nothing was done" in str(service.reboot(HOSTS[0]))
    assert "nothing was done" in service.take_back_unfinished(HOSTS[0])


def test_what_was_stopped_was_not_begun(tmp_path: Path) -> None:
    service = RealServers(cast(Connector, Unreachable()), audit=AuditLog(tmp_path / "audit.jsonl"))
    rows, plans = [row(h) for h in HOSTS], [plan(h) for h in HOSTS]
    wanted = hosts_plan("undo", rows, plans, HOSTS, {}, {}, 60)
    result = service.apply(wanted, came=lambda outcome: service.cancelled.set())
    assert [one.ended for one in result.results] == [Ended.FAILED, Ended.STOPPED, Ended.STOPPED]
    assert [one.seen.startswith("not begun") for one in result.results] == [False, True, True]
