"""The JSON schema, the exit status and the printed status."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from lvstui.model import facts as f
from lvstui.model.config import Place
from lvstui.model.files import ConfigFile, ConfigFiles
from lvstui.model.finding import Finding, FindingSeverity
from lvstui.model.keys import ServiceKey
from lvstui.model.picture import Cost
from lvstui.model.realserver import Check, Look, Verdict
from lvstui.model.verdict import BLIND, DEGRADED, OK, not_looked_at, verdict
from lvstui.model.vrrp import Advert, InstanceSeen, InstanceStats
from lvstui.model.waiting import ChangeStands
from lvstui.shell import report
from lvstui.shell.status_table import show
from lvstui.shell.weights import targets
from tests.unit.world import DNS, T0, WEB, World, configured, rs, service, three

COMPOSED = ("rates", "counters", "checks", "warnings", "gaps", "events")


def paths(value: Any, prefix: str = "") -> set[str]:
    """Every field of a document, as `report.MEANINGS` names them."""
    found: set[str] = set()
    if isinstance(value, dict):
        for key, inner in value.items():
            name = f"{prefix}.{key}" if prefix else key
            if key in COMPOSED:
                found.add(f"{name}[]" if isinstance(inner, list) else name)
            else:
                found |= paths(inner, name)
    elif isinstance(value, list):
        found |= set().union(*(paths(inner, f"{prefix}[]") for inner in value)) or {f"{prefix}[]"}
    else:
        found.add(prefix)
    return found


CONF = "/etc/keepalived/keepalived.conf"
NAT = Finding("nat", FindingSeverity.ERROR, "the service becomes NAT", Place(CONF, 12))


def look(**what: Any) -> Look:
    """rs2 at T0: it answers ARP for the VIP."""
    loud = Check("arp_silent", Verdict.BAD, "no", "it answers ARP for 10.10.0.20")
    whole = Look("10.10.0.4", "rs2", T0, (("10.10.0.20", (loud,)),), about=(("login", "root"),))
    return replace(whole, **what)


def rich_world() -> World:
    world = three().counters((1, 0), (2, 0), (3, 0)).later(1).counters((1, 5), (2, 5), (3, 0))
    stats = InstanceStats(1, 2, 3, 4, (("auth_failure", 1),))
    seen = InstanceSeen("LB_1", "MASTER", "eth0", 51, vips=("10.10.0.20",), stats=stats)
    world.say(f.InstancesSeen((seen,)))
    world.say(f.CheckSeen(False, "TCP_CHECK", "refused", rs(3))).say(
        f.ServerChanged(WEB, rs(3), False, "removed")
    )
    world.kernel((1, 10, 0, 0), (2, 10, 0, 0))
    clash = Advert("10.10.0.7", "eth0", 51, 200, 2, 1.0, ("10.10.0.99",))
    world.say(f.AdvertSeen(clash))
    world.say(f.AddressClaimed("10.10.0.20", "02:00:00:00:00:05", "eth0", "asks", ("10.10.0.5",)))
    world.say(f.StraysSeen("10.10.0.20", "eth0", ("10.10.0.10",), 5))
    world.say(f.ProcessesSeen((f.ProcessState("vrrp", 102),)))
    world.say(f.ChangesSeen((ChangeStands("id", "armed"),)))
    world.say(f.FilesSeen(ConfigFiles((ConfigFile(CONF, 5.0),), "lb1", (NAT,))))
    world.say(f.RealServerSeen(look(drift=("ignore was good: 0 on eth0",))))
    return world.say(f.Missing("wire", "adverts", "run as root"))


def test_every_field_is_documented_and_every_documented_field_exists() -> None:
    document = report.report(rich_world().picture())
    assert paths(document) == set(report.MEANINGS)
    json.dumps(document)


def waiting(**what: Any) -> ChangeStands:
    """A change that waits as it should, but for what is told."""
    whole = ChangeStands("id", "armed", "rs3 leaves", "alice", T0, deadline=T0 + 40, guarded=True)
    return replace(whole, **what)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (waiting(), ""),
        (waiting(state="reverting"), ""),
        (waiting(state="reverted", guarded=False, outcome="the timer ran out"), ""),
        (waiting(guarded=False), "the timer is gone: NOT rolled back; lvstui config back"),
        (waiting(guarded=False, other_boot=True), "the host was started anew, and the timer is"),
        (waiting(deadline=T0 - 60), "NOT rolled back; lvstui config back"),
        (waiting(state="reverting", trouble="No space left"), "is tried again: No space left"),
        (waiting(state="reverting", trouble="No space left", guarded=False), "NOT rolled back"),
        (waiting(state="trouble.end", outcome="it was changed meanwhile"), "changed meanwhile; "),
        (waiting(state="trouble.end", outcome="it was changed meanwhile", seen=True), ""),
    ],
)
def test_a_change_that_may_not_go_back_is_a_reason(change: ChangeStands, told: str) -> None:
    world = three().counters((1, 0), (2, 0), (3, 0))
    picture = world.say(f.ChangesSeen((change,))).picture()
    status, reasons = verdict(picture)
    assert (status, bool(reasons)) == ((1, True) if told else (0, False))
    assert told in " ".join(reasons)
    (shown,) = report.report(picture)["changes"]
    assert (shown["title"], bool(shown["trouble"])) == ("rs3 leaves", bool(told))
    screen = io.StringIO()
    show(picture, Console(file=screen, width=200))
    assert ("change “rs3 leaves”" in screen.getvalue()) == bool(told)


@pytest.mark.parametrize(
    ("fact", "after_s", "told"),
    [
        (f.RealServerSeen(look()), 300.0, "rs2, as seen 5 min ago: it answers ARP for 10.10.0.20"),
        (f.RealServerSeen(look()), 3700.0, ""),
        (f.RealServerSeen(look(checks=(), error="", about=())), 0.0, ""),
        (f.FilesSeen(ConfigFiles((), "lb1", (NAT,))), 9e6, f"{CONF}:12: the service becomes NAT"),
        (f.FilesSeen(ConfigFiles((), "lb1", (NAT,) * 5)), 0.0, "and 2 more errors in the conf"),
        (f.FilesSeen(ConfigFiles((), "", (replace(NAT, severity=FindingSeverity.NOTE),))), 0.0, ""),
    ],
)
def test_what_a_look_and_the_rules_say_is_a_reason(fact: f.Fact, after_s: float, told: str) -> None:
    world = three().say(fact).later(after_s)
    status, reasons = verdict(world.picture())
    assert (status, bool(reasons)) == ((1, True) if told else (0, False))
    assert told in " ".join(reasons)


def test_an_older_look_never_takes_the_place_of_a_newer_one() -> None:
    world = three().say(f.RealServerSeen(look())).say(f.RealServerSeen(look(at=T0 - 5, error="no")))
    assert world.picture().looks == {"10.10.0.4": look()}


def test_our_own_cost_is_told_when_it_was_measured_and_is_no_change() -> None:
    world = three()
    before = report.report(world.picture())
    assert before["cost"] == {"cpu_share": None, "resident_bytes": None}
    after = report.report(replace(world.picture(), cost=Cost(0.0123, 43_000_000)))
    assert after["cost"] == {"cpu_share": 0.0123, "resident_bytes": 43_000_000}
    assert report.lasting(after) == report.lasting(before)


def test_what_an_ok_does_not_speak_for_is_named() -> None:
    marked = service(configured(1, checkers=()), key=ServiceKey.mark(7))
    world = three().config(marked, loaded=True).say(f.Missing("wire", "adverts are not heard"))
    world.say(f.OtherDaemons(elsewhere=(4711,)))
    assert not_looked_at(world.say(f.RealServerSeen(look())).picture()) == [
        "adverts are not heard",
        "keepalived in another network namespace: 4711",
        "whether 3 real servers answer: no check has told of it",
        "whether anything marks packets with 7",
        "ARP and the VIP on 2 of 3 real servers",
    ]


def test_verdicts() -> None:
    assert verdict(three().picture()) == (OK, [])
    status, reasons = verdict(rich_world().picture())
    assert status == DEGRADED
    assert "rs3 in tcp 10.10.0.20:80 is down: TCP_CHECK: refused" in reasons
    blind = World().say(f.Missing("proc", "this kernel has no IPVS", "modprobe ip_vs"))
    assert verdict(blind.picture()) == (BLIND, ["this kernel has no IPVS: modprobe ip_vs"])


def printed(world: World, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    show(world.picture(), console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_printed_status() -> None:
    text = printed(rich_world())
    assert "lb1  degraded  keepalived 2.2.7" in text
    assert "✖ 10.10.0.5:80 rs3" in text
    assert "TCP_CHECK: refused" in text
    assert "not visible: adverts (run as root)" in text
    assert "● MASTER LB_1" in text


def test_foreign_text_is_no_markup() -> None:
    name = "[bold]x[/bold] [/usr/bin/check]"
    world = World().daemon().config(service(configured(1, name=name))).kernel((1, 10, 0, 0))
    assert name in printed(world, 200)


def test_targets() -> None:
    picture = three().picture()
    everything = [(WEB, rs(2))]
    assert targets(picture, "10.10.0.4", None) == everything
    assert targets(picture, "10.10.0.4:80", "tcp 10.10.0.20:80") == everything
    assert targets(picture, "rs2", None) == everything
    with pytest.raises(ValueError, match=r"no real server '10.10.0.99'.*rs1, rs2, rs3"):
        targets(picture, "10.10.0.99", None)
    with pytest.raises(ValueError, match="there is no service udp"):
        targets(picture, "rs2", str(DNS))
    with pytest.raises(ValueError, match="no real server"):
        targets(picture, "10.10.0.4:81", None)


def test_only_what_lasts_is_a_change() -> None:
    world = three().counters((1, 0), (2, 0), (3, 0))
    before = report.lasting(report.report(world.picture()))
    world.later(2).counters((1, 50), (2, 70), (3, 10))
    world.kernel((1, 10, 7, 41), (2, 10, 8, 44), (3, 10, 1, 2))
    assert report.lasting(report.report(world.picture())) == before
    world.kernel((1, 10, 7, 41), (2, 0, 8, 44), (3, 10, 1, 2)).later(3)
    drained = report.lasting(report.report(world.picture()))
    assert drained != before
    world.later(5).kernel((1, 10, 7, 41), (2, 0, 3, 44), (3, 10, 1, 2))
    assert report.lasting(report.report(world.picture())) == drained
