"""A local process as a Stream."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence

from lvstui.remote.talk import BLOCK


class ProcessStream:
    """A child in a session of its own, so that no Ctrl+C and no password prompt of it reaches the
    terminal that the console is drawn on."""

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str] | None = None, keep: Sequence[int] = ()
    ) -> None:
        """keep: descriptors that it has, too. Raises OSError when it cannot be started."""
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            env=env,
            pass_fds=keep,
        )
        assert self._process.stdin is not None
        os.set_blocking(self._process.stdin.fileno(), False)
        self._lock = threading.Lock()
        self._reading = {False, True}
        self._left = os.eventfd(0, os.EFD_CLOEXEC)

    def receive(self, error: bool) -> bytes:
        """The pipe is closed by its reader, at the end: closed by another thread, its
        number could be somebody else's file by the time it is read."""
        pipe = self._process.stderr if error else self._process.stdout
        assert pipe is not None
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        poll.register(self._left, select.POLLIN)
        ready = {number for number, _ in poll.poll()}
        data = os.read(pipe.fileno(), BLOCK) if pipe.fileno() in ready else b""
        if not data:
            pipe.close()
            with self._lock:
                self._reading.discard(error)
                if not self._reading:
                    os.close(self._left)
        return data

    def send(self, data: bytes) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        poll = select.poll()
        poll.register(stdin, select.POLLOUT)
        while data:
            # Not for ever: `finish` in another thread does not wake it.
            poll.poll(1000)
            with self._lock:
                if stdin.closed:
                    raise BrokenPipeError(errno.EPIPE, "the input was closed")
                with contextlib.suppress(BlockingIOError):
                    data = data[os.write(stdin.fileno(), data) :]

    def finish(self) -> None:
        assert self._process.stdin is not None
        with self._lock, contextlib.suppress(OSError):
            self._process.stdin.close()

    def status(self, timeout_s: float) -> int | None:
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def complete(self) -> bool:
        """What a process has written is in the pipe."""
        return True

    def leave(self) -> None:
        with self._lock:
            if self._reading:
                os.eventfd_write(self._left, 1)

    def check(self) -> None:
        """Never lost."""

    def kill(self) -> None:
        """The whole session, as far as it is ours to kill."""
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            self._process.wait(1.0)
        self.close()

    def close(self) -> None:
        """Let the readers end, who free the pipes."""
        self.leave()
        self.finish()
