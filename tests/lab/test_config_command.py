"""`lvstui config …` on real directors: what the operator types, what it says, what lasts."""

from __future__ import annotations

import json
import os
import re
import shlex
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.director import (
    LVSTUI,
    PATIENCE_S,
    SERVES_ZERO,
    forget_attempts,
    lvstui,
    server,
    status,
)
from tests.lab.test_configuration import CONF, clean, holds_vip, now_ms, pool, read, requests
from tests.labs import Lab

SECRET = "Zq9kept7"
RS1, RS2, RS3 = "0A0A0003:0050", "0A0A0004:0050", "0A0A0005:0050"
NOBODY = "setpriv --reuid=65534 --regid=65534 --clear-groups"
thorough = pytest.mark.skipif(
    not os.environ.get("LVSTUI_EVERY_CUT"), reason="long: LVSTUI_EVERY_CUT=1 runs it"
)


def said(lab: Lab, words: str, node: str = "lb1", *, front: str = "") -> tuple[int, str]:
    """Exit status of `lvstui WORDS` there, and all that it said."""
    if front or "--read-only" in words:
        done = lab.run(node, f"{front} {LVSTUI} {words}", timeout=PATIENCE_S, check=False)
    else:
        done = lvstui(lab, words, node)
    told = done.stdout + done.stderr
    assert "Traceback" not in told, told
    assert SECRET not in told, "a password was shown"
    return done.status, told


def document(lab: Lab, words: str) -> tuple[int, dict[str, Any]]:
    """Exit status and JSON of `lvstui config WORDS --json`."""
    done = lvstui(lab, f"config {words} --json")
    assert SECRET not in done.stdout + done.stderr, "a password was shown"
    found = json.loads(done.stdout)
    assert found["schema"] == "lvstui.change/2"
    return done.status, found


def weight(lab: Lab, address: str, node: str = "lb1") -> int:
    """In the kernel; -1 when it is not there."""
    return int(pool(lab, node).get(address, ("", "-1"))[1])


@pytest.fixture(autouse=True)
def _without_a_past(lab: Lab) -> Iterator[None]:
    clean(lab, "lb1", "lb2")
    yield
    clean(lab, "lb1", "lb2")


def as_after_a_reboot(lab: Lab) -> None:
    """All of keepalived ends without a word, and the kernel knows nothing: neither table nor VIP.
    The lab's nodes share one kernel, so the director cannot be booted for itself."""
    lab.fault("kill-keepalived", "lb1")
    lab.run(
        "lb1",
        "ipvsadm -C; ip addr del 10.10.0.20/24 dev eth0; rm -f /run/keepalived*.pid",
        check=False,
    )
    assert pool(lab) == {}
    assert not holds_vip(lab, "lb1")
    lab.fault("start-keepalived", "lb1")


@pytest.fixture
def _ports_used_again(lab: Lab) -> Iterator[None]:
    forget_attempts(lab)
    yield
    forget_attempts(lab, "0")


@pytest.mark.usefixtures("_ports_used_again")
@SERVES_ZERO
def test_a_disabled_server_stays_disabled_whatever_happens(lab: Lab) -> None:
    whole = read(lab, "lb1")
    # A failover would ask the other director, whose file says nothing of it.
    lab.fault("stop-keepalived", "lb2")
    code, text = said(lab, "config disable rs2 --service web --reason 'disk swap' --yes")
    assert code == 0, text
    assert "kept: " in text
    assert text.count("+        weight 0 # lvstui: disabled by root ") == 1
    since = now_ms(lab)
    found = read(lab, "lb1").decode()
    assert re.search(r"\n {8}weight 0 # lvstui: disabled by root \S+Z was 10: disk swap\n", found)
    assert weight(lab, RS2) == 0
    _, picture = status(lab)
    seen = server(picture, "rs2")
    assert seen["state"] == "disabled", seen
    assert "root" in seen["reason"]
    assert "disk swap" in seen["reason"]
    assert server(picture, "rs2", "dns")["state"] == "up"

    def comes_back(what: str) -> None:
        lab.wait(
            "lb1",
            lambda: (weight(lab, RS2), weight(lab, RS1)) == (0, 10),
            timeout=60,
            what=f"rs2 at weight 0 and rs1 at 10 after {what}",
        )

    lab.fault("stop", "rs2")
    lab.wait("lb1", lambda: weight(lab, RS2) == -1, what="removal of rs2 by its check")
    lab.fault("start", "rs2")
    comes_back("a flap of its check")
    lab.run("lb1", "kill -HUP $(cat /run/keepalived.pid)")
    time.sleep(3)
    comes_back("a reload")
    lab.fault("stop-keepalived", "lb1")
    lab.wait("lb1", lambda: pool(lab) == {}, what="keepalived's end")
    lab.fault("start-keepalived", "lb1")
    comes_back("a restart")
    as_after_a_reboot(lab)
    comes_back("what a reboot leaves")
    served = now_ms(lab)
    lab.wait(
        "lb1",
        lambda: any(r[2] == "rs1" for r in requests(lab, served)),
        timeout=60,
        what="an answer of rs1",
    )
    assert [r for r in requests(lab, since) if r[2] == "rs2"] == []

    # In dns it was never disabled, and is in nobody's way.
    code, text = said(lab, "config enable rs2 --yes")
    assert code == 0, text
    assert read(lab, "lb1") == whole
    assert weight(lab, RS2) == 10
    served = now_ms(lab)
    lab.wait("lb1", lambda: any(r[2] == "rs2" for r in requests(lab, served)), what="its answer")


