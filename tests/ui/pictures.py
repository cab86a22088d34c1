"""Pictures made by hand: small sites as an operator meets them."""

from __future__ import annotations

import calendar
from dataclasses import replace

from lvstui.model.config import ConfiguredChecker, ConfiguredServer, ConfiguredService, Place
from lvstui.model.ipvs import Counters, Rates, ServerDetail
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.picture import (
    CheckResult,
    Cost,
    DaemonView,
    Disagreement,
    Event,
    Gap,
    InstanceView,
    Picture,
    ServerView,
    ServiceView,
    Severity,
    State,
    Warning,
    Weights,
)
from lvstui.model.vrrp import InstanceStats

NOW = float(calendar.timegm((2026, 11, 22, 14, 3, 22)))
"""The fixed clock of all tests: 14:03:22 UTC."""

CONF = "/etc/keepalived/keepalived.conf"
WEB = ServiceKey.of("tcp", "10.10.0.20", 80)
DNS = ServiceKey.of("udp", "10.10.0.20", 53)
MAIL = ServiceKey.mark(7)
TLS6 = ServiceKey.of("tcp", "fd00:10::20", 443)


def rs(number: int, port: int) -> ServerKey:
    """Real server 1, 2, 3 … of the lab's LAN."""
    return ServerKey(f"10.10.0.{number + 2}", port)


def wave(level: float, points: int = 60) -> tuple[float, ...]:
    """A history about `level` that looks like traffic, always the same."""
    return tuple(round(level * (0.72 + 0.28 * ((i * 7919 % 97) / 97)), 2) for i in range(points))


def rising(level: float, points: int = 60) -> tuple[float, ...]:
    """A history that climbs to `level`."""
    return tuple(
        round(level * (0.15 + 0.85 * (i + (i * 31 % 7)) / (points + 6)), 2) for i in range(points)
    )


def falling(level: float, points: int = 60) -> tuple[float, ...]:
    """A history that ended some seconds ago."""
    return tuple(round(level * max(0.0, 1 - i / 24), 2) for i in range(points))


def rates(connections: float, bytes_in: float, bytes_out: float = 0.0) -> Rates:
    """Rates with packets to match."""
    return Rates(connections, bytes_in / 700, bytes_out / 700, bytes_in, bytes_out)


def check(kind: str, target: str, line: int, loop: float = 3.0) -> ConfiguredChecker:
    """One check of the file."""
    return ConfiguredChecker(kind, target, loop, 2.0, 1, place=Place(CONF, line, 9))


def server(
    service: ServiceKey,
    key: ServerKey,
    name: str,
    *,
    state: State = State.UP,
    weights: tuple[int | None, int | None, int | None] = (10, 10, 10),
    active: int = 0,
    inactive: int = 0,
    traffic: Rates | None = None,
    history: tuple[float, ...] = (),
    share: tuple[float | None, float | None] = (None, None),
    since: float | None = None,
    reason: str = "",
    checker: str = "TCP_CHECK",
    line: int = 40,
    drain_left_s: float | None = None,
    checks: tuple[CheckResult, ...] = (),
    differs: tuple[Disagreement, ...] = (),
) -> ServerView:
    """One real server."""
    kernel = weights[2] is not None
    configured = ConfiguredServer(
        key,
        weights[0] if weights[0] is not None else 1,
        "DR",
        name,
        (check(checker, f"connect {key}", line + 4),),
        place=Place(CONF, line, 5),
        weight_place=Place(CONF, line + 1, 9),
    )
    return ServerView(
        service=service,
        key=key,
        name=name,
        state=state,
        since=since,
        reason=reason,
        checker=checker,
        weights=Weights(*weights),
        forwarding="DR",
        active=active,
        inactive=inactive,
        rates=traffic if kernel else None,
        history=history,
        share_of_weight=share[1],
        share_of_traffic=share[0],
        differs=differs,
        in_kernel=kernel,
        configured=configured if weights[0] is not None else None,
        detail=ServerDetail(Counters(active * 9137 + 4_294_967_296, 88_123_456, 0, 61_234_567_890))
        if kernel
        else None,
        checks=checks
        or (CheckResult(checker, True, f"{checker} on service {key} success.", NOW - 2.2),),
        drain_left_s=drain_left_s,
    )


