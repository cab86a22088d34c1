"""Turns of traffic: what falls from a steady flow to nothing, what climbs away from its siblings.

Pure and bounded; times are epoch seconds of the readings themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from lvstui.model.ipvs import KernelService, Rates
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.rates import ESTIMATOR_S, STALE_S, total

ServerId = tuple[ServiceKey, ServerKey]
FlowId = tuple[ServiceKey, "ServerKey | None"]
"""A real server, or (None) all of a service."""
STEADY_S = 30.0
"""How long traffic has to be steady before its end is news."""
LEAST_RATE = 1.0
"""New connections a second: less is too little for a claim."""
EXPECTED = 30.0
"""So many connections have to stay away before that is no chance."""
SILENT_S = 3.0
_BAND = 3.0
"""Steady traffic stays within a third and three times its mean."""
_SETTLE_S = 10.0
_FLOWS = 2048

CLIMB_S = 60.0
"""How long a count has to climb."""
CLIMB_LEAST = 30
"""Connections that it has to gain."""
CLIMB_TIMES = 3
"""As many as its siblings, and as much gained, for its weight."""
LOOK_S = 5.0
"""Between two looks at one service."""
PIECES = 128
"""Services that are looked at in one tick at most; the others take turns."""
_CLIMBS = 2048
SPLIT = frozenset(("sh", "dh", "mh", "lblc", "lblcr"))


@dataclass(slots=True)
class _Flow:
    mean: float
    packets: float
    began: float
    """Since when it is steady."""
    last: float
    """The last reading."""
    moved: float
    """The last reading with traffic."""
    told: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """Traffic that ended, or began again."""

    service: ServiceKey
    server: ServerKey | None
    """None: all of the service."""
    at: float
    rate: float
    """New connections a second before it ended; when it begins again, the first ones."""
    ended: bool


class FallDetector:
    """Finds steady traffic that ends at once."""

    def __init__(self) -> None:
        self._flows: dict[FlowId, _Flow] = {}
        self._turns: list[Turn] = []

    def read(self, service: ServiceKey, rates: Mapping[ServerKey, Rates | None], at: float) -> None:
        """Rates of a service's servers, as read at `at`."""
        known = {server: rate for server, rate in rates.items() if rate is not None}
        whole = total(known.values())
        if whole is None:
            return
        self._follow((service, None), whole, at)
        for server, rate in known.items():
            self._follow((service, server), rate, at)

    def turns(self) -> list[Turn]:
        """What turned since this was asked last; of a service that ended none of its servers."""
        found, self._turns = self._turns, []
        whole = {(turn.service, turn.ended) for turn in found if turn.server is None}
        return [
            turn
            for turn in found
            if turn.server is None
            or (
                (turn.service, turn.ended) not in whole
                and not (turn.ended and self._silent(turn.service))
            )
        ]

    def _silent(self, service: ServiceKey) -> bool:
        flow = self._flows.get((service, None))
        return flow is not None and flow.last > flow.moved

    def _follow(self, flow_id: FlowId, rate: Rates, at: float) -> None:
        flow = self._flows.pop(flow_id, None)
        number, packets = rate.connections, rate.packets_in
        if flow is None or not 0 <= at - flow.last <= STALE_S:
            if not number:
                return
            flow = _Flow(number, packets, at, at, at)
        elif number:
            self._goes_on(flow_id, flow, number, packets, at)
        elif packets <= 0.05 * flow.packets:
            self._is_silent(flow_id, flow, at)
        flow.last = at
        if len(self._flows) >= _FLOWS:
            del self._flows[next(iter(self._flows))]
        self._flows[flow_id] = flow

    def _goes_on(
        self, flow_id: FlowId, flow: _Flow, number: float, packets: float, at: float
    ) -> None:
        if flow.told:
            self._turns.append(Turn(*flow_id, at, number, False))
        steady = flow.mean / _BAND <= number <= flow.mean * _BAND
        if flow.told or not steady or flow.last > flow.moved:
            # Another flow than before, or one with pauses.
            flow.began = at
        share = min((at - flow.last) / _SETTLE_S, 1.0)
        flow.mean += share * (number - flow.mean)
        flow.packets += share * (packets - flow.packets)
        flow.moved, flow.told = at, False

    def _is_silent(self, flow_id: FlowId, flow: _Flow, at: float) -> None:
        silent = at - flow.moved
        if (
            not flow.told
            and flow.mean >= LEAST_RATE
            and flow.moved - flow.began >= STEADY_S
            and silent >= SILENT_S
            and silent * flow.mean >= EXPECTED
        ):
            flow.told = True
            # A rate holds for as long as the kernel takes to add up.
            self._turns.append(Turn(*flow_id, flow.moved - ESTIMATOR_S, flow.mean, True))


