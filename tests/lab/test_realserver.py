"""Real servers over real SSH: pushed, proven, undone; cut at every step; refused in every way.

A cluster of its own with bare real servers. Everything runs on lb1, as an operator would.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

import pytest

from lvstui.lab.surroundings import PACKAGE_PARENT
from lvstui.lab.topology import Topology
from tests.lab import director
from tests.lab.conftest import Labs
from tests.lab.director import LVSTUI
from tests.labs import Lab

VIP = "10.10.0.20"
SERVERS = ("rs1", "rs2", "rs3")
ADDRESS = {"rs1": "10.10.0.3", "rs2": "10.10.0.4", "rs3": "10.10.0.5"}
SLOW_S = 240.0


@pytest.fixture(scope="module")
def bare(labs: Labs) -> Lab:
    """A cluster whose real servers are as freshly installed."""
    lab = labs(Topology().stripped())
    lab.wait_all_up()
    lab.connection.wait_phase("ssh", 30)
    return lab


def lvstui(lab: Lab, words: str, *, before: str = "") -> tuple[int, dict[str, Any], str]:
    """Exit status, document and error stream of `lvstui realserver … --json` on lb1."""
    words = f"realserver {words} --json"
    if before:
        done = lab.run("lb1", f"{before}{LVSTUI} {words}", timeout=SLOW_S, check=False)
    else:
        done = director.lvstui(lab, words, timeout=SLOW_S)
    assert "Traceback" not in done.stderr, done.stderr
    return done.status, json.loads(done.stdout or "{}"), done.stderr


def whole_state(lab: Lab, node: str) -> str:
    """Every file that is not a log or a run-time one with mode, owner and hash; all ARP settings;
    every address."""
    return lab.run(
        node,
        "cd /; find etc root var/lib -xdev -path var/lib/dpkg -prune -o -path var/lib/apt -prune "
        "-o -type f -print0 | sort -z | "
        'xargs -0 sh -c \'stat -c "%a %u:%g %s %n" "$@"; md5sum "$@"\' sh; '
        "find etc var/lib -xdev -type d | sort; "
        "grep -H . proc/sys/net/ipv4/conf/*/arp_*; ip -o addr show; cat run/network/ifstate",
        timeout=120,
    ).stdout


def ends(document: dict[str, Any]) -> list[str]:
    """How each host ended."""
    return [one["ended"] for one in document["outcome"]["results"]]


def verdicts(document: dict[str, Any], vip: str = VIP) -> dict[str, dict[str, str]]:
    return {
        host["name"]: {id_: check["verdict"] for id_, check in host["vips"][vip].items()}
        for host in document["hosts"]
    }


CAPTURE = "exec tcpdump -i eth0 -n -U -w /root/arp.pcap arp"


class Capture:
    """Everything that ARP said at the NICs of the real servers, and somebody who keeps asking."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._running = [lab.spawn(node, CAPTURE) for node in SERVERS]
        # The director's own questions are not heard by a real server's answers to others.
        self._asking = lab.spawn("client", f"exec arping -I eth0 -b -w 600 {VIP} >/dev/null")
        for node in SERVERS:
            lab.wait(node, "test -s /root/arp.pcap", what="tcpdump")

    def stop(self) -> dict[str, list[str]]:
        """Node to what it said in the VIP's name."""
        for process in (*self._running, self._asking):
            process.kill(2)
            process.wait(10)
        said = {}
        for node in SERVERS:
            mac = self._lab.run(node, "cat /sys/class/net/eth0/address").stdout.strip()
            text = self._lab.run(
                node,
                f"tcpdump -n -e -r /root/arp.pcap 'ether src {mac}' 2>/dev/null; "
                "tcpdump -n -r /root/arp.pcap 2>/dev/null | wc -l; rm /root/arp.pcap",
            ).stdout.splitlines()
            *lines, heard = text
            assert int(heard) > 20, f"{node} heard next to nothing: {heard} ARP packets"
            said[node] = [
                line for line in lines if f"Reply {VIP} is-at" in line or f"tell {VIP}" in line
            ]
        return said


