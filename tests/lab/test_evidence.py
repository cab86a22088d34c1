"""The states of real servers under what keepalived does by itself and what people do behind it: a
configuration with its defaults and its rarer words. ipvsadm is the oracle."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from lvstui.lab.topology import parse
from tests.lab.director import SLOW_S, Watch, status
from tests.labs import Lab

CONF = """\
global_defs {
    router_id lb1
    script_user root
    enable_script_security
}
vrrp_instance LB_1 {
    state MASTER
    interface eth0
    virtual_router_id 51
    priority 150
    virtual_ipaddress {
        10.10.0.20/24
        10.10.0.21/24
        10.10.0.22/24
    }
}
virtual_server_group pair {
    10.10.0.21 80
    10.10.0.22 80
}
virtual_server group pair {
    delay_loop 1
    lb_algo rr
    lb_kind DR
    protocol TCP
    real_server 10.10.0.3 80 {
        weight 4
        TCP_CHECK {
            connect_timeout 2
            retry 0
        }
    }
    real_server 10.10.0.4 80 {
        weight 4
        TCP_CHECK {
            connect_timeout 2
            retry 0
        }
    }
}
virtual_server 10.10.0.20 80 { # web
    delay_loop 1
    lb_algo wrr
    lb_kind DR
    protocol TCP
    quorum 2
    hysteresis 1
    sorry_server 10.10.0.5 80
    real_server 10.10.0.3 80 {
        weight 1
        TCP_CHECK {
            connect_timeout 2
            retry 0
        }
    }
    real_server 10.10.0.4 80 {
        weight 100
        MISC_CHECK {
            misc_path /etc/keepalived/load
            misc_timeout 2
            misc_dynamic
        }
    }
}
virtual_server 10.10.0.21 53 { # dns
    delay_loop 1
    lb_algo rr
    lb_kind DR
    protocol UDP
    real_server 10.10.0.3 53 {
        weight 10
        uthreshold 1
        PING_CHECK {
        }
    }
}
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Lab]:
    with Lab(parse("directors = 1\n")) as lab:
        lab.wait_all_up()
        lab.write("lb1", "/etc/keepalived/load", "#!/bin/sh\nexit 120\n", mode=0o755)
        lab.write("lb1", "/etc/keepalived/keepalived.conf", CONF)
        lab.fault("stop-keepalived", "lb1")
        lab.fault("start-keepalived", "lb1")
        table(lab, "10.10.0.4:80 .* 118 ", "the script's weight in the kernel")
        yield lab


def table(lab: Lab, pattern: str, what: str, *, there: bool = True) -> None:
    """Until a line of the kernel's table fits; ipvsadm tells."""
    absent = "" if there else "! "
    lab.wait("lb1", f"{absent}ipvsadm -Ln | grep -q -- '{pattern}'", what=what, timeout=40)


def of(document: dict[str, Any], service: str, server: str) -> dict[str, Any]:
    (found,) = [
        one
        for known in document["services"]
        if known["id"] == service
        for one in known["servers"]
        if one["id"] == server
    ]
    return dict(found)


def wait_well(lab: Lab) -> None:
    """Until nothing is wrong; what was handed to a server that is gone takes its time."""
    deadline = time.monotonic() + 90
    while (found := status(lab))[0]:
        assert time.monotonic() < deadline, found[1]["reasons"]


WEB, DNS = "tcp 10.10.0.20:80", "udp 10.10.0.21:53"
PAIR = ("tcp 10.10.0.21:80", "tcp 10.10.0.22:80")


def test_what_keepalived_does_by_itself_is_no_disagreement(cluster: Lab) -> None:
    with Watch(cluster, "lb1") as watch:
        document = watch.wait(lambda d: d["verdict"] == "ok", "all well", SLOW_S)
    code, fresh = status(cluster)
    assert (code, fresh["reasons"]) == (0, [])
    for one in (document, fresh):
        dynamic = of(one, WEB, "10.10.0.4:80")
        assert (dynamic["state"], dynamic["weight_kernel"], dynamic["differs"]) == ("up", 118, [])
        assert of(one, WEB, "10.10.0.5:80")["state"] == "standby"
        assert [of(one, key, "10.10.0.3:80")["state"] for key in PAIR] == ["up", "up"]


