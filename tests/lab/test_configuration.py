"""Changes of keepalived.conf on real directors: in force as planned, or as before."""

from __future__ import annotations

import base64
import json
import os
import random
import re
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.labs import Lab

CONF = "/etc/keepalived/keepalived.conf"
STATE = "/var/lib/lvstui/config"
WEB = "tcp 10.10.0.20:80"
VICTIMS = ("lvstui", "phase", "all")
ROUNDS = 200 if os.environ.get("LVSTUI_EVERY_CUT") else len(VICTIMS)
"""One of each; tests/unit/keepalived/daemon/test_change.py cuts a change at all of its steps."""
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
    assert engine.ask(do="confirm", id=out["id"])["ended"] == "kept"

    out = engine.ask(do="apply", title="rs3 comes to web", files=engine.files(whole))
    assert out["ended"] == "waiting", (out["text"], out["refusals"], out["new"])
    assert pool(lab)["0A0A0005:0050"] == ["Route", "10"]
    came = now_ms(lab)
    lab.wait("lb1", lambda: any(r[2] == "rs3" for r in requests(lab, came)), what="an answer")
    assert engine.ask(do="confirm", id=out["id"])["ended"] == "kept"

    out = engine.ask(do="rollback", id=out["id"])
    assert out["ended"] == "waiting", (out["text"], out["refusals"], out["new"])
    assert "0A0A0005:0050" not in pool(lab)
    assert read(lab, "lb1") == less
    back = engine.ask(do="take back", id=out["id"])
    assert back["ended"] == "rolled back", back
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
    out = engine.ask(do="apply", files=engine.files(as_nat(whole)))
    assert out["ended"] == "refused"
    assert "only when forced" in out["text"]
    assert re.search(r"keepalived\.conf:\d+:\d+ tcp 10\.10\.0\.20:80: 3 of 3", out["text"]), out
    assert read(lab, "lb1") == whole
    out = engine.ask(do="apply", files=engine.files(as_nat(whole)), force=True)
    assert out["ended"] == "rolled back", out["text"] + repr(out["verified"])
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
    busy = other.ask(do="apply", files=other.files(whole.replace(b"delay_loop 1", b"delay_loop 2")))
    assert busy["ended"] == "refused"
    assert "another change is under way" in busy["text"]
    lab.wait("lb1", lambda: read(lab, "lb1") == whole, timeout=90, what="the timer")
    lab.wait("lb1", lambda: "0A0A0005:0050" in pool(lab), what="rs3 in the pool again")
    (kept,) = other.ask(do="history")["entries"]
    assert kept["ended"] == "rolled back"
    assert "the timer ran out" in kept["text"]
    assert (daemon(lab), holds_vip(lab, "lb1")) == (before, True)
    other.close()


def instance(text: bytes, old: bytes, new: bytes) -> bytes:
    """The file with something else in its instance."""
    head, mark, rest = text.partition(b"vrrp_instance LB_1 {")
    assert old in rest
    return head + mark + rest.replace(old, new, 1)


def faults(good: bytes) -> dict[str, bytes]:
    """What kills keepalived at a reload, or empties it, by the measured matrix."""
    lines = good.split(b"\n")
    second = instance(
        good,
        b"}\n}\n",
        b"""}
}
vrrp_instance LB_2 {
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {
        10.10.0.99/24
    }
}
""",
    )
    last = b"\n    virtual_ipaddress {"
    return {
        "one-line block": instance(
            good,
            b"    virtual_router_id 51\n    priority 150\n",
            b"    authentication { auth_type PASS virtual_router_id 51 }\n    priority 150\n",
        ),
        "unterminated quote": instance(
            good,
            last,
            b'\n    authentication {\n        auth_type PASS\n        auth_pass "abcd\n'
            b"    }" + last,
        ),
        "missing parameter": instance(good, b"advert_int 1", b"advert_int"),
        "vrid 0": instance(good, b"virtual_router_id 51", b"virtual_router_id 0"),
        "vrid 256": instance(good, b"virtual_router_id 51", b"virtual_router_id 256"),
        "no vrid": instance(good, b"    virtual_router_id 51\n", b""),
        "no interface": instance(good, b"    interface eth0\n", b""),
        "no such interface": instance(good, b"interface eth0", b"interface nope0"),
        "duplicate vrid": second,
        "no such VIP interface": instance(good, b"10.10.0.20/24", b"10.10.0.20/24 dev nope0"),
        "no such tracked interface": instance(
            good, last, b"\n    track_interface {\n        nope0\n    }" + last
        ),
        "parameter missing in a checker": good.replace(b"connect_timeout 4", b"connect_timeout", 1),
        "empty": b"",
        "only comments": b"".join(b"# " + line + b"\n" for line in lines),
        "BOM": b"\xef\xbb\xbf" + good[good.index(b"vrrp_instance") :],
        "missing closing brace": instance(good, b"    }\n}\n", b"    }\n"),
        "missing opening brace": good.replace(b"vrrp_instance LB_1 {", b"vrrp_instance LB_1"),
        "cut off": good[: good.index(b"virtual_router_id")],
    }


