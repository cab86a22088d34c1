"""Who speaks for our addresses: second holders, real servers, other clusters, strays."""

from __future__ import annotations

from dataclasses import replace

from lvstui.model import facts as f
from lvstui.model.claims import ADDRESSES, MACS, Claims
from lvstui.model.config import Configuration
from lvstui.model.picture import Severity
from lvstui.model.vrrp import Advert
from tests.unit.world import INSTANCE, T0, World, configured, service, three

VIP = "10.10.0.20"
MINE, OTHER, SERVER = "02:00:00:00:00:02", "02:00:00:00:00:06", "02:00:00:00:00:04"


def advert(
    source: str, priority: int, *vips: str, outgoing: bool = False, mac: str = "", on: str = "eth0"
) -> f.AdvertSeen:
    return f.AdvertSeen(Advert(source, on, 51, priority, 2, 1.0, vips or (VIP,), outgoing, mac=mac))


def claimed(mac: str = OTHER, how: str = "announces", *hosts: str) -> f.AddressClaimed:
    return f.AddressClaimed(VIP, mac, "eth0", how, hosts)


def questions(world: World) -> list[str]:
    """The addresses that should be asked for now."""
    world.picture()
    return list(world.known.link.questions)


def bad(world: World, word: str = "") -> list[str]:
    found = world.picture().warnings
    return [w.text for w in found if w.severity is Severity.BAD and word in w.text]


def master() -> World:
    """This host has held the address since before the first look."""
    return three().say(f.AddressesSeen((("eth0", "10.10.0.2", 24), ("eth0", VIP, 32))))


def backup() -> World:
    return three().say(f.AddressesSeen((("eth0", "10.10.0.2", 24),)))


# Second holders


def test_a_second_holder_is_named_though_no_advert_arrives() -> None:
    world = master().later(100).say(claimed())
    assert bad(world) == []
    world.later(1)
    (text,) = bad(world)
    assert text.startswith(f"split brain: {VIP} is on this host")
    assert OTHER in text
    assert questions(world) == [VIP]


def test_its_end_comes_by_evidence_and_it_stays_an_event() -> None:
    world = master().later(100).say(claimed()).later(1)
    assert bad(world)
    # Nobody was heard to let go, so it stands; and it is asked again.
    world.known.link.claims.asked(world.known.link.questions, world.now)
    world.later(5)
    assert bad(world)
    assert questions(world) == []
    world.later(10)
    assert bad(world)
    assert questions(world) == [VIP]
    world.say(f.OwnersSeen(VIP, "eth0", (f.AddressOwner(OTHER),)))
    assert bad(world)
    world.later(10).say(f.OwnersSeen(VIP, "eth0"))
    assert bad(world) == []
    begin, end = world.events()[-2:]
    assert begin.startswith("split brain")
    assert end == f"nobody else speaks ARP for {VIP} any more (after 25 s)"


def test_who_lets_go_when_another_takes_over_has_no_split_brain() -> None:
    world = master().later(100).say(claimed()).later(0.02)
    world.say(f.AddressChanged("eth0", VIP, 32, False))
    for _ in range(5):
        assert bad(world, "split") == []
        world.later(1).say(claimed())


def test_the_holder_before_us_may_be_heard_for_a_moment() -> None:
    world = backup().later(10).say(claimed())
    world.later(0.1).say(f.AddressChanged("eth0", VIP, 32, True))
    world.later(0.3).say(claimed())
    for _ in range(5):
        assert bad(world, "split") == []
        world.later(1)
    world.say(claimed()).later(1)
    assert bad(world, "split")


def test_whoever_takes_an_address_asks_once_whether_the_holder_before_let_go() -> None:
    world = backup().later(10).say(f.AddressChanged("eth0", VIP, 32, True))
    assert bad(world) == []
    assert questions(world) == []
    world.later(1)
    assert questions(world) == [VIP]
    world.say(advert("10.10.0.6", 150, mac=OTHER))
    world.later(0.2).say(f.OwnersSeen(VIP, "eth0", (f.AddressOwner(OTHER),)))
    (text,) = bad(world, "speaks ARP")
    assert f"10.10.0.6 ({OTHER})" in text
    world.say(f.OwnersSeen(VIP, "eth0")).later(1)
    assert bad(world, "speaks ARP") == []
    assert questions(world) == []


def test_an_answer_by_neighbour_discovery_counts_at_once() -> None:
    six = "fd00::20"
    instance = replace(INSTANCE, vips=(six,), advertised=(six,))
    world = World().daemon()
    config = Configuration((service(configured(1)),), (instance,), digest="x")
    world.say(f.ConfigurationSeen(config, loaded=True)).say(f.AddressesSeen(()))
    world.later(10).say(f.AddressChanged("eth0", six, 128, True)).later(1.1)
    world.say(f.OwnersSeen(six, "eth0", (f.AddressOwner(OTHER),)))
    world.say(f.AddressClaimed(six, OTHER, "eth0", "advertises"))
    (text,) = bad(world, "split")
    assert "speaks NDP" in text


def test_another_master_is_no_alarm_on_a_backup_and_two_are() -> None:
    world = backup().later(10).say(claimed()).say(claimed(MINE))
    assert bad(world, "split") == []
    world.say(f.OwnersSeen(VIP, "eth0", (f.AddressOwner(OTHER),)))
    assert bad(world, "split") == []
    world.later(1).say(f.OwnersSeen(VIP, "eth0", (f.AddressOwner(OTHER), f.AddressOwner(MINE))))
    (text,) = bad(world, "split")
    assert text.startswith(f"split brain: 2 hosts answer for {VIP}")