def test_a_member_of_a_group_goes_and_comes_back(cluster: Lab) -> None:
    lab = cluster
    with Watch(lab, "lb1") as watch:
        watch.wait(lambda d: d["verdict"] == "ok", "all well", SLOW_S)
        lab.fault("stop", "rs1")
        try:
            table(lab, "10.10.0.3:80 ", "rs1 out of the table", there=False)
            document = watch.wait(
                lambda d: (
                    all(of(d, key, "10.10.0.3:80")["state"] == "down" for key in PAIR)
                    and any("group pair" in event["text"] for event in d["events"])
                ),
                "rs1 down in both",
            )
            reasons = {of(document, key, "10.10.0.3:80")["reason"] for key in PAIR}
            assert all("TCP" in reason for reason in reasons)
            code, fresh = status(lab)
            assert code == 1
            assert [of(fresh, key, "10.10.0.3:80")["state"] for key in PAIR] == ["down", "down"]
            assert not any(event["text"].endswith("from tcp ") for event in fresh["events"])
        finally:
            lab.fault("start", "rs1")
        table(lab, "10.10.0.3:80 ", "rs1 back")
        watch.wait(
            lambda d: d["at_epoch_s"] > document["at_epoch_s"] and d["verdict"] == "ok", "ok"
        )


def test_the_sorry_server_answers_below_the_quorum_less_its_hysteresis(cluster: Lab) -> None:
    lab = cluster
    lab.write("lb1", "/etc/keepalived/load", "#!/bin/sh\nexit 1\n", mode=0o755)
    try:
        # A weight of 1 is left: between 2 - 1 and 2 + 1 the quorum stays.
        table(lab, "10.10.0.4:80 *Route *118", "rs2 out", there=False)
        code, document = status(lab)
        (web,) = [one for one in document["services"] if one["id"] == WEB]
        assert (code, web["quorum_ok"], web["sorry_server_active"]) == (1, True, False)
        assert of(document, WEB, "10.10.0.5:80")["state"] == "standby"
        lab.fault("stop", "rs1")
        table(lab, "10.10.0.5:80 ", "the sorry server in")
        code, document = status(lab)
        (web,) = [one for one in document["services"] if one["id"] == WEB]
        assert (web["quorum_ok"], web["sorry_server_active"]) == (False, True)
        answering = of(document, WEB, "10.10.0.5:80")
        assert (answering["state"], answering["in_kernel"]) == ("unverified", True)
        assert "nobody checks it" in answering["reason"]
    finally:
        lab.write("lb1", "/etc/keepalived/load", "#!/bin/sh\nexit 120\n", mode=0o755)
        lab.fault("start", "rs1")
    table(lab, "10.10.0.4:80 .* 118 ", "rs2 back")
    table(lab, "10.10.0.5:80 ", "the sorry server out", there=False)
    wait_well(lab)


BEHIND = [
    (
        "ipvsadm -e -t 10.10.0.21:80 -r 10.10.0.3:80 -g -w 3",
        "ipvsadm -e -t 10.10.0.21:80 -r 10.10.0.3:80 -g -w 4",
        (PAIR[0], "10.10.0.3:80"),
        ("up", "weight", "kernel weight 3"),
    ),
    (
        "ipvsadm -a -t 10.10.0.20:80 -r 10.10.0.99:80 -g -w 0",
        "ipvsadm -d -t 10.10.0.20:80 -r 10.10.0.99:80",
        (WEB, "10.10.0.99:80"),
        ("foreign", "entry", "in no file"),
    ),
    (
        "ipvsadm -d -t 10.10.0.22:80 -r 10.10.0.4:80",
        "ipvsadm -a -t 10.10.0.22:80 -r 10.10.0.4:80 -g -w 4",
        (PAIR[1], "10.10.0.4:80"),
        ("down", "entry", "keepalived has it, the kernel does not"),
    ),
    (
        "ipvsadm -e -t 10.10.0.22:80 -r 10.10.0.3:80 -m -w 4",
        "ipvsadm -e -t 10.10.0.22:80 -r 10.10.0.3:80 -g -w 4",
        (PAIR[1], "10.10.0.3:80"),
        ("up", "forwarding", "NAT"),
    ),
]


