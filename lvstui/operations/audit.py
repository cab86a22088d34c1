"""The audit log: every write, before it is tried and after it was read back."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import syslog
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from lvstui.model.text import plain
from lvstui.operations.identity import Identity, identify
from lvstui.process.readonly import forbid
from lvstui.remote.append import append_lines
from lvstui.sources.audit import START, AuditEntry, audit_path, digest, encode, entries

IDENT = "lvstui"
MOST = 900
"""Characters of a message: what syslog daemons take on one line (RFC 3164: 1024 bytes)."""
_PATIENCE_S = 2.0
_IN_MESSAGE = (
    *("id", "phase", "hash", "who", "claims", "host", "operation", "service", "server", "name"),
    *("before", "after", "seen", "ok", "undoes", "reason", "error", "what", "text"),
)


@dataclass(frozen=True, slots=True)
class Deed:
    """What is tried on one host or one real server: a line in the log before, and one after."""

    host: str
    """Name of a director, or address of a real server's host."""
    name: str
    operation: str
    what: str = ""
    """In words, where no weight says it."""
    ok: bool | None = None
    """It is as planned; None: not done yet."""
    end: str = ""
    """How it ended, in words; of a weight only when it is not as planned."""
    service: str = ""
    """Of a weight, as what follows."""
    server: str = ""
    before: int | None = None
    after: int | None = None
    seen: int | None = None
    """Weight read back from the kernel."""

    def came(self, ok: bool, end: str = "", seen: int | None = None) -> Deed:
        """The same when it was tried."""
        return replace(self, ok=ok, end=end, seen=seen)


class NotRecordedError(OSError):
    """The log cannot be written, so nothing was done; `str()` says it in one line."""

    def __init__(self, why: OSError) -> None:
        super().__init__(f"nothing was done: the audit log can not be written ({why})")


@dataclass
class AuditRecord:
    """What is being done, between its two records."""

    id: str
    came: Sequence[Deed] = ()
    """How the deeds ended, from whoever does them."""
    unrecorded: str = ""
    """Why that could not be recorded; empty: it was."""


