"""No foreign byte reaches a terminal as a control sequence."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from lvstui.model.text import plain


@given(st.one_of(st.text(), st.binary()))
def test_nothing_that_controls_a_terminal_is_left(raw: str | bytes) -> None:
    shown = plain(raw)
    for character in shown:
        assert unicodedata.category(character) not in ("Cc", "Cf", "Cs"), repr(character)
    assert "\x1b" not in shown
    assert "\x9b" not in shown
    assert len(shown) <= 1000


def test_it_stays_readable() -> None:
    assert plain("rs1 größe 東京 [fd00::10]:443") == "rs1 größe 東京 [fd00::10]:443"
    assert plain("a\x1b]0;title\x07b") == "a␛]0;title␇b"
    assert plain("tab\there") == "tab here"
    assert plain(b"\xff\xfe") == "\\xff\\xfe"
    assert plain("x" * 2000).endswith("…")