@pytest.mark.parametrize(
    ("act", "back", "where", "right"), BEHIND, ids=[b[3][1] + b[2][0][-5:] for b in BEHIND]
)
def test_what_is_done_behind_keepalived_is_named(
    cluster: Lab, act: str, back: str, where: tuple[str, str], right: tuple[str, str, str]
) -> None:
    lab = cluster
    lab.run("lb1", act)
    try:
        code, document = status(lab)
        seen = of(document, *where)
        (differs,) = seen["differs"]
        assert (code, seen["state"], differs["what"], differs["by"]) == (1, *right[:2], "somebody")
        assert right[2] in differs["text"]
        assert any(right[2] in reason for reason in document["reasons"])
    finally:
        lab.run("lb1", back)
    wait_well(lab)


def test_a_service_that_was_changed_behind_keepalived(cluster: Lab) -> None:
    lab = cluster
    lab.run("lb1", "ipvsadm -E -t 10.10.0.20:80 -s lc -p 77")
    try:
        code, document = status(lab)
        (web,) = [one for one in document["services"] if one["id"] == WEB]
        assert code == 1
        assert {one["what"]: one["text"] for one in web["differs"]} == {
            "scheduler": "scheduler is lc, configured wrr",
            "persistence": "persistence is 77 s, configured none",
        }
        assert any("scheduler is lc" in reason for reason in document["reasons"])
    finally:
        lab.run("lb1", "ipvsadm -E -t 10.10.0.20:80 -s wrr")
    wait_well(lab)


def test_a_server_at_its_threshold_is_overloaded(cluster: Lab) -> None:
    lab = cluster
    try:
        lab.run("client", "bash -c 'echo > /dev/udp/10.10.0.21/53'")
        code, document = status(lab)
        full = of(document, DNS, "10.10.0.3:53")
        assert (code, full["state"]) == (1, "overloaded"), full
    finally:
        lab.run("lb1", "ipvsadm -d -u 10.10.0.21:53 -r 10.10.0.3:53")


def test_other_daemons_are_named_and_not_mixed_in(cluster: Lab) -> None:
    lab = cluster
    second = "-p /run/second.pid -c /run/second-c.pid -r /run/second-r.pid"
    lab.write("lb1", "/etc/keepalived/second.conf", "global_defs {\n    router_id second\n}\n")
    lab.run("lb1", f"keepalived -f /etc/keepalived/second.conf {second} -C")
    lab.wait("lb1", "test -s /run/second.pid", what="a second daemon")
    try:
        pid = int(lab.run("lb1", "cat /run/second.pid").stdout)
        code, document = status(lab)
        assert code == 1
        assert document["daemon"]["pid"] == int(lab.run("lb1", "cat /run/keepalived.pid").stdout)
        assert document["daemon"]["other_pids"] == [pid]
        assert any(f"not {pid}" in reason for reason in document["reasons"])
    finally:
        lab.run("lb1", "kill $(cat /run/second.pid)")
    lab.wait("lb1", "! test -e /run/second.pid", what="its end")
    lab.run("lb1", f"unshare --net keepalived -f /etc/keepalived/second.conf {second} -C")
    lab.wait("lb1", "test -s /run/second.pid", what="a daemon elsewhere")
    try:
        code, document = status(lab)
        pid = int(lab.run("lb1", "cat /run/second.pid").stdout)
        assert (document["daemon"]["other_pids"], document["daemon"]["pids_elsewhere"]) == (
            [],
            [pid],
        )
        assert any(str(pid) in one for one in document["not_looked_at"])
    finally:
        lab.run("lb1", "kill $(cat /run/second.pid)")
