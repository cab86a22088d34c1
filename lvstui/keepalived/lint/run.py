"""A configuration judged by our own rules."""

from __future__ import annotations

from lvstui.keepalived.lint.context import Peer, context_of
from lvstui.keepalived.lint.rules import RULES
from lvstui.keepalived.lint.surroundings import Surroundings
from lvstui.keepalived.text.tree import Tree
from lvstui.model.config import Configuration
from lvstui.model.finding import Finding, worst_first


def lint(
    tree: Tree,
    configuration: Configuration,
    surroundings: Surroundings | None = None,
    peer: Peer | None = None,
) -> tuple[Finding, ...]:
    """Everything that is wrong with a configuration, worst first.

    `configuration` is the view of `tree`. Without `surroundings` nothing is said about
    interfaces, scripts and users; without a `peer` nothing about the other director. A main file
    that cannot be loaded has no tree: `rules.losses.unloadable` gives its finding.
    """
    context = context_of(tree, configuration, surroundings, peer)
    return worst_first([finding for rule in RULES for finding in rule(context)])


def together(own: tuple[Finding, ...], tested: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Our findings and those of `keepalived -t` as one list, worst first.

    Of keepalived's own, those are left out that a rule of ours says at least as badly: about the
    same line, or by the same name where keepalived gives no line.
    """
    worst: dict[tuple[str, int], int] = {}
    by_rule: dict[str, int] = {}
    for finding in own:
        rank = finding.severity.rank
        by_rule[finding.rule] = min(rank, by_rule.get(finding.rule, rank))
        if finding.place is not None:
            line = finding.place.file, finding.place.line
            worst[line] = min(rank, worst.get(line, rank))

    def said(finding: Finding) -> bool:
        rank, place = finding.severity.rank, finding.place
        if place is None:
            return by_rule.get(finding.rule.removeprefix("-t:"), rank + 1) <= rank
        return worst.get((place.file, place.line), rank + 1) <= rank

    return worst_first([*own, *(finding for finding in tested if not said(finding))])
