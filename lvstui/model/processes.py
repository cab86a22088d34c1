"""keepalived's processes that do nothing, and what that means. Pure."""

from __future__ import annotations

from lvstui.model.facts import ProcessState
from lvstui.model.picture import Picture, Severity, Warning
from lvstui.model.say import duration

_NAMES = {
    "parent": "keepalived's parent process",
    "vrrp": "the VRRP process",
    "checkers": "the checker process",
    "bfd": "the BFD process",
}
_STATES = {
    "T": "is stopped (T)",
    "t": "is held by a debugger (t)",
    "D": "hangs in the kernel (D)",
    "Z": "has ended and is a zombie (Z)",
}
_MEANS = {
    "parent": "no child that ends is started again, and no reload is heard",
    "vrrp": "it sends no adverts and takes over from nobody",
    "checkers": "no failure is noticed, and nothing that recovers comes back",
    "bfd": "no path that fails is noticed",
}
_KEEPS_VIP = "it sends no adverts, so another director takes the VIP while it stays on this host"


def name(process: ProcessState) -> str:
    """`the checker process 1234`."""
    return f"{_NAMES.get(process.role, 'a process of keepalived')} {process.pid}"


def frozen(process: ProcessState, *, now: float | None = None, holds_vip: bool = False) -> str:
    """What is wrong with it and what that means, in one sentence; empty: nothing.

    now: epoch, to say since when. holds_vip: a virtual address is on this host.
    """
    if not process.state:
        return ""
    says = _STATES.get(process.state, f"does nothing ({process.state})")
    since = ""
    if now is not None and process.since is not None:
        since = f" since {duration(max(now - process.since, 0.0))}"
    means = _KEEPS_VIP if holds_vip and process.role == "vrrp" else _MEANS.get(process.role, "")
    return f"{name(process)} {says}{since}" + (f": {means}" if means else "")


def process_warnings(picture: Picture) -> list[Warning]:
    """One for each process that does nothing."""
    holds = any(instance.vips_here for instance in picture.instances)
    found = []
    for process in picture.daemon.processes:
        text = frozen(process, now=picture.at, holds_vip=holds)
        if text:
            id_ = f"process {process.role} {process.state}"
            found.append(Warning(Severity.BAD, text, id=id_))
    return found


def told(
    before: tuple[ProcessState, ...], after: tuple[ProcessState, ...], at: float, holds_vip: bool
) -> list[tuple[Severity, str]]:
    """What happened between two looks: which processes froze, and which go on."""
    was = {process.pid: process for process in before}
    found = []
    for process in after:
        old = was.get(process.pid)
        if old is not None and old.state == process.state:
            continue
        if process.state:
            found.append((Severity.BAD, frozen(process, holds_vip=holds_vip)))
        elif old is not None and old.state:
            lasted = f" after {duration(at - old.since)}" if old.since is not None else ""
            found.append((Severity.GOOD, f"{name(process)} goes on{lasted}"))
    return found
