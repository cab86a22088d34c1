"""A real server switched off on purpose, in the file: it lasts over reloads and restarts, both
directors see it, and enabling gives back exactly what was there.

    weight 0 # lvstui: disabled by alice 2026-11-24T21:50Z was 10: disk swap

The mark is the last thing on the line of the weight; a comment that stood there stays before it.
`was unset` marks a line that was not there at all. The typed view reads the mark back
(`ConfiguredServer.disabled`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone

from lvstui.keepalived.edit.change import Change, RefusedEdit
from lvstui.keepalived.edit.find import (
    FoundServer,
    effective,
    ensure_editable,
    find_server,
    given_by,
    only_for,
)
from lvstui.keepalived.edit.servers import without
from lvstui.keepalived.edit.style import LINE_LIMIT, NewLine, child_indent, comment_text
from lvstui.keepalived.edit.tree_writer import TreeWriter, end_of
from lvstui.keepalived.edit.values import place_for
from lvstui.keepalived.text.lexer import strip
from lvstui.keepalived.text.mark import MARK, REASON_LIMIT, TIME, UNSET, mark_of
from lvstui.keepalived.text.tree import Statement, Tree
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.text import plain

_VALUE = re.compile(rb'"?\+?\d{1,20}"?')


@dataclass(frozen=True, slots=True)
class Disable:
    """Weight 0 for a real server, with who, when and why beside it. The last server that has a
    weight is refused unless `last_allowed`."""

    service: ServiceKey
    server: ServerKey
    by: str
    at: datetime
    """With its zone."""
    reason: str = ""
    last_allowed: bool = False

    def on(self, tree: Tree) -> Change:
        found = find_server(tree, self.service, self.server)
        line = effective(found.block, b"weight")
        if line is not None and (mark := mark_of(line)) is not None:
            raise RefusedEdit(line.place, f"it is disabled already, by {plain(mark.by, 40)}")
        if found.server.weight == 0:
            raise RefusedEdit(
                found.server.weight_place or found.server.place,
                "its weight is 0 already: enabling would not bring it back",
                "set a weight first",
            )
        caution = without(found, self.last_allowed)
        pen = TreeWriter(tree)
        if line is None:
            _insert(pen, found, self.by, self.at, self.reason)
        else:
            _replace(pen, line, self.by, self.at, self.reason)
        where = only_for(line, found.whom)
        title = f"disable {found.whom}{where}: weight {found.server.weight} → 0"
        return pen.change(title, *found.cautions, caution)


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


def _insert(pen: TreeWriter, found: FoundServer, by: str, at: datetime, reason: str) -> None:
    after = place_for(pen.tree, found.block, b"weight")
    anchor = after or found.block.opening
    assert anchor is not None
    data = pen.data(found.block.header.file)
    end = end_of(anchor)
    stop = data.find(b"\n", end)
    rest = strip(data[end : len(data) if stop < 0 else stop].rstrip(b"\r"))
    if rest.end > rest.start:
        # A line that is broken for the mark could not be put together again byte for byte.
        why = "the real server is written on one line and has no weight"
        raise RefusedEdit(found.block.place, why, "set a weight or break the line first")
    used = len(child_indent(pen.tree, found.block)) + len(found.block.header.condition) + 20
    mark = mark_text(by, at, UNSET, reason, used)
    pen.insert(found.block, [NewLine((b"weight", b"0"))], after, suffix=mark)


def _replace(pen: TreeWriter, line: Statement, by: str, at: datetime, reason: str) -> None:
    ensure_editable(pen.tree, line)
    if len(line.words) < 2 or (span := line.word(1).span) is None:
        raise given_by(pen.tree, line, 1)
    data = pen.data(line.file)
    value = data[span[0] : span[1]]
    if not _VALUE.fullmatch(value):
        raise RefusedEdit(line.place, "its weight is written in a way that can not be kept")
    raw = line.file.lines[line.line - 1].rstrip(b"\r")
    _alone(pen.tree, line)
    pen.set_words(line, 1, b"0")
    end = line.line_start + len(raw)
    pen.edit(line.file, end, end, mark_text(by, at, value, reason, len(raw)))


def _alone(tree: Tree, line: Statement) -> None:
    """Raises RefusedEdit when the physical line holds another real server's weight too."""
    weights = [
        found
        for found in tree.walk()
        if found.line == line.line and found.file is line.file and found.words[0] == b"weight"
    ]
    if len(weights) > 1:
        why = "another weight stands on the same line: a mark could mean either"
        raise RefusedEdit(line.place, why, "break the line first")


@dataclass(frozen=True, slots=True)
class Enable:
    """`Disable` taken back: the weight as it was written, or none, and no mark. Refused without a
    mark, and when the weight was changed since."""

    service: ServiceKey
    server: ServerKey

    def on(self, tree: Tree) -> Change:
        found = find_server(tree, self.service, self.server)
        line = effective(found.block, b"weight")
        mark = None if line is None else mark_of(line)
        if line is None or mark is None:
            raise RefusedEdit(found.block.place, "it is not disabled", "set its weight")
        ensure_editable(tree, line)
        if found.server.weight != 0:
            why = f"its weight was set to {found.server.weight} by hand: it serves already"
            raise RefusedEdit(line.place, why, "remove the comment by hand")
        pen = TreeWriter(tree)
        where = only_for(line, found.whom)
        if mark.was == UNSET:
            pen.remove(line)
            back = "as the virtual server says"
        else:
            raw = line.file.lines[line.line - 1].rstrip(b"\r")
            span = line.word(1).span
            if span is None:
                raise given_by(tree, line, 1)
            pen.exchange(line, 1, mark.was)
            pen.edit(line.file, line.line_start + mark.start, line.line_start + len(raw), b"")
            back = mark.was.strip(b'"+').decode()
        return pen.change(f"enable {found.whom}{where}: weight 0 → {back}", *found.cautions)