@dataclass(frozen=True, slots=True)
class Climb:
    """A server whose active connections grow while its siblings' do not."""

    before: int
    now: int
    seconds: float
    siblings: tuple[tuple[ServerKey, int], ...]


class ClimbDetector:
    """Finds servers whose active connections climb away from their siblings' without ending."""

    def __init__(self) -> None:
        self._points: dict[ServiceKey, list[tuple[float, dict[ServerKey, int]]]] = {}
        self._order: list[ServiceKey] = []
        self.climbs: Mapping[ServerId, Climb] = {}

    def look(self, kernel: Mapping[ServiceKey, KernelService], at: float) -> None:
        """Look at some services, each once in `LOOK_S` at most."""
        if not self._order:
            self._order = list(kernel)
            gone = self._points.keys() - kernel.keys()
            for key in gone:
                del self._points[key]
        turn, self._order = self._order[:PIECES], self._order[PIECES:]
        for key in turn:
            service = kernel.get(key)
            if service is None or len(service.destinations) < 2:
                continue
            points = self._points.setdefault(key, [])
            if points and 0 <= at - points[-1][0] < LOOK_S:
                continue
            self._take(service, points, at)

    def _take(
        self, service: KernelService, points: list[tuple[float, dict[ServerKey, int]]], at: float
    ) -> None:
        key = service.key
        weights = {d.key: d.weight for d in service.destinations if d.weight}
        counts = {d.key: d.active for d in service.destinations if d.weight}
        if points and (points[-1][1].keys() != counts.keys() or at < points[-1][0]):
            # Whoever comes in or goes changes what the others have to carry.
            points.clear()
        points.append((at, counts))
        while len(points) > 2 and at - points[1][0] >= CLIMB_S:
            del points[0]
        old = {server: climb for server, climb in self.climbs.items() if server[0] != key}
        split = service.persistence_s is not None or service.scheduler in SPLIT
        if not split and len(counts) > 1 and at - points[0][0] >= CLIMB_S:
            old.update(_climbing(key, points, weights))
        self.climbs = old
        if len(self._points) > _CLIMBS:
            del self._points[next(iter(self._points))]


def _climbing(
    key: ServiceKey,
    points: list[tuple[float, dict[ServerKey, int]]],
    weights: Mapping[ServerKey, int],
) -> Iterator[tuple[ServerId, Climb]]:
    (began, first), (ended, last) = points[0], points[-1]
    for server, now in last.items():
        gained = now - first[server]
        if gained < CLIMB_LEAST:
            continue
        weight = weights[server]
        others = [other for other in last if other != server]
        apart = all(
            now * weights[other] >= CLIMB_TIMES * last[other] * weight
            and gained * weights[other] >= CLIMB_TIMES * (last[other] - first[other]) * weight
            for other in others
        )
        series = [counts[server] for _, counts in points]
        if apart and _rises(series):
            siblings = tuple((other, last[other]) for other in others)
            yield (key, server), Climb(first[server], now, ended - began, siblings)


def _rises(series: Iterable[int]) -> bool:
    """Each third is above the one before, and nothing of it was ever given back for good."""
    values = list(series)
    third = max(len(values) // 3, 1)
    low, middle, high = values[:third], values[third:-third] or values[-third:], values[-third:]
    return max(low) < min(high) and max(low) <= max(middle) <= max(high)
