"""Source `audit`: what operators did with lvstui on this host, from its audit log.

One JSON object a line, appended by `lvstui.operations.audit`. Reading it back lets every session
show who drained a server and why, also after lvstui was closed. Each record carries the SHA-256 of
the line before it, so that a line that was changed, put in or taken out shows at the next one.
Lines at the end that were cut off do not: the copies in the journal have their hashes.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from lvstui.model.facts import Done
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.text import plain
from lvstui.process.newfile import state_folder
from lvstui.process.privileges import sees_all
from lvstui.sources.base import Context, Source

BACK_S = 7 * 86400.0
"""How far back entries still explain a weight."""
MOST_BYTES = 1 << 20
"""Read back at most; older entries are not asked for."""


def audit_path() -> Path:
    """The host's audit log: shared by all operators when root, else the user's own."""
    override = os.environ.get("LVSTUI_AUDIT")
    if override:
        return Path(override)
    if sees_all():
        return Path("/var/log/lvstui/audit.jsonl")
    return state_folder() / "audit.jsonl"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One step of one operation, before (`planned`) or after it was applied."""

    id: str
    """Shared by the steps of one operation."""
    phase: str
    """planned or done."""
    at: float
    """Epoch seconds."""
    time: str
    """The same in ISO 8601 with offset, for people."""
    who: str
    host: str
    operation: str
    service: str = ""
    """Empty for what is no weight: a configuration, a real server's host."""
    server: str = ""
    name: str = ""
    before: int | None = None
    after: int | None = None
    seen: int | None = None
    """Weight read back from the kernel."""
    ok: bool | None = None
    reason: str = ""
    error: str = ""
    undoes: str = ""
    """Id of the operation that this one takes back."""
    text: str = ""
    """In words, where no weight says it: what is to be done (planned), or how it ended (done)."""
    what: str = ""
    """In words, where no weight says it: what was to be done (done)."""
    claims: str = ""
    """Who SUDO_USER said it was, when that is not `who`."""
    prev: str = ""
    """SHA-256 of the line before, `START` in the first line of a file; empty in records of
    versions that made none."""
    v: int = 1
    """Version of this form."""

    @property
    def by(self) -> str:
        """Who it was, with the claim, harmless to show."""
        who, claims = plain(self.who), plain(self.claims)
        return f"{who} (claimed: {claims})" if claims else who


START = "start"
_TYPES: dict[str, tuple[type, ...]] = {
    **{field.name: (str,) for field in fields(AuditEntry)},
    "at": (int, float),
    "ok": (bool,),
    **dict.fromkeys(("before", "after", "seen", "v"), (int,)),
}


def digest(line: bytes) -> str:
    """What the next record carries of a line (without its newline)."""
    return hashlib.sha256(line).hexdigest()


def encode(entry: AuditEntry) -> bytes:
    """The line of an entry, without its newline; `parse` reads it."""
    said = {key: value for key, value in asdict(entry).items() if value not in (None, "")}
    # What an argument had that is no UTF-8 comes as a lone surrogate, which JSON escapes.
    return json.dumps(said, ensure_ascii=False).encode("utf-8", "backslashreplace")


def parse(line: str | bytes) -> AuditEntry | None:
    """An entry, or None for a line that is not one (torn by a crash, another version)."""
    try:
        raw = json.loads(line)
        said = {key: raw[key] for key in raw if key in _TYPES}
        if any(type(value) not in _TYPES[key] for key, value in said.items()):
            return None
        return AuditEntry(**said) if math.isfinite(raw["at"]) else None
    except (ValueError, TypeError, LookupError, RecursionError, OverflowError):
        return None


def entries(path: Path) -> Iterator[AuditEntry]:
    """Entries in `path`, oldest first. Raises OSError."""
    with path.open("rb") as stream:
        stream.seek(0, os.SEEK_END)
        stream.seek(max(stream.tell() - MOST_BYTES, 0))
        for line in stream.read().split(b"\n"):
            if entry := parse(line):
                yield entry


class Chain:
    """Follows the hashes from line to line."""

    def __init__(self, last: bytes | None = b"") -> None:
        """last: the line before the first that comes; None when it is not known."""
        self._last = last
        self._linked = False

    def follow(self, line: bytes) -> str:
        """Why this line does not follow from the one before; empty: it does."""
        if not line:
            return ""
        last, self._last = self._last, line
        entry = parse(line)
        if entry is None:
            # Torn by a crash, or changed since: the hash in the next record says which.
            return ""
        if not entry.prev:
            # Before the first link: written by a version that made none.
            return "has no hash, and the one before it has" if self._linked else ""
        self._linked = True
        if last is None:
            return ""
        if entry.prev == (digest(last) if last else START):
            return ""
        if last and entry.prev == START:
            return "was the first of its file, and is not: lines were put before it"
        if not last:
            return "is not the first that was written: those before it are gone"
        return "does not follow from the one before it: one of the two was changed, or one is gone"


