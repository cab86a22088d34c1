"""A local process as a Stream."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence

from lvstui.remote.talk import BLOCK


class ProcessStream:
    """A child in a session of its own, so that no Ctrl+C and no password prompt of it reaches the
    terminal that the console is drawn on."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Raises OSError when it cannot be started."""
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            env=env,
        )

    def receive(self, error: bool) -> bytes:
        """See Stream."""
        pipe = self._process.stderr if error else self._process.stdout
        assert pipe is not None
        return os.read(pipe.fileno(), BLOCK)

    def send(self, data: bytes) -> None:
        """See Stream."""
        assert self._process.stdin is not None
        fd = self._process.stdin.fileno()
        while data:
            data = data[os.write(fd, data) :]

    def finish(self) -> None:
        """See Stream."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def status(self, timeout_s: float) -> int | None:
        """See Stream."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def unread(self, error: bool) -> bool:
        """See Stream."""
        pipe = self._process.stderr if error else self._process.stdout
        poll = select.poll()
        try:
            poll.register(pipe, select.POLLIN | select.POLLHUP)  # type: ignore[arg-type]
            return bool(poll.poll(0))
        except (OSError, ValueError):
            return False

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
        """Free the pipes."""
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
