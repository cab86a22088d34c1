"""Rates from cumulative counters, and their history.

Rates come from counter differences over our own clock: the kernel's estimators move only every
two seconds. A counter that went backwards means the object was created anew (or wrapped, which
64 bits do not in our life time): no rate is better than an absurd one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import sub

from lvstui.model.ipvs import Counters, Rates, ServerDetail, ServiceCounters, numbers_of, summed
from lvstui.model.keys import ServerKey, ServiceKey

HISTORY = 60
"""Points of history kept for what is on screen."""
HISTORIES = 2048
"""Real servers whose history is kept; the longest unseen one goes first."""
ESTIMATOR_S = 2.0
"""The kernel's period for adding up its counters."""
STILL_S = 3.0
"""Counters that stood still for this long mean that there is no traffic."""
STALE_S = 10.0
"""A counter reading older than this is too old to compute a rate that means "now"."""


def rates_between(before: Counters, after: Counters, seconds: float) -> Rates | None:
    """Per-second rates, or None when they cannot be known: no time passed, too much time
    passed, or the counters went backwards (the server or service was created anew)."""
    if seconds <= 0 or seconds > STALE_S:
        return None
    counted = list(map(sub, numbers_of(after), numbers_of(before)))
    return None if min(counted) < 0 else Rates(*(count / seconds for count in counted))


def _advanced(before: _Baseline | None, counters: Counters, at: float) -> _Baseline:
    """The baseline after a reading at epoch `at`."""
    if before is None:
        return _Baseline(at, counters)
    if counters == before.counters:
        if at - before.at >= STILL_S:
            # Nothing moved for more than one of the kernel's sums. When it moves again, the sum
            # will cover one period at most.
            return _Baseline(at - ESTIMATOR_S / 2, counters, before.elapsed_s, Rates())
        if before.rates is None and at - before.at >= ESTIMATOR_S:
            return _Baseline(before.at, counters, before.elapsed_s, Rates())
        return before
    elapsed = at - before.at
    counted = elapsed
    if 0 < elapsed < 0.75 * ESTIMATOR_S <= (before.elapsed_s or ESTIMATOR_S):
        # One sum seen soon after a reading that came late after the one before it: it covers a
        # whole period all the same. Where the kernel counts at once, this is over after a reading.
        counted = ESTIMATOR_S
    return _Baseline(at, counters, elapsed, rates_between(before.counters, counters, counted))


def total(rates: Iterable[Rates | None]) -> Rates | None:
    """The sum of those that are known; None when none is."""
    known = [rate for rate in rates if rate is not None]
    return summed(Rates, known) if known else None


@dataclass(slots=True)
class _Baseline:
    """The last reading of one real server that brought something new."""

    at: float
    counters: Counters
    elapsed_s: float = 0.0
    """Between that reading and the one before; 0 at the first."""
    rates: Rates | None = None


class Traffic:
    """The last reading of each service and the rates between it and the ones before.

    The kernel adds its per-CPU counters up every two seconds only (net/netfilter/ipvs/ip_vs_est.c,
    seen on 6.1): between two such sums a reading brings nothing new, which is not "no traffic". So
    a rate holds until the counters move, or until they stood still for longer than that.
    """

    def __init__(self) -> None:
        self._readings: dict[ServiceKey, ServiceCounters] = {}
        self._baselines: dict[ServiceKey, dict[ServerKey, _Baseline]] = {}
        self._rates: dict[ServiceKey, Mapping[ServerKey, Rates | None]] = {}
        self._details: dict[ServiceKey, Mapping[ServerKey, ServerDetail]] = {}
        self._history: dict[tuple[ServiceKey, ServerKey | None], deque[float]] = {}

    def read(self, reading: ServiceCounters, at: float) -> None:
        """Take in one service's counters, read at epoch `at` seconds."""
        key = reading.service
        details = dict(reading.servers)
        earlier = self._baselines.get(key, {})
        baselines = {
            server: _advanced(earlier.get(server), detail.counters, at)
            for server, detail in details.items()
        }
        rates = {server: baseline.rates for server, baseline in baselines.items()}
        self._readings[key] = reading
        self._baselines[key] = baselines
        self._details[key] = details
        self._rates[key] = rates
        whole = total(rates.values())
        if whole is None:
            return
        for server, rate in rates.items():
            if rate is not None:
                self._remember((key, server), rate.connections)
        self._remember((key, None), whole.connections)

    def shift(self, by_s: float) -> None:
        """The clock of this host was set."""
        for baselines in self._baselines.values():
            for baseline in baselines.values():
                baseline.at += by_s

    def keep_only(self, services: Iterable[ServiceKey]) -> None:
        """Forget services that are gone from the kernel."""
        living = set(services)
        for gone in [key for key in self._readings if key not in living]:
            del self._readings[gone], self._rates[gone], self._details[gone]
            del self._baselines[gone]
        for lost in [pair for pair in self._history if pair[0] not in living]:
            del self._history[lost]

    def rates(self, service: ServiceKey) -> Mapping[ServerKey, Rates | None]:
        """Rates of the real servers of a service; empty when nothing was read."""
        return self._rates.get(service, {})

    def details(self, service: ServiceKey) -> Mapping[ServerKey, ServerDetail]:
        """The last reading of each real server."""
        return self._details.get(service, {})

    def reading(self, service: ServiceKey) -> ServiceCounters | None:
        """The last reading of the service itself."""
        return self._readings.get(service)

    def history(self, service: ServiceKey, server: ServerKey | None = None) -> tuple[float, ...]:
        """Connections per second, oldest first; of the whole service without `server`."""
        return tuple(self._history.get((service, server), ()))

    def _remember(self, pair: tuple[ServiceKey, ServerKey | None], value: float) -> None:
        kept = self._history.pop(pair, None)
        if kept is None:
            kept = deque(maxlen=HISTORY)
            if len(self._history) >= HISTORIES:
                del self._history[next(iter(self._history))]
        kept.append(value)
        self._history[pair] = kept