def test_a_server_is_added_listed_and_rolled_back(lab: Lab) -> None:
    code, text = said(lab, "config remove-server rs3 --service web --yes")
    assert code == 0, text
    assert RS3 not in pool(lab)
    without = read(lab, "lb1")
    since = now_ms(lab)
    code, done = document(lab, "add-server 10.10.0.5 --service web --name rs3 --yes")
    assert (code, done["outcome"]["ended"]) == (0, "kept"), done
    assert pool(lab)[RS3][0] == "Route"
    came = now_ms(lab)
    lab.wait("lb1", lambda: any(r[2] == "rs3" for r in requests(lab, came)), what="an answer")
    code, text = said(lab, "config history")
    assert code == 0
    newest, older = [line for line in text.splitlines() if re.match(r" +\d+  ", line)]
    assert re.match(r" +1  .* root +kept +.*10\.10\.0\.5", newest)
    assert "remove" in older
    code, text = said(lab, "config rollback 1 --yes")
    assert code == 0, text
    assert read(lab, "lb1") == without
    assert RS3 not in pool(lab)
    rows = requests(lab, since)
    assert [r for r in rows if r[-1] != "ok" and r[2] != "rs3"] == []
    assert {r[2] for r in rows if r[-1] == "ok"} == {"rs1", "rs2", "rs3"}


def with_password(text: bytes, password: str) -> bytes:
    block = f"    authentication {{\n        auth_type PASS\n        auth_pass {password}\n    }}\n"
    return text.replace(b"    advert_int 1\n", b"    advert_int 1\n" + block.encode(), 1)


def test_exit_codes_and_what_is_refused(lab: Lab) -> None:
    whole = with_password(read(lab, "lb1"), SECRET)
    # Alone, since the adverts of the two would not be the same.
    lab.fault("stop-keepalived", "lb2")
    lab.write("lb1", CONF, whole)
    lab.run("lb1", "kill -HUP $(cat /run/keepalived.pid)")
    time.sleep(3)
    lab.write("lb1", "/root/other.conf", with_password(read(lab, "lb2"), SECRET[::-1]))
    code, plan = document(lab, "weight rs1 5 --service web --plan")
    assert (code, plan["outcome"], plan["plan"]["refusals"]) == (0, None, [])
    assert "+        weight 5" in plan["plan"]["hosts"][0]["diff"]
    code, text = said(lab, "config apply /root/other.conf --plan")
    assert (code, SECRET[::-1] in text) == (1, False)
    assert "auth_pass changed" in text

    code, text = said(lab, "config disable rs9 --yes")
    assert (code, "there are: rs1, rs2, rs3" in text) == (2, True), text
    code, text = said(lab, "config weight rs1 5 --service nope --yes")
    assert (code, "there are: tcp 10.10.0.20:80 web, udp" in text) == (2, True), text
    code, text = said(lab, "config rollback 1 --yes")
    assert (code, "there is no change 1: the history is empty" in text) == (2, True), text
    code, text = said(lab, "--read-only config weight rs1 5 --service web --yes")
    assert (code, "read-only" in text) == (2, True), text
    code, text = said(lab, "config weight rs1 5 --service web")
    assert (code, "give --yes" in text) == (1, True), text
    code, text = said(lab, "config keep")
    assert (code, "no change waits" in text) == (1, True), text
    code, text = said(lab, "config add-vip 10.10.0.21/24 --instance LB_1 --yes")
    assert (code, "may then become MASTER beside this one" in text) == (1, True), text
    code, text = said(lab, "config weight rs1 5 --service web --yes", front=NOBODY)
    assert (code, "only root" in text) == (1, True), text
    code, text = said(lab, "config history", front=NOBODY)
    assert (code, "only root" in text) == (1, True), text
    assert read(lab, "lb1") == whole
    assert weight(lab, RS1) == 10

    lab.fault("stop-keepalived", "lb1")
    # The table is empty before the last process has ended.
    lab.wait("lb1", "! kill -0 $(cat /run/keepalived.pid) 2>/dev/null", what="keepalived's end")
    assert pool(lab) == {}
    code, text = said(lab, "config weight rs1 5 --service web --plan")
    assert (code, "keepalived does not run" in text) == (0, True), text


