"""Read-only as root on a real director, traced: nothing is written, signalled or changed."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from lvstui.realserver import transaction
from tests.lab import strace
from tests.lab.director import LVSTUI, PATIENCE_S, ROOT, lvstui, python, status
from tests.labs import Lab

TRACE = "/root/trace"
READ_ONLY = f"{LVSTUI} --read-only"
SCREENS = {
    "ServicesScreen",
    "FailoverScreen",
    "ConfigScreen",
    "RealServersScreen",
    "EventsScreen",
    "HelpScreen",
    "Palette",
    "TextScreen",
    "HistoryScreen",
}
"""A change that waits is told as a text here: read-only it can be neither kept nor undone."""


@pytest.fixture
def waiting(lab: Lab) -> Iterator[None]:
    """A change that waits to be kept: its dialog can be opened."""
    lvstui(lab, "config weight rs1 9 --service web --yes --hold --timer 3600 --alone")
    yield
    lvstui(lab, "config back")
    lab.run("lb1", "rm -rf /var/lib/lvstui/config")


def traced(lab: Lab, words: str) -> tuple[dict[str, Any], list[strace.Deed], list[str]]:
    """What the driver found, what it should not have done, and the marks that it passed."""
    command = f"cd /; PYTHONDONTWRITEBYTECODE=1 {strace.COMMAND} -o {TRACE} {python(words)}"
    done = lab.run("lb1", command, timeout=6 * PATIENCE_S, check=False)
    assert done.status == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "Traceback" not in done.stderr, done.stderr[-3000:]
    text = lab.run("lb1", f"cat {TRACE}; rm {TRACE}", timeout=PATIENCE_S).stdout
    deeds, marks = strace.judged(text)
    return json.loads(done.stdout.splitlines()[-1]), deeds, marks


def world(lab: Lab) -> list[str]:
    """What a command could have changed, of what does not change by itself."""
    # Where the checkout stands the host writes, too.
    ours = shlex.quote(str(ROOT))
    return lab.run(
        "lb1",
        "awk '{ print $1, $2, $3, $4 }' /proc/net/ip_vs | sort; ip -o addr; "
        "sysctl net.ipv4.vs; cksum /etc/keepalived/* /root/.ssh/*; "
        "find /etc/keepalived /tmp /var/tmp /dev/shm /root/.ssh /var/lib/lvstui /var/log/lvstui "
        f"-path {ours} -prune -o ! -type d -print 2>/dev/null || :",
    ).stdout.splitlines()


@pytest.mark.usefixtures("waiting")
def test_no_command_changes_anything(lab: Lab) -> None:
    before = world(lab)
    found, deeds, marks = traced(lab, "-m tests.lab.readonly_driver commands")
    assert deeds == [], "\n".join(map(str, deeds))
    assert len(marks) == len(found["commands"]) > 100
    assert found["uid"] == 65534
    for words, (looks, code, text) in found["commands"].items():
        assert looks or (code, "read-only" in text) == (2, True), (words, code, text)
        assert code in (0, 1, 2, 130), (words, code, text)
    # What looks has seen something.
    for words in ("status", "config history", "config cat", "realserver look rs1"):
        assert found["commands"][words][1] == 0, found["commands"][words]
    assert " waiting " in found["commands"]["config history"][2]
    assert world(lab) == before


@pytest.mark.usefixtures("waiting")
def test_no_key_changes_anything(lab: Lab) -> None:
    before = world(lab)
    found, deeds, marks = traced(lab, "-m tests.lab.readonly_driver screens")
    assert deeds == [], "\n".join(map(str, deeds))
    assert found["uid"] == 65534
    assert found["status"] == 0
    assert len(marks) > found["pressed"] > 200
    met = {word.partition(" ")[0] for word in marks}
    assert met >= SCREENS, met
    assert world(lab) == before


def test_the_console_is_drawn_on_a_terminal_and_left(lab: Lab) -> None:
    found, deeds, _ = traced(lab, "-m tests.lab.readonly_driver terminal")
    assert deeds == [], "\n".join(map(str, deeds))
    assert (found["status"], found["left"], found["read-only"]) == (0, 0, True), found


CHANGES = """
import os, signal
open("/root/made", "w").close()
os.unlink("/root/made")
os.kill(int(open("/run/keepalived.pid").read()), signal.SIGURG)
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.operations.weight_changes import LiveKernel
server = ServerKey("10.10.0.3", 80)
LiveKernel().set_weight(ServiceKey.parse("tcp 10.10.0.20:80"), server, 10)
print("{}")
"""


def test_the_recorder_sees_what_it_has_to(lab: Lab) -> None:
    lab.write("lb1", "/root/changes.py", CHANGES)
    _, deeds, _ = traced(lab, "/root/changes.py")
    lab.run("lb1", "rm /root/changes.py")
    told = "\n".join(map(str, deeds))
    for word in ("/root/made", "unlink", "SIGURG", "nlmsg_type=IPVS"):
        assert word in told, told


def test_a_look_leaves_no_file_on_the_host(lab: Lab) -> None:
    script = "N=1\nVIPS='10.10.0.20'\nDIPS='10.10.0.2'\n" + transaction.script("look.sh")
    lab.write("rs1", "/root/look.sh", script)
    lab.run("rs1", f"{strace.COMMAND} -o {TRACE} sh /root/look.sh > /dev/null", timeout=PATIENCE_S)
    text = lab.run("rs1", f"cat {TRACE}; rm {TRACE} /root/look.sh", timeout=PATIENCE_S).stdout
    # Its programs (ss, nft) ask the kernel in more ways than lvstui does itself.
    asking = re.compile(r"\d+ +(socket|send\w+|setsockopt|ioctl)\(")
    deeds, _ = strace.judged("\n".join(x for x in text.splitlines() if not asking.match(x)))
    assert deeds == [], "\n".join(map(str, deeds))


ASKS_SUDO = """
from lvstui.process import readonly
readonly.enter()
from lvstui.remote.connect import Connector
from lvstui.remote.runner import Access, SecretAnswer

