"""What only a director has: keepalived, the kernel's IPVS table, and a syslog daemon.

On a machine this is a program of its own, lab-director: ACTION in, one line of JSON out.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

START_SECONDS = 2.0
CONFIG = "/etc/keepalived/keepalived.conf"
_ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}

Table = dict[str, tuple[str, dict[str, tuple[str, int]]]]
"""{service: (protocol, {server: (method, weight)})}; services are "TCP 10.10.0.20:80" or "FWM 1",
servers "10.10.0.3:80", IPv6 in brackets."""


def read_table(text: str) -> Table:
    """/proc/net/ip_vs, taken apart."""
    table: Table = {}
    servers: dict[str, tuple[str, int]] = {}
    for line in text.splitlines()[3:]:
        words = line.split()
        if words[0] == "->":
            servers[_address(words[1])] = (words[2], int(words[3]))
        else:
            servers = {}
            name = str(int(words[1], 16)) if words[0] == "FWM" else _address(words[1])
            table[f"{words[0]} {name}"] = (words[0], servers)
    return table


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if host.startswith("["):
        raw = socket.inet_pton(socket.AF_INET6, host[1:-1])
        return f"[{socket.inet_ntop(socket.AF_INET6, raw)}]:{int(port, 16)}"
    return f"{socket.inet_ntoa(bytes.fromhex(host))}:{int(port, 16)}"


def is_local(address: str) -> bool:
    """Whether this network namespace has the address (only then can a socket be bound to it)."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock, contextlib.suppress(OSError):
        sock.bind((address, 0))
        return True
    return False


class LabDirector:
    """keepalived of one node.  `fork` is the node's own; on a machine systemd starts what runs."""

    def __init__(
        self, node: dict[str, Any], fork: Callable[[Callable[[], None], str], int] | None = None
    ) -> None:
        self._node = node
        self._fork = fork
        self._pid = 0
        self._stopping = False
        self._again = False
        self._started = 0.0

    def start(self) -> None:
        """As systemd would start it; does nothing when it runs, waits when it is being stopped."""
        if self._pid:
            self._again = self._stopping
            return
        self._started = time.monotonic()
        argv = ["/usr/sbin/keepalived", "--dont-fork", "--log-detail"]
        assert self._fork is not None
        self._pid = self._fork(lambda: os.execve(argv[0], argv, _ENV), "lab-exec")

    def stop(self) -> None:
        """In order, as systemd would; returns at once."""
        self._stopping = True
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGTERM)

    def ended(self, pid: int) -> None:
        if pid != self._pid:
            return
        self._pid = 0
        self._stopping = False
        if self._again:
            self._again = False
            self.start()

    def order(self, action: str) -> dict[str, Any]:
        """start, stop, kill or reload."""
        if self._node["role"] != "director":
            return {"error": f"{self._node['name']} is no director and has no keepalived"}
        if action == "start":
            if self._pid and not self._stopping:
                return {"note": "keepalived runs already"}
            self.start()
        elif action in ("stop", "kill", "reload"):
            found = self._processes() if action == "kill" else [self._pid] if self._pid else []
            if not found:
                return {"note": "keepalived does not run"}
            if action == "stop":
                self.stop()
                return {}
            self._stopping = False
            # Frozen first: a child that sees its parent die would still empty the table in order,
            # and a parent that sees a child die would start it anew.  The parent last: systemd ends
            # in order what it leaves behind.
            steps = [signal.SIGSTOP, signal.SIGKILL] if action == "kill" else [signal.SIGHUP]
            for number in steps:
                for pid in found:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, number)
        else:
            return {"error": f"unknown action {action}"}
        return {}

    def _processes(self) -> list[int]:
        """All of keepalived, the parent last."""
        found = []
        for name in os.listdir("/proc"):
            if name.isdigit():
                with contextlib.suppress(OSError), open(f"/proc/{name}/comm", "rb") as comm:
                    if comm.read().startswith(b"keepalived"):
                        found.append(int(name))
        return sorted(found, key=lambda pid: pid == self._pid)

    @staticmethod
    def _table() -> Table:
        try:
            with open("/proc/net/ip_vs", encoding="ascii") as file:
                return read_table(file.read())
        except FileNotFoundError:
            return {}

    def status(self) -> dict[str, Any]:
        """What can be waited for: {"keepalived": it runs, "ready": for START_SECONDS at least,
        "vips": held here, "missing": planned and not in the kernel}."""
        table = self._table()
        missing = []
        for service, servers in self._node["expect"].items():
            have = table.get(service, ("", {}))[1]
            for server, weight in servers.items():
                if have.get(server, ("", -1))[1] != weight:
                    missing.append(f"{service} -> {server}")
        vips = [vip for vip in self._node["vips"] if is_local(vip)]
        # A daemon that has just begun says nothing by a table left from the one before it, and one
        # that gets SIGTERM before its children are there may miss it (seen with 2.2.7).
        ready = bool(self._pid) and time.monotonic() - self._started > START_SECONDS
        return {"keepalived": bool(self._pid), "ready": ready, "vips": vips, "missing": missing}

    def heal(self) -> list[str]:
        """Configuration, daemon and kernel weights as planned; what was mended."""
        mended = []
        mode, text = self._node["files"][CONFIG]
        try:
            with open(CONFIG, encoding="utf-8", errors="replace") as file:
                changed = file.read() != text
        except OSError:
            changed = True
        if changed:
            from lvstui.lab.inside.root import write

            write(CONFIG, mode, text)
            mended.append("keepalived.conf")
        if not self._pid or self._stopping:
            self.start()
            mended.append("keepalived")
        elif changed:
            os.kill(self._pid, signal.SIGHUP)
        # Linux 6.1 leaves out services where a read of /proc/net/ip_vs goes on to its next page, as
        # many as other network namespaces have (its seq_file counts those, its restart does not),
        # so a long table takes several rounds.
        for _ in range(5):
            lines = self._repairs()
            if not lines:
                break
            self._restore(lines)
            if "ipvs table" not in mended:
                mended.append("ipvs table")
        return mended

    def _repairs(self) -> list[str]:
        """ipvsadm --restore lines that undo weights and services set by hand."""
        flags = {"TCP": "-t", "UDP": "-u", "SCTP": "--sctp-service", "FWM": "-f"}
        methods = {"Route": "-g", "Masq": "-m", "Tunnel": "-i", "Local": "-g"}
        lines = []
        for service, (protocol, servers) in self._table().items():
            expect = self._node["expect"].get(service)
            name = f"{flags[protocol]} {service.partition(' ')[2]}"
            if expect is None:
                lines.append(f"-D {name}")
                continue
            for server, (method, weight) in servers.items():
                if server in expect and weight != expect[server]:
                    way = methods.get(method, "-g")
                    lines.append(f"-e {name} -r {server} {way} -w {expect[server]}")
        return lines

    @staticmethod
    def _restore(lines: list[str]) -> None:
        import subprocess  # late: the import takes a while in the guest

        text = "\n".join(lines).encode() + b"\n"
        command = ["/usr/sbin/ipvsadm", "--restore"]
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(command, input=text, env=_ENV, timeout=5, check=False)


