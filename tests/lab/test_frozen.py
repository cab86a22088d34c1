"""Processes of keepalived's that are there and do nothing."""

from __future__ import annotations

from tests.lab.director import Watch
from tests.labs import Lab


def test_a_frozen_checker_is_an_alarm_and_its_end_an_event(lab: Lab) -> None:
    with Watch(lab, "lb1") as watch:
        watch.wait(lambda d: d["verdict"] == "ok", "all well")
        lab.run("lb1", "kill -STOP $(cat /run/checkers.pid)")
        pid = lab.run("lb1", "cat /run/checkers.pid").stdout.strip()
        stopped = f"the checker process {pid} is stopped (T)"
        seen = watch.wait(lambda d: any(stopped in r for r in d["reasons"]), "the alarm")
        (checkers,) = [p for p in seen["daemon"]["processes"] if p["role"] == "checkers"]
        assert (checkers["pid"], checkers["state"]) == (int(pid), "T")
        lab.run("lb1", "kill -CONT $(cat /run/checkers.pid)")
        watch.wait(
            lambda d: (
                d["verdict"] == "ok"
                and any(f"the checker process {pid} goes on" in e["text"] for e in d["events"])
            ),
            "the end of it",
        )


def test_a_frozen_vrrp_process_is_an_alarm_on_both_directors(lab: Lab) -> None:
    lab.wait("lb1", "ip -br addr show eth0 | grep -q 10.10.0.20", what="lb1 is MASTER")
    mac = lab.run("lb1", "cat /sys/class/net/eth0/address").stdout.strip()
    with Watch(lab, "lb1") as watch, Watch(lab, "lb2") as other:
        for one in (watch, other):
            one.wait(lambda d: d["verdict"] == "ok", "all well")
        lab.run("lb1", "kill -STOP $(cat /run/vrrp.pid)")
        try:
            watch.wait(
                lambda d: any("VRRP process" in r and "(T)" in r for r in d["reasons"]), "the alarm"
            )
            other.wait(
                lambda d: any("split brain" in r and mac in r for r in d["reasons"]),
                "the other one sees that the address stayed",
            )
        finally:
            lab.run("lb1", "kill -CONT $(cat /run/vrrp.pid)")
