"""The byte stream under an SSH connection: TCP, ProxyCommand, or a channel of a jump host."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from typing import IO, Any

from lvstui.model.text import plain
from lvstui.remote.config import SshSettings
from lvstui.remote.runner import ErrorKind, RemoteError
from lvstui.remote.trouble import network_words

CONNECT_S = 10.0
"""For each address, unless ssh_config has ConnectTimeout."""

DEAD_S = 8.0
"""How long sent data may stay without acknowledgement. Keepalives alone never notice a cut link
(facts/realserver.md 6.2: still "active" after 25 s); with TCP_USER_TIMEOUT 5 s it took 6.2 s."""


def tcp(settings: SshSettings, timeout_s: float) -> socket.socket:
    """A TCP connection to the host. Raises RemoteError (UNREACHABLE)."""
    where = plain(f"{settings.hostname} port {settings.port}")
    try:
        found = socket.getaddrinfo(
            settings.hostname, settings.port, settings.family, socket.SOCK_STREAM
        )
    except (OSError, UnicodeError) as error:
        raise RemoteError(
            ErrorKind.UNREACHABLE, f"{where}: {network_words(error)}", "check the name and DNS"
        ) from None
    words = []
    for family, kind, protocol, _, address in found:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(timeout_s)
            sock.connect(address)
        except OSError as error:
            sock.close()
            words.append(f"{plain(str(address[0]))} {network_words(error)}")
            continue
        _tune(sock)
        return sock
    raise RemoteError(
        ErrorKind.UNREACHABLE,
        f"{where}: {'; '.join(dict.fromkeys(words))}",
        "check that the host is up, its sshd runs and the firewall lets SSH pass",
    )


def _tune(sock: socket.socket) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 3)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(DEAD_S * 1000))


class ProxyCommand:
    """A program whose input and output are the connection."""

    def __init__(self, command: str) -> None:
        """Started by the user's shell, as OpenSSH does. Raises RemoteError (SETUP)."""
        self._command = command
        # In memory: also a session that writes no file has one.
        self._words: IO[bytes] = os.fdopen(os.memfd_create("lvstui-proxy"), "w+b")
        ours, theirs = socket.socketpair()
        shell = os.environ.get("SHELL") or "/bin/sh"
        try:
            self._process = subprocess.Popen(
                [shell, "-c", f"exec {command}"],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=self._words,
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            self._words.close()
            raise RemoteError(
                ErrorKind.SETUP, f"ProxyCommand cannot be started: {plain(str(error))}"
            ) from None
        finally:
            theirs.close()
        self.socket = ours

    def last_words(self) -> str:
        """The last line of its standard error, harmless to show."""
        try:
            self._words.seek(0)
            lines = self._words.read(64_000).decode("utf-8", "replace").strip().splitlines()
        except (OSError, ValueError):
            return ""
        return plain(lines[-1], 300) if lines else ""

    def explain(self, error: RemoteError) -> RemoteError:
        """The same error with the program's own words."""
        words = self.last_words()
        if not words and self._process.poll() in (None, 0):
            return error
        words = words or f"exit status {self._process.returncode}"
        return RemoteError(
            ErrorKind.UNREACHABLE,
            f"ProxyCommand `{plain(self._command, 200)}`: {words}",
            "run it by hand to see why",
        )

    def close(self) -> None:
        """End it."""
        self.socket.close()
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        self._words.close()


def through(jump: Any, jump_host: str, settings: SshSettings, timeout_s: float) -> Any:
    """A channel of a jump host's transport to the host. Raises RemoteError (UNREACHABLE)."""
    try:
        return jump.open_channel(
            "direct-tcpip", (settings.hostname, settings.port), ("127.0.0.1", 0), timeout=timeout_s
        )
    except Exception as error:
        text = getattr(error, "text", "") or network_words(error)
        raise RemoteError(
            ErrorKind.UNREACHABLE,
            f"{jump_host} cannot reach {plain(settings.hostname)} port {settings.port}: "
            f"{plain(str(text))}",
            "check it from there; AllowTcpForwarding must be on at the jump host",
        ) from None
