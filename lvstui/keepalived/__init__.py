"""The configuration of keepalived: read without losing a byte, and understood.

Nothing here knows a screen. The nesting, the defaults and the inheritance are those of keepalived
2.2.7 to 2.4.3, taken from its source and checked against its own test mode.

`load_tree` reads a file, `view` tells what it means, `parse_consolidated` does both for the copy
of a running daemon, `same` compares the two. `write` gives the bytes of a tree back.
"""

from lvstui.keepalived.meaning.loaded import parse_consolidated
from lvstui.keepalived.meaning.view import load_tree, same, view
from lvstui.keepalived.text.files import NotLoaded
from lvstui.keepalived.text.parser import parse_bytes
from lvstui.keepalived.text.tree import Block, Provenance, SourceFile, Statement, Tree, Word, write

__all__ = [
    "Block",
    "NotLoaded",
    "Provenance",
    "SourceFile",
    "Statement",
    "Tree",
    "Word",
    "load_tree",
    "parse_bytes",
    "parse_consolidated",
    "same",
    "view",
    "write",
]
