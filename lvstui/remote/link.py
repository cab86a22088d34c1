"""An authenticated SSH connection, perhaps through others."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from typing import IO, Any

from lvstui.model.text import plain
from lvstui.remote import trouble
from lvstui.remote.auth import Login
from lvstui.remote.config import SshSettings
from lvstui.remote.credentials import CredentialCache
from lvstui.remote.known_hosts import HostKeys, fingerprint
from lvstui.remote.runner import ErrorKind, RemoteError

CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
)
MACS = (
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
    "hmac-sha1",
)
"""What OpenSSH offers by default and paramiko can do; paramiko's own list has CBC, 3DES and MD5."""

DEAD_S = 8.0
"""How long sent data may stay without acknowledgement. Keepalives alone never notice a cut link
(facts/realserver.md 6.2: still "active" after 25 s); with TCP_USER_TIMEOUT 5 s it took 6.2 s."""

KEEPALIVE_S = 15
"""Between signs of life on an idle connection, against firewalls that forget it."""


class SshLink:
    """A login on one host. Raises RemoteError while it is made."""

    def __init__(
        self,
        settings: SshSettings,
        vault: CredentialCache,
        *,
        timeout_s: float,
        via: SshLink | None = None,
    ) -> None:
        """timeout_s: for each step (address, banner, key exchange, answer to a login).  via: the
        last jump host."""
        trouble.silence()
        self.settings = settings
        self.where = where_of(settings)
        self.via = via
        self.fingerprint = ""
        self._timeout_s = settings.connect_timeout_s or timeout_s
        self._proxy: ProxyCommand | None = None
        self._pulse = Pulse()
        self.transport: Any = None
        try:
            self._connect(vault)
        except RemoteError as error:
            explained = self._explained(error)
            self.close()
            raise explained from None
        except BaseException:
            self.close()
            raise

    def _explained(self, error: RemoteError) -> RemoteError:
        """With a ProxyCommand's own words, if that may be why."""
        if self._proxy is None or error.trouble not in (ErrorKind.UNREACHABLE, ErrorKind.HANGS):
            return error
        return self._proxy.explain(error)

    def _connect(self, vault: CredentialCache) -> None:
        settings = self.settings
        sock: Any
        if settings.proxy_command:
            self._proxy = ProxyCommand(settings.proxy_command)
            sock = self._proxy.socket
        elif self.via is not None:
            sock = through(self.via.transport, self.via.where, settings, self._timeout_s)
        else:
            sock = tcp(settings, self._timeout_s)
        try:
            self.transport = transport = new_transport(sock)
        except BaseException:
            sock.close()
            raise
        transport.banner_timeout = transport.handshake_timeout = self._timeout_s
        transport.channel_timeout = self._timeout_s
        known = HostKeys(settings)
        options = transport.get_security_options()
        options.ciphers = _both(CIPHERS, options.ciphers)
        options.digests = _both(MACS, options.digests)
        options.key_types = known.algorithms(options.key_types)
        self._shake_hands()
        key = transport.get_remote_server_key()
        blob = key.asbytes()
        self.fingerprint = fingerprint(blob)
        known.check(key.get_name(), blob, vault)
        Login(transport, settings, vault, self.where, self._timeout_s).run()
        transport.set_keepalive(KEEPALIVE_S)

    def _shake_hands(self) -> None:
        done = threading.Event()
        transport = self.transport
        started = time.monotonic()
        transport.start_client(event=done)
        # The banner, the lists and the key exchange have a timeout each.
        done.wait(2.5 * self._timeout_s)
        error = transport.get_exception()
        if error is not None or not transport.initial_kex_done or not transport.is_active():
            late = time.monotonic() - started > 0.9 * self._timeout_s
            raise trouble.handshake(error, transport, self.where, late=late)

    def session(self, timeout_s: float, what: str) -> Any:
        """A channel for one command. Raises RemoteError."""
        self.check(what)
        try:
            return self.transport.open_session(timeout=min(timeout_s, self._timeout_s))
        except Exception as error:
            if "timeout" in str(error).lower():
                raise RemoteError(
                    ErrorKind.HANGS,
                    f"{self.where} gives no session in {self._timeout_s:.0f} s ({what})",
                    "look at its load",
                ) from None
            raise trouble.in_session(error, self.where, what) from None

    def check(self, what: str) -> None:
        """Raises RemoteError (LOST) when the connection has ended, or gives no sign of life."""
        if not self.transport.is_active():
            raise trouble.lost(self.where, what)
        if self._pulse.silent_s(self.transport) > DEAD_S:
            self.close()
            raise trouble.lost(self.where, what, f"no sign of life for {DEAD_S:.0f} s")

    def answers(self) -> int:
        """How many signs of life were asked for and came so far; asks for the next one."""
        self._pulse.silent_s(self.transport)
        return self._pulse.answers

    @property
    def alive(self) -> bool:
        """Whether it can be used, as far as is known."""
        return self.transport is not None and bool(self.transport.is_active())

    def close(self) -> None:
        """Hang up; the jump hosts stay connected."""
        with contextlib.suppress(Exception):
            if self.transport is not None:
                self.transport.close()
        if self._proxy is not None:
            with contextlib.suppress(Exception):
                self._proxy.close()


