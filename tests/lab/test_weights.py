"""Drain, enable, weight and undo on a real kernel, under traffic."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab import director
from tests.lab.director import LVSTUI, SLOW_S, forget_attempts, server, status
from tests.labs import Lab


def lvstui(lab: Lab, words: str) -> tuple[int, dict[str, Any]]:
    done = director.lvstui(lab, f"{words} --json")
    return done.status, json.loads(done.stdout)


def weight(lab: Lab, address: str = "0A0A0004:0050") -> tuple[int, int]:
    """(weight, active) in the kernel's own table; -1 when it is not there."""
    for line in lab.run("lb1", "cat /proc/net/ip_vs").stdout.splitlines():
        words = line.split()
        if len(words) == 6 and words[1] == address:
            return int(words[3]), int(words[4])
    return -1, 0


def answered(lab: Lab, name: str, since_ms: int) -> int:
    """New web requests that a real server answered since then, by the client's log."""
    lines = lab.run("client", "tail -n 3000 /var/log/client.log").stdout.splitlines()
    rows = [line.split() for line in lines]
    return sum(
        1
        for row in rows
        if int(row[0]) >= since_ms and row[1] == "web" and row[2] == name and "download" not in row
    )


def now_ms(lab: Lab) -> int:
    return int(float(lab.run("client", "date +%s.%N").stdout) * 1000)


@pytest.fixture
def fresh_lab() -> Iterator[Lab]:
    """A guest without a past: after failovers a director keeps connections that ended elsewhere
    as established for a quarter of an hour."""
    with Lab() as lab:
        lab.wait_all_up()
        forget_attempts(lab)
        yield lab


def test_drain_enable_and_undo(fresh_lab: Lab) -> None:
    lab = fresh_lab
    code, plan = lvstui(lab, "drain rs2 --service 'tcp 10.10.0.20:80' --plan")
    assert (code, plan["outcome"], weight(lab)[0]) == (0, None, 10)
    lab.wait("lb1", lambda: weight(lab)[1] > 0, what="long downloads on rs2")
    code, done = lvstui(
        lab, "drain 10.10.0.4:80 --service 'tcp 10.10.0.20:80' --reason 'disk swap' --yes"
    )
    assert (code, done["outcome"]["ended"]) == (0, "done")
    assert done["outcome"]["results"][0]["seen"] == "weight 0"
    drained, running = weight(lab)
    assert drained == 0
    assert running > 0, "the running downloads were cut"

    since = now_ms(lab)
    time.sleep(3)
    log = "grep -v 'gratuitous' /var/log/syslog | tail -n 12; ip -br addr show eth0"
    assert answered(lab, "rs2", since) == 0, (weight(lab), lab.run("lb1", log).stdout)
    assert answered(lab, "rs1", since) > 0
    _, document = status(lab)
    seen = server(document, "rs2")
    assert seen["state"] in ("draining", "drained")
    assert "disk swap" in seen["reason"]
    assert any("undoes it" in w["text"] for w in document["warnings"])

    lab.wait("lb1", lambda: weight(lab)[1] == 0, timeout=80, what="the last download's end")
    downloads = lab.run("client", "tail -n 400 /var/log/client.log").stdout
    assert "error" not in downloads
    _, document = status(lab)
    assert server(document, "rs2")["state"] == "drained"

    code, _ = lvstui(lab, "enable rs2 --service 'tcp 10.10.0.20:80' --yes")
    assert (code, weight(lab)[0]) == (0, 10)
    code, undone = lvstui(lab, "undo --yes")
    assert (code, undone["plan"]["title"].split()[0], weight(lab)[0]) == (0, "undo", 0)
    code, undone = lvstui(lab, "undo --yes")
    assert (code, weight(lab)[0]) == (0, 10)
    audit = lab.run("lb1", "cat /var/log/lvstui/audit.jsonl").stdout.splitlines()
    entries = [json.loads(line) for line in audit]
    (drain,) = [e for e in entries if e["operation"] == "drain" and e["phase"] == "done"]
    assert (drain["before"], drain["after"], drain["seen"], drain["reason"]) == (
        10,
        0,
        0,
        "disk swap",
    )
    assert drain["who"]


def test_every_attribute_but_the_weight_is_kept(lab: Lab) -> None:
    lab.run("lb1", "ipvsadm -e -t 10.10.0.20:80 -r 10.10.0.4:80 -g -w 10 -x 1000 -y 500")
    assert lvstui(lab, "weight rs2 3 --service 'tcp 10.10.0.20:80' --yes")[0] == 0
    assert weight(lab)[0] == 3
    shown = lab.run("lb1", "ipvsadm -Ln --thresholds").stdout
    assert any(
        line.split()[1:4] == ["10.10.0.4:80", "1000", "500"]
        for line in shown.splitlines()
        if "10.10.0.4:80" in line
    ), shown
    assert "10.10.0.4:80                 Route   3" in lab.run("lb1", "ipvsadm -Ln").stdout


def test_a_check_that_flaps_undoes_a_kernel_drain_and_it_shows(lab: Lab) -> None:
    assert lvstui(lab, "drain rs2 --service 'tcp 10.10.0.20:80' --yes")[0] == 0
    lab.fault("stop", "rs2")
    lab.wait("lb1", lambda: weight(lab)[0] == -1, what="removal by keepalived")
    lab.fault("start", "rs2")
    lab.wait("lb1", lambda: weight(lab)[0] == 10, what="return at the file's weight")
    _, document = status(lab)
    assert server(document, "rs2")["state"] == "up"


def test_what_is_refused(lab: Lab) -> None:
    def said(words: str) -> tuple[int, str]:
        done = director.lvstui(lab, words)
        assert "Traceback" not in done.stderr
        return done.status, done.stdout + done.stderr

    assert said("drain rs9 --yes")[0] == 2
    assert "there are: rs1, rs2, rs3" in said("drain rs9 --yes")[1]
    code, text = said("drain rs2")
    assert (code, "give --yes" in text) == (1, True)
    code, text = said("--read-only drain rs2 --yes")
    assert (code, "read-only" in text) == (2, True)
    user = f"setpriv --reuid=65534 --regid=65534 --clear-groups {LVSTUI}"
    done = lab.run(
        "lb1", f"{user} drain 10.10.0.4 --yes", timeout=SLOW_S, check=False, env={"HOME": "/tmp"}
    )
    assert done.status == 1
    assert "root" in done.stdout + done.stderr
    assert weight(lab)[0] == 10
