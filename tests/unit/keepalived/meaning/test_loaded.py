"""The daemon's own copy says the same as the files, when it is the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvstui.keepalived.meaning.view import load_tree, parse_consolidated, same, view
from lvstui.keepalived.text.lexer import Text, decomment
from lvstui.keepalived.text.parser import parse_bytes

DATA = Path(__file__).parents[3] / "data" / "keepalived"


def copied(lines: list[bytes]) -> bytes:
    """Lines of one file as keepalived writes them into its copy."""
    result = b""
    for line in lines:
        text, continued, _ = decomment(Text(line.rstrip(b"\r")))
        plain = text.data + (b"\\" if continued else b"")
        result += (b"" if plain.startswith(b"include ") else plain) + b"\n"
    return result


def copy(path: Path) -> bytes:
    """The copy of a configuration without includes."""
    lines = path.read_bytes().split(b"\n")
    if not lines[-1]:
        lines.pop()
    return b"# " + bytes(path) + b"\n" + copied(lines) + b"!\n"


@pytest.mark.parametrize("name", ["pool.conf", "odd.conf"])
def test_same_as_on_disk(name: str) -> None:
    disk = view(load_tree(str(DATA / name), config_id="lb1"))
    daemon = parse_consolidated(copy(DATA / name), config_id="lb1")
    assert same(disk, daemon)
    assert disk.files == daemon.files
    assert [s.key for s in disk.services] == [s.key for s in daemon.services]
    assert [(p.line, m) for p, m in disk.problems] == [(p.line, m) for p, m in daemon.problems]
    for ours, theirs in zip(disk.services, daemon.services, strict=True):
        assert ours.place is not None
        assert theirs.place is not None
        assert (ours.place.file, ours.place.line) == (theirs.place.file, theirs.place.line)


def test_copy_with_includes() -> None:
    # As a keepalived 2.2.7 wrote it: markers, blank include lines, definitions unexpanded.
    main = DATA / "generated.conf"
    lines = main.read_bytes().split(b"\n")[:-1]
    vrrp = (DATA / "conf.d" / "10-vrrp.conf").read_bytes().split(b"\n")[:-1]
    more = (DATA / "conf.d" / "more.inc").read_bytes().split(b"\n")
    one = (DATA / "conf.d" / "one.inc").read_bytes().split(b"\n")[:-1]
    data = (
        b"# "
        + bytes(main)
        + b"\n"
        + copied(lines[:9])
        + b"# conf.d/10-vrrp.conf\n"
        + copied(vrrp[:2])
        + b"# more.inc\n"
        + copied(more)
        + b"!\n"
        + copied(vrrp[2:])
        + b"!\n"
        + copied(lines[9:10])
        + b"# conf.d/one.inc\n"
        + copied(one)
        + b"!\n"
        + copied(lines[10:])
        + b"!\n"
    )
    disk = view(load_tree(str(main), config_id="x"))
    daemon = parse_consolidated(data, config_id="x")
    assert same(disk, daemon)
    assert disk.files == daemon.files
    assert daemon.services[0].place is not None
    assert daemon.services[0].place.line == 11
    assert daemon.instances[0].place == disk.instances[0].place


def test_include_error_is_told() -> None:
    data = b"# /k.conf\n\n#! Config files missing 'x'.\nglobal_defs {\nrouter_id A\n}\n!\n"
    found = parse_consolidated(data, config_id="x")
    assert found.router_id == "A"
    assert [(str(place), message) for place, message in found.problems] == [
        ("/k.conf:1:1", "keepalived could not read what is included here")
    ]


SOUND = "vrrp_instance A {{\n interface eth0\n virtual_router_id 5\n{}\n}}\n"


def digest(text: str) -> str:
    return view(parse_bytes(text.encode(), "/k", "x")).digest


def test_digest_sees_meaning_only() -> None:
    plain = SOUND.format("priority 100")
    assert digest(plain) == digest("# x\n" + plain.replace("\n", " ! y\r\n"))
    assert digest(plain) == digest(plain.replace("eth0", '"eth0"'))
    assert digest(plain) == digest("$P=100\n" + SOUND.format("priority $P"))
    assert digest(plain) == digest(SOUND.format("priority 100\n@other priority 7"))
    assert digest(plain) != digest(SOUND.format("priority 101"))
    assert digest(plain) != digest(SOUND.format("priority 100\n@x priority 7"))


def test_digest_notices_a_password_and_does_not_hold_it() -> None:
    def auth(secret: str) -> str:
        return digest(SOUND.format(f"authentication {{\nauth_type PASS\nauth_pass {secret}\n}}"))

    assert auth("one") == auth('"one"')
    assert auth("one") != auth("two")
    # 16 bits of a secret: two of a few hundred thousand share a digest.
    assert len({auth(f"p{number}") for number in range(3000)}) < 3000


def test_empty_configurations_are_the_same_and_no_digest_is_not() -> None:
    assert digest("") == digest("# nothing\n")
    empty = view(parse_bytes(b""))
    assert same(empty, empty)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_as_copy(data: bytes) -> None:
    parse_consolidated(data, config_id="lb1")


@settings(deadline=None)
@given(st.lists(st.sampled_from([b"# /a", b"!", b"#!", b"virtual_server", b"x {", b"}", b""])))
def test_any_markers_as_copy(lines: list[bytes]) -> None:
    parse_consolidated(b"\n".join(lines), config_id="lb1")
