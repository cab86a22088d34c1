"""`lvstui undo` on the shell: which way it takes for which kind, and what it says instead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lvstui.cli import main
from lvstui.model.facts import ChangesSeen
from lvstui.model.waiting import ChangeStands
from lvstui.operations.audit import AuditLog, Deed
from lvstui.operations.realservers import _in_words
from lvstui.operations.undo import Offer
from lvstui.operations.weight_changes import WeightChanges
from lvstui.realserver.steps import HostPlan
from lvstui.shell import realservers
from lvstui.shell import weights as operate
from lvstui.shell.config import change as configchange
from tests.unit.operations.test_weights import FakeKernel
from tests.unit.world import WEB, World, rs, three


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AuditLog:
    path = tmp_path / "audit.jsonl"
    monkeypatch.setenv("LVSTUI_AUDIT", str(path))
    return AuditLog(path)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    found = three()
    monkeypatch.setattr(operate, "_picture", lambda args: found.picture())
    return found


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Offer]]:
    """What was handed to the engines of the file and of hosts."""
    found: list[tuple[str, Offer]] = []

    def hand(kind: str) -> Any:
        def take(args: Any, offer: Offer) -> int:
            found.append((kind, offer))
            return 0

        return take

    monkeypatch.setattr(configchange, "undo_change", hand("file"))
    monkeypatch.setattr(realservers, "undo_on_hosts", hand("hosts"))
    return found


def drained(log: AuditLog, world: World) -> None:
    operator = WeightChanges(audit=log, kernel=FakeKernel(rs1=10, rs2=10, rs3=10))
    assert operator.apply(operator.plan(world.picture(), "drain", [(WEB, rs(2))])).ok
    world.kernel((1, 10, 0, 0), (2, 0, 0, 0), (3, 10, 0, 0))


def test_each_kind_by_its_own_way_and_the_newest_only(
    log: AuditLog, world: World, asked: list[tuple[str, Offer]], capsys: Any
) -> None:
    drained(log, world)
    assert main(["undo", "--plan"]) == 0
    assert "kernel weight of rs2 (10.10.0.4:80)" in capsys.readouterr().out
    world.say(ChangesSeen((ChangeStands("29", "confirmed", "disable rs3", log.who, 4.1e9),)))
    assert main(["undo", "--yes"]) == 0
    assert [(kind, offer.operation.id) for kind, offer in asked] == [("file", "29")]
    assert capsys.readouterr().out == "", "no healthy server is drained"
    what = Deed(
        "10.10.0.3", "rs1", "push", _in_words(HostPlan("10.10.0.3", "push", ("10.10.0.20",)))
    )
    world.say(ChangesSeen(()))
    log.end(log.begin([what], ""), [what.came(True, "proven")], "")
    assert main(["undo", "--yes"]) == 0
    assert asked[1][0] == "hosts"
    assert asked[1][1].operation.vips == ("10.10.0.20",)


def test_the_list_and_the_numbers(log: AuditLog, world: World, capsys: Any) -> None:
    assert main(["undo", "--list"]) == 0
    assert "nothing was done" in capsys.readouterr().out
    assert main(["undo", "--yes"]) == 1
    assert "no operation of yours" in capsys.readouterr().err
    drained(log, world)
    assert main(["undo", "--list", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["operations"]
    assert (row["number"], row["kind"], row["own"]) == (1, "weights", True)
    assert main(["undo", "2", "--yes"]) == 2
    assert "there is no operation 2" in capsys.readouterr().err
    assert main(["undo", "1", "--plan"]) == 0


def test_what_can_not_be_undone_is_status_1_with_the_next_step(
    log: AuditLog, world: World, asked: list[tuple[str, Offer]], capsys: Any
) -> None:
    drained(log, world)
    bad = ChangeStands("29", "trouble.end", "disable rs3", log.who, 4.1e9, "it died", came=4.1e9)
    world.say(ChangesSeen((bad,)))
    assert main(["undo", "--yes"]) == 1
    told = capsys.readouterr()
    assert "ended in trouble" in told.err
    assert "lvstui undo --list" in told.err
    assert asked == []


def test_read_only_undoes_nothing(log: AuditLog, world: World, capsys: Any) -> None:
    drained(log, world)
    for words in (["--read-only", "undo", "--yes"], ["undo", "--yes", "--read-only"]):
        assert main(words) == 2
        assert "read-only" in capsys.readouterr().err
