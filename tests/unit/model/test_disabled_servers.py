"""Who switched a real server off in the file, and why, is part of its state."""

from __future__ import annotations

from lvstui.keepalived.meaning.view import view
from lvstui.keepalived.text.parser import parse_bytes
from lvstui.model.config import DisabledBy
from lvstui.model.picture import State
from tests.unit.world import World, configured, service

SIGNED = DisabledBy("alice", "2026-11-24 21:50", "disk swap", 10)

CONF = b"""\
virtual_server 10.0.0.1 80 {
    lb_algo rr
    lb_kind DR
    protocol TCP
    real_server 10.0.0.3 80 {
        weight 0 # lvstui: disabled by alice 2026-11-24T21:50Z was 10: disk swap
    }
    real_server 10.0.0.4 80 {
        weight 0 # off for a while
    }
}
"""


def test_the_mark_says_who_and_why_and_a_plain_zero_does_not() -> None:
    marked, plain = view(parse_bytes(CONF)).services[0].servers
    assert marked.disabled == SIGNED
    assert str(SIGNED) == "“disk swap” by alice 2026-11-24 21:50 UTC"
    assert plain.disabled is None


def test_the_state_tells_the_lasting_one_from_a_drain() -> None:
    off = configured(2, weight=0, disabled=SIGNED)
    world = World().config(service(configured(1), off)).kernel((1, 10, 0, 0), (2, 0, 5, 0))
    server = world.server(2)
    assert server.state is State.DISABLED
    assert server.reason == (
        "“disk swap” by alice 2026-11-24 21:50 UTC; weight 0 in the file (line 12)"
    )
