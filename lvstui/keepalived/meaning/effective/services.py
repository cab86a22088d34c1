"""The values of a virtual service, its real servers and their checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lvstui.keepalived.keywords import CHECKERS, ROOT, Keywords
from lvstui.keepalived.meaning.effective.trace import (
    Level,
    Plain,
    Read,
    count,
    flag,
    lower,
    others,
    present,
    script,
    seconds,
    trace,
    word,
)
from lvstui.keepalived.meaning.effective.value import Origin, Section, Value
from lvstui.keepalived.meaning.services import Read as ServiceRead
from lvstui.keepalived.meaning.virtual_servers import DEFAULT_PERSISTENCE
from lvstui.keepalived.text.tree import Block, Statement
from lvstui.model.config import ConfiguredChecker, ConfiguredServer, ConfiguredService, Place

_VIRTUAL: Keywords = ROOT[b"virtual_server"].inner or {}
_REAL: Keywords = _VIRTUAL[b"real_server"].inner or {}


@dataclass(frozen=True, slots=True)
class _Spec:
    """One field of the typed view, and the lines that it can come from."""

    keyword: str
    get: Callable[[ConfiguredService], Plain]
    read: Read
    synonyms: tuple[bytes, ...] = ()
    why: str = ""

    @property
    def keywords(self) -> tuple[bytes, ...]:
        """Every spelling."""
        return (self.keyword.encode(), *self.synonyms)


_SERVICE = (
    _Spec("lb_algo", lambda s: s.scheduler, word, (b"lvs_sched",)),
    _Spec("lb_kind", lambda s: s.forwarding, word, (b"lvs_method",)),
    _Spec("ops", lambda s: s.one_packet, present, why="one-packet scheduling needs UDP"),
    _Spec("persistence_engine", lambda s: s.persistence_engine or None, word),
    _Spec("persistence_granularity", lambda s: s.persistence_granularity or None, word),
    _Spec("quorum", lambda s: s.quorum, count, why="over the weight of all servers together"),
    _Spec("hysteresis", lambda s: s.hysteresis, count, why="has to be below the quorum"),
    _Spec("alpha", lambda s: s.alpha, present),
    _Spec("omega", lambda s: s.omega, present),
    _Spec("ha_suspend", lambda s: s.ha_suspend, present),
    _Spec("quorum_up", lambda s: s.quorum_up or None, script),
    _Spec("quorum_down", lambda s: s.quorum_down or None, script),
)


def service_sections(block: Block, read: ServiceRead, version: tuple[int, ...]) -> list[Section]:
    """One for each service that `block` gave."""
    return [_service(block, read, service, version) for service in read.services]


def _service(
    block: Block, read: ServiceRead, service: ConfiguredService, version: tuple[int, ...]
) -> Section:
    values = [_identity(block, service)]
    done = {"protocol", "persistence_timeout", "sorry_server", "sorry_server_lvs_method"}
    if service.key.protocol != "fwmark":
        values.append(
            trace(
                "protocol",
                service.key.protocol,
                (Level(block, (b"protocol",)),),
                lower,
                absent="no protocol is set",
            )
        )
    values.append(_persistence(block, service))
    for spec in _SERVICE:
        level = Level(block, spec.keywords)
        values.append(trace(spec.keyword, spec.get(service), (level,), spec.read, why=spec.why))
        done.update(keyword.decode() for keyword in spec.keywords)
    values += _sorry(block, service)
    values += others(block, _VIRTUAL, done, version)
    servers = tuple(
        _server(block, inner, server, version)
        for inner, server in zip(read.servers, service.servers, strict=True)
    )
    return Section("service", str(service.key), block.place, tuple(values), servers, service.key)


def _identity(block: Block, service: ConfiguredService) -> Value:
    """What the service is: its address or mark as the header has it, or its group."""
    if service.group:
        return Value(
            "virtual_server_group", service.group, Origin.WRITTEN, block.header.word_place(2)
        )
    return Value("virtual_server", str(service.key), Origin.WRITTEN, block.header.word_place(1))


def _persistence(block: Block, service: ConfiguredService) -> Value:
    keyword = "persistence_timeout"
    value = service.persistence_s
    written = trace(keyword, value, (Level(block, (b"persistence_timeout",)),), _timeout, unit="s")
    if written.origin is not Origin.DEFAULT:
        return written
    if value is None:
        return Value(keyword, None, Origin.DEFAULT)
    other = trace(
        keyword, value, (Level(block, (b"persistence_granularity",)),), _turned_on, unit="s"
    )
    if other.origin is Origin.DEFAULT:
        return Value(keyword, value, Origin.DEFAULT, None, "a service without a port needs it", "s")
    return Value(
        keyword, value, Origin.DEFAULT, other.place, "persistence_granularity turns it on", "s"
    )


def _timeout(line: Statement) -> Plain:
    return count(line) if len(line.words) > 1 else DEFAULT_PERSISTENCE


def _turned_on(line: Statement) -> Plain:
    return DEFAULT_PERSISTENCE


def _sorry(block: Block, service: ConfiguredService) -> list[Value]:
    if service.sorry_server is None:
        return []
    found = list(block.statements(b"sorry_server"))
    place = found[-1].word_place(1) if found else None
    levels = (
        Level(block, (b"sorry_server_lvs_method",)),
        Level(block, (b"lb_kind", b"lvs_method"), "lb_kind of the service"),
    )
    return [
        Value("sorry_server", str(service.sorry_server), Origin.WRITTEN, place),
        trace("sorry_server_lvs_method", service.sorry_forwarding, levels, word),
    ]


def _outer(block: Block) -> str:
    words = block.header.words[1:3]
    return " ".join(("virtual_server", *(w.decode("ascii", "replace") for w in words)))


def _server(
    virtual: Block, block: Block, server: ConfiguredServer, version: tuple[int, ...]
) -> Section:
    outer = _outer(virtual)

    def both(keyword: bytes, *outside: bytes) -> tuple[Level, Level]:
        return Level(block, (keyword,)), Level(virtual, outside or (keyword,), outer)

    header = block.header
    port_place = header.word_place(2) if len(header.words) > 2 else None
    values = [
        Value("address", server.key.address, Origin.WRITTEN, header.word_place(1)),
        _port(server, port_place, header.words[2] if len(header.words) > 2 else b"", outer),
        trace("weight", server.weight, both(b"weight"), count),
        trace(
            "lvs_method", server.forwarding, both(b"lvs_method", b"lb_kind", b"lvs_method"), word
        ),
        trace("inhibit_on_failure", server.inhibit_on_failure, both(b"inhibit_on_failure"), flag),
        trace("uthreshold", server.upper_threshold, both(b"uthreshold")[:1], count),
        trace("lthreshold", server.lower_threshold, both(b"lthreshold")[:1], count),
        _alpha(virtual, block, server, outer),
        trace("notify_up", server.notify_up or None, both(b"notify_up")[:1], script),
        trace("notify_down", server.notify_down or None, both(b"notify_down")[:1], script),
    ]
    done = {value.keyword for value in values}
    values += others(block, _REAL, done, version)
    checks = iter(server.checkers)
    made: list[Section] = []
    following = next(checks, None)
    for check in block.blocks(*CHECKERS):
        # keepalived drops a check that it cannot use, and so does the typed view.
        if following is not None and _is(check, following):
            made.append(_checker(virtual, block, check, following, outer, version))
            following = next(checks, None)
    return Section(
        "server", str(server.key), block.place, tuple(values), tuple(made), server=server.key
    )


def _is(block: Block, checker: ConfiguredChecker) -> bool:
    return block.place == checker.place and block.keyword.decode() == checker.kind


def _port(server: ConfiguredServer, place: Place | None, written: bytes, outer: str) -> Value:
    port = server.key.port
    if not written.strip(b"0"):
        return Value("port", port, Origin.INHERITED, None, outer)
    if written.isdigit() and int(written) == port:
        return Value("port", port, Origin.WRITTEN, place)
    return Value(
        "port", port, Origin.ADJUSTED, place, "outside NAT a packet keeps the service's port"
    )


def _alpha(virtual: Block, block: Block, server: ConfiguredServer, outer: str) -> Value:
    """A check's own alpha counts first: only a check that has not run holds a server down."""
    for check in block.blocks(*CHECKERS):
        found = trace("alpha", server.alpha, (Level(check, (b"alpha",)),), flag)
        if found.origin is Origin.WRITTEN:
            name = check.keyword.decode()
            return Value("alpha", server.alpha, Origin.INHERITED, found.place, name)
    levels = (Level(block, (b"alpha",)), Level(virtual, (b"alpha",), outer))
    return trace("alpha", server.alpha, levels, flag, why="a check says otherwise")


