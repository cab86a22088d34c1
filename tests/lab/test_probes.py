"""Probes from the directors, on real kernels: ARP, the path of the VIP's packets, healing."""

from __future__ import annotations

import json
import sys
from typing import Any

from lvstui.lab.surroundings import PACKAGE_PARENT
from lvstui.lab.topology import Topology
from tests.lab.director import SLOW_S
from tests.labs import Lab

VIP = "10.10.0.20"
SERVERS = {"10.10.0.3": "rs1", "10.10.0.4": "rs2", "10.10.0.5": "rs3"}

PREFACE = f"""
import dataclasses, json, sys, threading, time
from lvstui.realserver.probes import *
VIP, SERVERS = {VIP!r}, {SERVERS!r}
def show(**results):
    def plain(value):
        if not dataclasses.is_dataclass(value):
            return value
        return {{f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}}
    print(json.dumps({{key: plain(value) for key, value in results.items()}}, default=plain))
"""


def wrong(asked: dict[str, Any]) -> list[str]:
    """What the evidence says of those who must not have answered."""
    return [line for line in asked["evidence"] if line.endswith(": it must not")]


def probe(lab: Lab, node: str, script: str, *before: str) -> dict[str, Any]:
    """What a script with the probes shows on a node."""
    command = [*before, sys.executable, "-c", PREFACE + script]
    done = lab.run(node, command, timeout=SLOW_S, env={"PYTHONPATH": str(PACKAGE_PARENT)}, cwd="/")
    assert "Traceback" not in done.stderr, done.stderr
    return dict(json.loads(done.stdout))


def mac(lab: Lab, node: str) -> str:
    return lab.run(node, "cat /sys/class/net/eth0/address").stdout.strip()


HEALTHY = """
with ArpListener([VIP], SERVERS) as ear:
    time.sleep(1)
    macs = macs_of([*SERVERS, "10.10.0.2", "10.10.0.99", "192.0.2.1"])
    asked = ask_all([VIP, "10.10.0.77", "x", "192.0.2.20"], servers=SERVERS,
                    directors={"10.10.0.2": "lb1", "10.10.0.6": "lb2"})
    paths = [try_path(VIP, 80, a) for a in SERVERS]
    time.sleep(1)
bad = [ask_all([VIP], "eth9")[VIP], ask_all([VIP], "lo")[VIP]]
show(macs=macs, asked=asked, paths=paths, bad=bad, announced=announce(["10.10.0.77"]),
     heard=ear.words, wrong=ear.wrong)
"""


def connections(lab: Lab, node: str, source: str) -> str:
    """IPVS's connections from an address."""
    return lab.run(node, f"ipvsadm -Lnc | grep {source}: ; true").stdout


def half_open(lab: Lab, node: str) -> str:
    """Connections that a probe began and left behind."""
    return lab.run(node, "ss -Htan state syn-recv dst 10.10.0.2 or dst 10.10.0.6").stdout


LISTEN = f"""
with ArpListener([VIP], {SERVERS!r}) as ear:
    time.sleep(8)
show(heard=ear.words, wrong=ear.wrong)
"""


def heard_something(words: str) -> bool:
    return words.endswith(" s: quiet") and not words.startswith("0 ")


def test_healthy_cluster_from_its_master(lab: Lab) -> None:
    other = lab.spawn(
        "lb2", [sys.executable, "-c", PREFACE + LISTEN], env={"PYTHONPATH": str(PACKAGE_PARENT)}
    )
    seen = probe(lab, "lb1", HEALTHY)
    assert other.wait(30) == 0, other.errors()
    there = json.loads(other.output())
    assert heard_something(there["heard"]), "the probes' broadcasts, for example"
    assert there["wrong"] == []
    assert [half_open(lab, name) for name in SERVERS.values()] == [""] * 3
    macs = seen["macs"]
    for address, name in SERVERS.items():
        assert (macs[address]["state"], macs[address]["macs"]) == ("found", [mac(lab, name)])
    asked = seen["asked"][VIP]
    assert asked["answers"] == []
    assert "asked 3 times on eth0 from 0.0.0.0" in asked["evidence"][0]
    assert "this host holds it" in asked["evidence"][1]
    assert [path["state"] for path in seen["paths"]] == ["answered"] * 3, seen["paths"]
    assert all(0 < path["round_trip_ms"] < 1000 for path in seen["paths"])
    assert seen["asked"]["10.10.0.77"]["answers"] == []
    unasked = [seen["asked"]["x"], seen["asked"]["192.0.2.20"], *seen["bad"]]
    assert all(one["todo"] or one["text"] for one in unasked)
    assert macs["10.10.0.2"]["state"] == "own"
    assert macs["10.10.0.99"]["state"] == "silent"
    assert macs["192.0.2.1"]["state"] in ("routed", "no-route")
    assert seen["announced"] == "this host does not hold 10.10.0.77"
    assert heard_something(seen["heard"]), "the servers' answers to macs_of and more"
    assert seen["wrong"] == []
    assert connections(lab, "lb1", "10.10.0.2") == ""


