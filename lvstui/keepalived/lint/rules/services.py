"""One virtual_server alone: forwarding, pool, quorum, checks."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterator

from lvstui.keepalived.lint.context import LintContext, error, note, warning
from lvstui.keepalived.lint.routers import number, value
from lvstui.model.config import ConfiguredService, Place
from lvstui.model.finding import Finding, FindingSeverity
from lvstui.model.keys import ServiceKey

_FIXED_CRASH = (2, 2, 8)
_MD5 = re.compile(rb"[0-9A-Fa-f]{32}")


def forwarding(context: LintContext) -> Iterator[Finding]:
    """NAT beside direct routing."""
    kinds = Counter(service.forwarding for service in context.configuration.services)
    for service in _first_of_group(context):
        methods = {server.forwarding for server in service.servers}
        if len(methods) > 1 and "NAT" in methods:
            other = next(server for server in service.servers if server.forwarding == "NAT")
            yield warning(
                "nat-beside-direct-routing",
                f"{service.key}: real server {other.key} gets NAT, others "
                f"{', '.join(sorted(methods - {'NAT'}))}",
                other.place,
                evidence="a server behind NAT has to answer through the director",
                fix="lvs_method DR, or none at all",
            )
        elif service.forwarding == "NAT" and kinds["DR"] > kinds["NAT"]:
            yield note(
                "nat-among-direct-routing",
                f"{service.key} uses NAT; {kinds['DR']} other services use DR",
                service.place,
                fix="lb_kind DR, unless NAT is meant",
            )


def duplicates(context: LintContext) -> Iterator[Finding]:
    """Two virtual_servers of one address: keepalived says nothing, and the last one wins."""
    first: dict[ServiceKey, Place | None] = {}
    for service in context.configuration.services:
        if service.key in first:
            before = first[service.key]
            yield error(
                "service-twice",
                f"{service.key} is configured twice",
                service.place,
                evidence=f"first at {before}; both write the same entry of the IPVS table"
                if before
                else "",
                fix="merge the two",
            )
        first.setdefault(service.key, service.place)


def pools(context: LintContext) -> Iterator[Finding]:
    """Weights, quorum, thresholds, servers that are the VIP itself."""
    for service in _first_of_group(context):
        total = sum(server.weight for server in service.servers)
        written = _quorum(context, service)
        if total == 0:
            yield warning(
                "weights-all-zero",
                f"{service.key}: every weight is 0: nobody is served, and its quorum counts as "
                "lost until the next reload with a weight",
                service.place,
                evidence="quorum becomes 0 and hysteresis 4294967295 (an underflow)",
                fix="leave one server a weight; drain the others",
            )
        elif written > total:
            text = (
                f"{service.key}: quorum {written} is over the sum of its weights: keepalived takes "
                f"{total}"
            )
            yield warning("quorum-over-weights", text, service.place, fix=f"quorum 1 to {total}")
        for server in service.servers:
            if server.upper_threshold < server.lower_threshold:
                yield error(
                    "thresholds-crossed",
                    f"{service.key}: {server.key} has uthreshold {server.upper_threshold} below "
                    f"lthreshold {server.lower_threshold}",
                    server.place,
                    evidence="the kernel refuses such a server (ERANGE), it is never in the table; "
                    "without any uthreshold, too",
                    fix="lthreshold below uthreshold",
                )
            if service.key.address and server.key.address == service.key.address:
                yield warning(
                    "server-is-vip",
                    f"{service.key}: a real server has the address of the service itself",
                    server.place,
                    fix="the address of the server's own interface",
                )


def _quorum(context: LintContext, service: ConfiguredService) -> int:
    """The quorum as written, 1 without any."""
    block = context.block_of.get(service.place) if service.place else None
    line = block.last(b"quorum") if block is not None else None
    return number(line) or 1


def unchecked(context: LintContext) -> Iterator[Finding]:
    """Real servers that no check looks at."""
    for service in _first_of_group(context):
        bare = [server for server in service.servers if not server.checkers]
        if bare:
            total = len(service.servers)
            yield warning(
                "server-without-check",
                f"{service.key}: {len(bare)} of {total} real servers without any check: one that "
                "is down stays in the pool",
                bare[0].place,
                fix="TCP_CHECK { } in the real_server",
            )


def http_checks(context: LintContext) -> Iterator[Finding]:
    """HTTP_GET without url, url without path: keepalived up to 2.2.7 crashes."""
    crashes = not context.known_from(*_FIXED_CRASH)
    for virtual in context.virtual_servers:
        for real in virtual.blocks(b"real_server"):
            for check in real.blocks(b"HTTP_GET", b"SSL_GET"):
                urls = list(check.blocks(b"url"))
                lame = [url for url in urls if not value(url.last(b"path"))]
                for block in lame or ([] if urls else [check]):
                    what = "url without path" if lame else "no url"
                    then = "keepalived before 2.2.8 crashes" if crashes else "it is dropped"
                    yield Finding(
                        "http-check-without-path",
                        FindingSeverity.LETHAL if crashes else FindingSeverity.ERROR,
                        f"{check.keyword.decode()}: {what}: {then}",
                        block.place,
                        fix="url { path / } on lines of their own",
                    )
                for url in urls:
                    digest = url.last(b"digest")
                    if digest is not None and not _MD5.fullmatch(value(digest)):
                        text = "digest: 32 hexadecimal digits are expected; the line is ignored"
                        yield error("digest-invalid", text, digest.place, fix="genhash prints it")


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
                yield error(
                    "check-without-port",
                    f"{check.kind} of {server.key} in {service.key} connects to port 0 and always "
                    "fails: the server is never up",
                    check.place,
                    evidence="neither the real_server nor connect_port has a port",
                    fix="write the port behind the real_server's address, or connect_port",
                )


def old_words(context: LintContext) -> Iterator[Finding]:
    """Keywords that keepalived takes and complains about; granularities that it refuses."""
    for virtual in context.virtual_servers:
        line = virtual.last(b"persistence_granularity")
        if line is not None and value(line) and not _granularity(value(line)):
            text = "persistence_granularity: a netmask, for IPv6 a length of prefix"
            yield error("granularity-invalid", text, line.place, fix="255.255.255.0")
        for real in virtual.blocks(b"real_server"):
            for check in real.blocks(b"HTTP_GET", b"SSL_GET"):
                for old in check.statements(b"nb_get_retry"):
                    yield note("keyword-old", "nb_get_retry is old", old.place, fix="retry")


def _granularity(word: bytes) -> bool:
    text = word.decode("ascii", "replace")
    if text.isdigit():
        return 1 <= int(text) <= 128
    try:
        ipaddress.IPv4Network(f"0.0.0.0/{text}")
    except ValueError:
        return False
    return text.count(".") == 3


def _first_of_group(context: LintContext) -> Iterator[ConfiguredService]:
    """Every virtual_server once, however many addresses its group has."""
    seen: set[Place] = set()
    for service in context.configuration.services:
        if service.place is None or service.place not in seen:
            yield service
        if service.place is not None:
            seen.add(service.place)
