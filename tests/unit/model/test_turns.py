"""Traffic that ends at once, and counts that climb: what is news, and what is only traffic."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from lvstui.model import facts as f
from lvstui.model.ipvs import Destination, KernelService, KernelTable
from lvstui.model.keys import ServiceKey
from lvstui.model.picture import Severity
from lvstui.model.say import clock
from tests.unit.world import WEB, World, configured, rs, service, three


def run(world: World, seconds: int, *rates: Callable[[int], float]) -> World:
    """Counters of rs1, rs2 … each second, as they grow by so many connections in it."""
    numbers = [int(getattr(world, f"count{n}", 0)) for n in range(len(rates))]
    for second in range(seconds):
        world.later(1)
        numbers = [n + round(rate(second)) for n, rate in zip(numbers, rates, strict=True)]
        # The kernel adds up every two seconds.
        if second % 2:
            world.counters(*enumerate(numbers, 1))
        world.picture()
    for index, number in enumerate(numbers):
        setattr(world, f"count{index}", number)
    return world


def steady(rate: float) -> Callable[[int], float]:
    return lambda second: rate


def ends(world: World) -> list[str]:
    return [e.text for e in world.picture().events if "nothing" in e.text or "again" in e.text]


def test_a_service_that_falls_to_nothing_at_once_is_an_event_with_its_time() -> None:
    world = run(three(), 60, steady(10), steady(10))
    at = world.now
    run(world, 20, steady(0), steady(0))
    (event,) = [e for e in world.picture().events if "nothing" in e.text]
    assert (event.severity, event.service, event.server) == (Severity.WARN, WEB, None)
    assert abs(event.at - at) <= 2
    assert event.text == (
        f"tcp 10.10.0.20:80: 20 new connections a second to nothing at {clock(event.at)}"
    )
    assert not world.picture().warnings
    run(world, 10, steady(10), steady(10))
    assert ends(world)[1:] == ["tcp 10.10.0.20:80: traffic again"]


def test_one_server_of_a_service_falls_alone() -> None:
    world = run(three(), 60, steady(10), steady(10))
    run(world, 20, steady(10), steady(0))
    (text,) = ends(world)
    assert text.startswith("rs2 in tcp 10.10.0.20:80: 10 new connections a second to nothing")


@pytest.mark.parametrize("seed", range(5))
def test_bursts_and_trickles_are_no_news(seed: int) -> None:
    rng = random.Random(seed)
    bursts = lambda second: 200 if second % 20 < 6 else 0  # noqa: E731
    trickle = lambda second: rng.random() < 0.4  # noqa: E731
    calm = lambda second: max(rng.gauss(6, 2.5), 0)  # noqa: E731
    assert ends(run(three(), 600, bursts, steady(0))) == []
    assert ends(run(three(), 600, trickle, steady(0))) == []
    assert ends(run(three(), 600, calm, calm)) == []


def test_what_was_taken_away_on_purpose_is_no_news() -> None:
    drained = run(three(), 60, steady(10), steady(10))
    drained.kernel((1, 10, 6, 40), (2, 0, 6, 40), (3, 10, 6, 40))
    assert ends(run(drained, 20, steady(20), steady(0))) == []
    moved = run(three(), 60, steady(10), steady(10)).say(f.AddressesSeen(()))
    assert ends(run(moved, 20, steady(0), steady(0))) == []


def test_readings_that_did_not_come_are_no_silence() -> None:
    world = run(three(), 60, steady(10), steady(10)).later(120)
    assert ends(run(world, 20, steady(0), steady(0))) == []


# Climbing


def active(world: World, seconds: int, *counts: Callable[[int], int], **changes: object) -> World:
    """The table each second, with active connections of rs1, rs2 …"""
    for second in range(seconds):
        world.later(1)
        found = tuple(
            Destination(rs(n), "DR", 10, count(second), 40) for n, count in enumerate(counts, 1)
        )
        values: dict[str, object] = {"persistence_s": None, "scheduler": "wrr", **changes}
        web = KernelService(
            key=WEB,
            one_packet=False,
            netmask="",
            destinations=found,
            **values,  # type: ignore[arg-type]
        )
        world.say(f.TableSeen(KernelTable((web,))))
    return world


def climbs(world: World) -> list[str]:
    return [w.text for w in world.picture().warnings if "climb" in w.text]


def level(second: int) -> int:
    return 8 + second % 5


def test_a_server_that_climbs_away_from_its_siblings_is_named() -> None:
    world = active(three(), 90, level, lambda second: 10 + 3 * second, level)
    (text,) = climbs(world)
    assert text.startswith(
        "rs2 in tcp 10.10.0.20:80: active connections climb away from the others':"
    )
    assert "in 1 min" in text
    # It ended: nothing is left of it a minute later.
    assert not climbs(active(world, 90, level, lambda second: 280, level))


def test_what_all_do_alike_or_what_goes_up_and_down_is_no_climb() -> None:
    up = lambda second: 10 + 3 * second  # noqa: E731
    assert not climbs(active(three(), 90, up, up, up))
    assert not climbs(active(three(), 90, level, lambda second: 10 + 3 * (second % 30), level))
    assert not climbs(active(three(), 90, level, lambda second: 400, level))
    assert not climbs(active(three(), 90, level, up, level, persistence_s=60))
    assert not climbs(active(three(), 90, level, up, level, scheduler="sh"))
    assert not climbs(active(three(), 90, level, lambda second: 5 + second // 5, level))


def test_a_server_that_has_just_come_in_may_climb() -> None:
    world = active(three(), 90, level, level)
    assert not climbs(active(world, 50, level, level, lambda second: 3 * second))


def test_many_services_take_turns() -> None:
    world = World().config(service(configured(1)))
    two = (Destination(rs(1), "DR", 1, 1, 1), Destination(rs(2), "DR", 1, 1, 1))
    keys = [ServiceKey.of("tcp", f"10.1.{n // 250}.{n % 250}", 80) for n in range(3000)]
    many = tuple(KernelService(key, "rr", False, None, "", two) for key in keys)
    for _ in range(40):
        world.later(1).say(f.TableSeen(KernelTable(many)))
    assert len(world.known._packets._climbs._points) <= 2049
