"""What is so, asked without lvstui: ipvsadm, ip, /proc, keepalived's dump, the client's log."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from lvstui.lab import LabError
from tests.labs import Lab

_LOOK = r"""
echo '@table'; ipvsadm -Sn
echo '@addresses'; ip -o addr show
echo '@processes'
for p in /proc/[0-9]*; do
  if read -r line < "$p/stat"; then case $line in *'(keepalived'*) echo "$line";; esac; fi
done 2>/dev/null
echo '@children'
for n in keepalived checkers vrrp; do
  for f in /run/$n.pid /run/keepalived/$n.pid; do
    if [ -r $f ]; then read -r pid < $f; echo "$n $pid"; break; fi
  done
done
"""
_DUMP_S = 6.0
BUCKETS = 5
"""Seconds of the client's log that are judged."""
_PATIENCE_MS = 2100
"""A request that gets no answer is written this long after its start."""
_CLIENT = "date +%s%3N; tail -c 40000 /var/log/client.log 2>/dev/null"


@dataclass(frozen=True, slots=True)
class Server:
    """One destination of the kernel."""

    weight: int
    forward: str
    upper: int = 0


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the kernel."""

    scheduler: str
    persistence: int
    servers: Mapping[str, Server]
    ops: bool = False


@dataclass(frozen=True, slots=True)
class Truth:
    """One director now."""

    table: Mapping[str, Service]
    addresses: frozenset[str]
    processes: Mapping[str, str]
    """keepalived, checkers, vrrp: state letter of those that run."""
    alive: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    """(service, server): what keepalived's own dump said; empty when it was not asked."""

    def same(self, other: Truth) -> bool:
        """Whether nothing has changed; a process sleeps or runs at any moment."""
        frozen = [{name: _still(s) for name, s in t.processes.items()} for t in (self, other)]
        return (self.table, self.addresses) == (other.table, other.addresses) and (
            frozen[0] == frozen[1]
        )

    @property
    def running(self) -> bool:
        """keepalived's parent is there."""
        return "keepalived" in self.processes

    def works(self, child: str) -> bool:
        """That child is there and not frozen, and so is the parent."""
        return self.running and not _still(self.processes.get(child, "Z"))


def _still(letter: str) -> bool:
    return letter in "TtZX"


def look(lab: Lab, node: str) -> Truth:
    """Ask a director."""
    return parse(lab.run(node, _LOOK, timeout=60, check=False).stdout)


def parse(text: str) -> Truth:
    """What the script printed."""
    parts: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("@"):
            lines = parts.setdefault(line[1:], [])
        else:
            lines.append(line)
    states = {}
    for line in parts.get("processes", []):
        pid, _, rest = line.partition(" ")
        states[pid] = rest.rpartition(") ")[2][:1]
    named = dict(line.split(None, 1) for line in parts.get("children", []))
    return Truth(
        table=_table(parts.get("table", [])),
        addresses=frozenset(
            words[3].partition("/")[0]
            for line in parts.get("addresses", [])
            if (words := line.split()) and len(words) > 3 and words[2] in ("inet", "inet6")
        ),
        processes={name: states[pid] for name, pid in named.items() if pid in states},
    )


_WAYS = {"-g": "DR", "-m": "NAT", "-i": "TUN", "-l": "LOCAL"}
_PROTOCOLS = {"-t": "tcp", "-u": "udp", "--sctp-service": "sctp", "-f": "fwmark"}


def _table(lines: list[str]) -> dict[str, Service]:
    found: dict[str, Service] = {}
    for line in lines:
        words = shlex.split(line)
        if len(words) < 3 or words[1] not in _PROTOCOLS:
            continue
        name = f"{_PROTOCOLS[words[1]]} {words[2]}" + " ipv6" * ("-6" in words)
        if words[0] == "-A":
            persistence = int(_after(words, "-p", "0"))
            found[name] = Service(_after(words, "-s", "?"), persistence, {}, "-o" in words)
        elif words[0] == "-a" and name in found:
            way = next((_WAYS[word] for word in words if word in _WAYS), "?")
            server = Server(int(_after(words, "-w", "1")), way, int(_after(words, "-x", "0")))
            servers = {**found[name].servers, _bare(_after(words, "-r", "?")): server}
            old = found[name]
            found[name] = Service(old.scheduler, old.persistence, servers, old.ops)
    return found


