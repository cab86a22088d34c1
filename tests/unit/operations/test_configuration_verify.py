"""What must be seen after a reload: expected by the file, corrected by what was seen before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lvstui.keepalived.daemon.facts import Child, ConfigSeen, DaemonLook, DirectorSeen
from lvstui.keepalived.meaning.view import view
from lvstui.keepalived.text.parser import parse_bytes
from lvstui.model.ipvs import Counters
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.operations import configuration_verify as verify
from lvstui.operations.configuration_verify import Expected
from tests.unit.operations.test_configuration_rules import BASE, MORE

HEAD = """\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
"""
WEB = "TCP  0A0A0014:0050 wrr \n"
RS1, RS2 = "0A0A0003:0050", "0A0A0004:0050"


def row(address: str, weight: int = 10, way: str = "Route") -> str:
    return f"  -> {address}      {way}   {weight}      0          0         \n"


TABLE = HEAD + WEB + row(RS1) + row(RS2)
UP = DaemonLook(
    "lb1",
    pid=100,
    ticks=5000,
    children=(Child("checkers", 102, 5002), Child("vrrp", 101, 5001)),
    version="2.2.7",
    table=TABLE,
    addresses=(("eth0", "10.10.0.2"), ("eth0", "10.10.0.20")),
    argv=("keepalived", "-i", "lb1"),
)


def copy(text: bytes) -> bytes:
    """As keepalived keeps what it has loaded."""
    return b"# /etc/keepalived/keepalived.conf\n" + text + b"!\n"


def expected(after: bytes, before: bytes = BASE, daemon: DaemonLook = UP) -> Expected:
    old = parse_bytes(before, path="/etc/keepalived/keepalived.conf", config_id="lb1")
    new = parse_bytes(after, path="/etc/keepalived/keepalived.conf", config_id="lb1")
    seen = DirectorSeen(daemon, ConfigSeen(old, view(old)), True, view(old))
    return Expected(seen, view(new), view(old))


def wrong(wanted: Expected, now: DaemonLook, text: bytes | None = None) -> list[str]:
    if text is not None:
        now = replace(now, loaded=copy(text))
    return [f"{v.what}: {v.seen}" for v in verify.look_back(wanted, now) if not v.ok]


def test_all_as_planned() -> None:
    less = BASE.replace(b"weight 10", b"weight 5", 1)
    now = replace(UP, table=HEAD + WEB + row(RS1, 5) + row(RS2))
    assert wrong(expected(less), now, less) == []
    assert len(verify.look_back(expected(less), replace(now, loaded=copy(less)))) == 4


def test_the_old_file_is_still_loaded() -> None:
    less = BASE.replace(b"weight 10", b"weight 5", 1)
    found = wrong(expected(less), UP, BASE)
    assert any("another configuration loaded" in text for text in found)
    assert any("10.10.0.3:80 has weight 10, not 5" in text for text in found)


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (replace(UP, pid=0, ticks=0, children=()), "ended"),
        (replace(UP, ticks=9000), "started anew"),
        (replace(UP, children=UP.children[:1]), "vrrp process (pid 101) ended"),
        (replace(UP, children=(UP.children[0], Child("vrrp", 101, 9000))), "vrrp process died"),
    ],
    ids=["gone", "another", "child gone", "child respawned"],
)
def test_a_daemon_that_did_not_survive(now: DaemonLook, said: str) -> None:
    assert said in verify.lost(expected(BASE), now)
    assert len(wrong(expected(BASE), now, BASE)) == 1


def test_a_process_that_nothing_needs_any_more_may_end() -> None:
    routers = BASE[: BASE.index(b"virtual_server")]
    now = replace(UP, table=HEAD, children=(Child("vrrp", 101, 5001),))
    assert wrong(expected(routers), now, routers) == []


def test_who_was_down_may_stay_away_and_who_was_up_may_not() -> None:
    down = replace(UP, table=HEAD + WEB + row(RS1))
    assert wrong(expected(BASE, daemon=down), down, BASE) == []
    (said,) = wrong(expected(BASE), down, BASE)
    assert "10.10.0.4:80 is not in the pool" in said


def test_a_service_that_was_missing_before_is_no_reason_to_go_back() -> None:
    without = replace(UP, table=HEAD)
    assert wrong(expected(BASE, daemon=without), without, BASE) == []
    more = expected(BASE, before=BASE[: BASE.index(b"virtual_server")], daemon=without)
    assert any("it is not there" in text for text in wrong(more, without, BASE))
    unread = expected(BASE, daemon=replace(UP, table=""))
    assert any("it is not there" in text for text in wrong(unread, without, BASE))


def test_a_weight_set_by_hand_stays_and_one_of_the_file_comes() -> None:
    by_hand = replace(UP, table=HEAD + WEB + row(RS1) + row(RS2, 0))
    # keepalived does not rewrite what did not change.
    assert wrong(expected(BASE, daemon=by_hand), by_hand, BASE) == []
    other = BASE.replace(b"weight 10", b"weight 7")
    assert len(wrong(expected(other, daemon=by_hand), by_hand, other)) == 1


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (HEAD + WEB.replace("wrr", "rr") + row(RS1) + row(RS2), "scheduler rr, not wrr"),
        (HEAD + WEB + row(RS1, 10, "Masq") + row(RS2), "10.10.0.3:80 is NAT, not DR"),
        (HEAD, "it is not there"),
        (TABLE + row("0A0A0009:0050"), "10.10.0.9:80 is still there"),
    ],
    ids=["scheduler", "forwarding", "service", "too many"],
)
def test_a_kernel_that_is_not_as_the_file(table: str, said: str) -> None:
    found = wrong(expected(BASE), replace(UP, table=table), BASE)
    assert len(found) == 1
    assert said in found[0]


def test_what_was_foreign_before_is_not_this_changes_doing() -> None:
    foreign = replace(UP, table=TABLE + row("0A0A0009:0050"))
    assert wrong(expected(BASE, daemon=foreign), foreign, BASE) == []


def test_a_service_that_goes_must_go() -> None:
    routers = BASE[: BASE.index(b"virtual_server")]
    (said,) = wrong(expected(routers), UP, routers)
    assert "still in the kernel" in said


def test_vips_stay_at_the_master_and_new_ones_come() -> None:
    assert len(wrong(expected(MORE, BASE), UP, MORE)) == 1
    more = replace(UP, addresses=(*UP.addresses, ("eth0", "10.10.0.21")))
    assert wrong(expected(MORE, BASE), more, MORE) == []
    assert "VIP 10.10.0.21 gone" in wrong(expected(BASE, MORE, more), more, BASE)[0]
    lost = replace(UP, addresses=UP.addresses[:1])
    assert "missing: 10.10.0.20" in wrong(expected(BASE), lost, BASE)[0]


def test_a_backup_takes_nothing() -> None:
    backup = replace(UP, addresses=UP.addresses[:1])
    assert wrong(expected(BASE, daemon=backup), backup, BASE) == []
    assert "has taken" in wrong(expected(BASE, daemon=backup), UP, BASE)[0]
    # A VIP on the loopback (a director that serves, too) is not held.
    looped = replace(backup, addresses=(*backup.addresses, ("lo", "10.10.0.20")))
    assert wrong(expected(BASE, daemon=backup), looped, BASE) == []


def test_each_vip_at_exactly_one_director() -> None:
    other = replace(UP, host="lb2", addresses=(("eth0", "10.10.0.9"),))
    pair = [expected(BASE), expected(BASE, daemon=other)]
    assert all(v.ok for v in verify.together(pair, [UP, other]))
    twice = replace(other, addresses=UP.addresses)
    (split,) = verify.together(pair, [UP, twice])
    assert (split.ok, split.seen) == (False, "lb1 and lb2")
    (nobody,) = verify.together(pair, [replace(UP, addresses=()), other])
    assert (nobody.ok, nobody.seen) == (False, "nobody has it")
    assert verify.together(pair[:1], [UP]) == ()


def test_how_long_to_look() -> None:
    less = BASE.replace(b"weight 10", b"weight 5", 1)
    assert verify.watch_s(expected(less)) == verify.SHORTEST_S
    assert verify.watch_s(expected(MORE)) > 4
    alpha = BASE.replace(
        b"    real_server 10.10.0.4 80 {",
        b"    alpha\n    delay_loop 20\n    real_server 10.10.0.9 80 {\n        TCP_CHECK {\n"
        b"            connect_timeout 4\n        }\n    }\n    real_server 10.10.0.4 80 {",
    )
    assert 24 <= verify.patience_s(expected(alpha)) <= 30
    assert verify.patience_s(expected(less)) < 10
    assert verify.patience_s(expected(alpha.replace(b"loop 20", b"loop 900"))) <= verify.LONGEST_S


ALPHA = BASE.replace(
    b"    real_server 10.10.0.4 80",
    b"    alpha\n    real_server 10.10.0.6 80 { # rs9\n        weight 10\n"
    b"        TCP_CHECK { connect_timeout 2 }\n    }\n    real_server 10.10.0.4 80",
)


def test_a_new_server_comes_by_its_first_check_or_the_change_goes_back() -> None:
    """Until the operator insists: then it may stay away."""
    wanted = expected(ALPHA)
    (told,) = verify.on_proof(wanted)
    assert told.startswith("TCP_CHECK of rs9 (10.10.0.6:80) in tcp 10.10.0.20:80 succeeds within ")
    assert told.endswith(f" {verify.patience_s(wanted):.0f} s")
    said = "10.10.0.6:80 is not in the pool (TCP_CHECK)"
    assert any(said in text for text in wrong(wanted, UP, ALPHA))
    assert wrong(replace(wanted, unchecked=True), UP, ALPHA) == []
    # Only of those: whoever served before has to be there.
    gone = replace(UP, table=HEAD + WEB + row(RS1))
    assert any(
        "10.10.0.4:80 is not in the pool" in text
        for text in wrong(replace(wanted, unchecked=True), gone, ALPHA)
    )
    assert verify.on_proof(expected(BASE)) == ()


def test_replies_prove_nat() -> None:
    nat = BASE.replace(b"lb_kind DR", b"lb_kind NAT")
    service, server = ServiceKey.parse("tcp 10.10.0.20:80"), ServerKey("10.10.0.3", 80)
    assert (service, server) in verify.becomes_nat(expected(nat))
    assert verify.becomes_nat(expected(nat, nat)) == ()

    def proof(connections: int, came: int, went: int) -> bool:
        first = Counters(connections=7, packets_in=70, packets_out=70)
        last = Counters(connections=7 + connections, packets_in=70 + came, packets_out=70 + went)
        return verify.replies("lb1", service, server, first, last).ok

    assert proof(10, 60, 50)
    assert not proof(10, 60, 0)
    assert not proof(40, 90, 2), "stray packets are no answers"
    assert proof(0, 0, 0), "without traffic nothing is said"
    assert proof(0, 50, 0), "old connections go on as they were"
