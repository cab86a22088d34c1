"""Configuration text that may be shown: every secret replaced, every line kept.

Two passes. The first hides what shows itself as a secret, whatever it looks like: commented-out
passwords, definitions that a password is made of, and a password wherever else it occurs. The
second keeps, of every line, only what `lvstui.keepalived.text.shown` allows at its place. Line
numbers stay, so that places still point at the right line.
"""

from __future__ import annotations

import difflib
import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lvstui.keepalived.keywords import SECRET_KEYWORDS
from lvstui.keepalived.text.allowed import allowed
from lvstui.keepalived.text.lexer import Text, decomment, strip
from lvstui.keepalived.text.parser import parse_bytes
from lvstui.keepalived.text.shown import MASK
from lvstui.keepalived.text.tree import Tree
from lvstui.model.text import plain

SHORTEST = 4
"""Bytes of a value that is looked for elsewhere: a shorter one is in any text."""

_WORD = rb"(?<![A-Za-z0-9])"
_SECRET = re.compile(
    # Anywhere, in comments too.
    _WORD + rb"(?:auth_pass(?:word)?|password|passwd|passphrase)(?![A-Za-z0-9])\"?[\s=:]*"
    # Assigned, as in a script's arguments or the query of a path.
    rb"|" + _WORD + rb"[A-Za-z0-9_-]*(?:pass|secret|token|key|pwd|pw)[=:]\s*"
    # `key` is too common a word to be one anywhere but in front.
    rb"|(?:^|[{}#!])[\s#!]*(?:@\S+\s+)?\"?key\"?(?:\s+|$)",
    re.IGNORECASE,
)
_CLOSING = re.compile(rb"\s+(?:\}\s*)+$")
_DEFINITION = re.compile(rb"[\s#!]*(?:@\S*\s+)?\$([A-Za-z_][A-Za-z0-9_]*)=")
_USE = re.compile(rb"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_REPETITION = re.compile(rb"[\s#!]*(?:@\S*\s+)?~(?:LST|SEQ)")
_SECRETIVE = re.compile(rb"pass|secret|auth|token|key|pw", re.IGNORECASE)
_VALUE = re.compile(rb"[\"']?([^\s\"'{}$#!&;]+)")
_KEYWORD = re.compile(rb"\s*(?:@\S*\s+)?([a-z_]+)(?![^\s{}])")
_LISTED = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")
_MAX_ROUNDS = 20
TELLING = re.compile(rb"(?i)pass|secret|token|key|pwd|pw[=:]|[$~]")
"""Without any of these no line of a file asks for a secret, defines one or repeats one."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What has to be hidden beside what shows by itself. Never shown or kept."""

    names: frozenset[bytes] = frozenset()
    """Definitions that a secret is made of."""
    keywords: frozenset[bytes] = frozenset()
    """Definitions that stand for a keyword before a secret."""
    values: frozenset[bytes] = field(default=frozenset(), repr=False)
    """Passwords; hidden wherever they occur."""

    def __or__(self, other: Secrets) -> Secrets:
        return Secrets(
            self.names | other.names, self.keywords | other.keywords, self.values | other.values
        )


def secrets_of(tree: Tree) -> Secrets:
    """What `tree` knows of its secrets, over all of its files."""
    found = _defined(line for file in tree.files for line in file.lines)
    values: set[bytes] = set()
    for statement in tree.walk():
        words = statement.words
        if words[0] in SECRET_KEYWORDS:
            values.update(words[1:])
        elif b"auth_pass" in words[:-1]:
            values.add(words[words.index(b"auth_pass") + 1])
    long = frozenset(value for value in values if len(value) >= SHORTEST)
    return found | Secrets(values=long)


def secrets_in(texts: Iterable[bytes | None]) -> Secrets:
    """What each of some texts, a file or None, knows of its secrets when it stands alone."""
    found = Secrets()
    for text in texts:
        if text is not None:
            found |= secrets_of(parse_bytes(text))
    return found


def mask(data: bytes, known: Secrets | None = None) -> bytes:
    """`data`, the bytes of one file, with every secret replaced by `MASK`; as many lines as before.

    `known` (from `secrets_of`) helps where a definition of one file makes a password of another.
    """
    lines = data.split(b"\n")
    here = _defined(lines) if TELLING.search(data) else Secrets()
    if known is not None:
        here |= known
    if here != Secrets() or TELLING.search(data):
        lines = list(_masked(lines, here))
    return b"\n".join(allowed(lines))


def mask_all(files: Mapping[str, bytes], known: Secrets | None = None) -> dict[str, bytes]:
    """Several files of one configuration: a definition of one hides what another makes of it."""
    together = _defined(line for data in files.values() for line in data.split(b"\n"))
    if known is not None:
        together |= known
    return {path: mask(data, together) for path, data in files.items()}


def masked_lines(tree: Tree) -> dict[str, dict[int, bytes]]:
    """By path and line: the lines that hold a secret, as they may be shown."""
    hidden = mask_all({file.path: file.data for file in tree.files}, secrets_of(tree))
    return {
        file.path: {
            number: safe
            for number, (line, safe) in enumerate(
                zip(file.lines, hidden[file.path].split(b"\n"), strict=True), 1
            )
            if line != safe
        }
        for file in tree.files
    }


def _defined(lines: Iterable[bytes]) -> Secrets:
    """The definitions that lead to a secret, by their names, whatever the order, and the secrets
    that stand where one is expected."""
    values: set[bytes] = set()
    definitions: dict[bytes, list[bytes]] = {}
    used: set[bytes] = set()
    repeated: list[bytes] = []
    name = b""
    for line in lines:
        match = _DEFINITION.match(line)
        if match:
            name = match[1]
            definitions.setdefault(name, []).append(line[match.end() :])
        elif name:
            definitions[name].append(line)
        if _REPETITION.match(line):
            repeated.append(line)
        if not line.rstrip().endswith(b"\\"):
            name = b""
        found = _SECRET.search(line)
        if found:
            used.update(_USE.findall(line[found.end() :]))
            value = _VALUE.match(line, found.end())
            # In prose what follows the word is the next word.
            if value and (b"auth_pass" in found[0] or not 0 <= strip(line).comment < found.end()):
                values.add(value[1])
    used.update(name for name in definitions if _SECRETIVE.search(name))
    keywords = {
        name
        for name, values in definitions.items()
        if any((found := _SECRET.search(v)) and not v[found.end() :].strip() for v in values)
    }
    for _ in range(_MAX_ROUNDS):
        more = {
            inner
            for name in used
            for value in definitions.get(name, ())
            for inner in _USE.findall(value)
        } - used
        if not more:
            break
        used |= more
    long = frozenset(value for value in values if len(value) >= SHORTEST and value != MASK)
    return Secrets(frozenset(used), frozenset(keywords), long)


def _masked(lines: list[bytes], known: Secrets) -> Iterator[bytes]:
    hidden = False
    """The line before asks for a value, or is part of a definition that is a secret."""
    values = sorted(known.values, key=len, reverse=True)
    for line in lines:
        body = line.rstrip()
        tail = line[len(body) :]
        definition = _DEFINITION.match(line)
        if hidden and body.strip(b"{} \t\r\v\f"):
            hidden = body.endswith(b"\\")
            yield _blank(body) + tail
            continue
        if definition and definition[1] in known.names:
            hidden = body.endswith(b"\\")
            rest = body[definition.end() :]
            cover = (MASK if rest.strip(b"\\ \t") else b"") + (b"\\" if hidden else b"")
            yield body[: definition.end()] + cover + tail
            continue
        if _REPETITION.match(line) and _repeats_secret(line, known):
            yield line[: line.index(b"~") + 4] + MASK + tail
            hidden = False
            continue
        start = _start(body, known)
        if start >= 0:
            rest = body[start:]
            closing = _CLOSING.search(rest)
            inner = rest[: closing.start()] if closing else rest
            wanted = not inner.strip(b"{} \t\r\v\f\"'\\")
            hidden = wanted and not rest.strip(b" \t\r\v\f\"'\\")
            if not wanted:
                body = body[:start] + MASK + (closing.group().rstrip() if closing else b"")
        elif body:
            hidden = False
        yield _without(body, values) + tail


def _start(body: bytes, known: Secrets) -> int:
    """Where the first secret of a line begins; -1: there is none."""
    found = _SECRET.search(body)
    start = found.end() if found else -1
    if known.keywords and b"$" in body:
        for use in _USE.finditer(body):
            if use[1] in known.keywords and (start < 0 or use.end() < start):
                # Behind the brace of ${NAME}.
                return use.end() + (body[use.end() : use.end() + 1] == b"}")
    return start


def _repeats_secret(line: bytes, known: Secrets) -> bool:
    names = set(_LISTED.findall(line.partition(b",")[0].partition(b"(")[2]))
    return bool(names & known.names) or (
        _SECRET.search(line) is not None or bool(set(_USE.findall(line)) & known.keywords)
    )


def _blank(body: bytes) -> bytes:
    """A line that is wholly secret, with its indentation and its continuation."""
    indent = body[: len(body) - len(body.lstrip())]
    return indent + MASK + (b"\\" if body.endswith(b"\\") else b"")


def _without(body: bytes, values: list[bytes]) -> bytes:
    """`body` without known passwords where no rule knows them: in comments, in arguments. Its
    keyword stays, whatever the password is."""
    if not any(value in body for value in values):
        return body
    comment, keyword = strip(body).comment, _KEYWORD.match(body)
    kept = keyword is not None and keyword[1] not in values and not 0 <= comment < keyword.end()
    at = keyword.end() if keyword is not None and kept else 0
    part = body[at:]
    for value in values:
        part = part.replace(value, MASK)
    return body[:at] + part


def masked_diff(before: bytes | None, after: bytes | None, path: str, known: Secrets) -> str:
    """Unified diff of one file as it may be shown; empty when nothing differs.

    `known`: what the other files know, and what was loaded before; both texts add their own, so
    that a password that goes is hidden where the new text still speaks of it. None stands for a
    file that is not there. When only a secret differs, one line says so.
    """
    if before == after:
        return ""
    for text in (before, after):
        if text is not None:
            known |= _defined(text.split(b"\n"))
    old = [] if before is None else _shown(mask(before, known))
    new = [] if after is None else _shown(mask(after, known))
    name = plain(path, 500)
    lines = list(
        difflib.unified_diff(
            old,
            new,
            "/dev/null" if before is None else name,
            "/dev/null" if after is None else f"{name} (new)",
            lineterm="",
        )
    )
    if not lines:
        return f"--- {name}\n+++ {name} (new)\n(only what is hidden or invisible differs)\n"
    return "\n".join(lines) + "\n"


def _shown(data: bytes) -> list[str]:
    lines = data.split(b"\n")
    ended = not lines[-1]
    shown = [plain(line.rstrip(b"\r"), 2000) for line in (lines[:-1] if ended else lines)]
    if not ended:
        shown[-1] += "  (no newline at the end)"
    return shown


def text_diff(before: Tree, after: Tree) -> str:
    """Unified diff of all files, secrets masked. Against the daemon's copy, which has no comments,
    only what means something is compared."""
    bare = before.consolidated or after.consolidated
    old, new = _texts(before, bare), _texts(after, bare)
    known = secrets_of(before) | secrets_of(after)
    return "".join(
        masked_diff(old.get(name), new.get(name), name, known)
        for name in dict.fromkeys((*old, *new))
    )


def _texts(tree: Tree, bare: bool) -> dict[str, bytes]:
    """The files by their path from the main file's folder; the main file is always the same."""
    if not tree.files:
        return {}
    folder = posixpath.dirname(tree.files[0].path)
    found: dict[str, bytes] = {}
    for number, file in enumerate(tree.files):
        name = os.path.relpath(file.path, folder) if number else "keepalived.conf"
        found[name] = b"".join(_bare(file.lines)) if bare else file.data
    return found


def _bare(lines: tuple[bytes, ...]) -> Iterator[bytes]:
    """Lines as the daemon keeps them: without comments, blanks around, and includes."""
    for line in lines:
        data = decomment(Text(line.rstrip(b"\r")))[0].data
        if data and not data.startswith(b"include"):
            yield data + b"\n"
