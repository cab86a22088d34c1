"""The configuration that the daemon has loaded, from its own copy.

Since 2.2.0 keepalived keeps the text it read in a memory file (`consolidated_configuration`
among the descriptors of the main process, root only): comments taken out, each file between
`# PATH` and `!`, include lines left blank, lines kept so that numbers still count.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator

from lvstui.keepalived.meaning.view import view
from lvstui.keepalived.text.files import Files, resolve
from lvstui.keepalived.text.parser import Builder
from lvstui.keepalived.text.reader import Line, Reader
from lvstui.keepalived.text.tree import SourceFile, Tree
from lvstui.model.config import Configuration, Place


def parse_consolidated(data: bytes, *, config_id: str) -> Configuration:
    """What the daemon has loaded; places refer to the files it read.

    `data` is the whole copy, `config_id` the daemon's. Equal to the configuration on disk by
    `same` when they mean the same. A daemon that was just asked to reload may have a copy that
    it rejected (3.4 of the facts: only with reload_check_config).
    """
    return view(tree_of_copy(data, config_id=config_id))


def tree_of_copy(data: bytes, *, config_id: str) -> Tree:
    """The tree of the daemon's copy. It has no comments and no spans, and every column is 1."""
    raw, files, problems = _taken_apart(data)
    reader = Reader(Files(_nothing), config_id, follow=False)
    reader.problems.extend(problems)
    builder = Builder(problems=reader.problems)

    def lines() -> Iterator[Line]:
        for index, number, line in raw:
            yield files[index], number, _NOWHERE, line, True

    builder.take(reader.read_lines(lines()))
    root = builder.finish()
    unique: dict[str, SourceFile] = {}
    for file in files:
        unique.setdefault(file.path, file)
    return Tree(
        files=tuple(unique.values()),
        root=root,
        config_id=config_id,
        problems=tuple(reader.problems),
        measure=builder.digest.value,
        consolidated=True,
    )


def _nothing(path: str) -> bytes:
    raise FileNotFoundError(2, "No such file", path)


_Raw = list[tuple[int, int, bytes]]
"""Index of the file, line number in it, its bytes."""

_NOWHERE = -(1 << 40)
"""Offset of a line whose indentation is lost: no column of it can be told."""


def _taken_apart(data: bytes) -> tuple[_Raw, list[SourceFile], list[tuple[Place, str]]]:
    """The copy as lines that know their file."""
    raw: _Raw = []
    paths: list[str] = []
    texts: list[list[bytes]] = []
    stack: list[int] = []
    problems: list[tuple[Place, str]] = []

    def opened(path: str) -> None:
        stack.append(len(paths))
        paths.append(path)
        texts.append([])

    lines = data.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    for line in lines:
        if line.startswith(b"# "):
            folder = posixpath.dirname(paths[stack[-1]]) if stack else "/"
            opened(resolve(folder, os.fsdecode(line[2:])))
            continue
        if line == b"!":
            # The main file is closed last; nothing follows, and without it nothing could be said.
            if len(stack) > 1:
                stack.pop()
            continue
        if not stack:
            opened("/")
        index = stack[-1]
        if line.startswith(b"#!"):
            place = Place(paths[index], max(1, len(texts[index])))
            problems.append((place, "keepalived could not read what is included here"))
            continue
        texts[index].append(line)
        raw.append((index, len(texts[index]), line))
    files = [SourceFile(path, tuple(text)) for path, text in zip(paths, texts, strict=True)]
    return raw, files, problems
