"""The tree loses no byte, takes every input, and nests as keepalived does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lvstui.keepalived.meaning.view import view
from lvstui.keepalived.text import reader
from lvstui.keepalived.text.lexer import Text, script_words, words
from lvstui.keepalived.text.parser import parse_bytes
from lvstui.keepalived.text.tree import Block, Provenance, Statement, Tree, write

DATA = Path(__file__).parents[3] / "data" / "keepalived"

_WORDS = r"""virtual_server real_server vrrp_instance VI_1 10.0.0.1 fd00::1 80 { } {} # ! " ' \
    weight 1 authentication auth_pass secret $A $A= ${A} $B= $B ${B} @lb1 @^lb1 @ ~SEQ(i,1,3)
    ~SEQ(i,$A) ~LST(a,b,c) ~LST({a,b},{1,2}) ~SEQ( include includea conf.d/*.conf group
    virtual_ipaddress TCP_CHECK HTTP_GET url path / ${_PWD} ${_RANDOM} ${_HASH} ${_INSTANCE}
    virtual_server_group static_routes notify "a b" \# \!"""
_ENDS = ["\n", "\n", "\n", "\r\n", "\t", "\\\n", "\0", "\xff", "\ufeff", "\xa0", "\x0b"]
PIECES = st.sampled_from([*_WORDS.split(), *_ENDS])
CONFIG_LIKE = st.lists(PIECES, max_size=80).map(lambda parts: " ".join(parts).encode("utf-8"))
JOINED = st.lists(PIECES, max_size=80).map(
    lambda parts: "".join(parts).encode("latin-1", "replace")
)


@pytest.fixture(autouse=True, scope="module")
def small_limit() -> Iterator[None]:
    """Repetitions end early: generated text is full of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "MAX_GENERATED", 2000)
        yield


def check(data: bytes) -> Tree:
    """Write gives `data` back, and every span holds what the word says."""
    tree = parse_bytes(data, config_id="lb1")
    assert write(tree) == data
    view(tree)
    end = 0
    for statement in tree.walk():
        assert statement.words
        for index, value in enumerate(statement.words):
            word = statement.word(index)
            assert word.value == value
            if statement.provenance is Provenance.REPEATED:
                assert word.span is None
            if word.span is None:
                continue
            start, stop = word.span
            assert data[start:stop].strip(b'"') == value.strip(b'"')
            if statement.literal:
                assert start >= end, "literal words stand in file order"
                end = stop
            place = statement.word_place(index)
            line = data.split(b"\n")[place.line - 1]
            assert line[place.column - 1 :].startswith(data[start:stop])
    return tree


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
@example(b"\xef\xbb\xbfvrrp_instance A {\n}\n")
@example(b"a" * 1022 + b"\n")
@example(b"a" * 1023 + b"\n")
@example(b"a" * 5000)
@example(b"$A=$A\n$A\n")
@example(b"$A= \\\n$A\n$A\n")
@example(b"$A= x \\\n$A\n$A\n")
def test_any_bytes_round_trip(data: bytes) -> None:
    check(data)


@settings(max_examples=400, deadline=None)
@given(CONFIG_LIKE)
def test_config_like_text_round_trips(data: bytes) -> None:
    check(data)


@settings(max_examples=400, deadline=None)
@given(JOINED)
def test_glued_text_round_trips(data: bytes) -> None:
    check(data)


SAMPLES = [path.read_bytes() for path in sorted(DATA.glob("*.conf"))]
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 20), st.one_of(PIECES, st.just(" "))), max_size=12
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SAMPLES), EDITS)
def test_damaged_files_round_trip(data: bytes, edits: list[tuple[float, int, str]]) -> None:
    for where, cut, piece in edits:
        at = int(where * len(data))
        data = data[:at] + piece.encode("latin-1", "replace") + data[at + cut :]
    check(data)


@settings(deadline=None)
@given(CONFIG_LIKE)
def test_comments_and_spacing_do_not_change_the_digest(data: bytes) -> None:
    lines = data.split(b"\n")
    if any(b"\\" in line or b"$" in line or b'"' in line or b"~" in line for line in lines):
        return
    other = b"\n".join(b"  \t" + line.rstrip(b"\r") + b" # seen" for line in lines)
    if b"@" not in data and b"\0" not in data:
        assert parse_bytes(data).digest == parse_bytes(other).digest


def shape(nodes: object) -> object:
    """The tree as nested lists of text, short to compare."""
    assert isinstance(nodes, tuple)
    result: list[object] = []
    for node in nodes:
        if isinstance(node, Block):
            result.append([" ".join(w.decode() for w in node.header.words), shape(node.children)])
        else:
            assert isinstance(node, Statement)
            result.append(" ".join(w.decode() for w in node.words))
    return result


def of(text: str, config_id: str = "lb1") -> object:
    return shape(parse_bytes(text.encode(), config_id=config_id).root)


def problems(text: str) -> list[tuple[int, str]]:
    return [(place.line, what) for place, what in parse_bytes(text.encode()).problems]


@pytest.mark.parametrize(
    ("text", "words_"),
    [
        (b"a b  c", (b"a", b"b", b"c")),
        (b'A"B C"D', (b"A", b"B C", b"D")),
        (b"a 'b c'", (b"a", b"'b", b"c'")),
        (b'a "b\xc2\xa0c', (b"a",)),
        (b"a\xc2\xa0b", (b"a\xc2\xa0b",)),
        (b'a ""', (b"a", b"")),
    ],
)
def test_words(text: bytes, words_: tuple[bytes, ...]) -> None:
    assert words(text) == words_


def test_script_words_take_both_quotes_and_escapes() -> None:
    assert script_words(rb"""notify "cmd 'a b' c" 'x'"y"\ z \x41""") == (
        b"notify",
        b"cmd 'a b' c",
        b"xy z",
        b"A",
    )
    assert script_words(b'a "b') == ()
    assert script_words(b"a b\\") == ()


def test_comments_begin_anywhere_outside_quotes() -> None:
    assert of("global_defs {\n router_id A#b\n}\n") == [["global_defs", ["router_id A"]]]
    assert of('global_defs {\n router_id "A#b"\n}\n') == [["global_defs", ["router_id A#b"]]]
    # Two passes in every version since 2.2.0: the backslash saves nothing.
    assert of("global_defs {\n router_id A\\#b\n}\n") == [["global_defs", ["router_id A"]]]
    line = parse_bytes(b'router_id "# no" # yes').root[0]
    assert isinstance(line, Statement)
    assert line.comment == b"# yes"


def test_braces_split_glued_or_not() -> None:
    text = "vrrp_instance VI_1{\npriority 5}vrrp_instance VI_2\n\n# x\n{state MASTER\n}"
    assert of(text) == [
        ["vrrp_instance VI_1", ["priority 5"]],
        ["vrrp_instance VI_2", ["state MASTER"]],
    ]


def test_one_statement_per_line_after_a_brace() -> None:
    text = "vrrp_instance A { authentication { auth_type PASS auth_pass x } }\n"
    assert of(text) == [["vrrp_instance A", [["authentication", ["auth_type PASS auth_pass x"]]]]]


def test_value_block_entries_are_not_keywords() -> None:
    text = "vrrp_instance A {\n virtual_ipaddress { 10.0.0.1/24 10.0.0.2 }\n priority 5\n}\n"
    assert of(text) == [
        ["vrrp_instance A", [["virtual_ipaddress", ["10.0.0.1/24 10.0.0.2"]], "priority 5"]]
    ]
    assert problems(text) == []


def test_unknown_block_unbalances_as_in_keepalived() -> None:
    text = "vrrp_instance A {\n foo {\n bar\n }\n priority 5\n}\n"
    assert of(text) == [["vrrp_instance A", ["foo", "{", "bar"]], "priority 5", "}"]
    assert [line for line, _ in problems(text)] == [2, 2, 3, 5, 6]


def test_missing_braces_are_named() -> None:
    assert "missing" in problems("vrrp_instance A {\n priority 5\n")[0][1]
    assert "missing at the beginning" in problems("vrrp_instance A\n priority 5\n}\n")[0][1]
    assert problems("}\n") == [(1, "'}' closes nothing")]


def test_conditions() -> None:
    text = "@lb1 instance a\n@lb2 instance b\n@^lb2 instance c\n@lb1\n"
    assert of(text) == ["instance a", "instance c"]
    assert of(text, "lb2") == ["instance b"]
    statement = next(parse_bytes(text.encode(), config_id="lb1").walk())
    assert statement.condition == b"lb1"
    assert statement.literal
    assert statement.column == 6


def test_definitions() -> None:
    text = "$A=1 2\n$B=${A} 3\ninstance $B\ninstance $A.x ${A}.x $none\n"
    assert of(text) == ["instance 1 2 3", "instance $A.x 1 2.x $none"]
    tree = parse_bytes(text.encode())
    substituted = next(tree.walk())
    assert substituted.provenance is Provenance.SUBSTITUTED
    assert substituted.word(0).span is not None
    assert substituted.word(1).span is None


def test_multiline_definition_and_repetition() -> None:
    text = (
        "$RS= real_server 10.0.0.${i} 80 { \\\n  weight 1 \\\n }\n"
        "virtual_server 10.0.0.1 80 {\n~SEQ(i,3,4) $RS\n}\n"
    )
    assert of(text) == [
        [
            "virtual_server 10.0.0.1 80",
            [["real_server 10.0.0.3 80", ["weight 1"]], ["real_server 10.0.0.4 80", ["weight 1"]]],
        ]
    ]
    block = next(next(parse_bytes(text.encode()).blocks()).blocks(b"real_server"))
    assert block.header.provenance is Provenance.REPEATED
    assert block.place.line == 5


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("~SEQ(x,3) instance ${x}", ["1", "2", "3"]),
        ("~SEQ(x,2,1) instance ${x}", ["2", "1"]),
        ("~SEQ(x,1,2,6) instance ${x}", ["1", "3", "5"]),
        ("~SEQx(x,9,11) instance ${x}", ["9", "a", "b"]),
        ("~SEQ(x,0x10,16) instance ${x}", ["16"]),
        ("~LST(x,a,b) instance ${x}", ["a", "b"]),
        ("~LST({x,y},{a,b},{c}) instance ${x}${y}", ["ab", "c"]),
        ("~SEQ(x,1,-1,5) instance ${x}", []),
        ("~LST(x,{a,b}) instance ${x}", []),
    ],
)
def test_repetitions(line: str, values: list[str]) -> None:
    assert of(line + "\n") == [f"instance {value}" for value in values]


def test_what_uses_itself_is_left_at_once() -> None:
    """616 rounds, each of which would grow to the longest line there can be, took seconds."""
    with pytest.MonkeyPatch.context() as patch:
        replaced = 0
        whole = Text.replaced

        def counted(text: Text, start: int, end: int, value: bytes) -> Text:
            nonlocal replaced
            replaced += 1
            return whole(text, start, end, value)

        patch.setattr(Text, "replaced", counted)
        tree = check(b"$W=5\n$A=x $B y\n$B=z $A\n~SEQ(i,616) $A\n~SEQ(i,3) weight $W\n")
    assert [s.words for s in tree.walk()] == [(b"weight", b"5")] * 3
    assert replaced == 3


def test_endless_text_ends() -> None:
    for text in (
        "$A=T}. $A\n$A\n",
        "$A=~}{ $A\n$A\n",
        "$A=$A\n$A\n",
        "~SEQ(i,1,999999999) instance ${i}\n",
        "$A= $A \\\n$A\n$A\n",
    ):
        assert problems(text)


def test_long_line_is_read_in_pieces() -> None:
    found = problems("# " + "x" * 1100 + " tail of it\n")
    assert "longer than 1023" in found[0][1]
    assert found[1][1].startswith("unknown keyword")


def test_crlf_bom_and_nul() -> None:
    assert of("instance a\r\ninstance b") == ["instance a", "instance b"]
    assert problems("\ufeffinstance a\n") == [(1, "unknown keyword")]
    assert of("instance a\0b\ninstance c\n") == ["instance a", "instance c"]


PASSWORDS = st.from_regex(re.compile(r"[A-Za-z0-9{}#!$\"' ~@-]{4,12}", re.ASCII), fullmatch=True)


@given(
    PASSWORDS.map(lambda p: "Zq7" + p),
    st.sampled_from(
        [
            "vrrp_instance A {{\nauthentication {{\nauth_type PASS\nauth_pass {}\n}}\n}}\n",
            "vrrp_instance A {{ authentication {{ auth_type PASS auth_pass {} }} }}\n",
            "auth_pass {}\n",
            "authentication {{\nauth_type PASS\nauth_pass\n{}\n}}\n",
            "vrrp_instance A {{\nauthentication {{\nauth_type PASS\nauth_pass\n{}\n}}\n}}\n",
            "$P={}\nvrrp_instance A {{\nauthentication {{\nauth_pass $P\n}}\n}}\n",
            "SSL {{\npassword {}\n}}\n",
            "vrrp_instance A {{\nauth_hmac {{\nkey 1 {}\n}}\n}}\n",
        ]
    ),
)
def test_no_problem_shows_a_password(password: str, text: str) -> None:
    for _, message in parse_bytes(text.format(password).encode()).problems:
        assert "Zq7" not in message
        for part in re.split(r"[{}#!\"' $@]", password):
            assert len(part) < 4 or part not in message
