"""lvstui itself, run on a node of the lab."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pytest

from lvstui.lab import LabError
from lvstui.lab.control import LabProcess, RunResult
from tests.labs import RELEASE, Lab

ROOT = Path(__file__).parents[2]
LVSTUI = f"{shlex.quote(sys.executable)} -m lvstui"
SLOW_S = 60.0
"""Starting Python in the guest takes ten times what it takes on the host."""
PATIENCE_S = 200.0
"""For what starts some hundred processes in the guest."""


def python(words: str) -> str:
    """Python in the guest, with the folder of the tests in reach."""
    return f"env PYTHONPATH={shlex.quote(str(ROOT))} {shlex.quote(sys.executable)} {words}"


SERVES_ZERO = pytest.mark.skipif(
    os.environ.get(RELEASE) == "bullseye", reason="keepalived 2.1.5 serves weight 0 as weight 1"
)
"""A test that disables a server in the file; what happens elsewhere is a unit test."""


_residents: WeakKeyDictionary[Lab, dict[str, LabProcess]] = WeakKeyDictionary()


def lvstui(lab: Lab, words: str, node: str = "lb1", *, timeout: float = PATIENCE_S) -> RunResult:
    """Run lvstui with these words of a shell's line on a node, in tests/lab/resident.py there. For
    a terminal, another user or other environment, and to be read-only, there is LVSTUI."""
    there = _residents.setdefault(lab, {})
    process = there.get(node)
    if process is None or process.status is not None:
        process = there[node] = lab.spawn(node, f"exec {python('-m tests.lab.resident')}")
        process.wait_output("ready\n", SLOW_S)
        process.take()
    process.write(json.dumps(shlex.split(words)).encode() + b"\n")
    try:
        process.wait_output("\n", timeout)
    except LabError:
        process.kill()
        raise
    answer = json.loads(process.take())
    return RunResult(answer["status"], answer["stdout"], answer["stderr"])


def status(lab: Lab, node: str = "lb1", *options: str) -> tuple[int, dict[str, Any]]:
    """`lvstui status --json` on a node: exit status and document."""
    done = lvstui(lab, " ".join(["status", "--json", *options]), node)
    return done.status, json.loads(done.stdout)


def server(document: dict[str, Any], name: str, service: str = "web") -> dict[str, Any]:
    """One real server of a document."""
    (found,) = [
        r
        for s in document["services"]
        if s["name"] == service
        for r in s["servers"]
        if r["name"] == name
    ]
    return dict(found)


def forget_attempts(lab: Lab, on: str = "1") -> None:
    """Make a client that takes the port of an attempt that never came about (no VIP yet) new to a
    server of weight 0: the kernel remembers such an attempt for a minute, in whatever mode of
    conn_reuse_mode (net/netfilter/ipvs/ip_vs_core.c, `ip_vs_in_hook`)."""
    lab.run("lb1", f"sysctl -qw net.ipv4.vs.expire_nodest_conn={on}")


class Watch:
    """`lvstui status --watch` on a node, read while it runs."""

    def __init__(self, lab: Lab, node: str) -> None:
        self._process = lab.spawn(node, f"exec {LVSTUI} status --watch")

    def documents(self) -> list[dict[str, Any]]:
        """All whole lines so far."""
        lines = self._process.output().decode().split("\n")[:-1]
        return [json.loads(line) for line in lines]

    def wait(self, condition: Any, what: str, timeout_s: float = 30.0) -> dict[str, Any]:
        """The first document that fulfils `condition`."""
        deadline = time.monotonic() + timeout_s
        while True:
            for document in self.documents():
                if condition(document):
                    return document
            if time.monotonic() > deadline:
                last = json.dumps(self.documents()[-1:])[-2000:]
                raise AssertionError(f"{what} did not happen; {self._process.errors()!r} {last}")
            time.sleep(0.1)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(10)
