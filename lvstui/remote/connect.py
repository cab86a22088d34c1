"""The way to all hosts: one Connector for the whole program."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from lvstui.model.numbers import number
from lvstui.remote import config
from lvstui.remote.config import SshSettings
from lvstui.remote.credentials import CredentialCache
from lvstui.remote.link import SshLink, where_of
from lvstui.remote.local import LocalRunner
from lvstui.remote.openssh import OpenSsh
from lvstui.remote.operator_wait import current
from lvstui.remote.runner import Access, Asker, ErrorKind, NobodyThere, RemoteError, Runner
from lvstui.remote.shell import ShellRunner
from lvstui.remote.ssh import SshRunner
from lvstui.remote.transcript import Transcript

STEP_S = 10.0
"""For each step of a connection: an address, the banner, the key exchange, a login's answer."""

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
"""Names that mean this host, unless the Access says more than the name."""

MOST_JUMPS = 8


class Connector:
    """Opens runners; holds what they share: the operator's answers, jump hosts, the transcript.

    Thread-safe. `close` it at the end; connections that are still in use are hung up then.
    """

    def __init__(
        self,
        asker: Asker | None = None,
        *,
        transcript: Path | None = None,
        step_s: float = STEP_S,
        ssh_config: str = "",
        warn: Callable[[str], None] = lambda text: None,
    ) -> None:
        """asker: answers questions, one at a time; None refuses all.
        transcript: a new file for every command (0600).
        step_s: seconds for each step of a connection, where ssh_config has no ConnectTimeout.
        ssh_config: a file instead of the user's and the system's.
        warn: called once with each thing the operator should know.
        Raises OSError when the transcript cannot be written.
        """
        self.vault = CredentialCache(asker or NobodyThere())
        self.transcript = Transcript(self.vault.redactor, transcript)
        self._step_s = step_s
        self._ssh_config = ssh_config
        self._warn = warn
        self._warned: set[str] = set()
        self._lock = threading.Lock()
        self._settings: dict[Access, SshSettings] = {}
        self._jumps: dict[tuple[str, ...], _Jump] = {}
        self._runners: list[ShellRunner] = []
        self._openssh: OpenSsh | None = None
        self._closed = False

    def settings(self, access: Access) -> SshSettings:
        """How this host will be reached. Raises RemoteError (SETUP)."""
        with self._lock:
            found = self._settings.get(access)
        if found is None:
            found = config.resolve(access, config=self._ssh_config)
            with self._lock:
                self._settings[access] = found
                new = [text for text in found.warnings if text not in self._warned]
                self._warned.update(new)
            for text in new:
                self._warn(text)
        return found

    def expect(self, hosts: Iterable[Access]) -> None:
        """These hosts are worked on together now: a question for a password names those that the
        same answer may be for, and the operator says whether it is."""
        self.vault.expect(hosts)

    def open(self, access: Access, *, backend: str = "") -> Runner:
        """Connect to a host, or to this one. Blocks for as long as the operator thinks and some
        steps of `step_s`. Raises RemoteError.

        backend: by paramiko, or `openssh` for what paramiko cannot do (host certificates, security
        keys, GSSAPI); that one asks nothing.
        """
        runner = self._open(access, backend)
        with self._lock:
            closed = self._closed
            if not closed:
                self._runners = [r for r in self._runners if r.alive]
                self._runners.append(runner)
        if closed:
            runner.close()
            raise RemoteError(ErrorKind.CANCELLED, "lvstui is ending")
        return runner

    def _open(self, access: Access, backend: str) -> ShellRunner:
        if access == Access(access.host, group=access.group) and access.host in LOCAL:
            return LocalRunner(
                access.host, group=access.group, vault=self.vault, transcript=self.transcript
            )
        settings = self.settings(access)
        if backend == "openssh":
            with self._lock:
                if self._openssh is None:
                    self._openssh = OpenSsh(self._ssh_config)
            return self._openssh.open(
                access, settings, self.vault, self.transcript, timeout_s=self._step_s
            )
        link = self._link(settings, ())
        return SshRunner(access, link, self.vault, self.transcript)

    def _link(self, settings: SshSettings, seen: tuple[tuple[str, ...], ...]) -> SshLink:
        via = None
        if settings.jump:
            via = self._jump(settings.jump, (*seen, _key(settings)))
        try:
            return SshLink(settings, self.vault, timeout_s=self._step_s, via=via)
        except RemoteError:
            if via is not None and not via.alive:
                via.close()
            raise

    def _jump(self, jump: str, seen: tuple[tuple[str, ...], ...]) -> SshLink:
        """The connection to the last of some jump hosts, shared by all hosts behind it: sshd drops
        connections that come too many at once (MaxStartups 10:30:100)."""
        settings = self.settings(_hop(jump))
        key = _key(settings)
        if key in seen or len(seen) > MOST_JUMPS:
            names = " → ".join(f"{hop[1]}" for hop in (*seen, key))
            raise RemoteError(
                ErrorKind.SETUP,
                f"ProxyJump goes in a circle: {names}",
                "exempt the jump host (`Host * !jump`) or set `ProxyJump none` for it",
            )
        with self._lock:
            shared = self._jumps.setdefault(key, _Jump())
        asked_at = time.monotonic()
        with current().asking():
            shared.lock.acquire()
        try:
            if shared.link is not None and shared.link.alive:
                return shared.link
            if shared.error is not None and shared.failed_at >= asked_at:
                # It failed while we waited for it; ten hosts need not wait one after the other.
                raise shared.error
            try:
                shared.link = self._link(settings, seen)
            except RemoteError as error:
                shared.error = RemoteError(
                    error.trouble, f"jump host {where_of(settings)}: {error.what}", error.todo
                )
                shared.failed_at = time.monotonic()
                raise shared.error from None
            return shared.link
        finally:
            shared.lock.release()

    def close(self) -> None:
        """Hang up everywhere and forget all answers; never raises."""
        with self._lock:
            self._closed = True
            runners, self._runners = self._runners, []
            jumps = [jump.link for jump in self._jumps.values() if jump.link is not None]
            openssh, self._openssh = self._openssh, None
        for thing in (*runners, *jumps, openssh):
            if thing is not None:
                with contextlib.suppress(Exception):
                    thing.close()
        self.vault.clear()
        with contextlib.suppress(OSError):
            self.transcript.close()

    def __enter__(self) -> Connector:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(slots=True)
class _Jump:
    lock: threading.Lock = field(default_factory=threading.Lock)
    link: SshLink | None = None
    error: RemoteError | None = None
    failed_at: float = 0.0


def _key(settings: SshSettings) -> tuple[str, ...]:
    return (settings.user, settings.hostname, str(settings.port), settings.jump)


def _hop(jump: str) -> Access:
    """The last of the jump hosts, to be reached by those before it (as ssh -J does it)."""
    before, _, last = jump.rpartition(",")
    last = last.strip().removeprefix("ssh://").rstrip("/")
    user, _, host = last.rpartition("@")
    port = ""
    if host.startswith("["):
        host, _, port = host[1:].partition("]")
        port = port.removeprefix(":")
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
    where = number(port or "0", 65535)
    if not host or where is None:
        raise RemoteError(ErrorKind.SETUP, f"ProxyJump {jump!r} names no host")
    access = Access(host, user=user, port=where)
    return replace(access, jump=before.strip()) if before.strip() else access
