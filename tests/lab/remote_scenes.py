"""Scenes that are played on lb1: `python -m tests.lab.remote_scenes SCENE` prints one JSON object.

Starting Python takes long in the guest, so each scene has many steps.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from lvstui.remote.connect import Connector
from lvstui.remote.fleet import run_on_all
from lvstui.remote.runner import (
    Access,
    RemoteError,
    Runner,
    SecretAnswer,
    SecretRequest,
    UnknownKey,
)
from tests.lab import remote_hosts as hosts

HOME = Path("/root/.ssh")


class Operator:
    """Answers as the scene says, for all hosts of the run, and remembers what was asked."""

    def __init__(self, *answers: str, accept: bool = True) -> None:
        self.answers = list(answers)
        self.accept = accept
        self.keys: list[UnknownKey] = []
        self.requests: list[SecretRequest] = []

    def accept_key(self, key: UnknownKey) -> bool:
        self.keys.append(key)
        return self.accept

    def secret(self, request: SecretRequest) -> SecretAnswer | None:
        self.requests.append(request)
        return SecretAnswer(self.answers.pop(0), everywhere=True) if self.answers else None

    def asked(self) -> list[str]:
        return [f"{r.kind} {r.host} {r.user}{' again' if r.again else ''}" for r in self.requests]


def told(work: Callable[[], Any]) -> list[Any]:
    """What came of it: ["ok", value, seconds], or [trouble, text, seconds]."""
    started = time.monotonic()
    try:
        value = work()
        return ["ok", value, round(time.monotonic() - started, 2)]
    except RemoteError as error:
        return [error.trouble.value, str(error), round(time.monotonic() - started, 2)]
    except Exception as error:
        return [type(error).__name__, str(error) + traceback.format_exc(), 0]


def ssh_config(text: str, name: str = "config") -> str:
    path = HOME / name
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


def shell(command: str) -> str:
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def agent() -> None:
    """Start an agent with root's key, and have it for this process."""
    for line in shell("ssh-agent -s").splitlines():
        name, _, value = line.partition("=")
        if name in ("SSH_AUTH_SOCK", "SSH_AGENT_PID"):
            os.environ[name] = value.split(";")[0]
    shell("ssh-keygen -q -t ecdsa -N '' -f /root/.ssh/other; ssh-add /root/.ssh/other")
    shell("ssh-add /root/.ssh/id_ed25519")


def by_link(runner: Runner) -> str:
    """Write a file through a link; the link and the file afterwards."""
    runner.run("ln -s x.conf /etc/y.conf", what="link")
    runner.write("/etc/y.conf", b"by link\n")
    return runner.run("readlink /etc/y.conf; cat /etc/x.conf", what="look").text


def scene_plain() -> dict[str, Any]:
    """A key file, files, outputs, the operator's own host."""
    result: dict[str, Any] = {}
    with Connector() as connector:
        runner = connector.open(Access("rs1"))
        result["hostname"] = told(lambda: runner.run("hostname; echo e >&2; exit 3", what="x").text)
        result["input"] = told(lambda: runner.run("wc -c", stdin=b"x" * 3_000_000).text.strip())
        result["both"] = told(
            lambda: len(runner.run("head -c 3000000 /dev/zero >&2; head -c 3000000 /dev/zero").out)
        )
        result["root"] = told(lambda: runner.run("id -u; cat", stdin=b"in", root=True).text)
        runner.write("/etc/x.conf", b"data\n", mode=0o644)
        result["read"] = told(lambda: (runner.read("/etc/x.conf") or b"").decode())
        result["absent"] = told(lambda: runner.read("/etc/none.conf"))
        result["listing"] = told(
            lambda: runner.run("ls -la /etc/x.conf; ls -a /etc | grep lvs").text
        )
        runner.run("mkdir /small; mount -t tmpfs -o size=64k none /small", what="small disk")
        result["no folder"] = told(partial(runner.write, "/none/x", b"1"))
        result["full"] = told(partial(runner.write, "/small/x", b"1" * 200_000))
        result["left"] = told(lambda: runner.run("ls -a /small").text)
        result["link"] = told(lambda: by_link(runner))
        result["long"] = told(lambda: runner.run("echo " + "a" * 200_000 + " | wc -c").text.strip())
        result["long input"] = told(
            lambda: runner.run("#" + "a" * 50_000 + "\nwc -c", stdin=b"123").text.strip()
        )
        result["odd"] = told(lambda: runner.run("printf '%s' 'a\"b $x \\\\ 100% !h ü'").text)
        result["many"] = told(
            lambda: [runner.run(":", what="x").status for _ in range(20)].count(0)
        )
        result["fingerprint"] = runner.fingerprint  # type: ignore[attr-defined]
        result["record"] = [r.script for r in connector.transcript.records() if r.host == "rs1"][:1]
    return result


