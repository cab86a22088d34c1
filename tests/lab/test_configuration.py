"""Changes of keepalived.conf on real directors: in force as planned, or as before."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lvstui.lab import Lab

CONF = "/etc/keepalived/keepalived.conf"
STATE = "/var/lib/lvstui/config"
WEB = "tcp 10.10.0.20:80"
ROUNDS = 200 if os.environ.get("LVSTUI_EVERY_CUT") else 15
_DRIVER = Path(__file__).with_name("configuration_driver.py")


def coded(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


class Engine:
    """The driver on a node."""

    def __init__(self, lab: Lab, *names: str) -> None:
        self.lab = lab
        self.node = names[0]
        lab.write(self.node, "/root/driver.py", _DRIVER.read_bytes())
        command = f"exec {shlex.quote(sys.executable)} /root/driver.py {' '.join(names)}"
        self.process = lab.spawn(self.node, command)
        self._seen = 0
        self.wait("ready")

    def send(self, **order: Any) -> None:
        self.process.write(json.dumps(order).encode() + b"\n")

    def wait(self, word: str, timeout_s: float = 180.0) -> str:
        """The rest of the next line that begins with `word`."""
        until = time.monotonic() + timeout_s
        while True:
            lines = self.process.output().decode().split("\n")[:-1]
            while self._seen < len(lines):
                line = lines[self._seen]
                self._seen += 1
                if line.startswith(word):
                    return line[len(word) :].strip()
            assert time.monotonic() < until, (word, self.process.errors().decode()[-3000:], lines)
            time.sleep(0.02)

    def ask(self, **order: Any) -> dict[str, Any]:
        self.send(**order)
        answer: dict[str, Any] = json.loads(self.wait("answer"))
        return answer

    def files(self, new: bytes, path: str = CONF) -> dict[str, Any]:
        """This director's file as it is, and as it is to be."""
        return {self.node: {path: [coded(read(self.lab, self.node, path)), coded(new)]}}

    def close(self) -> None:
        self.process.kill()
        self.process.wait(10)


def read(lab: Lab, node: str, path: str = CONF) -> bytes:
    return lab.run(node, f"cat {path}").stdout.encode()


def daemon(lab: Lab, node: str = "lb1") -> str:
    """Pids and start times of keepalived's processes; what a restart changes."""
    script = (
        "for p in /proc/[0-9]*; do read -r c < $p/comm; case $c in keepalived*) "
        "read -r l < $p/stat; set -- ${l##*) }; [ $1 = Z ] || echo ${p#/proc/} ${20};; esac; done"
    )
    return lab.run(node, f"{{ {script}; }} 2>/dev/null | sort -n").stdout


def holds_vip(lab: Lab, node: str, vip: str = "10.10.0.20") -> bool:
    return f" {vip}/" in lab.run(node, "ip -o addr show dev eth0").stdout


def pool(lab: Lab, node: str = "lb1") -> dict[str, list[str]]:
    """Destinations of the web service in the kernel: address to method and weight."""
    found: dict[str, list[str]] = {}
    inside = False
    for line in lab.run(node, "cat /proc/net/ip_vs").stdout.splitlines():
        words = line.split()
        if words[:1] == ["->"]:
            if inside:
                found[words[1]] = words[2:4]
        else:
            inside = words[:2] == ["TCP", "0A0A0014:0050"]
    return found


def requests(lab: Lab, since_ms: int) -> list[list[str]]:
    """The client's short web requests since then: stamp, service, who answered, ms, word."""
    lines = lab.run("client", "tail -n 4000 /var/log/client.log").stdout.splitlines()
    rows = [line.split() for line in lines]
    return [r for r in rows if int(r[0]) >= since_ms and r[1] == "web" and "download" not in r]


def now_ms(lab: Lab) -> int:
    return int(float(lab.run("client", "date +%s.%N").stdout) * 1000)


def without_server(text: bytes, server: str, service: bytes = b"10.10.0.20 80 ") -> bytes:
    """The file without one real server of one service."""
    head, mark, rest = text.partition(b"virtual_server " + service)
    body, end, tail = rest.partition(b"\n}\n")
    pattern = rb"\n    real_server [^\n]*# " + server.encode() + rb"\n(?:        [^\n]*\n)*    \}\n"
    less, count = re.subn(pattern, b"", body + b"\n")
    assert count == 1, body
    return head + mark + less.rstrip(b"\n") + end + tail


def clean(lab: Lab, *nodes: str) -> None:
    for node in nodes:
        lab.run(node, f"rm -rf {STATE}; rm -f /etc/keepalived/.lvstui*")