def test_what_kills_or_empties_keepalived_is_refused(lab: Lab, engine: Engine) -> None:
    good = read(lab, "lb1")
    before = daemon(lab)
    wrong = {}
    for name, bad in faults(good).items():
        out = engine.ask(do="apply", files=engine.files(bad), force=True)
        said = " ".join(out["refusals"])
        if out["ended"] != "refused" or not re.search(r"keepalived\.conf:\d+", said):
            wrong[name] = (out["ended"], out["text"], out["new"])
        assert "abcd" not in json.dumps([out["refusals"], out["text"], out["new"]])
    lab.run("lb1", f"chmod 755 {CONF}")
    out = engine.ask(do="apply", files=engine.files(good + b"# more\n"), force=True)
    lab.run("lb1", f"chmod 644 {CONF}")
    if out["ended"] != "refused" or "execute bit" not in out["text"]:
        wrong["execute bit"] = (out["ended"], out["text"], out["new"])
    assert wrong == {}
    assert read(lab, "lb1") == good
    assert daemon(lab) == before
    assert holds_vip(lab, "lb1")
    assert engine.ask(do="history")["entries"] == []


def test_a_file_that_changed_meanwhile_is_left_alone(lab: Lab, engine: Engine) -> None:
    whole = read(lab, "lb1")
    files = engine.files(without_server(whole, "rs3"))
    theirs = whole + b"# somebody else was here\n"
    lab.write("lb1", CONF, theirs)
    out = engine.ask(do="plan", files=files)
    assert any(CONF in text and "changed since" in text for text in out["refusals"]), out
    engine.send(do="apply", files=engine.files(without_server(theirs, "rs3")), pause=True)
    engine.wait("planned")
    lab.write("lb1", CONF, theirs + b"# and again\n")
    engine.process.write(b"\n")
    out = json.loads(engine.wait("answer"))
    assert out["ended"] == "refused"
    assert f"{CONF} changed since" in out["text"]
    assert read(lab, "lb1") == theirs + b"# and again\n"


def test_links_owner_and_mode_stay(lab: Lab, engine: Engine) -> None:
    whole = read(lab, "lb1")
    lab.run(
        "lb1",
        f"cd /etc/keepalived && mkdir conf.d && mv {CONF} real.conf && "
        f"ln -s real.conf {CONF} && chown 33:34 real.conf && chmod 640 real.conf",
    )
    try:
        new = whole + b"include conf.d/*.conf\n"
        files = engine.files(new)
        extra = b"vrrp_script never_run {\n    script /bin/true\n    interval 5\n}\n"
        files["lb1"]["/etc/keepalived/conf.d/extra.conf"] = [None, coded(extra)]
        out = engine.ask(do="apply", files=files, timer=0, force=True)
        assert out["ended"] == "kept", (out["text"], out["refusals"], out["new"])
        seen = lab.run("lb1", f"readlink {CONF}; stat -c '%u:%g %a' /etc/keepalived/real.conf")
        assert seen.stdout == "real.conf\n33:34 640\n"
        assert read(lab, "lb1") == new
        assert read(lab, "lb1", "/etc/keepalived/conf.d/extra.conf") == extra
        assert (
            ".lvstui" not in lab.run("lb1", "ls -a /etc/keepalived /etc/keepalived/conf.d").stdout
        )
        out = engine.ask(do="rollback", id=out["id"], timer=0)
        assert out["ended"] == "kept", (out["text"], out["refusals"], out["new"])
        assert read(lab, "lb1") == whole
        assert lab.run("lb1", "ls /etc/keepalived/conf.d").stdout == ""
    finally:
        lab.run(
            "lb1",
            f"cd /etc/keepalived && rm -rf {CONF} conf.d && mv real.conf {CONF} && "
            f"chown 0:0 {CONF} && chmod 644 {CONF}",
        )


_KILL = """\
sleep $1
victims=$2
for folder in /proc/[0-9]*; do
  words=$(tr '\\0' ' ' < $folder/cmdline 2>/dev/null) || continue
  case $victims:$words in
    *:*change.sh\\ guard*) ;;
    lvstui:*driver.py*|phase:*change.sh*|all:*driver.py*|all:*change.sh*)
      [ ${folder#/proc/} = $$ ] || kill -9 ${folder#/proc/} ;;
  esac
done
"""


