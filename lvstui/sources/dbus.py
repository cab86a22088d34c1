"""Source "dbus": state changes that keepalived signals on the system bus (`enable_dbus`).

Small on purpose: the bus brings no priority, no addresses and nothing about real servers. But
where neither the journal may be read nor the wire be listened to (not root), nothing else tells
FAULT from BACKUP. It is listened to through a child (`busctl monitor` as root, else `gdbus
monitor`, which needs no rights), not through a new dependency.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable

from lvstui.model.facts import Available, DaemonSaid, Fact, InstanceChanged
from lvstui.model.numbers import number
from lvstui.model.text import plain
from lvstui.process import trust
from lvstui.sources.base import Context, Source
from lvstui.sources.log_follow import JournalTail

BUS = "org.keepalived.Vrrp1"
_STATES = {0: "INIT", 1: "BACKUP", 2: "MASTER", 3: "FAULT", 97: "DELETED", 98: "STOP"}
_GDBUS = re.compile(r"(?P<path>/\S+): (?P<interface>\S+)\.(?P<member>\w+) \((?P<arguments>.*)\)$")
_UNIQUE = re.compile(r":[0-9.]{1,40}")
_SAID = {"VrrpStarted": "start", "VrrpReloaded": "reloaded", "VrrpStopped": "stop"}


def command() -> list[str] | None:
    """The listener that this host has; None when there is none."""
    if os.geteuid() == 0 and shutil.which("busctl"):
        return ["busctl", "--system", "--json=short", "monitor", BUS]
    if shutil.which("gdbus"):
        return ["gdbus", "monitor", "--system", "--dest", BUS]
    return None


def parse_signal(line: str) -> tuple[str, str, int | None] | None:
    """(object path, signal, first number) of a line of either listener; None for other lines."""
    if line.startswith("{"):
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            return None
        if not isinstance(message, dict) or message.get("type") != "signal":
            return None
        if not str(message.get("interface", "")).startswith(BUS):
            return None
        payload = message.get("payload")
        data = payload.get("data") if isinstance(payload, dict) else None
        first = data[0] if isinstance(data, list) and data and isinstance(data[0], int) else None
        return str(message.get("path", "")), str(message.get("member", "")), first
    match = _GDBUS.match(line.strip())
    if match is None or not match["interface"].startswith(BUS):
        return None
    found = re.match(r"(?:uint32 )?(\d+)", match["arguments"])
    return match["path"], match["member"], number(found[1]) if found else None


def instance_name(path: str) -> str:
    """The name of an instance by its object path; empty when the bus does not tell."""
    try:
        done = subprocess.run(
            (
                *("busctl", "--system", "--json=short", "get-property"),
                *(BUS, path, f"{BUS}.Instance", "Name"),
            ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=2,
            check=False,
        )
        value = json.loads(done.stdout).get("data")
    except (OSError, ValueError, AttributeError, RecursionError, subprocess.TimeoutExpired):
        return ""
    while isinstance(value, list) and value:
        # Declared as a structure of one string, seen as a plain string.
        value = value[0]
    return plain(value, 255) if isinstance(value, str) else ""


def sender_of(line: str) -> str:
    """Whose signal it is: the sender's unique name, which the bus gives; where the listener does
    not print it, the name of keepalived itself, to whose owner it listens."""
    try:
        message = json.loads(line) if line.startswith("{") else {}
    except (ValueError, RecursionError):
        return BUS
    sender = message.get("sender") if isinstance(message, dict) else None
    return sender if isinstance(sender, str) and _UNIQUE.fullmatch(sender) else BUS


def user_of(name: str) -> int | None:
    """The user of whoever has that name on the bus; None when nobody has it."""
    bus, path, method = "org.freedesktop.DBus", "/org/freedesktop/DBus", "GetConnectionUnixUser"
    words = ["busctl", "--system", "call", bus, path, bus, method, "s", name]
    if shutil.which("busctl") is None:
        words = ["gdbus", "call", "--system", "--dest", bus, "--object-path", path]
        words += ["--method", f"{bus}.{method}", name]
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=2, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    # "u 0" of the one, "(uint32 0,)" of the other.
    match = re.fullmatch(rb"(?:u |\(uint32 )(\d{1,10})(?:,\))?\n?", done.stdout)
    return int(match[1]) if match else None


class DbusSource(Source):
    """Pushes `InstanceChanged` from D-Bus signals.

    `enabled` tells whether the configuration says `enable_dbus`; asked again and again. Without
    it the source is silent: it is one way among several.
    """

    name = "dbus"

    def __init__(
        self,
        enabled: Callable[[], bool],
        listener: Callable[[], list[str] | None] = command,
        name_of: Callable[[str], str] = instance_name,
        user_of: Callable[[str], int | None] = user_of,
    ) -> None:
        self._enabled = enabled
        self._listener = listener
        self._name_of = name_of
        self._names: dict[str, str] = {}
        self._user_of = user_of
        self._users: dict[str, int | None] = {}

    def run(self, context: Context) -> None:
        while not context.stop.is_set():
            if not self._enabled():
                context.wait(2.0)
                continue
            words = self._listener()
            if words is None:
                remedy = "install gdbus (package libglib2.0-bin), or run lvstui as root with busctl"
                context.missing(self.name, "keepalived's D-Bus signals can not be heard", remedy)
                return
            began = time.monotonic()
            self._listen(context, words)
            if context.stop.is_set():
                return
            if time.monotonic() - began < 5.0:
                remedy = f"see what {words[0]} says"
                context.missing(self.name, "the D-Bus listener ended", remedy)
                context.wait(30.0)

    def _listen(self, context: Context, words: list[str]) -> None:
        tail = JournalTail(words)
        next_question = time.monotonic() + 5.0
        said = False
        try:
            while not context.stop.is_set():
                if tail.wait(0.45):
                    lines = tail.new_lines()
                    if lines is None:
                        return
                    at = time.time()
                    if not said:
                        said = True
                        context.emit(self.name, Available(self.name))
                    for line in lines:
                        if fact := self.fact_of(line.decode("utf-8", "backslashreplace")):
                            context.emit(self.name, fact, at)
                if time.monotonic() >= next_question:
                    next_question = time.monotonic() + 5.0
                    if not self._enabled():
                        return
        finally:
            tail.close()

    def _is_roots(self, sender: str) -> bool:
        """Whether a process of root's has that name on the bus; a unique one is never reused."""
        if sender not in self._users or sender == BUS:
            if len(self._users) > 64:
                self._users.clear()
            self._users[sender] = self._user_of(sender)
        return self._users[sender] in trust.ROOT

    def fact_of(self, line: str) -> Fact | None:
        signal = parse_signal(line)
        if signal is None:
            return None
        path, member, state = signal
        if not self._is_roots(sender_of(line)):
            return None
        if member == "VrrpStatusChange" and state in _STATES:
            name = self._names.get(path) or self._name_of(path)
            if not name:
                return None
            self._names[path] = name
            return InstanceChanged(name, _STATES[state], None, "dbus")
        if member == "VrrpReloaded":
            # Instances may have moved to other paths.
            self._names.clear()
        kind = _SAID.get(member)
        return DaemonSaid(kind, f"D-Bus: {plain(member, 64)}", "dbus") if kind else None
