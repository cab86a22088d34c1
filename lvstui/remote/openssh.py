"""Another host over SSH, by the OpenSSH client: for host certificates, security keys and GSSAPI.

It decides about host keys and logins itself, by ssh_config and without questions (BatchMode).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile

from lvstui.model.text import plain
from lvstui.process import readonly
from lvstui.remote.config import SshSettings
from lvstui.remote.credentials import CredentialCache
from lvstui.remote.link import where_of
from lvstui.remote.local import ProcessStream
from lvstui.remote.runner import Access, ErrorKind, RemoteError
from lvstui.remote.shell import ShellRunner
from lvstui.remote.talk import CommandLine, Raw
from lvstui.remote.transcript import Transcript
from lvstui.remote.trouble import lost

FAILED = 255
"""ssh's exit status when it was ssh that failed."""

_OPTIONS = (
    "-oBatchMode=yes",
    "-oStrictHostKeyChecking=yes",
    "-oForwardAgent=no",
    "-oClearAllForwardings=yes",
    "-oPermitLocalCommand=no",
    "-oServerAliveInterval=3",
    "-oServerAliveCountMax=2",
)
_TROUBLES = (
    ("host identification has changed", ErrorKind.CHANGED_KEY),
    ("revoked", ErrorKind.REVOKED_KEY),
    ("host key verification failed", ErrorKind.UNKNOWN_KEY),
    ("permission denied (", ErrorKind.LOGIN),
    ("too many authentication failures", ErrorKind.LOGIN),
    ("timed out", ErrorKind.UNREACHABLE),
    ("connection refused", ErrorKind.UNREACHABLE),
    ("no route to host", ErrorKind.UNREACHABLE),
    ("could not resolve", ErrorKind.UNREACHABLE),
    ("bad configuration", ErrorKind.SETUP),
    ("unable to negotiate", ErrorKind.SETUP),
)


class OpenSsh:
    """Connections that ssh itself holds open, with their sockets in a private folder."""

    def __init__(self, config: str = "") -> None:
        """config: an ssh_config file instead of the user's. Raises RemoteError (SETUP)."""
        if readonly.active():
            raise RemoteError(
                ErrorKind.SETUP,
                "OpenSSH itself writes files (sockets, known_hosts), and this session is read-only",
                "leave `backend` out, or start without --read-only",
            )
        self._program = shutil.which("ssh") or ""
        if not self._program:
            raise RemoteError(ErrorKind.SETUP, "there is no ssh here", "install openssh-client")
        # Short: a socket's name must not be longer than 107 bytes.
        self._folder = tempfile.mkdtemp(prefix="lvstui-", dir="/tmp")
        self._config = ["-F", config] if config else []
        self._count = 0

    def open(
        self,
        access: Access,
        settings: SshSettings,
        vault: CredentialCache,
        transcript: Transcript,
        *,
        timeout_s: float,
    ) -> OpenSshRunner:
        """Log in. Raises RemoteError."""
        self._count += 1
        options = [
            self._program,
            *self._config,
            *_OPTIONS,
            f"-oConnectTimeout={max(1, int(settings.connect_timeout_s or timeout_s))}",
            "-S",
            f"{self._folder}/{self._count}",
        ]
        if access.address:
            options.append(f"-oHostName={access.address}")
            options.append(f"-oHostKeyAlias={settings.alias or settings.known_as}")
        for option, value in (("-l", access.user), ("-J", access.jump), ("-i", access.identity)):
            if value:
                options += [option, value]
        if access.port:
            options += ["-p", str(access.port)]
        runner = OpenSshRunner(access, settings, options, vault, transcript)
        runner.log_in(3 * timeout_s)
        return runner

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self._folder, ignore_errors=True)


class OpenSshRunner(ShellRunner):
    """Scripts on another host, one ssh process for each, over one connection."""

    def __init__(
        self,
        access: Access,
        settings: SshSettings,
        options: list[str],
        vault: CredentialCache,
        transcript: Transcript,
    ) -> None:
        super().__init__(access, settings.user, vault, transcript, where_of(settings))
        self._options = options

    def log_in(self, timeout_s: float) -> None:
        """Make the connection that the commands share. Raises RemoteError."""
        command = [*self._options, "-M", "-N", "-f", "-oControlPersist=yes", "--", self.host]
        # The connection's process keeps standard error open, so a pipe would never end.
        with tempfile.TemporaryFile() as words:
            try:
                done = subprocess.run(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=words,
                    timeout=timeout_s,
                    start_new_session=True,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise RemoteError(
                    ErrorKind.HANGS, f"{self._where} does not finish the login in {timeout_s:.0f} s"
                ) from None
            except OSError as error:
                raise RemoteError(ErrorKind.SETUP, f"ssh: {plain(str(error))}") from None
            if done.returncode != 0:
                words.seek(0)
                raise self._explain(words.read(64_000).decode("utf-8", "replace"))

    def _explain(self, text: str) -> RemoteError:
        lines = [plain(line.strip(), 300) for line in text.splitlines() if line.strip(" @\r")]
        lower = text.lower()
        trouble = next((t for words, t in _TROUBLES if words in lower), ErrorKind.UNREACHABLE)
        return RemoteError(trouble, f"{self._where}: ssh says: {lines[-1] if lines else 'nothing'}")

    def start(self, command: CommandLine) -> ProcessStream:
        terminal = "-tt" if command.pty else "-T"
        try:
            return ProcessStream(
                [*self._options, "-oControlMaster=no", terminal, "--", self.host, command.text],
                {**os.environ, "LC_ALL": "C"},
            )
        except OSError as error:
            raise RemoteError(ErrorKind.SETUP, f"ssh: {plain(str(error))}") from None

    def execute(self, command: CommandLine) -> Raw:
        raw = super().execute(command)
        if raw.status == FAILED and self._control("check") != 0:
            raise lost(self._where, command.what)
        return raw

    def _control(self, order: str) -> int:
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            return subprocess.run(
                [*self._options, "-O", order, "--", self.host],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=5.0,
                check=False,
            ).returncode
        return -1

    def close(self) -> None:
        """End the connection's process."""
        self._control("exit")