def service(
    key: ServiceKey,
    name: str,
    servers: tuple[ServerView, ...],
    *,
    scheduler: str = "wrr",
    traffic: Rates | None = None,
    history: tuple[float, ...] = (),
    severity: Severity = Severity.GOOD,
    reason: str = "",
    persistence_s: int | None = None,
    one_packet: bool = False,
    quorum: int = 1,
    line: int = 30,
) -> ServiceView:
    """One virtual service; sums come from its servers."""
    up = sum(each.state is State.UP for each in servers)
    return ServiceView(
        key=key,
        name=name,
        scheduler=scheduler,
        forwarding="DR",
        persistence_s=persistence_s,
        one_packet=one_packet,
        servers=servers,
        up=up,
        quorum=quorum,
        quorum_ok=up >= quorum,
        severity=severity,
        reason=reason,
        active=sum(each.active for each in servers),
        inactive=sum(each.inactive for each in servers),
        rates=traffic,
        history=history,
        in_kernel=True,
        configured=ConfiguredService(
            key,
            scheduler,
            "DR",
            tuple(each.configured for each in servers if each.configured),
            name,
            persistence_s=persistence_s,
            quorum=quorum,
            one_packet=one_packet,
            place=Place(CONF, line, 1),
        ),
        counters=Counters(5_812_345_678, 51_234_567_890, 0, 7_412_345_678_901),
        vip_here=None if key.protocol == "fwmark" else True,
    )


def web() -> ServiceView:
    """Three servers: one up, one draining, one down with its reason."""
    refused = "TCP_CHECK connection refused"
    return service(
        WEB,
        "web",
        (
            server(
                WEB,
                rs(1, 80),
                "rs1",
                active=612,
                inactive=4050,
                traffic=rates(205, 6e6),
                history=rising(205),
                share=(1.0, 1.0),
            ),
            server(
                WEB,
                rs(2, 80),
                "rs2",
                state=State.DRAINING,
                weights=(10, 10, 0),
                active=41,
                inactive=300,
                traffic=rates(0, 112_500),
                history=falling(120),
                since=NOW - 24,
                drain_left_s=40,
                line=48,
                reason="41 left, about 40 s; drained by alice, “disk swap”",
            ),
            server(
                WEB,
                rs(3, 80),
                "rs3",
                state=State.DOWN,
                weights=(10, None, None),
                since=NOW - 183,
                reason=refused,
                line=56,
                checks=(
                    CheckResult(
                        "TCP_CHECK",
                        False,
                        "TCP connection to [10.10.0.5]:tcp:80 failed (Connection refused).",
                        NOW - 3,
                    ),
                ),
            ),
        ),
        traffic=rates(205, 6.1e6),
        history=rising(410),
        severity=Severity.WARN,
        reason="1 down, 1 draining",
    )


def dns() -> ServiceView:
    """Three servers that are all up."""
    return service(
        DNS,
        "dns",
        tuple(
            server(
                DNS,
                rs(n, 53),
                f"rs{n}",
                weights=(1, 1, 1),
                inactive=3129 + n,
                traffic=rates(629 + n, 460_000),
                history=wave(630),
                share=(1 / 3, 1 / 3),
                checker="MISC_CHECK",
                line=70 + 8 * n,
            )
            for n in (1, 2, 3)
        ),
        scheduler="rr",
        traffic=rates(1893, 1.4e6),
        history=wave(1890),
        one_packet=True,
        line=68,
    )


def mail() -> ServiceView:
    """A firewall mark, persistent, four servers."""
    return service(
        MAIL,
        "mail",
        tuple(
            server(
                MAIL,
                rs(n, 0),
                f"mx{n}",
                weights=(1, 1, 1),
                active=22,
                inactive=3,
                traffic=rates(0.8, 12_500),
                history=wave(0.8),
                share=(0.25, 0.25),
                checker="SMTP_CHECK",
                line=110 + 8 * n,
            )
            for n in (1, 2, 3, 4)
        ),
        scheduler="sh",
        traffic=rates(3.2, 50_000),
        history=wave(3),
        persistence_s=300,
        line=108,
    )


