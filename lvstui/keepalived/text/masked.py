"""A whole configuration as it may be shown."""

from __future__ import annotations

from lvstui.keepalived.text.mask import mask_all, secrets_of
from lvstui.keepalived.text.tree import Tree


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