def test_healthy_cluster_from_its_backup(lab: Lab) -> None:
    seen = probe(lab, "lb2", HEALTHY)
    asked = seen["asked"][VIP]
    assert [answer["mac"] for answer in asked["answers"]] == [mac(lab, "lb1")]
    assert wrong(asked) == []
    assert f"{mac(lab, 'lb1')} (lb1 10.10.0.2)" in asked["evidence"][1]
    assert [path["state"] for path in seen["paths"]] == ["answered"] * 3, seen["paths"]
    assert heard_something(seen["heard"]), seen["heard"]
    assert seen["wrong"] == []
    assert connections(lab, "lb1", "10.10.0.6") == "", "nothing reached the MASTER's table"


ASK = "show(asked=ask_all([VIP], servers=SERVERS)[VIP])"


def test_real_server_that_answers_for_the_vip(lab: Lab) -> None:
    rs3 = mac(lab, "rs3")
    lab.fault("arp", "rs3")
    for node in ("lb1", "lb2"):
        (line,) = wrong(probe(lab, node, ASK)["asked"])
        assert line.startswith(f"answered by {rs3} (rs3 10.10.0.5) ")
    lab.fault("no-arp", "rs3")
    assert wrong(probe(lab, "lb1", ASK)["asked"]) == []


def test_real_server_whose_own_requests_speak_for_the_vip(lab: Lab) -> None:
    lab.fault("arp", "rs3")
    listen = """
until = time.monotonic() + 15
with ArpListener([VIP], SERVERS) as ear:
    time.sleep(2)
    print("ready", file=sys.stderr, flush=True)
    while not ear.wrong and time.monotonic() < until:
        time.sleep(0.1)
show(heard=ear.words, wrong=ear.wrong)
"""
    process = lab.spawn(
        "lb2", [sys.executable, "-c", PREFACE + listen], env={"PYTHONPATH": str(PACKAGE_PARENT)}
    )
    lab.wait("lb2", lambda: b"ready" in process.errors(), what="listening", timeout=30)
    # Something with the VIP as its source leaves for an address whose MAC is not known.
    lab.run(
        "rs3",
        ["/bin/bash", "-c", "ip neigh flush dev eth0; ping -c1 -W1 -I 10.10.0.20 10.10.0.77"],
        check=False,
    )
    assert process.wait(30) == 0, process.errors()
    seen = json.loads(process.output())
    assert seen["heard"].endswith("rs3 speaks for the VIP"), seen
    # The lab's own clients may make it ask before the ping does.
    assert seen["wrong"][0].startswith("rs3 asks for 10.10.0."), seen


PATHS = "show(paths=[try_path(VIP, 80, a) for a in SERVERS])"


def states(lab: Lab, node: str = "lb1") -> list[str]:
    return [path["state"] for path in probe(lab, node, PATHS)["paths"]]


def test_missing_vip_and_closed_port(lab: Lab) -> None:
    lab.fault("remove-vip", "rs2")
    lab.fault("stop", "rs3", "web")
    for node in ("lb1", "lb2"):
        assert states(lab, node) == ["answered", "silent", "refused"]


def test_missing_vip_on_a_router(lab: Lab) -> None:
    forward = "/proc/sys/net/ipv4/ip_forward"
    before = lab.run("rs2", f"cat {forward}").stdout.strip()
    lab.run("rs2", f"echo 1 > {forward}")
    try:
        lab.fault("remove-vip", "rs2")
        for node in ("lb1", "lb2"):
            (found,) = probe(lab, node, "show(p=try_path(VIP, 80, '10.10.0.4'))").values()
            assert found["state"] == "forwards", found
        assert connections(lab, "lb1", "10.10.0.6") == "", "nothing reached the MASTER's table"
    finally:
        lab.run("rs2", f"echo {before} > {forward}")


