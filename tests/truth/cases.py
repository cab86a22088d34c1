"""Cases that once found a fault, as small as they became, and what they found."""

from __future__ import annotations

from tests.truth.acts import Act
from tests.truth.episode import Case
from tests.truth.topologies import Member, Pool, Site

KEPT: tuple[tuple[str, Case], ...] = ()
"""What was said falsely, and the case in which it was."""

ORDINARY = Case(
    0,
    Site(
        directors=2,
        real_servers=3,
        pools=(
            Pool("web", (Member("rs1"), Member("rs2", 5, ("http",))), alpha=False, sorry="rs3"),
        ),
        second=True,
        fifos=False,
    ),
    (
        Act("stop", "rs1"),
        Act("edit", "lb1", ("back", "0")),
        Act("restart", "lb1"),
        Act("start", "rs1"),
    ),
)
