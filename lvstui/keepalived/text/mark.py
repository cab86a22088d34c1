"""The comment that says that a real server is off on purpose, and how it is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone

from lvstui.keepalived.text.lexer import strip
from lvstui.keepalived.text.tree import Provenance, Statement

MARK = b"# lvstui: disabled by "
UNSET = b"unset"
REASON_LIMIT = 200
"""Characters of a reason that are kept."""

_MARKED = re.compile(
    rb" " + re.escape(MARK) + rb"([^\s\"]+) (\d{4}-\d\d-\d\dT\d\d:\d\dZ)"
    rb" was (unset|\"?\+?\d{1,20}\"?)(?:: ([^\r\n]*))?\Z"
)
TIME = "%Y-%m-%dT%H:%MZ"


@dataclass(frozen=True, slots=True)
class DisabledMark:
    """A mark as it is written."""

    start: int
    """Offset in its line of the blank before it."""
    by: bytes
    at: datetime
    was: bytes
    """The weight as it was written, or `UNSET`."""
    reason: bytes


def mark_of(line: Statement) -> DisabledMark | None:
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
        at = datetime.strptime(stamp.decode(), TIME).replace(tzinfo=timezone.utc)
    except ValueError:
        return None
    return DisabledMark(start, by, at, was, reason or b"")