def test_bare_servers_become_real_ones_and_bare_again(bare: Lab) -> None:
    lab = bare
    before = {node: whole_state(lab, node) for node in SERVERS}
    status, document, _ = lvstui(lab, "look")
    assert status == 1
    for found in verdicts(document).values():
        assert (found["reachable"], found["l2"], found["arp_silent"]) == ("good",) * 3
        assert {found[i] for i in ("vip", "arp_ignore", "arp_announce", "persistent", "path")} == {
            "bad"
        }

    capture = Capture(lab)
    status, document, errors = lvstui(lab, "push --all --yes --reason 'new servers'")
    said = capture.stop()
    assert status == 0, (document, errors)
    assert ends(document) == ["done"] * 3
    assert document["outcome"]["wrong"] == []
    assert said == {node: [] for node in SERVERS}, "a real server spoke for the VIP"

    status, document, _ = lvstui(lab, "verify")
    assert status == 0
    for found in verdicts(document).values():
        assert set(found.values()) == {"good"}, found
    since = float(lab.run("client", "date +%s.%N").stdout) * 1000
    time.sleep(3)
    rows = [
        line.split()
        for line in lab.run("client", "tail -n 2000 /var/log/client.log").stdout.splitlines()
    ]
    served = {row[2] for row in rows if float(row[0]) > since and row[1] == "web"}
    assert served >= set(SERVERS), "traffic through the VIP does not reach them all"

    status, document, _ = lvstui(lab, "push --all --yes")
    assert (status, document["outcome"]["ended"]) == (0, "nothing to do")

    capture = Capture(lab)
    status, document, _ = lvstui(lab, "undo --all --yes")
    assert (status, ends(document)) == (0, ["done"] * 3), [h["text"] for h in document["hosts"]]
    assert capture.stop() == {node: [] for node in SERVERS}
    for node in SERVERS:
        assert whole_state(lab, node) == before[node]
    audit = lab.run("lb1", "cat /var/log/lvstui/audit.jsonl").stdout.splitlines()
    entries = [json.loads(line) for line in audit]
    done = [e for e in entries if e["phase"] == "done" and e["operation"] == "push"]
    assert {(e["name"], e["ok"]) for e in done[:3]} == {(node, True) for node in SERVERS}
    assert done[0]["reason"] == "new servers"


DRIVER = """
import json, sys, threading
from lvstui.operations.realservers import RealServers, prove
from lvstui.realserver.hosts import OwnFile, Vip, make_host
from lvstui.realserver.push import Push
from lvstui.remote.connect import Connector
timer, operation, *addresses = sys.argv[1:]
hosts = [make_host(a, "", (Vip("10.10.0.20", ()),), OwnFile()) for a in addresses]
with Connector(step_s=5) as connector:
    service = RealServers(connector)
    rows = service.look(hosts)
    plans = service.plan(rows, operation)
    ends = {}
    def work(host, plan):
        push = Push(lambda: connector.open(host.access), plan, (), int(timer),
                    lambda p, f: (), lambda stage: print(host.address, stage, flush=True))
        outcome = push.run()
        ends[host.address] = [outcome.ended.value, outcome.text]
    threads = [threading.Thread(target=work, args=pair) for pair in zip(hosts, plans)]
    print("begin", flush=True)
    for thread in threads: thread.start()
    for thread in threads: thread.join()
print(json.dumps(ends))
"""
LOG_LINES = "cat /var/lib/lvstui/tx/log 2>/dev/null | wc -l"
CUTS = {
    "link": ("ip link set eth0 down", "ip link set eth0 up"),
    "sshd": ("pkill -9 sshd", "/usr/sbin/sshd"),
}
TIMER_S = 60
TX = "/var/lib/lvstui/tx"


def drive(lab: Lab, operation: str, *nodes: str) -> Any:
    words = [str(TIMER_S), operation, *(ADDRESS[node] for node in nodes)]
    return lab.spawn(
        "lb1",
        [sys.executable, "-c", DRIVER, *words],
        env={"PYTHONPATH": str(PACKAGE_PARENT)},
        cwd="/",
    )


def settled(lab: Lab, node: str) -> str:
    """`before` or `after`, of everything that a push changes; what else it is in full. The timer
    of a change that nobody decides any more runs out at once."""
    lab.run(node, f"[ ! -e {TX}/deadline ] || printf '0\\n' 1<> {TX}/deadline", check=False)
    lab.wait(node, f"! test -d {TX}", timeout=TIMER_S + 40, what="the host's decision")
    text = lab.run(
        node,
        "cat /proc/sys/net/ipv4/conf/all/arp_ignore /proc/sys/net/ipv4/conf/all/arp_announce "
        "/proc/sys/net/ipv4/conf/lo/arp_ignore /proc/sys/net/ipv4/conf/lo/arp_announce; "
        f"ip -o addr show dev lo | grep -c ' {VIP}/32 '; "
        "for f in /etc/sysctl.d/99-zz-lvstui.conf /etc/network/interfaces.d/lvstui "
        "/var/lib/lvstui/manifest.json; do test -e $f && echo yes || echo no; done; "
        "find /etc /var/lib -name '.lvstui-*'",
        check=False,
    ).stdout.split()
    return {"0 0 0 0 0 no no no": "before", "1 2 1 2 1 yes yes yes": "after"}.get(
        " ".join(text), " ".join(text)
    )


