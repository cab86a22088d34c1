"""Plans, their application with read-back, the audit log and undo.

The kernel here is a fake that holds weights in a dictionary: the real one is in tests/lab.
"""

from __future__ import annotations

import json
import stat
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from lvstui.cli import main
from lvstui.model import facts as f
from lvstui.model.config import DisabledBy
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.picture import Picture
from lvstui.operations.audit import AuditLog
from lvstui.operations.weight_changes import LiveKernel, WeightChanges
from lvstui.operations.weights import WeightsPlan, plan_undo
from lvstui.sources.audit import AuditEntry, entries, fact, parse
from tests.unit.world import WEB, World, configured, rs, service, three


class FakeKernel(LiveKernel):
    """Weights by server; can lose a write or fail."""

    def __init__(self, **weights: int) -> None:
        self.weights = {rs(int(name[2:])): weight for name, weight in weights.items()}
        self.loses = False
        self.error: OSError | None = None

    def set_weight(self, key: ServiceKey, server: ServerKey, weight: int) -> None:
        if self.error is not None:
            raise self.error
        if not self.loses:
            self.weights[server] = weight

    def weight(self, key: ServiceKey, server: ServerKey) -> int | None:
        return self.weights.get(server)


def undo_plan(operator: WeightChanges, world: World) -> WeightsPlan:
    """What the newest operation's undo would do."""
    offer = operator.last(world.picture())
    assert offer is not None
    return plan_undo(world.picture(), offer)


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path / "state" / "audit.jsonl", who="alice")


def test_drain_says_what_it_does_to_the_others(log: AuditLog) -> None:
    plan = WeightChanges(audit=log).plan(
        three().picture(), "drain", [(WEB, rs(2))], reason="disk swap"
    )
    (step,) = plan.steps
    assert (step.before, step.after, step.name) == (10, 0, "rs2")
    assert step.what == "kernel weight of rs2 (10.10.0.4:80) in tcp 10.10.0.20:80: 10 → 0"
    assert plan.effects[0] == ("tcp 10.10.0.20:80: 2 of 3 left, each other one gets 50% more")
    assert "clients of 6 connections on rs2 keep going" in plan.effects[1]
    assert any("the weight goes back to 10" in caution for caution in plan.cautions)
    assert (plan.refusals, plan.typed) == ((), "")


def test_the_last_server_must_be_typed(log: AuditLog) -> None:
    targets = [(WEB, rs(number)) for number in (1, 2, 3)]
    plan = WeightChanges(audit=log).plan(three().picture(), "drain", targets)
    assert "every new connection is refused" in plan.effects[0]
    assert plan.typed == "10.10.0.3"


def test_quorum_is_named(log: AuditLog) -> None:
    world = three().config(service(configured(1), configured(2), configured(3), quorum=25))
    plan = WeightChanges(audit=log).plan(world.picture(), "drain", [(WEB, rs(1))])
    assert "weight 20 against quorum 25" in plan.effects[0]


def test_apply_reads_back_records_and_can_be_undone(log: AuditLog) -> None:
    world = three()
    kernel = FakeKernel(rs1=10, rs2=10, rs3=10)
    operator = WeightChanges(audit=log, kernel=kernel)
    outcome = operator.apply(operator.plan(world.picture(), "drain", [(WEB, rs(2))], reason="x"))
    assert outcome.ok
    assert outcome.results[0].seen == "weight 0"
    assert kernel.weights[rs(2)] == 0
    found = list(entries(log.path))
    assert [entry.phase for entry in found] == ["planned", "done"]
    assert (found[1].who, found[1].before, found[1].after, found[1].seen, found[1].ok) == (
        "alice",
        10,
        0,
        0,
        True,
    )
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600
    world.kernel((1, 10, 6, 40), (2, 0, 6, 40), (3, 10, 6, 40))
    undo = undo_plan(operator, world)
    assert [(step.before, step.after) for step in undo.steps] == [(0, 10)]
    assert operator.apply(undo).ok
    assert kernel.weights[rs(2)] == 10