def scene_sudo() -> dict[str, Any]:
    """Agent, jump host, users that become root in every way."""
    agent()
    config = ssh_config("IdentityFile none\nHost rs*\n  User ops\n  ProxyJump deploy@lb2\n")
    result: dict[str, Any] = {}
    operator = Operator("wrong", "lab")
    with Connector(operator, ssh_config=config) as connector:
        connector.expect([Access(name) for name in ("rs1", "rs2", "rs3")])
        runner = connector.open(Access("rs1"))
        result["way in"] = told(lambda: runner.run("echo $SSH_CONNECTION; id -un").text)
        result["root"] = told(lambda: runner.run("id -u; cat", root=True, stdin=b"payload").text)
        result["root err"] = told(lambda: runner.run("echo oops >&2; exit 4", root=True).err)
        runner.write("/etc/z.conf", b"z\n", mode=0o640, root=True)
        result["stat"] = told(
            lambda: runner.run("stat -c %U:%a /etc/z.conf; ls -a /tmp /dev/shm").text
        )
        second = connector.open(Access("rs2"))
        result["second"] = told(lambda: second.run("id -u", root=True).text)
        result["asked"] = operator.asked()
        free = connector.open(Access("rs3", user="deploy", jump="none"))
        result["tty free"] = told(
            lambda: free.run("id -u; cat; echo e >&2", root=True, stdin=b"a\nb").text
        )
        third = connector.open(Access("rs3"))
        ran = third.run("printf 'a\\nb\\n'; cat; echo e >&2; exit 5", root=True, stdin=b"in")
        result["tty"] = [ran.status, ran.text, ran.err]
        deploy = connector.open(Access("rs1", user="deploy"))
        result["free"] = told(lambda: deploy.run("cat; id -u", root=True, stdin=b"in ").text)
        result["free plain"] = told(lambda: deploy.run("id -u", root=True).text)
        result["asked later"] = operator.asked()
        result["shm"] = told(lambda: deploy.run("ls -a /tmp /dev/shm /var/tmp", root=True).text)
        result["log"] = told(lambda: third.run("cat /root/nothing", root=True).err)
    refused = Operator("lab")
    with Connector(refused, ssh_config=config) as connector:
        guest = connector.open(Access("rs1", user="guest", jump="none"))
        result["guest"] = told(lambda: guest.run("id -u", root=True).text)
        result["guest again"] = told(lambda: guest.run("id -u", root=True).text)
        result["guest asked"] = refused.asked()
    wrong = Operator("bad1", "bad2", "bad3", "bad4")
    with Connector(wrong, ssh_config=config) as connector:
        runner = connector.open(Access("rs1", jump="none"))
        result["wrong"] = told(lambda: runner.run("id -u", root=True).text)
        result["wrong asked"] = wrong.asked()
        text = repr(connector.vault) + json.dumps(
            [r.__repr__() for r in connector.transcript.records()]
        )
        result["leak"] = [word for word in ("bad1", "bad2", "bad3") if word in text]
    return result


