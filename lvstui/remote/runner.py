"""The one small interface to another host, and what can go wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from lvstui.model.text import plain


class ErrorKind(str, Enum):
    """Why a host could not be worked on; one word, the same in TUI, JSON and docs."""

    UNREACHABLE = "unreachable"
    """No connection: no route, refused, nobody answered in time, name not found."""
    UNKNOWN_KEY = "unknown-key"
    """The host key is in no known_hosts, and nobody accepted it."""
    CHANGED_KEY = "changed-key"
    """known_hosts has another key for this host: perhaps somebody in between."""
    REVOKED_KEY = "revoked-key"
    """The host key is marked @revoked."""
    LOGIN = "login-refused"
    """No key, password or answer was accepted."""
    ROOT = "root-refused"
    """Logged in, but sudo (or doas) does not make this user root."""
    HANGS = "hangs"
    """Logged in, and then no answer in time."""
    LOST = "connection-lost"
    """The connection ended while a command ran: what it did is not known."""
    SETUP = "ssh-setup"
    """ssh_config, a key file or a program on this side is at fault."""
    CANCELLED = "cancelled"
    """The operator stopped it."""


class RemoteError(Exception):
    """A host that could not be worked on. `str()` is one line for the operator and holds no
    secret: what went wrong, the evidence, what to do."""

    def __init__(self, trouble: ErrorKind, what: str, todo: str = "") -> None:
        super().__init__(f"{what}: {todo}" if todo else what)
        self.trouble = trouble
        self.what = what
        """What happened, with the evidence (`known_hosts:12 has SHA256:…`)."""
        self.todo = todo
        """What the operator can do about it; may be empty."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    status: int
    """Exit status; negative for a signal."""
    out: bytes
    err: str
    """Standard error, harmless to show (several lines)."""
    took_s: float = 0.0

    @property
    def text(self) -> str:
        """Standard output, undecodable bytes as surrogates: for parsing, not for showing."""
        return self.out.decode("utf-8", "surrogateescape")

    @property
    def last(self) -> str:
        """The last line of both outputs, harmless to show; empty: it said nothing."""
        return plain(self._lines[-1]) if self._lines else ""

    @property
    def failure(self) -> str:
        """What it says went wrong (`failed: …`), else its last line."""
        told = next((line for line in self._lines if line.startswith("failed: ")), "")
        return plain(told).removeprefix("failed: ") or self.last

    @property
    def _lines(self) -> list[str]:
        both = (*self.text.splitlines(), *self.err.splitlines())
        return [line for line in both if line.strip()]


class Runner(Protocol):
    """A host on which scripts run. One thread at a time; every call blocks with a deadline."""

    @property
    def host(self) -> str:
        """The host as the operator names it."""

    def run(
        self,
        script: str,
        *,
        stdin: bytes = b"",
        root: bool = False,
        timeout_s: float = 30.0,
        what: str = "",
        private: bool = False,
    ) -> Ran:
        """Run a POSIX shell script (of any length) under `sh` with LC_ALL=C.

        `root`: as root, by the way that was found for this host; `stdin` reaches the script even
        then. `what` says in words what it is for (transcript, error messages). `private`: the
        outputs hold secrets, so that the transcript has only their size. An exit status other
        than 0 is no error. Raises RemoteError: the deadline passed (HANGS, the script may
        still run), the connection ended (LOST), root cannot be had (ROOT).
        """

    def read(self, path: str, *, root: bool = False, most: int = 1 << 20) -> bytes | None:
        """A file's first `most` bytes; None when it is not there. Raises RemoteError, OSError."""

    def write(self, path: str, data: bytes, *, mode: int = 0o600, root: bool = False) -> None:
        """Write a whole file or nothing: beside it, synced, renamed over it. Raises RemoteError,
        OSError (read-only, full: with the host's own words)."""

    def close(self) -> None:
        """Hang up; never raises."""


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach one host: what the operator said, to be completed by ssh_config."""

    host: str
    """Its name on the screen and in ssh_config (a name or an address)."""
    address: str = ""
    """Address to connect to instead of what `host` resolves to (management network)."""
    user: str = ""
    port: int = 0
    jump: str = ""
    """`[user@]host[:port][,…]` as ssh -J has it; `none` overrides ssh_config."""
    identity: str = ""
    """A key file to use."""
    group: str = ""
    """Hosts of one group share a sudo password (asked once); empty: it goes to no other host
    unless the operator says so."""


@dataclass(frozen=True, slots=True)
class UnknownKey:
    """A host key that nobody has vouched for yet."""

    host: str
    address: str
    port: int
    kind: str
    """ssh-ed25519, ecdsa-sha2-nistp256, …"""
    fingerprint: str
    """`SHA256:…`, as ssh-keygen -l prints it."""
    file: str
    """The known_hosts file that an accepted key is added to."""
    others: tuple[str, ...] = ()
    """Key types of this host that are known already (`ssh-rsa in ~/.ssh/known_hosts:3`)."""


@dataclass(frozen=True, slots=True)
class SecretRequest:
    """Something only the operator knows."""

    kind: str
    """`passphrase` (of a key file), `password` (login), `answer` (keyboard-interactive), `sudo`."""
    host: str
    user: str
    prompt: str
    """The host's or the key's own words, harmless to show."""
    again: bool = False
    """The last answer was refused."""
    echo: bool = False
    """The answer may be shown while it is typed (keyboard-interactive says so)."""
    hosts: tuple[str, ...] = ()
    """Where the answer may be used as well if the operator says so, `host` first; empty: only for
    `host`."""


@dataclass(frozen=True, slots=True)
class SecretAnswer:
    """What the operator gave."""

    secret: str = field(repr=False)
    everywhere: bool = False
    """To be used on all of the request's `hosts`, not on `host` alone."""


class Asker(Protocol):
    """Whoever can ask the operator. Called from worker threads, one question at a time."""

    def accept_key(self, key: UnknownKey) -> bool:
        """Whether the operator vouches for this host key."""

    def secret(self, request: SecretRequest) -> SecretAnswer | None:
        """The answer; None when the operator has none (the host is then given up)."""


class NobodyThere:
    """An asker for pipes and tests: refuses every key, knows no secret."""

    def accept_key(self, key: UnknownKey) -> bool:
        return False

    def secret(self, request: SecretRequest) -> SecretAnswer | None:
        return None
