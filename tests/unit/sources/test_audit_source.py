"""What other sessions did becomes visible here."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from lvstui.model.facts import Done, Observation
from lvstui.operations.audit import AuditLog
from lvstui.operations.weights import plan_weights
from lvstui.sources.audit import AuditTrail
from lvstui.sources.base import Context
from tests.unit.world import WEB, rs, three


def drain(log: AuditLog, number: int) -> None:
    plan = plan_weights(three().picture(), "drain", [(WEB, rs(number))], reason="test")
    id_ = log.begin(plan.deeds, plan.reason)
    log.end(id_, [deed.came(True, seen=deed.after) for deed in plan.deeds], plan.reason)


def test_past_and_new_entries(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl", who="bob")
    drain(log, 1)
    seen: list[Observation] = []
    context = Context("lb1", seen.append, interval_s=0.02)
    thread = threading.Thread(target=AuditTrail(log.path).run, args=(context,))
    thread.start()
    try:
        deadline = time.monotonic() + 5
        while len(seen) < 1 and time.monotonic() < deadline:
            time.sleep(0.01)
        drain(log, 2)
        while len(seen) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        context.stop.set()
        thread.join(5)
    assert [(o.past, o.fact.server) for o in seen if isinstance(o.fact, Done)] == [
        (True, rs(1)),
        (False, rs(2)),
    ]


def test_rotation_is_followed(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl", who="bob")
    drain(log, 1)
    trail = AuditTrail(log.path)
    seen: list[Observation] = []
    context = Context("lb1", seen.append)
    trail._read(context, first=True)
    log.path.rename(tmp_path / "audit.jsonl.1")
    drain(log, 2)
    trail._read(context, first=False)
    done = [o.fact for o in seen if isinstance(o.fact, Done)]
    assert [fact.server for fact in done] == [rs(1), None, rs(2)]
    assert "begins anew" in done[1].text
