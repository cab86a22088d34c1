"""What lvstui says on a real director, in good and in bad days."""

from __future__ import annotations

import time
from datetime import datetime

from lvstui.keepalived.keywords import version_of
from tests.lab.director import LVSTUI, SLOW_S, Watch, server, status
from tests.labs import Lab


def test_all_well(lab: Lab) -> None:
    code, document = status(lab)
    assert (code, document["verdict"], document["reasons"]) == (0, "ok", [])
    assert [s["id"] for s in document["services"]] == ["tcp 10.10.0.20:80", "udp 10.10.0.20:53"]
    # Before 2.2.0 nobody can tell what keepalived has loaded.
    has_copy = version_of(document["daemon"]["version"]) >= (2, 2)
    for service in document["services"]:
        assert [r["name"] for r in service["servers"]] == ["rs1", "rs2", "rs3"]
        for real in service["servers"]:
            assert real["state"] == "up"
            assert (real["weight_file"], real["weight_keepalived"], real["weight_kernel"]) == (
                10,
                10 if has_copy else None,
                10,
            )
            assert real["counters"]["connections"] > 0
        assert service["vip_here"] is True
    assert document["daemon"]["running"] is True
    assert document["daemon"]["version"].count(".") == 2
    assert document["daemon"]["loaded_is_file"] is (True if has_copy else None)
    (instance,) = document["instances"]
    assert (instance["name"], instance["state"], instance["vips_here"]) == (
        "LB_1",
        "MASTER",
        ["10.10.0.20"],
    )
    assert [gap["source"] for gap in document["gaps"]] == ([] if has_copy else ["memfd"])


def test_the_backup_knows_its_master(lab: Lab) -> None:
    code, document = status(lab, "lb2", "--sample 2")
    (instance,) = document["instances"]
    assert (code, instance["state"], instance["vips_here"]) == (0, "BACKUP", [])
    assert (instance["master_address"], instance["master_priority"]) == ("10.10.0.2", 150)


def test_a_stopped_backend_is_down_as_soon_as_keepalived_noticed(lab: Lab) -> None:
    with Watch(lab, "lb1") as watch:
        watch.wait(lambda d: d["verdict"] == "ok", "all well")
        lab.fault("stop", "rs3")
        seen = watch.wait(
            lambda d: (
                server(d, "rs3")["reason"].startswith("TCP_CHECK")
                and not server(d, "rs3")["in_kernel"]
            ),
            "rs3 down with its message",
        )
    down = server(seen, "rs3")
    assert down["state"] == "down"
    assert "failed" in down["reason"]
    assert down["weight_kernel"] is None
    log = lab.run("lb1", "grep 'Removing service .10.10.0.5.:tcp:80' /var/log/syslog").stdout
    noticed = datetime.fromisoformat(log.splitlines()[-1].split()[0]).timestamp()
    # Told by its log, not by the next look at anything slower; how fast is a benchmark's business.
    assert seen["at_epoch_s"] - noticed < 10.0
    code, document = status(lab)
    assert code == 1
    assert any("rs3" in reason for reason in document["reasons"])


def test_a_backend_that_hangs_is_told_from_one_that_refuses(lab: Lab) -> None:
    lab.fault("hang", "rs1")
    lab.wait("lb1", lambda: "0A0A0003:0050" not in lab.run("lb1", "cat /proc/net/ip_vs").stdout)
    _, document = status(lab)
    down = server(document, "rs1")
    assert (down["state"], down["checker"]) == ("down", "HTTP_GET")


def test_killed_keepalived_looks_healthy_and_is_called_what_it_is(lab: Lab) -> None:
    lab.wait("lb1", "ip -br addr show eth0 | grep -q 10.10.0.20", what="lb1 is MASTER")
    lab.fault("kill-keepalived", "lb1")
    code, document = status(lab)
    assert code == 1
    assert document["daemon"]["running"] is False
    assert "its VIP is still on this host" in document["warnings"][0]["text"]
    assert server(document, "rs1")["state"] == "unverified"


def test_split_brain_is_seen(lab: Lab) -> None:
    lab.fault("split")
    lab.wait("lb2", "ip -br addr show eth0 | grep -q 10.10.0.20", timeout=20)
    lab.fault("unsplit")
    # Both were MASTER a moment ago; the lower one steps back when it hears the other.
    lab.wait("lb2", "! ip -br addr show eth0 | grep -q 10.10.0.20", timeout=20)
    _, document = status(lab, "lb2")
    assert any("LB_1 is MASTER" in event["text"] for event in document["events"])


def test_an_ordinary_user_sees_what_can_be_seen(lab: Lab) -> None:
    command = f"setpriv --reuid=65534 --regid=65534 --clear-groups {LVSTUI} status"
    done = lab.run("lb1", command, timeout=SLOW_S, check=False, env={"HOME": "/tmp"})
    assert "tcp 10.10.0.20:80" in done.stdout
    assert "not visible" in done.stdout
    assert "sudo lvstui" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_host_without_ipvs_is_explained(lab: Lab) -> None:
    done = lab.run("client", f"{LVSTUI} status", timeout=SLOW_S, check=False)
    text = done.stdout + done.stderr
    assert done.status in (1, 2)
    assert "Traceback" not in text
    assert "IPVS" in text


def test_watching_leaves_no_trace_in_keepaliveds_log(lab: Lab) -> None:
    stream = lab.spawn("lb1", f"exec {LVSTUI} stream")
    try:
        stream.wait_output("TableSeen", SLOW_S)
        time.sleep(3)
        before = lab.run("lb1", "wc -l < /var/log/syslog").stdout
        time.sleep(12)
        assert lab.run("lb1", "wc -l < /var/log/syslog").stdout == before
    finally:
        stream.kill()
        stream.wait(10)
    assert b"AdvertSeen" in stream.output()
    assert b"auth_pass" not in stream.output()


def test_keepalived_is_asked_once_when_wished(lab: Lab) -> None:
    _, document = status(lab, "lb1", "--ask")
    (instance,) = document["instances"]
    assert instance["counters"]["adverts_sent"] > 0
    assert instance["counters"]["became_master"] >= 1