def test_no_difference_of_the_past_or_future_shows_a_password(lab: Lab) -> None:
    whole = with_password(read(lab, "lb1"), SECRET)
    lab.fault("stop-keepalived", "lb2")
    lab.write("lb1", CONF, whole)
    lab.run("lb1", "kill -HUP $(cat /run/keepalived.pid)")
    time.sleep(3)
    new = SECRET[::-1]
    other = whole.replace(SECRET.encode(), new.encode())
    other = other.replace(
        b"    advert_int 1\n", b"    advert_int 1 # %s was it\n" % SECRET.encode()
    )
    lab.write("lb1", "/root/new.conf", other)
    for words in (
        "apply /root/new.conf --alone --plan",
        "apply /root/new.conf --alone --plan --json",
        "diff /root/new.conf",
        "diff /root/new.conf --json",
        "apply /root/new.conf --alone --yes",
        "history",
        "history 1",
        "history 1 --json",
        "show",
        "rollback 1 --alone --plan",
        "rollback 1 --alone --plan --json",
    ):
        code, text = said(lab, f"config {words}")
        assert new not in text, words
        assert code == 0 or words.startswith("diff"), text
        if "history 1" in words or "--plan" in words:
            assert "advert_int 1 # ******** was it" in text, text


def test_what_is_held_and_left_alone_goes_back_by_itself(lab: Lab) -> None:
    whole = read(lab, "lb1")
    code, text = said(lab, "config weight rs1 12 --service web --hold --timer 30 --yes")
    assert (code, "waiting: " in text) == (0, True), text
    assert weight(lab, RS1) == 12
    lab.wait("lb1", lambda: read(lab, "lb1") == whole, timeout=60, what="the timer")
    lab.wait("lb1", lambda: weight(lab, RS1) == 10, what="its weight before")
    code, text = said(lab, "config back")
    assert (code, "no change waits" in text) == (1, True), text
    code, text = said(lab, "config history 1")
    assert code == 0
    assert "rolled back: not kept in time (timer), " in text
    assert "the timer ran out" in text


STATE = "/var/lib/lvstui/config"
GUARDS = (
    "for p in /proc/[0-9]*; do case $(tr '\\0' ' ' < $p/cmdline) in "
    f"'sh {STATE}/'*' guard '*) echo ${{p#/proc/}} ;; esac; done 2>/dev/null"
)


def test_full_disks_are_in_nobodys_way(lab: Lab) -> None:
    """Of the configuration and of the state, filled while the change waits."""
    whole = read(lab, "lb1")
    small = {"/etc/keepalived": "300k", STATE: "1m"}
    for folder, size in small.items():
        lab.run(
            "lb1",
            f"mkdir -p {folder}; cp -a {folder} /root/kept; "
            f"mount -t tmpfs -o size={size} x {folder} && cp -a /root/kept/. {folder}; "
            "rm -r /root/kept",
        )
    try:
        code, text = said(lab, "config weight rs1 12 --service web --hold --timer 30 --yes")
        assert (code, weight(lab, RS1)) == (0, 12), text
        assert "without systemd a reboot ends the timer" in text
        for folder in small:
            lab.run("lb1", f"cat /dev/zero > {folder}/full", check=False)
        lab.wait("lb1", lambda: read(lab, "lb1") == whole, timeout=60, what="the timer")
        lab.wait("lb1", lambda: weight(lab, RS1) == 10, what="its weight before")
        code, text = said(lab, "config history 1")
        assert (code, "the timer ran out" in text) == (0, True), text
        assert status(lab)[0] == 0
    finally:
        for folder in small:
            lab.run("lb1", f"umount {folder}", check=False)


