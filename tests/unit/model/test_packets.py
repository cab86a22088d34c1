"""What a sample of connections tells of servers, and what it must not be taken to tell."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lvstui.model import facts as f
from lvstui.model.connections import AGES_S, ConnectionCount, ConnectionSlice
from lvstui.model.ipvs import Destination, KernelService, KernelTable
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.picture import Severity, Warning
from lvstui.model.verdict import not_looked_at
from tests.unit.world import World, configured, rs, service, three

VIP = ServerKey("10.10.0.20", 80)
HAVING = f.AddressesSeen((("eth0", "10.10.0.2", 24), ("eth0", "10.10.0.20", 24)))


def steadily(a_second: float, seconds: int = 60) -> tuple[int, ...]:
    """Entries of a server that gets so many new connections a second, by age."""
    edges = (0, *AGES_S, seconds)
    return tuple(round(a_second * (b - a)) for a, b in pairwise(edges))


def row(number: int, state: str, ages: tuple[int, ...], clients: int = 1) -> ConnectionCount:
    return ConnectionCount("tcp", VIP, rs(number), state, ages, clients)


def sample(world: World, *rows: ConnectionCount, position: int = 0, last: bool = True) -> World:
    return world.say(f.ConnectionsSeen(ConnectionSlice(position, last, rows)))


def told(world: World, word: str) -> list[Warning]:
    return [warning for warning in world.picture().warnings if word in warning.text]


BROKEN = (
    row(1, "FIN_WAIT", steadily(7)),
    row(2, "SYN_RECV", steadily(7)),
    row(3, "FIN_WAIT", steadily(7)),
)


def test_a_server_that_drops_all_of_its_connections_is_named_with_what_was_seen() -> None:
    world = sample(three().later(60), *BROKEN)
    (warning,) = told(world, "never got established")
    assert warning.severity is Severity.BAD
    assert warning.server == rs(2)
    assert warning.text == (
        "rs2 in tcp 10.10.0.20:80: 21 of 21 connections of the last 5 s never got established; "
        "rs1 0 of 35, rs3 0 of 35; it drops what comes for 10.10.0.20: is the VIP on it, does a "
        "filter drop it?"
    )
    assert [e for e in world.events() if "never got" in e] == [warning.text.split("; it ")[0]]


def test_it_stays_named_until_connections_get_established_again() -> None:
    world = sample(three().later(60), *BROKEN)
    assert told(world, "never got")
    half = (row(2, "SYN_RECV", steadily(4)), row(2, "FIN_WAIT", steadily(2)))
    assert told(sample(world.later(1), *BROKEN[::2], *half), "never got")
    well = (row(2, "SYN_RECV", (0, 0, 20, 70, 140, 0)), row(2, "ESTABLISHED", steadily(7)))
    assert not told(sample(world.later(1), *BROKEN[::2], *well), "never got")
    assert "established again" not in world.events()[-1]  # a small sample may look well
    sample(world.later(11), *BROKEN[::2], *well)
    assert world.events()[-1] == "connections to rs2 in tcp 10.10.0.20:80 get established again"


def test_a_thin_sample_takes_no_verdict_back() -> None:
    world = sample(three().later(60), *BROKEN)
    assert told(world, "never got")
    thin = (row(1, "FIN_WAIT", (2, 2, 2, 2, 1, 0)), row(2, "SYN_RECV", (0, 1, 2, 1, 0, 0)))
    for _ in range(3):
        assert told(sample(world.later(2), *thin), "never got")
    assert not any("again" in text for text in world.events())
    assert not told(sample(world.later(20), *thin), "never got")


def test_a_flood_of_syns_is_an_event_of_all_servers_and_no_verdict() -> None:
    rows = [row(n, "SYN_RECV", steadily(100)) for n in (1, 2, 3)]
    rows += [row(n, "FIN_WAIT", steadily(7)) for n in (1, 2, 3)]
    world = sample(three().later(60), *rows)
    assert not told(world, "never got")
    (event,) = [text for text in world.events() if "never got" in text]
    assert event.startswith("tcp 10.10.0.20:80: all servers: 900 of 1005 connections of the last")
    world.later(1)
    assert len([text for text in sample(world, *rows).events() if "never got" in text]) == 1


def test_a_server_that_is_broken_is_found_in_the_flood() -> None:
    rows = [row(n, "SYN_RECV", steadily(100)) for n in (1, 2, 3)]
    rows += [row(n, "FIN_WAIT", steadily(7)) for n in (1, 3)]
    (warning,) = told(sample(three().later(60), *rows), "never got")
    assert warning.server == rs(2)


def test_some_connections_that_fail_are_no_claim() -> None:
    few = (row(1, "FIN_WAIT", steadily(7)), row(2, "SYN_RECV", (2, 2, 2, 1, 0, 0)))
    assert not told(sample(three().later(60), *few), "never got")
    some = (*BROKEN[::2], row(2, "SYN_RECV", steadily(3)), row(2, "FIN_WAIT", steadily(5)))
    assert not told(sample(three().later(60), *some), "never got")
    alone = (row(2, "SYN_RECV", steadily(7)),)
    assert not told(sample(three().later(60), *alone), "never got")


def test_slow_traffic_is_looked_at_over_a_longer_time() -> None:
    rows = (row(1, "FIN_WAIT", steadily(0.5)), row(2, "SYN_RECV", steadily(0.5)))
    (warning,) = told(sample(three().later(60), *rows), "never got")
    assert "9 of 9 connections of the last 20 s" in warning.text


def test_a_server_that_has_just_come_in_is_not_judged_by_what_was_before() -> None:
    world = three().later(60).kernel((1, 10, 6, 40), (3, 10, 6, 40))
    world.later(1).kernel((1, 10, 6, 40), (2, 10, 0, 0), (3, 10, 6, 40))
    assert not told(sample(world.later(4), *BROKEN), "never got")
    assert told(sample(world.later(2), *BROKEN), "never got")


def test_a_drained_server_is_not_judged() -> None:
    world = three().later(60).kernel((1, 10, 6, 40), (2, 0, 6, 40), (3, 10, 6, 40))
    assert not told(sample(world.later(60), *BROKEN), "never got")


def test_one_client_proves_nothing_where_it_always_gets_the_same_server() -> None:
    world = three().kernel((1, 10, 6, 40), (2, 10, 6, 40), (3, 10, 6, 40), persistence_s=60)
    assert not told(sample(world.later(60), *BROKEN), "never got")
    many = (*BROKEN[::2], row(2, "SYN_RECV", steadily(7), clients=5))
    assert told(sample(world.later(1), *many), "never got")


def test_old_slices_do_not_speak_for_now() -> None:
    world = sample(three().later(60), *BROKEN)
    assert told(world, "never got")
    assert not told(world.later(90), "never got")


def test_slices_of_a_sweep_add_up_and_a_shorter_sweep_drops_the_rest() -> None:
    thin = tuple(row(n, s, (2, 3, 4, 0, 0, 0)) for n, s in ((1, "FIN_WAIT"), (2, "SYN_RECV")))
    world = sample(three().later(60), *thin, last=False)
    assert not told(world, "never got")
    for position in (1, 2):
        sample(world, *thin, position=position, last=position == 2)
    assert told(world, "9 of 9")
    assert not told(sample(world.later(20), *thin), "never got")


def test_packets_with_a_mark_belong_to_the_service_of_the_mark() -> None:
    mark = ServiceKey.mark(7)
    found = tuple(Destination(rs(n, 0), "DR", 10, 0, 0) for n in (1, 2))
    world = World().say(
        f.TableSeen(KernelTable((KernelService(mark, "wrr", False, None, "", found),)))
    )
    (warning,) = told(sample(world.later(60), *BROKEN[:2]), "never got")
    assert warning.service == mark


# Flows to servers that are gone


def without_rs3() -> World:
    world = World().say(HAVING).kernel((1, 10, 6, 40), (2, 10, 6, 40))
    return world.config(service(configured(1), configured(2)))


def stranded(world: World, *rows: ConnectionCount) -> list[Warning]:
    for _ in range(2):
        sample(world.later(5), *rows).picture()
    return told(world, "no longer")


def test_flows_to_a_server_that_is_gone_are_told_with_what_mends_it() -> None:
    world = without_rs3()
    established = row(3, "ESTABLISHED", (1, 1, 1, 0, 0, 7))
    sample(world, established)
    assert not told(world, "no longer")  # the table may be older than the sample
    (warning,) = stranded(world, established)
    assert warning.severity is Severity.WARN
    assert "3 connections of clients still go to 10.10.0.5:80" in warning.text
    assert "expire_nodest_conn=1" in warning.text


def test_closed_ones_and_those_of_living_servers_are_not_stranded() -> None:
    rows = (row(3, "FIN_WAIT", steadily(7)), row(1, "ESTABLISHED", steadily(7)))
    assert not stranded(without_rs3(), *rows)


def test_of_udp_only_clients_that_keep_their_port_mind() -> None:
    def udp(living: int) -> ConnectionCount:
        return ConnectionCount("udp", VIP, rs(3), "UDP", (0, 0, 0, 0, 0, 361), 8, living)

    assert not stranded(without_rs3(), udp(0))
    (warning,) = stranded(without_rs3(), udp(4))
    assert "udp 10.10.0.20:80: 4 connections of clients still go" in warning.text


def test_nothing_is_stranded_where_the_kernel_expires_it() -> None:
    world = without_rs3().say(f.SysctlsSeen((("net.ipv4.vs.expire_nodest_conn", "1"),)))
    assert not stranded(world, row(3, "ESTABLISHED", (1, 1, 1, 0, 0, 7)))


# VIPs


def with_a_vip_nowhere(state: str) -> World:
    extra = ServiceKey.of("tcp", "10.10.0.99", 80)
    world = World().say(HAVING).daemon().config(service(configured(1), key=extra))
    found = (Destination(rs(1), "DR", 10, 0, 0),)
    world.say(f.TableSeen(KernelTable((KernelService(extra, "rr", False, None, "", found),))))
    world.say(f.InstanceChanged("LB_1", state))
    return world.later(10)


def test_a_vip_that_is_nowhere_is_told_on_the_master_only() -> None:
    nowhere = f.LocalSeen((("10.10.0.99", False),))
    (warning,) = told(with_a_vip_nowhere("MASTER").say(nowhere), "on no interface")
    assert warning.severity is Severity.WARN
    assert warning.text.startswith("10.10.0.99 of tcp 10.10.0.99:80 is on no interface")
    backup = with_a_vip_nowhere("BACKUP").say(f.AddressesSeen((("eth0", "10.10.0.2", 24),)))
    assert not told(backup.say(nowhere), "on no interface")


def test_a_local_route_is_as_good_as_an_address() -> None:
    world = with_a_vip_nowhere("MASTER")
    assert not told(world, "on no interface")  # nobody has asked yet
    assert not told(world.say(f.LocalSeen((("10.10.0.99", True),))), "on no interface")


def test_a_vip_that_an_instance_brings_is_told_by_the_instance() -> None:
    world = three().say(f.AddressesSeen((("eth0", "10.10.0.2", 24),)))
    world.say(f.InstanceChanged("LB_1", "MASTER")).say(f.LocalSeen((("10.10.0.20", False),)))
    assert not told(world.later(10), "on no interface")


def test_whether_anything_marks_packets_is_not_looked_at() -> None:
    def marked(inactive: int) -> bool:
        found = (Destination(rs(1, 0), "DR", 10, 0, inactive),)
        mark = KernelService(ServiceKey.mark(7), "rr", False, None, "", found)
        picture = World().say(f.TableSeen(KernelTable((mark,)))).picture()
        return "whether anything marks packets with 7" in not_looked_at(picture)

    assert marked(0)
    # Packets that came were marked.
    assert not marked(5)


numbers = st.integers(-(2**64), 2**64)
keys = st.builds(ServerKey, st.sampled_from(["10.10.0.20", "fd00::1", "10.10.0.4"]), numbers)
rows = st.builds(
    ConnectionCount,
    st.sampled_from(["tcp", "udp", "x"]),
    keys,
    keys,
    st.sampled_from(["SYN_RECV", "ESTABLISHED", "UDP", ""]),
    st.lists(numbers, max_size=9).map(tuple),
    numbers,
    numbers,
)


@given(st.lists(st.tuples(numbers, st.booleans(), st.lists(rows, max_size=5)), max_size=5))
def test_no_recording_ends_the_judgement(
    slices: list[tuple[int, bool, list[ConnectionCount]]],
) -> None:
    world = three()
    for position, last, found in slices:
        sample(world.later(2), *found, position=position, last=last).picture()