CUTTER = "/usr/local/bin/date"
"""Each line of the log asks for the time first: whoever answers may cut at exactly that line."""


def cut_at(lab: Lab, node: str, step: int, kind: str) -> None:
    """Have the host cut off for 8 s when the line `step` of its log is about to be written."""
    cut, mend = CUTS[kind]
    lab.write(
        node,
        CUTTER,
        f"""#!/bin/sh
if [ $({LOG_LINES}) = {step - 1} ] && [ -e /var/lib/lvstui/tx/armed ] && mkdir /run/cut; then
  {cut}
  setsid sh -c 'sleep 8; {mend}' </dev/null >/dev/null 2>&1 &
fi 2>/dev/null
exec /bin/date "$@"
""",
    )
    lab.run(node, f"rmdir /run/cut 2>/dev/null; chmod 755 {CUTTER}")


@pytest.mark.parametrize("operation", ["push", "undo"])
def test_a_cut_at_any_step_ends_wholly_before_or_wholly_after(bare: Lab, operation: str) -> None:
    """A push writes 9 lines (4 settings, the address, `live`, 3 files); the cut comes at each.

    By default a push is cut off in one way, an undo in the other, at three lines each;
    tests/unit/realserver/test_change.py kills a push at every line."""
    lab = bare
    seen: dict[tuple[str, int], str] = {}
    steps = [(1, 4, 6), (2, 5, 8), (3, 7, 8)] if operation == "push" else [(1, 2, 4)]
    every = bool(os.environ.get("LVSTUI_EVERY_CUT"))
    for kind in CUTS if every else [{"push": "sshd", "undo": "link"}[operation]]:
        for chosen in steps if every else steps[:2][-1:]:
            if operation == "undo":
                ready = drive(lab, "push", *SERVERS)
                assert ready.wait(SLOW_S) == 0
            for node, step in zip(SERVERS, chosen, strict=True):
                cut_at(lab, node, step, kind)
            process = drive(lab, operation, *SERVERS)
            process.wait(SLOW_S)
            for node, step in zip(SERVERS, chosen, strict=True):
                lab.run(node, f"rmdir /run/cut && rm {CUTTER}")  # fails unless it was cut
                seen[kind, step] = settled(lab, node)
            told = json.loads(process.output().decode().splitlines()[-1])
            for node, step in zip(SERVERS, chosen, strict=True):
                end = told[ADDRESS[node]][0]
                if end in ("done", "rolled back"):
                    done = "after" if operation == "push" else "before"
                    back = "before" if operation == "push" else "after"
                    assert seen[kind, step] == (done if end == "done" else back), told
            undo_all(lab)
    assert set(seen.values()) <= {"before", "after"}, seen


def test_lvstui_killed_at_any_step(bare: Lab) -> None:
    lab = bare
    seen = {}
    for step in (1, 5, 6, 8) if os.environ.get("LVSTUI_EVERY_CUT") else (5,):
        process = drive(lab, "push", *SERVERS)
        lab.wait(
            "rs1",
            f"[ $({LOG_LINES}) -ge {step} ] || test -e /var/lib/lvstui/manifest.json",
            timeout=90,
            interval=0.02,
        )
        process.kill(9)
        process.wait(10)
        for node in SERVERS:
            seen[step, node] = settled(lab, node)
        undo_all(lab)
    assert set(seen.values()) <= {"before", "after"}, seen
    assert "before" in seen.values(), "killed too late every time"


def undo_all(lab: Lab) -> None:
    assert drive(lab, "undo", *SERVERS).wait(SLOW_S) == 0
    assert [settled(lab, node) for node in SERVERS] == ["before"] * 3
    for node in SERVERS:
        lab.run(node, "rm -rf /var/lib/lvstui")


