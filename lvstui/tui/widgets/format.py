"""Texts in as many cells as there are."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size


def filter_words(pattern: str) -> tuple[list[str], bool]:
    """The words of a filter, in lower case; and whether it hides what holds them all (`!` in
    front)."""
    text = pattern.strip().lower()
    words = text.lstrip("!").split()
    return words, text.startswith("!") and bool(words)


def width_of(text: str) -> int:
    """Cells that `text` takes."""
    return len(text) if text.isascii() else cell_len(text)


def fit(text: str, width: int, *, right: bool = False, ellipsis: str = "…") -> str:
    """`text` in exactly `width` cells: padded, or cut with an ellipsis."""
    if width <= 0:
        return ""
    length = width_of(text)
    if length > width:
        return cut(text, width, ellipsis=ellipsis)
    pad = " " * (width - length)
    return pad + text if right else text + pad


def cut(text: str, width: int, *, ellipsis: str = "…") -> str:
    """`text` in at most `width` cells; what was cut off is shown by an ellipsis."""
    if width_of(text) <= width:
        return text
    if width <= 0:
        return ""
    mark = width_of(ellipsis)
    if width <= mark:
        return set_cell_size(text, width)
    if text.isascii():
        return text[: width - mark] + ellipsis
    return set_cell_size(text, width - mark).rstrip(" ") + ellipsis
