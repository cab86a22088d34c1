"""What is older than it looks: dumps before a reload, first words, clocks that are set, floods."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lvstui.model import facts as f
from lvstui.model.picture import InstanceView, State
from lvstui.model.vrrp import Advert, InstanceSeen
from tests.unit.world import T0, WEB, World, rs, three

OWN, PEER = "10.10.0.2", "10.10.0.6"
ADVERT = Advert(OWN, "eth0", 51, 139, 2, 1.0, ("10.10.0.20",), outgoing=True)


def dump(priority: int, transition: float = T0 - 500, state: str = "MASTER") -> f.InstancesSeen:
    seen = InstanceSeen(
        "LB_1",
        state,
        interface="eth0",
        vrid=51,
        base_priority=150,
        effective_priority=priority,
        vips=("10.10.0.20",),
        last_transition=transition,
    )
    return f.InstancesSeen((seen,))


def instance(world: World) -> InstanceView:
    (view,) = world.picture().instances
    return view


def holding(world: World) -> World:
    """The VIP is on this host."""
    here = (("eth0", OWN, 24), ("eth0", "10.10.0.20", 24))
    return world.say(f.AddressesSeen(here), source="rtnetlink")


@pytest.mark.parametrize("late", [False, True])
def test_a_reload_outdates_what_a_dump_said(late: bool) -> None:
    world = holding(three())
    reloaded = f.DaemonSaid("reloaded", "Reload finished")
    if not late:
        world.say(dump(147), at=T0 - 100)
        assert instance(world).priority == 147
    world.say(reloaded, at=T0 - 50)
    if late:
        world.say(dump(147), at=T0 - 100)
    assert instance(world).priority == 150
    assert instance(world).state == "MASTER"
    # What is on the wire counts, whatever a later dump or word says.
    world.say(dump(160), at=T0 - 20).say(f.AdvertSeen(ADVERT), source="wire")
    assert instance(world).priority == 139


def test_a_priority_that_was_told_before_a_reload_holds_no_more() -> None:
    world = three().say(f.PriorityChanged("LB_1", 150, 152), at=T0 - 100, source="log")
    assert instance(world).priority == 152
    world.say(f.DaemonSaid("reloaded", "Reload finished"), at=T0 - 50)
    assert instance(world).priority == 150
    world.say(f.PriorityChanged("LB_1", 150, 148), at=T0 - 40, source="log")
    assert instance(world).priority == 148


def test_a_dump_does_not_make_a_known_transition_younger() -> None:
    world = holding(three())
    world.say(f.InstanceChanged("LB_1", "MASTER"), at=T0 - 900, source="log")
    world.say(dump(150, transition=T0 - 10), at=T0 - 5)
    view = instance(world)
    assert (view.since, view.source) == (T0 - 900, "log")


def test_states_that_are_only_now_known_did_not_begin_now() -> None:
    world = World()
    world.known.awaited = frozenset({"log"})
    world.daemon().kernel((1, 10, 0, 0))
    world.picture()
    full = three()
    for known in (full.known.file, full.known.loaded):
        assert known is not None
        world.say(f.ConfigurationSeen(known, loaded=known is full.known.loaded))
    world.later(0.2)
    assert (world.server(1).state, world.server(1).since) == (State.UP, None)
    world.known.awaited = frozenset()
    world.later(0.2)
    world.picture()
    world.later(5).kernel((2, 10, 0, 0))
    assert world.server(1).since == world.now


def test_a_drain_that_was_there_at_the_first_look_began_nobody_knows_when() -> None:
    world = World().daemon().kernel((1, 0, 3, 0))
    full = three()
    assert full.known.file is not None
    world.say(f.ConfigurationSeen(full.known.file)).say(
        f.ConfigurationSeen(full.known.file, loaded=True)
    )
    assert (world.server(1).state, world.server(1).since) == (State.DRAINING, None)
    world.later(10).kernel((1, 10, 3, 0)).picture()
    world.later(10).kernel((1, 0, 3, 0))
    assert world.server(1).since == world.now


@pytest.mark.parametrize("back", [False, True])
def test_a_clock_that_was_set_changes_no_duration(back: bool) -> None:
    world = holding(three())
    world.say(f.ServerChanged(WEB, rs(2), False, "removed"), at=T0 - 60, source="log")
    world.kernel((1, 10, 6, 40), (3, 0, 6, 40))
    world.say(f.AdvertSeen(ADVERT), source="wire").later(1)
    before = world.picture()
    world.now += -7200 if back else 7200
    world.say(f.ClockStepped(7200, back), source="watch")
    after = world.picture()
    was, now = before.services[0].servers, after.services[0].servers
    for one, other in zip(was, now, strict=True):
        assert one.state is other.state
        assert (one.since is None) is (other.since is None)
        if one.since is not None and other.since is not None:
            assert other.since - one.since == (-7200 if back else 7200)
    assert instance(world).adverts_ok is before.instances[0].adverts_ok
    assert [e.text for e in after.events][: len(before.events)] == [e.text for e in before.events]
    assert after.events[-1].text.endswith(f"was set {'back' if back else 'forward'} by 2 h")
    # Of the same process, by the clock as it is now.
    world.daemon(started=T0 - 1e6 + (-7200 if back else 7200) + 0.03)
    assert [s.state for s in world.picture().services[0].servers] == [s.state for s in now]


def test_forged_senders_do_not_crowd_out_a_peer() -> None:
    world = three()
    for second in range(30):
        world.later(1)
        peer = replace(ADVERT, source=PEER, outgoing=False)
        world.say(f.AdvertSeen(peer), source="wire")
        for number in range(50):
            forged = replace(peer, source=f"192.0.2.{number}", priority=second + 1)
            if second % 2:
                forged = replace(forged, source=f"198.51.{second}.{number}")
            world.say(f.AdvertSeen(forged), source="wire")
    senders = {address for address, _ in instance(world).others}
    assert PEER in senders | {instance(world).master_address}
    assert len(senders) <= 17


def test_what_was_left_out_is_said_for_a_while() -> None:
    world = three().say(f.Overrun("adverts", 700), source="wire")
    world.later(5).say(f.Overrun("adverts", 300), source="wire")
    picture = world.picture()
    assert picture.overruns == (("adverts", 1000),)
    assert any("1000 adverts were left out" in one.text for one in picture.warnings)
    assert world.later(60).picture().overruns == ()


def test_a_source_that_looks_again_is_silent_no_longer() -> None:
    world = three().say(f.SourceSilent("proc", T0 - 12))
    picture = world.picture()
    assert picture.silent == {"proc": T0 - 12}
    assert "last looked at 12 s ago" in picture.warnings[0].text
    assert world.say(f.SourceSilent("proc", None)).picture().silent == {}
