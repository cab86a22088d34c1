"""The values of a virtual service, its real servers and their checks."""

from __future__ import annotations

from collections.abc import Iterator

from lvstui.keepalived.keywords import CHECKERS, REAL_SERVER, VIRTUAL_SERVER, Keywords, Version
from lvstui.keepalived.meaning.effective.trace import Level, others, trace, typed, written
from lvstui.keepalived.meaning.effective.value import Origin, Section, Value
from lvstui.keepalived.meaning.services import Read
from lvstui.keepalived.text.tree import Block
from lvstui.model.config import ConfiguredChecker, ConfiguredServer, ConfiguredService

_WHY = {
    "ops": "one-packet scheduling needs UDP",
    "quorum": "over the weight of all servers together",
    "hysteresis": "has to be below the quorum",
}
"""What makes keepalived take something else than a line says."""


def service_section(
    block: Block, read: Read, service: ConfiguredService, version: Version
) -> Section:
    """One of the services that `block` gave."""
    levels = (Level(block, VIRTUAL_SERVER),)
    header = block.header
    if service.group:
        name, title, at = "virtual_server_group", service.group, 2
    else:
        name, title, at = "virtual_server", str(service.key), 1
    values = [Value(name, title, Origin.WRITTEN, header.word_place(at))]
    if service.key.protocol != "fwmark":
        absent = "no protocol is set"
        values.append(trace("protocol", service.key.protocol, levels, absent=absent))
    values.append(_persistence(block, service, levels))
    values += typed(
        "lb_algo lb_kind ops persistence_engine persistence_granularity quorum hysteresis alpha "
        "omega ha_suspend quorum_up quorum_down",
        service,
        levels,
        _WHY,
    )
    if service.sorry_server is not None:
        *_, sorry = block.statements(b"sorry_server")
        place = sorry.word_place(1)
        values.append(Value("sorry_server", str(service.sorry_server), Origin.WRITTEN, place))
        kind = Level(block, VIRTUAL_SERVER, "lb_kind of the service", alias="lb_kind")
        name, forwarding = "sorry_server_lvs_method", service.sorry_forwarding
        values.append(trace(name, forwarding, (*levels, kind)))
    done = "protocol sorry_server sorry_server_lvs_method"
    values += others(block, VIRTUAL_SERVER, values, version, done)
    outer = b" ".join((b"virtual_server", *header.words[1:3])).decode("ascii", "replace")
    around = Level(block, VIRTUAL_SERVER, outer)
    servers = tuple(
        _server(around, inner, server, version)
        for inner, server in zip(read.servers, service.servers, strict=True)
    )
    return Section("service", str(service.key), block.place, tuple(values), servers, service.key)


def _persistence(block: Block, service: ConfiguredService, levels: tuple[Level, ...]) -> Value:
    value = trace("persistence_timeout", service.persistence_s, levels)
    if value.origin is not Origin.DEFAULT:
        return value
    if service.persistence_s is None:
        return Value("persistence_timeout", None, Origin.DEFAULT)
    place, why = None, "a service without a port needs it"
    for line in block.statements(b"persistence_granularity"):
        place, why = line.place, "persistence_granularity turns it on"
        if len(line.words) > 1:
            place = line.word_place(1)
    return Value(value.keyword, value.value, Origin.DEFAULT, place, why, value.unit)


def _server(around: Level, block: Block, server: ConfiguredServer, version: Version) -> Section:
    """`around` is its virtual server."""
    own = Level(block, REAL_SERVER, "real_server")
    levels = (own, around)
    values = [
        Value("address", server.key.address, Origin.WRITTEN, block.header.word_place(1)),
        _port(server, block, around.title),
        *typed("weight lvs_method inhibit_on_failure uthreshold lthreshold", server, levels),
        _alpha(block, server, levels),
        *typed("notify_up notify_down", server, levels),
    ]
    values += others(block, REAL_SERVER, values, version)
    checks: list[Section] = []
    for check in block.blocks(*CHECKERS):
        # keepalived drops a check that it cannot use, and so does the typed view.
        following = server.checkers[len(checks) :]
        if following and (following[0].place, following[0].kind.encode()) == (
            check.place,
            check.keyword,
        ):
            checks.append(_checker(check, following[0], levels, version))
    return Section("server", str(server.key), block.place, tuple(values), tuple(checks))


def _port(server: ConfiguredServer, block: Block, outer: str) -> Value:
    port, words = server.key.port, block.header.words
    if len(words) < 3 or not words[2].strip(b"0"):
        return Value("port", port, Origin.INHERITED, None, outer)
    place = block.header.word_place(2)
    if words[2].isdigit() and int(words[2]) == port:
        return Value("port", port, Origin.WRITTEN, place)
    why = "outside NAT a packet keeps the service's port"
    return Value("port", port, Origin.ADJUSTED, place, why)


def _alpha(block: Block, server: ConfiguredServer, levels: tuple[Level, ...]) -> Value:
    """A check's own alpha counts first: only a check that has not run holds a server down."""
    for check in block.blocks(*CHECKERS):
        kind = check.keyword
        found = trace("alpha", server.alpha, (Level(check, CHECKERS[kind].inner or {}),))
        if found.origin is Origin.WRITTEN:
            return Value("alpha", server.alpha, Origin.INHERITED, found.place, kind.decode())
    return trace("alpha", server.alpha, levels, why="a check says otherwise")


def _checker(
    block: Block, checker: ConfiguredChecker, outside: tuple[Level, ...], version: Version
) -> Section:
    table = CHECKERS[block.keyword].inner or {}
    levels = (Level(block, table), *outside)
    delay = checker.delay_loop_s
    values = [Value("target", checker.target, Origin.WRITTEN, block.place)]
    if b"delay_loop" in table:
        values += typed("delay_loop", checker, levels)
    if checker.kind == "MISC_CHECK":
        timeout = checker.connect_timeout_s
        values.append(trace("misc_timeout", timeout, levels, absent="as long as delay_loop"))
    elif b"connect_timeout" in table:
        values += typed("connect_timeout", checker, levels)
    # What the typed view does not hold: how long it waits between tries and at the start, and
    # whether this check counts as failed until it has run.
    usual = {"alpha": False, "warmup": delay}
    if b"retry" in table:
        values += typed("retry", checker, levels)
        between = {"HTTP_GET": 3.0, "SSL_GET": 3.0, "DNS_CHECK": delay}
        usual["delay_before_retry"] = between.get(checker.kind, 1.0)
    for name in ("delay_before_retry", "warmup", "alpha"):
        if name.encode() in table:
            found = written(name, levels)
            values.append(trace(name, usual[name] if found is None else found, levels))
    values += others(block, table, values, version)
    nested = tuple(_nested(block, table, version))
    return Section("checker", checker.kind, block.place, tuple(values), nested)


def _nested(block: Block, table: Keywords, version: Version) -> Iterator[Section]:
    """The blocks in a check: urls, hosts."""
    for child in block.blocks():
        keyword = table.get(child.keyword)
        if keyword is not None and keyword.inner is not None:
            values = others(child, keyword.inner, (), version)
            yield Section(keyword.name, keyword.name, child.place, tuple(values))