INSIDE = """
import os, socket, subprocess, sys
def run(words):
    subprocess.run(words, shell=True, check=True)
here, there = socket.socketpair()
child = os.fork()
if child == 0:
    import ctypes
    assert ctypes.CDLL(None).unshare(0x40000000) == 0
    there.send(b".")
    there.recv(1)
    run("ip link set lo up; ip addr add VIP/32 dev lo; ip addr add 172.30.0.2/24 dev c1;"
        "ip link set c1 up; ip route add default via 172.30.0.1")
    listener = socket.create_server(("VIP", 80))
    there.send(b".")
    there.recv(1)
    os._exit(0)
here.recv(1)
run(f"ip link add c0 type veth peer name c1 netns {child}; ip addr add 172.30.0.1/24 dev c0;"
    "ip link set c0 up")
here.send(b".")
here.recv(1)
run("ip route add VIP/32 via 172.30.0.2")
print("ready", flush=True)
sys.stdin.read()
here.send(b".")
os.waitpid(child, 0)
""".replace("VIP", VIP)


def test_service_in_a_container(lab: Lab) -> None:
    """A real server that hands the VIP's packets to a network namespace of its own."""
    forward = "/proc/sys/net/ipv4/ip_forward"
    before = lab.run("rs2", f"cat {forward}").stdout.strip()
    lab.fault("remove-vip", "rs2")
    lab.run("rs2", f"echo 1 > {forward}")
    container = lab.spawn("rs2", [sys.executable, "-c", INSIDE])
    try:
        lab.wait("rs2", lambda: b"ready" in container.output(), what="a container", timeout=20)
        script = "show(p=try_path(VIP, 80, '10.10.0.4'))"
        (found,) = probe(lab, "lb1", script).values()
        assert found["state"] == "answered", found
        assert "to a container perhaps" in found["evidence"][-1]
        (found,) = probe(lab, "lb2", script).values()
        assert found["state"] == "forwards", found
        assert "the MASTER can tell" in found["evidence"][-1]
    finally:
        container.close_input()
        container.wait(10)
        lab.run("rs2", f"echo {before} > {forward}")


def test_without_the_right(lab: Lab) -> None:
    everything = """
with ArpListener([VIP], {}) as ear:
    pass
show(all=[ask_all([VIP])[VIP], macs_of(["10.10.0.3"])["10.10.0.3"],
          try_path(VIP, 80, "10.10.0.3")], words=[ear.words, announce([VIP])])
"""
    drop = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all")
    seen = probe(lab, "lb1", everything, *drop)
    for result in seen["all"]:
        assert result["text"] == "no raw sockets for this user"
        assert "CAP_NET_RAW" in result["todo"]
    assert seen["words"] == ["no raw sockets for this user"] * 2


def test_link_down(lab: Lab) -> None:
    lab.fault("unplug", "lb2")
    (asked,) = probe(lab, "lb2", "show(p=ask_all([VIP], 'eth0')[VIP])").values()
    assert asked["text"] == "eth0 is down"


def neighbour(lab: Lab) -> str:
    return lab.run("client", f"ip neigh show {VIP}").stdout


def test_announcement_heals_the_client(lab: Lab) -> None:
    rs3, lb1 = mac(lab, "rs3"), mac(lab, "lb1")
    for state in ("stale", "reachable"):
        lab.run("client", f"ip neigh replace {VIP} lladdr {rs3} nud {state} dev eth0")
        done = probe(lab, "lb1", "show(done=announce([VIP]))")["done"]
        assert done == "announced, 4 frames"
        assert lb1 in neighbour(lab), (state, done)


def test_announcement_heals_what_a_leak_poisoned(lab: Lab) -> None:
    rs3, lb1 = mac(lab, "rs3"), mac(lab, "lb1")
    lab.fault("arp", "rs3")
    # rs3 asks for the client with the VIP as its sender, which the client believes.
    leak = f"ip neigh flush dev eth0; ping -c1 -W1 -I {VIP} 10.10.0.10"

    def poisoned() -> bool:
        lab.run("rs3", leak, check=False)
        return rs3 in neighbour(lab)

    lab.wait("client", poisoned, what="the client poisoned", interval=1.1)
    lab.run(
        "rs3",
        "cd /proc/sys/net/ipv4/conf && for i in all eth0; do "
        "echo 1 > $i/arp_ignore; echo 2 > $i/arp_announce; done",
    )
    probe(lab, "lb1", "show(done=announce([VIP]))")
    assert lb1 in neighbour(lab)


