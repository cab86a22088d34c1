"""How old what is known is: sources that do not look any more, what was left out, a queue that
lags. A picture never looks fresher than it is."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from lvstui.model.facts import ClockStepped, Overrun, SourceSilent
from lvstui.model.health import ServerId
from lvstui.model.picture import Event, Gap, Picture, Severity, State, Warning
from lvstui.model.say import clock, duration
from lvstui.model.states import Drain

LAG_S = 2.0
"""A picture that is older than that is said to be."""
OVERRUN_S = 30.0
"""How long something that was left out is news."""
NAMES = {
    "proc": "the kernel's table",
    "netlink": "connection rates and thresholds",
    "rtnetlink": "addresses and links of this host",
    "daemon": "keepalived's processes",
    "file": "the configuration on disk",
    "memfd": "the loaded configuration",
    "log": "keepalived's log",
    "fifo": "keepalived's notify fifo",
    "dbus": "keepalived's D-Bus signals",
    "dump": "keepalived's dumps",
    "wire": "VRRP adverts",
    "sysctls": "kernel settings",
    "audit": "the audit log",
    "changes": "changes of the configuration",
    "looks": "looks at real servers",
}
"""What a source looks at."""
_DECIDE = frozenset(("proc", "daemon", "rtnetlink", "wire"))
"""Sources of evidence: without them nobody knows what is so now."""


def name_of(source: str) -> str:
    return NAMES.get(source, source)


@dataclass(slots=True)
class Ages:
    """What is known of the ages, of one director."""

    silent: dict[str, float] = field(default_factory=dict)
    """Sources that do not look: epoch of the last look."""
    left_out: dict[tuple[str, str], tuple[int, float]] = field(default_factory=dict)
    """(source, what): how many were left out lately, and when the last was (epoch)."""

    def hear(self, fact: SourceSilent) -> None:
        if fact.since is None:
            self.silent.pop(fact.source, None)
        else:
            self.silent[fact.source] = fact.since

    def overrun(self, source: str, fact: Overrun, at: float) -> None:
        count, last = self.left_out.pop((source, fact.what), (0, 0.0))
        if at - last > OVERRUN_S:
            count = 0
        self.left_out[source, fact.what] = count + fact.count, at
        if len(self.left_out) > len(NAMES):
            del self.left_out[next(iter(self.left_out))]

    def gaps(self) -> Iterator[Gap]:
        for source, since in self.silent.items():
            what = f"{name_of(source)}: no look has ended since {clock(since)}"
            yield Gap(source, what, "see what holds it up: the file, the disk or this host's load")

    def overruns(self, now: float) -> tuple[tuple[str, int], ...]:
        """What was left out lately, and how many."""
        return tuple(
            (what, count)
            for (_, what), (count, at) in self.left_out.items()
            if now - at <= OVERRUN_S
        )

    def shift(self, by_s: float) -> None:
        """The clock of this host was set."""
        self.silent = {source: since + by_s for source, since in self.silent.items()}
        self.left_out = {key: (n, at + by_s) for key, (n, at) in self.left_out.items()}


def warnings_of(picture: Picture) -> list[Warning]:
    """Whatever makes the picture older, or less, than it looks."""
    found = []
    for source, since in picture.silent.items():
        severity = Severity.BAD if source in _DECIDE else Severity.WARN
        age = duration(picture.at - since)
        text = f"{name_of(source)}: last looked at {age} ago, what is shown of it is as old"
        found.append(Warning(severity, text, id=f"silent {source}"))
    if picture.lag_s >= LAG_S:
        text = f"lvstui is {duration(picture.lag_s)} behind: more comes than it takes in"
        found.append(Warning(Severity.WARN, text, id="lag"))
    for what, count in picture.overruns:
        text = f"{count} {what} were left out lately: more came than lvstui takes in"
        found.append(Warning(Severity.WARN, text, id=f"left out {what}"))
    return found


def shift(
    by_s: float,
    drains: dict[ServerId, Drain],
    done_at: dict[ServerId, float],
    states: dict[ServerId, tuple[State, float | None]],
    events: deque[Event],
) -> None:
    """The clock of this host was set: move what is remembered of servers, and what was told."""
    for server, drain in drains.items():
        drains[server] = replace(drain, since=drain.since + by_s)
    for server in done_at:
        done_at[server] += by_s
    for server, (state, since) in states.items():
        states[server] = state, None if since is None else since + by_s
    told = [replace(event, at=event.at + by_s) for event in events]
    events.clear()
    events.extend(told)


def clock_was_set(host: str, fact: ClockStepped, at: float) -> Event:
    way = "back" if fact.back else "forward"
    text = f"the clock of this host was set {way} by {duration(fact.by_s)}"
    return Event(at, host, Severity.WARN, text, "daemon")
