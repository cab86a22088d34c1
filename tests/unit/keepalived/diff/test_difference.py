"""Differences in the operator's terms: each kind, worst first, none silent, no secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvstui.keepalived.diff import Difference, Impact, difference
from lvstui.keepalived.meaning.view import view
from lvstui.keepalived.text.parser import parse_bytes
from lvstui.keepalived.text.tree import Tree

DATA = Path(__file__).parents[3] / "data" / "keepalived"

BASE = """\
global_defs {
  router_id LVS
  vrrp_version 2
}
vrrp_script chk {
  script "/bin/check --token abc"
  interval 2
  weight -20
}
vrrp_instance LB_1 {
  state BACKUP
  interface eth0
  virtual_router_id 51
  priority 150
  advert_int 1
  authentication {
    auth_type PASS
    auth_pass Zq9one
  }
  virtual_ipaddress {
    10.10.0.20/24
    10.10.0.21/24
  }
  track_script {
    chk
  }
  notify_master "/bin/n master"
  garp_master_delay 5
}
vrrp_instance LB_2 {
  interface eth0
  virtual_router_id 52
  priority 100
  unicast_peer {
    10.10.0.2
  }
  virtual_ipaddress {
    10.10.0.30/24
  }
}
vrrp_sync_group G {
  group {
    LB_1
    LB_2
  }
}
virtual_server 10.10.0.20 80 {
  lb_algo wrr
  lb_kind DR
  protocol TCP
  quorum 1
  persistence_timeout 50
  sorry_server 10.10.0.9 80
  real_server 10.10.0.3 80 { # rs1
    weight 10
    TCP_CHECK {
      connect_timeout 3
    }
  }
  real_server 10.10.0.4 80 { # rs2
    weight 10
    uthreshold 100
    HTTP_GET {
      url {
        path /
        status_code 200
      }
    }
  }
}
virtual_server_group GR {
  10.10.0.40 80
  10.10.0.41 80
}
virtual_server group GR {
  lb_algo rr
  lb_kind DR
  protocol TCP
  real_server 10.10.0.3 80 {
    weight 1
  }
}
"""


def tree(text: str) -> Tree:
    return parse_bytes(text.encode(), "/k.conf", "lb1")


def differ(before: str, after: str, with_trees: bool = True) -> tuple[Difference, ...]:
    a, b = tree(before), tree(after)
    return difference(view(a), view(b), *((a, b) if with_trees else ()))


def changed(old: str, new: str) -> tuple[Difference, ...]:
    assert old in BASE
    return differ(BASE, BASE.replace(old, new, 1))


def said(found: tuple[Difference, ...]) -> list[tuple[str, str]]:
    return [(d.kind, d.impact.value) for d in found]


RS2 = BASE[BASE.index("  real_server 10.10.0.4") : BASE.index("}\nvirtual_server_group")]
LB_2 = BASE[BASE.index("vrrp_instance LB_2") : BASE.index("vrrp_sync_group")]

ONE = [
    ("    weight 10\n", "    weight 0\n", "weight", "moves"),
    (RS2, "", "server-removed", "cuts"),
    ("  lb_kind DR\n", "  lb_kind NAT\n", "forwarding", "cuts"),
    ("lb_algo wrr", "lb_algo wlc", "scheduler", "moves"),
    ("persistence_timeout 50", "persistence_timeout 60", "persistence", "moves"),
    ("  protocol TCP", "  protocol UDP", "protocol", "cuts"),
    ("  quorum 1", "  quorum 2", "quorum", "watches"),
    ("uthreshold 100", "uthreshold 90", "threshold", "watches"),
    ("sorry_server 10.10.0.9", "sorry_server 10.10.0.8", "sorry-server", "moves"),
    ("connect_timeout 3", "connect_timeout 4", "checker-changed", "watches"),
    ("path /\n", "path /new\n", "checker-changed", "watches"),
    ("status_code 200", "status_code 204", "line", "watches"),
    ("    uthreshold 100\n", "    uthreshold 100\n    alpha\n", "alpha", "watches"),
    ("    weight 10\n", "    weight 10\n    inhibit_on_failure\n", "inhibit", "watches"),
    ("priority 150", "priority 90", "priority", "moves"),
    ("  state BACKUP", "  state MASTER", "state", "watches"),
    ("virtual_router_id 51", "virtual_router_id 53", "vrid", "cuts"),
    ("  interface eth0", "  interface eth1", "interface", "cuts"),
    ("advert_int 1", "advert_int 2", "advert-interval", "cuts"),
    ("auth_pass Zq9one", "auth_pass Zq9two", "auth", "cuts"),
    ("    auth_pass Zq9one\n", "", "auth", "cuts"),
    ("    10.10.0.21/24\n", "", "vip-removed", "cuts"),
    ("    10.10.0.21/24\n", "    10.10.0.21/24\n    10.10.0.22/24\n", "vip-added", "moves"),
    ("    10.10.0.21/24\n", "    10.10.0.21/25\n", "vip-changed", "moves"),
    (
        "    10.10.0.20/24\n    10.10.0.21/24\n",
        "    10.10.0.21/24\n    10.10.0.20/24\n",
        "vip-order",
        "watches",
    ),
    ("    10.10.0.21/24\n", "    10.10.0.21/24\n    10.10.0.21/24\n", "vip-count", "moves"),
    ("    10.10.0.2\n", "    10.10.0.5\n", "unicast-peer-removed", "cuts"),
    ("  track_script {\n    chk\n  }\n", "", "tracking", "moves"),
    ('notify_master "/bin/n master"', 'notify_master "/bin/m master"', "notify", "watches"),
    ('notify_master "/bin/n master"', 'notify_master "/bin/n Zq9arg"', "line", "watches"),
    ("garp_master_delay 5", "garp_master_delay 9", "line", "watches"),
    ("  weight -20", "  weight -30", "tracked-weight", "moves"),
    ("  interval 2", "  interval 3", "tracked", "watches"),
    ("    LB_2\n", "", "sync-group", "moves"),
    ("router_id LVS", "router_id LVS2", "global", "watches"),
    ("vrrp_instance LB_2", "vrrp_instance LB_3", "instance-renamed", "watches"),
    (LB_2, "", "instance-removed", "cuts"),
    ("global_defs {\n", "net_namespace red\nglobal_defs {\n", "needs-restart", "cuts"),
    ("  router_id LVS\n", "  router_id LVS\n  nftables foo\n", "needs-restart", "cuts"),
    ("    weight 1\n", "", "line", "watches"),
    ("  10.10.0.41 80\n", "", "service-removed", "cuts"),
    ("  lb_algo rr\n", "  lb_algo rr\n  bogus Zq9x\n", "line", "watches"),
]


@pytest.mark.parametrize(
    ("old", "new", "kind", "impact"), ONE, ids=[f"{i}-{row[2]}" for i, row in enumerate(ONE)]
)
def test_one_change_of_each_kind(old: str, new: str, kind: str, impact: str) -> None:
    found = changed(old, new)
    assert (kind, impact) in said(found)
    assert "line" not in {d.kind for d in found} or kind == "line"
    assert any(d.place is not None for d in found) or kind in ("sync-group", "global")
    backwards = differ(BASE.replace(old, new, 1), BASE)
    assert backwards
    for one in (*found, *backwards):
        assert "Zq9" not in repr(one)
        assert "token" not in repr(one)


def test_nothing_differs() -> None:
    assert differ(BASE, BASE) == ()
    assert differ(BASE, "# Zq9 comment\n" + BASE.replace("  ", "\t")) == ()


def test_an_entry_with_other_options_is_told_beside_one_that_came() -> None:
    after = BASE.replace("    chk\n", "    chk weight 7\n").replace(
        "    10.10.0.21/24\n", "    10.10.0.21/24 label eth0:x\n    10.10.0.22/24\n"
    )
    found = {d.subject: d for d in differ(BASE, after) if d.kind == "line"}
    assert found["virtual_ipaddress of vrrp_instance LB_1"].after == "10.10.0.21/24 label eth0:x"
    assert found["track_script of vrrp_instance LB_1"].after == "chk weight 7"


def test_another_source_of_unicast_makes_the_instance_anew() -> None:
    peers = "  unicast_src_ip 10.10.0.1\n  unicast_peer"
    one = BASE.replace("  unicast_peer", peers)
    (found,) = differ(one, one.replace("10.10.0.1\n", "10.10.0.7\n"))
    assert (found.kind, found.impact) == ("source", Impact.CUTS)


def test_a_block_that_took_the_place_of_one_that_is_gone_is_still_compared() -> None:
    start = BASE.index("  real_server 10.10.0.3 80 { # rs1")
    end = BASE.index("  real_server 10.10.0.4")
    after = (BASE[:start] + BASE[end:]).replace("status_code 200", "status_code 204")
    assert [d.kind for d in differ(BASE, after)] == ["server-removed", "line"]


def test_worst_first() -> None:
    after = BASE.replace(RS2, "").replace("lb_algo wrr", "lb_algo rr")
    after = after.replace("router_id LVS", "router_id X")
    ranks = [list(Impact).index(d.impact) for d in differ(BASE, after)]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == 3


def test_sentences() -> None:
    (one,) = changed("    weight 10\n", "    weight 0\n")
    assert one.subject == "rs1 (10.10.0.3:80) in tcp 10.10.0.20:80"
    assert one.text == "weight 10 → 0: no new connections"
    assert (one.before, one.after) == ("10", "0")
    assert str(one.place) == "/k.conf:55:12"
    (gone,) = changed(RS2, "")
    assert gone.subject == "rs2 (10.10.0.4:80) in tcp 10.10.0.20:80"
    assert gone.text == "this backend vanishes: its connections are cut, 1 of 2 servers stay"


def test_port_change_names_no_server_as_gone() -> None:
    start = BASE.index("virtual_server 10.10.0.20")
    end = BASE.index("virtual_server_group")
    moved = BASE[:start] + BASE[start:end].replace(" 80", " 8080") + BASE[end:]
    assert [d.kind for d in differ(BASE, moved)] == ["port"]


def test_vip_that_moves_between_instances_needs_two_reloads() -> None:
    after = BASE.replace("    10.10.0.21/24\n", "").replace(
        "    10.10.0.30/24\n", "    10.10.0.30/24\n    10.10.0.21/24\n"
    )
    found = differ(BASE, after)
    assert [d.kind for d in found] == ["vip-moved"]
    assert "two reloads" in found[0].text


def test_second_of_two_equal_services_is_addressed_by_position() -> None:
    start = BASE.index("virtual_server 10.10.0.20")
    end = BASE.index("virtual_server_group")
    twice = BASE[:end] + BASE[start:end] + BASE[end:]
    third = BASE[:end] + BASE[start:end].replace("weight 10", "weight 7", 1) + BASE[end:]
    assert [d.kind for d in differ(BASE, twice)] == ["service-added"]
    (one,) = differ(twice, third)
    assert (one.kind, one.after) == ("weight", "7")


def test_group_speaks_once_for_its_members() -> None:
    found = changed("    weight 1\n", "    weight 5\n")
    assert [(d.kind, d.subject) for d in found] == [("weight", "10.10.0.3:80 in group GR")]


def test_priority_says_whether_it_may_fail_over() -> None:
    (one,) = changed("priority 150", "priority 90")
    assert "may fail over" in one.text
    quiet = BASE.replace("priority 150", "priority 150\n  nopreempt")
    (one,) = differ(quiet, quiet.replace("priority 150", "priority 90"))
    assert "does not take over" in one.text


def test_all_weights_gone_cuts() -> None:
    found = differ(BASE, BASE.replace("weight 10", "weight 0"))
    assert found[0].kind == "no-weight-left"


LINES = BASE.splitlines(keepends=True)


@given(
    st.lists(
        st.tuples(
            st.integers(0, len(LINES) - 1),
            st.sampled_from(["drop", "twice", "swap", "word", "comment"]),
        ),
        max_size=4,
    ),
    st.booleans(),
)
def test_no_meaningful_change_is_silent(edits: list[tuple[int, str]], with_trees: bool) -> None:
    lines = list(LINES)
    for at, how in edits:
        if how == "drop":
            lines[at] = ""
        elif how == "twice":
            lines[at] += lines[at]
        elif how == "swap":
            other = (at + 1) % len(lines)
            lines[at], lines[other] = lines[other], lines[at]
        elif how == "word":
            lines[at] = lines[at].replace("1", "2")
        else:
            lines[at] = lines[at].rstrip("\n") + " # note\n"
    after = "".join(lines)
    a, b = tree(BASE), tree(after)
    found = differ(BASE, after, with_trees)
    assert bool(found) == (a.digest != b.digest)
    assert "Zq9" not in repr(found)


@pytest.mark.parametrize("name", ["pool.conf", "odd.conf", "generated.conf"])
def test_every_line_of_real_files_counts(name: str) -> None:
    lines = (DATA / name).read_bytes().split(b"\n")
    before = parse_bytes(b"\n".join(lines), "/k.conf", "lb1")
    seen = view(before)
    for number in range(0, len(lines), 3):
        after = parse_bytes(b"\n".join(lines[:number] + lines[number + 1 :]), "/k.conf", "lb1")
        found = difference(seen, view(after), before, after)
        assert bool(found) == (before.digest != after.digest), lines[number]


def test_an_address_that_is_listed_twice_is_no_change() -> None:
    text = (
        b"vrrp_instance A {\ninterface e0\nvirtual_ipaddress {\n"
        b"10.0.0.1/24_x {\n10.0.0.1/24\n}\n}\n"
    )
    tree = parse_bytes(text)
    assert difference(view(tree), view(tree), tree, tree) == ()