def test_vip_on_a_vmac(lab: Lab) -> None:
    """What keepalived does with use_vmac, done by hand for another address."""
    vip, vmac = "10.10.0.21", "00:00:5e:00:01:15"
    lab.run(
        "lb1",
        f"ip link add vrrp.21 link eth0 address {vmac} type macvlan mode private && "
        "ip link set vrrp.21 up && echo 1 > /proc/sys/net/ipv4/conf/eth0/arp_ignore && "
        f"ip addr add {vip}/32 dev vrrp.21",
    )
    try:
        # A real server that has the director's own address at the VMAC, as a careless probe from
        # the VMAC link would leave it.
        lab.run(
            "rs1",
            f"ip neigh replace 10.10.0.2 lladdr {vmac} nud permanent dev eth0 && "
            f"ip addr add {vip}/32 dev lo",
        )
        script = f"""
asked = ask_all([{vip!r}])[{vip!r}]
path = try_path({vip!r}, 80, "10.10.0.3")
show(asked=asked, path=path, done=announce([{vip!r}]))
"""
        seen = probe(lab, "lb1", script)
        assert seen["asked"]["answers"] == []
        assert " on eth0 from " in seen["asked"]["evidence"][0]
        assert f"vrrp.21 ({vmac})" in seen["asked"]["evidence"][1]
        # The web server listens on the VIP alone, and so refuses here: it was reached.
        assert seen["path"]["state"] in ("answered", "refused"), seen["path"]
        assert seen["done"] == "announced, 4 frames"
        ask = f"show(asked=ask_all([{vip!r}], servers=SERVERS)[{vip!r}])"
        (asked,) = probe(lab, "lb2", ask).values()
        assert ([one["mac"] for one in asked["answers"]], wrong(asked)) == ([vmac], [])
    finally:
        lab.run("rs1", f"ip neigh del 10.10.0.2 dev eth0; ip addr del {vip}/32 dev lo", check=False)
        lab.run("lb1", "ip link del vrrp.21; echo 0 > /proc/sys/net/ipv4/conf/eth0/arp_ignore")


SIX = """
six = {a: n for a, n in (("fd00:10:10::3", "rs1"), ("fd00:10:10::4", "rs2"))}
VIP6 = "fd00:10:10::20"
with ArpListener([VIP6], {}) as ear:
    time.sleep(0.5)
    asked = ask_all([VIP6], servers=six)[VIP6]
    macs = macs_of(list(six))
    paths = [try_path(VIP6, 80, a) for a in six]
    done = announce([VIP6])
    time.sleep(0.5)
show(asked=asked, macs=macs, paths=paths, done=done, heard=ear.words)
"""


def test_ipv6() -> None:
    with Lab(Topology(ipv6=True, real_servers=("rs1", "rs2"))) as lab:
        lab.wait_all_up(60)
        seen = probe(lab, "lb1", SIX)
        assert wrong(seen["asked"]) == [], seen["asked"]
        for address, name in (("fd00:10:10::3", "rs1"), ("fd00:10:10::4", "rs2")):
            assert seen["macs"][address]["macs"] == [mac(lab, name)], seen["macs"]
        assert [path["state"] for path in seen["paths"]] == ["answered"] * 2, seen["paths"]
        assert seen["done"] == "announced, 2 frames"
        assert seen["heard"].endswith(" s: quiet")
        lab.fault("remove-vip", "rs1")
        lab.fault("stop", "rs2", "web")
        # The VIP on a real server's own interface is the one way to have it answer for it.
        lab.run("rs1", "ip -6 addr add fd00:10:10::20/128 dev eth0 nodad")
        rs1 = mac(lab, "rs1")
        for node in ("lb1", "lb2"):
            seen = probe(lab, node, SIX)
            (line,) = wrong(seen["asked"])
            assert rs1 in line, node
        lab.run("rs1", "ip -6 addr del fd00:10:10::20/128 dev eth0")
        assert [p["state"] for p in probe(lab, "lb1", SIX)["paths"]] == ["silent", "refused"]
