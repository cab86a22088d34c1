"""A file for a text editor without its secrets: each becomes a placeholder, put back on saving.

An operator can move or delete a line with a placeholder, or write a new secret in its place; he
never has to see the old one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lvstui.keepalived.text.mask import Secrets, mask
from lvstui.keepalived.text.shown import MASK


@dataclass(frozen=True, slots=True)
class Redacted:
    """A file as it may be edited."""

    text: bytes
    secrets: dict[bytes, bytes] = field(repr=False)
    """Placeholder to what it stands for."""


class LostSecret(ValueError):
    """A placeholder was changed by hand: what it stood for cannot be told. `str()` is one line."""


def veil(data: bytes, known: Secrets | None = None) -> Redacted:
    """`data` with a placeholder for every secret. `known` as for `mask`."""
    word = b"secret"
    while b"<" + word + b"-" in data:
        # The file itself speaks of such things.
        word += b"x"
    found: dict[bytes, bytes] = {}
    lines = []
    for line, safe in zip(data.split(b"\n"), mask(data, known).split(b"\n"), strict=True):
        lines.append(line if line == safe else _veiled(line, safe, word, found))
    return Redacted(b"\n".join(lines), {name: value for value, name in found.items()})


def _veiled(line: bytes, safe: bytes, word: bytes, found: dict[bytes, bytes]) -> bytes:
    pattern = b"(.*?)".join(map(re.escape, safe.split(MASK)))
    match = re.fullmatch(pattern, line, re.DOTALL)
    # The mask adds a brace or blank at times: then the line is one secret, blanks before it apart.
    values = [line.lstrip()] if match is None else list(match.groups())
    pieces = [line[: len(line) - len(line.lstrip())], b""] if match is None else safe.split(MASK)
    result = pieces[0]
    for value, after in zip(values, pieces[1:], strict=True):
        name = found.setdefault(value, b"<%s-%d>" % (word, len(found) + 1))
        result += name + after
    return result


def unveil(text: bytes, veiled: Redacted) -> bytes:
    """`text` with every placeholder replaced by what it stands for.

    Raises LostSecret for one that stands for nothing: written into the file it would become the
    password.
    """
    names = sorted(veiled.secrets, key=len, reverse=True)
    if names:
        text = re.sub(b"|".join(map(re.escape, names)), lambda m: veiled.secrets[m.group()], text)
        word = names[0].split(b"-")[0]
        for number, line in enumerate(text.split(b"\n"), 1):
            if re.search(re.escape(word) + rb"-?\d*", line):
                raise LostSecret(
                    f"line {number}: a placeholder that stands for no secret; "
                    "write the new secret, or the placeholder as it was"
                )
    return text


def editable(data: bytes) -> str:
    """Why an editor within a terminal cannot show that file as it is; empty when it can."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return "it is not UTF-8"
    bare = text.replace("\r\n", "\n")
    if any(not char.isprintable() and char not in "\n\t" for char in bare):
        return "it holds control characters"
    if "\r\n" in text and bare.count("\n") != text.count("\r\n"):
        return "its lines end in different ways"
    return ""
