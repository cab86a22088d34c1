"""What the screen of the configuration shows, without a screen."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lvstui.keepalived.text.files import Files
from lvstui.keepalived.text.mask import mask_all, secrets_of
from lvstui.keepalived.text.parser import parse, parse_bytes
from lvstui.keepalived.text.shown import MASK
from lvstui.model.config import Place
from lvstui.model.finding import Finding, FindingSeverity
from lvstui.session.document import Document, _changed, document
from lvstui.session.pieces import HIDDEN, Meaning, in_force, pieces, shown
from lvstui.session.selection import word_at

MAIN = "/etc/keepalived/keepalived.conf"
FILES = {
    MAIN: b"""\
global_defs {
    router_id lb1
}
vrrp_instance LB_1 {
    interface eth0
    virtual_router_id 51
    authentication {
        auth_type PASS
        # was oldpass7
        auth_pass hunter22
    }
    virtual_ipaddress {
        10.0.0.1/24
    }
    priority 150
}
include pool.conf
""",
    "/etc/keepalived/pool.conf": b"""\
virtual_server 10.0.0.1 80 { # web
    lb_algo rr
    lb_kind DR
    protocol TCP
    real_server 10.0.0.3 80 {
        weight 1
        HTTP_GET {
            url { path / }
            connect_timeout 3
        }
    }
    quorum 1
}
""",
}


def site() -> Document:
    """The files above."""
    return document(parse(MAIN, Files(lambda path: FILES[path]), "lb1"))


def kind_at(found: Document, path: str, line: int) -> str:
    """What the outline says about a line."""
    id_ = found.node_at(path, line)
    if id_ is None:
        return ""
    outline = found.outline
    some = outline.roots() if len(id_) == 2 and id_[0] == "blocks" else outline.children(id_[:-1])
    return next(f"{item.kind} {item.label}" for item in some if item.id == id_)


@pytest.mark.parametrize(
    ("path", "line", "says"),
    [
        pytest.param(MAIN, 2, "entry router_id lb1", id="global"),
        pytest.param(MAIN, 5, "instance LB_1", id="instance"),
        pytest.param(MAIN, 13, "entry 10.0.0.1/24", id="vip"),
        pytest.param(MAIN, 15, "instance LB_1", id="behind-the-vips"),
        pytest.param(MAIN, 17, "", id="behind-the-instance"),
        pytest.param("/etc/keepalived/pool.conf", 2, "service tcp 10.0.0.1:80", id="service"),
        pytest.param("/etc/keepalived/pool.conf", 6, "server 10.0.0.3:80", id="server"),
        pytest.param("/etc/keepalived/pool.conf", 9, "checker HTTP_GET", id="checker"),
        pytest.param("/etc/keepalived/pool.conf", 12, "service tcp 10.0.0.1:80", id="quorum"),
    ],
)
def test_every_line_knows_what_it_is_in(path: str, line: int, says: str) -> None:
    assert kind_at(site(), path, line) == says


def test_the_outline_is_complete_branch_by_branch() -> None:
    outline = site().outline
    labels = []
    waiting = list(outline.roots())
    while waiting:
        item = waiting.pop(0)
        labels.append(item.label)
        inside = outline.children(item.id)
        assert bool(inside) == item.opens, item
        waiting += inside
    for label in (
        "keepalived.conf",
        "pool.conf",
        "global_defs",
        "LB_1",
        "10.0.0.1/24",
        "tcp 10.0.0.1:80",
        "10.0.0.3:80",
        "HTTP_GET",
    ):
        assert label in labels


def test_nothing_of_it_shows_a_secret() -> None:
    found = site()
    text = "".join(
        page.shown(n) for page in found.pages.values() for n in range(1, len(page.lines) + 1)
    )
    waiting = list(found.outline.roots())
    while waiting:
        item = waiting.pop()
        text += item.label + item.detail
        waiting += found.outline.children(item.id)
    assert "auth_pass" in text
    assert "hunter22" not in text + repr(found) + repr(found.pages)
    assert "oldpass7" not in text


def test_a_draft_marks_its_lines() -> None:
    before = {MAIN: FILES[MAIN].replace(b"priority 150", b"priority 100")}
    found = document(parse(MAIN, Files(lambda path: FILES[path]), "lb1"), before=before)
    assert found.main.changed == {15}


@given(
    st.lists(st.sampled_from([b"a", b"b", b"c", b""]), max_size=12),
    st.lists(st.sampled_from([b"a", b"b", b"c", b""]), max_size=12),
)
def test_unmarked_lines_of_a_draft_are_lines_of_the_file(
    old: list[bytes], new: list[bytes]
) -> None:
    marked = _changed(b"\n".join(old), b"\n".join(new))
    rest = [
        line for number, line in enumerate(b"\n".join(new).split(b"\n"), 1) if number not in marked
    ]
    there = iter(b"\n".join(old).split(b"\n"))
    assert all(line in there for line in rest), "they are in it in that order"
    if old == new:
        assert not marked


def test_a_long_difference_is_marked_whole_and_fast() -> None:
    old = b"\n".join(b"%d" % n for n in range(5000))
    new = b"\n".join(b"x%d" % n for n in range(5000))
    assert len(_changed(old, new)) == 5000


def test_findings_are_found_in_the_order_of_files_and_lines() -> None:
    pool = "/etc/keepalived/pool.conf"
    said = [
        Finding("b", FindingSeverity.ERROR, "b", Place(pool, 2)),
        Finding("a", FindingSeverity.NOTE, "a", Place(MAIN, 5)),
    ]
    found = document(parse(MAIN, Files(lambda path: FILES[path]), "lb1"), lambda *_: said)
    assert found.findings[0].rule == "b"
    first = found.next_finding(MAIN, 1)
    assert first is not None
    assert first.rule == "a"
    after = found.next_finding(MAIN, 5)
    assert after is not None
    assert after.rule == "b"
    again = found.next_finding(pool, 2)
    assert again is not None
    assert again.rule == "a"


# Pieces


@pytest.mark.parametrize(
    ("line", "meanings"),
    [
        pytest.param(
            b"virtual_server 10.0.0.1 80 { # web",
            "keyword address number brace comment",
            id="header",
        ),
        pytest.param(b"} real_server fd00::1 80 {", "brace keyword address number brace", id="two"),
        pytest.param(b'misc_path "/x { # y"', "keyword string", id="quoted"),
        pytest.param(b"include conf.d/*.conf", "special value", id="include"),
        pytest.param(b"@lb1 priority 150", "special keyword number", id="condition"),
        pytest.param(b"$A=1", "special", id="definition"),
        pytest.param(b"10.0.0.1/24 dev eth0", "address value value", id="vip"),
        pytest.param(b"auth_pass " + MASK, "keyword secret", id="secret"),
        pytest.param(b"# was " + MASK + b" once", "comment secret comment", id="comment"),
        pytest.param(b"! all of it", "comment", id="bang"),
    ],
)
def test_pieces_mean_what_keepalived_reads(line: bytes, meanings: str) -> None:
    found = [piece.meaning.value for piece in pieces(line) if piece.meaning is not Meaning.BLANK]
    assert " ".join(found) == meanings


def test_an_unknown_keyword_is_one() -> None:
    first, *_ = pieces(b"delay_lop 3", unknown=True)
    assert first.meaning is Meaning.UNKNOWN


@example(b"\xc2\xa0")
@given(st.binary(max_size=120).filter(lambda data: b"\n" not in data))
def test_pieces_lose_nothing_and_are_harmless(line: bytes) -> None:
    text = shown(line)
    assert all(char.isprintable() for char in text)
    bare = line.rstrip(b"\r").replace(MASK, b"")
    for word in bare.split():
        if word.isalnum():
            assert word.decode() in text


@pytest.mark.parametrize(
    ("line", "yes"),
    [
        (b"priority 1", True),
        (b"  @lb1 priority 1", True),
        (b"@lb2 priority 1", False),
        (b"@^lb2 priority 1", True),
        (b"@^lb1 priority 1", False),
        (b"@lb1", False),
    ],
)
def test_lines_for_another_host(line: bytes, yes: bool) -> None:
    assert in_force(line, "lb1") is yes


def test_the_mask_is_shown_as_dots() -> None:
    assert shown(b"auth_pass " + MASK) == f"auth_pass {HIDDEN}"


def test_searching_never_finds_what_is_hidden() -> None:
    found = site()
    assert found.find("hunter", MAIN, 1) is None
    assert found.find("AUTH_PASS", MAIN, 1) == (MAIN, 10)
    assert found.find("real_server", MAIN, 1) == ("/etc/keepalived/pool.conf", 5)
    assert found.find("router_id lb1", "/etc/keepalived/pool.conf", 5) == (MAIN, 2)


def test_a_configuration_of_one_line_is_no_trouble() -> None:
    found = document(parse_bytes(b""))
    assert found.main.shown(1) == ""
    assert found.node_at("/keepalived.conf", 1) is None


SECRETIVE = st.lists(
    st.sampled_from(
        [
            b"auth_pass s3cret99",
            b"# auth_pass old",
            b"key 1 k3y",
            b"password p4ss \\",
            b"}",
            b"SSL {",
            b"$AP=s3cret99",
            b"auth_pass $AP",
            b'misc_path "/x --pw=abc -v"',
            b"",
            b"virtual_server 10.0.0.1 80 { # web",
            b"# uses s3cret99",
            b"auth_pass",
            b"s3cret99",
            b"~LST(PW,a) auth_pass x",
            b"real_server 10.0.0.3 80 {",
            b"    weight 1",
        ]
    ),
    max_size=14,
)


@given(SECRETIVE, SECRETIVE)
def test_what_the_mask_hides_is_hidden_here(one: list[bytes], other: list[bytes]) -> None:
    main = b"\n".join([b"include b.conf", *one])
    files = {MAIN: main, "/etc/keepalived/b.conf": b"\n".join(other)}
    tree = parse(MAIN, Files(lambda path: files[path]), "lb1")
    found = document(tree)
    masked = mask_all({file.path: file.data for file in tree.files}, secrets_of(tree))
    for path, page in found.pages.items():
        for number, safe in enumerate(masked[path].split(b"\n")[: len(page.lines)], 1):
            if safe != page.lines[number - 1]:
                assert page.line(number) == safe


@pytest.mark.parametrize("header", ["virtual_server {", "virtual_server group G {"])
def test_a_block_without_a_node_right_behind_one_with_a_node_is_in_nothing(header: str) -> None:
    text = f"SSL {{\n}}\n{header}\n lb_algo rr\n}}\n".encode()
    found = document(parse_bytes(text, "/k"))
    assert found.node_at("/k", 1) == ("blocks", 0)
    assert found.node_at("/k", 4) is None


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        (2, "lb_algo", "wrr"),
        (4, "weight", "7"),
        (6, "connect_timeout", "2 s"),
        (7, "delay_loop", "60 s"),
        (12, "priority", "150"),
        (14, "auth_pass", ""),
    ],
)
def test_the_word_under_the_cursor_is_known_with_its_value(
    line: int, name: str, value: str
) -> None:
    text = """\
virtual_server 10.0.0.1 80 {
  lb_algo wrr
  real_server 10.0.0.2 80 {
    weight 7
    TCP_CHECK {
      connect_timeout 2
      delay_loop 60
    }
  }
}
vrrp_instance V {
  priority 150
  authentication {
    auth_pass Zq9
  }
  interface eth0
  virtual_router_id 5
}
"""
    found = document(parse_bytes(text.encode(), "/k"))
    word = word_at(found, found.main, line)
    assert word is not None
    assert (word[0].name, word[1]) == (name, value)
    assert word[0].help
