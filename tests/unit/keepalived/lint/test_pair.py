"""Two directors against each other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lvstui.lab.conf import render
from lvstui.lab.topology import parse as topology_of
from lvstui.model.finding import FindingSeverity
from tests.unit.keepalived.lint.site import ERROR, HOST, SOUND, WARNING, changed, judge, told


def test_a_sound_pair_is_quiet() -> None:
    other = SOUND.replace("priority 150", "priority 100").replace("LB1", "LB2")
    assert judge(SOUND, other=other) == ()


@pytest.mark.parametrize("director", [0, 1])
def test_the_labs_own_directors_are_quiet(director: int) -> None:
    topology = topology_of("")
    servers: dict[str, tuple[str, ...]] = {
        name: (f"10.10.0.{10 + number}", f"fd00:10::{10 + number}")
        for number, name in enumerate(topology.real_servers)
    }
    mine, theirs = (
        render(topology, index, ("10.10.0.100", "fd00:10::100"), "", servers)
        for index in (director, 1 - director)
    )
    assert judge(mine, None, theirs) == ()


PAIR: dict[str, tuple[str, str, str, FindingSeverity]] = {
    "vips": ("        10.10.0.21/24\n", "", "vips-differ", ERROR),
    "vrid": ("virtual_router_id 51", "virtual_router_id 52", "vrid-differs", ERROR),
    "auth": ("auth_type PASS", "auth_type AH", "authentication-differs", ERROR),
    "password": ("s#cret!", "s#cret?", "password-differs", ERROR),
    "interval": ("advert_int 1", "advert_int 2", "interval-differs", ERROR),
    "priority": ("priority 100", "priority 150", "priorities-equal", WARNING),
    "server": ("real_server 10.10.0.4", "real_server 10.10.0.5", "servers-differ", WARNING),
    "weight": ("weight 10", "weight 0", "weights-differ", WARNING),
    "scheduler": ("lb_algo wrr", "lb_algo wlc", "scheduler-differs", WARNING),
    "forwarding": ("lb_kind DR", "lb_kind TUN", "forwarding-differs", ERROR),
    "unicast": ("advert_int 1", "unicast_peer {\n 10.10.0.1\n }", "unicast-differs", ERROR),
    "version": ("advert_int 1", "version 3", "vrrp-version-differs", ERROR),
}


@pytest.mark.parametrize("name", sorted(PAIR))
def test_pair(name: str) -> None:
    old, new, rule, severity = PAIR[name]
    other = SOUND.replace("priority 150", "priority 100")
    assert old in other
    finding = told(judge(SOUND, other=other.replace(old, new, 1)), rule)
    assert finding.severity is severity
    assert "s#cret" not in f"{finding}"


def test_a_service_on_one_director_only() -> None:
    other = SOUND.replace("priority 150", "priority 100")
    other = other[: other.index("virtual_server 10.10.0.21")]
    assert told(judge(SOUND, other=other), "service-on-one-director").severity is ERROR
    assert told(judge(other, other=SOUND), "service-on-one-director").severity is ERROR


def test_a_script_that_cannot_move_the_vip() -> None:
    text = changed("weight -60", "weight -20")
    other = SOUND.replace("priority 150", "priority 100")
    finding = told(judge(text, other=other), "weight-cannot-move-vip")
    assert finding.severity is WARNING
    assert "130" in finding.text
    assert not any(f.rule == "weight-cannot-move-vip" for f in judge(SOUND, other=other))


def test_nopreempt_on_the_other_side_holds_the_vip() -> None:
    other = SOUND.replace("priority 150", "priority 100").replace("advert_int 1", "nopreempt")
    assert told(judge(SOUND, other=other), "weight-against-nopreempt").severity is WARNING


@pytest.mark.parametrize(
    ("mine", "theirs", "severity"),
    [("2.2.7", "2.3.4", ERROR), ("2.3.3", "2.3.2", ERROR), ("2.3.3", "2.4.3", WARNING)],
)
def test_newer_versions_take_other_vips(mine: str, theirs: str, severity: FindingSeverity) -> None:
    other = SOUND.replace("priority 150", "priority 100").replace("        10.10.0.21/24\n", "")
    other = other[: other.index("virtual_server 10.10.0.21")]
    found = judge(SOUND, replace(HOST, version=mine), other, theirs)
    assert told(found, "vips-differ").severity is severity
