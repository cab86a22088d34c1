"""What must be known before a single value is changed: it is more than the value."""

from __future__ import annotations

from lvstui.keepalived.keywords import CHECKERS

_EVERYWHERE = "every director needs it at once: until then they do not hear each other"
_MASTER = "a director that does not preempt keeps its role; with preempt the master may change"
_CHECKED = "a changed check counts as passed until it has run: a failed server gets traffic again"

_OF_VALUES = {
    ("vrrp_instance", "virtual_router_id"): _EVERYWHERE,
    ("vrrp_instance", "advert_int"): "every director needs it: with VRRP 2 they drop each other's "
    "adverts until then",
    ("vrrp_instance", "version"): _EVERYWHERE,
    ("vrrp_instance", "interface"): "the VIPs leave the old interface",
    ("vrrp_instance", "priority"): _MASTER,
    ("vrrp_instance", "state"): "it counts at the start only; the priority decides after that",
    ("authentication", "auth_pass"): _EVERYWHERE,
    ("authentication", "auth_type"): _EVERYWHERE,
    ("virtual_server", "protocol"): "keepalived makes it anew: its connections are lost",
    ("virtual_server", "lb_kind"): "every real server must be set up for it",
    ("virtual_server", "lvs_method"): "every real server must be set up for it",
    ("real_server", "lvs_method"): "the real server must be set up for it",
    ("real_server", "uthreshold"): "a reload does not apply it before the weight changes too",
    ("real_server", "lthreshold"): "a reload does not apply it before the weight changes too",
}
"""Measured with 2.2.7 and 2.4.3, or read in check_parser.c and ipwrapper.c (thresholds)."""


def consequence(block: str, keyword: str) -> str:
    """One sentence about a change of `keyword` in a block of that kind; empty when there is
    nothing to say."""
    if block.encode() in CHECKERS or block == "url":
        return _CHECKED
    return _OF_VALUES.get((block, keyword), "")