def _bare(socket: str) -> str:
    """Without the port 0 of a service that is a mark."""
    return socket.removesuffix(":0").strip("[]") if socket.endswith(":0") else socket


def _after(words: list[str], option: str, default: str) -> str:
    return words[words.index(option) + 1] if option in words[:-1] else default


# keepalived's own word


def dumped(lab: Lab, node: str, truth: Truth) -> Truth:
    """The same with what keepalived says of each real server. It writes to its log for that, and
    who reads its dumps learns from it: ask when lvstui has been asked already."""
    if not truth.works("checkers"):
        return truth
    path = "/tmp/keepalived_check.data"
    lab.run(node, f"rm -f {path}; kill -USR1 $(cat /run/keepalived.pid)", check=False)
    end, text = time.monotonic() + _DUMP_S, ""
    while time.monotonic() < end:
        time.sleep(0.3)
        now = lab.run(node, f"cat {path}", check=False).stdout
        if now and now == text:
            break
        text = now
    return Truth(truth.table, truth.addresses, truth.processes, alive_in(text))


def alive_in(text: str) -> dict[tuple[str, str], bool]:
    """Each real server of keepalived_check.data; services of a group are left out."""
    found: dict[tuple[str, str], bool] = {}
    service = server = ""
    for line in text.partition("------< Health checkers >------")[0].splitlines():
        words = line.strip()
        if match := re.match(r"VS VIP = ([^,]+), VPORT = (\d+)", words):
            service, server = f"{{}} {_socket(match[1], match[2])}", ""
        elif match := re.match(r"VS FWMARK = (\d+)", words):
            service, server = f"fwmark {match[1]}", ""
        elif words.startswith("VS GROUP"):
            service = server = ""
        elif match := re.match(r"protocol = (\w+)", words):
            service = service.replace("{}", match[1].lower())
        elif match := re.match(r"RIP = ([^,]+), RPORT = (\d+)", words):
            server = _socket(match[1], match[2])
        elif (match := re.match(r"alive = (\d)", words)) and service and server:
            found[service, server] = match[1] == "1"
    return found


def _socket(address: str, port: str) -> str:
    return _bare(f"[{address}]:{port}" if ":" in address else f"{address}:{port}")


# The client


def losses(lab: Lab) -> dict[str, float]:
    """Services (as the client calls them) that lost requests in each of the last five seconds, and
    the share of all requests of that time."""
    done = lab.run("client", _CLIENT, check=False).stdout
    stamp, _, log = done.partition("\n")
    return lost(int(stamp or 0), log) if stamp.isdigit() else {}


def lost(now_ms: int, log: str) -> dict[str, float]:
    """The same of a log's text."""
    end = now_ms - _PATIENCE_MS
    seen: dict[str, list[list[int]]] = {}
    for line in log.splitlines():
        words = line.split()
        if len(words) != 5 or not words[0].isdigit():
            continue
        bucket = (end - int(words[0])) // 1000
        if 0 <= bucket < BUCKETS:
            counts = seen.setdefault(words[1], [[0, 0] for _ in range(BUCKETS)])
            counts[bucket][0] += 1
            counts[bucket][1] += words[4] != "ok"
    found = {}
    for name, counts in seen.items():
        if all(bad for _, bad in counts):
            found[name] = sum(bad for _, bad in counts) / sum(all_ for all_, _ in counts)
    return found


def settled(lab: Lab, nodes: tuple[str, ...], at_least_s: float) -> dict[str, Truth]:
    """Wait that long, and until two looks one second apart see the same; the last one.

    What never stands still is judged as it is after 20 s."""
    time.sleep(at_least_s)
    end = time.monotonic() + 20
    before = {node: look(lab, node) for node in nodes}
    while True:
        time.sleep(1)
        now = {node: look(lab, node) for node in nodes}
        if all(now[n].same(before[n]) for n in nodes) or time.monotonic() > end:
            return now
        before = now


def alive(lab: Lab) -> bool:
    """The lab still answers."""
    try:
        return lab.run("client", "true", check=False).status == 0
    except LabError:
        return False
