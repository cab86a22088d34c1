"""The difference between two configurations in the operator's terms."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from lvstui.model.config import Place


class Impact(str, Enum):
    """What a difference does to those who use the site."""

    CUTS = "cuts"
    """Clients lose service or connections: a backend or VIP vanishes, forwarding changes."""
    MOVES = "moves"
    """Traffic goes elsewhere: weights, schedulers, priorities, new backends."""
    WATCHES = "watches"
    """Only how things are watched and told: checks, quorum, notify scripts, names."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference."""

    kind: str
    """Stable name: `server-added`, `server-removed`, `weight`, `forwarding`, `vip-removed` …"""
    impact: Impact
    subject: str
    """Whom it concerns: `rs2 (10.10.0.4:80) in tcp 10.10.0.20:80`, `instance LB_1`."""
    text: str
    """One sentence: `weight 10 → 0: no new connections`."""
    before: str = ""
    after: str = ""
    place: Place | None = None
    """In the new configuration, or where it stood in the old one."""
