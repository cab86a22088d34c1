"""What may be shown of a configuration: never a password, always as many lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvstui.keepalived.text.mask import Secrets, mask, mask_all, masked_diff, secrets_in, secrets_of
from lvstui.keepalived.text.parser import parse_bytes
from lvstui.keepalived.text.shown import MASK

PLACES = [
    "vrrp_instance V {{\n authentication {{\n auth_type PASS\n auth_pass {0}\n }}\n}}\n",
    "authentication {{ auth_type PASS auth_pass {0} }}\n",
    "#  auth_pass {0}\n",
    "! authentication {{ auth_pass {0} }}\n",
    "  auth_pass {0} # was {0}\r\n",
    "@lb1 auth_pass {0}\n@lb2 auth_pass {0}x\n",
    "auth_pass\n{0}\n",
    '"auth_pass" {0}\n',
    "auth_pass\t{0}",
    "SSL {{\n password {0}\n}}\n",
    "auth_hmac {{\n key {0}\n}}\n",
    "auth_hmac {{ key 1 {0} }}\n",
    "#key {0}\n",
    "$PW={0}\nauth_pass $PW\n",
    "auth_pass ${{X}}\n$X=${{Y}}\n$Y={0}\n",
    "$SECRET= \\\n{0}\n",
    "$AUTH= \\\nauth_pass {0}\n",
    "$K=auth_pass\n$K {0}\n",
    "$K=auth_pass\n  ${{K}} {0}\n",
    "~LST(P,{0},other) auth_pass $P\n",
    "#$PW={0}\nauth_pass ${{PW}}\n",
    'script "/bin/check --password={0}"\n',
    'misc_path "/bin/check -p --db-pass={0} x"\n',
    "path /health?token={0}\n",
    "# the old password: {0}\n",
]
BARE = st.text(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,;:_+%&/()=?", min_size=6
).filter(lambda text: "asswor" not in text and "auth" not in text)


@pytest.mark.parametrize("template", PLACES)
@given(password=BARE)
def test_no_password_shows(template: str, password: str) -> None:
    secret = f"Zq9{password}"
    text = template.format(secret).encode()
    shown = mask(text)
    assert b"Zq9" not in shown
    assert MASK in shown
    assert shown.count(b"\n") == text.count(b"\n")
    assert mask(shown) == shown


@pytest.mark.parametrize("quoted", ['"Zq9 a#b {c}!"', "Zq9a}b", "Zq9#x", "'Zq9 y'", '"Zq9'])
def test_odd_passwords_do_not_show(quoted: str) -> None:
    shown = mask(f"authentication {{\n  auth_pass {quoted}\n}}\n".encode())
    assert shown == b"authentication {\n  auth_pass ********\n}\n"


@given(st.binary(max_size=300))
def test_any_bytes_keep_their_lines(data: bytes) -> None:
    assert mask(data).count(b"\n") == data.count(b"\n")


def test_what_holds_no_secret_stays() -> None:
    text = b"vrrp_instance V {\n  interface eth0\n  # keep me\n\tpriorty 1\n}\r\n"
    assert mask(text) == text


def test_closing_braces_stay() -> None:
    assert mask(b"authentication { auth_type PASS auth_pass x }") == (
        b"authentication { auth_type PASS auth_pass ******** }"
    )


def test_a_definition_of_another_file_is_hidden() -> None:
    files = {"/a": b"$X=Zq9secret\n", "/b": b"auth_pass $X\n"}
    assert mask_all(files)["/a"] == b"$X=********\n"


def test_values_are_hidden_in_comments() -> None:
    text = b"vrrp_instance V {\n authentication {\n auth_pass Zq9old\n}\n}\n# Zq9old until may\n"
    shown = mask(text, secrets_of(parse_bytes(text)))
    assert b"Zq9" not in shown
    assert shown.endswith(b"# ******** until may\n")


@pytest.mark.parametrize(
    "line",
    [
        "priority 151 # Zq9old was it",
        'notify "/bin/tell Zq9old"',
        "misc_path /bin/check -pZq9old",
        "path /health/Zq9old/x",
        "auth_pas Zq9old",
        "Zq9old",
        "  -Zq9old- x",
        "@lb1 script /bin/x Zq9old",
        "# Zq9old",
        "smtp_helo_name Zq9old}",
    ],
)
def test_a_known_password_is_hidden_wherever_it_stands(line: str) -> None:
    known = secrets_in([b"vrrp_instance V {\n authentication {\n auth_pass Zq9old\n }\n}\n", None])
    shown = mask(line.encode(), known)
    assert b"Zq9" not in shown
    assert MASK in shown
    own = f"authentication {{\n auth_pass Zq9old\n}}\n{line}\n".encode()
    assert b"Zq9" not in mask(own), "the text itself says what its password is"


def test_a_keyword_stays_whatever_the_password_is() -> None:
    text = b"auth_pass address\nvirtual_ipaddress {\n}\nstate MASTER # address\n"
    assert mask(text) == (b"auth_pass ********\nvirtual_ipaddress {\n}\nstate MASTER # ********\n")


@pytest.mark.parametrize("known", [Secrets(), None])
def test_a_password_that_goes_is_hidden_where_it_is_still_spoken_of(known: Secrets | None) -> None:
    before = b"priority 150\nauth_pass Zq9old\n"
    after = b'priority 151 # Zq9old was it\nauth_pass new1new1\nnotify "/bin/x new1new1"\n'
    shown = masked_diff(before, after, "/k.conf", known or secrets_in([before, after]))
    assert "Zq9" not in shown
    assert "new1" not in shown
    assert "+priority 151 # ******** was it" in shown


def test_secrets_do_not_print() -> None:
    known = secrets_of(
        parse_bytes(b"vrrp_instance V {\n authentication {\n auth_pass Zq9old\n}\n}")
    )
    assert known.values == {b"Zq9old"}
    assert "Zq9" not in repr(known)


def test_diff_is_masked_and_harmless() -> None:
    before = b"priority 100\nauth_pass Zq9old\n"
    after = b"priority 90 # \x1b[31m\nauth_pass Zq9new\n"
    text = masked_diff(before, after, "/etc/keepalived/keepalived.conf", Secrets())
    assert "Zq9" not in text
    assert "\x1b" not in text
    assert "-priority 100\n+priority 90 # ␛[31m\n auth_pass ********\n" in text


def test_diff_says_when_only_a_secret_differs() -> None:
    text = masked_diff(b"auth_pass Zq9old\n", b"auth_pass Zq9new\n", "/k.conf", Secrets())
    assert text.endswith("(only what is hidden or invisible differs)\n")
    assert masked_diff(b"a", b"a", "/k.conf", Secrets()) == ""


def test_diff_of_a_file_that_comes_or_goes() -> None:
    assert "--- /dev/null\n+++ /k (new)\n@@ -0,0 +1 @@\n+ops\n" in masked_diff(
        None, b"ops\n", "/k", Secrets()
    )
    assert "-ops  (no newline at the end)\n" in masked_diff(b"ops", None, "/k", Secrets())
