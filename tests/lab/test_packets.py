"""The way of the packets on a real cluster: what is lost, what is not, and what is asked now."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lvstui.lab.topology import Service, Topology
from tests.lab.conftest import Labs
from tests.lab.director import Watch, lvstui
from tests.labs import Lab

WEB = "tcp 10.10.0.20:80"
NAT = Topology(services=(Service("web", forward="NAT", checkers=("http",), per_second=20.0),))
KEEPS_ITS_PORT = """
    import socket, time
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("", 5555))
    question = b"\\0\\1\\1\\0\\0\\1" + bytes(6) + b"\\7example\\3lab\\0\\0\\20\\0\\1"
    while True:
        sock.sendto(question, ("10.10.0.20", 53))
        time.sleep(0.2)
"""
FLOOD = """
    import random, socket, struct, time
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    target = socket.inet_aton("10.10.0.20")
    while True:
        source = bytes((10, 10, 0, random.randrange(100, 250)))
        port = random.randrange(1024, 65536)
        tcp = struct.pack("!HHIIBBHHH", port, 80, 1, 0, 5 << 4, 2, 1024, 0, 0)
        words = struct.unpack("!16H", source + target + struct.pack("!HH", 6, 20) + tcp)
        total = sum(words)
        total = (total & 0xFFFF) + (total >> 16)
        total = ~(total + (total >> 16)) & 0xFFFF
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 40, 0, 0, 64, 6, 0) + source + target
        sock.sendto(ip + tcp[:16] + struct.pack("!H", total) + tcp[18:], ("10.10.0.20", 0))
        time.sleep(0.004)
"""


@contextmanager
def client(lab: Lab, program: str) -> Iterator[None]:
    """A program of the client's that goes on until the end."""
    process = lab.spawn("client", f"exec python3 -c {shlex.quote(textwrap.dedent(program))}")
    try:
        yield
    finally:
        process.kill()
        process.wait(10)


def told(document: dict[str, Any], word: str) -> list[dict[str, Any]]:
    return [warning for warning in document["warnings"] if word in warning["text"]]


def entries(lab: Lab, server: str, state: str) -> int:
    """What the kernel's own tool says."""
    lines = lab.run("lb1", "ipvsadm -Lnc").stdout.splitlines()
    return sum(state in line and line.endswith(server) for line in lines)


def is_dropped(lab: Lab, watch: Watch, server: str = "10.10.0.4:80") -> None:
    """Only that server is named, and the kernel agrees."""
    seen = watch.wait(lambda d: told(d, "never got established"), "named", 60)
    (warning,) = told(seen, "never got established")
    assert (warning["severity"], warning["server"]) == ("bad", server)
    never = int(re.findall(r": (\d+) of \d+ connections", warning["text"])[0])
    assert 0 < never <= entries(lab, server, "SYN_RECV")
    assert seen["verdict"] == "degraded"


def test_a_server_without_its_vip_is_named_until_it_has_it_again(lab: Lab) -> None:
    with Watch(lab, "lb1") as watch:
        watch.wait(lambda d: d["services"], "the first picture")
        lab.fault("remove-vip", "rs2")
        is_dropped(lab, watch)
        done = lvstui(lab, f"check '{WEB}' rs2")
        assert done.status == 1
        assert "✓ HTTP_GET: GET / at 10.10.0.4:80: status 200 OK" in done.stdout
        assert "✖ SYN for 10.10.0.20 to the MAC of 10.10.0.4: no answer" in done.stdout
        lab.fault("add-vip", "rs2")
        last = len(watch.documents())
        again = "connections to rs2 in tcp 10.10.0.20:80 get established again"
        watch.wait(lambda d: any(e["text"] == again for e in d["events"]), again, 60)
        assert not told(watch.documents()[last:][-1], "never got established")


def test_a_server_behind_nat_without_a_way_back_is_named(labs: Labs) -> None:
    lab = labs(NAT)
    lab.wait_all_up()
    assert lvstui(lab, "check 'tcp 10.20.0.20:80' rs2").status == 0
    with Watch(lab, "lb1") as watch:
        watch.wait(lambda d: d["services"], "the first picture")
        # The director asks from an address of its own network, and goes on hearing of it.
        lab.run("rs2", "ip route del default")
        is_dropped(lab, watch)