def scene_keys() -> dict[str, Any]:
    """Host keys: unknown, accepted, changed, revoked, of another type, vouched for by a CA."""
    result: dict[str, Any] = {}
    known = HOME / "kh"
    text = f"GlobalKnownHostsFile /dev/null\nUserKnownHostsFile {known}\nHashKnownHosts yes\n"
    config = ssh_config(text)
    key = shell("ssh-keyscan -t ed25519 rs2 2>/dev/null").split(" ", 1)[1].strip()
    new, ecdsa = (
        shell(f"ssh-keyscan -t {kind} -p {port} rs2 2>/dev/null").split(" ", 1)[1].strip()
        for kind, port in (("ed25519", hosts.NEW_KEY), ("ecdsa", hosts.TWO_KEYS))
    )

    def connect(port: int, accept: bool = False, backend: str = "") -> list[Any]:
        operator = Operator(accept=accept)
        with Connector(operator, ssh_config=config) as connector:
            access = Access("rs2", port=port)
            done = told(
                lambda: (
                    connector.open(access, backend=backend).run("hostname", what="hostname").text
                )
            )
        return [*done[:2], [asdict(k) for k in operator.keys]]

    known.unlink(missing_ok=True)
    result["refused"] = connect(22)
    result["not written"] = not known.exists()
    result["accepted"] = connect(22, True)
    result["known"] = connect(22)
    result["file"] = [oct(known.stat().st_mode), known.read_text()]
    result["keygen"] = shell(f"ssh-keygen -F rs2 -f {known}; ssh-keygen -lf {known}")
    authority = shell("ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/ca0; cat /root/.ssh/ca0.pub")
    rest = f"# a comment\n\n@cert-authority * {authority}@revoked * {new}\nrubbish\n"
    known.write_text(rest + "no newline at the end")
    result["authority"] = connect(22, True)
    result["kept"] = known.read_text().startswith(rest + "no newline at the end\n|1|")
    result["revoked"] = connect(hosts.NEW_KEY, True)
    known.write_text(f"# one\n[rs2]:{hosts.NEW_KEY} {key}\n")
    result["changed"] = connect(hosts.NEW_KEY, True)
    known.write_text(f"[rs2]:{hosts.TWO_KEYS} {ecdsa}\n")
    result["other type"] = connect(hosts.TWO_KEYS)
    rsa = shell("ssh-keygen -q -t rsa -N '' -f /root/.ssh/rsa0; cat /root/.ssh/rsa0.pub")
    known.write_text(f"rs2 {rsa}")
    result["others"] = connect(22)
    known.write_text(f"@cert-authority rs2,[rs2]:* {(HOME / 'lab-ca.pub').read_text()}")
    result["only authority"] = connect(hosts.CERTIFIED)
    result["openssh"] = connect(hosts.CERTIFIED, backend="openssh")
    known.write_text(f"[rs2]:{hosts.CHACHA} {key}\n")
    result["cipher"] = connect(hosts.CHACHA)
    result["openssh cipher"] = connect(hosts.CHACHA, backend="openssh")
    known.unlink()
    config = ssh_config(text + "StrictHostKeyChecking yes\n")
    result["strict"] = connect(22, True)
    config = ssh_config(text + "StrictHostKeyChecking no\n")
    result["weak"] = connect(22)
    return result


