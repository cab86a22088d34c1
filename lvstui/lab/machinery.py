"""Machines in the keeper: their guests' processes, and the cables to the lab guest's bridge.

Each end of a cable is a guest's NIC (vector driver, transport `bess`), which connects to a socket
of packets here whenever it is brought up.  One packet is one Ethernet frame; what the other end
does not take at once is dropped, as a switch does.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

_FRAME = 65536 + 64
_BURST = 64

REBOOTS_AS = "/bin/false"
"""What a machine's guest has as its own name (argv[0]).

To reboot, linux.uml executes argv[0] in its own process: descriptors of its former life stay open,
29 more each time, and under load it was seen to hang.  As this it ends with status 1, which a power
off does not, and is started anew.
"""

Start = Callable[[list[str], dict[str, str], str], "subprocess.Popen[bytes]"]
"""Starts a guest of that kind: command line, environment, name of its console's log file."""


class Cable:
    """Carries frames between two ends."""

    def __init__(self, selector: selectors.BaseSelector, paths: list[str]) -> None:
        self._selector = selector
        self._ends: list[socket.socket | None] = [None, None]
        for number, path in enumerate(paths):
            listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
            listening.bind(path)
            listening.listen(4)
            selector.register(listening, selectors.EVENT_READ, self._acceptor(listening, number))

    def _acceptor(self, listening: socket.socket, number: int) -> Callable[[int], None]:
        def accept(mask: int) -> None:
            with contextlib.suppress(BlockingIOError):
                end, _ = listening.accept()
                end.setblocking(False)
                self._drop(number, self._ends[number])
                self._ends[number] = end
                call = lambda mask: self._carry(number, end)  # noqa: E731
                self._selector.register(end, selectors.EVENT_READ, call)

        return accept

    def _carry(self, number: int, end: socket.socket) -> None:
        for _ in range(_BURST):
            try:
                frame = end.recv(_FRAME)
            except BlockingIOError:
                return
            except OSError:
                frame = b""
            if not frame:
                self._drop(number, end)
                return
            other = self._ends[1 - number]
            if other is not None:
                with contextlib.suppress(OSError):
                    other.send(frame)

    def _drop(self, number: int, end: socket.socket | None) -> None:
        if end is not None and self._ends[number] is end:
            self._ends[number] = None
            self._selector.unregister(end)
            end.close()


class Machines:
    def __init__(
        self,
        folder: Path,
        orders: list[dict[str, Any]],
        selector: selectors.BaseSelector,
        start: Start,
    ) -> None:
        self._folder = folder
        self._orders = {order["name"]: order for order in orders}
        self._start = start
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._cables = [Cable(selector, order["wire"]) for order in orders]

    def start_all(self) -> None:
        for name in self._orders:
            self.request(name, "on")

    def request(self, name: str, action: str) -> dict[str, Any]:
        """on: power on; off: cut the power; look: only tell.  {"ok", "running"}."""
        order = self._orders.get(name)
        if order is None:
            return {"ok": False, "error": f"no machine {name!r}"}
        process = self._running.get(name)
        if action == "on" and process is None:
            self._running[name] = self._start(order["argv"], order["env"], f"{name}.log")
            (self._folder / f"{name}.pid").write_text(
                f"{self._running[name].pid}\n", encoding="ascii"
            )
        elif action == "off" and process is not None:
            self._end(name)
        return {"ok": True, "running": name in self._running}

    def look_after(self) -> None:
        """Start anew what reboots, clear up after what is off; to be called when a child ended."""
        # Left unreaped until _end, so that their numbers are nobody else's.
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        for name, process in list(self._running.items()):
            ended = os.waitid(os.P_PID, process.pid, flags)
            if ended is not None:
                self._end(name)
                if (ended.si_code, ended.si_status) == (os.CLD_EXITED, 1):
                    self.request(name, "on")

    def _end(self, name: str) -> None:
        # linux.uml has helper processes in its session; a killed kernel leaves them behind.
        process = self._running.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def end_all(self) -> None:
        for name in list(self._running):
            self._end(name)