def test_a_client_that_keeps_its_port_and_lost_its_server_is_told_what_mends_it(lab: Lab) -> None:
    def port() -> str:
        found = re.search(r":5555 +\S+ +(\S+)", lab.run("lb1", "ipvsadm -Lnc").stdout)
        return found[1] if found else ""

    with Watch(lab, "lb1") as watch, client(lab, KEEPS_ITS_PORT):
        server = lab.wait("lb1", port, what="the flow has a server")
        lab.run("lb1", f"sleep 5; ipvsadm -d -u 10.10.0.20:53 -r {server}")
        seen = watch.wait(lambda d: told(d, "expire_nodest_conn"), "named", 60)
        (warning,) = told(seen, "expire_nodest_conn")
        assert (warning["severity"], warning["server"]) == ("warn", server)
        # The lab's own client may have met a port of its former questions.
        assert re.search(r"\d+ connections? of clients still goe?s? to", warning["text"])
        assert port() == server
        lab.run("lb1", "sysctl -qw net.ipv4.vs.expire_nodest_conn=1")
        try:
            lab.wait("lb1", lambda: port() not in ("", server), what="another server")
            at = len(watch.documents())
            watch.wait(lambda d: d in watch.documents()[at:] and not told(d, "nodest"), "gone")
        finally:
            back = f"ipvsadm -a -u 10.10.0.20:53 -r {server} -g -w 10"
            lab.run("lb1", f"sysctl -qw net.ipv4.vs.expire_nodest_conn=0; {back}")


def test_a_vip_on_no_interface_is_told_on_the_master_alone(lab: Lab) -> None:
    nowhere = "10.10.0.99 of tcp 10.10.0.99:80 is on no interface of this MASTER"
    add = "ipvsadm -A -t 10.10.0.99:80 -s rr; ipvsadm -a -t 10.10.0.99:80 -r 10.10.0.3:80 -g -w 1"
    for node in ("lb1", "lb2"):
        lab.run(node, add)
    try:
        with Watch(lab, "lb2") as backup, Watch(lab, "lb1") as watch:
            watch.wait(lambda d: told(d, nowhere), "named", 60)
            assert "local" not in lab.run("lb1", "ip route get 10.10.0.99").stdout
            assert not any(told(d, nowhere) for d in backup.documents())
            lab.run("lb1", "ip route add local 10.10.0.99 dev lo")
            at = len(watch.documents())
            watch.wait(lambda d: d in watch.documents()[at:] and not told(d, nowhere), "covered")
    finally:
        lab.run("lb1", "ip route del local 10.10.0.99 dev lo", check=False)
        for node in ("lb1", "lb2"):
            lab.run(node, "ipvsadm -D -t 10.10.0.99:80")


def test_a_server_that_hangs_is_asked_in_vain(lab: Lab) -> None:
    lab.fault("hang", "rs1")
    done = lvstui(lab, f"check '{WEB}' rs1")
    assert done.status == 1
    assert "✓ connect 10.10.0.3:80: connected" in done.stdout
    assert re.search(r"✖ HTTP_GET: GET / at 10.10.0.3:80: nothing within \d+ s", done.stdout)
    lab.fault("stop", "rs1")
    done = lvstui(lab, f"check '{WEB}' rs1")
    assert "✖ connect 10.10.0.3:80: connection refused" in done.stdout
    assert "port closed" in done.stdout


# Last: what it leaves in the connection table for a minute hides other flows from the sample.
def test_a_flood_of_syns_is_an_event_and_no_verdict(lab: Lab) -> None:
    with Watch(lab, "lb1") as watch, client(lab, FLOOD):
        flood = "tcp 10.10.0.20:80: all servers: "
        seen = watch.wait(
            lambda d: any(e["text"].startswith(flood) for e in d["events"]), "the flood", 60
        )
        assert entries(lab, "10.10.0.4:80", "SYN_RECV") > 8
        assert not any(told(d, "never got") for d in watch.documents())
        assert seen["services"][0]["servers"][1]["handshakes"]["never"] > 0