def test_an_undo_can_be_undone_and_its_plan_says_so_truly(log: AuditLog) -> None:
    """`u` `u` `u`: drained, not drained, drained. Nothing older is touched on the way."""
    world = three()
    kernel = FakeKernel(rs1=10, rs2=10, rs3=10)
    operator = WeightChanges(audit=log, kernel=kernel)
    operator.apply(operator.plan(world.picture(), "weight", [(WEB, rs(1))], weight=3))
    world.kernel((1, 3, 0, 0), (2, 10, 0, 0), (3, 10, 0, 0))
    operator.apply(operator.plan(world.picture(), "drain", [(WEB, rs(2))]))
    for wanted in (10, 0, 10):
        world.kernel((1, 3, 0, 0), (2, kernel.weights[rs(2)], 0, 0), (3, 10, 0, 0))
        undo = undo_plan(operator, world)
        (step,) = undo.steps
        assert (step.server, step.after) == (rs(2), wanted)
        assert step.undo == f"kernel weight back to {10 - wanted}"
        assert operator.apply(undo).ok
    assert kernel.weights == {rs(1): 3, rs(2): 10, rs(3): 10}


def test_enable_goes_back_to_the_weight_before_the_drain(log: AuditLog) -> None:
    world = three().kernel((1, 10, 0, 0), (2, 7, 0, 0), (3, 10, 0, 0))
    operator = WeightChanges(audit=log, kernel=FakeKernel(rs2=7))
    operator.apply(operator.plan(world.picture(), "drain", [(WEB, rs(2))]))
    world.kernel((1, 10, 0, 0), (2, 0, 0, 0), (3, 10, 0, 0))
    plan = operator.plan(world.picture(), "enable", [(WEB, rs(2))])
    assert plan.steps[0].after == 7
    assert any("the configuration says 10" in caution for caution in plan.cautions)


def test_enable_without_a_record_takes_the_configured_weight(log: AuditLog) -> None:
    world = three().kernel((1, 10, 0, 0), (2, 0, 0, 0), (3, 10, 0, 0))
    plan = WeightChanges(audit=log).plan(world.picture(), "enable", [(WEB, rs(2))])
    assert plan.steps[0].after == 10


def test_enable_of_what_is_disabled_in_the_file_names_the_way_back(log: AuditLog) -> None:
    mark = DisabledBy("root", "2026-11-28 06:13", "disk swap", 10)
    off = configured(2, weight=0, disabled=mark)
    world = three().config(service(configured(1), off, configured(3)))
    world.kernel((1, 10, 0, 0), (2, 0, 0, 0), (3, 10, 0, 0))
    plan = WeightChanges(audit=log).plan(world.picture(), "enable", [(WEB, rs(2))])
    assert plan.refusals == (
        "rs2 in tcp 10.10.0.20:80 is disabled in the file since 2026-11-28 06:13 UTC by root (disk "
        "swap): B enables it there (weight 10), or lvstui config enable 10.10.0.4:80 --service "
        '"tcp 10.10.0.20:80"',
    )
    assert plan.steps == ()


def test_enable_of_an_unsigned_zero_says_where_a_weight_is_set(log: AuditLog) -> None:
    world = three().config(service(configured(1), configured(2, weight=0), configured(3)))
    world.kernel((1, 10, 0, 0), (2, 0, 0, 0), (3, 10, 0, 0))
    plan = WeightChanges(audit=log).plan(world.picture(), "enable", [(WEB, rs(2))])
    assert "is 0 in the file, and nobody signed for it" in plan.refusals[0]
    assert "lvstui config weight" in plan.refusals[0]


