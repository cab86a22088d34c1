"""The process that owns one guest: starts linux.uml, relays frames, clears up at the end.

It is a process of its own so that the guest dies with whoever started it, also by kill -9: the
starter holds the other end of a pipe (the lifeline), and its end is noticed here.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import termios
import time
from pathlib import Path
from typing import Any

from lvstui.lab import cpu, machinery, protocol

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_CLIENT_LIMIT = 8 << 20
POWER_OFF_SECONDS = 1.5
LEAVE_MODES = (
    # What a full-screen program may have left on when its guest died: mouse, paste and focus
    # reports, the kitty keyboard, colours, the hidden cursor.
    b"\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?2004l\x1b[?1004l\x1b[<u"
    b"\x1b[0m\x1b[?25h"
)
LEAVE_ALL = b"\x1b[?1049l" + LEAVE_MODES
"""Also the alternate screen. Only for a terminal that is still on it: left twice, the cursor goes
back to where it was when the program began, and the shell writes over what was said since."""


class _Client:
    def __init__(self, number: int, sock: socket.socket) -> None:
        self.number = number
        self.sock = sock
        self.decoder = protocol.Decoder()
        self.out = bytearray()


class Keeper:
    """Relays frames between the guest's line and any number of clients on a unix socket."""

    def __init__(self, orders: dict[str, Any]) -> None:
        self._orders = orders
        self._folder = Path(orders["folder"])
        self._lifeline: int = orders["lifeline"]
        self._listening = socket.socket(fileno=orders["listening"])
        self._listening.setblocking(False)
        self._line, theirs = socket.socketpair()
        self._line.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._clients: dict[int, _Client] = {}
        self._next_client = 0
        self._decoder = protocol.Decoder()
        self._to_guest = bytearray()
        self._in_flight = 0
        self._hello = False
        self._history: list[bytes] = []
        self._stop = False
        self._berth: cpu.Placement | None = None
        self._powering_off = 0.0
        self._terminal: int | None = orders.get("terminal")
        self._cooked = None if self._terminal is None else termios.tcgetattr(self._terminal)
        # Their sockets have to be there before the lab's guest looks for them.
        self._machines = machinery.Machines(
            self._folder, orders["machines"], self._selector, self._start
        )
        argv = [word.replace("{line}", str(theirs.fileno())) for word in orders["argv"]]
        self._guest = self._start(argv, orders["env"], "console.log", theirs.fileno())
        (self._folder / "guest.pid").write_text(f"{self._guest.pid}\n", encoding="ascii")
        theirs.close()
        self._machines.start_all()

    def _start(
        self, argv: list[str], env: dict[str, str], log_name: str, line: int | None = None
    ) -> subprocess.Popen[bytes]:
        libc = ctypes.CDLL(None)
        mark = self._folder / "guest.cpu"
        # Machines go where the host's scheduler puts them: there may be more than CPUs, and being
        # nice they would starve beside a cluster's guest that is kept on theirs.
        chosen = None if line is None else cpu.choose(mark)

        def prepare() -> None:
            if chosen is not None:
                os.sched_setaffinity(0, {chosen})
            if line is None:
                # Booting machines leave the cluster's own guest, which keeps time, the CPU.
                os.nice(5)
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

        with open(self._folder / log_name, "ab") as log:
            guest = subprocess.Popen(
                argv if line is not None else [machinery.REBOOTS_AS, *argv[1:]],
                executable=argv[0],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=env,
                pass_fds=[] if line is None else [line],
                start_new_session=True,
                preexec_fn=prepare,  # this process has one thread
                cwd=Path(argv[0]).parent,
            )
        if chosen is not None:
            self._berth = cpu.Placement(guest, mark, chosen)
        return guest

    def run(self) -> None:
        """Until the guest ends, the lifeline breaks or SIGTERM comes; then clear up."""

        def stop(number: int, frame: object) -> None:
            self._stop = True

        signal.signal(signal.SIGTERM, stop)
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)
        wake, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        parent = os.getppid()
        self._selector.register(self._line, selectors.EVENT_READ, self._line_ready)
        self._selector.register(self._listening, selectors.EVENT_READ, self._accept)
        self._selector.register(self._lifeline, selectors.EVENT_READ, self._lifeline_broke)
        self._selector.register(wake, selectors.EVENT_READ, lambda mask: os.read(wake, 4096))
        try:
            while self._guest.poll() is None:
                for key, mask in self._selector.select(1.0):
                    key.data(mask)
                self._machines.look_after()
                if self._berth is not None:
                    self._berth.look_after()
                if self._stop or os.getppid() != parent:
                    self._power_off()
                if self._powering_off and time.monotonic() > self._powering_off:
                    break
        finally:
            self._clear_up()

    def _lifeline_broke(self, mask: int) -> None:
        self._selector.unregister(self._lifeline)
        self._stop = True

    def _power_off(self) -> None:
        if self._powering_off:
            return
        self._powering_off = time.monotonic() + (POWER_OFF_SECONDS if self._hello else 0)
        self._to_guest += protocol.frame(protocol.POWEROFF, 0)
        self._flush_line()

    def _clear_up(self) -> None:
        # linux.uml has helper processes in its session; a killed kernel leaves them behind.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._guest.pid, signal.SIGKILL)
        self._guest.wait()
        self._machines.end_all()
        ended = protocol.json_frame(protocol.PHASE, 0, {"phase": "ended"})
        for client in self._clients.values():
            with contextlib.suppress(OSError):
                client.sock.send(ended)
        self._restore_terminal()
        if not self._orders.get("keep"):
            shutil.rmtree(self._folder, ignore_errors=True)

    def _restore_terminal(self) -> None:
        """Make the user's terminal usable when its owner was killed and could not."""
        if self._terminal is None or self._cooked is None:
            return
        with contextlib.suppress(OSError, termios.error):
            if termios.tcgetattr(self._terminal) != self._cooked:
                termios.tcsetattr(self._terminal, termios.TCSANOW, self._cooked)
                os.set_blocking(self._terminal, False)
                os.write(self._terminal, LEAVE_ALL)
                os.set_blocking(self._terminal, True)

    def _line_ready(self, mask: int) -> None:
        if mask & selectors.EVENT_WRITE:
            self._flush_line()
        if not mask & selectors.EVENT_READ:
            return
        try:
            data = self._line.recv(1 << 18)
        except (BlockingIOError, ConnectionResetError):
            return
        if not data:
            self._selector.unregister(self._line)
            return
        if not self._hello:
            # Bytes before the line was raw cannot be frames.
            start = data.find(protocol.HEADER.pack(len(_HELLO), 0, protocol.HELLO))
            if start < 0:
                return
            data = data[start:]
        for kind, channel, payload in self._decoder.feed(data):
            self._from_guest(kind, channel, payload)

    def _from_guest(self, kind: int, channel: int, payload: bytes) -> None:
        if kind == protocol.LINK_ACK:
            self._in_flight -= protocol.U32.unpack(payload)[0]
            self._flush_line()
        elif kind in (protocol.PHASE, protocol.HELLO):
            self._hello = True
            raw = protocol.frame(kind, channel, payload)
            self._history.append(raw)
            for client in list(self._clients.values()):
                self._to_client(client, raw)
            self._flush_line()
        else:
            receiver = self._clients.get(channel >> 16)
            if receiver is not None:
                self._to_client(receiver, protocol.frame(kind, channel & 0xFFFF, payload))

    def _flush_line(self) -> None:
        if not self._hello:
            return
        while self._to_guest and self._in_flight < protocol.LINK_WINDOW:
            room = protocol.LINK_WINDOW - self._in_flight
            try:
                sent = self._line.send(self._to_guest[:room])
            except OSError:
                return
            del self._to_guest[:sent]
            self._in_flight += sent

    def _accept(self, mask: int) -> None:
        with contextlib.suppress(BlockingIOError):
            sock, _ = self._listening.accept()
            sock.setblocking(False)
            self._next_client = self._next_client % 0xFFFF + 1
            client = _Client(self._next_client, sock)
            self._clients[client.number] = client
            self._selector.register(
                sock, selectors.EVENT_READ, lambda mask: self._client_ready(client, mask)
            )
            for raw in self._history:
                self._to_client(client, raw)

    def _to_client(self, client: _Client, raw: bytes) -> None:
        client.out += raw
        # Its windows bound what a client can have outstanding; more means it breaks the rules.
        if len(client.out) > _CLIENT_LIMIT:
            self._drop(client)
            return
        self._flush_client(client)

    def _flush_client(self, client: _Client) -> None:
        try:
            while client.out:
                del client.out[: client.sock.send(client.out)]
        except BlockingIOError:
            pass
        except OSError:
            self._drop(client)
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.out else 0)
        key = self._selector.get_key(client.sock)
        if key.events != wanted:
            self._selector.modify(client.sock, wanted, key.data)

    def _client_ready(self, client: _Client, mask: int) -> None:
        if mask & selectors.EVENT_WRITE:
            self._flush_client(client)
        if not mask & selectors.EVENT_READ or client.number not in self._clients:
            return
        try:
            data = client.sock.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(client)
            return
        try:
            for kind, channel, payload in client.decoder.feed(data):
                if kind == protocol.POWEROFF:
                    self._stop = True
                    continue
                if kind == protocol.MACHINE:
                    wish = json.loads(payload)
                    reply = self._machines.request(str(wish.get("name")), str(wish.get("action")))
                    self._to_client(client, protocol.json_frame(protocol.ANSWER, channel, reply))
                    continue
                channel = client.number << 16 | channel & 0xFFFF
                self._to_guest += protocol.frame(kind, channel, payload)
        except ValueError:
            self._drop(client)
            return
        self._flush_line()

    def _drop(self, client: _Client) -> None:
        if self._clients.pop(client.number, None) is None:
            return
        self._selector.unregister(client.sock)
        client.sock.close()
        number = protocol.U32.pack(client.number)
        self._to_guest += protocol.frame(protocol.GONE, 0, number)
        self._flush_line()


_HELLO = json.dumps({"version": 1}).encode()


def main(orders_path: str) -> None:
    """Run a keeper; the file holds its orders as JSON (see guest.py)."""
    with contextlib.suppress(OSError):
        ctypes.CDLL(None).prctl(_PR_SET_NAME, b"lvstui-lab", 0, 0, 0)
    Keeper(json.loads(Path(orders_path).read_text(encoding="utf-8"))).run()
