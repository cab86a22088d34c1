"""Another host over SSH, by paramiko."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

from lvstui.remote import trouble
from lvstui.remote.credentials import CredentialCache
from lvstui.remote.link import SshLink
from lvstui.remote.runner import Access, ErrorKind, RemoteError
from lvstui.remote.shell import ShellRunner
from lvstui.remote.talk import BLOCK, CommandLine
from lvstui.remote.transcript import Transcript

KILLED = -1
"""Exit status of a command that a signal ended: paramiko does not tell which."""

START_S = 20.0
"""For a command to be started; login shells and PAM sessions may be slow."""


class SshRunner(ShellRunner):
    """Scripts on another host, one session channel for each. Agents are never forwarded."""

    def __init__(
        self, access: Access, link: SshLink, vault: CredentialCache, transcript: Transcript
    ) -> None:
        super().__init__(access, link.settings.user, vault, transcript, link.where)
        self._link = link
        self.fingerprint = link.fingerprint

    @property
    def alive(self) -> bool:
        return self._link.alive

    def start(self, command: CommandLine) -> ChannelStream:
        channel = self._link.session(command.timeout_s, command.what)
        try:
            self._start(channel, command, min(command.timeout_s, START_S))
        except BaseException:
            _close(channel)
            raise
        return ChannelStream(channel, self._link, command.what)

    def _start(self, channel: Any, command: CommandLine, timeout_s: float) -> None:
        """Start the command there; paramiko itself would wait for ever for the answer."""
        late: list[bool] = []

        def give_up() -> None:
            late.append(True)
            channel.close()

        timer = threading.Timer(timeout_s, give_up)
        timer.daemon = True
        timer.start()
        try:
            if command.pty:
                channel.get_pty(width=200)
            channel.exec_command(command.text)
        except Exception as error:
            if late:
                raise RemoteError(
                    ErrorKind.HANGS,
                    f"{self._link.where} starts no command in {timeout_s:.0f} s ({command.what})",
                    "look at its load",
                ) from None
            raise trouble.in_session(error, self._link.where, command.what) from None
        finally:
            timer.cancel()

    def close(self) -> None:
        self._link.close()


class ChannelStream:
    """A session channel as a Stream."""

    def __init__(self, channel: Any, link: SshLink, what: str) -> None:
        self._channel = channel
        self._link = link
        self._what = what
        self._ended_at: int | None = None
        """Answers of the link when the status was there."""

    def receive(self, error: bool) -> bytes:
        read = self._channel.recv_stderr if error else self._channel.recv
        return bytes(read(BLOCK))

    def send(self, data: bytes) -> None:
        self._channel.sendall(data)

    def finish(self) -> None:
        with contextlib.suppress(Exception):
            self._channel.shutdown_write()

    def status(self, timeout_s: float) -> int | None:
        """Raises RemoteError (LOST): without a status the connection has ended
        (facts/realserver.md 6.2: recv_exit_status gives -1), unless the transport lives on."""
        if not self._channel.status_event.wait(timeout_s):
            return None
        status = int(self._channel.exit_status)
        if status == -1:
            # Channels end a moment before their transport is marked as ended.
            time.sleep(0.05)
            self._link.check(self._what)
            return KILLED
        return status

    def complete(self) -> bool:
        """sshd may send the status before the last output (session.c:
        session_exit_message leaves what waits in the pipe to be read). The second answer is to a
        question asked after the status, and sshd looks at the pipe again before it gives a third.
        """
        answers = self._link.answers()
        if self._ended_at is None:
            self._ended_at = answers
        return answers >= self._ended_at + 3

    def check(self) -> None:
        self._link.check(self._what)

    def close(self) -> None:
        """sshd ends what reads or writes there."""
        _close(self._channel)

    leave = kill = close


def _close(channel: Any) -> None:
    with contextlib.suppress(Exception):
        channel.close()
