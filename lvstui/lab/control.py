"""A client's side of the control channel: calls, and commands in nodes with live output."""

from __future__ import annotations

import contextlib
import json
import queue
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lvstui.lab import protocol
from lvstui.lab.errors import LabError

OnOutput = Callable[[bytes, bool], None]
"""Called by the reader thread with bytes and whether they are standard error."""

Command = str | Sequence[str]
"""A string runs under `sh -c`, a sequence is taken as it is."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a command ended.  status: exit status, negative for a signal."""

    status: int
    stdout: str
    stderr: str


class LabProcess:
    """A command in a node.  Output is kept here unless `on_output` takes it."""

    def __init__(self, connection: Connection, channel: int, on_output: OnOutput | None) -> None:
        self._connection = connection
        self._channel = channel
        self._on_output = on_output
        self._changed = threading.Condition()
        self._out = bytearray()
        self._err = bytearray()
        self._window = protocol.LINK_WINDOW * 4
        self._error = ""
        self._when_ended: Callable[[], object] | None = None
        self.status: int | None = None

    # Called by the reader thread.

    def _frame(self, kind: int, payload: bytes) -> None:
        if kind in (protocol.DATA_OUT, protocol.DATA_ERR):
            is_err = kind == protocol.DATA_ERR
            if self._on_output is not None:
                self._on_output(payload, is_err)
            with self._changed:
                if self._on_output is None:
                    (self._err if is_err else self._out).extend(payload)
                self._changed.notify_all()
            credit = protocol.U32.pack(len(payload))
            self._connection.send(protocol.CREDIT, self._channel, credit)
        elif kind == protocol.CREDIT:
            with self._changed:
                self._window += protocol.U32.unpack(payload)[0]
                self._changed.notify_all()
        elif kind == protocol.EXIT:
            value = json.loads(payload)
            self._end(value.get("status", 255), value.get("error", ""))

    def _end(self, status: int, error: str) -> None:
        with self._changed:
            if self.status is None:
                self.status, self._error = status, error
            self._changed.notify_all()
            call = self._when_ended
        if call is not None:
            call()

    # For everyone else.

    def write(self, data: bytes) -> None:
        """Give bytes to the command's standard input; waits while it does not read them."""
        while data:
            with self._changed:
                self._changed.wait_for(lambda: self._window > 0 or self.status is not None)
                if self.status is not None:
                    return
                size = min(len(data), self._window, protocol.CHUNK)
                self._window -= size
            self._connection.send(protocol.DATA_IN, self._channel, data[:size])
            data = data[size:]

    def close_input(self) -> None:
        self._connection.send(protocol.DATA_IN, self._channel)

    def resize(self, rows: int, columns: int) -> None:
        self._connection.send(protocol.RESIZE, self._channel, protocol.SIZE.pack(rows, columns))

    def kill(self, number: int = signal.SIGTERM) -> None:
        """Signal the command and its process group."""
        self._connection.send(protocol.SIGNAL, self._channel, protocol.U32.pack(number))

    def on_end(self, call: Callable[[], object]) -> None:
        """Call once when the command has ended (by the reader thread; at once if it has)."""
        with self._changed:
            self._when_ended = call
            ended = self.status is not None
        if ended:
            call()

    def output(self) -> bytes:
        """All standard output so far (the terminal's output for a command with a pty)."""
        with self._changed:
            return bytes(self._out)

    def errors(self) -> bytes:
        with self._changed:
            return bytes(self._err)

    def take(self) -> bytes:
        """Standard output since the last take."""
        with self._changed:
            data = bytes(self._out)
            self._out.clear()
            return data

    def wait_output(self, text: str | bytes, timeout: float = 10.0) -> bytes:
        """Wait until the output holds some text; the output so far.

        Raises LabError when the time (seconds) is over or the command ended without it.
        """
        wanted = text.encode() if isinstance(text, str) else text
        with self._changed:
            self._changed.wait_for(lambda: wanted in self._out or self.status is not None, timeout)
            if wanted in self._out:
                return bytes(self._out)
            tail = bytes(self._out[-2000:]).decode("utf-8", "replace")
        raise LabError(f"{wanted!r} did not appear in the output within {timeout} s", tail)

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, negative for a signal.

        Raises LabError when the command could not be started, the guest is gone, or after
        `timeout` seconds (the command is then killed).
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self.status is not None, timeout):
                tail = (bytes(self._out) + bytes(self._err))[-2000:].decode("utf-8", "replace")
                self.kill(signal.SIGKILL)
                raise LabError(f"the command took more than {timeout} s", tail)
            if self._error:
                raise LabError("the command could not be run", self._error)
            assert self.status is not None
            return self.status