def scene_logins() -> dict[str, Any]:
    """Passwords, questions, passphrases, certificates, agents with many keys."""
    result: dict[str, Any] = {}
    base = "StrictHostKeyChecking no\nNoHostAuthenticationForLocalhost no\n"
    known = shell("ssh-keyscan -t ed25519 rs2 2>/dev/null").split(" ", 1)[1].strip()
    (HOME / "known_hosts").write_text("".join(f"[rs2]:{p} {known}\n" for p in range(2200, 2210)))

    def connect(text: str, operator: Operator, port: int = 22, user: str = "ops") -> list[Any]:
        config = ssh_config(base + text)
        with Connector(operator, ssh_config=config) as connector:
            access = Access("rs2", port=port, user=user)
            done = told(lambda: connector.open(access).run("id -un", what="id").text)
            if done[0] == "ok":
                # What was right once is not asked again.
                connector.open(access).close()
        return [*done, operator.asked(), [r.prompt for r in operator.requests]]

    none = "IdentityFile none\n"
    result["password"] = connect(none, Operator("bad", "lab"), hosts.PASSWORD)
    result["bad passwords"] = connect(none, Operator(*["bad"] * 9), hosts.PASSWORD)
    result["no password"] = connect(none, Operator(), hosts.PASSWORD)
    result["asks"] = connect(none, Operator("bad", "lab"), hosts.ASKS)
    result["asks nobody"] = connect(none, Operator(), hosts.ASKS)
    result["nothing"] = connect(none, Operator(), 22)
    shell("cd /root/.ssh; cp id_ed25519 locked; ssh-keygen -q -p -P '' -N geheim -f locked")
    shell("cd /root/.ssh; ssh-keygen -q -t rsa -b 2048 -N geheim2 -f foreign; rm foreign.pub")
    locked = "IdentityFile /root/.ssh/foreign\nIdentityFile /root/.ssh/locked\n"
    result["passphrase"] = connect(locked, Operator("bad", "geheim"))
    result["no passphrase"] = connect(locked, Operator())
    shell("cd /root/.ssh; cp id_ed25519 mine; ssh-keygen -y -f mine > mine.pub")
    shell("cd /root/.ssh; ssh-keygen -q -s ca0 -I me -n ops -V -1d:+52w mine.pub")
    result["foreign certificate"] = connect("IdentityFile /root/.ssh/mine\n", Operator())
    shell("cd /root/.ssh; cp lab-ca ca1; chmod 600 ca1; ssh-keygen -q -t ed25519 -N '' -f fresh")
    shell("cd /root/.ssh; ssh-keygen -q -s ca1 -I me -n ops -V -1d:+52w fresh.pub")
    certificate = "IdentityFile /root/.ssh/fresh\n"
    result["certificate"] = connect(certificate, Operator(), hosts.ONLY_CERTIFICATE)
    agent()
    for number in range(6):
        shell(f"cd /root/.ssh; ssh-keygen -q -t ed25519 -N '' -f k{number}; ssh-add k{number}")
    result["many keys"] = connect(none, Operator())
    shell("ssh-add -d /root/.ssh/id_ed25519; ssh-add /root/.ssh/id_ed25519")
    result["last of many"] = connect(none, Operator())
    only = "IdentityFile /root/.ssh/id_ed25519\n"
    result["named of many"] = connect(only, Operator())
    result["agent off"] = connect(only + "IdentityAgent none\n", Operator())
    result["certificate in agent"] = connect(
        "IdentityFile /root/.ssh/fresh\nIdentitiesOnly yes\n", Operator(), hosts.ONLY_CERTIFICATE
    )
    return result


def scene_trouble() -> dict[str, Any]:
    """Hosts that hang or are not there, and an ssh_config that leads astray."""
    result: dict[str, Any] = {}
    known = shell("ssh-keyscan -t ed25519 rs2 2>/dev/null").split(" ", 1)[1].strip()
    (HOME / "known_hosts").write_text("".join(f"[rs2]:{p} {known}\n" for p in range(2200, 2210)))
    ssh_config('Match host far exec "test -e /etc/ssh"\n  User deploy\n', "more")
    config = ssh_config(
        "Include /root/.ssh/more\n"
        "Host far\n  HostName 10.10.0.4\n  ProxyCommand /usr/bin/ssh -F /dev/null -W %h:%p %r@rs1\n"
        "Host nowhere\n  ProxyCommand sh -c 'echo no way to %n >&2; exit 1'\n"
        "Host round\n  ProxyJump round\n"
        "Host odd\n  IdentityFile ~/.ssh/%Z\n"
        "Host behind\n  HostName 10.10.0.9\n  ProxyJump rs1\n"
        "Host closed\n  HostName 10.10.0.4\n  ProxyJump rs1\n  Port 9\n"
    )
    with Connector(Operator(), ssh_config=config, step_s=4.0) as connector:

        def connect(host: str, port: int = 0) -> list[Any]:
            access = Access(host, port=port)
            return told(lambda: connector.open(access).run("id -un; hostname", what="id").text)

        result["config"] = connect("far")
        result["proxy command"] = connect("nowhere")
        result["circle"] = connect("round")
        result["token"] = connect("odd")
        result["refused"] = connect("rs2", 9)
        result["not ssh"] = connect("rs2", 80)
        result["silent"] = connect("10.10.0.99")
        result["no name"] = connect("no-such-host.invalid")
        result["no jump target"] = connect("closed")
        hangs = connector.open(Access("rs2", port=hosts.HANGS))
        result["hangs"] = told(lambda: hangs.run("id", timeout_s=3, what="ask who we are"))
        result["hangs write"] = told(lambda: hangs.run("cat", stdin=b"x" * 5_000_000, timeout_s=3))
    config = ssh_config("Host a\n  Bogus yes\n")
    with Connector(Operator(), ssh_config=config) as connector:
        result["bad config"] = told(lambda: connector.open(Access("a")))
    return result


