"""`lvstui config` and its words of change: what the command line asks of the engine."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timezone
from typing import Any

import pytest

from lvstui.cli import build_parser, main
from lvstui.keepalived.daemon.facts import ConfigSeen, DaemonLook, DirectorSeen, FileSeen
from lvstui.keepalived.edit.intent import AddServer, Disable, Enable, RemoveValue, SetWeight
from lvstui.keepalived.meaning.view import view
from lvstui.keepalived.text.parser import parse_bytes
from lvstui.model.changes import Ended
from lvstui.operations.change import Outcome, ReadBack
from lvstui.operations.config_history import HistoryEntry, HostState
from lvstui.operations.config_plan import ConfigPlan, Director, FileChange, HostChange
from lvstui.remote.runner import ErrorKind, RemoteError
from lvstui.shell.config import change as configchange
from lvstui.shell.config.wanted import WANTED
from lvstui.shell.config.words import COMMANDS

MAIN = "/etc/keepalived/keepalived.conf"
TEXT = b"""\
vrrp_instance LB_1 {
    interface eth0
    virtual_router_id 51
    priority 150
    authentication {
        auth_type PASS
        auth_pass Zq9kept
    }
    virtual_ipaddress {
        10.10.0.20/24
    }
}
virtual_server 10.10.0.20 80 { # web
    lb_algo wrr
    lb_kind DR
    protocol TCP
    real_server 10.10.0.3 80 { # rs1
        weight 10
    }
    real_server 10.10.0.4 80 { # rs2
        weight 0 # lvstui: disabled by alice 2026-11-24T20:00Z was 10: disk swap
    }
}
virtual_server 10.10.0.20 53 { # dns
    lb_algo rr
    lb_kind DR
    protocol UDP
    real_server 10.10.0.3 53 { # rs1
        weight 10
    }
    real_server 10.10.0.4 53 { # rs2
        weight 10
    }
}
"""


@dataclass(eq=False)
class Engine:
    """What `Configurations` answers, and what it was asked for."""

    entries: tuple[HistoryEntry, ...] = ()
    unheard: dict[str, RemoteError] = field(default_factory=dict)
    refusals: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()
    applied: list[ConfigPlan] = field(default_factory=list)
    ended: Ended = Ended.WAITING
    unrecorded: str = ""
    text: bytes = TEXT
    here: str = "lb1"
    directors: tuple[Any, ...] = (argparse.Namespace(name="lb1"),)
    asked: list[Any] = field(default_factory=list)

    def look(self) -> dict[str, DirectorSeen]:
        tree = parse_bytes(self.text, path=MAIN, config_id="lb1")
        file = FileSeen(MAIN, MAIN, data=self.text)
        config = ConfigSeen(tree, view(tree), (file,))
        return {"lb1": DirectorSeen(DaemonLook("lb1", pid=3, node="lb1"), config)}

    def plan(
        self, title: str, files: Mapping[str, Sequence[FileChange]], **more: Any
    ) -> ConfigPlan:
        self.asked.append(("plan", more))
        hosts = tuple(
            HostChange(Director(name, MAIN, name, pid=3), tuple(changes), diff="-old\n+new\n")
            for name, changes in files.items()
        )
        return ConfigPlan(
            title, hosts, refusals=self.refusals, timer_s=more["timer_s"], unproven=self.unproven
        )

    def plan_rollback(self, id_: str, *, timer_s: int) -> ConfigPlan:
        self.asked.append(("rollback", id_))
        return self.plan("roll back", {"lb1": [FileChange(MAIN, b"a", b"b")]}, timer_s=timer_s)

    def apply(self, plan: ConfigPlan, **more: Any) -> Outcome:
        self.asked.append(("apply", more["force"]))
        self.applied.append(plan)
        seen = (ReadBack("lb1", "reload finished", True, "what it has loaded is the new file"),)
        return Outcome(plan, self.ended, "id1", "told", seen, 60.0, self.unrecorded)

    def confirm(self, id_: str) -> Outcome:
        self.asked.append(("confirm", id_))
        return Outcome(ConfigPlan("t"), Ended.KEPT, id_, "kept on lb1")

    def take_back(self, id_: str) -> Outcome:
        self.asked.append(("back", id_))
        return Outcome(ConfigPlan("t"), Ended.UNDONE, id_, "the old file is back")

    def diff(self, id_: str) -> str:
        self.asked.append(("diff", id_))
        return f"-old of {id_}\n+new\n"

    def give_up(self, id_: str) -> str:
        self.asked.append(("give up", id_))
        return ""

    def history(self, only: str = "") -> tuple[HistoryEntry, ...]:
        return tuple(e for e in self.entries if only in ("", e.id))

    def waiting(self) -> tuple[HistoryEntry, ...]:
        return tuple(e for e in self.entries if e.ended is Ended.WAITING)

    @property
    def words(self) -> list[str]:
        return [what for what, _ in self.asked]


def entry(id_: str, ended: Ended = Ended.KEPT, left_s: float = 0.0) -> HistoryEntry:
    standing = (HostState("lb1", ended, "", left_s, guarded=True),)
    return HistoryEntry(id_, 5.0, "alice", f"change {id_}", "why", standing=standing)


@pytest.fixture(name="engine")
def _engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine = Engine()
    monkeypatch.setattr(configchange, "_engine", lambda args, stack: engine)
    return engine


Said = tuple[int, str, str]


@pytest.fixture(name="run")
def _run(capsys: pytest.CaptureFixture[str], engine: Engine) -> Any:
    def run(words: str) -> Said:
        status = main(["config", *words.split()])
        shown = capsys.readouterr()
        assert "Zq9kept" not in shown.out + shown.err
        return status, shown.out, shown.err

    return run


def intents(words: str, text: bytes = TEXT) -> list[Any]:
    """What a command line wants of a file."""
    tree = parse_bytes(text, path=MAIN, config_id="lb1")
    arguments = words.split()
    args = build_parser().parse_args(["config", *arguments])
    return list(WANTED[arguments[0]](args, view(tree)))


def test_a_change_of_the_past_is_shown_by_the_engine_that_masks_it(
    run: Any, engine: Engine
) -> None:
    engine.entries = (entry("b"), entry("a"))
    status, out, _ = run("history 2")
    assert (status, engine.asked) == (0, [("diff", "a")])
    assert out.endswith("-old of a\n+new\n")
    status, out, _ = run("history 1 --json")
    assert json.loads(out)["history"][0]["diff"] == "-old of b\n+new\n"


@pytest.mark.parametrize(
    ("words", "ended"),
    [
        ("weight rs1 5", Ended.WAITING),
        ("weight rs1 5 --hold", Ended.WAITING),
        ("weight rs1 5 --timer 0", Ended.KEPT),
    ],
)
def test_done_but_not_recorded_has_a_status_of_its_own(
    run: Any, engine: Engine, words: str, ended: Ended
) -> None:
    engine.unrecorded, engine.ended = "not recorded in the audit log: full", ended
    status, out, _ = run(f"{words} --yes --json")
    assert (status, json.loads(out)["outcome"]["recorded"]) == (3, False)
    engine.unrecorded = ""
    status, out, _ = run(f"{words} --yes --json")
    assert (status, json.loads(out)["outcome"]["recorded"]) == (0, True)


def test_config_without_a_word_lists_the_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config"]) == 2
    told = capsys.readouterr().err
    for word in (*COMMANDS, "keep", "back", "history", "cat", "show", "diff", "check", "first"):
        assert f" {word}," in told.replace("(", " ").replace(";", ","), word


def test_a_name_means_each_service_that_has_it() -> None:
    found = intents("weight rs1 5")
    assert [(str(i.service), str(i.server), i.weight) for i in found] == [
        ("tcp 10.10.0.20:80", "10.10.0.3:80", 5),
        ("udp 10.10.0.20:53", "10.10.0.3:53", 5),
    ]
    assert all(isinstance(i, SetWeight) for i in found)
    (one,) = intents("weight 10.10.0.3:53 5")
    assert str(one.service) == "udp 10.10.0.20:53"
    (one,) = intents("weight 10.10.0.3 5 --service web")
    assert str(one.server) == "10.10.0.3:80"


def test_enable_and_disable_mean_the_services_where_it_is_so() -> None:
    (off,) = intents("disable rs2 --reason fire")
    assert isinstance(off, Disable)
    assert (str(off.service), off.reason, off.at.tzinfo) == (
        "udp 10.10.0.20:53",
        "fire",
        timezone.utc,
    )
    (back,) = intents("enable rs2")
    assert isinstance(back, Enable)
    assert str(back.service) == "tcp 10.10.0.20:80"
    # Where it is nowhere so, or one service is named, the edit itself says why it cannot be.
    assert len(intents("enable rs1")) == 2
    assert str(intents("disable rs2 --service web")[0].service) == "tcp 10.10.0.20:80"


def test_a_new_server_and_a_block() -> None:
    (new,) = intents("add-server 10.10.0.9:80 --service web --name rs9 --weight 3 --no-check")
    assert isinstance(new, AddServer)
    assert (new.new.address, new.new.port, new.new.name) == ("10.10.0.9", 80, "rs9")
    assert (new.new.weight, new.new.checks) == (3, ())
    assert intents("add-server 10.10.0.9 --service web")[0].new.checks is None
    (gone,) = intents("unset --instance LB_1 priority")
    assert isinstance(gone, RemoveValue)
    assert gone.keyword == "priority"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("disable rs9", "no service has a real server 'rs9'; there are: rs1, rs2"),
        ("disable rs9 --service web", "there are: 10.10.0.3:80 rs1, 10.10.0.4:80 rs2"),
        ("disable rs1 --service nope", "there are: tcp 10.10.0.20:80 web, udp 10.10.0.20:53 dns"),
        ("remove-service nope", "no service is 'nope'"),
        ("add-vip 10.10.0.21/24 --instance X", "there are: LB_1"),
        ("set priority 5", "name one block"),
        ("set --globals --instance LB_1 priority 5", "name one block"),
        ("set --service web --check TCP_CHECK delay_loop 5", "--check needs --server"),
        ("add-server 10.10.0.300 --service web", "10.10.0.300"),
        ("rollback 1", "there is no change 1: the history is empty"),
        ("rollback -- -1", "there is no change -1"),
        ("history 4", "there is no change 4"),
        ("weight rs1 5 --hold --timer 0", "--timer 0 is none"),
        ("apply /nowhere/at-all.conf", "/nowhere/at-all.conf: No such file or directory"),
    ],
)
def test_what_can_not_be_meant_is_status_2(run: Any, engine: Engine, words: str, told: str) -> None:
    status, out, err = run(words)
    assert (status, out) == (2, "")
    assert told in err
    assert len(err.splitlines()) == 1
    assert "apply" not in engine.words


def test_the_plan_alone_and_with_refusals(run: Any, engine: Engine) -> None:
    assert run("weight rs1 5 --plan")[0] == 0
    status, _, err = run("weight rs1 5")
    assert (status, "give --yes" in err) == (1, True)
    engine.refusals = ("only root may",)
    status, out, _ = run("weight rs1 5 --yes")
    assert (status, out.count("only root may")) == (1, 1)
    assert "apply" not in engine.words
    status, out, _ = run("weight rs1 5 --yes --json")
    assert (status, json.loads(out)["plan"]["refusals"]) == (1, ["only root may"])


def test_one_director_of_a_pair_is_said_to_be_one(run: Any, engine: Engine) -> None:
    told = "after a failover the file of the other one counts"
    assert run("weight rs1 5 --plan")[1].count(told) == 1
    assert told not in run("weight rs1 5 --plan --alone")[1]
    engine.text = TEXT[TEXT.index(b"virtual_server") :]
    assert told not in run("weight rs1 5 --plan")[1]
    engine.text = TEXT
    engine.directors = (*engine.directors, argparse.Namespace(name="lb2"))
    assert told not in run("weight rs1 5 --plan")[1]


def test_yes_keeps_it_and_hold_does_not(run: Any, engine: Engine) -> None:
    status, out, _ = run("weight rs1 5 --yes")
    assert (status, engine.words) == (0, ["plan", "apply", "confirm"])
    assert "kept: kept on lb1 (id1)" in out
    assert out.count("reload finished") == 1
    engine.asked.clear()
    status, out, _ = run("weight rs1 5 --yes --hold --timer 20")
    assert (status, engine.words) == (0, ["plan", "apply"])
    assert engine.asked[0][1]["timer_s"] == 20
    assert "lvstui config keep" in out
    engine.ended = Ended.ROLLED_BACK
    assert run("weight rs1 5 --yes")[0] == 1


def test_a_new_server_weighs_what_its_neighbours_do_unless_it_is_said() -> None:
    assert intents("add-server 10.10.0.9 --service dns")[0].new.weight == 10
    assert intents("add-server 10.10.0.9 --service dns --weight 3")[0].new.weight == 3
    mixed = TEXT.replace(b"weight 10", b"weight 7", 1)
    assert intents("add-server 10.10.0.9 --service web", mixed)[0].new.weight in (7, None)
    unsaid = TEXT.replace(b"weight 10", b"weight 1")
    assert intents("add-server 10.10.0.9 --service dns", unsaid)[0].new.weight is None


def test_what_has_to_be_proven_is_said_and_can_be_waived(run: Any, engine: Engine) -> None:
    engine.unproven = ("TCP_CHECK of rs9 succeeds within 9 s",)
    out = run("weight rs1 5 --plan")[1]
    assert "⚠ rolled back unless TCP_CHECK of rs9 succeeds within 9 s" in out
    assert "--unchecked" in out
    assert run("weight rs1 5 --yes")[0] == 0
    assert not engine.applied[-1].unchecked
    out = run("weight rs1 5 --plan --unchecked")[1]
    assert "⚠ kept even when this fails: TCP_CHECK of rs9 succeeds within 9 s" in out
    assert run("weight rs1 5 --yes --unchecked")[0] == 0
    assert engine.applied[-1].unchecked


@pytest.mark.parametrize("typed", ["", "n", "y then nothing"])
def test_the_end_of_the_input_is_a_no(
    run: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    answers = iter(["y"] if typed.startswith("y") else [typed])

    def ask(question: str) -> str:
        answer = next(answers, "")
        if not answer:
            raise EOFError
        return answer

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", ask)
    assert run("weight rs1 5")[0] == 1
    assert engine.words == (["plan", "apply", "back"] if typed.startswith("y") else ["plan"])


def test_rollback_takes_the_newest_unless_told(run: Any, engine: Engine) -> None:
    engine.entries = (entry("b"), entry("a"))
    assert run("rollback --yes")[0] == 0
    assert run("rollback 2 --plan")[0] == 0
    assert [x for x in engine.asked if x[0] == "rollback"] == [("rollback", "b"), ("rollback", "a")]


def test_keep_and_back_mean_the_one_that_waits(run: Any, engine: Engine) -> None:
    assert "no change waits" in run("keep")[2]
    engine.entries = (entry("b", Ended.WAITING, 12.0), entry("a"))
    assert run("keep")[0] == 0
    # As it was called first.
    assert run("confirm")[0] == 0
    assert run("back b --json")[0] == 0
    assert engine.asked == [("confirm", "b"), ("confirm", "b"), ("back", "b")]
    status, _, err = run("back a")
    assert (status, "b (change b)" in err) == (1, True)
    assert "rolled back by itself in 12 s" in run("history")[1]


def test_history_says_why_it_ended_when_and_after_how_long(run: Any, engine: Engine) -> None:
    at = 1_800_000_000.0
    engine.entries = tuple(
        replace(
            entry(id_, ended), at=at, standing=(HostState("lb1", ended, outcome, came=at + 69),)
        )
        for id_, ended, outcome in (
            ("d", Ended.ROLLED_BACK, "the timer ran out"),
            ("c", Ended.ROLLED_BACK, "lb1: tcp 10.10.0.20:80: 10.10.0.6:80 is not in the pool"),
            ("b", Ended.UNDONE, "undone by bob"),
            ("a", Ended.KEPT, "kept by alice"),
        )
    )
    told = run("history")[1].splitlines()
    came = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at + 69))
    assert [line.strip() for line in told if "after it was made" in line] == [
        f"rolled back: not kept in time (timer), 1 min after it was made ({came})",
        "rolled back: lb1: tcp 10.10.0.20:80: 10.10.0.6:80 is not in the pool, 1 min after it was "
        f"made ({came})",
        f"undone by bob, 1 min after it was made ({came})",
        f"kept by alice, 1 min after it was made ({came})",
    ]
    assert [line.split()[4] for line in told if line[:3].strip()] == [
        "rolled",
        "rolled",
        "undone",
        "kept",
    ]


def test_a_timer_that_is_gone_is_told_and_is_status_1(run: Any, engine: Engine) -> None:
    standing = (HostState("lb1", Ended.WAITING, "", 0.0, trouble="no space"),)
    engine.entries = (replace(entry("b", Ended.WAITING), standing=standing),)
    status, out, _ = run("history")
    assert (status, "by itself" in out) == (1, False)
    assert "lb1: the timer is gone: NOT rolled back (no space); lvstui config back" in out
    assert json.loads(run("history --json")[1])["history"][0]["plight"]
    assert run("back")[0] == 0


def test_a_way_back_can_be_given_up_and_its_trouble_known(run: Any, engine: Engine) -> None:
    assert run("back --give-up")[0] == 1
    engine.entries = (entry("b", Ended.TROUBLE), entry("a", Ended.TROUBLE))
    assert run("history")[0] == 1
    assert "no change waits" in run("back")[2]
    assert run("back --give-up")[0] == 0
    assert engine.asked == [("give up", "b")]
    known = (HostState("lb1", Ended.TROUBLE, "", seen=True),)
    engine.entries = (replace(engine.entries[0], standing=known), engine.entries[1])
    assert run("history")[0] == 0
    assert run("back --give-up")[0] == 1


def test_what_can_not_be_asked_is_not_nothing(run: Any, engine: Engine) -> None:
    engine.unheard = {"lb1": RemoteError(ErrorKind.ROOT, "you are not root")}
    for words in ("history", "confirm", "rollback 1 --yes"):
        status, out, err = run(words)
        assert (status, out) == (1, "")
        assert "only root may read" in err
    engine.unheard = {"lb2": RemoteError(ErrorKind.HANGS, "no answer")}
    engine.entries = (entry("a"),)
    status, out, err = run("history")
    assert (status, "change a" in out) == (0, True)
    assert "lb2 could not be asked" in err


@pytest.mark.parametrize("words", ["--peer lb2 config history", "config history --peer lb2"])
def test_a_peer_counts_wherever_it_is_named(words: str) -> None:
    assert build_parser().parse_args(words.split()).peer == ["lb2"]
    assert build_parser().parse_args(["config", "history"]).peer == []


def test_the_same_lines_are_shown_once() -> None:
    from lvstui.shell.change import plan_lines

    one = HostChange(Director("lb1", MAIN, "lb1"), (), diff="-old\n+new\n")
    two = replace(one, director=Director("lb2", MAIN, "lb2"))
    lines = plan_lines(ConfigPlan("t", (one, two)))
    assert sum("+new" in line for line in lines) == 1
    assert "  │ the same lines as on lb1" in lines
