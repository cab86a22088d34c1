"""keepalived stopped, started, reloaded, killed: what is said of a server afterwards.

Each story is told twice: to a console that sees it happen, and to one that starts afterwards and
reads the same log back, in whatever order its sources come.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest

from lvstui.model import facts as f
from lvstui.model.config import Configuration, ConfiguredChecker, ConfiguredInstance
from lvstui.model.ipvs import KernelTable
from lvstui.model.picture import Severity, State
from lvstui.model.vrrp import InstanceSeen, InstanceStats
from tests.unit.world import CHECK, INSTANCE, T0, WEB, World, configured, rs, service

STOP, START, NOW = T0 + 100, T0 + 104.5, T0 + 160
POOL = service(
    configured(1),  # no alpha, which is keepalived's default: a start logs nothing of it
    configured(2, checkers=()),
    configured(3, alpha=True),
)
FULL = ((1, 10, 3, 4), (2, 10, 3, 4), (3, 10, 3, 4))
EXPECTED = [State.UP, State.UNVERIFIED, State.UP]
"""Without a check nobody knows of rs2; it takes its connections all the same."""


def said(at: float, fact: f.Fact, past: bool = False) -> f.Observation:
    return f.Observation(at, "lb1", "log", fact, past=past)


def lines(stop: str = "stopped") -> list[f.Observation]:
    """The log of an orderly stop and start: whole seconds, as syslog stamps them."""
    return [
        said(T0 - 900, f.CheckSeen(True, "TCP_CHECK", "success", rs(1))),
        said(T0 - 900, f.ServerChanged(WEB, rs(3), True, "added")),
        said(STOP, f.DaemonSaid("stop", "Stopping")),
        *(said(STOP, f.ServerChanged(WEB, rs(n), False, stop)) for n in (1, 2, 3)),
        said(int(START), f.DaemonSaid("start", "Starting Keepalived")),
        said(int(START), f.CheckSeen(True, "TCP_CHECK", "success", rs(3))),
        said(int(START), f.ServerChanged(WEB, rs(3), True, "added")),
    ]


def states(world: World) -> list[State]:
    return [world.server(number).state for number in (1, 2, 3)]


def running(world: World, pid: int, started: float) -> None:
    roles = (("vrrp", pid + 1), ("checkers", pid + 2))
    began = (("vrrp", started), ("checkers", started + 0.2))
    world.say(f.DaemonSeen(True, "2.2.7", pid, roles, started, began))


def tell(world: World, seen: Iterable[f.Observation]) -> None:
    for observation in seen:
        world.known.learn(observation)


@pytest.mark.parametrize("stop", ["stopped", "removed", "fifo"])
def test_servers_are_what_they_were_after_an_orderly_restart(stop: str) -> None:
    """`removed` is what keepalived 1.x says at its end, `fifo` what its notify fifo says."""
    world = World().config(POOL)
    running(world, 100, T0 - 1000)
    world.kernel(*FULL)
    before, after = lines(stop)[:2], lines(stop)[2:]
    tell(world, before)
    assert states(world) == EXPECTED
    world.now = STOP
    tell(world, after[:4])
    world.say(f.TableSeen(KernelTable(())))
    world.daemon(running=False)
    assert world.server(1).reason == "keepalived is not running: nobody puts it in the table"
    world.now = START + 1
    running(world, 200, START)
    world.config(POOL)
    tell(world, after[4:])
    world.kernel(*FULL)
    world.now = NOW
    assert states(world) == EXPECTED
    assert world.picture().services[0].severity is Severity.INFO
    assert world.server(1).weights.keepalived == 10


@pytest.mark.parametrize("stop", ["stopped", "removed", "fifo"])
@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_a_new_run_after_a_restart_says_the_same(order: tuple[int, ...], stop: str) -> None:
    world = World()
    world.now = NOW
    sources = (
        lambda: tell(world, lines(stop)),
        lambda: running(world, 200, START),
        lambda: world.config(POOL),
        lambda: world.kernel(*FULL),
    )
    for number in order:
        sources[number]()
    assert states(world) == EXPECTED
    assert not any(server.reason.startswith("keepalived says") for server in (world.server(1),))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize(("written", "told"), [(START + 20, 30), (START - 20, None)])
def test_a_dump_of_this_run_says_the_same_whenever_the_daemon_is_seen(
    written: float, told: int | None, order: tuple[int, ...]
) -> None:
    seen = InstanceSeen("LB_1", "MASTER", stats=InstanceStats(adverts_sent=30))
    world = World()
    world.now = NOW
    sources = (
        lambda: tell(world, [f.Observation(written, "lb1", "dump", f.InstancesSeen((seen,)))]),
        lambda: running(world, 200, START),
        lambda: world.config(POOL),
    )
    for number in order:
        sources[number]()
    (instance,) = world.picture().instances
    assert (instance.stats and instance.stats.adverts_sent) == told


def test_a_restart_that_nobody_saw_stop() -> None:
    world = World().config(POOL)
    running(world, 100, T0 - 1000)
    world.kernel(*FULL)
    tell(world, lines("removed")[:6])
    running(world, 200, START)
    world.now = NOW
    tell(world, lines()[6:])
    assert states(world) == EXPECTED


def test_checks_that_begin_anew_do_not_speak_for_those_before() -> None:
    """The checker died alone: its parent starts another one, which puts everything in."""
    world = World().config(POOL)
    running(world, 100, T0 - 1000)
    world.kernel((1, 10, 3, 4))
    tell(world, [said(T0, f.ServerChanged(WEB, rs(2), False, "removed"))])
    began = (("vrrp", T0 - 1000), ("checkers", T0 + 50))
    world.say(f.DaemonSeen(True, "2.2.7", 100, (("vrrp", 101), ("checkers", 300)), T0, began))
    world.kernel(*FULL)
    world.now = NOW
    assert states(world) == EXPECTED


def test_killed_and_looked_at_anew() -> None:
    """The table stays; the words of the dead one say nothing of it any more."""
    world = World()
    world.now = NOW
    tell(world, lines("removed")[:6])
    world.config(POOL, loaded=False).daemon(running=False).kernel(*FULL)
    assert states(world) == [State.UNVERIFIED] * 3
    assert "not running" in world.server(1).reason
    (first, *_) = world.picture().warnings
    assert first.severity is Severity.BAD
    assert first.text.startswith("keepalived is not running")


def test_a_server_that_failed_after_the_start_is_down() -> None:
    world = World().config(POOL)
    world.now = NOW
    running(world, 200, START)
    tell(world, lines())
    tell(
        world,
        [
            said(NOW - 9, f.CheckSeen(False, "TCP_CHECK", "refused", rs(1))),
            said(NOW - 9, f.ServerChanged(WEB, rs(1), False, "removed")),
        ],
    )
    world.kernel(*FULL[1:])
    assert (world.server(1).state, world.server(1).reason) == (State.DOWN, "TCP_CHECK: refused")


def test_a_server_that_never_came_in_is_down_with_what_its_check_says() -> None:
    """With alpha nothing is removed, so no such line tells of it."""
    world = World().config(POOL)
    world.now = NOW
    running(world, 200, START)
    tell(world, [said(START + 1, f.CheckSeen(False, "TCP_CHECK", "timeout", rs(3)))])
    world.kernel(*FULL[:2])
    assert (world.server(3).state, world.server(3).reason) == (State.DOWN, "TCP_CHECK: timeout")


def test_a_server_without_a_check_that_is_missing_was_taken_out() -> None:
    world = World().config(POOL)
    world.now = NOW
    running(world, 200, START)
    world.kernel(FULL[0], FULL[2])
    assert (world.server(2).state, world.server(2).differs[0].by) == (State.DOWN, "somebody")
    assert "by hand?" in world.server(2).reason


def test_a_reason_is_not_older_than_the_last_success() -> None:
    world = World().config(POOL)
    running(world, 100, T0 - 1000)
    world.kernel(*FULL)
    failed = said(T0 + 50, f.CheckSeen(False, "TCP_CHECK", "refused", rs(1)))
    success = said(T0 + 60, f.CheckSeen(True, "TCP_CHECK", "success", rs(1)))
    tell(world, [failed, success, said(STOP, f.ServerChanged(WEB, rs(1), False, "removed"))])
    world.say(f.TableSeen(KernelTable(())))
    world.daemon(running=False)
    world.now = NOW
    assert world.server(1).reason == "keepalived is not running: nobody puts it in the table"
    assert not any("refused" in text and "removed" in text for text in world.events())


def test_one_of_two_checks_that_succeeds_leaves_the_other_ones_reason() -> None:
    both = (CHECK, ConfiguredChecker("HTTP_GET", "GET /"))
    world = World().config(service(configured(1, checkers=both), configured(2)))
    running(world, 100, T0 - 1000)
    tell(
        world,
        [
            said(T0, f.CheckSeen(False, "HTTP_GET", "status 503", rs(1))),
            said(T0 + 1, f.CheckSeen(False, "TCP_CHECK", "refused", rs(1))),
            said(T0 + 1, f.ServerChanged(WEB, rs(1), False, "removed")),
        ],
    )
    world.kernel((2, 10, 0, 0)).later(5)
    assert world.server(1).reason == "TCP_CHECK: refused"
    tell(world, [said(T0 + 5, f.CheckSeen(True, "TCP_CHECK", "success", rs(1)))])
    assert world.server(1).reason == "HTTP_GET: status 503"


def test_put_back_into_the_file_after_it_was_taken_out() -> None:
    """A reload removes it in the words of a failure, another one puts it in without a word."""
    world = World().config(POOL)
    world.now = NOW
    running(world, 100, T0 - 1000)
    world.kernel(*FULL)
    tell(
        world,
        [
            said(T0, f.DaemonSaid("reload", "Reloading ...")),
            said(T0, f.ServerChanged(WEB, rs(1), False, "removed")),
            said(T0 + 20, f.DaemonSaid("reload", "Reloading ...")),
        ],
    )
    assert states(world) == EXPECTED


def test_put_back_by_hand_while_its_check_fails_is_no_server_that_is_up() -> None:
    world = World().config(POOL)
    world.now = NOW
    running(world, 100, T0 - 1000)
    world.kernel(*FULL)
    tell(
        world,
        [
            said(T0, f.CheckSeen(False, "TCP_CHECK", "refused", rs(1))),
            said(T0, f.ServerChanged(WEB, rs(1), False, "removed")),
        ],
    )
    assert world.server(1).state is State.UNVERIFIED
    assert [one.what for one in world.server(1).differs] == ["check"]
    tell(world, [said(T0 + 20, f.DaemonSaid("reload", "Reloading ..."))])
    server = world.server(1)
    assert server.state is State.UNVERIFIED
    assert "before its last reload keepalived said down (TCP_CHECK: refused)" in server.reason


# -- instances


def names(world: World) -> list[str]:
    return [instance.name for instance in world.picture().instances]


def old_words(at: float) -> list[f.Observation]:
    return [
        said(at, f.InstanceChanged("OLD", "MASTER", 150)),
        said(at, f.InstancesSeen((InstanceSeen("OLD", "MASTER", "eth0", 51),))),
        said(at, f.PriorityChanged("OLD", 150, 152)),
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_an_instance_that_is_not_loaded_does_not_exist(order: tuple[int, ...]) -> None:
    world = World()
    world.now = NOW
    sources = (
        lambda: tell(world, old_words(NOW - 30)),
        lambda: running(world, 200, START),
        lambda: world.config(POOL),
    )
    for number in order:
        sources[number]()
    assert names(world) == ["LB_1"]
    assert world.picture().warnings == ()


def test_where_the_loaded_configuration_cannot_be_read_words_since_the_reload_count() -> None:
    world = World().config(POOL, loaded=False)
    world.now = NOW
    running(world, 200, T0 - 1000)
    tell(world, old_words(T0 - 500))
    assert names(world) == ["LB_1", "OLD"]
    tell(world, [said(T0, f.DaemonSaid("reload", "Reloading ..."))])
    assert names(world) == ["LB_1"]


def test_words_of_a_daemon_that_is_gone_are_no_words_about_its_successor() -> None:
    world = World().config(POOL)
    world.now = NOW
    tell(world, [said(T0, f.PriorityChanged("LB_1", 150, 152))])
    running(world, 200, START)
    tell(world, [said(T0, f.InstanceChanged("LB_1", "FAULT"))])
    (instance,) = world.picture().instances
    assert (instance.state, instance.priority) == ("unknown", 150)


def test_a_renamed_instance_takes_the_place_of_the_old_one() -> None:
    world = World().config(POOL)
    running(world, 100, T0 - 1000)
    tell(world, [said(T0, f.InstanceChanged("LB_1", "MASTER", 150))])
    assert names(world) == ["LB_1"]
    renamed = ConfiguredInstance("NEW", "eth0", 51, priority=150, vips=INSTANCE.vips)
    for loaded in (False, True):
        world.say(f.ConfigurationSeen(Configuration((POOL,), (renamed,), digest="n"), loaded))
    assert names(world) == ["NEW"]
