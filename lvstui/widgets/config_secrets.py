"""What of a configuration is never shown: passwords, wherever they were written.

Three nets, because any one has holes: words that announce a secret on the same line, comments
too; lines inside of blocks that hold secrets; and the secrets themselves, once known, wherever
else they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lvstui.keepalived.digest import SECRET_KEYWORDS
from lvstui.keepalived.lexer import strip
from lvstui.keepalived.schema import KNOWN_WORDS
from lvstui.keepalived.tree import Block, Node, SourceFile, Statement, Tree

MASK = "••••"
"""Stands for every secret, however long it is."""

_BLOCKS = (b"authentication", b"auth_hmac", b"SSL")
_HARMLESS = frozenset(
    (b"auth_type", b"active_key", b"time_window", b"anti_replay", b"mode", b"ca", b"certificate",
     b"{", b"}", *_BLOCKS)
)  # fmt: skip
"""First words of lines in such a block that hold no secret."""
_LEAST = 4
"""Bytes of a secret that is looked for in other places; shorter ones are in every line."""

_ANYWHERE = re.compile(rb"\bauth_pass\b[\"' \t:=]*(?=[^\"' \t:=])")
_LEADING = re.compile(rb"[ \t]*(?:[#!]+[ \t]*)*(?:@\S+[ \t]+)?[{} \t]*\"?(?:key|password)\"?[ \t]+")
_SPOKEN = re.compile(
    rb"(?i)\b(?:(?:password|passwd|passphrase|secret|credentials?)\b[ \t]*(?:is\b|[:=])?"
    rb"|(?:pass|pw|token|auth)\b[ \t]*(?:is\b|[:=]))[ \t]*(?=\S)"
)
_OPTION = re.compile(
    rb"(?i)(?:--?(?:password|passwd|pass|secret|token|auth)[= \t]+|\b(?:password|passwd|secret|"
    rb"token)=)([^ \t]+)"
)
_ADDRESS = re.compile(rb"://[^/:@ \t]*:([^@ \t]+)@")
_DEFINED = re.compile(rb"[ \t]*(?:@\S+[ \t]+)?\$([A-Za-z0-9_]+)[ \t]*=[ \t]*")
_USED = re.compile(
    rb"(?m)(?:\bauth_pass\b|^[ \t]*(?:@\S+[ \t]+)?(?:key|password)\b)[^\n]*?\$\{?[A-Za-z0-9_]"
    rb"[^\n]*"
)
_NAME = re.compile(rb"\$\{?([A-Za-z0-9_]+)")


@dataclass(frozen=True, slots=True)
class Secrets:
    """What is known about the secrets of one configuration. Never printed."""

    _lines: frozenset[tuple[str, int]] = frozenset()
    _names: frozenset[bytes] = frozenset()
    _anywhere: re.Pattern[bytes] | None = None
    _in_comments: re.Pattern[bytes] | None = None

    def __repr__(self) -> str:
        return "Secrets(…)"

    def spans(self, line: bytes, path: str = "", number: int = 0) -> list[tuple[int, int]]:
        """Offsets in `line`, which is line `number` of the file at `path`, that must not be seen;
        sorted, none overlaps another."""
        found = list(self._spans(line, path, number))
        found.sort()
        merged: list[tuple[int, int]] = []
        for start, end in found:
            if start >= end:
                continue
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return merged

    def _spans(self, line: bytes, path: str, number: int) -> Iterator[tuple[int, int]]:
        end = len(line.rstrip())
        for match in _ANYWHERE.finditer(line):
            yield match.end(), end
        leading = _LEADING.match(line)
        if leading is not None:
            yield leading.end(), end
        defined = _DEFINED.match(line)
        if defined is not None and defined.group(1) in self._names:
            yield defined.end(), end
        for pattern in (_OPTION, _ADDRESS):
            for match in pattern.finditer(line):
                yield match.span(1)
        parts = strip(line)
        if parts.comment >= 0:
            spoken = _SPOKEN.search(line, parts.comment)
            if spoken is not None:
                yield spoken.end(), end
            if self._in_comments is not None:
                for match in self._in_comments.finditer(line, parts.comment):
                    yield match.span()
        if self._anywhere is not None:
            for match in self._anywhere.finditer(line):
                yield match.span()
        if (path, number) in self._lines:
            body = line[parts.start : parts.end].split()
            if body and body[0].startswith(b"@"):
                body = body[1:]
            # Behind such a keyword all is hidden already; the keyword itself may be seen.
            if body and body[0] not in _HARMLESS and body[0] not in SECRET_KEYWORDS:
                yield parts.start, parts.end
            if parts.comment >= 0:
                bare = line[parts.comment :].lstrip(b"#! \t")
                yield end - len(bare.rstrip()), end


def find_secrets(tree: Tree) -> Secrets:
    """The secrets of `tree`: walks through all that can hold any, so call it in a thread."""
    lines: set[tuple[str, int]] = set()
    values: set[bytes] = set()
    for node in tree.root:
        _collect(node, lines, values)
    names: set[bytes] = set()
    for file in tree.files:
        names |= _names_in(file)
    for file in tree.files if names else ():
        values |= _defined_in(file, names)
    known = {value for value in values if len(value) >= _LEAST}
    common = {value for value in known if value.isdigit() or value in KNOWN_WORDS}
    return Secrets(frozenset(lines), frozenset(names), _any_of(known - common), _any_of(common))


def _collect(node: Node, lines: set[tuple[str, int]], values: set[bytes]) -> None:
    if isinstance(node, Statement):
        if node.words[0] in SECRET_KEYWORDS:
            values.update(node.words[1:])
            lines.add((node.file.path, node.line))
        return
    if node.keyword in _BLOCKS:
        _inside(node, lines, values)
        return
    if node.keyword == b"virtual_server":
        # Nothing in it can be a secret to keepalived, and there may be a million lines of it.
        return
    for child in node.children:
        _collect(child, lines, values)


def _inside(block: Block, lines: set[tuple[str, int]], values: set[bytes]) -> None:
    last = block.closing
    for child in block.children:
        if isinstance(child, Block):
            _inside(child, lines, values)
        elif child.words[0] not in _HARMLESS:
            values.update(child.words[1:])
    path = block.header.file.path
    end = last.line if last is not None and last.file.path == path else block.header.line
    lines.update((path, number) for number in range(block.header.line + 1, end + 1))
    for child in block.children:
        if isinstance(child, Statement):
            lines.add((child.file.path, child.line))


def _names_in(file: SourceFile) -> set[bytes]:
    names: set[bytes] = set()
    for line in file.lines:
        if b"$" in line:
            for used in _USED.finditer(line):
                names.update(_NAME.findall(used.group()))
    return names


def _defined_in(file: SourceFile, names: set[bytes]) -> set[bytes]:
    found: set[bytes] = set()
    for line in file.lines:
        match = _DEFINED.match(line) if b"$" in line else None
        if match is not None and match.group(1) in names:
            found.update(line[match.end() :].split())
    return found


def _any_of(values: Iterable[bytes]) -> re.Pattern[bytes] | None:
    longest = sorted(values, key=lambda value: (-len(value), value))
    if not longest:
        return None
    return re.compile(rb"(?<![A-Za-z0-9_])(?:" + b"|".join(map(re.escape, longest))
                      + rb")(?![A-Za-z0-9_])")  # fmt: skip