def _checker(
    virtual: Block,
    real: Block,
    block: Block,
    checker: ConfiguredChecker,
    outer: str,
    version: tuple[int, ...],
) -> Section:
    def levels(keyword: bytes, *own: bytes) -> tuple[Level, ...]:
        return (
            Level(block, own or (keyword,)),
            Level(real, (keyword,), "real_server"),
            Level(virtual, (keyword,), outer),
        )

    inner = CHECKERS[block.keyword].inner
    known = inner or {}
    values = [Value("target", checker.target, Origin.WRITTEN, block.place)]
    delay = checker.delay_loop_s
    if b"delay_loop" in known:
        values.append(trace("delay_loop", delay, levels(b"delay_loop"), seconds, unit="s"))
    if checker.kind == "MISC_CHECK":
        found = trace(
            "misc_timeout",
            checker.connect_timeout_s,
            (Level(block, (b"misc_timeout",)),),
            seconds,
            unit="s",
            absent="as long as delay_loop",
        )
        values.append(found)
    elif b"connect_timeout" in known:
        values.append(
            trace(
                "connect_timeout",
                checker.connect_timeout_s,
                levels(b"connect_timeout"),
                seconds,
                unit="s",
            )
        )
    if b"retry" in known:
        values.append(
            trace("retry", checker.retry, levels(b"retry", b"retry", b"nb_get_retry"), count)
        )
        values += _waits(checker, delay, levels)
    if b"alpha" in known:
        values.append(_own_alpha(levels(b"alpha")))
    done = {value.keyword for value in values} | {"nb_get_retry"}
    values += others(block, inner, done, version)
    return Section(
        "checker", checker.kind, block.place, tuple(values), tuple(_nested(block, inner, version))
    )


