"""Health of real servers as keepalived told it: the reducer over check and transition facts."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from lvstui.model.facts import STAMP_S, CheckSeen, ChecksSeen, CheckState, ServerChanged
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.picture import CheckResult

ServerId = tuple[ServiceKey, ServerKey]

CHECKS_KEPT = 8
"""Messages remembered for each real server."""
REASON_WINDOW_S = 120.0
"""A failed check at most this old explains a removal."""


@dataclass(frozen=True, slots=True)
class Health:
    """The last word about one real server of one service."""

    up: bool
    since: float
    how: str = ""
    """added, removed, stopped, enabled, disabled, fifo, dump."""
    checker: str = ""
    message: str = ""

    @property
    def failed(self) -> bool:
        """Taken out because of its checks; one that went when keepalived ended was healthy."""
        return not self.up and self.how != "stopped"


class HealthState:
    """What is known of every real server's health. Grows with the servers, not with time."""

    def __init__(self) -> None:
        self._health: dict[ServerId, Health] = {}
        self._services: dict[ServerKey, set[ServiceKey]] = {}
        self._weights: dict[ServerId, tuple[float, int]] = {}
        self._checks: dict[ServerKey, deque[tuple[ServiceKey | None, CheckResult]]] = {}
        self.began: float | None = None
        """Epoch at which the process that checks now began; None when unknown. Words of before
        are about checks that nobody makes any more."""

    def get(self, service: ServiceKey, server: ServerKey) -> Health | None:
        """The last word of the process that checks now, or None when nothing was heard of it."""
        health = self.last(service, server)
        return health if health is not None and self._counts(health.since) else None

    def last(self, service: ServiceKey, server: ServerKey) -> Health | None:
        """The last word, whoever said it: what explains an event, not a state."""
        return self._health.get((service, server))

    def weight(self, server: ServerId, since: float | None) -> int | None:
        """The weight that keepalived gave it last, since then (epoch); None when nothing was heard:
        a reload may give it another one without a word."""
        at, weight = self._weights.get(server, (0.0, None))
        return weight if weight is not None and at >= (since or 0.0) - STAMP_S else None

    def weighed(self, service: ServiceKey, server: ServerKey, weight: int, at: float) -> None:
        """keepalived gave it that weight."""
        if at >= self._weights.get((service, server), (0.0, 0))[0]:
            self._weights[service, server] = at, weight

    def _counts(self, at: float) -> bool:
        return self.began is None or at >= self.began - STAMP_S

    def checks(self, service: ServiceKey, server: ServerKey) -> tuple[CheckResult, ...]:
        """The last check messages for that server, newest first. A message that named no
        service counts for every service that has the server."""
        kept = self._checks.get(server)
        if not kept:
            return ()
        return tuple(result for key, result in reversed(kept) if key is None or key == service)

    def services_of(self, server: ServerKey | None) -> set[ServiceKey]:
        """Services in which keepalived spoke of that server."""
        return self._services.get(server, set()) if server is not None else set()

    def went_down(self, server: ServerKey, at: float) -> bool:
        """That server was taken out of some service within two seconds of `at`."""
        return any(
            not (health := self._health[service, server]).up and abs(health.since - at) < 2.0
            for service in self._services.get(server, ())
        )

    def shift(self, by_s: float) -> None:
        """The clock of this host was set."""
        for server, health in self._health.items():
            self._health[server] = replace(health, since=health.since + by_s)
        for kept in self._checks.values():
            moved = [(service, replace(r, at=r.at + by_s)) for service, r in kept]
            kept.clear()
            kept.extend(moved)
        if self.began is not None:
            self.began += by_s

    def check(self, fact: CheckSeen, at: float) -> None:
        """A checker spoke: it may explain the state of a server that is down."""
        if fact.server is None:
            return
        kept = self._checks.setdefault(fact.server, deque(maxlen=CHECKS_KEPT))
        kept.append((fact.service, CheckResult(fact.checker, fact.ok, fact.message, at)))
        for service in self._services.get(fact.server, ()):
            if fact.service is not None and fact.service != service:
                continue
            health = self._health[service, fact.server]
            if not health.failed:
                continue
            # keepalived prints the reason before or just after it acts: within two seconds they
            # belong together.
            if not fact.ok and at - health.since < 2.0:
                self._health[service, fact.server] = replace(
                    health, checker=fact.checker or health.checker, message=fact.message
                )
            elif fact.ok and fact.checker == health.checker and at >= health.since:
                # What failed then succeeds now; another check may be why it is still out.
                checker, message = self.failing(service, fact.server)
                self._health[service, fact.server] = replace(
                    health, checker=checker, message=message
                )

    def changed(self, fact: ServerChanged, at: float) -> None:
        """keepalived moved a server."""
        before = self._health.get((fact.service, fact.server))
        if before is not None and before.up == fact.up and abs(at - before.since) < 2.0:
            # Log and fifo tell the same transition: keep the first time, prefer the log's verb.
            how = fact.how if before.how == "fifo" else before.how
            health = replace(before, how=how)
        else:
            health = Health(fact.up, at, fact.how)
            if health.failed:
                checker, message = self.failing(fact.service, fact.server, at)
                health = replace(health, checker=checker, message=message)
        self._keep(fact.service, fact.server, health)

    def dumped(self, fact: ChecksSeen, at: float) -> set[ServiceKey]:
        """keepalived_check.data was written; returns the services whose health changed."""
        touched: set[ServiceKey] = set()
        for state in fact.servers:
            self.weighed(state.service, state.server, state.effective_weight, at)
            before = self._health.get((state.service, state.server))
            if before is None or before.up != state.alive:
                self._keep(state.service, state.server, _from_dump(state, at))
                touched.add(state.service)
        return touched

    def _keep(self, service: ServiceKey, server: ServerKey, health: Health) -> None:
        self._health[service, server] = health
        self._services.setdefault(server, set()).add(service)

    def succeeded(self, service: ServiceKey, server: ServerKey) -> bool:
        """Whether a check of that server told of success since the checks began."""
        return any(r.ok and self._counts(r.at) for r in self.checks(service, server))

    def failing(
        self, service: ServiceKey, server: ServerKey, at: float | None = None
    ) -> tuple[str, str]:
        """Checker and message of the newest failure that no later success of the same kind of
        check has overtaken; empty when there is none. at: as it was about then."""
        succeeded = set()
        for result in self.checks(service, server):
            if not self._counts(result.at):
                continue
            if at is not None and (result.at > at + 2.0 or at - result.at > REASON_WINDOW_S):
                continue
            if result.ok:
                succeeded.add(result.checker)
            elif result.checker not in succeeded:
                return result.checker, result.message
        return "", ""


def _from_dump(state: CheckState, at: float) -> Health:
    failed = ", ".join(state.failed_checkers)
    return Health(state.alive, at, "dump", failed, f"{failed} failed" if failed else "")
