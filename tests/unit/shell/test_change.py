"""One form for every change on the shell: its words, its document, Ctrl-C between two steps."""

from __future__ import annotations

import argparse
import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lvstui.cli import main
from lvstui.keepalived.diff import Difference, Impact
from lvstui.model.changes import Ended
from lvstui.model.finding import Finding, FindingSeverity
from lvstui.operations.audit import AuditLog
from lvstui.operations.change import Outcome, Plan, Progress, ReadBack, Stop, Tell
from lvstui.operations.config_plan import ConfigPlan, Director, FileChange, HostChange
from lvstui.operations.rows import HostsPlan, Row
from lvstui.operations.weight_changes import WeightChanges
from lvstui.operations.weights import plan_weights
from lvstui.realserver.hosts import Host
from lvstui.realserver.steps import HostPlan, MoveAddress
from lvstui.remote.runner import Access
from lvstui.shell.change import MEANINGS, carry_out, plan_lines
from lvstui.sources.audit import entries
from tests.unit.operations.test_weights import FakeKernel
from tests.unit.world import WEB, rs, three

WEIGHTS = plan_weights(three().picture(), "drain", [(WEB, rs(2)), (WEB, rs(3))])
FILE = ConfigPlan(
    "weight of rs1",
    (
        HostChange(
            Director("lb1", "/etc/k.conf", "lb1", pid=3, version="2.2.7"),
            (FileChange("/etc/k.conf", b"auth_pass s3cret", b"auth_pass s3cret!"),),
            (Difference("weight", Impact.MOVES, "rs1", "10 to 5"),),
            (Finding("x", FindingSeverity.WARNING, "hm"),),
            (Finding("y", FindingSeverity.WARNING, "known"),),
            "-weight 10\n+weight 5\n",
        ),
    ),
    effects=("rs1 gets less",),
)
_HOST = Host("10.10.0.3", "rs1", (), Access("rs1"))
_MOVE = MoveAddress("10.10.0.20", 32, True, "true", "true", "it is missing")
HOSTS = HostsPlan(
    "push to rs1",
    "push",
    (Row("10.10.0.3", "rs1", host=_HOST),),
    (HostPlan("10.10.0.3", "push", ("10.10.0.20",), live=(_MOVE,)),),
)
RESULTS: dict[str, tuple[Plan, tuple[Any, ...]]] = {
    "weights": (WEIGHTS, (ReadBack("lb1", "rs2", True, "weight 0"),)),
    "file": (FILE, (ReadBack("lb1", "reload finished", True),)),
    "hosts": (HOSTS, (ReadBack("10.10.0.3", "", True, "read back", Ended.DONE),)),
}


def run(plan: Plan, outcome: Outcome | None = None, **said: Any) -> int:
    """The command line's way through a change."""
    args = argparse.Namespace(**{"plan": False, "yes": True, "json": False, **said})
    return carry_out(args, plan, lambda *_: outcome or Outcome(plan, Ended.DONE, "id", "told"))


def fields(value: Any, at: str = "") -> set[str]:
    """The names in a document as the schema has them."""
    if isinstance(value, dict):
        if at in MEANINGS:
            return {at}
        return {
            name for key, one in value.items() for name in fields(one, f"{at}.{key}".strip("."))
        }
    if isinstance(value, list):
        return {name for one in value for name in fields(one, f"{at}[]")} or {f"{at}[]"}
    return {at}


