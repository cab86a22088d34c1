"""What stays folded says the same as what is read at once."""

from __future__ import annotations

import os
from dataclasses import fields

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lvstui.keepalived.keywords import ROOT
from lvstui.keepalived.meaning.view import view
from lvstui.keepalived.text.files import Files
from lvstui.keepalived.text.lazy import LazyBlock
from lvstui.keepalived.text.parser import Builder, parse_bytes
from lvstui.keepalived.text.reader import Reader
from lvstui.keepalived.text.tree import Block, Node, Statement, Tree

PLAIN = b"""\
vrrp_instance A {
    interface eth0
}
virtual_server 10.0.0.1 80 { # web
    delay_loop 5
\tlb_kind DR   ! direct

    # real_server 10.0.0.9 80 {
    real_server 10.0.0.3 80{
        weight 10 20
        HTTP_GET {
            url {
                path /
            }
        }
    } # end { of it
}
virtual_server 10.0.0.2 80 {
    lb_kind NAT
}"""

_LINES = [
    "virtual_server 10.0.0.1 80 {",
    "virtual_server 10.0.0.1 80 { # web",
    "virtual_server fwmark 5",
    "virtual_server 10.0.0.2 80{",
    "    real_server 10.0.0.3 80 {",
    "    real_server 10.0.0.4 80 { #",
    "        weight 10",
    "        weight",
    "   weight 1 } ",
    "        TCP_CHECK {",
    "    }",
    "}",
    "  }",
    "        HTTP_GET {",
    "        url {",
    "        path /",
    "    foo {",
    "    foo",
    "{",
    "",
    "  # a {",
    "    ! weight 3",
    "    lb_kind DR",
    "    lb_kind DR # x",
    "    include x",
    "    includer x",
    '    virtualhost "a b"',
    "    $A=1",
    "    weight $A",
    "@lb1 }",
    "~SEQ(i,1,2) weight $i",
    "    delay_loop 5\r",
    "    delay_loop \x0b5",
    "    \\",
    "    # \\",
    "vrrp_instance A {",
    "    persistence_timeout",
    "virtual_servers 1 {",
    "virtual_server\t1.2.3.4 5 {",
    "    }}",
    "weight 1#2",
    "alpha",
    "alpha#",
    "TCP_CHECK{",
    "    weighty 5",
    "    url { path /",
    "authentication { auth_pass x }",
    "        auth_pass",
    "\x00",
    "x" * 1022,
    "# " + "y" * 1021,
]
_WEIGHTED = [*_LINES, *_LINES[:1] * 6, *_LINES[4:5] * 6, *_LINES[9:12] * 5]


def unfolded(data: bytes) -> Tree:
    """The tree of `data`, all of it read at once."""

    def read(path: str) -> bytes:
        if path != "/keepalived.conf":
            raise FileNotFoundError(2, "No such file", path)
        return data

    reader = Reader(Files(read), "lb1")
    builder = Builder(problems=reader.problems)
    builder.take(reader.read("/keepalived.conf"))
    root = builder.finish()
    return Tree(
        tuple(reader.sources.values()),
        root,
        "lb1",
        tuple(reader.includes),
        tuple(reader.problems),
        builder.digest.value,
    )


def whole(node: Node) -> object:
    """A node as plain values, folded or not."""
    if isinstance(node, Statement):
        return tuple(getattr(node, field.name) for field in fields(node))
    around = [whole(part) if part else None for part in (node.header, node.opening, node.closing)]
    return (*around, tuple(map(whole, node.children)), node.value_block)


def same(data: bytes) -> Tree:
    one, other = parse_bytes(data, config_id="lb1"), unfolded(data)
    assert one.digest == other.digest
    assert one.problems == other.problems
    assert list(map(whole, one.root)) == list(map(whole, other.root))
    assert view(one) == view(other)
    return one


@settings(max_examples=1000 if os.environ.get("LVSTUI_MANY_FILES") else 300, deadline=None)
@given(st.lists(st.sampled_from(_WEIGHTED), max_size=40), st.booleans())
@example(["virtual_server 10.0.0.1 80 {", "    real_server 10.0.0.3 80 {", "    }", "}"], True)
def test_folded_and_read_at_once_are_the_same(lines: list[str], ended: bool) -> None:
    same(("\n".join(lines) + "\n" * ended).encode())


def test_the_plain_form_is_folded_and_nothing_else() -> None:
    tree = same(PLAIN)
    assert [isinstance(node, LazyBlock) for node in tree.root] == [False, True, True]
    for broken in (b"weight $A", b'weight "5"', b"weighty 5", b"include x", b"weight 5 }", b"{"):
        tree = same(PLAIN.replace(b"weight 10 20", broken))
        assert not isinstance(tree.root[1], LazyBlock), broken
    crlf = same(PLAIN.replace(b"\n", b"\r\n"))
    assert not any(isinstance(node, LazyBlock) for node in crlf.root)


@pytest.mark.parametrize(
    "word", sorted(word.decode() for word in ROOT[b"virtual_server"].inner or ())
)
def test_every_keyword_of_a_virtual_server(word: str) -> None:
    text = f"virtual_server 10.0.0.1 80 {{\n{word} 1\n}}\n".encode()
    leaf = word != "real_server"
    tree = same(text)
    assert isinstance(tree.root[0], LazyBlock) == leaf
    assert isinstance(tree.root[0], Block)


def test_a_text_that_is_nearly_plain_is_soon_given_up() -> None:
    """An expression that could match a line in two ways would never end here."""
    server = b"    real_server 10.0.0.3 80 {\n        weight 1 # #\n    }\n" * 2000
    tree = parse_bytes(b"virtual_server 10.0.0.1 80 {\n" + server + b"    weight 1 }\n")
    assert not isinstance(tree.root[0], LazyBlock)
