"""What a change of real servers means for those who use them: said before it is made. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from lvstui.model.realserver import Verdict
from lvstui.operations.rows import HostsPlan, Row, hosts_title
from lvstui.realserver.hosts import Host
from lvstui.realserver.steps import HostPlan

FRESH_S = 60.0
"""A plan is made from a look that is no older."""


def serves(row: Row | None, vip: str) -> bool:
    """The look saw that this host has the VIP."""
    return row is not None and any(
        check.id == "vip" and check.verdict is Verdict.GOOD
        for address, found in row.checks
        if address == vip
        for check in found
    )


def hosts_plan(
    operation: str,
    rows: Sequence[Row],
    plans: Sequence[HostPlan],
    everybody: Sequence[Host],
    known: Mapping[str, Row],
    weights: Mapping[str, int],
    timer_s: int,
) -> HostsPlan:
    """The plans of all hosts as one, with what it means.

    everybody: all real servers, none when nothing is known of the others; known: their last looks
    by address; weights: kernel weight of those that take new connections."""
    whole = HostsPlan(
        hosts_title(operation, [row.host for row in rows]), operation, tuple(rows), tuple(plans)
    )
    ready = [
        (row, plan)
        for row, plan in zip(rows, plans, strict=True)
        if not plan.refusals and not plan.empty
    ]
    if not ready:
        return whole
    lines = []
    names = [row.host.label for row, _ in ready]
    if len(ready) > 1:
        rest = names[1] if len(names) == 2 else f"the other {len(names) - 1} together"
        lines.append(f"{names[0]} goes first, {rest} only when that went well.")
    proof = (
        "a new login and ARP silence prove it" if operation == "push" else ("a new login proves it")
    )
    who = "Each host" if len(ready) > 1 else names[0]
    lines.append(f"{who} goes back by itself after {timer_s} s unless {proof}.")
    if operation != "undo" or not everybody:
        return replace(whole, effects=tuple(lines))
    cautions = []
    typed = ""
    changing = {row.host.address for row, _ in ready}
    for vip in dict.fromkeys(vip for _, plan in ready for vip in plan.vips):
        from_ = [row.host.label for row, plan in ready if vip in plan.vips]
        having = [host for host in everybody if vip in host.vip_addresses]
        others = [host for host in having if host.address not in changing]
        left = [host.label for host in others if serves(known.get(host.address), vip)]
        gone = f"{vip} is taken from {', '.join(from_)}"
        if left:
            lines.append(f"{gone}; {len(left)} of {len(having)} still have it: {', '.join(left)}.")
        else:
            cautions.append(
                f"{gone}: no real server is known to have it then. Packets for it are "
                "dropped by whoever gets them."
            )
            typed = typed or vip
    cautions += loaded([row.host for row, _ in ready], weights)
    return replace(whole, effects=tuple(lines), cautions=tuple(cautions), typed=typed)


def loaded(hosts: Sequence[Host], weights: Mapping[str, int]) -> list[str]:
    """Who takes new connections and should be drained first."""
    busy = [host.label for host in hosts if weights.get(host.address)]
    if not busy:
        return []
    take = "takes" if len(busy) == 1 else "take"
    return [f"{', '.join(busy)} {take} new connections now: drain first (screen 1, d)."]
