"""Small configurations with one fault each, as measured with six versions of keepalived: what ends
or empties the daemon is lethal by our own rules, without its binary; what is sound is quiet."""

from __future__ import annotations

import pytest

from lvstui.keepalived.lint.rules import lint
from lvstui.keepalived.lint.surroundings import Surroundings
from lvstui.keepalived.meaning.view import view
from lvstui.keepalived.text.parser import parse_bytes
from lvstui.model.finding import Finding
from tests.unit.keepalived.lint.cases import CASES, DIES, HOST, LETHAL, NEEDS_HOST, NOTE, QUIET


def findings(text: str, host: Surroundings | None = HOST) -> tuple[Finding, ...]:
    tree = parse_bytes(text.encode(), "/etc/keepalived/keepalived.conf", "router")
    return lint(tree, view(tree), host)


def test_every_case_of_the_matrix_is_here() -> None:
    assert len(CASES) == 139
    assert all(CASES[name][1] is LETHAL for name in DIES)


@pytest.mark.parametrize("name", sorted(CASES))
def test_severity(name: str) -> None:
    text, expected = CASES[name]
    found = findings(text)
    told = [f"{f.severity.value} {f.rule}: {f.text}" for f in found]
    if expected is QUIET:
        assert all(f.severity is NOTE for f in found), told
    else:
        assert found, "nothing was found"
        assert found[0].severity is expected, told
        assert found[0].place is not None


@pytest.mark.parametrize("name", sorted(DIES - NEEDS_HOST))
def test_lethal_without_any_knowledge_of_the_host(name: str) -> None:
    assert findings(CASES[name][0], None)[0].severity is LETHAL