BREAK = {
    "rs1": ("mount -o remount,ro,bind /", "mount -o remount,rw,bind /"),
    "rs2": (
        "mkdir -p /var/lib/lvstui && mount -t tmpfs -o size=64k x /var/lib/lvstui && "
        "head -c 60000 /dev/zero > /var/lib/lvstui/full",
        "umount /var/lib/lvstui; rmdir /var/lib/lvstui",
    ),
    "rs3": (
        "command -v ip > /run/ip-was && mount --bind /dev/null $(cat /run/ip-was)",
        "umount $(cat /run/ip-was)",
    ),
}


def test_what_stands_in_the_way_is_said_and_nothing_is_changed(bare: Lab) -> None:
    lab = bare
    before = {node: whole_state(lab, node) for node in SERVERS}
    try:
        for node, (wreck, _) in BREAK.items():
            lab.run(node, wreck)
        status, document, _ = lvstui(
            lab, f"push rs1 rs2 rs3 10.10.0.99 guest@10.10.0.10 --vip {VIP} --yes"
        )
    finally:
        for node, (_, mend) in BREAK.items():
            lab.run(node, mend, check=False)
    assert status == 1
    plans = {host["host"]: host for host in document["plan"]["hosts"]}
    came = {
        plans[one["host"]]["name"] or one["host"]: (one["ended"], one["seen"])
        for one in document["outcome"]["results"]
    }
    assert came["rs1"][0] == "refused"
    assert "/etc is read-only" in came["rs1"][1]
    assert came["rs2"][0] == "failed"
    assert "nothing was changed" in came["rs2"][1]
    assert came["rs3"][0] == "refused"
    assert "no `ip`" in came["rs3"][1]
    assert plans["10.10.0.99"]["trouble"] == "unreachable"
    assert "root is needed" in came["10.10.0.10"][1]
    for node in SERVERS:
        assert whole_state(lab, node) == before[node]


def test_a_sudo_user_through_a_jump_host_with_a_key_in_an_agent(bare: Lab) -> None:
    """Root cannot log in at rs1, no key lies in a file, lb1 has no direct way that is used."""
    lab = bare
    lab.run(
        "rs1",
        "cp /etc/ssh/sshd_config /root/kept && "
        "sed -i 's/^PermitRootLogin.*/PermitRootLogin no/' /etc/ssh/sshd_config && "
        "kill -HUP $(pgrep -o -x sshd)",
    )
    lab.run("lb1", "mv /root/.ssh/id_ed25519 /root/away")
    agent = (
        "eval $(ssh-agent) >/dev/null && ssh-add -q /root/away && trap 'kill $SSH_AGENT_PID' EXIT; "
    )
    try:
        refused = lvstui(lab, f"push rs1 --yes --vip {VIP}", before=agent)
        status, document, errors = lvstui(
            lab, f"push deploy@rs1 --jump ops@rs3 --yes --vip {VIP}", before=agent
        )
        assert status == 0, (document, errors)
        assert settled(lab, "rs1") == "after"
        status, document, errors = lvstui(
            lab, f"undo deploy@rs1 --jump ops@rs3 --yes --vip {VIP}", before=agent
        )
        assert status == 0, (document, errors)
        assert settled(lab, "rs1") == "before"
    finally:
        lab.run("lb1", "mv /root/away /root/.ssh/id_ed25519")
        lab.run("rs1", "mv /root/kept /etc/ssh/sshd_config && kill -HUP $(pgrep -o -x sshd)")
    assert refused[0] == 1
    assert refused[1]["plan"]["hosts"][0]["trouble"] == "login-refused"


def test_a_server_that_answers_arp_is_found_mended_and_its_victims_told(bare: Lab) -> None:
    lab = bare
    lab.run("rs2", f"ip addr add {VIP}/32 dev lo")
    try:
        status, document, _ = lvstui(lab, "verify")
        assert status == 1
        found = verdicts(document)
        assert found["rs2"]["arp_silent"] == "bad"
        assert found["rs1"]["arp_silent"] == "good"
        status, document, _ = lvstui(lab, "push rs2 --yes")
        assert status == 0, document
        assert "announced" in document["outcome"]["notes"]["neighbours"]
        status, document, _ = lvstui(lab, "verify rs2")
        assert verdicts(document)["rs2"]["arp_silent"] == "good"
        status, document, _ = lvstui(lab, "undo rs2 --yes")
        assert status == 0, document
        here = lab.run("rs2", "ip -o addr show dev lo").stdout
        assert f" {VIP}/32 " in here, "it was there before lvstui came"
    finally:
        lab.run("rs2", f"ip addr del {VIP}/32 dev lo", check=False)
