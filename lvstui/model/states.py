"""The state of one real server, from what the file, keepalived and the kernel say of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from lvstui.model.config import ConfiguredChecker, ConfiguredServer
from lvstui.model.facts import Done
from lvstui.model.health import Health
from lvstui.model.ipvs import Destination, unfinished
from lvstui.model.keys import ServiceKey
from lvstui.model.picture import Disagreement, State
from lvstui.model.say import duration

WAITS = "no check has spoken yet"
"""The reason of a server whose checks still have time to speak."""
REMOVAL_GRACE_S = 2.5
"""keepalived says "removed" before the next read of the kernel table shows it."""
NOBODY_CHECKS = "keepalived is not running: nobody checks it"

TAKEN_OUT = "removed by hand? A restart of keepalived puts it back, a reload does not"
NOT_LOADED = "in the file, not loaded: keepalived was not reloaded"
STILL_LOADED = "gone from the file, still loaded: keepalived was not reloaded"


@dataclass(frozen=True, slots=True)
class StateInputs:
    """What holds for every service of the host."""

    now: float
    file_known: bool = False
    """The configuration on disk was read."""
    loaded_known: bool = False
    """The daemon's own copy was read."""
    table_readable: bool = False
    daemon_running: bool | None = None
    checks_since: float | None = None
    """Epoch of the daemon's start or last reload: until its checks had time to speak, a real
    server that it put in is unverified."""
    names: Mapping[str, str] | None = None
    addresses: frozenset[str] | None = None
    """Addresses on this host; None when unknown."""
    dated: bool = True
    """A state that differs from the last picture's began now; False: it is only now known."""


@dataclass(frozen=True, slots=True)
class Drain:
    """How a real server's connections went since it takes no new ones."""

    since: float
    connections: int
    done: Done | None = None
    """The operation of lvstui that did it."""
    begun: bool = True
    """It began at `since`; False: it was so at the first look."""

    def left_s(self, now: float, connections: int) -> float | None:
        """Seconds until none is left, if they go on ending as they did; None when unknown."""
        gone = self.connections - connections
        elapsed = now - self.since
        if gone <= 0 or elapsed < 3 or connections == 0:
            return None
        return connections * elapsed / gone


def verdict_due_s(server: ConfiguredServer) -> float:
    """Seconds after a start or reload by which every check of `server` must have spoken: two
    rounds (the first one is delayed at random) with their time-outs and retries."""
    due = (2 * c.delay_loop_s + c.connect_timeout_s * (c.retry + 1) for c in server.checkers)
    return max(due, default=0.0)


def credible(
    health: Health | None, kernel: Destination | None, around: StateInputs
) -> Health | None:
    """The word about a server, unless it is about something else than its health now.

    What went because keepalived ended was healthy, and is when it is back. A server that failed
    before a reload, and whose checks have only told of success since, was taken out of the file
    and put back.
    """
    if health is None or health.up:
        return health
    if kernel is None:
        return health
    put_back = kernel.weight > 0 and before_reload(health, around) and not health.message
    return None if put_back or not health.failed else health


def before_reload(health: Health, around: StateInputs) -> bool:
    return around.checks_since is not None and health.since <= around.checks_since


def same_checks(ones: tuple[ConfiguredChecker, ...], others: tuple[ConfiguredChecker, ...]) -> bool:
    """Whether they are equal wherever they stand in the file: then a reload keeps their state."""
    ours, theirs = ([replace(one, place=None) for one in some] for some in (ones, others))
    return ours == theirs


@dataclass(frozen=True, slots=True)
class Standing:
    """What becomes of a server's traffic, why, and what disagrees."""

    state: State
    reason: str = ""
    differs: tuple[Disagreement, ...] = ()


