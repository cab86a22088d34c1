"""What every rule is: a small function; what it yields is a disagreement."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tests.truth.view import Disagreement, View

Rule = Callable[[View], Iterator[str]]
RULES: dict[str, Rule] = {}


def rule(function: Rule) -> Rule:
    """Put it among the rules; its name is what it demands."""
    RULES[function.__name__.replace("_", " ")] = function
    return function


def compare(view: View) -> list[Disagreement]:
    """All that is wrong with a document."""
    return [
        Disagreement(name, view.director, view.source, what)
        for name, judge in RULES.items()
        for what in judge(view)
    ]


def steady(text: str) -> str:
    """Without numbers that count up."""
    return re.sub(r"\b\d+(\.\d+)? (s|min|h|d|ms)\b", "N s", text)


def kind(what: str) -> str:
    """The same for all that differ in names and numbers only."""
    what = re.sub(r"(tcp|udp) \S+|fwmark \d+", "SERVICE", what)
    what = re.sub(r"\[?[0-9a-f]*[.:][0-9a-f.:]+\]?(:\d+)?", "ADDRESS", what)
    return re.sub(r"\d+", "N", what)
