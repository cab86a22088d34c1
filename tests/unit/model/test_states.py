"""The state of a real server, from what file, keepalived and kernel say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lvstui.model import facts as f
from lvstui.model.config import ConfiguredChecker, Place
from lvstui.model.ipvs import KernelTable
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.picture import Severity, State, Weights, weight_mark
from lvstui.model.states import brief
from tests.unit.world import T0, WEB, World, configured, rs, service, three


def removed(number: int, how: str = "removed") -> f.ServerChanged:
    return f.ServerChanged(WEB, rs(number), False, how)


def refused(number: int) -> f.CheckSeen:
    return f.CheckSeen(False, "TCP_CHECK", "connection refused", rs(number))


def test_all_up() -> None:
    picture = three().picture()
    web = picture.services[0]
    assert [server.state for server in web.servers] == [State.UP] * 3
    assert (web.up, web.quorum_ok, web.severity, web.reason) == (3, True, Severity.GOOD, "")
    assert [server.share_of_weight for server in web.servers] == pytest.approx([1 / 3] * 3)
    assert picture.warnings == ()


def test_removed_by_keepalived_stays_visible_with_the_reason() -> None:
    world = three()
    world.later(5).say(refused(3)).later(0.01).say(removed(3))
    world.kernel((1, 10, 6, 40), (2, 10, 6, 40)).later(180)
    server = world.server(3)
    assert server.state is State.DOWN
    assert server.reason == "TCP_CHECK: connection refused"
    assert server.since == pytest.approx(T0 + 5.01)
    assert (server.weights.file, server.weights.keepalived, server.weights.kernel) == (
        10,
        None,
        None,
    )
    assert not server.in_kernel
    assert server.checks[0].message == "connection refused"


def test_the_reason_may_come_just_after_the_removal() -> None:
    world = three().say(removed(3)).later(0.2).say(refused(3))
    assert world.server(3).reason == "TCP_CHECK: connection refused"


def test_an_old_failure_is_no_reason() -> None:
    world = three().say(refused(3)).later(500).say(removed(3)).kernel((1, 10, 0, 0))
    assert world.server(3).reason == "keepalived took it out"


def test_back_again() -> None:
    world = three().say(refused(3)).say(removed(3)).kernel((1, 10, 0, 0), (2, 10, 0, 0))
    assert world.server(3).state is State.DOWN
    world.later(9).say(f.ServerChanged(WEB, rs(3), True, "added"))
    world.kernel((1, 10, 0, 0), (2, 10, 0, 0), (3, 10, 0, 0))
    server = world.server(3)
    assert (server.state, server.reason) == (State.UP, "")


def test_failed_with_inhibit_is_down_not_drained() -> None:
    world = three().config(service(configured(1), configured(2, inhibit_on_failure=True)))
    world.say(refused(2)).say(removed(2, "disabled")).kernel((1, 10, 0, 0), (2, 0, 3, 4))
    assert world.server(2).state is State.DOWN


def test_weight_zero_with_inhibit_and_no_word_of_keepalived_is_not_guessed() -> None:
    world = World().daemon().config(service(configured(1), configured(2, inhibit_on_failure=True)))
    world.kernel((1, 10, 0, 0), (2, 0, 0, 0))
    server = world.server(2)
    assert server.state is State.UNVERIFIED
    assert "drained or failed" in server.reason


def test_drained_by_an_operator_counts_down() -> None:
    world = three().later(10)
    world.say(
        f.Done("drain", "alice", "alice drains rs2", WEB, rs(2), 10, 0, "disk swap", "1")
    ).kernel((1, 10, 6, 40), (2, 0, 40, 0), (3, 10, 6, 40))
    server = world.server(2)
    assert server.state is State.DRAINING
    assert server.reason == "40 left; drained by alice, “disk swap”"
    world.later(10).kernel((1, 10, 6, 40), (2, 0, 20, 0), (3, 10, 6, 40))
    server = world.server(2)
    assert server.drain_left_s == pytest.approx(10)
    assert server.reason.startswith("20 left, about 10 s")
    world.later(10).kernel((1, 10, 6, 40), (2, 0, 0, 0), (3, 10, 6, 40))
    assert world.server(2).state is State.DRAINED
    (warning,) = world.picture().warnings
    assert "kernel weight 0, file 10" in warning.text
    assert "alice" in warning.text
    assert "undoes it" in warning.text


def test_drained_outside_lvstui() -> None:
    world = three().later(10).kernel((1, 10, 0, 0), (2, 0, 5, 0), (3, 10, 0, 0))
    assert world.server(2).reason == "5 left; weight 0 in the kernel, set outside lvstui"


def test_a_flap_that_undoes_a_drain_is_seen() -> None:
    world = three().say(f.Done("drain", "alice", "x", WEB, rs(2), 10, 0))
    world.kernel((1, 10, 0, 0), (2, 0, 5, 0), (3, 10, 0, 0)).later(60)
    world.kernel((1, 10, 0, 0), (2, 10, 5, 0), (3, 10, 0, 0)).later(5)
    assert world.server(2).state is State.UP
    assert any("0 → 10, not by this lvstui" in text for text in world.events())


def test_disabled_in_the_file() -> None:
    world = three().config(service(configured(1), configured(2, weight=0)))
    server = world.kernel((1, 10, 0, 0), (2, 0, 5, 0)).server(2)
    assert (server.state, server.reason) == (State.DISABLED, "weight 0 in the file (line 12)")


def test_foreign() -> None:
    world = three().kernel((1, 10, 0, 0), (9, 1, 0, 0))
    server = world.server(9)
    assert (server.state, server.reason) == (State.FOREIGN, "in the kernel, in no file")


def test_a_weight_that_nobody_configured_is_marked_with_who_gave_it() -> None:
    world = three().kernel((1, 5, 0, 0))
    server = world.server(1)
    assert (server.state, server.reason) == (State.UP, "somebody: kernel weight 5, configured 10")
    assert [(one.what, one.by) for one in server.differs] == [("weight", "somebody")]
    assert weight_mark(server) == "5"
    assert world.picture().services[0].severity is Severity.WARN
    done = f.Done("weight", "alice", "alice: 10 → 5", WEB, rs(1), 10, 5)
    assert [one.by for one in world.say(done).server(1).differs] == ["alice"]
    assert [one.by for one in world.kernel((1, 4, 0, 0)).server(1).differs] == ["somebody"]


def test_a_weight_that_keepalived_gave_is_no_disagreement() -> None:
    world = three().say(f.WeightChanged(WEB, rs(1), 10, 118)).kernel((1, 118, 0, 0))
    server = world.server(1)
    assert (server.state, server.reason, server.differs) == (State.UP, "", ())
    assert server.weights == Weights(10, 118, 118)
    by_hand = world.kernel((1, 7, 0, 0)).server(1)
    assert by_hand.reason == "somebody: kernel weight 7, keepalived gave it 118"
    world.later(60).say(f.DaemonSaid("reload", "Reloading ..."))
    assert world.kernel((1, 10, 0, 0)).server(1).differs == ()


def test_a_check_that_sets_weights_may_have_set_any() -> None:
    script = ConfiguredChecker("MISC_CHECK", "/etc/load", sets_weight=True)
    world = three().config(service(configured(1, checkers=(script,))))
    assert world.kernel((1, 118, 0, 0)).server(1).differs == ()
    assert world.kernel((1, 0, 0, 0)).server(1).reason.endswith("sets weights or by hand")


def test_what_the_service_itself_is_in_the_kernel() -> None:
    world = three().config(service(configured(1), scheduler="wlc", persistence_s=50))
    (web,) = world.kernel((1, 10, 0, 0)).picture().services
    assert [str(one) for one in web.differs] == [
        "somebody: scheduler is wrr, configured wlc",
        "somebody: persistence is none, configured 50 s",
    ]
    assert web.severity is Severity.WARN
    assert [w.severity for w in world.picture().warnings] == [Severity.WARN] * 2


def test_a_server_that_reached_its_threshold_is_overloaded_until_it_fell() -> None:
    world = three().config(service(configured(1, upper_threshold=40))).later(60)
    assert world.kernel((1, 10, 30, 9)).server(1).state is State.UP
    server = world.kernel((1, 10, 30, 10)).server(1)
    assert (server.state, server.reason) == (
        State.OVERLOADED,
        "40 connections, upper threshold reached: it gets no new ones",
    )
    assert world.kernel((1, 10, 30, 0)).server(1).state is State.OVERLOADED
    assert world.kernel((1, 10, 29, 0)).server(1).state is State.UP


def test_words_about_a_group_are_words_about_its_members() -> None:
    other = ServiceKey.of("tcp", "10.10.0.21", 80)
    group = ServiceKey("tcp", "", 0)
    one = service(configured(1), configured(2), group="web")
    world = World().daemon()
    world.say(f.ServerChanged(group, rs(2), False, "removed", service_name="web"))
    world.config(one, replace(one, key=other)).kernel((1, 10, 0, 0))
    assert world.server(2).state is State.DOWN
    assert world.server(2).reason == "keepalived took it out"
    there = world.picture().server(other, rs(2))
    assert there is not None
    assert there.reason == "keepalived took it out"
    texts = [event.text for event in world.later(2).picture().events]
    assert "10.10.0.4:80 down → removed from group web" in texts


def test_hysteresis_holds_the_quorum_both_ways() -> None:
    sorry = ServerKey("10.10.0.99", 80)
    kept = service(configured(1), configured(2), quorum=15, hysteresis=5, sorry_server=sorry)
    world = three().config(kept)
    assert world.kernel((1, 10, 0, 0)).picture().services[0].quorum_ok
    both = world.kernel((1, 10, 0, 0), (97, 1, 0, 0)).picture().services[0]
    assert not both.quorum_ok
    assert both.sorry_active


def test_file_edited_but_not_reloaded() -> None:
    world = three().config(service(configured(1, weight=20), configured(4)), loaded=False)
    assert world.server(1).reason == "loaded weight 10, file 20: not reloaded"
    assert "not loaded" in world.server(4).reason
    assert "gone from the file" in world.server(2).reason
    assert world.picture().daemon.loaded_is_file is False
    assert any("was not reloaded" in w.text for w in world.picture().warnings)


def test_forwarding_that_became_nat() -> None:
    world = three().config(service(configured(1, forwarding="NAT")))
    assert world.later(60).server(1).reason == "somebody: kernel forwards by DR, configured NAT"


def test_unverified_until_the_checks_had_time_to_speak() -> None:
    world = World().daemon(started=T0 - 1).config(service(configured(1)))
    world.kernel((1, 10, 0, 0))
    assert world.server(1).state is State.UNVERIFIED
    assert world.later(10).server(1).state is State.UP


def test_no_check_at_all() -> None:
    world = three().config(service(configured(1, checkers=())))
    assert world.server(1).state is State.UNVERIFIED
    assert "no check is configured" in world.server(1).reason


def test_a_reload_starts_the_wait_of_new_checks_only() -> None:
    slow = ConfiguredChecker("TCP_CHECK", delay_loop_s=30, place=Place("/etc/x.conf", 3))
    moved = replace(slow, place=Place("/etc/x.conf", 9))
    world = three().config(service(configured(1, checkers=(slow,)))).kernel((1, 10, 0, 0))
    assert world.later(100).server(1).state is State.UP
    world.say(f.DaemonSaid("reloaded", "Reload complete"))
    assert world.server(1).state is State.UP
    world.config(service(configured(1, checkers=(moved,))))
    assert world.server(1).state is State.UP
    world.config(service(configured(1, checkers=(replace(slow, delay_loop_s=20),))))
    assert world.server(1).state is State.UNVERIFIED
    # A new run knows only what the log tells.
    new = World().daemon().config(service(configured(1, checkers=(slow,)))).kernel((1, 10, 0, 0))
    new.say(f.DaemonSaid("reloaded", "Reload complete"))
    assert new.server(1).state is State.UNVERIFIED
    new.say(f.CheckSeen(True, "TCP_CHECK", "success", rs(1)), T0 - 300, "log")
    assert new.kernel((1, 10, 1, 0)).server(1).state is State.UP


def test_keepalived_gone_looks_healthy_but_is_not() -> None:
    world = three().daemon(running=False)
    server = world.server(1)
    assert (server.state, server.reason) == (
        State.UNVERIFIED,
        "keepalived is not running: nobody checks it",
    )
    assert server.weights.keepalived is None
    assert world.picture().warnings[0].severity is Severity.BAD


def test_down_in_words_but_still_in_the_kernel() -> None:
    world = three().say(removed(3))
    assert world.server(3).state is State.DOWN  # the next read of the table is due
    server = world.later(5).server(3)
    assert server.state is State.UNVERIFIED
    assert [one.what for one in server.differs] == ["check"]


def test_sorry_server() -> None:
    sorry = ServerKey("10.10.0.99", 80)
    world = three().config(service(configured(1), sorry_server=sorry))
    view = world.kernel((1, 10, 0, 0)).picture().server(WEB, sorry)
    assert view is not None
    assert (view.sorry, view.state, view.reason) == (
        True,
        State.STANDBY,
        "sorry server: waits until the quorum is lost",
    )
    assert world.picture().services[0].pool == 1


def test_quorum_and_nobody_left() -> None:
    world = three().config(service(configured(1), configured(2), quorum=15))
    assert (
        world.kernel((1, 10, 0, 0)).picture().services[0].reason == "quorum lost: weight 10 of 15"
    )
    web = world.kernel().picture().services[0]
    assert web.severity is Severity.BAD
    assert not web.quorum_ok


def test_no_table_no_root() -> None:
    world = World().daemon().config(service(configured(1)))
    world.say(f.Missing("proc", "this kernel has no IPVS", "modprobe ip_vs"))
    picture = world.picture()
    assert picture.ready
    assert not picture.table_readable
    assert picture.gaps[0].remedy == "modprobe ip_vs"
    assert world.server(1).state is State.UNVERIFIED


def test_the_check_that_failed_is_said_also_without_keepalived() -> None:
    world = three().say(refused(3)).say(removed(3)).kernel((1, 10, 0, 0), (2, 10, 0, 0))
    world.daemon(running=False)
    assert world.server(3).reason == (
        "TCP_CHECK: connection refused; keepalived is not running: nobody puts it in the table"
    )


def test_a_message_that_names_its_checker_needs_no_other_name() -> None:
    message = "HTTP_CHECK on service [10.10.0.5]:tcp:80 failed."
    world = three().say(f.CheckSeen(False, "HTTP_GET", message, rs(3))).say(removed(3))
    assert world.kernel((1, 10, 0, 0)).server(3).reason == "HTTP_CHECK failed"


def test_the_address_in_parentheses_is_left_out_too() -> None:
    message = "DNS_CHECK ([10.10.0.5]:udp:53) failed to read socket; errno 111 (Connection refused)"
    assert brief(message) == "DNS_CHECK failed to read socket; errno 111 (Connection refused)"


def test_a_services_count_is_that_of_its_rows() -> None:
    world = three().daemon(running=False)
    web = world.picture().services[0]
    assert (web.up, web.quorum_ok, web.reason) == (0, True, "3 unverified")


def test_what_was_cleared_behind_keepalived_is_no_failed_check() -> None:
    world = three()
    for number in (1, 2, 3):
        world.say(f.ServerChanged(WEB, rs(number), True, "added"), at=T0 - 600)
    world.later(60).say(f.TableSeen(KernelTable(())))
    web = world.picture().services[0]
    assert [server.state for server in web.servers] == [State.DOWN] * 3
    assert [server.differs[0].what for server in web.servers] == ["entry"] * 3
    assert "A restart of keepalived puts it back" in web.servers[0].reason
    assert web.severity is Severity.BAD
    assert web.reason.startswith("not in the kernel table: removed by hand?")


def test_one_server_taken_out_by_hand() -> None:
    world = three().say(f.ServerChanged(WEB, rs(3), True, "added"), at=T0 - 600)
    server = world.later(60).kernel((1, 10, 0, 0), (2, 10, 0, 0)).server(3)
    assert (server.state, server.differs[0].by) == (State.DOWN, "somebody")
    assert server.reason.startswith("keepalived has it, the kernel does not: removed by hand?")


def test_just_put_in_and_not_yet_in_the_table() -> None:
    world = three().say(removed(3)).kernel((1, 10, 0, 0), (2, 10, 0, 0)).later(60)
    world.say(f.ServerChanged(WEB, rs(3), True, "added"))
    assert world.server(3).state is State.UNVERIFIED


def test_a_service_that_is_gone_is_warned_of_once() -> None:
    world = three()
    for number in (1, 2, 3):
        world.say(f.ServerChanged(WEB, rs(number), True, "added"), at=T0 - 600)
    warnings = world.later(60).say(f.TableSeen(KernelTable(()))).picture().warnings
    assert [warning.id for warning in warnings] == [f"service {WEB}"]
