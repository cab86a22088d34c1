"""One undo over weights, keepalived.conf and real servers: which operation it means, and what it
says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lvstui.model.changes import Ended
from lvstui.model.facts import ChangesSeen
from lvstui.model.waiting import ChangeStands
from lvstui.operations.audit import AuditLog, Deed
from lvstui.operations.realservers import _in_words
from lvstui.operations.undo import CONFIGURATION, Kind, Offer, listed, offer, operations, undo_title
from lvstui.operations.weight_changes import WeightChanges
from lvstui.realserver.steps import HostPlan
from lvstui.sources.audit import AuditEntry
from tests.unit.world import WEB, three

T0 = 1_000_000.0
RS2 = "10.10.0.4:80"
_STATES = {
    Ended.WAITING: "armed",
    Ended.KEPT: "confirmed",
    Ended.UNDONE: "reverted",
    Ended.ROLLED_BACK: "reverted",
    Ended.TROUBLE: "trouble.end",
    Ended.REFUSED: "never",
}


def weight(id_: str, at: float, what: str = "drain", **more: Any) -> AuditEntry:
    """A step of an operation on a weight that worked."""
    values: dict[str, Any] = {"who": "root", "server": RS2, "name": "rs2", "ok": True, **more}
    values.setdefault("before", 10)
    values.setdefault("after", 0)
    return AuditEntry(
        id_, "done", T0 + at, "", host="lb1", operation=what, service=str(WEB), **values
    )


def change(id_: str, at: float, ended: Ended = Ended.KEPT, **more: Any) -> ChangeStands:
    """A change of keepalived.conf."""
    values: dict[str, Any] = {"who": "root", "title": "disable rs3", "came": T0 + at + 60, **more}
    if ended is Ended.UNDONE:
        values["outcome"] = "undone by root"
    return ChangeStands(id_, _STATES[ended], at=T0 + at, **values)


def push(
    id_: str, at: float, what: str = "push", who: str = "root", ok: bool = True
) -> list[AuditEntry]:
    """A push or an undo on two hosts."""
    plan = HostPlan("10.10.0.3", what, ("10.10.0.20", "fd00::20"), method="ifupdown")
    values: dict[str, Any] = {"who": who, "operation": what}
    found = []
    for number in (1, 2):
        host: dict[str, Any] = {
            "host": f"10.10.0.{number + 2}",
            "server": f"10.10.0.{number + 2}",
            "name": f"rs{number}",
        }
        found.append(
            AuditEntry(id_, "planned", T0 + at, "", text=_in_words(plan), **values, **host)
        )
        found.append(AuditEntry(id_, "done", T0 + at, "", text="done", ok=ok, **values, **host))
    return found


def newest(
    entries: list[AuditEntry],
    changes: list[ChangeStands],
    now: float = 100,
    who: str = "root",
    number: int | None = None,
) -> Offer | None:
    found = operations(entries, changes, who, lambda entry: entry.who == who)
    return offer(found, T0 + now, number)


def chosen(*args: Any, **more: Any) -> tuple[Kind, str]:
    found = newest(*args, **more)
    assert found is not None
    return found.operation.kind, found.operation.id


def test_the_newest_wins_whatever_kind_it_is() -> None:
    drain, disable, pushed = weight("d", 10), change("c", 20), push("p", 30)
    assert chosen([drain], []) == (Kind.WEIGHTS, "d")
    assert chosen([drain], [disable]) == (Kind.FILE, "c")
    assert chosen([drain, *pushed], [disable]) == (Kind.HOSTS, "p")
    assert chosen([drain, *pushed, weight("e", 40, "enable")], [disable]) == (Kind.WEIGHTS, "e")
    assert newest([], []) is None


def test_after_a_lasting_change_no_healthy_server_is_drained() -> None:
    """rs2 was enabled, then rs3 disabled in the file: the undo is of the disable."""
    enabled = weight("e", 10, "enable", before=0, after=10)
    found = newest([enabled], [change("c", 20)])
    assert found is not None
    assert found.operation.kind is Kind.FILE
    assert found.operation.title == "disable rs3"
    assert (found.cautions, found.refusal) == ((), "")


def test_its_age_and_what_came_after_are_said() -> None:
    found = newest([weight("d", 0)], [], now=16 * 60)
    assert found is not None
    assert found.cautions == (
        "“drain rs2 in tcp 10.10.0.20:80” was 16 min ago: what it was made for may have passed",
    )
    others = [
        change("c1", 60, who="bob"),
        change("c2", 120, who="bob", title="weight of rs1"),
        change("c3", 90, Ended.ROLLED_BACK, outcome="the timer ran out"),
    ]
    found = newest([weight("d", 0)], others, now=16 * 60)
    assert found is not None
    assert found.operation.id == "d", "only what this operator did himself"
    assert found.cautions == (
        "“drain rs2 in tcp 10.10.0.20:80” was 16 min ago, and 3 changes since: the newest is "
        "“weight of rs1” of bob, 14 min ago",
    )


def test_what_the_timer_rolled_back_is_not_undone_and_is_said() -> None:
    gone = change("c", 60, Ended.ROLLED_BACK, outcome="the timer ran out")
    found = newest([weight("d", 0)], [gone])
    assert found is not None
    assert found.operation.id == "d"
    assert "rolled back: not kept in time (timer)" in found.cautions[0]


def test_one_that_waits_or_was_undone_before_it_was_kept_is_the_newest_too() -> None:
    found = newest([weight("d", 0)], [change("c", 60, Ended.WAITING)])
    assert found is not None
    assert (found.operation.id, found.operation.is_undo) == ("c", False)
    found = newest([weight("d", 0)], [change("c", 60, Ended.UNDONE)])
    assert found is not None
    assert (found.operation.id, found.operation.is_undo) == ("c", True)


def test_trouble_is_not_undone_blindly_and_no_older_one_instead() -> None:
    found = newest([weight("d", 0)], [change("c", 60, Ended.TROUBLE, outcome="it died")])
    assert found is not None
    assert found.operation.id == "c"
    assert "ended in trouble" in found.refusal
    assert "lvstui config rollback" in found.refusal


def test_what_has_no_undo_is_named_with_the_next_step() -> None:
    sysctl = [
        AuditEntry(
            "s",
            phase,
            T0 + 60,
            "",
            "root",
            "lb1",
            "sysctl",
            "",
            "lb1",
            ok=phase == "done",
            text="net.ipv4.ip_nonlocal_bind = 1",
        )
        for phase in ("planned", "done")
    ]
    found = newest([weight("d", 0), *sysctl], [])
    assert found is not None
    assert (found.operation.kind, found.operation.id) == (Kind.OTHER, "s")
    assert "ip_nonlocal_bind" in found.refusal
    assert "lvstui undo --list" in found.refusal


def test_a_push_is_undone_on_its_hosts_for_its_vips_and_made_again() -> None:
    found = newest(push("p", 30), [])
    assert found is not None
    operation = found.operation
    assert operation.hosts == ("10.10.0.3", "10.10.0.4")
    assert operation.vips == ("10.10.0.20", "fd00::20")
    assert (operation.title, operation.is_undo) == ("push on rs1, rs2", False)
    back = newest([*push("p", 30), *push("q", 40, "undo")], [])
    assert back is not None
    assert (back.operation.id, back.operation.is_undo) == ("q", True)
    assert newest(push("p", 30, ok=False), []) is None, "it went back by itself"


def test_an_earlier_push_goes_as_well_and_that_is_said() -> None:
    found = newest([*push("p", 30), *push("q", 40)], [])
    assert found is not None
    assert "there was a push before it" in found.cautions[0]


def test_older_ones_are_reached_by_number_and_those_of_others() -> None:
    entries = [weight("d", 0), weight("b", 50, who="bob")]
    assert chosen(entries, [change("c", 20)], number=1) == (Kind.WEIGHTS, "b")
    assert chosen(entries, [change("c", 20)], number=3) == (Kind.WEIGHTS, "d")
    found = newest(entries, [], number=1)
    assert found is not None
    assert found.cautions == ("bob did it, not you",)
    for number in (0, -1, 4):
        assert newest(entries, [change("c", 20)], number=number) is None
    found = newest([], [change("c", 20, Ended.ROLLED_BACK)], number=1)
    assert found is not None
    assert "nothing of" in found.refusal


def test_the_list_is_numbered_newest_first() -> None:
    found = operations(
        [weight("d", 0), *push("p", 30)],
        [change("c", 20, Ended.ROLLED_BACK, outcome="the timer ran out")],
        "root",
        lambda e: True,
    )
    assert listed(found, T0 + 100) == [
        "  1       1 min ago  root: push on rs1, rs2",
        "  2       1 min ago  root: disable rs3 (rolled back: not kept in time (timer), 1 min "
        "after it was made)",
        "  3       1 min ago  root: drain rs2 in tcp 10.10.0.20:80",
    ]


def test_a_change_of_the_other_director_alone_is_known_from_the_log(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl", who="root")
    what = Deed("lb2", "", CONFIGURATION, "weight of rs1: 10 → 5 (/etc/keepalived/keepalived.conf)")
    id_ = log.begin([what], "")
    log.end(id_, [what.came(True, "waiting: loaded and read back")], "")
    (one,) = operations(log.entries(), (), log.who, log.own)
    assert (one.kind, one.id, one.title, one.in_force) == (
        Kind.FILE,
        id_,
        "weight of rs1: 10 → 5",
        True,
    )
    log.end(id_, [what.came(True, "undone: undone by root; the old files are back")], "")
    (one,) = operations(log.entries(), (), log.who, log.own)
    assert one.ended is Ended.UNDONE
    log.end(id_, [what.came(False, "rolled back: not as planned")], "")
    (one,) = operations(log.entries(), (), log.who, log.own)
    assert not one.in_force


def test_the_operator_looks_at_all_three_records(tmp_path: Path) -> None:
    """The real log, written by the real engines' own words."""
    log = AuditLog(tmp_path / "audit.jsonl", who="alice")
    world = three()
    operator = WeightChanges(audit=log)
    host = HostPlan("10.10.0.3", "push", ("10.10.0.20",), method="own")
    what = Deed("10.10.0.3", "rs1", "push", _in_words(host))
    id_ = log.begin([what], "")
    log.end(id_, [what.came(True, "proven")], "")
    found = operator.last(world.picture())
    assert found is not None
    assert (found.operation.kind, found.operation.vips) == (Kind.HOSTS, ("10.10.0.20",))
    world.say(ChangesSeen((change("29991231T235959-abcdef", 1e10 - T0, who="alice"),)))
    found = operator.last(world.picture())
    assert found is not None
    assert found.operation.kind is Kind.FILE
    assert len(operator.operations(world.picture())) == 2


def test_hostile_names_are_harmless() -> None:
    (one,) = operations(
        [weight("d", 0, name="rs\x1b[31m2", who="eve\n")], [], "root", lambda e: True
    )
    assert one.title == "drain rs␛[31m2 in tcp 10.10.0.20:80"
    assert one.who == "eve␊"


@pytest.mark.parametrize(
    ("title", "again", "undo"),
    [
        ("weight of rs1", "again: weight of rs1", "undo: weight of rs1"),
        ("undo: weight of rs1", "again: weight of rs1", "again: weight of rs1"),
        ("again: weight of rs1", "again: weight of rs1", "undo: weight of rs1"),
    ],
)
def test_undone_and_made_again_in_turn_a_title_does_not_grow(
    title: str, again: str, undo: str
) -> None:
    assert undo_title(title) == undo
    assert undo_title(title, again=True) == again
