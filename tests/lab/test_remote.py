"""Other hosts over SSH, with real sshd and sudo: lvstui on lb1, hosts rs1 to rs3."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab import remote_hosts as hosts
from tests.labs import Lab

ROOT = Path(__file__).parents[2]
SLOW_S = 150.0


def command(scene: str) -> str:
    python = f"PYTHONDONTWRITEBYTECODE=1 PYTHONPATH={shlex.quote(str(ROOT))}"
    return f"{python} exec {shlex.quote(sys.executable)} -m tests.lab.remote_scenes {scene}"


def play(lab: Lab, scene: str) -> dict[str, Any]:
    done = lab.run("lb1", command(scene), timeout=SLOW_S)
    assert not done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def farm(shared_lab: Lab) -> Iterator[Lab]:
    hosts.prepare(shared_lab)
    yield shared_lab
    hosts.tidy(shared_lab)


def test_scripts_and_files(farm: Lab) -> None:
    seen = play(farm, "plain")
    assert seen["hostname"][:2] == ["ok", "rs1\n"]
    assert seen["input"][1] == "3000000"
    assert seen["both"][1] == 3_000_000
    assert seen["root"][1] == "0\nin"
    assert seen["read"][1] == "data\n"
    assert seen["absent"][:2] == ["ok", None]
    assert seen["listing"][1].startswith("-rw-r--r-- 1 root root 5 ")
    assert len(seen["listing"][1].splitlines()) == 1, "a temporary file was left behind"
    assert seen["no folder"][0] == "FileNotFoundError"
    assert (seen["full"][0], "No space left on device" in seen["full"][1]) == ("OSError", True)
    assert seen["left"][1] == ".\n..\n"
    assert seen["link"][1] == "x.conf\nby link\n"
    assert seen["long"][1] == "200001"
    assert seen["long input"][1] == "3"
    assert seen["odd"][1] == 'a"b $x \\\\ 100% !h ü'
    assert seen["many"][1] == 20
    key = farm.run("rs1", "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").stdout.split()[1]
    assert seen["fingerprint"] == key


def test_agent_jump_host_and_sudo(farm: Lab) -> None:
    seen = play(farm, "sudo")
    lb2 = farm.run("lb2", "ip -4 -o addr show dev eth0").stdout.split()[3].split("/")[0]
    assert seen["way in"][1].split()[0] == lb2
    assert seen["way in"][1].split()[-1] == "ops"
    assert seen["root"][1] == "0\npayload", "the password must not be in the data"
    assert seen["root err"][1] == "oops", "sudo's words must not be in the output"
    assert seen["stat"][1].startswith("root:640\n")
    assert ".lvstui" not in seen["stat"][1] + seen["shm"][1]
    assert seen["second"][1] == "0\n"
    assert seen["asked"] == ["sudo rs1 ops", "sudo rs1 ops again"]
    # requiretty, without and with password
    assert seen["tty free"][1] == "0\na\nb"
    assert seen["tty"] == [5, "a\nb\nin", "e"]
    # NOPASSWD: the input arrives as it is
    assert seen["free"][1] == "in 0\n"
    assert seen["free plain"][1] == "0\n"
    assert seen["asked later"] == seen["asked"]
    assert seen["guest"][0] == "root-refused"
    assert "guest is not in the sudoers file" in seen["guest"][1]
    assert seen["guest again"][:2] == seen["guest"][:2]
    assert seen["guest asked"] == ["sudo rs1 guest"], "no second question when the user may not"
    assert seen["wrong"][0] == "root-refused"
    assert len(seen["wrong asked"]) == 3
    assert seen["leak"] == []


def test_prompt_of_sudo_rs(farm: Lab) -> None:
    hosts.put_sudo_rs(farm, "rs1")
    try:
        seen = play(farm, "rs")
    finally:
        hosts.put_sudo_back(farm, "rs1")
    assert seen["root"][1] == "0\nin"
    assert seen["asked"] == ["sudo rs1 ops", "sudo rs1 ops again"]


def test_host_keys(farm: Lab) -> None:
    seen = play(farm, "keys")
    key = farm.run("rs2", "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").stdout.split()[1]
    assert seen["refused"][0] == "unknown-key"
    assert seen["refused"][2][0]["fingerprint"] == key
    assert seen["not written"]
    assert seen["accepted"][:2] == ["ok", "rs2\n"]
    assert seen["known"] == ["ok", "rs2\n", []]
    mode, text = seen["file"]
    assert mode == "0o100600"
    assert text.startswith("|1|")
    assert "rs2 found: line 1" in seen["keygen"]
    assert seen["authority"][0] == "ok"
    assert "certificate authority" in seen["authority"][2][0]["others"][0]
    assert seen["kept"]
    assert seen["revoked"][0] == "revoked-key"
    assert "/root/.ssh/kh:4" in seen["revoked"][1]
    trouble, text, asked = seen["changed"]
    assert (trouble, asked) == ("changed-key", [])
    assert f"/root/.ssh/kh:2 has {key}" in text
    assert "ssh-keygen -f /root/.ssh/kh -R '[rs2]:2206'" in text
    assert seen["other type"] == ["ok", "rs2\n", []]
    assert seen["others"][0] == "unknown-key"
    assert seen["others"][2][0]["others"] == ["ssh-rsa in /root/.ssh/kh:1"]
    assert seen["only authority"][0] == "unknown-key"
    assert "certificate authority" in seen["only authority"][2][0]["others"][0]
    assert seen["openssh"][:2] == ["ok", "rs2\n"]
    assert seen["cipher"][0] == "ssh-setup"
    assert "it offers chacha20-poly1305@openssh.com; lvstui has aes" in seen["cipher"][1]
    assert seen["openssh cipher"][:2] == ["ok", "rs2\n"]
    assert (seen["strict"][0], seen["strict"][2]) == ("unknown-key", [])
    assert (seen["weak"][0], len(seen["weak"][2])) == ("unknown-key", 1)


def test_logins(farm: Lab) -> None:
    seen = play(farm, "logins")
    right = ["password rs2 ops", "password rs2 ops again"]
    assert (seen["password"][0], seen["password"][3]) == ("ok", right)
    assert (seen["bad passwords"][0], len(seen["bad passwords"][3])) == ("login-refused", 3)
    assert "no password was given" in seen["no password"][1]
    assert (seen["asks"][0], seen["asks"][3]) == ("ok", ["answer rs2 ops", "answer rs2 ops again"])
    assert seen["asks nobody"][0] == "login-refused"
    assert seen["nothing"][0] == "login-refused"
    assert seen["passphrase"][0] == "ok"
    assert {*seen["passphrase"][4]} == {"passphrase of /root/.ssh/locked"}
    assert seen["no passphrase"][0] == "login-refused"
    for name in (
        "foreign certificate",
        "certificate",
        "many keys",
        "named of many",
        "agent off",
        "certificate in agent",
    ):
        assert seen[name][0] == "ok", (name, seen[name])
    assert "more keys were not offered" in seen["last of many"][1]


def test_hosts_and_settings_that_fail(farm: Lab) -> None:
    seen = play(farm, "trouble")
    assert seen["config"][:2] == ["ok", "deploy\nrs2\n"]
    assert (seen["proxy command"][0], seen["circle"][0]) == ("unreachable", "ssh-setup")
    assert "no way to nowhere" in seen["proxy command"][1]
    assert "loop" in seen["circle"][1]
    assert seen["token"][0] == "ssh-setup"
    assert "connection refused" in seen["refused"][1]
    assert "does not speak SSH" in seen["not ssh"][1]
    assert seen["silent"][0] == "unreachable"
    assert "name not found" in seen["no name"][1]
    assert "rs1 cannot reach 10.10.0.4 port 9" in seen["no jump target"][1]
    for name in ("hangs", "hangs write"):
        assert seen[name][0] == "hangs"
        assert seen[name][2] < 10
    assert "/root/.ssh/config: line 2: Bad configuration option: bogus" in seen["bad config"][1]


def test_link_cut_in_the_middle_of_a_command(farm: Lab) -> None:
    farm.run("lb1", "rm -f /run/scene")
    process = farm.spawn("lb1", command("cut"))
    process.close_input()
    try:
        farm.wait("lb1", "test -e /run/scene", timeout=60)
        time.sleep(1.5)
        farm.fault("unplug", "rs1")
        cut_at = time.monotonic()
        assert process.wait(40) == 0, process.errors()
        took = time.monotonic() - cut_at
    finally:
        farm.reset()
    seen = json.loads(process.output())
    assert took < 20
    for name in ("direct", "behind"):
        assert seen[name][0] == "connection-lost"
        assert "what it did there is not known" in seen[name][1]
    assert seen["others"][:2] == ["ok", "rs2\n"]


def test_fleet(farm: Lab) -> None:
    seen = play(farm, "fleet")
    for name in ("rs1", "rs2", "rs3", "rs1b", "rs2b"):
        assert seen[name] == "0\n", (name, seen[name])
    assert seen["10.10.0.99"][0] == "unreachable"
    assert seen["hang"][0] == "hangs"
    assert seen["took"] < 60
    assert len(seen["asked"]) == 1
    assert seen["log"] == [5, [], "0o100600"]