def new_transport(sock: Any) -> Any:
    """paramiko's Transport, which also remembers what the other side offers: for the error message
    when there is nothing in common."""
    import paramiko

    class Transport(paramiko.Transport):  # type: ignore[misc]
        offered: dict[str, list[str]] = {}  # noqa: RUF012

        def _parse_kex_init(self, message: Any) -> None:
            with contextlib.suppress(Exception):
                self.offered = self._really_parse_kex_init(paramiko.Message(message.asbytes()))
            super()._parse_kex_init(message)

    return Transport(sock)


class Pulse:
    """Asks the other side for an answer, while one waits for a command.

    Behind a jump host nothing else tells that the host is gone: the jump host's kernel keeps
    trying for a quarter of an hour.
    """

    def __init__(self) -> None:
        self._asked = 0.0
        self._waiting = False
        self.answers = 0
        """Questions that were answered."""

    def silent_s(self, transport: Any) -> float:
        """Seconds since the question that is still open; asks a new one when none is."""
        if self._waiting:
            return time.monotonic() - self._asked
        self._asked, self._waiting = time.monotonic(), True

        def ask() -> None:
            # Any answer will do: sshd answers a request it does not know by a refusal.
            with contextlib.suppress(Exception):
                transport.global_request("keepalive@openssh.com", wait=True)
            if transport.is_active():
                self.answers += 1
            self._waiting = False

        threading.Thread(target=ask, daemon=True, name="lvstui-pulse").start()
        return 0.0


def where_of(settings: SshSettings) -> str:
    """The host for error messages: its name, and what it stands for when that differs."""
    address = settings.hostname
    if settings.port != 22:
        address = f"{address} port {settings.port}"
    if settings.host in (address, settings.hostname):
        return plain(address)
    return plain(f"{settings.host} ({address})")


def _both(wanted: tuple[str, ...], there: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in wanted if name in there) or there


# The byte stream under a connection: TCP, ProxyCommand, or a channel of a jump host


def tcp(settings: SshSettings, timeout_s: float) -> socket.socket:
    """A TCP connection to the host. Raises RemoteError (UNREACHABLE)."""
    where = plain(f"{settings.hostname} port {settings.port}")
    try:
        found = socket.getaddrinfo(
            settings.hostname, settings.port, settings.family, socket.SOCK_STREAM
        )
    except (OSError, UnicodeError) as error:
        raise RemoteError(
            ErrorKind.UNREACHABLE,
            f"{where}: {trouble.network_words(error)}",
            "check the name and DNS",
        ) from None
    words = []
    for family, kind, protocol, _, address in found:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(timeout_s)
            sock.connect(address)
        except OSError as error:
            sock.close()
            words.append(f"{plain(str(address[0]))} {trouble.network_words(error)}")
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
        text = getattr(error, "text", "") or trouble.network_words(error)
        raise RemoteError(
            ErrorKind.UNREACHABLE,
            f"{jump_host} cannot reach {plain(settings.hostname)} port {settings.port}: "
            f"{plain(str(text))}",
            "check it from there; AllowTcpForwarding must be on at the jump host",
        ) from None
