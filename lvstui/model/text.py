"""Foreign text made harmless, once, where it enters.

Names, log lines, comments and what a remote host printed may hold escape sequences; no widget
and no terminal library strips them all (ESC, C1 and bidirectional overrides pass).
"""

from __future__ import annotations

import re
import unicodedata

_DANGEROUS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return f"\\u{code:04x}"


def plain(text: str | bytes, limit: int = 1000) -> str:
    """`text` on one line with every control and format character made visible.

    Bytes are taken as UTF-8, undecodable ones shown as `\\xNN`. Longer than `limit` characters
    is cut with an ellipsis.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "backslashreplace")
    text = text.replace("\t", " ")
    if not text.isascii() or not text.isprintable():
        text = _DANGEROUS.sub(_visible, text)
        text = "".join(
            c if unicodedata.category(c) not in ("Cf", "Co", "Cn") else f"\\u{ord(c):04x}"
            for c in text
        )
    return text if len(text) <= limit else text[: limit - 1] + "…"
