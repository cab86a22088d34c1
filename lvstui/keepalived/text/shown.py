"""Statements as text that may be shown: no password, no arguments of a script."""

from __future__ import annotations

from lvstui.keepalived.keywords import SECRET_KEYWORDS, Keyword, ValueKind
from lvstui.keepalived.text.mask import MASK, mask
from lvstui.keepalived.text.tree import Statement
from lvstui.keepalived.text.values import script_path
from lvstui.model.text import plain

HIDDEN = MASK.decode()
_PAYLOADS = frozenset((b"payload", b"digest", b"regex"))
_LIMIT = 160


def value_of(statement: Statement, keyword: Keyword | None, entry: bool = False) -> str:
    """What stands behind its keyword, harmless; an entry of a value block as a whole.

    `keyword` is what the schema says of it at its place. Unless it is known there nothing is
    shown: it may be a password that a brace or a missing quote brought there.
    """
    words = statement.words
    if entry:
        return plain(mask(b" ".join(words)), _LIMIT)
    if len(words) < 2:
        return ""
    if keyword is None or keyword.secret or words[0] in SECRET_KEYWORDS | _PAYLOADS:
        return HIDDEN
    if keyword.runs or keyword.kind is ValueKind.PROCESS:
        path = script_path(statement)
        more = len(words) > 2 or (len(words) == 2 and b" " in words[1].strip())
        return f"{path} …" if more else path
    if words[0] == b"path":
        bare, query, _ = plain(words[1], _LIMIT).partition("?")
        return bare + ("?…" if query else "")
    return plain(mask(b" ".join(words)).partition(b" ")[2], _LIMIT)