def scene_cut() -> dict[str, Any]:
    """Two long commands, one behind a jump host; the test pulls the cable of rs1 meanwhile."""
    result: dict[str, Any] = {}
    with Connector(Operator(), ssh_config="/dev/null") as connector:
        direct = connector.open(Access("rs1"))
        behind = connector.open(Access("rs1", jump="rs2"))
        fine = connector.open(Access("rs2"))
        Path("/run/scene").touch()
        runners = {"direct": direct, "behind": behind}
        outcomes = run_on_all(
            list(runners), lambda name: runners[name].run("sleep 60", timeout_s=60, what="sleep")
        )
        for outcome in outcomes:
            error = outcome.error
            result[outcome.item] = [error.trouble.value, str(error)] if error else None
        result["others"] = told(lambda: fine.run("hostname", what="x").text)
    return result


def scene_fleet() -> dict[str, Any]:
    """Many at once, some of which hang; the program must end in time."""
    result: dict[str, Any] = {}
    operator = Operator("lab")
    names = ["rs1", "rs2", "rs3", "10.10.0.99", "hang", "rs1b", "rs2b"]
    config = ssh_config(
        f"Host hang\n  HostName rs2\n  Port {hosts.HANGS}\n"
        "Host rs?b\n  ProxyJump lb2\nHost rs1b\n  HostName rs1\nHost rs2b\n  HostName rs2\n"
        "Host rs*\n  User ops\n"
    )
    started = time.monotonic()
    connector = Connector(operator, ssh_config=config, step_s=20.0, transcript=HOME / "log.jsonl")
    connector.expect([Access(name) for name in names])

    def work(name: str) -> str:
        with closing(connector.open(Access(name))) as runner:
            return runner.run("id -u", root=True, timeout_s=60, what="id").text

    for outcome in run_on_all(names, work, deadline_s=45.0):
        error = outcome.error
        result[outcome.item] = [error.trouble.value, str(error)] if error else outcome.value
    result["took"] = time.monotonic() - started
    result["asked"] = operator.asked()
    connector.close()
    log = (HOME / "log.jsonl").read_text()
    mode = oct((HOME / "log.jsonl").stat().st_mode)
    result["log"] = [len(log.splitlines()), re.findall(r"\blab\b", log), mode]
    return result


def scene_rs() -> dict[str, Any]:
    """A sudo that words its prompt as sudo-rs does."""
    result: dict[str, Any] = {}
    operator = Operator("bad", "lab")
    with Connector(operator, ssh_config="/dev/null") as connector:
        runner = connector.open(Access("rs1", user="ops"))
        result["root"] = told(lambda: runner.run("id -u; cat", stdin=b"in", root=True).text)
        result["asked"] = operator.asked()
    return result


SCENES = {name[6:]: work for name, work in globals().items() if name.startswith("scene_")}

if __name__ == "__main__":
    print(json.dumps(SCENES[sys.argv[1]]()))
