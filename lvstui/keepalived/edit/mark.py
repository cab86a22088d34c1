"""The comment that says that a real server is off on purpose, and how it is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone

from lvstui.keepalived.edit.change import RefusedEdit
from lvstui.keepalived.edit.style import LINE_LIMIT, comment_text
from lvstui.keepalived.lexer import strip
from lvstui.keepalived.tree import Provenance, Statement
from lvstui.model.text import plain

MARK = b"# lvstui: disabled by "
UNSET = b"unset"
REASON_LIMIT = 200
"""Characters of a reason that are kept."""

_MARKED = re.compile(
    rb" " + re.escape(MARK) + rb"([^\s\"]+) (\d{4}-\d\d-\d\dT\d\d:\d\dZ)"
    rb" was (unset|\"?\+?\d{1,20}\"?)(?:: ([^\r\n]*))?\Z"
)
_TIME = "%Y-%m-%dT%H:%MZ"


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark as it is written."""

    start: int
    """Offset in its line of the blank before it."""
    by: bytes
    at: datetime
    was: bytes
    """The weight as it was written, or `UNSET`."""
    reason: bytes


def mark_of(line: Statement) -> Mark | None:
    """The mark on the line of a weight; None when there is none."""
    if line.provenance is Provenance.REPEATED:
        return None
    raw = line.file.lines[line.line - 1].rstrip(b"\r")
    start = raw.rfind(b" " + MARK)
    if start < 0 or not 0 <= strip(raw).comment <= start + 1:
        return None
    match = _MARKED.match(raw, start)
    if match is None:
        return None
    by, stamp, was, reason = match.groups()
    try:
        at = datetime.strptime(stamp.decode(), _TIME).replace(tzinfo=timezone.utc)
    except ValueError:
        return None
    return Mark(start, by, at, was, reason or b"")


def mark_text(by: str, at: datetime, was: bytes, reason: str, used: int) -> bytes:
    """A mark with the blank before it, for a line that holds `used` bytes; the reason is cut to
    what the line has room for."""
    owner = re.sub(rb'[\s"]+', b"_", comment_text(by)[:64].replace(b"#", b"")) or b"somebody"
    stamp = at.astimezone(timezone.utc).strftime(_TIME).encode()
    head = b" " + MARK + owner + b" " + stamp + b" was " + was
    # A mark within a reason could be taken for the mark itself.
    text = comment_text(reason[:REASON_LIMIT]).replace(MARK.rstrip(), b"disabled by")
    room = LINE_LIMIT - used - len(head) - 2
    text = text[: max(0, room)].decode("utf-8", "ignore").encode().rstrip(b"\\ ")
    return head + (b": " + text if text else b"")


def ensure_unmarked(line: Statement) -> None:
    """Raises RefusedEdit when the real server of this weight is disabled: its mark would lie."""
    mark = mark_of(line) if line.words[0] == b"weight" else None
    if mark is not None:
        raise RefusedEdit(line.place, f"it is disabled by {plain(mark.by, 40)}", "enable it first")
