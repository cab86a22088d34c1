"""A small director for tests: says facts to a `Knowledge` as the sources would."""

from __future__ import annotations

from lvstui.model import facts as f
from lvstui.model.config import (
    Configuration,
    ConfiguredChecker,
    ConfiguredInstance,
    ConfiguredServer,
    ConfiguredService,
    Place,
)
from lvstui.model.ipvs import (
    Counters,
    Destination,
    KernelService,
    KernelTable,
    ServerDetail,
    ServiceCounters,
)
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.knowledge import Knowledge
from lvstui.model.picture import Picture, ServerView

T0 = 1_000_000.0
WEB = ServiceKey.of("tcp", "10.10.0.20", 80)
DNS = ServiceKey.of("udp", "10.10.0.20", 53)
CHECK = ConfiguredChecker("TCP_CHECK", "connect", delay_loop_s=1.0, connect_timeout_s=1.0)


def rs(number: int, port: int = 80) -> ServerKey:
    """The key of rs1, rs2 …"""
    return ServerKey(f"10.10.0.{number + 2}", port)


def configured(number: int, port: int = 80, **changes: object) -> ConfiguredServer:
    """rs1, rs2 … in the configuration."""
    values: dict[str, object] = {
        "key": rs(number, port),
        "weight": 10,
        "forwarding": "DR",
        "name": f"rs{number}",
        "checkers": (CHECK,),
        "place": Place("/etc/keepalived/keepalived.conf", 10 + number),
    }
    return ConfiguredServer(**{**values, **changes})  # type: ignore[arg-type]


def service(
    *servers: ConfiguredServer, key: ServiceKey = WEB, **changes: object
) -> ConfiguredService:
    """A configured service."""
    values: dict[str, object] = {"key": key, "scheduler": "wrr", "forwarding": "DR", "name": "web"}
    return ConfiguredService(**{**values, **changes, "servers": servers})  # type: ignore[arg-type]


INSTANCE = ConfiguredInstance(
    "LB_1", "eth0", 51, priority=150, state="MASTER", vips=("10.10.0.20",)
)


class World:
    """Says facts and makes pictures."""

    def __init__(self) -> None:
        self.known = Knowledge("lb1")
        self.now = T0

    def say(self, fact: f.Fact, at: float | None = None, source: str = "test") -> World:
        """One observation, at `now` unless given."""
        self.known.learn(f.Observation(self.now if at is None else at, "lb1", source, fact))
        return self

    def later(self, seconds: float) -> World:
        """Let time pass."""
        self.now += seconds
        return self

    def config(self, *services: ConfiguredService, loaded: bool | None = None) -> World:
        """The configuration: on disk and loaded, or only one of them."""
        digest = str(hash(services))
        configuration = Configuration(services, (INSTANCE,), digest=digest)
        for which in (False, True) if loaded is None else (loaded,):
            self.say(f.ConfigurationSeen(configuration, loaded=which))
        return self

    def daemon(self, running: bool = True, started: float = T0 - 1e6, pid: int = 100) -> World:
        """keepalived runs (since long ago) or not."""
        return self.say(f.DaemonSeen(running, "2.2.7", pid if running else 0, started=started))

    def kernel(
        self, *destinations: tuple[int, int, int, int], persistence_s: int | None = None
    ) -> World:
        """The table: web with (number, weight, active, inactive) each."""
        found = tuple(Destination(rs(n), "DR", w, a, i) for n, w, a, i in destinations)
        return self.say(
            f.TableSeen(KernelTable((KernelService(WEB, "wrr", False, persistence_s, "", found),)))
        )

    def counters(self, *numbers: tuple[int, int]) -> World:
        """Cumulative connections of (number, connections) each."""
        servers = tuple(
            (rs(n), ServerDetail(Counters(c, c * 10, 0, c * 1000, 0))) for n, c in numbers
        )
        return self.say(f.CountersSeen((ServiceCounters(WEB, Counters(), servers),)))

    def picture(self) -> Picture:
        """The picture now."""
        return self.known.picture(self.now)

    def server(self, number: int) -> ServerView:
        """rs1, rs2 … in the web service now."""
        view = self.picture().server(WEB, rs(number))
        assert view is not None
        return view

    def events(self) -> list[str]:
        """The texts of all events."""
        return [event.text for event in self.picture().events]


def three() -> World:
    """web with rs1, rs2, rs3 up, keepalived running for long."""
    world = World().daemon().config(service(configured(1), configured(2), configured(3)))
    return world.kernel((1, 10, 6, 40), (2, 10, 6, 40), (3, 10, 6, 40))