def tls6() -> ServiceView:
    """IPv6, weights that drifted apart."""
    first, second = ServerKey("fd00:10::3", 443), ServerKey("fd00:10::4", 443)
    return service(
        TLS6,
        "api",
        (
            server(
                TLS6,
                first,
                "rs1",
                active=1204,
                inactive=8102,
                traffic=rates(96, 2.4e6),
                history=wave(96),
                share=(0.71, 0.66),
                weights=(20, 20, 20),
                checker="SSL_GET",
                line=150,
            ),
            server(
                TLS6,
                second,
                "rs2",
                active=533,
                inactive=2410,
                traffic=rates(39, 1.1e6),
                history=wave(39),
                share=(0.29, 0.34),
                weights=(20, 20, 10),
                state=State.UP,
                reason="carol: kernel weight 10, configured 20",
                differs=(Disagreement("weight", "kernel weight 10, configured 20", "carol"),),
                checker="SSL_GET",
                line=158,
            ),
        ),
        traffic=rates(135, 3.5e6),
        history=wave(135),
        severity=Severity.WARN,
        reason="weights differ",
        line=148,
    )


def events() -> tuple[Event, ...]:
    """What happened, oldest first."""
    at = NOW - 3135 + 0.340
    return (
        Event(at, "lb2", Severity.WARN, "LB_1 left MASTER: link eth0 down", "vrrp", past=True),
        Event(
            at + 0.611,
            "lb1",
            Severity.GOOD,
            "LB_1 is MASTER here: VIP added 3.611 s after lb2's last advert, "
            "first packet after 3.640 s",
            "vrrp",
            past=True,
        ),
        Event(
            NOW - 24 + 0.004,
            "lb1",
            Severity.INFO,
            "alice drains 10.10.0.4 in tcp 10.10.0.20:80, “disk swap”, until enabled "
            "(u takes it back)",
            "operation",
            WEB,
            rs(2, 80),
        ),
        Event(
            NOW - 3 + 0.120,
            "lb1",
            Severity.BAD,
            "rs3 down: TCP_CHECK 10.10.0.5:80 refused, removed from tcp 10.10.0.20:80 "
            "(12 active connections were on it)",
            "server",
            WEB,
            rs(3, 80),
        ),
    )


def instance(state: str = "MASTER") -> InstanceView:
    """LB_1 as lb1 sees it."""
    return InstanceView(
        name="LB_1",
        state=state,
        source="fifo",
        interface="eth0",
        vrid=51,
        priority=150,
        base_priority=150,
        vips=("10.10.0.20",),
        vips_here=("10.10.0.20",) if state == "MASTER" else (),
        since=NOW - 3134,
        master_address="10.10.0.1" if state == "MASTER" else "10.10.0.2",
        master_priority=150,
        last_advert=NOW - 0.3,
        adverts_ok=True,
        stats=InstanceStats(120, 8123, 2, 1),
    )


def daemon() -> DaemonView:
    """keepalived as it should be."""
    return DaemonView(True, True, "2.2.7", 812, NOW - 12 * 86400, True, CONF)


def warnings() -> tuple[Warning, ...]:
    """Two that fit and one that does not."""
    return (
        Warning(Severity.WARN, "rs3 answers ARP for 10.10.0.20", WEB, rs(3, 80), id="arp"),
        Warning(
            Severity.WARN,
            "10.10.0.4: kernel weight 0, file 10. Drained by alice 24 s ago, “disk swap”",
            WEB,
            rs(2, 80),
            id="drain",
        ),
    )


def site() -> Picture:
    """The whole site on a day with some trouble."""
    return Picture(
        at=NOW,
        host="lb1",
        services=(web(), dns(), tls6(), mail()),
        instances=(instance(),),
        daemon=daemon(),
        warnings=warnings(),
        events=events(),
        ready=True,
        table_readable=True,
    )


