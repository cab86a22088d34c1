"""Which words of a configuration are secrets, so that foreign messages can be shown.

Not what `lvstui.keepalived.text.mask` knows: that hides a value where the text of a configuration
has one, this finds the same words, whole or in pieces, wherever keepalived repeats them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lvstui.keepalived.keywords import KNOWN_WORDS, SECRET_BLOCKS, SECRET_KEYWORDS
from lvstui.keepalived.text.lexer import strip
from lvstui.keepalived.text.mask import mask_all, secrets_of
from lvstui.keepalived.text.shown import shows
from lvstui.keepalived.text.tree import Block, Node, Tree
from lvstui.model.text import plain

HIDDEN = "…"

_PIECES = re.compile(rb"[^\s\"'{}#!]+")
_PIECE_OF_TEXT = re.compile(r"[^\s\"'{}#!]+")
_PARTS = re.compile(rb"[A-Za-z0-9]{4,}")
_TELLING = 4
"""Characters from which a secret is looked for within other words."""
_QUOTED = re.compile(r"'[^']*'|`[^`]*`|\"[^\"]*\"")
_RAW_LINE = re.compile(r"^(?:Unterminated quote|Unmatched quote:|String) (?=')|definition '")
_TOKEN = re.compile(r"[^\s'`\"\[\](),;]+")
_PLAIN = re.compile(r"[{}]|\d{1,3}|[A-Za-z0-9.:/_-]+\.conf|[0-9a-fA-F.:/]+|\*+")


@dataclass(frozen=True, slots=True)
class SecretWords:
    """The secrets of one configuration. Never shown, never kept longer than needed."""

    words: frozenset[str]
    lines: frozenset[tuple[str, int]]
    """File and number of every line that holds one, or may hold the rest of one."""

    def __repr__(self) -> str:
        return f"SecretWords({len(self.words)} words)"

    def mask(self, text: str, where: tuple[str, int] | None) -> str:
        """A message about a configuration without anything that may be a secret.

        `where` is the file and line that it is about, None when it says none.
        """
        text = plain(text, 400)
        if match := _RAW_LINE.search(text):
            # The whole line follows, quotes and all.
            return text[: match.end()].rstrip(" '") + f" '{HIDDEN}'"
        secretive = where in self.lines
        text = _QUOTED.sub(lambda found: self._quoted(found.group(), secretive), text)
        for secret in sorted(self.words, key=len, reverse=True):
            if len(secret) >= _TELLING and secret in text:
                text = text.replace(secret, HIDDEN)
        return _TOKEN.sub(self._token, text)

    def _quoted(self, text: str, secretive: bool) -> str:
        inner = text[1:-1]
        if self._holds(inner) or (
            secretive and not _known(inner) and _PLAIN.fullmatch(inner) is None
        ):
            return f"{text[0]}{HIDDEN}{text[-1]}"
        return text

    def _token(self, match: re.Match[str]) -> str:
        return HIDDEN if self._holds(match.group()) else match.group()

    def _holds(self, text: str) -> bool:
        """Whether `text` is a secret, or holds a piece of one."""
        if _known(text):
            return False
        return text in self.words or any(
            piece in self.words for piece in _PIECE_OF_TEXT.findall(text)
        )


def _known(word: str) -> bool:
    """A keyword of keepalived says nothing, even when somebody took it for his password."""
    return word.encode("utf-8", "surrogateescape") in KNOWN_WORDS


def secret_words(tree: Tree) -> SecretWords:
    """Every word that may be a part of a password, and the lines that hold them.

    Reckless on purpose: on a line with `auth_pass` everything behind it counts, each piece that
    a stray quote, brace or comment mark may cut it into as well.
    """
    words: set[bytes] = set()
    lines: set[tuple[str, int]] = set()
    for file in tree.files:
        after = False
        for number, line in enumerate(file.lines, 1):
            if not after and not any(keyword in line for keyword in SECRET_KEYWORDS):
                continue
            pieces = _PIECES.findall(line)
            at = next((i for i, piece in enumerate(pieces) if piece in SECRET_KEYWORDS), -1)
            if at < 0 and not after:
                continue
            rest = pieces[at + 1 :] if at >= 0 else pieces
            words.update(rest)
            lines.add((file.path, number))
            # A keyword alone on its line may have its value on the next.
            after = at >= 0 and not rest
    waiting: list[tuple[Node, bool]] = [(node, False) for node in tree.root]
    while waiting:
        node, inside = waiting.pop()
        if isinstance(node, Block):
            within = inside or node.keyword in SECRET_BLOCKS
            waiting.extend((child, within) for child in node.children)
        elif node.words[0] in SECRET_KEYWORDS or inside:
            words.update(node.words[1:])
            for word in node.words[1:]:
                words.update(_PIECES.findall(word))
            lines.add((node.file.path, node.line))
    for odd, place in _hidden(tree):
        words |= odd
        lines.add(place)
    words -= KNOWN_WORDS | {b"PASS", b"AH", b""}
    # As messages show them: control characters made visible.
    return SecretWords(frozenset(plain(word, 400) for word in words), frozenset(lines))


def _hidden(tree: Tree) -> Iterator[tuple[set[bytes], tuple[str, int]]]:
    """What is not shown of the files themselves, outside comments: its words, and its line.

    A word of small letters alone would be hidden in keepalived's own sentences as well: it is
    only where the message quotes that line.
    """
    files = {file.path: file.data for file in tree.files}
    for path, safe in mask_all(files, secrets_of(tree)).items():
        pairs = zip(files[path].split(b"\n"), safe.split(b"\n"), strict=True)
        for number, (line, kept) in enumerate(pairs, 1):
            if line == kept:
                continue
            mark = strip(line).comment
            text = line[:mark] if mark >= 0 else line
            whole = set(_PIECES.findall(text)) - set(_PIECES.findall(kept))
            parts = {part for piece in whole for part in _PARTS.findall(piece)}
            odd = {word for word in whole | parts if not word.islower() and not shows(word)}
            yield odd, (path, number)