class AuditLog:
    """Appends entries. What is recorded is on disk (fsync) before this says so, and a copy of it
    goes to the journal.

    Before a change it is recorded or OSError is raised; after it nothing can fail any more.
    """

    def __init__(
        self,
        path: Path | None = None,
        who: str | Identity | None = None,
        copy: Callable[[Sequence[str]], None] | None = None,
    ) -> None:
        """path: instead of the host's own log; then nothing goes to the journal but by `copy`."""
        self.path = path or audit_path()
        self.identity = Identity(who) if isinstance(who, str) else who or identify()
        self._copy = copy or (copy_to_journal if path is None else None)

    @property
    def who(self) -> str:
        """The operator as he is named everywhere, with the claim beside it."""
        return str(self.identity)

    def own(self, entry: AuditEntry) -> bool:
        """Whether this operator made that entry."""
        return Identity(entry.who, entry.claims) == self.identity

    @contextlib.contextmanager
    def around(
        self, deeds: Sequence[Deed], reason: str = "", undoes: str = ""
    ) -> Iterator[AuditRecord]:
        """Record, have it done, record what came of it. Raises NotRecordedError before anything
        was done, and whatever is raised meanwhile."""
        try:
            record = AuditRecord(self.begin(deeds, reason, undoes))
        except OSError as error:
            raise NotRecordedError(error) from error
        try:
            yield record
        except BaseException as error:
            end = f"trouble: it broke off ({type(error).__name__})"
            self.end(record.id, [deed.came(False, end) for deed in deeds], reason, undoes)
            raise
        record.unrecorded = self.end(record.id, record.came, reason, undoes)

    def begin(self, deeds: Sequence[Deed], reason: str = "", undoes: str = "") -> str:
        """Record what will be tried; returns the id. Raises OSError: then nothing may be done, for
        it could not be accounted for."""
        id_ = f"{time.strftime('%Y%m%dT%H%M%S')}-{secrets.token_hex(3)}"
        self._write([self._entry(id_, "planned", deed, reason, undoes) for deed in deeds])
        return id_

    def end(self, id_: str, deeds: Sequence[Deed], reason: str = "", undoes: str = "") -> str:
        """Record what came of it. Returns why it could not be recorded; empty: it was."""
        try:
            self._write([self._entry(id_, "done", deed, reason, undoes) for deed in deeds])
        except OSError as error:
            return f"not recorded in the audit log: {error}"
        return ""

    def _entry(self, id_: str, phase: str, deed: Deed, reason: str, undoes: str) -> AuditEntry:
        said, done = not deed.service, phase == "done"
        now = time.time()
        return AuditEntry(
            id=id_,
            phase=phase,
            at=round(now, 6),
            time=datetime.fromtimestamp(now).astimezone().isoformat(timespec="milliseconds"),
            who=self.identity.who,
            claims=self.identity.claims,
            host=deed.host,
            operation=deed.operation,
            service=deed.service,
            server=deed.server or deed.host,
            name=deed.name,
            before=deed.before,
            after=deed.after,
            seen=deed.seen,
            ok=deed.ok,
            reason=reason,
            error="" if deed.ok else deed.end,
            undoes=undoes,
            text=(deed.end if done else deed.what) if said else "",
            what=deed.what if said and done else "",
        )

    def entries(self) -> tuple[AuditEntry, ...]:
        """What is on record, oldest first; nothing when it cannot be read."""
        try:
            return tuple(entries(self.path))
        except OSError:
            return ()

    def original_weight(self, service: str, server: str) -> int | None:
        """The weight before the last drain of that server; None when none is recorded."""
        drains = (
            entry.before
            for entry in reversed(self.entries())
            if entry.phase == "done" and entry.ok and entry.before and entry.after == 0
            if (entry.service, entry.server) == (service, server)
        )
        return next(drains, None)

    def _write(self, found: list[AuditEntry]) -> None:
        copies: list[str] = []

        def lines(last: bytes) -> bytes:
            copies.clear()
            whole = []
            for entry in found:
                entry = replace(entry, prev=digest(last) if last else START)
                last = encode(entry)
                copies.append(_message(entry, digest(last)))
                whole.append(last + b"\n")
            return b"".join(whole)

        forbid()
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        kept = False
        while not kept:
            handle = os.open(self.path, flags, 0o600)
            try:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise OSError(errno.EINVAL, "it is no regular file", str(self.path))
                append_lines(handle, lines)
                # Removed while we waited for the lock: nobody would ever read it.
                kept = os.fstat(handle).st_nlink > 0
            finally:
                os.close(handle)
        if self._copy is not None:
            self._copy(copies)


# A copy of each record for the host's journal or syslog, which may send it on


def _message(entry: AuditEntry, digest: str) -> str:
    """One record on one line, the hash of its line in the audit log before everything that could
    be long."""
    said = {name: digest if name == "hash" else getattr(entry, name) for name in _IN_MESSAGE}
    words = (f"{key}={_quoted(value)}" for key, value in said.items() if value not in (None, ""))
    return plain(" ".join(words), MOST)


def _quoted(value: object) -> str:
    text = plain(str(value), MOST)
    bare = text.isascii() and not set(text) & set(' "=\\')
    return text if bare else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def copy_to_journal(messages: Sequence[str]) -> None:
    """Send them. Never raises; a log daemon that hangs holds nobody up for long: the audit log
    has the records already."""

    def send() -> None:
        syslog.openlog(IDENT, syslog.LOG_PID, syslog.LOG_AUTHPRIV)
        for text in messages:
            syslog.syslog(syslog.LOG_NOTICE, text)

    sender = threading.Thread(target=send, name="syslog", daemon=True)
    # No thread can be had on a host that is out of memory; the change was made all the same.
    with contextlib.suppress(RuntimeError):
        sender.start()
        sender.join(_PATIENCE_S)