def not_root() -> Picture:
    """An ordinary user: nothing of the kernel's table, the file only."""
    return Picture(
        at=NOW,
        host="lb1",
        daemon=replace(daemon(), loaded_is_file=None),
        gaps=(
            Gap("proc", "/proc/net/ip_vs can be read by root only", "Run it as root: sudo lvstui"),
            Gap("wire", "VRRP adverts on the wire", "Run it as root: sudo lvstui"),
        ),
        ready=True,
        table_readable=False,
    )


def counters_missing() -> Picture:
    """The table is there, the counters are not."""
    return replace(
        site(),
        gaps=(Gap("netlink", "counters and rates", "Run it as root: sudo lvstui"),),
        cost=Cost(0.0123, 43_210_000),
    )


def no_ipvs() -> Picture:
    """A kernel without IPVS."""
    return Picture(
        at=NOW,
        host="lb1",
        daemon=DaemonView(True, False, "2.2.7", config_file=CONF),
        gaps=(
            Gap(
                "proc",
                "This kernel has no IPVS loaded (/proc/net/ip_vs is not there)",
                "Load it: modprobe ip_vs (at every boot: echo ip_vs > "
                "/etc/modules-load.d/ip_vs.conf)",
            ),
        ),
        ready=True,
        table_readable=False,
    )


def no_keepalived() -> Picture:
    """IPVS without keepalived, empty."""
    return Picture(NOW, "lb1", daemon=DaemonView(False), ready=True, table_readable=True)


def waiting() -> Picture:
    """Before the first read."""
    return Picture(NOW, "lb1")


HOSTILE = ("[/usr/bin/check]", "[fd00::10]:443", "[@click=app.quit]x", "[bold red]a[/]", "[/]")
"""Texts that markup would choke on, lose, or make a link of."""


def hostile() -> Picture:
    """Every text of the picture reads like markup."""
    key = ServiceKey.of("tcp", "fd00::10", 443)
    servers = tuple(
        server(
            key,
            ServerKey(f"fd00::1{n}", 443),
            text,
            state=State.DOWN,
            weights=(1, None, None),
            reason=f"{text} said {text}",
            checker=text,
            since=NOW - 5,
            checks=(CheckResult(text, False, text, NOW),),
        )
        for n, text in enumerate(HOSTILE)
    )
    hit = service(key, HOSTILE[0], servers, severity=Severity.BAD, reason=HOSTILE[2])
    return replace(
        site(),
        host=HOSTILE[4],
        services=(hit,),
        instances=(replace(instance(), name=HOSTILE[2]),),
        warnings=tuple(Warning(Severity.BAD, text, id=text) for text in HOSTILE),
        events=tuple(Event(NOW, HOSTILE[3], Severity.BAD, text) for text in HOSTILE),
        gaps=tuple(Gap(text, text, text) for text in HOSTILE),
    )


def large(services: int, each: int) -> Picture:
    """Many services with many real servers."""
    found = []
    for s in range(services):
        key = ServiceKey.of("tcp", f"10.{100 + s // 250}.{s % 250}.20", 80)
        found.append(
            service(
                key,
                f"svc{s}",
                tuple(
                    server(
                        key,
                        ServerKey(f"172.16.{r // 250}.{r % 250 + 1}", 80),
                        f"n{r}",
                        active=r,
                        traffic=rates(r, 1000.0 * r),
                        history=(1.0, 2.0, 3.0),
                        share=(1 / each, 1 / each),
                    )
                    for r in range(each)
                ),
                traffic=rates(s, 1e5),
                history=(1.0, 2.0),
            )
        )
    return replace(site(), services=tuple(found), warnings=(), events=())


def changed(picture: Picture, service: ServiceKey, key: ServerKey, **fields: object) -> Picture:
    """`picture` with one server changed; everything else keeps its identity."""
    services = []
    for view in picture.services:
        if view.key == service:
            servers = tuple(
                replace(each, **fields) if each.key == key else each  # type: ignore[arg-type]
                for each in view.servers
            )
            view = replace(view, servers=servers)
        services.append(view)
    return replace(picture, services=tuple(services), at=picture.at + 1)
