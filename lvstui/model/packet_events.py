"""What is told of the way that packets take, as it turns: the sample, the counters and the table
together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from lvstui.model import facts as f
from lvstui.model.ipvs import KernelService, Rates
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.packet_warnings import never_established
from lvstui.model.packets import Kernel, PacketView, PacketWays, ServerId
from lvstui.model.picture import Event, Severity
from lvstui.model.say import clock
from lvstui.model.turns import ClimbDetector, FallDetector, FlowId, Turn

CALM_S = 10.0
"""How long it has to be over before that is told: a small sample may look well for a moment."""
Name = Callable[[ServiceKey, ServerKey], str]


class PacketWatch:
    """Everything that is known of it, and the events that it makes. One thread uses it."""

    def __init__(self, host: str, name: Name) -> None:
        self._host, self._name = host, name
        self.ways = PacketWays()
        self._falls = FallDetector()
        self._climbs = ClimbDetector()
        self._lost: dict[ServerId, float] = {}
        """Servers to which hardly any connection gets established, and when that was seen last."""
        self._floods: dict[ServiceKey, float] = {}
        """Services that are flooded, and when that was seen last."""
        self._ended: dict[FlowId, None] = {}
        """Traffic whose end was told."""

    # -- taking in

    def learn(self, fact: f.ConnectionsSeen | f.LocalSeen, kernel: Kernel, at: float) -> None:
        if isinstance(fact, f.ConnectionsSeen):
            self.ways.sampled(fact.seen, at)
        else:
            self.ways.routed(fact.addresses, kernel)

    def counted(
        self, service: ServiceKey, rates: Mapping[ServerKey, Rates | None], at: float
    ) -> None:
        """The counters of a service were read."""
        self._falls.read(service, rates, at)

    def table(
        self,
        kernel: Kernel,
        changed: Sequence[tuple[KernelService | None, KernelService]],
        at: float,
    ) -> None:
        """The table was read; `changed`: where more than counts did, all of it at first."""
        self.ways.table(kernel, changed, at)
        self._climbs.look(kernel, at)

    # -- giving out

    @property
    def view(self) -> PacketView:
        """For the picture."""
        ways = self.ways
        return PacketView(ways.handshakes, self._climbs.climbs, ways.stranded, ways.local)

    def judge(self, kernel: Kernel, here: Collection[str] | None, now: float) -> list[Event]:
        """Bring all of it up to date; what is news. here: this host's addresses, if known."""
        events = list(self._traffic(kernel, here))
        if self.ways.judge(kernel, now):
            events += self._handshakes(now)
        return events

    def _handshakes(self, now: float) -> Iterator[Event]:
        ways, host, name = self.ways, self._host, self._name
        lost = {server for server, seen in ways.handshakes.items() if seen.lost}
        for key, server in sorted(lost - self._lost.keys()):
            seen = ways.handshakes[key, server]
            said = never_established(seen, lambda one, key=key: name(key, one))  # type: ignore[misc]
            text = f"{name(key, server)} in {key}: {said}"
            yield Event(now, host, Severity.BAD, text, "server", key, server)
        self._lost.update(dict.fromkeys(lost, now))
        for key, server in sorted(one for one, at in self._lost.items() if now - at > CALM_S):
            del self._lost[key, server]
            known = ways.handshakes.get((key, server))
            if known is not None and known.of > known.never:
                text = f"connections to {name(key, server)} in {key} get established again"
                yield Event(now, host, Severity.GOOD, text, "server", key, server)
        for key, (never, of, window) in ways.flooded.items():
            if key not in self._floods:
                text = (
                    f"{key}: all servers: {never} of {of} connections of the last {window} s never "
                    "got established: a flood of SYNs, or a fault that is common to all of them"
                )
                yield Event(now, host, Severity.WARN, text, "service", key)
            self._floods[key] = now
        for key in [key for key, seen_at in self._floods.items() if now - seen_at > CALM_S]:
            del self._floods[key]
            text = f"{key}: connections get established again at all servers"
            yield Event(now, host, Severity.INFO, text, "service", key)

    def _traffic(self, kernel: Kernel, here: Collection[str] | None) -> Iterator[Event]:
        for turn in self._falls.turns():
            flow: FlowId = (turn.service, turn.server)
            if not turn.ended:
                if flow in self._ended:
                    del self._ended[flow]
                    text = f"{self._what(turn)}: traffic again"
                    yield self._turned(turn, Severity.GOOD, text)
            elif _is_news(turn, kernel.get(turn.service), here):
                if len(self._ended) >= 1000:
                    self._ended.clear()
                self._ended[flow] = None
                text = f"{self._what(turn)}: {turn.rate:.0f} new connections a second to nothing "
                yield self._turned(turn, Severity.WARN, text + f"at {clock(turn.at)}")

    def _what(self, turn: Turn) -> str:
        if turn.server is None:
            return str(turn.service)
        return f"{self._name(turn.service, turn.server)} in {turn.service}"

    def _turned(self, turn: Turn, severity: Severity, text: str) -> Event:
        return Event(turn.at, self._host, severity, text, "service", turn.service, turn.server)


def _is_news(turn: Turn, service: KernelService | None, here: Collection[str] | None) -> bool:
    """Whether traffic that ended should have gone on: nobody took away what it came to."""
    if service is None or (here is not None and turn.service.address not in ("", *here)):
        return False
    weights = {d.key: d.weight for d in service.destinations}
    if turn.server is None:
        return any(weights.values())
    return len(weights) > 1 and bool(weights.get(turn.server))