class Connection:
    """One client of a lab's keeper."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise LabError("the lab does not answer", f"{path}: {error.strerror}") from error
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._processes: dict[int, LabProcess] = {}
        self._answers: dict[int, queue.SimpleQueue[dict[str, Any]]] = {}
        self._next = 0
        self._ended = False
        self._phases: dict[str, dict[str, Any]] = {}
        self._phase_changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, name="lab-control", daemon=True)
        self._reader.start()

    def close(self) -> None:
        """Hang up; commands of this client get SIGHUP."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        if self._reader is not threading.current_thread():
            self._reader.join(2)
        self._socket.close()

    def send(self, kind: int, channel: int, payload: bytes = b"") -> None:
        """Send one frame; silently nothing when the guest is gone (the reader tells)."""
        with self._sending, contextlib.suppress(OSError):
            self._socket.sendall(protocol.frame(kind, channel, payload))

    def _channel(self) -> int:
        while True:
            self._next = self._next % 0xFFFF + 1
            if self._next not in self._processes and self._next not in self._answers:
                return self._next

    def call(
        self, request: Mapping[str, Any], timeout: float = 20.0, kind: int = protocol.CALL
    ) -> dict[str, Any]:
        """Ask the agent, or the keeper by another kind of frame.

        Raises LabError when it refuses or does not answer in `timeout` seconds.
        """
        answer: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        with self._lock:
            channel = self._channel()
            self._answers[channel] = answer
        try:
            if self._ended:
                raise LabError("the lab has ended")
            self.send(kind, channel, json.dumps(request).encode())
            reply = answer.get(timeout=timeout)
        except queue.Empty:
            raise LabError(f"the lab did not answer within {timeout} s", str(request)) from None
        finally:
            with self._lock:
                self._answers.pop(channel, None)
        if not reply.get("ok"):
            raise LabError(str(reply.get("error", "the lab refused")))
        return reply

    def start(self, request: Mapping[str, Any], on_output: OnOutput | None = None) -> LabProcess:
        """Run a command: {"node", "argv", "env", "cwd", "pty": [rows, columns]}."""
        with self._lock:
            channel = self._channel()
            process = LabProcess(self, channel, on_output)
            self._processes[channel] = process
        if self._ended:
            raise LabError("the lab has ended")
        self.send(protocol.OPEN, channel, json.dumps(request).encode())
        return process

    def wait_phase(self, name: str, timeout: float) -> dict[str, Any]:
        """Wait for a phase of the start; LabError when the guest fails or `timeout` s are over."""
        end = time.monotonic() + timeout
        with self._phase_changed:
            while True:
                if name in self._phases:
                    return self._phases[name]
                failed = self._phases.get("failed") or self._phases.get("ended")
                left = end - time.monotonic()
                if failed or self._ended:
                    raise LabError("the guest ended", str((failed or {}).get("error", "")))
                if left <= 0:
                    raise LabError(f"the guest did not get to {name!r} within {timeout:.0f} s")
                self._phase_changed.wait(left)

    def _read(self) -> None:
        decoder = protocol.Decoder()
        try:
            while data := self._socket.recv(1 << 16):
                for kind, channel, payload in decoder.feed(data):
                    self._frame(kind, channel, payload)
        except (OSError, ValueError):
            pass  # the connection is over either way; those who wait learn it below
        self._ended = True
        with self._phase_changed:
            self._phase_changed.notify_all()
        with self._lock:
            processes, answers = list(self._processes.values()), list(self._answers.values())
        for process in processes:
            process._end(255, "the lab has ended")
        for answer in answers:
            answer.put({"ok": False, "error": "the lab has ended"})

    def _frame(self, kind: int, channel: int, payload: bytes) -> None:
        if kind in (protocol.PHASE, protocol.HELLO):
            value = json.loads(payload)
            with self._phase_changed:
                self._phases[str(value.get("phase", "hello"))] = value
                self._phase_changed.notify_all()
            return
        with self._lock:
            answer = self._answers.get(channel)
            process = self._processes.get(channel)
            if kind == protocol.EXIT:
                self._processes.pop(channel, None)
        if kind == protocol.ANSWER and answer is not None:
            answer.put(json.loads(payload))
        elif process is not None:
            process._frame(kind, payload)
