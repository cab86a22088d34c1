"""A change by hand is made on the other director too, where both files say the same."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvstui.keepalived.edit import intent as i
from lvstui.keepalived.edit.carry import carry
from lvstui.keepalived.edit.change import RefusedEdit
from lvstui.keepalived.edit.draft import Draft
from lvstui.keepalived.edit.servers import NewServer
from lvstui.keepalived.edit.target import OfNamed
from lvstui.keepalived.text.files import Files
from lvstui.model.keys import ServerKey, ServiceKey

SHARED = b"""
vrrp_instance VI_1 {
    state %s
    interface eth0
    virtual_router_id 51
    priority %d
    unicast_peer {
        %s
    }
    virtual_ipaddress {
        10.0.0.1/24
    }
}

virtual_server 10.0.0.1 80 {
    lb_kind DR
    protocol TCP
    real_server 10.0.0.11 80 {
        weight 1
        TCP_CHECK {
        }
    }
    real_server 10.0.0.12 80 {
        weight 1
        TCP_CHECK {
        }
    }
}
"""
ONE = b"global_defs {\n    router_id LB_1\n}\n" + SHARED % (b"MASTER", 150, b"10.0.0.3")
TWO = b"# second\nglobal_defs {\n    router_id LB_2\n}\n" + SHARED % (b"BACKUP", 100, b"10.0.0.2")

SECOND = (
    b"    real_server 10.0.0.12 80 {\n        weight 1\n        TCP_CHECK {\n        }\n    }\n"
)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"    lb_kind DR\n", b"    lb_kind DR\n    lb_algo wrr\n"),
        (b"virtual_router_id 51", b"virtual_router_id 52"),
        (b"        10.0.0.1/24\n", b"        10.0.0.1/24\n        10.0.0.2/24\n"),
        (SECOND, SECOND.replace(b"weight 1", b"weight 0")),
        (SECOND, b""),
        (b"    protocol TCP\n", b"    protocol TCP # both\n"),
        (b"    }\n}\n\nvirtual", b"    }\n}\n\n# web\nvirtual"),
    ],
)
def test_a_change_is_made_in_both(old: bytes, new: bytes) -> None:
    assert ONE.count(old) == 1
    assert TWO.count(old) == 1
    assert carry(ONE, ONE.replace(old, new), TWO) == TWO.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b"priority 150", b"priority 160", r"conf:9:1: priority differs"),
        (b"router_id LB_1", b"router_id LB_9", "router_id differs"),
        (b"state MASTER", b"state BACKUP", "state differs"),
        (b"interface eth0", b"interface eth1", "interface differs"),
        (b"10.0.0.3\n", b"10.0.0.4\n", "unicast_peer differs"),
        (b"global_defs {\n", b"global_defs {\n    vrrp_strict\n", "no such lines"),
    ],
)
def test_what_is_per_director_is_refused(old: bytes, new: bytes, why: str) -> None:
    assert ONE.count(old) == 1
    with pytest.raises(RefusedEdit, match=why):
        carry(ONE, ONE.replace(old, new), TWO)


WEB = ServiceKey.parse("tcp 10.0.0.1:80")
RS2 = ServerKey.parse("10.0.0.12:80")


def after(text: bytes, intent: i.Intent) -> bytes:
    draft = Draft("/k.conf", Files({"/k.conf": text}.__getitem__), "lb1")
    assert draft.apply(intent.on(draft.tree))
    return draft.data("/k.conf")


@pytest.mark.parametrize(
    "intent",
    [
        i.SetWeight(WEB, RS2, 7),
        i.Disable(WEB, RS2, "alice", datetime(2026, 11, 24, tzinfo=timezone.utc), "why"),
        i.AddServer(WEB, NewServer("10.0.0.13")),
        i.RemoveServer(WEB, RS2),
        i.AddVip("VI_1", ("10.0.0.2/24",)),
        i.RemoveService(WEB),
        i.SetValue(OfNamed("vrrp_instance", "VI_1"), "virtual_router_id", ("52",)),
    ],
    ids=lambda intent: type(intent).__name__,
)
def test_lines_and_intents_agree(intent: i.Intent) -> None:
    assert carry(ONE, after(ONE, intent), TWO) == after(TWO, intent)
    assert carry(TWO, after(TWO, intent), ONE) == after(ONE, intent)


def test_a_line_for_one_host_is_in_both_files() -> None:
    text = b"vrrp_instance A {\n@lb1 priority 150\n@lb2 priority 100\n}\n"
    after = text.replace(b"150", b"160")
    assert carry(text, after, text) == after


def test_the_same_lines_in_another_service_are_not_taken() -> None:
    pool = b"virtual_server 10.0.0.%d 80 {\n  a\n  b\n  c\n  weight 1\n  d\n  e\n  f\n}\n"
    both = pool % 1 + pool % 2
    after = both.replace(b"weight 1", b"weight 2", 1)
    with pytest.raises(RefusedEdit, match="another block"):
        carry(both, after, b"# top\n" + pool % 2)


def test_lines_that_stand_twice_are_told_apart_by_more_of_what_is_around() -> None:
    server = b"  real_server 10.0.0.%d 80 {\n    a\n    b\n    weight 1\n    c\n    d\n    e\n  }\n"
    text = b"virtual_server 10.0.0.1 80 {\n" + server % 3 + server % 4 + b"}\n"
    after = text[::-1].replace(b"weight 1"[::-1], b"weight 2"[::-1], 1)[::-1]
    assert carry(text, after, b"# other\n" + text) == b"# other\n" + after


def test_no_message_shows_a_line() -> None:
    secret = b"authentication {\n    auth_pass s3cret\n}\n"
    with pytest.raises(RefusedEdit) as why:
        carry(secret, secret.replace(b"s3cret", b"s3cretX"), b"x\n")
    assert "s3cret" not in str(why.value)


LINES = st.sampled_from([b"a\n", b"b\n", b"}\n", b"x {\n", b"global_defs {\n", b"priority 1\n"])
TEXTS = st.lists(LINES, max_size=14).map(b"".join)


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS, TEXTS)
def test_carrying_is_exact_or_refused(before: bytes, after: bytes, other: bytes) -> None:
    try:
        result = carry(before, after, other)
    except RefusedEdit:
        return
    old, new = before.splitlines(), after.splitlines()
    there, then = other.splitlines(), result.splitlines()
    assert len(then) - len(there) == len(new) - len(old)
    gone = [line for line in set(old) if old.count(line) > new.count(line)]
    for line in gone:
        assert there.count(line) - then.count(line) == old.count(line) - new.count(line)
