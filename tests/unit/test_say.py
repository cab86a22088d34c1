"""Numbers and times stand in the same words on the shell and on the screen: those of the JSON."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from lvstui.model import facts as f
from lvstui.model import say
from lvstui.shell import report
from lvstui.shell.status_table import show
from lvstui.tui.services.details import server_page
from lvstui.tui.widgets.glyphs import UNICODE
from tests.unit.world import WEB, rs, three

DAY_AND_A_BIT_S = 100_000


def test_shell_screen_and_json_say_the_same() -> None:
    world = three().later(10)
    world.say(f.CheckSeen(False, "TCP_CHECK", "refused", rs(3)))
    world.say(f.ServerChanged(WEB, rs(3), False, "removed")).kernel((1, 10, 12_034, 8_102))
    world.later(DAY_AND_A_BIT_S)
    for second in range(40):
        world.later(1).counters((1, second // 30), (2, 0), (3, 0))
    picture = world.picture()
    out = io.StringIO()
    show(picture, Console(file=out, width=200))
    document = report.report(picture)
    (web,) = document["services"]
    first, _, third = web["servers"]
    pages = []
    for number in (1, 3):
        view = picture.server(WEB, rs(number))
        assert view is not None
        pages.append(server_page(view, picture, picture.at, 100, UNICODE).text)
    on_shell, (on_first, on_third) = out.getvalue(), pages
    for text, where in (
        (say.grouped(first["active_connections"]), on_first),
        (say.grouped(first["inactive_connections"]), on_first),
        (say.per_second(first["rates"]["connections_per_s"]), on_first),
        (say.duration(picture.at - third["since_epoch_s"]), on_third),
    ):
        assert text in where
        assert text in on_shell, on_shell
    assert "27 h" in on_shell


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (say.duration(59.9), "59 s"),
        (say.duration(7_500), "2 h"),
        (say.duration(100_000), "27 h"),
        (say.duration(86_400 * 2), "2 d"),
        (say.duration(-1), "0 s"),
        (say.grouped(999), "999"),
        (say.grouped(1_204), "1 204"),
        (say.compact(12_345, 6), "12 345"),
        (say.compact(12_345, 5), "12.3k"),
        (say.compact(12_345, 3), "12k"),
        (say.per_second(0.04), "<0.1"),
        (say.per_second(0.96), "1"),
        (say.per_second(9.95), "10"),
        (say.per_second(999.4), "999"),
        (say.per_second(999.5), "1.0k"),
        (say.bits(0), "0"),
        (say.bits(0.1), "1 b/s"),
        (say.bits(12_000_000), "96 Mb/s"),
        (say.bits(1e30), "8.0e+30 b/s"),
        (say.size(1_234_567_890), "1.2 GB"),
        (say.plural(1, "service"), "1 service"),
        (say.plural(1_204, "connection"), "1 204 connections"),
        (say.plural(2, "entry", "entries"), "2 entries"),
    ],
)
def test_words(said: str, text: str) -> None:
    assert said == text


@given(st.floats(0, 4e9))
def test_a_time_to_the_millisecond_begins_with_a_time_to_the_second(at: float) -> None:
    whole = say.clock_ms(at)
    assert whole[:8] in (say.clock(at), say.clock(at + 0.0006))
    assert len(whole) == 12
