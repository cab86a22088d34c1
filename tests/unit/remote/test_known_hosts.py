"""known_hosts: parsing, matching, verdicts, appending."""

from __future__ import annotations

import base64
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvstui.remote import known_hosts
from lvstui.remote.known_hosts import KeyState, KnownHost, append, hashed, matches, parse


def blob(kind: str, body: bytes) -> bytes:
    return len(kind).to_bytes(4, "big") + kind.encode() + body


ED, ED2 = blob("ssh-ed25519", b"one"), blob("ssh-ed25519", b"two")
RSA, SK = blob("ssh-rsa", b"rsa"), blob("sk-ssh-ed25519@openssh.com", b"sk")


def line(hosts: str, key: bytes, marker: str = "") -> str:
    kind = key[4 : 4 + key[3]].decode()
    text = f"{hosts} {kind} {base64.b64encode(key).decode()} a comment"
    return f"{marker} {text}" if marker else text


@pytest.mark.parametrize(
    ("hosts", "name", "wanted"),
    [
        ("rs1", "rs1", True),
        ("RS1", "rs1", True),
        ("rs1,10.0.0.1", "10.0.0.1", True),
        ("*.lan", "a.lan", True),
        ("*.lan,!a.lan", "a.lan", False),
        ("!a.lan,*.lan", "b.lan", True),
        ("!a.lan", "b.lan", False),
        ("rs?", "rs1", True),
        ("rs?", "rs10", False),
        ("rs1", "[rs1]:2222", False),
        ("[rs1]:2222", "[rs1]:2222", True),
        ("[*]:2222", "[rs1]:2222", True),
        ("r.1", "rs1", False),
        ("|1|broken", "rs1", False),
        ("|1|!!|!!", "rs1", False),
        (hashed("[rs1]:22022", b"s" * 20), "[rs1]:22022", True),
        (hashed("rs1", b"s" * 20), "rs2", False),
    ],
)
def test_which_host_a_line_speaks_of(hosts: str, name: str, wanted: bool) -> None:
    assert matches(hosts, name) is wanted


def test_odd_lines_are_passed_over_and_keep_their_numbers() -> None:
    text = "\n".join(
        [
            "# comment",
            "",
            line("*", ED, "@cert-authority"),
            "rs1 ssh-rsa !!!",
            "rs1 1024 35 123456",
            "  " + line("rs1", SK),
            line("rs1", ED, "@unheard-of"),
            line("rs1", ED) + "\r",
            "rs1",
        ]
    )
    found = parse(text, "f")
    assert [(e.number, e.marker, e.kind) for e in found] == [
        (3, "@cert-authority", "ssh-ed25519"),
        (6, "", "sk-ssh-ed25519@openssh.com"),
        (8, "", "ssh-ed25519"),
    ]
    assert found[0].place == "f:3"


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    for entry in parse(text):
        matches(entry.hosts, "rs1")


@given(st.text(alphabet=st.characters(codec="ascii", exclude_categories=["C", "Z"]), min_size=1))
def test_a_hashed_name_matches_itself_only(name: str) -> None:
    name = name.lower()
    assert matches(hashed(name), name)
    assert not matches(hashed(name), name + "x")


def judge(text: str, key: bytes, *names: str, fallback: str = "") -> known_hosts.KeyVerdict:
    kind = key[4 : 4 + key[3]].decode()
    return KnownHost(parse(text, "f"), names or ("rs1",), fallback).judge(kind, key)


def test_verdicts() -> None:
    assert judge(line("rs1", ED), ED).state is KeyState.KNOWN
    assert judge(line("rs1", ED2) + "\n" + line("rs1", ED), ED).state is KeyState.KNOWN
    assert judge("", ED).state is KeyState.UNKNOWN
    changed = judge("\n" + line("rs1", ED2), ED)
    assert changed.state is KeyState.CHANGED
    assert changed.entry is not None
    assert changed.entry.place == "f:2"
    assert judge(line("rs1", RSA), ED) == known_hosts.KeyVerdict(
        KeyState.UNKNOWN, None, ("ssh-rsa in f:1",)
    )
    assert judge(line("rs1", ED) + "\n" + line("*", ED, "@revoked"), ED).state is KeyState.REVOKED
    assert judge(line("rs1", ED) + "\n" + line("rs2", ED, "@revoked"), ED).state is KeyState.KNOWN
    authority = judge(line("rs1", ED, "@cert-authority"), ED)
    assert authority.state is KeyState.UNKNOWN, "a key of the authority is not the host's"
    assert "authority, in f:1" in authority.others[0]


def test_any_name_can_contradict_but_the_name_without_port_only_vouches() -> None:
    text = line("rs1", ED) + "\n" + line("10.0.0.1", ED2)
    assert judge(text, ED, "rs1").state is KeyState.KNOWN
    assert judge(line("10.0.0.1", ED2), ED, "rs1", "10.0.0.1").state is KeyState.CHANGED
    assert judge(line("rs1", ED), ED, "[rs1]:2222", fallback="rs1").state is KeyState.KNOWN
    assert judge(line("rs1", ED2), ED, "[rs1]:2222", fallback="rs1").state is KeyState.UNKNOWN


def test_known_types_are_asked_for_first() -> None:
    ours = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256")
    assert known_hosts.preferred(ours, ["ssh-rsa"])[:2] == ("rsa-sha2-512", "rsa-sha2-256")
    assert known_hosts.preferred(ours, ["ecdsa-sha2-nistp256"])[0] == "ecdsa-sha2-nistp256"
    assert known_hosts.preferred(ours, []) == ours


def test_append_keeps_all_else(tmp_path: Path) -> None:
    file = tmp_path / "ssh" / "known_hosts"
    text = known_hosts.line("rs1", "ssh-ed25519", ED)
    append(str(file), text)
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    file.write_bytes(b"# \xff comment\nno newline")
    append(str(file), text)
    assert file.read_bytes() == b"# \xff comment\nno newline\n" + text.encode() + b"\n"


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="no OpenSSH here")
def test_ssh_keygen_agrees(tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True, timeout=20
    )
    kind, encoded = key.with_suffix(".pub").read_text().split()[:2]
    raw = base64.b64decode(encoded)
    file = tmp_path / "known"
    append(str(file), known_hosts.line("[rs1]:2222", kind, raw, hash_name=True))

    def keygen(*words: str) -> str:
        return subprocess.run(
            ["ssh-keygen", *words, "-f", str(file)], capture_output=True, text=True, check=True
        ).stdout

    assert "found: line 1" in keygen("-F", "[rs1]:2222")
    assert known_hosts.fingerprint(raw) in keygen("-l")
    assert KnownHost(known_hosts.read([str(file)]), ["[rs1]:2222"]).judge(kind, raw).entry
