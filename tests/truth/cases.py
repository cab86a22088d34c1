"""Cases that once found a fault, as small as they became, and what was said falsely in them."""

from __future__ import annotations

from tests.truth.acts import Act
from tests.truth.episode import Case
from tests.truth.topologies import Member, Pool, Site

_PAIR = (Member("rs1"), Member("rs2"))
_DYNAMIC = (Member("rs1", 10, ("dynamic",)), Member("rs2"))


def _site(*pools: Pool) -> Site:
    return Site(2, 2, pools or (Pool("web", _PAIR),))


def _case(site: Site, *acts: Act) -> Case:
    return Case(0, site, acts)


MENDED: dict[str, Case] = {
    "weight 0 by keepalived's own misc_dynamic was called set outside lvstui": _case(
        _site(Pool("web", _DYNAMIC)), Act("reload", "lb1"), Act("reload", "lb1")
    ),
    "another scheduler than the file's was not named": _case(
        _site(), Act("ipvsadm", "lb1", ("-E", "-t", "10.10.0.20:80", "-s", "rr"))
    ),
    "adverts of a stranger with our VRID were called a split brain": _case(
        _site(), Act("clash", "rs2", ("51", "50", "10.10.0.77"))
    ),
    "a VIP on two directors was beside an ok": _case(_site(), Act("split")),
    "the VIP that a killed keepalived left behind was beside an ok": _case(
        _site(), Act("kill-keepalived", "lb1")
    ),
    "a frozen checker was beside an ok": _case(_site(), Act("freeze", "lb1", ("checkers",))),
    "a frozen vrrp process was not named": _case(_site(), Act("freeze", "lb1", ("vrrp",))),
}
"""Each is run by `--kept`."""

MINUTE = _case(
    Site(
        directors=2,
        real_servers=3,
        pools=(
            Pool("web", (Member("rs1"), Member("rs2", 5, ("http",))), alpha=False, sorry="rs3"),
            Pool("api", _DYNAMIC, port=8080),
        ),
        second=True,
        fifos=False,
    ),
    Act("stop", "rs1", ("web",)),
    Act("reload", "lb1"),
    Act("ipvsadm", "lb2", ("-E", "-t", "10.10.0.20:80", "-s", "rr")),
    Act("freeze", "lb1", ("checkers",)),
)
"""What the test run has time for: several of them in one guest, on a site without what the lab's
own configurations have alike (alpha, fifos, one instance)."""

OPEN: dict[str, Case] = {
    "a foreign server in a service was beside an ok; its half-open entries are an alarm after it "
    "has gone": _case(
        _site(),
        Act("ipvsadm", "lb1", ("-a", "-t", "10.10.0.20:80", "-r", "10.10.0.99:80", "-g", "-w5")),
    )
}
"""Not mended yet; `--kept` runs them too."""
