"""Source `audit`: what operators did with lvstui on this host, from its audit log.

One JSON object a line, appended by `lvstui.operations.audit`. Reading it back lets every session
show who drained a server and why, also after lvstui was closed.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from lvstui.model.facts import Done, Missing
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.text import plain
from lvstui.privileges import sees_all
from lvstui.sources.base import Context

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
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "lvstui" / "audit.jsonl"


@dataclass(frozen=True, slots=True)
class Entry:
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
    service: str
    server: str
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
    """In words, where no weight says it: what is done to a real server's host."""
    v: int = 1
    """Version of this form."""


_FIELDS = frozenset(field.name for field in fields(Entry))


def parse(line: str) -> Entry | None:
    """An entry, or None for a line that is not one (torn by a crash, another version)."""
    try:
        raw = json.loads(line)
        return Entry(**{key: raw[key] for key in raw if key in _FIELDS})
    except (ValueError, TypeError):
        return None


def entries(path: Path) -> Iterator[Entry]:
    """Entries in `path`, oldest first. Raises OSError."""
    with path.open("rb") as stream:
        stream.seek(0, os.SEEK_END)
        stream.seek(max(stream.tell() - MOST_BYTES, 0))
        for line in stream.read().decode("utf-8", "replace").splitlines():
            if entry := parse(line):
                yield entry


def fact(entry: Entry) -> Done | None:
    """What the picture should know of a finished step; None for one that changed nothing."""
    if entry.phase != "done" or not entry.ok:
        return None
    if entry.text and not entry.service:
        who, label = plain(entry.who), plain(entry.name or entry.server)
        text = f"{who}: {plain(entry.operation)} on {label}: {plain(entry.text)}"
        return Done(entry.operation, who, text, reason=plain(entry.reason), id=entry.id)
    try:
        service, server = ServiceKey.parse(entry.service), ServerKey.parse(entry.server)
    except ValueError:
        return None
    name = plain(entry.name)
    label = f"{name} ({server})" if name else str(server)
    verb = {"drain": "drains", "enable": "enables", "undo": "takes back what was done to"}.get(
        entry.operation
    )
    who, reason = plain(entry.who), plain(entry.reason)
    what = f"{who} {verb} {label}" if verb else f"{who} sets the weight of {label}"
    text = f"{what} in {service}: weight {entry.before} → {entry.after}"
    if reason:
        text += f", “{reason}”"
    return Done(
        entry.operation, who, text, service, server, entry.before, entry.after, reason, entry.id
    )


class AuditTrail:
    """Pushes what is in the audit log and what is appended to it."""

    name = "audit"

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or audit_path()
        self._inode = 0
        self._offset = 0

    def run(self, context: Context) -> None:
        """Read back, then look for more every tick."""
        first = True
        while True:
            try:
                self._read(context, first)
            except FileNotFoundError:
                self._inode = self._offset = 0
            except PermissionError as error:
                context.emit(
                    self.name, Missing(self.name, f"the audit log: {error}", "sudo lvstui")
                )
                return
            first = False
            if context.wait(context.interval_s):
                return

    def _read(self, context: Context, first: bool) -> None:
        status = self._path.stat()
        if status.st_ino == self._inode and status.st_size == self._offset:
            return
        if status.st_ino != self._inode or status.st_size < self._offset:
            self._inode, self._offset = status.st_ino, max(status.st_size - MOST_BYTES, 0)
            if not first:
                self._offset = 0
        with self._path.open("rb") as stream:
            stream.seek(self._offset)
            data = stream.read()
        whole = data.rfind(b"\n") + 1
        self._offset += whole
        horizon = time.time() - BACK_S
        for line in data[:whole].decode("utf-8", "replace").splitlines():
            entry = parse(line)
            if entry is None or entry.at < horizon:
                continue
            done = fact(entry)
            if done is not None:
                context.emit(self.name, done, entry.at, past=first)
