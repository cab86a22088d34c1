"""Processes of keepalived's that do nothing: warnings, events, words."""

from __future__ import annotations

from lvstui.model import facts as f
from lvstui.model.facts import ProcessState
from lvstui.model.picture import Severity
from tests.unit.world import T0, three


def texts(world: object) -> list[str]:
    picture = world.picture()  # type: ignore[attr-defined]
    return [w.text for w in picture.warnings if w.severity is Severity.BAD]


def test_a_frozen_checker_is_an_alarm_with_what_it_means_and_since_when() -> None:
    world = three()
    world.say(f.ProcessesSeen((ProcessState("parent", 100), ProcessState("checkers", 101))))
    assert texts(world) == []
    world.say(f.ProcessesSeen((ProcessState("checkers", 101, "T", T0),))).later(14)
    assert texts(world) == [
        "the checker process 101 is stopped (T) since 14 s: no failure is noticed, and nothing "
        "that recovers comes back"
    ]
    world.say(f.ProcessesSeen((ProcessState("checkers", 101),)))
    assert texts(world) == []
    assert world.events()[-2:] == [
        "the checker process 101 is stopped (T): no failure is noticed, and nothing that recovers "
        "comes back",
        "the checker process 101 goes on after 14 s",
    ]


def test_a_frozen_vrrp_process_is_worse_where_the_vip_is() -> None:
    world = three().say(f.ProcessesSeen((ProcessState("vrrp", 102, "T"),)))
    assert texts(world) == [
        "the VRRP process 102 is stopped (T): it sends no adverts and takes over from nobody"
    ]
    world.say(f.AddressesSeen((("eth0", "10.10.0.20", 32),)))
    (text,) = texts(world)
    assert text.endswith("another director takes the VIP while it stays on this host")


def test_nothing_is_said_of_processes_that_are_gone_with_the_daemon() -> None:
    world = three().say(f.ProcessesSeen((ProcessState("vrrp", 102, "D", T0),)))
    assert "hangs in the kernel (D)" in texts(world)[0]
    world.say(f.ProcessesSeen(()))
    assert texts(world) == []