def test_what_fails_is_said_and_tried_until_it_works(lab: Lab) -> None:
    whole = read(lab, "lb1")
    code, text = said(lab, "config weight rs1 12 --service web --hold --timer 30 --yes")
    assert code == 0, text
    changed = read(lab, "lb1")
    # A disk that cannot be written any more.
    lab.run(
        "lb1",
        "mount --bind /etc/keepalived /etc/keepalived && mount -o remount,ro,bind /etc/keepalived",
    )
    try:
        lab.wait("lb1", f"grep -q 'Read-only' {STATE}/*/trouble", timeout=60, what="a try")
        code, picture = status(lab)
        assert code == 1
        assert any("going back fails, and is tried again" in why for why in picture["reasons"])
        (change,) = picture["changes"]
        assert (change["state"], change["timer_alive"]) == ("going back", True)
        code, text = said(lab, "config history")
        assert (code, "Read-only file system" in text, "by itself" in text) == (1, True, False), (
            text
        )
        code, text = said(lab, "config back")
        assert (code, "it is tried again" in text) == (1, True), text
        assert read(lab, "lb1") == changed
    finally:
        lab.run("lb1", "umount /etc/keepalived")
    lab.wait("lb1", lambda: read(lab, "lb1") == whole, timeout=60, what="the way back")
    lab.wait("lb1", lambda: weight(lab, RS1) == 10, what="its weight before")
    lab.wait("lb1", lambda: status(lab)[0] == 0, timeout=60, what="a whole status")


def test_guards_killed_at_once_are_missed_and_one_word_takes_it_back(lab: Lab) -> None:
    whole = read(lab, "lb1")
    code, text = said(lab, "config weight rs1 12 --service web --hold --timer 600 --yes")
    assert code == 0, text
    first = lab.run("lb1", GUARDS).stdout.split()
    assert len(first) == 2
    lab.run("lb1", f"kill -9 {first[0]}")
    lab.wait("lb1", lambda: len(lab.run("lb1", GUARDS).stdout.split()) == 2, what="another guard")
    assert status(lab)[0] == 0
    lab.run("lb1", f"kill -9 $({GUARDS})")
    lab.wait("lb1", lambda: not lab.run("lb1", GUARDS).stdout, what="their end")
    gone = "the timer is gone: NOT rolled back; lvstui config back"
    code, picture = status(lab)
    assert (code, [gone in why for why in picture["reasons"]]) == (1, [True])
    code, text = said(lab, "config history")
    assert (code, gone in text, "by itself" in text) == (1, True, False), text
    code, text = said(lab, "config weight rs2 5 --service web --yes")
    assert (code, gone in text, "or wait" in text) == (1, True, False), text
    code, text = said(lab, "config back")
    assert (code, text.startswith("undone: ")) == (0, True), text
    assert read(lab, "lb1") == whole
    lab.wait("lb1", lambda: weight(lab, RS1) == 10, what="its weight before")
    assert status(lab)[0] == 0


@thorough
def test_what_is_held_is_kept_or_undone_by_a_word(lab: Lab) -> None:
    old = read(lab, "lb1")
    code, text = said(lab, "config weight rs1 11 --service web --hold --yes")
    assert (code, "lvstui config keep" in text) == (0, True), text
    whole = read(lab, "lb1")
    assert whole == old.replace(b"weight 10", b"weight 11", 1)
    code, text = said(lab, "config keep")
    assert (code, text.startswith("kept: ")) == (0, True), text
    code, text = said(lab, "config weight rs1 12 --service web --hold --yes")
    assert (code, weight(lab, RS1)) == (0, 12), text
    code, text = said(lab, "config back")
    assert (code, text.startswith("undone: ")) == (0, True), text
    assert read(lab, "lb1") == whole
    lab.wait("lb1", lambda: weight(lab, RS1) == 11, what="its weight before")


