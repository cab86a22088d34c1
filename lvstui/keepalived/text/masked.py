"""A whole configuration as it may be shown."""

from __future__ import annotations

import re

from lvstui.keepalived.text.lexer import strip
from lvstui.keepalived.text.mask import MASK, mask_all, secrets_of
from lvstui.keepalived.text.tree import Tree

_TELLING = re.compile(rb"(?i)pass|secret|token|key|pwd|pw[=:]|[$~]")
"""Without any of these no line of a file asks for a secret, defines one or repeats one: a pool of
half a million lines need not be looked at one by one."""


def masked_lines(tree: Tree) -> dict[str, dict[int, bytes]]:
    """By path and line: the lines that hold a secret, as they may be shown."""
    files = {file.path: file.data for file in tree.files}
    result: dict[str, dict[int, bytes]] = {path: {} for path in files}
    if not any(_TELLING.search(data) for data in files.values()):
        return result
    known = secrets_of(tree)
    telling = {
        path: data
        for path, data in files.items()
        if _TELLING.search(data) or any(value in data for value in known.values)
    }
    hidden = mask_all(telling, known)
    for file in tree.files:
        if file.path not in hidden:
            continue
        lines = hidden[file.path].split(b"\n")
        result[file.path] = {
            number: safe
            for number, (line, safe) in enumerate(zip(file.lines, lines, strict=True), 1)
            if line != safe
        }
    # A comment within such a block is about a password more often than not.
    for node in tree.blocks(b"vrrp_instance", b"SSL"):
        for block in (node, *node.blocks(b"authentication", b"auth_hmac")):
            if block.keyword == b"vrrp_instance" or block.closing is None:
                continue
            file = block.header.file
            if block.closing.file is file:
                for number in range(block.header.line + 1, block.closing.line):
                    mark = strip(file.lines[number - 1]).comment
                    if mark >= 0 and number not in result[file.path]:
                        head = file.lines[number - 1][: mark + 1]
                        result[file.path][number] = head + b" " + MASK
    return result
