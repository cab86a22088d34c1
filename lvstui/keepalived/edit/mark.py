"""The comment that says that a real server is off on purpose, and how it is written."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from lvstui.keepalived.edit.change import RefusedEdit
from lvstui.keepalived.edit.style import LINE_LIMIT, comment_text
from lvstui.keepalived.text.mark import MARK, REASON_LIMIT, TIME, mark_of
from lvstui.keepalived.text.tree import Statement
from lvstui.model.text import plain


def mark_text(by: str, at: datetime, was: bytes, reason: str, used: int) -> bytes:
    """A mark with the blank before it, for a line that holds `used` bytes; the reason is cut to
    what the line has room for."""
    owner = re.sub(rb'[\s"]+', b"_", comment_text(by)[:64].replace(b"#", b"")) or b"somebody"
    stamp = at.astimezone(timezone.utc).strftime(TIME).encode()
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
