"""The two directors' virtual services against each other: what a failover would change."""

from __future__ import annotations

from collections.abc import Iterator

from lvstui.keepalived.lint.context import LintContext, Peer
from lvstui.model.config import ConfiguredService
from lvstui.model.finding import Finding, FindingSeverity

_SHOWN = 6


def services(context: LintContext) -> Iterator[Finding]:
    """Both must serve the same."""
    peer = context.peer
    if peer is None or not (context.configuration.services or peer.configuration.services):
        return
    theirs = {service.key: service for service in peer.configuration.services}
    mine = {service.key: service for service in context.configuration.services}
    for key, service in mine.items():
        if key in theirs:
            yield from _compare(peer, service, theirs[key])
        else:
            yield Finding(
                "service-on-one-director",
                FindingSeverity.ERROR,
                f"{key} is not on {peer.name}",
                service.place,
                evidence="after a failover nobody serves it",
                fix=f"add it on {peer.name}",
            )
    for key in theirs:
        if key not in mine:
            yield Finding(
                "service-on-one-director",
                FindingSeverity.ERROR,
                f"{key} of {peer.name} is not here",
                evidence="after a failover nobody serves it",
                fix="add it here",
            )


def _compare(peer: Peer, mine: ConfiguredService, theirs: ConfiguredService) -> Iterator[Finding]:
    if mine.servers == theirs.servers and _head(mine) == _head(theirs):
        return
    if mine.forwarding != theirs.forwarding:
        yield Finding(
            "forwarding-differs",
            FindingSeverity.ERROR,
            f"{mine.key}: {mine.forwarding} here, {theirs.forwarding} on {peer.name}",
            mine.place,
            evidence="real servers are set up for one of them",
            fix="the same lb_kind on both",
        )
    for what, ours, others in (
        ("scheduler", mine.scheduler, theirs.scheduler),
        ("persistence", _seconds(mine), _seconds(theirs)),
        ("quorum", str(mine.quorum), str(theirs.quorum)),
    ):
        if ours != others:
            yield Finding(
                f"{what}-differs",
                FindingSeverity.WARNING,
                f"{mine.key}: {what} {ours} here, {others} on {peer.name}",
                mine.place,
                fix="the same on both",
            )
    here = {server.key: server for server in mine.servers}
    there = {server.key: server for server in theirs.servers}
    only = [f"{key} only here" for key in here if key not in there]
    only += [f"{key} only on {peer.name}" for key in there if key not in here]
    if only:
        yield Finding(
            "servers-differ",
            FindingSeverity.WARNING,
            f"{mine.key}: {_listed(only)}",
            mine.place,
            evidence="after a failover another pool serves",
            fix="the same real servers on both",
        )
    weights = [
        f"{key} {server.weight} here, {there[key].weight} on {peer.name}"
        for key, server in here.items()
        if key in there and there[key].weight != server.weight
    ]
    if weights:
        first = next(k for k, s in here.items() if k in there and there[k].weight != s.weight)
        yield Finding(
            "weights-differ",
            FindingSeverity.WARNING,
            f"{mine.key}: weight of {_listed(weights)}",
            here[first].weight_place or here[first].place,
            evidence="a server that is drained here may be in use after a failover",
            fix="the same weights on both",
        )


def _head(service: ConfiguredService) -> tuple[str, str, int | None, int]:
    return service.forwarding, service.scheduler, service.persistence_s, service.quorum


def _seconds(service: ConfiguredService) -> str:
    return "none" if service.persistence_s is None else f"{service.persistence_s} s"


def _listed(texts: list[str]) -> str:
    more = len(texts) - _SHOWN
    return "; ".join(texts[:_SHOWN]) + (f"; {more} more" if more > 0 else "")
