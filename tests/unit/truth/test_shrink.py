"""A case that disagrees is made as small as it can be."""

from __future__ import annotations

from tests.truth.acts import Act
from tests.truth.episode import Case, Found, case_of
from tests.truth.shrink import shrink
from tests.truth.topologies import Site
from tests.truth.view import Disagreement


def test_what_has_no_part_in_it_is_left_out() -> None:
    case = case_of(101, 6)
    blamed = Act("stop", "rs1", ("web",))
    acts = (*case.acts[:3], blamed, *case.acts[3:])
    found = Found(
        Case(101, case.site, acts), 5, Disagreement("served is not down", "lb1", "fresh", "rs1")
    )
    asked: list[Case] = []

    def still(smaller: Case, kind: str) -> bool:
        asked.append(smaller)
        assert kind == found.kind
        return blamed in smaller.acts and smaller.site.nopreempt

    small = shrink(found, still, float("inf"), lambda _: None)
    assert small.acts == (blamed,)
    assert len(small.site.pools) == 1
    pool = small.site.pools[0]
    assert (pool.scheduler, pool.persistence, pool.quorum) == ("wrr", 0, 1)
    assert small.site == Site(2, 4, (pool,), nopreempt=True)
    assert len(asked) < 60


def test_it_ends_when_its_time_is_over() -> None:
    case = case_of(101, 6)
    found = Found(case, 4, Disagreement("served is not down", "lb1", "fresh", "rs1"))
    small = shrink(found, lambda *_: True, float("-inf"), lambda _: None)
    assert small.acts == case.acts[:4]
