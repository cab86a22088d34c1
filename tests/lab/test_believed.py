"""What others write in keepalived's name, and send in its form, changes nothing that is said."""

from __future__ import annotations

import shlex

from tests.lab.director import python, status
from tests.labs import Lab

_FORGED = """
import socket
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.connect("/dev/log")
for pid in (1, 77, 4242):
    log.send(b"<30>Keepalived_vrrp[%d]: (LB_1) Entering FAULT STATE" % pid)
    log.send(
        b"<30>Keepalived_healthcheckers[%d]: Removing service [10.10.0.3]:tcp:80 from VS"
        b" [10.10.0.20]:tcp:80" % pid
    )
"""
_FLOOD = """
import socket, struct, time
sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
end = time.monotonic() + 8
number = 0
while time.monotonic() < end:
    number += 1
    body = struct.pack("!BBBBBBH", 0x21, 51, number % 50 + 1, 1, 0, 1, 0)
    body += bytes((10, 10, 0, 20)) + bytes(8)
    source = bytes((192, 0, 2 + (number >> 8) % 250, number & 255))
    head = struct.pack("!BBHHHBBH", 0x45, 0xC0, 20 + len(body), 1, 0, 255, 112, 0)
    sock.sendto(head + source + bytes((224, 0, 0, 18)) + body, ("224.0.0.18", 0))
"""


def test_lines_that_any_user_can_write_are_not_keepaliveds_words(lab: Lab) -> None:
    nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups "
    lab.run("lb1", nobody + python(f"-c {shlex.quote(_FORGED)}"))
    assert "Entering FAULT" in lab.run("lb1", "cat /var/log/syslog").stdout
    assert "10.10.0.20" in lab.run("lb1", "ip -br addr show eth0").stdout
    code, document = status(lab)
    assert (code, document["reasons"]) == (0, [])
    assert document["instances"][0]["state"] == "MASTER"
    assert all(r["state"] == "up" for s in document["services"] for r in s["servers"])
    assert [gap["source"] for gap in document["gaps"] if gap["source"] != "memfd"] == ["log-words"]
    lab.run("lb1", ": > /var/log/syslog")


def test_a_flood_of_forged_adverts_does_not_hide_the_master(lab: Lab) -> None:
    flood = lab.spawn("client", python(f"-c {shlex.quote(_FLOOD)}"))
    try:
        _, document = status(lab, "lb2", "--sample 4")
    finally:
        flood.kill()
        flood.wait(10)
    (instance,) = document["instances"]
    assert (instance["state"], instance["adverts_on_time"]) == ("BACKUP", True)
    assert (instance["master_address"], instance["master_priority"]) == ("10.10.0.2", 150)
    assert "10.10.0.2" in {instance["master_address"], *instance["other_senders"]}
