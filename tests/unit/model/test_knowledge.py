"""Rates, events, VRRP and identity of the merged picture."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvstui.model import facts as f
from lvstui.model.ipvs import Counters, KernelService, KernelTable
from lvstui.model.picture import Severity
from lvstui.model.rates import rates_between
from lvstui.model.vrrp import Advert
from tests.unit.world import DNS, T0, WEB, World, configured, rs, service, three


def advert(source: str, priority: int, outgoing: bool = False) -> f.AdvertSeen:
    return f.AdvertSeen(Advert(source, "eth0", 51, priority, 2, 1.0, ("10.10.0.20",), outgoing))


def test_rates_and_shares() -> None:
    world = three().counters((1, 100), (2, 100), (3, 0)).later(2)
    assert world.server(1).rates is None
    world.counters((1, 120), (2, 160), (3, 0))
    first, second, third = (world.server(number) for number in (1, 2, 3))
    assert first.rates is not None
    assert first.rates.connections == pytest.approx(10)
    assert second.share_of_traffic == pytest.approx(0.75)
    assert third.share_of_traffic == 0
    assert first.history == (10.0,)
    web = world.picture().services[0]
    assert web.rates is not None
    assert web.rates.connections == pytest.approx(40)


COUNTS = st.integers(0, 2**64 - 1)


@given(COUNTS, COUNTS, st.floats(-5, 100))
def test_no_rate_is_ever_negative_or_absurd(before: int, after: int, seconds: float) -> None:
    rates = rates_between(Counters(before), Counters(after), seconds)
    if rates is not None:
        assert after >= before
        assert 0 <= rates.connections <= (after - before) / seconds + 1


def test_a_service_that_was_created_anew_has_no_rate() -> None:
    world = three().counters((1, 5000)).later(1).counters((1, 5010)).later(1)
    world.counters((1, 3))
    assert world.server(1).rates is None
    world.later(1).counters((1, 5))
    rates = world.server(1).rates
    assert rates is not None
    assert rates.connections == pytest.approx(2)


def test_the_kernel_adds_up_every_two_seconds_only() -> None:
    world = three().counters((1, 100))
    seen = []
    for second in range(1, 9):
        world.later(1).counters((1, 100 + 40 * (second // 2)))
        rates = world.server(1).rates
        seen.append(rates.connections if rates else None)
    assert seen == [None, *[pytest.approx(20)] * 7]


def test_a_first_sum_soon_after_the_first_reading_is_not_taken_for_one_second() -> None:
    world = three().counters((1, 100)).later(1).counters((1, 140))
    rates = world.server(1).rates
    assert rates is not None
    assert rates.connections == pytest.approx(20)


def test_a_kernel_that_counts_at_once_gives_the_rate_of_each_second() -> None:
    world = three().counters((1, 0))
    for second in range(1, 6):
        world.later(1).counters((1, 20 * second))
    rates = world.server(1).rates
    assert rates is not None
    assert rates.connections == pytest.approx(20)


def test_traffic_that_stops_falls_to_zero() -> None:
    world = three().counters((1, 0)).later(2).counters((1, 40))
    for _ in range(4):
        world.later(1).counters((1, 40))
    rates = world.server(1).rates
    assert rates is not None
    assert rates.connections == 0


def test_a_gap_in_the_readings_makes_no_rate() -> None:
    world = three().counters((1, 100)).later(600).counters((1, 60000))
    assert world.server(1).rates is None


def test_what_did_not_change_keeps_its_identity() -> None:
    world = three()
    first = world.picture()
    assert world.later(1).picture().services[0] is first.services[0]
    world.kernel((1, 10, 7, 40), (2, 10, 6, 40), (3, 10, 6, 40))
    second = world.picture()
    assert second.services[0] is not first.services[0]
    assert second.services[0].servers[0] is not first.services[0].servers[0]
    assert second.services[0].servers[1] is first.services[0].servers[1]


def test_one_event_for_one_change_however_often_it_is_told() -> None:
    world = three().later(5)
    world.say(f.CheckSeen(False, "TCP_CHECK", "TCP connection failed", rs(3)))
    world.say(f.ServerChanged(WEB, rs(3), False, "removed"))
    world.later(0.05).say(f.ServerChanged(WEB, rs(3), False, "fifo", "fifo"))
    world.later(0.5).kernel((1, 10, 6, 40), (2, 10, 6, 40)).later(3)
    down = [text for text in world.events() if "down" in text or "removed" in text]
    assert len(down) == 1
    assert "rs3 (10.10.0.5:80) down: TCP_CHECK: TCP connection failed → removed from tcp" in down[0]
    assert "6 active connections on it" in down[0]


def test_an_unexplained_change_of_the_table_is_told_after_a_moment() -> None:
    world = three().later(5).kernel((1, 10, 6, 40), (2, 7, 6, 40), (3, 10, 6, 40))
    assert not any("10 → 7" in text for text in world.events())
    world.later(2)
    assert any("10 → 7, not by this lvstui" in text for text in world.events())


def test_a_weight_that_keepalived_changed_is_told_by_it_alone() -> None:
    """A reload with another weight in the file: the log says it, the table follows."""
    world = three().later(5).say(f.WeightChanged(WEB, rs(2), 10, 0))
    world.later(0.3).kernel((1, 10, 6, 40), (2, 0, 6, 40), (3, 10, 6, 40)).later(3)
    told = [text for text in world.events() if "10 → 0" in text]
    assert len(told) == 1
    assert told[0].startswith("keepalived changed the weight")


def test_events_come_in_the_order_of_time() -> None:
    world = three()
    for at in (30.0, 10.0, 20.0):
        world.say(f.DaemonSaid("fatal", f"at {at}"), at=at)
    assert [event.at for event in world.picture().events] == [10.0, 20.0, 30.0]


def test_own_operations_are_told_once() -> None:
    world = three().later(5)
    world.say(f.Done("drain", "alice", "alice drains rs2", WEB, rs(2), 10, 0))
    world.kernel((1, 10, 6, 40), (2, 0, 6, 40), (3, 10, 6, 40)).later(5)
    assert [text for text in world.events() if "rs2" in text] == ["alice drains rs2"]


def test_an_address_that_arrives_makes_a_master() -> None:
    world = three().say(f.InstanceChanged("LB_1", "BACKUP", 100, "fifo"))
    world.say(f.AddressesSeen((("eth0", "10.10.0.6", 24),)))
    assert world.picture().instances[0].state == "BACKUP"
    world.later(3).say(f.AddressChanged("eth0", "10.10.0.20", 32, True))
    (instance,) = world.picture().instances
    assert (instance.state, instance.source, instance.vips_here) == (
        "MASTER",
        "address",
        ("10.10.0.20",),
    )
    assert any("VIP 10.10.0.20 is here now" in text for text in world.events())
    world.later(3).say(f.AddressChanged("eth0", "10.10.0.20", 32, False))
    assert world.picture().instances[0].state == "BACKUP"


def test_the_vip_on_the_loopback_makes_no_master() -> None:
    world = three().say(f.AddressesSeen((("lo", "10.10.0.20", 32),)))
    assert world.picture().instances[0].state == "BACKUP"
    assert world.picture().services[0].vip_here is True


def test_split_brain_is_seen_on_the_wire() -> None:
    world = three().say(f.AddressesSeen((("eth0", "10.10.0.2", 24), ("eth0", "10.10.0.20", 32))))
    world.say(f.InstanceChanged("LB_1", "MASTER", 150)).say(advert("10.10.0.2", 150, True))
    assert not [w for w in world.picture().warnings if "split" in w.text]
    world.say(advert("10.10.0.6", 100))
    # Whoever hears it for the first time and holds the address may just be about to let go.
    assert not [w for w in world.picture().warnings if "split" in w.text]
    world.later(0.6)
    (warning,) = [w for w in world.picture().warnings if "split brain" in w.text]
    assert warning.severity is Severity.BAD
    assert "10.10.0.6 (priority 100)" in warning.text
    world.later(10).say(advert("10.10.0.2", 150, True))
    assert not [w for w in world.picture().warnings if "split" in w.text]


def test_a_backup_that_hears_nobody() -> None:
    world = three().say(f.AddressesSeen((("eth0", "10.10.0.6", 24),)))
    world.say(f.InstanceChanged("LB_1", "BACKUP", 100)).say(advert("10.10.0.2", 150))
    (instance,) = world.picture().instances
    assert (instance.master_address, instance.adverts_ok) == ("10.10.0.2", True)
    world.later(6)
    assert world.picture().instances[0].adverts_ok is False
    assert any("hears no adverts" in w.text for w in world.picture().warnings)


def test_vip_left_behind_by_a_dead_daemon() -> None:
    world = three().say(f.AddressesSeen((("eth0", "10.10.0.20", 32),))).daemon(running=False)
    assert "its VIP is still on this host" in world.picture().warnings[0].text


def test_services_come_and_go() -> None:
    world = three()
    other = KernelService(DNS, "rr", False, None, "", ())
    web = KernelService(WEB, "wrr", False, None, "", ())
    world.say(f.TableSeen(KernelTable((web, other))))
    assert [s.key for s in world.picture().services] == [WEB, DNS]
    world.say(f.TableSeen(KernelTable((web,))))
    assert [s.key for s in world.picture().services] == [WEB]
    assert any("is gone from the kernel table" in text for text in world.events())


def test_names_come_from_the_configuration_then_the_hosts_file() -> None:
    world = World().daemon().config(service(configured(1), configured(2, name="")))
    world.say(f.NamesSeen((("10.10.0.3", "other"), ("10.10.0.4", "two"))))
    world.kernel((1, 10, 0, 0), (2, 10, 0, 0))
    assert [s.name for s in world.picture().services[0].servers] == ["rs1", "two"]


def test_a_handover_is_no_split_brain() -> None:
    world = three().say(f.AddressesSeen((("eth0", "10.10.0.2", 24),)))
    for _ in range(5):
        world.later(1).say(advert("10.10.0.6", 100))
    world.later(0.3).say(f.AddressChanged("eth0", "10.10.0.20", 32, True))
    world.say(f.InstanceChanged("LB_1", "MASTER", 150)).say(advert("10.10.0.2", 150, True))
    for _ in range(5):
        assert not [w for w in world.picture().warnings if "split" in w.text]
        world.later(1).say(advert("10.10.0.2", 150, True))
    world.say(advert("10.10.0.6", 100)).later(0.6)
    assert [w for w in world.picture().warnings if "split" in w.text]


def test_a_handover_between_two_others_is_no_split_brain() -> None:
    world = three().say(f.AddressesSeen((("eth0", "10.10.0.2", 24),)))
    world.say(f.InstanceChanged("LB_1", "BACKUP", 50))
    for _ in range(5):
        world.later(1).say(advert("10.10.0.6", 100))
    world.later(0.5).say(advert("10.10.0.7", 200))
    picture = world.picture()
    assert not picture.warnings
    assert picture.instances[0].master_address == "10.10.0.7"
    world.later(1).say(advert("10.10.0.7", 200)).say(advert("10.10.0.6", 100))
    assert any("both send adverts" in w.text for w in world.picture().warnings)


def test_without_keepalived_nobody_stands_by() -> None:
    world = three().say(f.AddressesSeen((("eth0", "10.10.0.2", 24),)))
    world.say(f.InstanceChanged("LB_1", "BACKUP", 100)).later(1).daemon(running=False)
    assert world.picture().instances[0].state == "STOP"


def test_a_state_of_unknown_time_gives_way_and_is_no_event() -> None:
    world = three().say(f.AddressesSeen((("eth0", "10.10.0.2", 24),)))
    world.say(f.InstanceChanged("LB_1", "FAULT", 0, "fifo"), at=f.UNDATED)
    (instance,) = world.picture().instances
    assert (instance.state, instance.since) == ("FAULT", None)
    assert world.events() == []
    world.say(f.InstanceChanged("LB_1", "BACKUP", 100, "log"), at=T0 - 60)
    world.say(f.InstanceChanged("LB_1", "FAULT", 0, "fifo"), at=f.UNDATED)
    (instance,) = world.picture().instances
    assert (instance.state, instance.since) == ("BACKUP", T0 - 60)


def test_every_end_of_keepalived_is_told() -> None:
    world = three()
    for pid in (200, 300):
        world.later(60).daemon(running=False).daemon(running=False)
        world.later(60).daemon(pid=pid)
    told = [text for text in world.events() if text.startswith("keepalived")]
    assert told == [
        "keepalived is not running: nobody checks, nobody fails over",
        "keepalived runs, pid 200",
        "keepalived is not running: nobody checks, nobody fails over",
        "keepalived runs, pid 300",
    ]


def test_what_keepalived_takes_with_it_did_not_fail() -> None:
    world = three()
    world.say(f.DaemonSaid("stop", "Stopping", "Keepalived", 1))
    world.say(f.ServerChanged(WEB, rs(3), False, "fifo")).later(1)
    world.picture()
    assert "rs3 (10.10.0.5:80) removed from tcp 10.10.0.20:80: keepalived stops" in " ".join(
        world.events()
    )
    assert not [text for text in world.events() if " down" in text]


def test_a_gap_that_another_source_covers_is_none() -> None:
    world = three().say(f.Missing("fifo", "it is read by another", "end it", covered_by="log"))
    assert [gap.source for gap in world.picture().gaps] == ["fifo"]
    world.say(f.Available("log"))
    assert world.picture().gaps == ()
    world.say(f.Missing("log", "no log", "run syslog"))
    assert [gap.source for gap in world.picture().gaps] == ["fifo", "log"]


def test_what_waited_in_a_fifo_is_not_taken_for_news() -> None:
    world = three().say(f.InstanceChanged("LB_1", "MASTER", 150))
    old = f.Observation(f.UNDATED, "lb1", "fifo", f.InstanceChanged("LB_1", "BACKUP"), True)
    world.known.learn(old)
    assert world.picture().instances[0].state == "MASTER"
    assert not any("BACKUP" in text for text in world.events())


def test_fifos_are_not_missed_without_keepalived() -> None:
    world = three().say(f.Missing("fifo", "it is not there", "keepalived makes it"))
    assert [gap.source for gap in world.picture().gaps] == ["fifo"]
    assert world.daemon(running=False).picture().gaps == ()


def test_a_second_daemon_on_the_same_table_is_named() -> None:
    world = three().say(f.OtherDaemons(here=(4712,)))
    (warning,) = world.picture().warnings
    assert warning.severity is Severity.BAD
    assert warning.text.endswith("is shown, not 4712")
