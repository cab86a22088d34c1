"""Users of a director who call a program of theirs keepalived: nobody takes it for the daemon."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.director import status
from tests.lab.test_config_command import NOBODY, said
from tests.lab.test_configuration import CONF, clean, daemon
from tests.labs import Lab
from tests.stand_ins import recorder

HOME = "/home/guest"
IMPOSTOR = f"{HOME}/keepalived"
MARK = "/run/impostor-ran"
GUEST = "setpriv --reuid=1003 --regid=1003 --clear-groups"
HOSTILE = "x\nLVSTUI-END\n}\ntouch /run/impostor-ran\n'$(touch /run/impostor-ran)"


@pytest.fixture(autouse=True)
def _without_a_past(lab: Lab) -> Iterator[None]:
    clean(lab, "lb1", "lb2")
    yield
    clean(lab, "lb1", "lb2")


@contextlib.contextmanager
def impostor(lab: Lab, node: str, tmp_path: Path) -> Iterator[str]:
    """The user `guest` runs a keepalived of his own there, under a pid that a stale pid file names;
    run by root it would leave a mark. Nothing may have left one in the end."""
    recorder(tmp_path / "keepalived", Path(MARK))
    lab.write(node, IMPOSTOR, (tmp_path / "keepalived").read_bytes(), mode=0o755)
    lab.run(node, f"chown guest: {IMPOSTOR}; rm -f {MARK}")
    command = ["/bin/sh", "-c", f'exec {GUEST} {IMPOSTOR} -f "$0"', HOSTILE]
    process = lab.spawn(node, command, env={"TMPDIR": HOME})
    try:
        find = "for p in /proc/[0-9]*; do [ $p/exe -ef " + IMPOSTOR + " ] && echo ${p#/proc/}; done"
        until = time.monotonic() + 30
        while not (pid := lab.run(node, find, check=False).stdout.strip()):
            assert time.monotonic() < until
            time.sleep(0.1)
        lab.run(node, f"mkdir -p /run/keepalived; echo {pid} > /run/keepalived.pid")
        yield pid
        ran = lab.run(node, f"cat {MARK}", check=False).stdout
        assert not ran, f"the impostor {ran}"
    finally:
        lab.run(node, f"kill -9 {pid}; rm -f {IMPOSTOR} {MARK}", check=False)
        process.wait(10)


def candidate(lab: Lab, node: str = "lb1") -> None:
    lab.run(node, f"sed 's/weight 10/weight 11/' {CONF} > /root/other.conf")


def test_an_impostor_is_not_the_daemon_here(lab: Lab, tmp_path: Path) -> None:
    candidate(lab)
    lab.fault("kill-keepalived", "lb1")
    with impostor(lab, "lb1", tmp_path) as pid:
        code, document = status(lab)
        assert code != 0
        assert not document["daemon"]["running"], document["daemon"]
        code, text = said(lab, "status")
        assert (code, "keepalived is not running" in text) == (1, True), text
        code, text = said(lab, "status", front=NOBODY)
        assert (code, "keepalived is not running" in text) == (1, True), text
        code, text = said(lab, "config check")
        assert code == 0, text
        code, text = said(lab, "config apply /root/other.conf --alone --plan")
        assert "keepalived does not run" in text, text
        assert HOME not in text
        assert said(lab, "config history")[0] == 0
        # The real one is started anew beside it: it is found, whatever the pid file says. (It would
        # itself take the impostor for a keepalived that runs already.)
        lab.run("lb1", "rm -f /run/keepalived.pid")
        lab.fault("start-keepalived", "lb1")
        lab.wait_all_up()
        lab.run("lb1", f"echo {pid} > /run/keepalived.pid")
        _, document = status(lab)
        assert document["daemon"]["running"]
        assert document["daemon"]["pid"] != int(pid)
        code, text = said(lab, "config weight rs1 7 --service web --alone --yes")
        assert code == 0, text


def test_an_impostor_is_not_the_daemon_of_the_peer(lab: Lab, tmp_path: Path) -> None:
    candidate(lab)
    lab.fault("kill-keepalived", "lb2")
    with impostor(lab, "lb2", tmp_path):
        _, text = said(lab, "config apply /root/other.conf --peer lb2 --plan")
        assert "does not run" in text, text
        assert HOME not in text
        assert said(lab, "config history --peer lb2")[0] == 0
        assert daemon(lab, "lb1")
