"""Talking with one running command: input, both outputs together, a deadline, a password prompt.

The same for a local process, an SSH channel and OpenSSH; each gives a Stream. Both outputs are
read at the same time, or a command that fills one while we wait for the other stands still.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from dataclasses import dataclass, field
from typing import Protocol

from lvstui.model.text import plain
from lvstui.remote.runner import ErrorKind, RemoteError

BLOCK = 64 * 1024
MOST = 16 << 20
"""Bytes of either output that are kept; what a command prints beyond is read and dropped."""

IDLE_S = 0.5
"""How long nothing comes before the stream is looked at."""

ENDED_IDLE_S = 0.1
"""The same once the command has ended."""

PROMPT_S = 25.0
"""How long sudo may take to ask (name services, PAM) before it is taken to ask nothing."""


class Stream(Protocol):
    """A running command. Only `kill` may be called from another thread than the reading one."""

    def receive(self, error: bool) -> bytes:
        """The next block of standard output or standard error; empty at its end."""

    def send(self, data: bytes) -> None:
        """Write all of it to standard input. Raises OSError when nobody reads there any more."""

    def finish(self) -> None:
        """Close standard input; never raises."""

    def status(self, timeout_s: float) -> int | None:
        """The exit status, negative for a signal; None when there is none in time."""

    def complete(self) -> bool:
        """Once there is a status: whether all that the command itself printed has come to this
        host. What it left behind in the background may print on. Asked until it is true."""

    def leave(self) -> None:
        """Wait for nothing more: `receive` gives what has come, and then the end; never raises."""

    def check(self) -> None:
        """Raises RemoteError (LOST) when the other side is gone."""

    def kill(self) -> None:
        """End it as far as can be; never raises."""

    def close(self) -> None:
        """It has come to its end: give back what it needed; never raises."""


class Answer:
    """A secret that is written when, and only when, a prompt was seen.

    The prompt is found by a nonce inside it, because sudo-rs puts words around it
    (facts/realserver.md 6.3), and a prompt that is no answer to our call has none.
    """

    def __init__(self, nonce: str, secret: str) -> None:
        self._nonce = nonce.encode()
        self._secret = secret.encode() + b"\n"
        self._seen = b""
        self.asked = 0
        """How often the prompt was seen; twice means that the answer was refused."""

    def __repr__(self) -> str:
        return f"Answer(asked={self.asked})"

    def feed(self, data: bytes) -> bytes:
        """What to write after this output: the secret the first time, else nothing."""
        self._seen += data
        count = self._seen.count(self._nonce)
        if count == 0:
            # A nonce may come in two blocks.
            self._seen = self._seen[-len(self._nonce) :]
            return b""
        last = self._seen.rfind(self._nonce) + len(self._nonce)
        self._seen = self._seen[last:]
        self.asked += count
        return self._secret if self.asked == count else b""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A command line, and how it is brought to its end."""

    text: str
    """As the login shell there takes it."""
    stdin: bytes = field(default=b"", repr=False)
    answer: Answer | None = None
    """With one, `stdin` is not used: input is the secret, after the prompt, and then closed."""
    pty: bool = False
    timeout_s: float = 30.0
    what: str = ""
    """What it is for, in words."""
    most: int = MOST
    """Bytes of either output that are kept."""


@dataclass(frozen=True, slots=True)
class Raw:
    """How a command ended, with all bytes."""

    status: int
    out: bytes
    err: bytes
    took_s: float
    cut: bool = False
    """More was printed than is kept."""


def converse(stream: Stream, command: CommandLine, host: str) -> Raw:
    """Bring a command, whose stream was started, to its end.

    Raises RemoteError: HANGS after its time, LOST when the other side is gone. The stream is
    killed then.
    """
    answer, timeout_s, what = command.answer, command.timeout_s, command.what
    started = time.monotonic()
    blocks: queue.SimpleQueue[tuple[bool, bytes]] = queue.SimpleQueue()
    for error in (False, True):
        _thread(_read, stream, error, blocks)
    if answer is None:
        if command.stdin:
            _thread(_write, stream, command.stdin)
        else:
            stream.finish()
    outputs = (bytearray(), bytearray())
    open_ends = {False, True}
    idle, cut, ended, left_it = 0, False, False, False
    try:
        while open_ends:
            left = started + timeout_s - time.monotonic()
            if answer and not answer.asked and left < timeout_s - PROMPT_S:
                said = plain(bytes((outputs[1] or outputs[0])[-200:])) or "nothing"
                raise RemoteError(
                    ErrorKind.ROOT, f"{host}: sudo does not show our prompt; it said {said}"
                )
            if left <= 0:
                raise RemoteError(
                    ErrorKind.HANGS,
                    f"{host} gave no answer in {time.monotonic() - started:.0f} s ({what})",
                    "it may still be at work there; look at its load, disks and network mounts",
                )
            try:
                wait_s = ENDED_IDLE_S if ended else IDLE_S
                error, data = blocks.get(timeout=min(left, wait_s))
            except queue.Empty:
                if left_it:
                    continue
                idle += 1
                ended = ended or stream.status(0) is not None
                # A process left behind in the background may hold the outputs open for ever. Time
                # alone tells nothing: on a busy host output comes seconds after the status, or the
                # reading threads are late to hand over what has come.
                if ended and idle >= 2 and stream.complete():
                    stream.leave()
                    left_it = True
                else:
                    stream.check()
                continue
            idle = 0
            if not data:
                open_ends.discard(error)
                continue
            if answer is not None and (reply := answer.feed(data)):
                with contextlib.suppress(OSError):
                    stream.send(reply)
                stream.finish()
            room = command.most - len(outputs[error])
            outputs[error].extend(data[: max(room, 0)])
            cut = cut or len(data) > room
        status = stream.status(max(started + timeout_s - time.monotonic(), IDLE_S))
        if status is None:
            stream.check()
            raise RemoteError(
                ErrorKind.HANGS, f"{host} closed its output but does not end ({what})"
            )
    except BaseException:
        stream.kill()
        raise
    took = time.monotonic() - started
    return Raw(status, bytes(outputs[0]), bytes(outputs[1]), took, cut)


def _thread(work: object, *arguments: object) -> None:
    # Daemons: a command that never ends must not keep the program from ending.
    threading.Thread(target=work, args=arguments, daemon=True, name="lvstui-remote").start()  # type: ignore[arg-type]


def _read(stream: Stream, error: bool, blocks: queue.SimpleQueue[tuple[bool, bytes]]) -> None:
    data = b"-"
    while data:
        try:
            data = stream.receive(error)
        except Exception:
            # Closed or lost under us: an end like any other here; `check` tells which it was.
            data = b""
        blocks.put((error, data))


def _write(stream: Stream, data: bytes) -> None:
    # A command need not read its input; then this breaks off.
    with contextlib.suppress(Exception):
        for start in range(0, len(data), BLOCK):
            stream.send(data[start : start + BLOCK])
    stream.finish()
