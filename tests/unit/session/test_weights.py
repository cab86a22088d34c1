"""Weights of a sitting: what reads the log or writes the kernel is one job after the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lvstui.operations.audit import AuditLog
from lvstui.operations.change import Phase
from lvstui.operations.weight_changes import WeightChanges
from lvstui.session.jobs import at_once
from lvstui.session.weights import ENABLE, WeightsChange, WeightSession
from tests.unit.operations.test_weights import FakeKernel
from tests.unit.world import WEB, rs, three


def test_one_at_a_time_and_the_end_is_told(tmp_path: Path) -> None:
    waiting: list[Callable[[], None]] = []
    refreshed: list[bool] = []
    operator = WeightChanges(
        audit=AuditLog(tmp_path / "audit.jsonl", who="alice"), kernel=FakeKernel(rs1=10, rs2=10)
    )
    session = WeightSession(operator, at_once, lambda: refreshed.append(True), waiting.append)

    def plan(operation: str, number: int) -> WeightsChange:
        picture, targets = three().picture(), [(WEB, rs(number))]
        return session.plan(operation, lambda: operator.plan(picture, operation, targets))

    ended: list[str] = []
    drain = plan("drain", 1)
    assert drain.phase is Phase.PLANNED, "it is shown at once: nothing has to be read"
    session.tell_end = lambda change: ended.append(change.line)
    session.apply(drain, "disk")
    assert (drain.phase, ended) == (Phase.RUNNING, [])
    enable = plan(ENABLE, 2)
    assert enable.problem == f"wait for this: applying {drain.title}"
    waiting.pop()()
    assert len(refreshed) == 1
    assert ended == ["drain: rs1: weight 10 → 0, read back. u undoes it."]
    assert not session.under_way
    assert plan(ENABLE, 2).phase is Phase.PLANNING, "it reads what was there before"