def test_a_master_with_a_vmac_link_answers_twice_and_is_one() -> None:
    virtual = "00:00:5e:00:01:33"
    world = backup().later(10)
    owners = (f.AddressOwner(OTHER), f.AddressOwner(virtual))
    world.say(f.OwnersSeen(VIP, "eth0", owners))
    assert bad(world, "split") == []
    world.say(f.OwnersSeen(VIP, "eth0", (*owners, f.AddressOwner(MINE))))
    assert bad(world, "split")


def test_a_real_server_that_speaks_for_the_address_is_named() -> None:
    for world in (backup(), master()):
        world.later(10).say(claimed(SERVER, "asks for 10.10.0.10", "10.10.0.4"))
        (text,) = bad(world, "real server")
        assert f"rs2 (10.10.0.4) ({SERVER}) asks" in text
        # It need not answer when it is asked.
        world.later(5).say(f.OwnersSeen(VIP, "eth0"))
        assert bad(world, "real server")
        world.later(200)
        assert bad(world, "real server") == []


def test_a_flood_of_claims_stays_small_and_keeps_the_newest() -> None:
    claims = Claims()
    for number in range(3 * MACS):
        claims.claimed(claimed(f"02:00:00:00:01:{number:02x}"), T0 + number)
    assert len(claims._heard[VIP]) == MACS
    claims.claimed(claimed(), T0 + 1000)
    assert OTHER in claims._heard[VIP]
    for number in range(ADDRESSES + 10):
        address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        claims.claimed(replace(claimed(), address=address), T0)
    assert len(claims._heard) <= ADDRESSES


# Other clusters


def test_another_cluster_with_our_vrid_is_no_split_brain_and_no_master() -> None:
    for world in (master(), backup()):
        world.later(10).say(advert("10.10.0.7", 200, "10.10.0.99")).later(1)
        world.say(advert("10.10.0.7", 200, "10.10.0.99"))
        assert bad(world, "split") == []
        (text,) = bad(world, "another cluster")
        assert "VRID 51 on eth0: 10.10.0.7 announces 10.10.0.99 (priority 200)" in text
        (instance,) = world.picture().instances
        assert (instance.master_address, instance.others) == ("", ())
    world.later(5)
    assert world.picture().instances[0].adverts_ok is not True


def test_a_director_whose_list_became_another_is_no_other_cluster() -> None:
    world = backup().later(10).say(advert("10.10.0.6", 150)).later(1)
    world.say(advert("10.10.0.6", 150, "10.10.0.99")).later(1)
    world.say(advert("10.10.0.6", 150, "10.10.0.99"))
    assert bad(world, "another cluster") == []
    assert bad(world, "the lists must be the same")


def test_lists_that_have_an_address_in_common_belong_together() -> None:
    world = backup().later(10).say(advert("10.10.0.6", 150, VIP, "10.10.0.99"))
    assert bad(world, "VRID") == []
    assert world.picture().instances[0].master_address == "10.10.0.6"


# Families, interfaces, silence


def test_excluded_addresses_of_another_family_do_not_decide_where_adverts_are_heard() -> None:
    six = "fd00::20"
    instance = replace(INSTANCE, vips=(six, VIP), advertised=(six,), excluded=(VIP,))
    world = World().daemon()
    for loaded in (False, True):
        config = Configuration((service(configured(1)),), (instance,), digest="x")
        world.say(f.ConfigurationSeen(config, loaded=loaded))
    world.say(f.AddressesSeen((("eth0", "fe80::2", 64),)))
    world.say(advert("fe80::6", 150, six)).later(1).say(advert("fe80::6", 150, six))
    (view,) = world.picture().instances
    assert (view.master_address, view.adverts_ok) == ("fe80::6", True)


def test_a_master_whose_own_adverts_are_not_heard_is_told_where_they_would_be() -> None:
    world = master().say(f.Available("wire")).say(f.InstanceChanged("LB_1", "MASTER", 150))
    world.later(10)
    assert bad(world, "no advert of this host") == []
    world.say(f.WireHears(True))
    assert bad(world, "no advert of this host")
    world.say(advert("10.10.0.2", 150, outgoing=True))
    assert bad(world, "no advert of this host") == []
    world.later(10)
    assert bad(world, "no advert of this host")
    world.say(f.WireHears(False))
    assert bad(world, "no advert of this host") == []


# Strays


def stray(packets: int = 5, on: str = "eth0", mac: str = "") -> f.StraysSeen:
    return f.StraysSeen(VIP, on, ("10.10.0.10",), packets, mac)


def test_packets_for_an_address_that_left_are_told_when_they_last() -> None:
    world = master().later(100).say(f.AddressChanged("eth0", VIP, 32, False))
    world.later(1).say(stray())
    assert bad(world, "still arrive") == []
    world.later(4).say(stray())
    (text,) = bad(world, "still arrive")
    assert "from 10.10.0.10" in text
    world.later(10)
    assert bad(world, "still arrive") == []
    assert world.events()[-1].startswith(f"no more packets for {VIP} arrive at this host")


def test_what_is_routed_or_forwarded_through_this_host_is_no_stray() -> None:
    world = backup().later(10).say(stray(on="eth1"))
    assert bad(world, "still arrive") == []
    world.say(advert("10.10.0.6", 150, mac=OTHER)).say(stray(mac=OTHER))
    assert bad(world, "still arrive") == []
    world.say(stray(1)).say(stray(1))
    assert bad(world, "still arrive") == []
    world.say(stray(1))
    assert bad(world, "still arrive")
