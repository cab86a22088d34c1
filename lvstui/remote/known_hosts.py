"""known_hosts: what this side knows about host keys, as OpenSSH reads and writes it, and a host's
key by that: known, asked about, or refused. Nothing is ever accepted silently.

paramiko's own reader (5.1) refuses files with @cert-authority or @revoked lines, knows no patterns
and drops comments when it saves (facts/realserver.md 6.2), so none of it is used. Lines are only
ever appended; nothing here removes one.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path

from lvstui.model.text import plain
from lvstui.process import readonly
from lvstui.remote.append import append_lines
from lvstui.remote.config import SshSettings
from lvstui.remote.credentials import CredentialCache
from lvstui.remote.runner import ErrorKind, RemoteError, UnknownKey
from lvstui.remote.trouble import OTHER_BACKEND

DEFAULT_PORT = 22


@dataclass(frozen=True, slots=True)
class KnownKey:
    """One line of a known_hosts file that holds a key."""

    file: str
    number: int
    marker: str
    """Empty, `@revoked` or `@cert-authority`."""
    hosts: str
    """The first field as it stands: patterns separated by commas, or one hashed name."""
    kind: str
    blob: bytes

    @property
    def place(self) -> str:
        """`FILE:LINE`, harmless to show."""
        return plain(f"{self.file}:{self.number}")


class KeyState(str, Enum):
    """What known_hosts says about a key that a host presents."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    CHANGED = "changed"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class KeyVerdict:
    """What known_hosts says, and the line that says it."""

    state: KeyState
    entry: KnownKey | None = None
    """The line that knows, contradicts or revokes the key; None for an unknown one."""
    others: tuple[str, ...] = ()
    """Other keys of this host (`ssh-rsa in FILE:LINE`), and authorities that sign for it."""


def fingerprint(blob: bytes) -> str:
    """`SHA256:…` of a public key, as `ssh-keygen -l` prints it."""
    digest = hashlib.sha256(blob).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def host_name(host: str, port: int = DEFAULT_PORT) -> str:
    """The name under which known_hosts has a host: `host`, or `[host]:port` for another port."""
    host = host.lower()
    return host if port in (0, DEFAULT_PORT) else f"[{host}]:{port}"


def parse(text: str, file: str = "") -> list[KnownKey]:
    """The keys in a known_hosts file; comments, empty and broken lines give nothing."""
    entries = []
    for number, line in enumerate(text.split("\n"), 1):
        words = line.split()
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        if len(words) < 3 or words[0].startswith("#"):
            continue
        hosts, kind, encoded = words[:3]
        # Protocol 1 had numbers here, and markers that nobody knows must not be taken for a key.
        if kind.isdigit() or marker not in ("", "@revoked", "@cert-authority"):
            continue
        try:
            blob = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            continue
        if blob:
            entries.append(KnownKey(file, number, marker, hosts, kind, blob))
    return entries


def read(files: Iterable[str]) -> list[KnownKey]:
    """The keys in several files; those that are not there or cannot be read have none."""
    entries: list[KnownKey] = []
    for file in files:
        with contextlib.suppress(OSError):
            text = Path(file).read_bytes().decode("utf-8", "surrogateescape")
            entries += parse(text, file)
    return entries


@lru_cache(maxsize=4096)
def _pattern(pattern: str) -> re.Pattern[str]:
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern.lower())
    return re.compile("".join(parts), re.DOTALL)


def matches(hosts: str, name: str) -> bool:
    """Whether the first field of a line speaks of a host (`name` as host_name gives it)."""
    name = name.lower()
    if hosts.startswith("|"):
        return _matches_hash(hosts, name)
    found = False
    for pattern in hosts.split(","):
        negated = pattern.startswith("!")
        if _pattern(pattern[negated:]).fullmatch(name):
            if negated:
                return False
            found = True
    return found


def _matches_hash(hosts: str, name: str) -> bool:
    fields = hosts.split("|")
    if len(fields) != 4 or fields[1] != "1":
        return False
    try:
        salt, digest = (base64.b64decode(field, validate=True) for field in fields[2:])
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(hmac.digest(salt, name.encode("utf-8", "replace"), "sha1"), digest)


def hashed(name: str, salt: bytes | None = None) -> str:
    """A name as HashKnownHosts wants it."""
    salt = os.urandom(20) if salt is None else salt
    digest = hmac.digest(salt, name.encode(), "sha1")
    return "|1|" + "|".join(base64.b64encode(part).decode() for part in (salt, digest))


class KnownHost:
    """What the files know about one host, which may have several names (name and address)."""

    def __init__(
        self, entries: Iterable[KnownKey], names: Sequence[str], fallback: str = ""
    ) -> None:
        """`fallback`: the name without its port, which OpenSSH asks when `[name]:port` is not
        known; it can vouch for a key, but does not contradict one."""
        entries = list(entries)
        self.entries = [e for e in entries if any(matches(e.hosts, name) for name in names)]
        self._fallback = [e for e in entries if fallback and matches(e.hosts, fallback)]

    def kinds(self) -> list[str]:
        """The types of the keys that are known for it, in the order of the files."""
        kinds = [e.kind for e in (*self.entries, *self._fallback) if not e.marker]
        return list(dict.fromkeys(kinds))

    def judge(self, kind: str, blob: bytes) -> KeyVerdict:
        """What is known about a key that the host presents."""
        for entry in (*self.entries, *self._fallback):
            if entry.marker == "@revoked" and entry.blob == blob:
                return KeyVerdict(KeyState.REVOKED, entry)
        plain_keys = [e for e in self.entries if not e.marker]
        for entry in (*plain_keys, *(e for e in self._fallback if not e.marker)):
            if entry.blob == blob:
                return KeyVerdict(KeyState.KNOWN, entry)
        for entry in plain_keys:
            if entry.kind == kind:
                return KeyVerdict(KeyState.CHANGED, entry)
        others = [f"{plain(e.kind, 80)} in {e.place}" for e in plain_keys]
        others += [
            f"only a certificate authority, in {e.place}, which lvstui cannot check over this "
            "connection"
            for e in self.entries
            if e.marker == "@cert-authority"
        ]
        return KeyVerdict(KeyState.UNKNOWN, None, tuple(others))


