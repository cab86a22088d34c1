"""One number for what a configuration means.

Over the words of every logical statement in order, so comments, spacing, quoting, includes and
definitions do not count. Secrets enter as 16 bits each: a changed one is noticed, and a digest
that was recorded or sent says next to nothing about it.
"""

from __future__ import annotations

import hashlib

from lvstui.keepalived.keywords import SECRET_KEYWORDS
from lvstui.keepalived.text.lazy import LazyBlock
from lvstui.keepalived.text.tree import Statement


def _mark(word: bytes) -> bytes:
    return hashlib.sha256(b"lvstui\0" + word).hexdigest()[:4].encode()


class Digest:
    """Collects statements; `value()` is their digest in hexadecimal."""

    __slots__ = ("_parts", "_secret", "_value")

    def __init__(self) -> None:
        self._parts: list[bytes | LazyBlock] = []
        self._value = ""
        self._secret: tuple[str, int] | None = None

    def add(self, statement: Statement) -> None:
        """Take up the next statement."""
        words = statement.words
        if words[0] in SECRET_KEYWORDS:
            self._secret = (statement.file.path, statement.line)
            words = (words[0], *map(_mark, words[1:]))
        elif len(words) > 2 and b"auth_pass" in words:
            at = words.index(b"auth_pass") + 1
            words = (*words[:at], *map(_mark, words[at:]))
        elif (
            not statement.leading
            and self._secret == (statement.file.path, statement.line)
            and words[0] not in (b"{", b"}")
        ):
            # An unquoted brace cuts a password in two: the rest is part of it.
            words = tuple(map(_mark, words))
        self._parts.append(b"\0".join(words))

    def add_folded(self, block: LazyBlock) -> None:
        """Take up a whole block; its words are asked for when the value is."""
        self._parts.append(block)

    def value(self) -> str:
        """SHA-256 in hexadecimal over everything, once all of it was added."""
        if not self._value:
            lines: list[bytes] = []
            for part in self._parts:
                if isinstance(part, bytes):
                    lines.append(part)
                else:
                    lines += map(b"\0".join, part.words())
            self._value = hashlib.sha256(b"\n".join(lines)).hexdigest()
            self._parts.clear()
        return self._value
