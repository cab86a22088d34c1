"""Secrets leave a file before an editor sees it, and come back when it is saved."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvstui.keepalived.text.mask import mask, secrets_of
from lvstui.keepalived.text.parser import parse_bytes
from lvstui.tui.config.placeholder import LostSecret, editable, unveil, veil

CONF = b"""\
vrrp_instance LB_1 {
    authentication {
        auth_type PASS
        auth_pass hunter22   # since May
    }
    # auth_pass former77
}
# uses hunter22
SSL {
    password "two words"
}
"""
LINES = st.lists(
    st.sampled_from(
        [
            b"auth_pass s3cret99",
            b'  auth_pass "s3 cret" # x',
            b"# auth_pass old",
            b"key 1 k3y",
            b"authentication { auth_type PASS auth_pass abcd1234 }",
            b"password p4ssw0rd \\",
            b"}",
            b"$AP=s3cret99",
            b"auth_pass $AP",
            b'misc_path "/x --password=abc -v"',
            b"",
            b"\tx\r",
            b"virtual_server 10.0.0.1 80 { # web",
            b"auth_pass",
            b"# <secret-1>",
            b"auth_pass a\\",
        ]
    ),
    max_size=12,
)


def test_no_secret_is_in_the_text_and_all_come_back() -> None:
    veiled = veil(CONF, secrets_of(parse_bytes(CONF)))
    for secret in (b"hunter22", b"former77", b"two words"):
        assert secret not in veiled.text
        assert secret not in repr(veiled).encode()
    assert b"auth_pass <secret-1>" in veiled.text
    assert unveil(veiled.text, veiled) == CONF


@given(LINES)
def test_unchanged_text_gives_the_same_bytes(lines: list[bytes]) -> None:
    data = b"\n".join(lines)
    veiled = veil(data, secrets_of(parse_bytes(data)))
    assert unveil(veiled.text, veiled) == data
    assert veiled.text.count(b"\n") == data.count(b"\n")


@given(LINES)
def test_what_the_mask_hides_the_editor_does_not_show(lines: list[bytes]) -> None:
    data = b"\n".join(lines)
    known = secrets_of(parse_bytes(data))
    for line, safe, shown in zip(
        data.split(b"\n"),
        mask(data, known).split(b"\n"),
        veil(data, known).text.split(b"\n"),
        strict=True,
    ):
        assert (line == safe) == (line == shown)


def test_a_new_secret_can_be_written_and_lines_may_move() -> None:
    veiled = veil(CONF, secrets_of(parse_bytes(CONF)))
    lines = veiled.text.split(b"\n")
    lines.reverse()
    assert unveil(b"\n".join(lines), veiled).split(b"\n") == CONF.split(b"\n")[::-1]
    text = veiled.text.replace(b"auth_pass <secret-1>", b"auth_pass n3w")
    assert b"auth_pass n3w" in unveil(text, veiled)


def test_a_broken_placeholder_never_becomes_a_password() -> None:
    veiled = veil(CONF, secrets_of(parse_bytes(CONF)))
    with pytest.raises(LostSecret, match="line 4"):
        unveil(veiled.text.replace(b"<secret-1>", b"<secret-99>"), veiled)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"a\nb\n", "", id="plain"),
        pytest.param(b"a\r\nb\r\n", "", id="crlf"),
        pytest.param("ü\n".encode(), "", id="utf-8"),
        pytest.param(b"\xff\n", "not UTF-8", id="latin-1"),
        pytest.param(b"\x1b]0;x\x07\n", "control", id="escape"),
        pytest.param(b"a\r\nb\n", "different", id="mixed"),
    ],
)
def test_what_can_not_be_shown_as_it_is_is_said(data: bytes, why: str) -> None:
    assert why in editable(data)
    assert bool(why) == bool(editable(data))