def absent(
    file: ConfiguredServer | None,
    loaded: ConfiguredServer | None,
    health: Health | None,
    around: StateInputs,
    *,
    service_there: bool = True,
    failing: str = "",
    passes: bool = False,
    done: Done | None = None,
) -> Standing:
    """A server that the kernel does not have: it gets nothing.

    service_there: its service it has. failing: what its checks said last, when they failed.
    passes: they told of success last. done: what lvstui did to it last.
    """
    if not around.table_readable:
        if health is not None and not health.up:
            return Standing(State.DOWN, said(health))
        return Standing(State.UNVERIFIED, "the kernel table can not be read")
    if around.daemon_running is False:
        idle = "keepalived is not running: nobody puts it in the table"
        if health is not None and not health.up and health.message:
            return Standing(State.DOWN, f"{said(health)}; {idle}")
        return Standing(State.DOWN, idle)
    if health is not None and not health.up:
        return Standing(State.DOWN, said(health) if health.failed or not failing else failing)
    if (file is None) != (loaded is None) and around.file_known and around.loaded_known:
        reloaded = Disagreement("file", NOT_LOADED if loaded is None else STILL_LOADED)
        return Standing(State.DOWN, reloaded.text, (reloaded,))
    server = file or loaded
    if health is not None and around.now - health.since < REMOVAL_GRACE_S:
        return Standing(State.UNVERIFIED, "keepalived has just put it in")
    if server is not None and may_wait(server, around):
        return Standing(State.UNVERIFIED, WAITS)
    if loaded is not None and loaded.alpha and failing:
        # It comes in with its first success: nothing was taken out, so nothing tells of it.
        return Standing(State.DOWN, failing)
    healthy = health is not None or (service_there and passes)
    if loaded is not None and (healthy or (service_there and not loaded.checkers)):
        by = done.who if done is not None and done.ok else "somebody"
        gone = Disagreement("entry", "keepalived has it, the kernel does not", by)
        return Standing(State.DOWN, f"{gone.text}: {TAKEN_OUT}", (gone,))
    if loaded is not None and not service_there:
        text = "keepalived has its service, the kernel does not"
        return Standing(State.DOWN, text, (Disagreement("entry", text),))
    return Standing(
        State.DOWN, "not in the kernel table; keepalived's reason is older than its log here"
    )


_IDENTITY = re.compile(
    r"\s+(?:(?:to|on|for|of|from)\s+)?(?:service\s+)?\(?"
    r"\[{1,2}[0-9a-fA-F.:]+\](?::\w+)?(?::\d+)?(?:\s+VS\s+\[[^\]]*\](?::\w+)?(?::\d+)?)?\]?\)?"
)


_CHECKER = re.compile(r"[A-Z]+_(?:CHECK|GET)\b")
"""A message that names its checker itself (HTTP_GET says HTTP_CHECK)."""


def brief(message: str) -> str:
    """A check's message without the addresses that stand in the same row anyway."""
    return _IDENTITY.sub("", message).rstrip(". ") or message


def said(health: Health) -> str:
    """Why keepalived took a server out, in one line."""
    if not health.up and not health.failed:
        return "keepalived ended and took its table with it"
    message = brief(health.message)
    if health.checker == "MISC_CHECK":
        message = re.sub(r"^Misc check ", "MISC_CHECK ", message)
    if health.checker and message and not _CHECKER.match(message):
        return f"{health.checker}: {message}"
    return message or health.checker or "keepalived took it out"


def may_wait(server: ConfiguredServer, around: StateInputs) -> bool:
    """Whether keepalived has just begun, or been told anew, and had no time yet."""
    since = around.checks_since
    due = max(verdict_due_s(server), REMOVAL_GRACE_S)
    return since is not None and around.now - since < due


def quiesced(
    service: ServiceKey,
    kernel: Destination,
    file: ConfiguredServer | None,
    health: Health | None,
    drain: Drain | None,
    around: StateInputs,
    *,
    told: int | None = None,
) -> Standing:
    """A server that has weight 0 in the kernel. told: the last weight that keepalived gave it."""
    if file is not None and file.weight == 0:
        line = f" (line {file.place.line})" if file.place else ""
        lasting = f"weight 0 in the file{line}"
        return Standing(State.DISABLED, f"{file.disabled}; {lasting}" if file.disabled else lasting)
    if health is not None and not health.up:
        return Standing(State.DOWN, said(health))
    done = drain.done if drain is not None else None
    if done is None and file is not None and file.inhibit_on_failure and health is None:
        why = "weight 0: drained or failed (inhibit_on_failure), keepalived's word is not known"
        return Standing(State.UNVERIFIED, why)
    connections = unfinished(service.protocol, kernel.active, kernel.inactive)
    if done is not None:
        why = f"drained by {done.who}" + (f", “{done.reason}”" if done.reason else "")
    elif told == 0:
        why = "weight 0 in the kernel, set by keepalived"
    elif file is not None and any(checker.sets_weight for checker in file.checkers):
        why = "weight 0 in the kernel, set by a check that sets weights or by hand"
    else:
        why = "weight 0 in the kernel, set outside lvstui"
    if connections:
        left = drain.left_s(around.now, connections) if drain is not None else None
        pace = f", about {duration(left)}" if left is not None else ""
        return Standing(State.DRAINING, f"{connections} left{pace}; {why}")
    return Standing(State.DRAINED, why)