# A syslog daemon: /dev/log into /var/log/syslog, in Debian 12's rsyslog format. A line is
# `2026-11-22T17:05:15.123456+00:00 lb1 Keepalived_vrrp[12]: text`; rsyslog escapes control
# characters as #ooo and so does this.

_SYSLOG = "/var/log/syslog"


def _escaped(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or ord(c) > 127 else f"#{ord(c):03o}" for c in text)


def format_line(data: bytes, host: str, now: float) -> str:
    """One datagram of /dev/log as a line of the file; `now` is in seconds since 1970 (UTC)."""
    text = data.rstrip(b"\n\0").decode("utf-8", "replace")
    if text.startswith("<"):
        text = text.partition(">")[2]
    # "Nov 22 17:05:15 ident[pid]: words": the time of arrival replaces the sender's.
    if len(text) > 16 and text[3] == " " and text[6] == " " and text[15] == " ":
        text = text[16:]
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
    return f"{stamp}.{int(now % 1 * 1e6):06d}+00:00 {host} {_escaped(text)}\n"


def serve_syslog(host: str, listening: socket.socket) -> None:
    """Never returns.  Writes each line at once: whoever follows the file sees it."""
    log = -1
    inode = 0
    while True:
        data = listening.recv(65536)
        # Like rsyslog after a HUP: a log rotated away is opened anew, here without a signal.
        try:
            same = log >= 0 and os.stat(_SYSLOG).st_ino == inode
        except FileNotFoundError:
            same = False
        if not same:
            if log >= 0:
                os.close(log)
            log = os.open(_SYSLOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
            inode = os.fstat(log).st_ino
        os.write(log, format_line(data, host, time.time()).encode())


UNIT = "keepalived.service"


class UnitDirector(LabDirector):
    """keepalived of a machine, which is a unit of its systemd; as it is at this moment."""

    def __init__(self, node: dict[str, Any]) -> None:
        super().__init__(node)
        keys = "MainPID,ActiveState,ActiveEnterTimestampMonotonic"
        lines = _systemctl("show", f"--property={keys}", UNIT).splitlines()
        words = dict(line.split("=", 1) for line in lines if "=" in line)
        self._pid = int(words.get("MainPID") or 0)
        active = words.get("ActiveState") == "active"
        since = int(words.get("ActiveEnterTimestampMonotonic") or 0)
        self._started = since / 1e6 if active else float("inf")

    def start(self) -> None:
        _systemctl("start", UNIT)

    def stop(self) -> None:
        _systemctl("stop", UNIT)


def _systemctl(*words: str) -> str:
    import subprocess  # the agent, which has this module too, does without

    done = subprocess.run(["systemctl", *words], stdout=subprocess.PIPE, text=True, check=False)
    return done.stdout


def main(plan_path: str) -> None:
    """status, heal, or an order to keepalived, on a machine."""
    with open(plan_path, encoding="utf-8") as file:
        director = UnitDirector(json.load(file))
    action = sys.argv[1]
    if action == "status":
        reply = director.status()
    elif action == "heal":
        reply = {"mended": director.heal()}
    else:
        reply = director.order(action)
    print(json.dumps(reply))