@thorough
def test_a_weight_on_both_directors(lab: Lab) -> None:
    old = {node: read(lab, node) for node in ("lb1", "lb2")}
    # Where the two are alike, the lines are shown once.
    code, text = said(lab, "config weight rs2 7 --service web --peer lb2 --yes")
    assert code == 0, text
    assert text.count("+        weight 7") == 1
    for node, before in old.items():
        head, mark, rest = before.partition(b"# rs2\n")
        assert read(lab, node) == head + mark + rest.replace(b"weight 10", b"weight 7", 1)
        assert weight(lab, RS2, node) == 7
    assert old["lb1"] != old["lb2"]


@thorough
def test_a_vip_comes_to_both_directors(lab: Lab) -> None:
    old = {node: read(lab, node) for node in ("lb1", "lb2")}
    script = (
        "while :; do for v in 20 21; do case $(ip -o addr show dev eth0) in "
        '*" 10.10.0.$v/"*) echo $(date +%s) $v;; esac; done; sleep 1; done'
    )
    watching = {node: lab.spawn(node, script) for node in old}
    # Named before the command: it is the whole console's option, too.
    code, text = said(lab, "--peer lb2 config add-vip 10.10.0.21/24 --instance LB_1 --yes")
    assert code == 0, text
    time.sleep(5)
    held = {}
    for node, process in watching.items():
        held[node] = set(process.output().decode().split("\n")[:-1])
        process.kill()
        process.wait(10)
    assert {line.split()[1] for line in held["lb1"]} == {"20", "21"}
    assert held["lb2"] == set(), "split brain"
    for node, before in old.items():
        line = b"        10.10.0.20/24\n"
        assert read(lab, node) == before.replace(line, line + line.replace(b".20", b".21"))


@thorough
def test_a_first_pair_serves(lab: Lab) -> None:
    nodes = ("lb1", "lb2")
    for node in nodes:
        lab.fault("stop-keepalived", node)
    for node in nodes:
        lab.wait(node, lambda node=node: not pool(lab, node), what="keepalived's end")  # type: ignore[misc]
        lab.run(node, f"mv {CONF} /root/planned.conf; rm -rf /root/first")
    code, text = said(lab, "config weight rs1 5")
    assert (code, "there is no such file" in text) == (2, True), text
    code, text = said(
        lab,
        "config first --vip 10.10.0.20/24 --directors lb1,lb2 --server 10.10.0.3=rs1 "
        "--server 10.10.0.4=rs2 --check HTTP_GET --name web --output /root/first",
    )
    assert code == 0, text
    assert "lvstui config apply /root/first/lb1.keepalived.conf" in text
    assert "systemctl enable --now keepalived" in text
    lab.run("lb2", "mkdir -p /root/first")
    for name in ("lb1", "lb2"):
        path = f"/root/first/{name}.keepalived.conf"
        lab.write("lb2", path, read(lab, "lb1", path))
    for node, other in (nodes, nodes[::-1]):
        path = f"/root/first/{node}.keepalived.conf"
        test = lab.run(node, f"keepalived -t -f {path}")
        assert test.stdout + test.stderr == ""
        peer = f"--peer-file /root/first/{other}.keepalived.conf --peer-id {other}"
        code, text = said(lab, f"config check --file {path} {peer}", node)
        assert (code, "nothing is wrong" in text) == (0, True), text
        code, text = said(lab, f"config apply {shlex.quote(path)} --yes", node)
        assert code == 0, text
        assert "nothing is loaded" in text
        assert "reloading" not in text
        assert read(lab, node) == read(lab, node, path)
    for node in nodes:
        lab.fault("start-keepalived", node)
    lab.wait(
        "lb1", lambda: any(holds_vip(lab, node) for node in nodes), timeout=60, what="a MASTER"
    )
    since = now_ms(lab)
    lab.wait(
        "lb1",
        lambda: {"rs1", "rs2"} <= {r[2] for r in requests(lab, since) if r[-1] == "ok"},
        timeout=60,
        what="answers of both servers",
    )
    assert sorted(holds_vip(lab, node) for node in nodes) == [False, True]
