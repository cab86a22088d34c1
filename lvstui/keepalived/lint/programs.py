"""Which programs a configuration makes keepalived run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lvstui.keepalived.keywords import NOTIFIES, PROGRAMS
from lvstui.keepalived.text.lexer import script_words
from lvstui.keepalived.text.shown import shown_program
from lvstui.keepalived.text.tree import Block, Node, Statement, Tree
from lvstui.keepalived.text.values import shown

DEFAULT_USER = "keepalived_script"
"""The user that scripts run as when it exists and no script_user says otherwise."""


@dataclass(frozen=True, slots=True)
class Program:
    """One line that names a program."""

    line: Statement
    path: str
    """As written, without its arguments: they may hold passwords."""
    rest: tuple[str, ...]
    """What keepalived takes for user and group."""


def programs(tree: Tree) -> Iterator[Program]:
    """Each program of the configuration in reading order."""
    waiting: list[Node] = list(reversed(tree.root))
    while waiting:
        node = waiting.pop()
        if isinstance(node, Block):
            if not node.value_block:
                waiting.extend(reversed(node.children))
        elif node.words[0] in PROGRAMS and len(node.words) > 1:
            words = script_words(node.text.data)
            inner = words[1].split() if len(words) > 1 else []
            if inner:
                yield Program(node, shown(shown_program(inner[0])), tuple(map(shown, words[2:])))


def script_paths(tree: Tree) -> tuple[str, ...]:
    """Every absolute path among them, once: what a collector has to look at."""
    return tuple(
        dict.fromkeys(program.path for program in programs(tree) if program.path.startswith("/"))
    )


def script_users(tree: Tree) -> tuple[str, ...]:
    """Every user that a script may run as by the configuration, and keepalived's default."""
    found = [DEFAULT_USER, *(shown(line.words[1]) for line in user_lines(tree))]
    for program in programs(tree):
        if program.line.words[0] in NOTIFIES:
            found.extend(program.rest[:1])
    return tuple(dict.fromkeys(found))


def user_lines(tree: Tree) -> Iterator[Statement]:
    """Each line that says whom a script runs as."""
    for line in tree.walk():
        if line.words[0] in (b"script_user", b"user") and len(line.words) > 1:
            yield line
