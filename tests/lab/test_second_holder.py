"""Two holders of one address, another cluster with our VRID, and clients that stay behind."""

from __future__ import annotations

import shlex
import sys
from typing import Any

from tests.lab.director import SLOW_S, Watch, lvstui
from tests.labs import Lab

VIP = "10.10.0.20"
HOLDS = f"ip -br addr show eth0 | grep -q {VIP}"
FORGE = """
import socket, struct, time
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 112)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
def total(b):
    t = sum(struct.unpack("!%dH" % (len(b) // 2), b))
    while t >> 16:
        t = (t & 0xFFFF) + (t >> 16)
    return ~t & 0xFFFF
body = struct.pack("!BBBBBBH", 0x21, 51, PRIORITY, 1, 0, 1, 0)
body += socket.inet_aton("10.10.0.99") + bytes(8)
body = body[:6] + struct.pack("!H", total(body)) + body[8:]
while True:
    s.sendto(body, ("224.0.0.18", 0))
    time.sleep(1)
"""


def mac(lab: Lab, node: str) -> str:
    return lab.run(node, "cat /sys/class/net/eth0/address").stdout.strip()


def told(document: dict[str, Any], *words: str) -> bool:
    return any(all(word in reason for word in words) for reason in document["reasons"])


def happened(document: dict[str, Any], word: str) -> bool:
    return any(word in event["text"] for event in document["events"])


def wait_settled(lab: Lab) -> None:
    lab.wait("lb1", HOLDS, what="lb1 is MASTER")
    lab.wait("lb2", f"! ({HOLDS})", what="lb2 is BACKUP")


def test_a_split_brain_without_adverts_and_the_way_back(lab: Lab) -> None:
    wait_settled(lab)
    first, second = mac(lab, "lb1"), mac(lab, "lb2")
    with Watch(lab, "lb1") as one, Watch(lab, "lb2") as two:
        for watch in (one, two):
            watch.wait(lambda d: d["verdict"] == "ok", "all well")
        lab.fault("split")
        one.wait(lambda d: told(d, "split brain", VIP, second), "lb1 sees the other holder")
        two.wait(lambda d: told(d, "split brain", VIP, first), "lb2 sees the other holder")
        for node in ("lb1", "lb2"):
            lab.run(node, HOLDS)
        lab.fault("unsplit")
        one.wait(lambda d: happened(d, "nobody else speaks ARP for"), "its end is an event")
        # The client heard the BACKUP last, and nobody tells it otherwise.
        stray = two.wait(lambda d: told(d, "still arrive", "10.10.0.10"), "packets are lost at lb2")
        assert stray["verdict"] == "degraded"
        assert lvstui(lab, "announce --yes", "lb2").status == 1
        done = lvstui(lab, f"announce {VIP} --yes --reason moved", "lb1")
        assert done.status == 0, done.stdout + done.stderr
        lab.wait("client", f"ip neigh show {VIP} | grep -q {first}", what="the client sends to lb1")
        end = two.wait(lambda d: happened(d, "no more packets for"), "no packet comes any more")
        assert happened(end, "split brain")
    assert "announce" in lab.run("lb1", "tail -1 /var/log/lvstui/audit.jsonl").stdout


def test_whoever_hands_over_in_order_is_no_second_holder(lab: Lab) -> None:
    wait_settled(lab)
    with Watch(lab, "lb1") as one, Watch(lab, "lb2") as two:
        for watch in (one, two):
            watch.wait(lambda d: d["verdict"] == "ok", "all well")
        lab.fault("stop-keepalived", "lb1")
        lab.wait("lb2", HOLDS, what="lb2 takes over")
        lab.fault("start-keepalived", "lb1")
        wait_settled(lab)
        for watch in (one, two):
            last = watch.wait(
                lambda d: d["verdict"] == "ok" and happened(d, f"VIP {VIP} left"), "all well again"
            )
            assert not happened(last, "split brain")
            assert not happened(last, "still arrive")


def test_another_cluster_with_our_vrid_is_called_that(lab: Lab) -> None:
    wait_settled(lab)
    with Watch(lab, "lb1") as one, Watch(lab, "lb2") as two:
        for watch in (one, two):
            watch.wait(lambda d: d["verdict"] == "ok", "all well")
        for priority in ("priority 200", "priority 50"):
            script = FORGE.replace("PRIORITY", priority.split()[1])
            forged = lab.spawn("client", f"exec {sys.executable} -c {shlex.quote(script)}")
            clash = ("another cluster uses VRID 51", "10.10.0.99", priority)
            try:
                for watch in (one, two):
                    seen = watch.wait(lambda d, clash=clash: told(d, *clash), "the clash")
                    assert not told(seen, "split brain")
                    (instance,) = seen["instances"]
                    assert instance["master_address"] in ("10.10.0.2", "10.10.0.6")
            finally:
                forged.kill()
                forged.wait(10)
        for watch in (one, two):
            watch.wait(lambda d: happened(d, "no other cluster"), "its end")


def test_who_has_the_addresses_is_asked_on_wish_and_read_only_too(lab: Lab) -> None:
    wait_settled(lab)
    own = lvstui(lab, "owners", "lb1")
    assert (own.status, own.stdout.strip()) == (
        0,
        f"{VIP} is on this host, and nobody else answers",
    )
    command = f"{sys.executable} -m lvstui --read-only owners"
    other = lab.run("lb2", command, timeout=SLOW_S)
    assert mac(lab, "lb1") in other.stdout
    lab.fault("arp", "rs2")
    leak = lab.run("lb2", command, timeout=SLOW_S, check=False)
    assert leak.status == 1
    assert mac(lab, "rs2") in leak.stdout