def line(name: str, kind: str, blob: bytes, *, hash_name: bool = False) -> str:
    """A line for a plain key, without its newline."""
    return f"{hashed(name) if hash_name else name} {kind} {base64.b64encode(blob).decode()}"


def append(file: str, text: str) -> None:
    """Append a line to a known_hosts file; on disk when this returns.

    The folder (0700) and the file (0600) are made when they are not there; everything else in the
    file stays as it is. Raises OSError.
    """
    readonly.forbid()
    path = Path(file)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        append_lines(fd, f"{text}\n".encode())
    finally:
        os.close(fd)


def preferred(ours: Sequence[str], known: Iterable[str]) -> tuple[str, ...]:
    """Our host key algorithms with those first for which a key is known.

    As OpenSSH does it; a host known by one key type would else be asked for another and be called
    unknown. A key of type ssh-rsa serves rsa-sha2-512 and rsa-sha2-256 (RFC 8332).
    """
    wanted = set(known)
    if "ssh-rsa" in wanted:
        wanted |= {"rsa-sha2-512", "rsa-sha2-256"}
    return tuple(sorted(ours, key=lambda algorithm: algorithm not in wanted))


class HostKeys:
    """What is known about the host that is about to be connected to."""

    def __init__(self, settings: SshSettings) -> None:
        self._settings = settings
        self.names = _names(settings)
        port = settings.port
        fallback = "" if settings.alias or port == DEFAULT_PORT else settings.hostname
        files = (*settings.known_hosts, *settings.global_known_hosts)
        self._known = KnownHost(read(files), self.names, fallback)

    def algorithms(self, ours: Sequence[str]) -> tuple[str, ...]:
        """Our host key algorithms, those of known keys first."""
        return preferred(ours, self._known.kinds())

    def check(self, kind: str, blob: bytes, vault: CredentialCache) -> None:
        """Let a presented key pass or raise RemoteError: CHANGED_KEY, REVOKED_KEY, UNKNOWN_KEY.

        An unknown key is put to the operator, and appended to the user's first known_hosts file
        when he vouches for it.
        """
        settings = self._settings
        verdict = self._known.judge(kind, blob)
        shown = f"{plain(kind, 80)} {fingerprint(blob)}"
        where = plain(self.names[0])
        if verdict.state is KeyState.KNOWN:
            return
        if verdict.state is KeyState.REVOKED:
            assert verdict.entry is not None
            raise RemoteError(
                ErrorKind.REVOKED_KEY,
                f"{where} presents {shown}, which {verdict.entry.place} revokes",
                "somebody may have the host's old key: give the host a new one",
            )
        if verdict.state is KeyState.CHANGED:
            entry = verdict.entry
            assert entry is not None
            raise RemoteError(
                ErrorKind.CHANGED_KEY,
                f"{where} presents {shown}, but {entry.place} has {fingerprint(entry.blob)}",
                "somebody may be in between, or the host was set up anew; ask its owner, and only "
                f"then: ssh-keygen -f {_quoted(entry.file)} -R {_quoted(self.names[0])}",
            )
        kept = settings.known_hosts and not readonly.active()
        file = settings.known_hosts[0] if kept else os.devnull
        question = UnknownKey(
            plain(settings.host),
            plain(settings.hostname),
            settings.port,
            plain(kind, 80),
            fingerprint(blob),
            file,
            verdict.others,
        )
        if settings.strict:
            self._refuse(shown, "StrictHostKeyChecking is on: add its key to known_hosts first")
        if not vault.accept_key(question):
            todo = "compare the fingerprint with the host's own, then accept it"
            if any("certificate authority" in other for other in verdict.others):
                todo += f"; or {OTHER_BACKEND}, which can check the authority's signature"
            self._refuse(shown, todo)
        if file == os.devnull:
            return
        text = line(self.names[0], kind, blob, hash_name=settings.hash_known_hosts)
        try:
            append(file, text)
        except OSError as error:
            raise RemoteError(
                ErrorKind.SETUP,
                f"the accepted key cannot be kept: {plain(file)}: {plain(str(error.strerror))}",
                "make the file writable, or set UserKnownHostsFile",
            ) from None

    def _refuse(self, shown: str, todo: str) -> None:
        raise RemoteError(
            ErrorKind.UNKNOWN_KEY,
            f"{plain(self.names[0])} presents {shown}, which nobody knows",
            todo,
        )


def _names(settings: SshSettings) -> tuple[str, ...]:
    """Names under which known_hosts may have the host, the one to add it by first."""
    if settings.alias:
        # OpenSSH takes an alias as it is, without the port.
        return (settings.alias.lower(),)
    names = [host_name(settings.known_as or settings.hostname, settings.port)]
    names.append(host_name(settings.hostname, settings.port))
    return tuple(dict.fromkeys(names))


def _quoted(text: str) -> str:
    return plain(shlex.quote(text))
