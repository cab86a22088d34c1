"""What has to hold for every input."""

from __future__ import annotations

from dataclasses import dataclass

from lvstui.keepalived.diff import difference
from lvstui.keepalived.lint.rules import lint
from lvstui.keepalived.meaning.view import view
from lvstui.keepalived.text.lazy import LazyBlock
from lvstui.keepalived.text.mask import mask, secrets_of
from lvstui.keepalived.text.parser import parse_bytes
from lvstui.keepalived.text.tree import Provenance, write


@dataclass(frozen=True, slots=True)
class Found:
    """What was in an input."""

    statements: int
    folded: int


def check(data: bytes) -> Found:
    """Read and written, `data` is the same; every span holds what its word says; its view can be
    made, judged, compared and masked. Raises AssertionError."""
    tree = parse_bytes(data, config_id="lb1")
    assert write(tree) == data, "the round trip changed the file"
    folded = sum(isinstance(node, LazyBlock) for node in tree.root)
    count = 0
    for statement in tree.walk():
        count += 1
        assert statement.words, "a statement without words"
        if statement.provenance is Provenance.REPEATED:
            continue
        for index, value in enumerate(statement.words):
            span = statement.word(index).span
            if span is not None:
                assert data[span[0] : span[1]].strip(b'"') == value.strip(b'"'), "a span is wrong"
    configuration = view(tree)
    assert len(tree.digest) == 64
    lint(tree, configuration)
    assert difference(configuration, configuration, tree, tree) == ()
    assert mask(data, secrets_of(tree)).count(b"\n") == data.count(b"\n"), "a masked line is lost"
    return Found(count, folded)
