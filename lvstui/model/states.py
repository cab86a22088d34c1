"""The state of one real server, from what the file, keepalived and the kernel say of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from lvstui.model.config import ConfiguredChecker, ConfiguredServer
from lvstui.model.facts import Done
from lvstui.model.health import Health
from lvstui.model.ipvs import Destination, unfinished
from lvstui.model.keys import ServiceKey
from lvstui.model.picture import State
from lvstui.model.say import duration

WAITS = "no check has spoken yet"
"""The reason of a server whose checks still have time to speak."""
REMOVAL_GRACE_S = 2.5
"""keepalived says "removed" before the next read of the kernel table shows it."""
NOBODY_CHECKS = "keepalived is not running: nobody checks it"

TAKEN_OUT = "removed by hand? A restart of keepalived puts it back, a reload does not"


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


def absent(
    file: ConfiguredServer | None,
    loaded: ConfiguredServer | None,
    health: Health | None,
    around: StateInputs,
    *,
    service_there: bool = True,
    failing: str = "",
) -> tuple[State, str]:
    """State and reason of a server that the kernel does not have.

    service_there: its service it has. failing: what its checks said last, when they failed.
    """
    if not around.table_readable:
        if health is not None and not health.up:
            return State.DOWN, said(health)
        return State.UNVERIFIED, "the kernel table can not be read"
    if around.daemon_running is False:
        idle = "keepalived is not running: nobody puts it in the table"
        if health is not None and not health.up and health.message:
            return State.DOWN, f"{said(health)}; {idle}"
        return State.DOWN, idle
    if health is not None and not health.up:
        return State.DOWN, said(health) if health.failed or not failing else failing
    if file is not None and loaded is None and around.loaded_known:
        return State.DRIFTED, "in the file, not loaded: keepalived was not reloaded"
    if file is None and loaded is not None and around.file_known:
        return State.DRIFTED, "gone from the file, still loaded: keepalived was not reloaded"
    server = file or loaded
    if health is not None and around.now - health.since < REMOVAL_GRACE_S:
        return State.UNVERIFIED, "keepalived has just put it in"
    if server is not None and may_wait(server, around):
        return State.UNVERIFIED, WAITS
    if loaded is not None and loaded.alpha and failing:
        # It comes in with its first success: nothing was taken out, so nothing tells of it.
        return State.DOWN, failing
    if loaded is not None and (health is not None or not service_there or not loaded.checkers):
        return State.DRIFTED, f"keepalived has it, the kernel does not: {TAKEN_OUT}"
    return State.DOWN, "not in the kernel table; keepalived's reason is older than its log here"


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
) -> tuple[State, str]:
    """State and reason of a server that has weight 0 in the kernel."""
    if file is not None and file.weight == 0:
        line = f" (line {file.place.line})" if file.place else ""
        lasting = f"weight 0 in the file{line}"
        return State.DISABLED, f"{file.disabled}; {lasting}" if file.disabled else lasting
    if health is not None and not health.up:
        return State.DOWN, said(health)
    done = drain.done if drain is not None else None
    if done is None and file is not None and file.inhibit_on_failure and health is None:
        why = "weight 0: drained or failed (inhibit_on_failure), keepalived's word is not known"
        return State.UNVERIFIED, why
    connections = unfinished(service.protocol, kernel.active, kernel.inactive)
    if done is not None:
        why = f"drained by {done.who}" + (f", “{done.reason}”" if done.reason else "")
    else:
        why = "weight 0 in the kernel, set outside lvstui"
    if connections:
        left = drain.left_s(around.now, connections) if drain is not None else None
        pace = f", about {duration(left)}" if left is not None else ""
        return State.DRAINING, f"{connections} left{pace}; {why}"
    return State.DRAINED, why


def serving(
    kernel: Destination,
    file: ConfiguredServer | None,
    loaded: ConfiguredServer | None,
    health: Health | None,
    around: StateInputs,
    *,
    spoken: Callable[[], bool] = lambda: False,
) -> tuple[State, str]:
    """State and reason of a server that takes new connections.

    spoken: whether its checks, as they are now, were heard of since keepalived began; a reload
    keeps what they know.
    """
    expected = loaded or file
    if around.daemon_running is False:
        return State.UNVERIFIED, NOBODY_CHECKS
    if health is not None and not health.up:
        if around.now - health.since < REMOVAL_GRACE_S:
            return State.DOWN, said(health)
        if before_reload(health, around):
            told = f"before its last reload keepalived said down ({said(health)})"
            return State.UNVERIFIED, f"{told}, the kernel has it now"
        return State.DRIFTED, f"keepalived says down ({said(health)}), the kernel still has it"
    if file is None and loaded is not None and around.file_known:
        return State.DRIFTED, "gone from the file, still loaded: keepalived was not reloaded"
    if expected is None:
        return State.UNVERIFIED, "no configuration could be read"
    if kernel.weight != expected.weight:
        return State.DRIFTED, f"kernel weight {kernel.weight}, configured {expected.weight}"
    if file is not None and loaded is not None and file.weight != loaded.weight:
        return State.DRIFTED, f"loaded weight {loaded.weight}, file {file.weight}: not reloaded"
    if kernel.forwarding != expected.forwarding and kernel.forwarding != "LOCAL":
        return State.DRIFTED, f"kernel forwards by {kernel.forwarding}, not {expected.forwarding}"
    if not expected.checkers:
        return State.UNVERIFIED, "no check is configured: it stays in whatever happens"
    if health is None and not expected.alpha and may_wait(expected, around) and not spoken():
        return State.UNVERIFIED, WAITS
    return State.UP, ""
