"""Foreign text made harmless: once where it enters, and once more at the doors to a terminal.

Names, log lines, comments and what a remote host printed may hold escape sequences; no widget
and no terminal library strips them all (ESC, C1 and bidirectional overrides pass).
"""

from __future__ import annotations

import re
import unicodedata

_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0]")
"""Letters and marks without a glyph: Unicode counts them as printable."""

LIKENESS = {
    **dict.fromkeys("“”„«»", '"'),
    **dict.fromkeys("‘’‚", "'"),
    **dict.fromkeys("–—−─━", "-"),
    **dict.fromkeys("│▎", "|"),
    **dict.fromkeys("→›▸▌", ">"),
    **dict.fromkeys("↓▼▾", "v"),
    **dict.fromkeys("●•✚", "*"),
    **dict.fromkeys("⚠▲≠", "!"),
    "←": "<",
    "↑": "^",
    "⇄": "=",
    "…": "~",
    "·": ".",
    "×": "x",
    "±": "+",
    "✓": "v",
    "✖": "x",
    "✗": "x",
    "✂": "#",
    "○": "o",
    "◐": "~",
    "⊘": "-",
    "◎": "=",
    "◌": "?",
    "◇": "+",
    "■": "#",
    "□": ".",
    "⏎": "<",
}
"""One character of ASCII for each that we draw or write with, for terminals and encodings that have
no other."""


def harmless(text: str) -> bool:
    """Whether nothing in `text` controls a terminal, turns its direction, or hides.

    Cheap: one pass in C for text in ASCII. A line end and a tab count as controls.
    """
    # isprintable() is false for controls, formats, surrogates, private use, unassigned ones, line
    # and paragraph separators: all that a terminal may obey or leave out.
    return text.isprintable() and (text.isascii() or not _UNSEEN.search(text))


def _visible(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if harmless(char) or unicodedata.category(char) == "Zs":
        return char
    if code > 0xFFFF:
        # As JSON writes it, so that a document which passes a door stays the same document.
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"


def visible(text: str) -> str:
    """`text` with every character that is not `harmless` made visible: `␛`, `\\u202e`."""
    return text if harmless(text) else "".join(map(_visible, text))


def plain(text: str | bytes, limit: int = 1000) -> str:
    """`text` on one line with every control and format character made visible.

    Bytes are taken as UTF-8, undecodable ones shown as `\\xNN`. Longer than `limit` characters
    is cut with an ellipsis.
    """
    if isinstance(text, bytes):
        text = text[: 4 * limit + 4].decode("utf-8", "backslashreplace")
    text = visible(text[: limit + 1].replace("\t", " "))
    if not text.isprintable():
        # Only spaces of another width are left of what is not: they look like one.
        text = "".join(char if char.isprintable() else " " for char in text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def printable(text: str) -> str:
    """`text` of several lines for a terminal: `visible`, but line ends and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return "\n".join("\t".join(map(visible, line.split("\t"))) for line in text.split("\n"))