class Operator:
    asked = []
    def accept_key(self, key): return True
    def secret(self, request):
        self.asked.append(request.kind)
        return SecretAnswer("lab")

with Connector(Operator()) as connector:
    runner = connector.open(Access("rs1", user="ops"))
    script = '''id -u; echo "it's {me}"; ls -A /dev/shm /tmp /var/tmp'''
    print(runner.run(script, root=True).text)
    print(Operator.asked)
"""


def test_sudos_password_leaves_no_file_on_the_host(lab: Lab) -> None:
    lab.write("lb1", "/root/asks.py", ASKS_SUDO)
    done = lab.run("lb1", python("/root/asks.py"), timeout=PATIENCE_S, check=False)
    lab.run("lb1", "rm /root/asks.py")
    lines = done.stdout.split("\n")
    assert lines[:2] == ["0", "it's {me}"], done.stdout + done.stderr
    assert ".lvstui-" not in done.stdout
    assert lines[-2] == "['sudo']"


def test_read_only_sees_what_root_sees(lab: Lab) -> None:
    lvstui(lab, "status --ask")
    code, whole = status(lab)
    done = lab.run("lb1", f"{READ_ONLY} status --json", timeout=PATIENCE_S, check=False)
    seen = json.loads(done.stdout)
    assert done.status == code
    # A word may come between two looks: what differs from the one before and from the one after.
    _, after = status(lab)
    odd = unlike(same(seen), same(after))
    assert {path: odd[path] for path in odd.keys() & unlike(same(seen), same(whole)).keys()} == {}


MOVING = {
    "connections",
    "active_connections",
    "inactive_connections",
    "packets_in",
    "packets_out",
    "bytes_in",
    "bytes_out",
    "at_epoch_s",
    "last_advert_epoch_s",
    "uptime_s",
}
UNSURE = {"rates", "share_of_traffic", "since_epoch_s", "events", "cost", "handshakes"}
"""They depend on the moment of the look."""


def same(value: Any) -> Any:
    """What two looks at a quiet director have in common: of numbers that move, that they are."""
    if isinstance(value, dict):
        return {
            key: one is not None if key in MOVING else same(one)
            for key, one in value.items()
            if key not in UNSURE
        }
    return [same(one) for one in value] if isinstance(value, list) else value


def unlike(one: Any, other: Any, path: str = "") -> dict[str, tuple[Any, Any]]:
    """Where two documents differ, and what each has there."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = one.keys() | other.keys()
        found = [unlike(one.get(key), other.get(key), f"{path}.{key}") for key in keys]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        found = [unlike(*pair, f"{path}[{number}]") for number, pair in pairs]
    else:
        return {} if one == other else {path: (one, other)}
    return {path: pair for part in found for path, pair in part.items()}


def test_another_readers_fifo_is_left_alone(lab: Lab) -> None:
    lab.run("lb1", "echo 'INSTANCE \"LB_1\" MASTER 150' > /run/keepalived/vrrp.fifo")
    lab.run("lb1", f"{READ_ONLY} status", timeout=PATIENCE_S, check=False)
    left = lab.run("lb1", "timeout 2 cat /run/keepalived/vrrp.fifo", check=False).stdout
    assert "MASTER 150" in left