def test_a_weight_that_changed_since_the_plan_is_not_overwritten(log: AuditLog) -> None:
    kernel = FakeKernel(rs2=5)
    operator = WeightChanges(audit=log, kernel=kernel)
    outcome = operator.apply(operator.plan(three().picture(), "drain", [(WEB, rs(2))]))
    assert not outcome.ok
    assert "look again" in outcome.text
    assert kernel.weights[rs(2)] == 5


def test_a_write_that_did_not_take_is_told(log: AuditLog) -> None:
    kernel = FakeKernel(rs2=10)
    kernel.loses = True
    operator = WeightChanges(audit=log, kernel=kernel)
    outcome = operator.apply(operator.plan(three().picture(), "drain", [(WEB, rs(2))]))
    assert not outcome.ok
    assert "read back 10, not 0" in outcome.text
    assert operator.last(three().picture()) is None


def test_no_root(log: AuditLog) -> None:
    kernel = FakeKernel(rs2=10)
    kernel.error = PermissionError(1, "netlink refuses: this needs root (CAP_NET_ADMIN)")
    operator = WeightChanges(audit=log, kernel=kernel)
    outcome = operator.apply(operator.plan(three().picture(), "drain", [(WEB, rs(2))]))
    assert "needs root" in outcome.text


def test_without_an_audit_log_nothing_is_done(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    kernel = FakeKernel(rs2=10)
    log = AuditLog(tmp_path / "file" / "audit.jsonl", who="alice")
    operator = WeightChanges(audit=log, kernel=kernel)
    outcome = operator.apply(operator.plan(three().picture(), "drain", [(WEB, rs(2))]))
    assert "nothing was done" in outcome.text
    assert kernel.weights[rs(2)] == 10


@pytest.mark.parametrize(("full", "status"), [(False, 0), (True, 3)])
def test_the_exit_status_says_that_it_was_not_recorded(
    log: AuditLog,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    full: bool,
    status: int,
) -> None:
    kernel = FakeKernel(rs2=10)

    class Watcher:
        def settle(self) -> Picture:
            return three().picture()

    def operator(**more: Any) -> WeightChanges:
        return WeightChanges(audit=log, kernel=kernel)

    write = log._write

    def only_before(found: list[AuditEntry]) -> None:
        if full and found[0].phase == "done":
            raise OSError(28, "No space left on device")
        write(found)

    monkeypatch.setattr(log, "_write", only_before)
    monkeypatch.setattr("lvstui.watch.local_watcher", lambda **more: nullcontext(Watcher()))
    monkeypatch.setattr("lvstui.operations.weight_changes.WeightChanges", operator)
    assert main(["drain", "rs2", "--yes"]) == status
    assert kernel.weights[rs(2)] == 0
    said = capsys.readouterr().out
    assert "read back" in said
    assert ("not recorded in the audit log: [Errno 28] No space left" in said) is full


def test_read_only_refuses(log: AuditLog) -> None:
    kernel = FakeKernel(rs2=10)
    operator = WeightChanges(read_only=True, audit=log, kernel=kernel)
    outcome = operator.apply(operator.plan(three().picture(), "drain", [(WEB, rs(2))]))
    assert "read-only" in outcome.text
    assert kernel.weights[rs(2)] == 10
    assert not log.path.exists()


@pytest.mark.parametrize(
    ("operation", "server", "weight", "why"),
    [
        ("drain", rs(9), None, "is not in tcp 10.10.0.20:80"),
        ("weight", rs(1), 70000, "from 0 to 65535"),
        ("weight", rs(1), -1, "from 0 to 65535"),
        ("weight", rs(1), None, "from 0 to 65535"),
        ("enable", rs(1), None, "nothing to change"),
        ("weight", rs(1), 10, "nothing to change"),
    ],
)
def test_refusals_say_why(
    log: AuditLog, operation: str, server: ServerKey, weight: int | None, why: str
) -> None:
    plan = WeightChanges(audit=log).plan(
        three().picture(), operation, [(WEB, server)], weight=weight
    )
    assert any(why in refusal for refusal in plan.refusals), plan.refusals
    assert not WeightChanges(audit=log).apply(plan).ok


def test_a_server_that_keepalived_removed_can_not_be_drained(log: AuditLog) -> None:
    world = three().say(f.ServerChanged(WEB, rs(3), False, "removed")).kernel((1, 10, 0, 0))
    plan = WeightChanges(audit=log).plan(world.picture(), "drain", [(WEB, rs(3))])
    assert "has no weight to change" in plan.refusals[0]


def test_undo_warns_when_something_changed_since(log: AuditLog) -> None:
    world = three()
    operator = WeightChanges(audit=log, kernel=FakeKernel(rs2=10))
    operator.apply(operator.plan(world.picture(), "drain", [(WEB, rs(2))]))
    world.kernel((1, 10, 0, 0), (2, 3, 0, 0), (3, 10, 0, 0))
    undo = undo_plan(operator, world)
    assert "something changed it since" in undo.cautions[0]


def test_nobody_undoes_what_another_did(log: AuditLog) -> None:
    operator = WeightChanges(audit=log, kernel=FakeKernel(rs2=10))
    operator.apply(operator.plan(three().picture(), "drain", [(WEB, rs(2))]))
    bob = WeightChanges(audit=AuditLog(log.path, who="bob"))
    assert bob.last(three().picture()) is None


def test_the_log_survives_a_torn_line(log: AuditLog) -> None:
    operator = WeightChanges(audit=log, kernel=FakeKernel(rs2=10))
    operator.apply(operator.plan(three().picture(), "drain", [(WEB, rs(2))], reason="why"))
    with log.path.open("a") as stream:
        stream.write('{"id":"torn","ph')
    assert len(list(entries(log.path))) == 2
    assert parse(json.dumps({"id": 1})) is None
    done = fact(list(entries(log.path))[1])
    assert done is not None
    assert done.text == (
        "alice drains rs2 (10.10.0.4:80) in tcp 10.10.0.20:80: weight 10 → 0, “why”"
    )


def test_persistence_is_a_caution(log: AuditLog) -> None:
    world = World().daemon().config(service(configured(1), configured(2), persistence_s=300))
    world.kernel((1, 10, 0, 0), (2, 10, 0, 0), persistence_s=300)
    plan = WeightChanges(audit=log).plan(world.picture(), "drain", [(WEB, rs(2))])
    assert any("is persistent (300 s)" in caution for caution in plan.cautions)


def test_on_the_backup_it_changes_nothing_for_the_clients(log: AuditLog) -> None:
    world = three().say(f.AddressesSeen((("eth0", "10.10.0.6", 24),)))
    plan = WeightChanges(audit=log).plan(world.picture(), "drain", [(WEB, rs(2))])
    assert any("goes through the other director" in caution for caution in plan.cautions)


def test_what_the_kernels_settings_do_to_a_drain_is_said(log: AuditLog) -> None:
    name = "net.ipv4.vs.conn_reuse_mode"
    world = three().say(f.SysctlsSeen(((name, "1"),)))
    plan = WeightChanges(audit=log).plan(world.picture(), "drain", [(WEB, rs(2))])
    assert any(f"{name} is 1" in caution for caution in plan.cautions)
    world.say(f.SysctlsSeen(((name, "2"),)))
    plan = WeightChanges(audit=log).plan(world.picture(), "drain", [(WEB, rs(2))])
    assert not any(name in caution for caution in plan.cautions)


def test_enable_of_a_drifted_weight_names_the_way(log: AuditLog) -> None:
    world = three().kernel((1, 10, 0, 0), (2, 3, 0, 0), (3, 10, 0, 0))
    plan = WeightChanges(audit=log).plan(world.picture(), "enable", [(WEB, rs(2))])
    assert plan.refusals == (
        "nothing to change: rs2 in tcp 10.10.0.20:80 has weight 3 already "
        "(configured 10: w, or lvstui weight, sets it)",
    )
    assert plan.cautions == ()
