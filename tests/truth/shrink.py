"""Making a case smaller while it still disagrees: fewer acts, a simpler site."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.truth.episode import Case, Found
from tests.truth.topologies import Pool, Site


def shrink(
    found: Found, still: Callable[[Case, str], bool], end: float, tell: Callable[[str], None]
) -> Case:
    """The smallest case that was reached until `end` on the monotonic clock."""
    case = replace(found.case, acts=found.case.acts[: found.step])
    improved = True
    while improved:
        improved = False
        for smaller in candidates(case):
            if time.monotonic() > end:
                return case
            if still(smaller, found.kind):
                case, improved = smaller, True
                tell(f"  smaller: {case}")
                break
    return case


def candidates(case: Case) -> Iterator[Case]:
    """Cases that are a little smaller, the boldest first."""
    acts = case.acts
    for size in dict.fromkeys((len(acts) // 2, len(acts) // 4, 1)):
        if 0 < size < len(acts) or size == len(acts) == 1:
            for start in range(0, len(acts), size):
                yield replace(case, acts=acts[:start] + acts[start + size :])
    for site in simpler(case.site):
        yield replace(case, site=site)


def simpler(site: Site) -> Iterator[Site]:
    """Sites with one thing less out of the ordinary."""
    for number in range(len(site.pools)):
        if len(site.pools) > 1:
            yield replace(site, pools=site.pools[:number] + site.pools[number + 1 :])
    plain = Site(site.directors, site.real_servers, site.pools)
    for name in (
        *("ipv6", "second", "synced", "unicast", "nopreempt", "tracked"),
        *("fifos", "version", "delay"),
    ):
        if getattr(site, name) != getattr(plain, name):
            yield replace(site, **{name: getattr(plain, name)})
    for number, pool in enumerate(site.pools):
        bare = Pool(pool.name, pool.members)
        for name in (
            *("grouped", "fwmark", "persistence", "quorum", "hysteresis", "sorry", "retry"),
            *("alpha", "ops", "scheduler"),
        ):
            if getattr(pool, name) != getattr(bare, name):
                changed = replace(pool, **{name: getattr(bare, name)})
                yield replace(
                    site, pools=(*site.pools[:number], changed, *site.pools[number + 1 :])
                )
