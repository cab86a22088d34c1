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