def test_cut_at_any_moment_the_file_is_whole_and_keepalived_lives(lab: Lab) -> None:
    clean(lab, "lb1")
    seed = random.randrange(1 << 30)
    dice = random.Random(seed)
    lab.write("lb1", "/root/kill.sh", _KILL.replace("driver.py", "root/driver.py"))
    whole = read(lab, "lb1")
    less = without_server(whole, "rs3")
    before = daemon(lab)
    seen: dict[str, int] = {}
    engine = Engine(lab, "lb1")
    for number in range(ROUNDS):
        victim = VICTIMS[number % len(VICTIMS)]
        delay = dice.uniform(0.0, 3.0)
        where = (seed, number, victim, delay)
        engine.send(do="apply", files=engine.files(less), timer=15)
        engine.wait("stage laying it out")
        lab.run("lb1", f"sh /root/kill.sh {delay:.2f} {victim}", timeout=60)
        assert read(lab, "lb1") in (whole, less), where
        if victim == "phase":
            out = json.loads(engine.wait("answer"))
            if out["ended"] == "waiting":
                out = engine.ask(do="take back", id=out["id"])
            assert out["ended"] in ("rolled back", "refused"), (where, out["text"])
            ended = out["ended"]
        else:
            engine.close()
            engine = Engine(lab, "lb1")
            waits = engine.ask(do="waiting")["entries"]
            assert all(found["standing"][0][3] for found in waits), (where, waits)
            for found in waits:
                out = engine.ask(do="take back", id=found["id"])
                assert out["ended"] == "rolled back", (where, out["text"])
            ended = f"{len(waits)} waited"
        seen[ended] = seen.get(ended, 0) + 1
        assert read(lab, "lb1") == whole, where
        assert daemon(lab) == before, where
        assert holds_vip(lab, "lb1"), where
    # Whoever is killed while a change is laid out may leave copies: the next change tidies up.
    lab.run("lb1", f"for d in {STATE}/*/deadline; do echo 0 1<> $d; done")
    out = engine.ask(do="apply", files=engine.files(less), timer=15)
    assert engine.ask(do="take back", id=out["id"])["ended"] in ("rolled back", "undone"), out
    lab.wait("lb1", "! ls -a /etc/keepalived | grep -q lvstui", what=f"no trace: {seed}")
    lab.wait("lb1", lambda: "0A0A0005:0050" in pool(lab), what="rs3 in the pool")
    assert sum(seen.values()) == ROUNDS
    engine.close()
    clean(lab, "lb1")


def vip_more(text: bytes) -> bytes:
    return instance(text, b"10.10.0.20/24\n", b"10.10.0.20/24\n        10.10.0.21/24\n")


def test_both_directors_or_neither(lab: Lab) -> None:
    clean(lab, "lb1", "lb2")
    engine = Engine(lab, "lb1", "lb2")
    old = {node: read(lab, node) for node in ("lb1", "lb2")}
    before = {node: daemon(lab, node) for node in old}

    def files(*nodes: str) -> dict[str, Any]:
        return {n: {CONF: [coded(old[n]), coded(vip_more(old[n]))]} for n in nodes}

    out = engine.ask(do="apply", files=files("lb1"), force=True)
    assert out["ended"] == "refused"
    assert "virtual_ipaddress_excluded" in out["text"]
    assert "vrrp_skip_check_adv_addr" in out["text"]

    lab.run("lb2", f"mkdir -p /var/lib/lvstui; rm -rf {STATE}; : > {STATE}")
    out = engine.ask(do="apply", files=files("lb1", "lb2"))
    assert out["ended"] == "failed", (out["text"], out["refusals"], out["new"])
    lab.run("lb2", f"rm -f {STATE}")
    assert {node: read(lab, node) for node in old} == old

    out = engine.ask(do="apply", files=files("lb1", "lb2"))
    assert out["ended"] == "waiting", (out["text"], out["refusals"], out["new"])
    assert (holds_vip(lab, "lb1", "10.10.0.21"), holds_vip(lab, "lb2", "10.10.0.21")) == (
        True,
        False,
    )
    assert engine.ask(do="confirm", id=out["id"])["ended"] == "kept"
    assert {node: read(lab, node) for node in old} == {n: vip_more(t) for n, t in old.items()}
    time.sleep(5)
    assert (holds_vip(lab, "lb1"), holds_vip(lab, "lb2")) == (True, False)

    out = engine.ask(do="rollback", id=out["id"])
    assert out["typed"] == "10.10.0.21"
    assert out["ended"] == "waiting", (out["text"], out["refusals"], out["new"])
    assert engine.ask(do="confirm", id=out["id"])["ended"] == "kept"
    assert {node: read(lab, node) for node in old} == old
    assert {node: daemon(lab, node) for node in old} == before
    engine.close()
    clean(lab, "lb1", "lb2")
