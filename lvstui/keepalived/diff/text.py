"""The lines that differ, beside what they mean."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator

from lvstui.keepalived.text.lexer import Text, decomment
from lvstui.keepalived.text.mask import masked_diff, secrets_of
from lvstui.keepalived.text.tree import Tree


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