@pytest.mark.parametrize("kind", list(RESULTS))
def test_one_document_for_every_kind_and_every_field_is_documented(
    kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, results = RESULTS[kind]
    outcome = Outcome(plan, Ended.DONE, "id1", "told", results, notes=(("listened", "quiet"),))
    assert run(plan, outcome, json=True) == 0
    text = capsys.readouterr().out
    found = json.loads(text)
    assert "s3cret" not in text
    assert found["schema"] == "lvstui.change/2"
    assert found["outcome"]["results"][0]["ok"] is True
    assert found["plan"]["hosts"][0]["steps"]
    unknown = {
        name
        for name in fields(found)
        if not any(name == known or name.startswith(f"{known}.") for known in MEANINGS)
    }
    assert unknown == set()


def test_the_schema_is_printed_by_every_command_that_changes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for words in ("drain", "undo", "config weight", "config history", "realserver push"):
        with pytest.raises(SystemExit) as left:
            main([*words.split(), "--schema"])
        assert left.value.code == 0
        told = capsys.readouterr().out
        assert told.startswith("lvstui.change/2\n")
        assert len(told.splitlines()) == len(MEANINGS) + 1


def test_the_words_of_each_kind() -> None:
    text = "\n".join("\n".join(plan_lines(plan)) for plan, _ in RESULTS.values())
    for told in (
        "kernel weight of rs2 (10.10.0.4:80)",
        "on lb1 (keepalived 2.2.7)",
        "change /etc/k.conf",
        "rs1: 10 to 5",
        "1 finding was there before",
        "│ +weight 5",
        "on rs1 (10.10.0.3)",
        "10.10.0.20/32 on lo   (it is missing)",
    ):
        assert told in text
    assert "s3cret" not in text


def test_a_plan_alone_and_a_refused_one_do_nothing() -> None:
    def never(tell: Tell, stop: Stop) -> Outcome:
        raise AssertionError

    for plan, status in ((WEIGHTS, 0), (replace(WEIGHTS, refusals=("no",)), 1)):
        for said in ({"plan": True, "yes": True}, {"plan": True, "yes": False}):
            args = argparse.Namespace(json=False, **said)
            assert carry_out(args, plan, never) == status
    args = argparse.Namespace(json=False, yes=False, plan=False)
    assert carry_out(args, WEIGHTS, never) == 1, "a pipe can not be asked"


def test_ctrl_c_stops_between_two_steps_and_says_what_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = AuditLog(tmp_path / "audit.jsonl", "alice")
    kernel = FakeKernel(rs1=10, rs2=10, rs3=10)
    operator = WeightChanges(audit=log, kernel=kernel)

    def apply(tell: Tell, stop: Stop) -> Outcome:
        def told(progress: Progress) -> None:
            tell(progress)
            os.kill(os.getpid(), signal.SIGINT)

        return operator.apply(WEIGHTS, tell=told, stop=stop)

    before = signal.getsignal(signal.SIGINT)
    args = argparse.Namespace(plan=False, yes=True, json=False)
    assert carry_out(args, WEIGHTS, apply) == 1
    assert signal.getsignal(signal.SIGINT) is before
    said = capsys.readouterr()
    assert "1 of 2, " in said.err
    assert "2 of 2, " not in said.err
    assert (
        "stopped: drain: rs2: weight 10 → 0, read back; stopped, and nothing was done to rs3"
        in (said.out)
    )
    done = [(e.server, e.ok, e.error) for e in entries(log.path) if e.phase == "done"]
    assert done == [(str(rs(2)), True, ""), (str(rs(3)), False, "not begun: it was stopped before")]


def test_a_second_ctrl_c_is_the_usual_one_and_the_log_has_it(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl", "alice")
    operator = WeightChanges(audit=log, kernel=FakeKernel(rs1=10, rs2=10, rs3=10))

    def apply(tell: Tell, stop: Stop) -> Outcome:
        def told(progress: Progress) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

        return operator.apply(WEIGHTS, tell=told, stop=stop)

    with pytest.raises(KeyboardInterrupt):
        carry_out(argparse.Namespace(plan=False, yes=True, json=False), WEIGHTS, apply)
    last = list(entries(log.path))[-1]
    assert (last.phase, last.ok, "broke off" in last.error) == ("done", False, True)


def test_what_waits_is_undone_when_it_was_stopped() -> None:
    kept: list[bool] = []

    def apply(tell: Tell, stop: Stop) -> Outcome:
        os.kill(os.getpid(), signal.SIGINT)
        return Outcome(FILE, Ended.WAITING, "c-1", "loaded", left_s=60.0)

    def settle(outcome: Outcome, keep: bool) -> Outcome:
        kept.append(keep)
        return Outcome(outcome.plan, Ended.UNDONE, outcome.id, "the old files are back")

    args = argparse.Namespace(plan=False, yes=True, json=False)
    assert carry_out(args, FILE, apply, settle) == 1
    assert kept == [False]