def _own_alpha(levels: tuple[Level, ...]) -> Value:
    """Whether this check counts as failed until it has run."""
    for depth, level in enumerate(levels):
        # The virtual server's alpha takes no value.
        read = present if depth == 2 else flag
        found = [v for s in level.block.statements(b"alpha") if (v := read(s)) is not None]
        if found:
            return (
                trace("alpha", found[-1], levels[depth:][:1], read)
                if not depth
                else Value(
                    "alpha",
                    found[-1],
                    Origin.INHERITED,
                    next(iter(level.block.statements(b"alpha"))).place,
                    level.title,
                )
            )
    return Value("alpha", False, Origin.DEFAULT)


def _waits(
    checker: ConfiguredChecker, delay: float, levels: Callable[[bytes], tuple[Level, ...]]
) -> list[Value]:
    """What the typed view does not hold: how long it waits between tries and at the start."""
    between = {"HTTP_GET": 3.0, "SSL_GET": 3.0, "DNS_CHECK": delay}.get(checker.kind, 1.0)
    return [
        _first("delay_before_retry", levels(b"delay_before_retry"), between),
        _first("warmup", levels(b"warmup"), delay),
    ]


def _first(keyword: str, levels: tuple[Level, ...], default: float) -> Value:
    """A time that no typed field holds: the innermost that is written counts."""
    for level in levels:
        found = [
            value
            for s in level.block.statements(*level.keywords)
            if (value := seconds(s)) is not None
        ]
        if found:
            return trace(keyword, found[-1], levels, seconds, unit="s")
    return Value(keyword, default, Origin.DEFAULT, None, "", "s")


def _nested(block: Block, inner: Keywords | None, version: tuple[int, ...]) -> list[Section]:
    """The blocks in a check: urls, hosts."""
    found = []
    for child in block.blocks():
        keyword = (inner or {}).get(child.keyword)
        if keyword is not None and keyword.inner is not None:
            found.append(
                Section(
                    child.keyword.decode(),
                    child.keyword.decode(),
                    child.place,
                    tuple(others(child, keyword.inner, (), version)),
                )
            )
    return found