def fact(entry: AuditEntry) -> Done | None:
    """What the picture should know of a finished step; None for one that changed no weight."""
    if entry.phase != "done":
        return None
    if not entry.service:
        return _on_host(entry)
    if not entry.ok:
        return None
    try:
        service, server = ServiceKey.parse(entry.service), ServerKey.parse(entry.server)
    except ValueError:
        return None
    name = plain(entry.name)
    label = f"{name} ({server})" if name else str(server)
    verb = _ON_SERVERS.get(entry.operation)
    who, reason = entry.by, plain(entry.reason)
    what = f"{who} {verb} {label}" if verb else f"{who} sets the weight of {label}"
    text = f"{what} in {service}: weight {entry.before} → {entry.after}"
    if reason:
        text += f", “{reason}”"
    return Done(
        entry.operation, who, text, service, server, entry.before, entry.after, reason, entry.id
    )


_ON_SERVERS = {"drain": "drains", "enable": "enables", "undo": "takes back what was done to"}
_OF_HOSTS = {
    "configuration": "changes the configuration of {}",
    "push": "pushes to {}",
    "undo": "takes lvstui's work off {}",
    "sysctl": "sets a sysctl on {}",
    "reboot": "reboots {}",
}


def _on_host(entry: AuditEntry) -> Done:
    """Of a configuration or a real server: also one that failed, since something may be left."""
    label = plain(entry.name or entry.server or entry.host)
    doing = _OF_HOSTS.get(entry.operation, plain(entry.operation) + " on {}").format(label)
    text = f"{entry.by} {doing}"
    if entry.what:
        text += f": {plain(entry.what, 300)}"
    text += f": {'' if entry.ok else 'failed: '}{plain(entry.text or 'done', 300)}"
    reason = plain(entry.reason)
    if reason:
        text += f", “{reason}”"
    return Done(entry.operation, entry.by, text, reason=reason, id=entry.id, ok=bool(entry.ok))


class AuditTrail(Source):
    """Pushes what is in the audit log and what is appended to it; says when its chain is broken."""

    name = "audit"

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or audit_path()
        self._inode = 0
        self._offset = 0
        self._chain = Chain()

    def run(self, context: Context) -> None:
        first = True
        for _ in context.ticks():
            try:
                self._read(context, first)
            except FileNotFoundError:
                if self._inode:
                    self._note(context, "the audit log is gone (rotated, or removed)")
                self._inode = self._offset = 0
            except PermissionError as error:
                context.missing(self.name, f"the audit log: {error}", "sudo lvstui")
                return
            first = False

    def _read(self, context: Context, first: bool) -> None:
        status = self._path.stat()
        if status.st_ino == self._inode and status.st_size == self._offset:
            return
        begins = False
        if status.st_ino != self._inode or status.st_size < self._offset:
            if status.st_ino == self._inode:
                self._note(context, "the audit log was cut: records at its end are gone", ok=False)
            elif self._inode:
                text = "the audit log begins anew (the one before: rotated, or removed)"
                self._note(context, text)
            self._inode, self._offset = status.st_ino, max(status.st_size - MOST_BYTES, 0)
            if not first:
                self._offset = 0
            begins = self._offset > 0
            self._chain = Chain(None if begins else b"")
        with self._path.open("rb") as stream:
            stream.seek(self._offset)
            data = stream.read()
        whole = data.rfind(b"\n") + 1
        self._offset += whole
        horizon = time.time() - BACK_S
        # Read from its middle on, it begins with a part of a line.
        for line in data[:whole].split(b"\n")[begins:]:
            entry = parse(line)
            if why := self._chain.follow(line):
                told = entry.time if entry is not None else ""
                what = f"the audit log is not as it was written: the record of {plain(told)} {why}"
                context.missing(self.name, what, "compare it with the copies: journalctl -t lvstui")
            if entry is None or entry.at < horizon:
                continue
            done = fact(entry)
            if done is not None:
                context.emit(self.name, done, entry.at, past=first)

    def _note(self, context: Context, text: str, *, ok: bool = True) -> None:
        context.emit(self.name, Done("audit", "", text, ok=ok))
