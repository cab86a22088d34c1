"""What lvstui says after keepalived was stopped, started, reloaded, killed, on a cluster with
keepalived's defaults: no alpha, one server without a check.

The oracles are the kernel's table and the client's log: every real server serves all the time that
keepalived runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from lvstui.lab.topology import parse
from tests.lab.director import SLOW_S, Watch, server, status
from tests.labs import Lab

TOPOLOGY = """
directors = 1
[[service]]
name = "web"
alpha = false
checker = ["http", "tcp", "none"]
per_second = 20
"""
STATES = {"rs1": "up", "rs2": "up", "rs3": "unverified"}
"""Nobody checks rs3, so nobody knows of it; it takes its connections all the same."""
CONF = "/etc/keepalived/keepalived.conf"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Lab]:
    with Lab(parse(TOPOLOGY)) as lab:
        lab.wait_all_up()
        yield lab


def states(document: dict[str, Any]) -> dict[str, str]:
    return {name: server(document, name)["state"] for name in STATES}


def wait_served(lab: Lab) -> None:
    """Until all three stand in the kernel's table."""
    lab.wait("lb1", "test $(ipvsadm -Ln | grep -c 'Route *10 ') = 3", what="a full table")


def as_before(document: dict[str, Any]) -> bool:
    """The states, no word against keepalived, no reason for an exit status."""
    return states(document) == STATES and document["verdict"] == "ok"


def test_all_is_as_before_after_stop_start_and_reload(cluster: Lab) -> None:
    lab = cluster
    wait_served(lab)
    with Watch(lab, "lb1") as watch:
        watch.wait(as_before, "all well", SLOW_S)
        lab.fault("stop-keepalived", "lb1")
        watch.wait(
            lambda d: (
                not d["daemon"]["running"]
                and not any(server(d, name)["in_kernel"] for name in STATES)
            ),
            "keepalived stopped, and its table with it",
        )
        lab.fault("start-keepalived", "lb1")
        wait_served(lab)
        begun = lab.run("lb1", "date +%s.%N").stdout
        watch.wait(
            lambda d: d["at_epoch_s"] > float(begun) and as_before(d), "as before the restart", 60
        )
        # A new run reads the words of the stop back from the log.
        code, document = status(lab)
        assert (code, states(document), document["reasons"]) == (0, STATES, [])
        assert "Shutting down service" in lab.run("lb1", "cat /var/log/syslog").stdout

        lab.run("lb1", "kill -HUP $(cat /run/keepalived.pid)")
        after = watch.wait(
            lambda d: any("Reload complete" in event["text"] for event in d["events"]),
            "a picture after the reload",
        )
        assert as_before(after)
        code, document = status(lab)
        assert (code, states(document), document["reasons"]) == (0, STATES, [])
        drifted = [d for d in watch.documents() if "drifted" in states(d).values()]
        assert not drifted, drifted[0]["services"]


def test_taken_out_of_the_file_and_put_back(cluster: Lab) -> None:
    """keepalived says `Removing service`, as of one that failed, and nothing when it is back."""
    lab = cluster
    text = lab.run("lb1", f"cat {CONF}").stdout
    without = re.sub(r"\n    real_server 10\.10\.0\.4 80 \{.*?\n    \}\n", "\n", text, flags=re.S)
    assert without != text
    for content, count in ((without, 2), (text, 3)):
        lab.run("lb1", f"cat > {CONF} && kill -HUP $(cat /run/keepalived.pid)", stdin=content)
        lab.wait("lb1", f"test $(ipvsadm -Ln | grep -c 'Route *10 ') = {count}")
    assert "Removing service [10.10.0.4]" in lab.run("lb1", "cat /var/log/syslog").stdout
    lab.wait("lb1", lambda: as_before(status(lab)[1]), timeout=60, what="as before")


def test_an_instance_that_was_renamed_has_no_ghost(cluster: Lab) -> None:
    lab = cluster
    text = lab.run("lb1", f"cat {CONF}").stdout
    renamed = text.replace("LB_1", "OTHER")
    lab.run("lb1", f"cat > {CONF} && kill -HUP $(cat /run/keepalived.pid)", stdin=renamed)
    try:
        # It takes over from the one that was without a word about its state.
        lab.wait("lb1", "grep -q 'OTHER) setting VIPs' /var/log/syslog", what="OTHER is there")
        code, document = status(lab)
        assert [(i["name"], i["state"]) for i in document["instances"]] == [("OTHER", "MASTER")]
        assert (code, document["reasons"]) == (0, [])
        # The dump of the one that was, and the words of the log, are there all the same.
        code, document = status(lab, "lb1", "--ask")
        assert [i["name"] for i in document["instances"]] == ["OTHER"]
    finally:
        lab.run("lb1", f"cat > {CONF} && kill -HUP $(cat /run/keepalived.pid)", stdin=text)


def test_killed_it_is_named_and_nothing_is_vouched_for(cluster: Lab) -> None:
    lab = cluster
    wait_served(lab)
    lab.fault("kill-keepalived", "lb1")
    code, document = status(lab)
    assert code == 1
    assert set(states(document).values()) == {"unverified"}
    assert all(server(document, name)["in_kernel"] for name in STATES)
    assert document["warnings"][0]["text"].startswith("keepalived is not running")
    lab.fault("start-keepalived", "lb1")
    wait_served(lab)
    lab.wait("lb1", lambda: as_before(status(lab)[1]), timeout=60, what="as before")