def serving(
    kernel: Destination,
    file: ConfiguredServer | None,
    loaded: ConfiguredServer | None,
    health: Health | None,
    around: StateInputs,
    *,
    spoken: Callable[[], bool] = lambda: False,
    told: int | None = None,
    done: Done | None = None,
    full: bool = False,
    sorry: bool = False,
) -> Standing:
    """A server that the kernel gives new connections.

    spoken: whether its checks, as they are now, were heard of since keepalived began; a reload
    keeps what they know. told: the last weight that keepalived gave it. done: what lvstui did to
    it last. full: its upper threshold is reached. sorry: it is its service's sorry server too.
    """
    expected = loaded or file
    differs = tuple(_differences(kernel, file, loaded, around, told, done))
    reason = "; ".join(map(str, differs))
    if around.daemon_running is False:
        return Standing(State.UNVERIFIED, NOBODY_CHECKS, differs)
    if health is not None and not health.up:
        if around.now - health.since < REMOVAL_GRACE_S:
            return Standing(State.DOWN, said(health))
        if sorry:
            return Standing(
                State.UNVERIFIED, f"in as the sorry server; its own check: {said(health)}"
            )
        if before_reload(health, around):
            words = f"before its last reload keepalived said down ({said(health)})"
            return Standing(State.UNVERIFIED, f"{words}, the kernel has it now", differs)
        by = done.who if done is not None and done.ok and done.after else "somebody"
        text = f"keepalived says down ({said(health)}), the kernel has it"
        differs = (Disagreement("check", text, by), *differs)
        return Standing(State.UNVERIFIED, "; ".join(map(str, differs)), differs)
    if expected is None:
        return Standing(State.UNVERIFIED, "no configuration could be read")
    if full:
        words = f"{kernel.active + kernel.inactive} connections, upper threshold reached"
        return Standing(State.OVERLOADED, f"{words}: it gets no new ones", differs)
    if not expected.checkers:
        unchecked = "no check is configured: it stays in whatever happens"
        return Standing(State.UNVERIFIED, reason or unchecked, differs)
    if health is None and not expected.alpha and may_wait(expected, around) and not spoken():
        return Standing(State.UNVERIFIED, "; ".join([WAITS, *map(str, differs)]), differs)
    return Standing(State.UP, reason, differs)


def _differences(
    kernel: Destination,
    file: ConfiguredServer | None,
    loaded: ConfiguredServer | None,
    around: StateInputs,
    told: int | None,
    done: Done | None,
) -> Iterator[Disagreement]:
    expected = loaded or file
    if file is None and loaded is not None and around.file_known:
        yield Disagreement("file", STILL_LOADED)
    if expected is None:
        return
    # Its own checks may set a weight without a word of it in a log that is read here.
    free = told is None and any(checker.sets_weight for checker in expected.checkers)
    if told is None:
        told = expected.weight
    if kernel.weight != told and not free:
        ours = done is not None and done.ok and done.after == kernel.weight
        by = done.who if done is not None and ours else "somebody"
        meant = "configured" if told == expected.weight else "keepalived gave it"
        yield Disagreement("weight", f"kernel weight {kernel.weight}, {meant} {told}", by)
    if file is not None and loaded is not None and file.weight != loaded.weight:
        text = f"loaded weight {loaded.weight}, file {file.weight}: not reloaded"
        yield Disagreement("file", text)
    if kernel.forwarding not in (expected.forwarding, "LOCAL"):
        text = f"kernel forwards by {kernel.forwarding}, configured {expected.forwarding}"
        yield Disagreement("forwarding", text, "somebody")


def overloaded(kernel: Destination, upper: int, lower: int, *, before: bool) -> bool:
    """Whether the kernel gives a server nothing new because of its thresholds: from the upper one
    on, until it falls below the lower one or below three quarters of the upper one
    (ip_vs_bind_dest, ip_vs_unbind_dest in net/netfilter/ipvs/ip_vs_conn.c).

    before: it was so a moment ago.
    """
    if upper <= 0:
        return False
    count = kernel.active + kernel.inactive
    if not before:
        return count >= upper
    return count >= lower if lower else count * 4 >= upper * 3
