"""Whether all is well: a claim, with what it rests on and what it does not speak for."""

from __future__ import annotations

from lvstui.model.packet_warnings import marks_not_looked_at
from lvstui.model.picture import Picture, Severity, State

OK, DEGRADED, BLIND = 0, 1, 2
VERDICTS = {OK: "ok", DEGRADED: "degraded", BLIND: "blind"}


def verdict(picture: Picture) -> tuple[int, list[str]]:
    """The exit status and the reasons for it."""
    if not picture.table_readable:
        gaps = [f"{gap.what}: {gap.remedy}" for gap in picture.gaps if gap.source == "proc"]
        return BLIND, gaps or ["the kernel's IPVS table could not be read"]
    reasons = [w.text for w in picture.warnings if w.severity in (Severity.BAD, Severity.WARN)]
    reasons += [
        f"{server.label} in {service.key} is {server.state.value}: {server.reason}"
        for service in picture.services
        for server in service.servers
        if server.state is State.DOWN
    ]
    return (DEGRADED if reasons else OK), reasons


def not_looked_at(picture: Picture) -> list[str]:
    """What an `ok` does not speak for, one sentence each."""
    found = [gap.what for gap in picture.gaps]
    servers = [server for service in picture.services for server in service.servers]
    if picture.daemon.elsewhere:
        pids = ", ".join(map(str, picture.daemon.elsewhere))
        found.append(f"keepalived in another network namespace: {pids}")
    unchecked = sum(server.state is State.UNVERIFIED for server in servers)
    if unchecked:
        found.append(f"whether {unchecked} real servers answer: no check has told of it")
    found += marks_not_looked_at(picture)
    hosts = {server.key.address for server in servers}
    unseen = hosts - picture.looks.keys()
    if unseen:
        found.append(f"ARP and the VIP on {len(unseen)} of {len(hosts)} real servers")
    return found
