"""Disabling lasts in the file, says who and why, and enabling gives every byte back."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvstui.keepalived.edit.change import RefusedEdit
from lvstui.keepalived.edit.disabling import mark_text
from lvstui.keepalived.edit.draft import Draft
from lvstui.keepalived.edit.intent import Disable, Enable, SetWeight
from lvstui.keepalived.meaning.view import view
from lvstui.keepalived.text.files import Files
from lvstui.keepalived.text.parser import parse_bytes
from lvstui.model.config import DisabledBy
from lvstui.model.keys import ServerKey, ServiceKey

MAIN = "/etc/keepalived/keepalived.conf"
WEB = ServiceKey.parse("tcp 10.0.0.1:80")
RS1 = ServerKey.parse("10.0.0.11:80")
RS2 = ServerKey.parse("10.0.0.12:80")
AT = datetime(2026, 11, 24, 21, 50, 33, tzinfo=timezone.utc)


def pool(first: str, outer: str = "", second: str = "weight 1") -> bytes:
    return (
        f"virtual_server 10.0.0.1 80 {{\n  lb_kind DR\n  protocol TCP\n{outer}"
        f"  real_server 10.0.0.11 80 {{{first}}}\n"
        f"  real_server 10.0.0.12 80 {{\n    {second}\n  }}\n}}\n"
    ).encode()


def draft(text: bytes) -> Draft:
    return Draft(MAIN, Files({MAIN: text}.__getitem__), "lb1")


def disabled(text: bytes, reason: str = "disk swap", by: str = "alice") -> Draft:
    made = draft(text)
    made.apply(Disable(WEB, RS1, by, AT, reason).on(made.tree))
    return made


def signed(made: Draft) -> tuple[DisabledBy | None, ...]:
    """Who switched each server off."""
    return tuple(server.disabled for server in made.configuration.services[0].servers)


def test_the_mark() -> None:
    made = disabled(pool("\n    weight 10\n  "))
    mark = b"weight 0 # lvstui: disabled by alice 2026-11-24T21:50Z was 10: disk swap\n"
    assert made.files[MAIN][1] == made.files[MAIN][0].replace(b"weight 10\n", mark)
    assert made.configuration.services[0].servers[0].weight == 0
    assert signed(made) == (DisabledBy("alice", "2026-11-24 21:50", "disk swap", 10), None)
    assert made.undoable == "disable 10.0.0.11:80 in tcp 10.0.0.1:80: weight 10 → 0"


def test_another_zone_is_written_as_utc() -> None:
    made = draft(pool("\n weight 3\n"))
    east = AT.astimezone(timezone(timedelta(hours=9)))
    made.apply(Disable(WEB, RS1, "bob", east).on(made.tree))
    assert b" # lvstui: disabled by bob 2026-11-24T21:50Z was 3\n" in made.files[MAIN][1]


@pytest.mark.parametrize(
    ("first", "outer", "was"),
    [
        ("\n    weight 10\n  ", "", 10),
        ("\n    weight 10   \t\n  ", "", 10),
        ("\n\tweight\t10\t! half of it\n  ", "", 10),
        ("\r\n\tweight 10 # half\r\n\tTCP_CHECK {\r\n\t}\r\n  ", "", 10),
        ('\n    weight "10" 20 # extra words\n  ', "", 10),
        ("\n    weight 007\n  ", "", 7),
        (" weight 10 ", "", 10),
        (" weight 10", "", 10),
        ("\n    weight 10 # lvstui: disabled by nobody\n  ", "", 10),
        ("\n    weight 5\n    weight 10\n  ", "", 10),
        ("\n@lb1    weight 10 # here\n@lb2 weight 7\n  ", "", 10),
        ("\n    TCP_CHECK {\n    }\n  ", "", None),
        (" # rs1\n  ", "  weight 4\n", None),
        ("\n", "", None),
    ],
)
def test_enabling_gives_every_byte_back(first: str, outer: str, was: int | None) -> None:
    text = pool(first, outer)
    before = view(parse_bytes(text, MAIN, "lb1")).services[0].servers[0].weight
    made = disabled(text)
    assert made.configuration.services[0].servers[0].weight == 0
    assert signed(made)[0] == DisabledBy("alice", "2026-11-24 21:50", "disk swap", was)
    made.apply(Enable(WEB, RS1).on(made.tree))
    assert made.files == {}
    assert made.configuration.services[0].servers[0].weight == before


@settings(deadline=None)
@given(st.text(max_size=300), st.text(max_size=80))
def test_any_reason_and_owner_is_harmless(reason: str, by: str) -> None:
    made = disabled(pool("\n    weight 10 # half\n  "), reason, by)
    after = made.files[MAIN][1]
    assert max(map(len, after.split(b"\n"))) <= 1000
    assert b"\r" not in after
    assert not any(line.endswith(b"\\") for line in after.split(b"\n"))
    assert len(after.split(b"\n")) == len(made.files[MAIN][0].split(b"\n"))
    assert (mark := signed(made)[0]) is not None
    assert mark.was == 10
    made.apply(Enable(WEB, RS1).on(made.tree))
    assert made.files == {}


@settings(deadline=None, max_examples=30)
@given(st.integers(800, 1010))
def test_a_full_line_still_takes_the_mark_or_is_refused(size: int) -> None:
    text = pool("\n    weight 10 #" + "x" * (size - 15) + "\n  ")
    if size + len(mark_text("alice", AT, b"10", "", 0)) > 1000:
        with pytest.raises(RefusedEdit, match="1000 bytes"):
            disabled(text, "y" * 150)
        return
    made = disabled(text, "y" * 150)
    assert max(map(len, made.files[MAIN][1].split(b"\n"))) <= 1000
    made.apply(Enable(WEB, RS1).on(made.tree))
    assert made.files == {}


def test_the_last_server_is_asked_for() -> None:
    made = draft(pool("\n weight 10\n", second="weight 0"))
    with pytest.raises(RefusedEdit, match="last server with a weight"):
        Disable(WEB, RS1, "alice", AT).on(made.tree)
    change = Disable(WEB, RS1, "alice", AT, last_allowed=True).on(made.tree)
    assert any("quorum" in caution for caution in change.cautions)
    with pytest.raises(RefusedEdit, match="weight is 0 already"):
        Disable(WEB, RS2, "alice", AT).on(made.tree)


def test_a_disabled_server_is_not_touched_otherwise() -> None:
    made = disabled(pool("\n weight 10\n"))
    with pytest.raises(RefusedEdit, match="disabled already, by alice"):
        Disable(WEB, RS1, "bob", AT).on(made.tree)
    with pytest.raises(RefusedEdit, match="disabled by alice; enable it first"):
        SetWeight(WEB, RS1, 5).on(made.tree)
    with pytest.raises(RefusedEdit, match="not disabled"):
        Enable(WEB, RS2).on(made.tree)


def test_a_weight_changed_by_hand_since_is_not_overwritten() -> None:
    made = disabled(pool("\n weight 10\n"))
    made.replace(MAIN, made.data(MAIN).replace(b"weight 0 ", b"weight 4 "), "by hand")
    assert signed(made) == (None, None)
    with pytest.raises(RefusedEdit, match="set to 4 by hand"):
        Enable(WEB, RS1).on(made.tree)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (pool(" "), "written on one line"),
        (pool(" TCP_CHECK { } "), "written on one line"),
        (b"$W=5\n" + pool("\n weight $W\n"), r"given by \$W, defined at /etc/.*conf:1:1"),
    ],
)
def test_what_can_not_be_given_back_is_refused(text: bytes, why: str) -> None:
    made = draft(text)
    with pytest.raises(RefusedEdit, match=why):
        Disable(WEB, RS1, "alice", AT).on(made.tree)
