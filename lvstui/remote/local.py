"""This host, by the same interface as the others."""

from __future__ import annotations

import contextlib
import errno
import getpass
import os
import select
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence

from lvstui.model.text import plain
from lvstui.process import privileges
from lvstui.remote.credentials import CredentialCache
from lvstui.remote.runner import Access, ErrorKind, NobodyThere, RemoteError
from lvstui.remote.scripts import SYSTEM_FOLDERS, script_bytes
from lvstui.remote.shell import ShellRunner
from lvstui.remote.talk import BLOCK, CommandLine, Raw, converse
from lvstui.remote.transcript import Transcript


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


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container gives numbers that have no name.
        return str(os.getuid())


def _start(command: Sequence[str], keep: Sequence[int] = ()) -> ProcessStream:
    path = f"{os.environ.get('PATH', os.defpath)}:{SYSTEM_FOLDERS}"
    try:
        with privileges.lent():
            return ProcessStream(command, {**os.environ, "LC_ALL": "C", "PATH": path}, keep)
    except OSError as error:
        raise RemoteError(
            ErrorKind.SETUP, f"no process can be started here: {plain(str(error))}"
        ) from None


class LocalRunner(ShellRunner):
    """Scripts on this host; root by being root, or by sudo or doas."""

    def __init__(
        self,
        host: str = "localhost",
        *,
        group: str = "",
        vault: CredentialCache | None = None,
        transcript: Transcript | None = None,
    ) -> None:
        vault = vault or CredentialCache(NobodyThere())
        access = Access(host, group=group)
        super().__init__(access, _user(), vault, transcript or Transcript(vault.redactor))

    def start(self, command: CommandLine) -> ProcessStream:
        """Without a terminal: a sudo that wants one refuses."""
        return _start(["/bin/sh", "-c", command.text])

    def _raw(self, script: str, wanted: CommandLine, root: bool) -> Raw:
        # What is left of root reads everything, and there is no way back to more.
        if root and not privileges.dropped() and os.geteuid() != 0:
            return super()._raw(script, wanted, root)
        # The shell here is known, so the script needs no other program to get there, is as long as
        # it is, and leaves standard input alone; in a file of memory nobody reads it.
        with open(os.memfd_create("script"), "wb") as file:
            file.write(script_bytes(script))
            file.flush()
            number = file.fileno()
            stream = _start(["/bin/sh", f"/proc/self/fd/{number}"], (number,))
        try:
            return converse(stream, wanted, self._where)
        finally:
            stream.close()

    def close(self) -> None:
        """Nothing is open."""