@pytest.fixture
def engine(lab: Lab) -> Iterator[Engine]:
    clean(lab, "lb1", "lb2")
    found = Engine(lab, "lb1")
    yield found
    found.close()
    clean(lab, "lb1", "lb2")


def test_a_server_leaves_and_comes_back_and_no_other_notices(lab: Lab, engine: Engine) -> None:
    whole = read(lab, "lb1")
    before = daemon(lab)
    since = now_ms(lab)
    less = without_server(whole, "rs3")
    out = engine.ask(do="apply", title="rs3 leaves web", files=engine.files(less), reason="test")
    assert (out["ended"], out["refusals"]) == ("waiting", []), out
    assert "0A0A0005:0050" not in pool(lab)
    assert engine.ask(do="confirm", id=out["id"])["ended"] == "confirmed"

    out = engine.ask(do="apply", title="rs3 comes to web", files=engine.files(whole))
    assert out["ended"] == "waiting", out
    assert pool(lab)["0A0A0005:0050"] == ["Route", "10"]
    came = now_ms(lab)
    lab.wait("lb1", lambda: any(r[2] == "rs3" for r in requests(lab, came)), what="an answer")
    assert engine.ask(do="confirm", id=out["id"])["ended"] == "confirmed"

    out = engine.ask(do="rollback", id=out["id"])
    assert out["ended"] == "waiting", out
    assert "0A0A0005:0050" not in pool(lab)
    assert read(lab, "lb1") == less
    back = engine.ask(do="take back", id=out["id"])
    assert back["ended"] == "taken back", back
    assert read(lab, "lb1") == whole
    assert daemon(lab) == before
    assert holds_vip(lab, "lb1")
    rows = requests(lab, since)
    assert {r[2] for r in rows} >= {"rs1", "rs2", "rs3"}
    assert [r for r in rows if r[-1] != "ok" and r[2] not in ("rs3", "-")] == []
    lost = [r for r in rows if r[-1] != "ok"]
    assert len(lost) == 0, lost
    titles = [e["title"] for e in engine.ask(do="history")["entries"]]
    assert titles[1:] == ["rs3 comes to web", "rs3 leaves web"]
    audit = lab.run("lb1", "tail -n 20 /var/log/lvstui/audit.jsonl").stdout
    assert "rs3 leaves web" in audit


def as_nat(text: bytes) -> bytes:
    """The web service forwards by NAT, which its servers know nothing of."""
    head, mark, rest = text.partition(b"virtual_server 10.10.0.20 80 ")
    return head + mark + rest.replace(b"lb_kind DR", b"lb_kind NAT", 1)


def test_nat_whose_replies_do_not_pass_here_is_taken_back(lab: Lab, engine: Engine) -> None:
    whole = read(lab, "lb1")
    before = daemon(lab)
    out = engine.ask(do="apply", files=engine.files(as_nat(whole)), force=True)
    assert out["ended"] == "taken back", out
    bad = [v for v in out["verified"] if not v[2]]
    assert bad
    assert all("NAT" in v[1] for v in bad), bad
    assert read(lab, "lb1") == whole
    lab.wait("lb1", lambda: {m for m, _ in pool(lab).values()} == {"Route"}, what="DR again")
    assert daemon(lab) == before
    assert holds_vip(lab, "lb1")


def test_what_a_killed_lvstui_left_is_taken_back_by_the_timer(lab: Lab, engine: Engine) -> None:
    whole = read(lab, "lb1")
    before = daemon(lab)
    less = without_server(whole, "rs3")
    engine.send(do="apply", files=engine.files(less), timer=15)
    engine.wait("stage looking what")
    engine.process.kill(9)
    lab.wait("lb1", lambda: "0A0A0005:0050" not in pool(lab), what="the new file in force")
    assert read(lab, "lb1") == less
    other = Engine(lab, "lb1")
    (waits,) = other.ask(do="waiting")["entries"]
    assert waits["standing"][0][3], "nobody guards it"
    busy = other.ask(do="apply", files=other.files(whole.replace(b"rr", b"wrr", 1)))
    assert busy["ended"] == "refused"
    assert "another change is under way" in busy["text"]
    lab.wait("lb1", lambda: read(lab, "lb1") == whole, timeout=90, what="the timer")
    lab.wait("lb1", lambda: "0A0A0005:0050" in pool(lab), what="rs3 in the pool again")
    (kept,) = other.ask(do="history")["entries"]
    assert kept["ended"] == "taken back"
    assert "the timer ran out" in kept["text"]
    assert (daemon(lab), holds_vip(lab, "lb1")) == (before, True)
    other.close()
