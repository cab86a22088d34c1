"""Where checks connect to: the port as it is written, not the one that the server ends up with."""

from __future__ import annotations

from collections.abc import Iterator

from lvstui.keepalived.lint.context import LintContext
from lvstui.model.config import Place
from lvstui.model.finding import Finding, FindingSeverity

_CONNECTS = frozenset(("TCP_CHECK", "HTTP_GET", "SSL_GET"))
_NOWHERE = " port 0"


def check_ports(context: LintContext) -> Iterator[Finding]:
    """A real_server without a port gets that of its service, its checks do not: keepalived took
    their address before (queue_checker in check_api.c; seen to fail with 2.2.7)."""
    seen: set[Place | None] = set()
    for service in context.configuration.services:
        for server in service.servers:
            for check in server.checkers:
                if check.kind not in _CONNECTS or not check.target.endswith(_NOWHERE):
                    continue
                if check.place in seen:
                    continue
                seen.add(check.place)
                yield Finding(
                    "check-without-port",
                    FindingSeverity.ERROR,
                    f"{check.kind} of {server.key} in {service.key} connects to port 0 and always "
                    "fails: the server is never up",
                    check.place,
                    evidence="neither the real_server nor connect_port has a port",
                    fix="write the port behind the real_server's address, or connect_port",
                )
