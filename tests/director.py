"""A director whose answers stand still: what the scripts of a plan print where these files are.

The real planner reads, tests and judges through it, so a plan on a screen says what it would say
there. The forms of the answers are those of the scripts in lvstui/keepalived/daemon/scripts; the
network is as `ip -j -d addr` of the lab's lb1 tells it.
"""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lvstui.keepalived.text.files import glob_matches
from lvstui.operations.configuration_hosts import DirectorAccess
from lvstui.remote.runner import Ran

PID = 811
_BOOTED = 1_795_000_000
_LINK = {
    "ifindex": 2,
    "ifname": "eth0",
    "flags": ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"],
    "mtu": 1500,
    "operstate": "UP",
    "link_type": "ether",
    "addr_info": [
        {"family": "inet", "local": "10.10.0.1", "prefixlen": 24, "scope": "global"},
        {"family": "inet", "local": "10.10.0.20", "prefixlen": 24, "scope": "global"},
    ],
}


def blob(name: str, data: bytes) -> str:
    """Bytes as the scripts tell them."""
    return f"@{name}\n{base64.b64encode(data).decode()}\n.\n"


def _nothing(script: str) -> str:
    return ""


@dataclass
class RecordedDirector:
    """As Runner."""

    files: Mapping[str, bytes]
    table: str = ""
    """/proc/net/ip_vs."""
    host: str = "lb1"
    version: str = "2.2.7"

    def run(self, script: str, *, what: str = "", **_: object) -> Ran:
        """By what it is asked for."""
        answers: dict[str, Callable[[str], str]] = {
            "look at keepalived": self._daemon,
            "read the configuration": self._read,
            "look at interfaces and scripts": self._around,
            "keepalived -t on the candidate": self._tested,
        }
        return Ran(0, (answers.get(what, _nothing)(script) + "end\n").encode(), "")

    def _daemon(self, script: str) -> str:
        return (
            f"boot 7\nnode {self.host}\nuptime 86400\nbooted {_BOOTED}\nuser 0\npid {PID}\n"
            f"ticks 100\nchild 812 110 0 keepalived\nchild 813 110 800 keepalived_vrrp\n"
            "pidfile checkers 812\npidfile vrrp 813\nsystemd yes\nunit keepalived.service\n"
            "program /usr/sbin/keepalived\nhz 100\n"
            + blob("argv", b"/usr/sbin/keepalived\0--dont-fork\0")
            + blob("version", f"Keepalived v{self.version} (01/16,2022)\n".encode())
            + blob("table", self.table.encode())
            + blob("addresses", b"2: eth0    inet 10.10.0.1/24 brd 10.10.0.255 scope global eth0\n")
        )

    def _read(self, script: str) -> str:
        told = ""
        for kind, number, quoted in re.findall(r"^(want|match) (\d+) (.+)$", script, re.MULTILINE):
            (path,) = shlex.split(quoted)
            if kind == "match":
                found = (one for one in self.files if glob_matches(path, one))
                told += blob(f"match.{number}", b"".join(one.encode() + b"\0" for one in found))
            elif path in self.files:
                told += f"file {number} 81a4 0 0 1\n" + blob(f"data.{number}", self.files[path])
            else:
                told += f"gone {number}\n"
        return told

    def _around(self, script: str) -> str:
        told = ""
        for line, number in re.findall(r"^(.+) 2>\S+ \| blob (\d+)$", script, re.MULTILINE):
            program, *words = shlex.split(line)
            if program == "ip":
                answer = json.dumps([_LINK])
            elif program == "stat":
                paths = words[words.index("--") + 1 :]
                answer = "".join(f"{'81a4' if p in self.files else '41ed'} 0 {p}\n" for p in paths)
            elif program == "getent":
                answer = "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n"
            else:
                answer = "0\n"
            told += blob(number, answer.encode())
        return told

    def _tested(self, script: str) -> str:
        return "before 0\n" + blob("before", b"") + "after 0\n" + blob("after", b"")

    def read(self, path: str, *, root: bool = False, most: int = 1) -> bytes | None:
        """As in Runner."""
        return self.files.get(path)

    def write(self, path: str, data: bytes, *, mode: int = 0, root: bool = False) -> None:
        """As in Runner: nothing is ever written through it."""
        raise AssertionError(path)

    def close(self) -> None:
        """As in Runner."""

    def access(self) -> DirectorAccess:
        """How the planner reaches it."""
        return DirectorAccess(self.host, lambda: self)
