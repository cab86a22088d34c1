"""Every rule, one family a file. A rule takes a `LintContext` and gives findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lvstui.keepalived.lint.context import LintContext, Peer, context_of
from lvstui.keepalived.lint.rules import (
    addresses,
    grammar,
    instances,
    interfaces,
    losses,
    pair,
    priorities,
    problems,
    scripts,
    services,
)
from lvstui.keepalived.lint.surroundings import Surroundings
from lvstui.keepalived.text.tree import Tree
from lvstui.model.config import Configuration
from lvstui.model.finding import Finding, worst_first

Rule = Callable[[LintContext], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    losses.modes,
    losses.emptiness,
    losses.lost_blocks,
    problems.problems,
    grammar.missing_values,
    grammar.open_quotes,
    grammar.foreign_bytes,
    grammar.unfilled,
    grammar.extra_words,
    grammar.crowded_entries,
    instances.essentials,
    instances.advertised,
    instances.twice,
    instances.prefixes,
    instances.strictness,
    instances.elections,
    instances.tracked,
    instances.authentication,
    interfaces.existence,
    priorities.arithmetic,
    scripts.files,
    scripts.arguments,
    scripts.users,
    services.forwarding,
    services.duplicates,
    services.pools,
    services.unchecked,
    services.http_checks,
    services.check_ports,
    services.old_words,
    addresses.vips_of_services,
    addresses.links,
    pair.instances,
    pair.versions,
    pair.services,
)


def lint(
    tree: Tree,
    configuration: Configuration,
    surroundings: Surroundings | None = None,
    peer: Peer | None = None,
) -> tuple[Finding, ...]:
    """Everything that is wrong with a configuration, worst first.

    `configuration` is the view of `tree`. Without `surroundings` nothing is said about
    interfaces, scripts and users; without a `peer` nothing about the other director. A main file
    that cannot be loaded has no tree: `losses.unloadable` gives its finding.
    """
    context = context_of(tree, configuration, surroundings, peer)
    return worst_first([finding for rule in RULES for finding in rule(context)])
