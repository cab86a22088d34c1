"""The table: cursor, marks, folding, order and filter by identity; only what is visible."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.geometry import Region

from lvstui.model.picture import Disagreement, Picture, ServerView, ServiceView, State, Weights
from lvstui.tui.services.columns import COLUMN_SETS, Layout
from lvstui.tui.services.rows import RowList, Sort, ViewOptions
from lvstui.tui.widgets.glyphs import UNICODE

from . import pictures
from .conftest import Start
from .pictures import DNS, MAIL, WEB, rs


def shuffled(picture: Picture) -> Picture:
    """Services in another order, servers of the first reversed."""
    services = list(picture.services)[::-1]
    services[0] = replace(services[0], servers=services[0].servers[::-1])
    return replace(picture, services=tuple(services))


async def test_cursor_stays_on_its_server_when_the_order_changes(start: Start) -> None:
    async with start() as desk:
        await desk.press("j", "j", "j", "j", "j")
        table = desk.services.table
        row = table.row
        assert isinstance(row, ServerView)
        assert row.id == (DNS, rs(1, 53))
        await desk.push(shuffled(desk.feed.picture))
        row = table.row
        assert isinstance(row, ServerView)
        assert row.id == (DNS, rs(1, 53))


async def test_marks_survive_refresh_and_end_with_their_server(start: Start) -> None:
    async with start() as desk:
        await desk.press("j", "space", "space")
        table = desk.services.table
        assert table.marks == {(WEB, rs(1, 80)), (WEB, rs(2, 80))}
        await desk.push(shuffled(desk.feed.picture))
        assert table.marks == {(WEB, rs(1, 80)), (WEB, rs(2, 80))}
        web = desk.feed.picture.service(WEB)
        assert web is not None
        left = replace(web, servers=web.servers[:1])
        await desk.push(replace(desk.feed.picture, services=(left,)))
        assert table.marks == {(WEB, rs(1, 80))}


async def test_folding_survives_and_moves_the_cursor_to_the_service(start: Start) -> None:
    async with start() as desk:
        table = desk.services.table
        await desk.press("j", "h", "h")
        assert table.folded == {WEB}
        assert isinstance(table.row, ServiceView)
        assert "10.10.0.3:80" not in desk.text()
        await desk.push(pictures.changed(desk.feed.picture, DNS, rs(1, 53), active=5))
        assert table.folded == {WEB}
        await desk.press("l")
        assert table.folded == set()
        await desk.press("z")
        assert len(table.folded) == 4
        assert len(table.rows) == 4
        await desk.press("z")
        assert table.folded == set()


async def test_filter_is_live_inverse_and_survives(start: Start) -> None:
    async with start() as desk:
        await desk.press("slash", *"down")
        table = desk.services.table
        shown = [row.key for row in table.rows if isinstance(row, ServerView)]
        assert rs(3, 80) in shown
        assert rs(1, 53) not in shown
        await desk.press("enter")
        assert desk.app.focused is table
        await desk.push(pictures.changed(desk.feed.picture, DNS, rs(1, 53), state=State.DOWN))
        shown = [row.key for row in table.rows if isinstance(row, ServerView)]
        assert rs(1, 53) in shown
        assert "hidden" in desk.text()
        await desk.press("escape")
        assert table.shape.pattern == ""
        await desk.press("slash", "exclamation_mark", *"web")
        assert WEB not in {row.key for row in table.rows}


async def test_filter_gives_the_cursor_back(start: Start) -> None:
    async with start() as desk:
        table = desk.services.table
        table.go_to((DNS, rs(2, 53)))
        await desk.press("slash", *"zzz")
        assert len(table.rows) == 0
        assert "Nothing matches" in desk.text()
        await desk.press("escape")
        row = table.row
        assert isinstance(row, ServerView)
        assert row.id == (DNS, rs(2, 53))


async def test_faults_only_and_the_way_back(start: Start) -> None:
    async with start() as desk:
        await desk.press("f")
        table = desk.services.table
        states = {row.state for row in table.rows if isinstance(row, ServerView)}
        assert states == {State.DOWN, State.DRAINING, State.UP}
        assert all(row.differs for row in table.rows if getattr(row, "state", "") is State.UP)
        assert DNS not in {row.key for row in table.rows}
        await desk.press("escape")
        assert DNS in {row.key for row in table.rows}


@pytest.mark.parametrize("sort", list(Sort))
def test_every_order_keeps_every_row(sort: Sort) -> None:
    site = pictures.site()
    for reverse in (False, True):
        rows = RowList()
        rows.build(site.services, ViewOptions(sort, reverse), frozenset())
        assert len(rows) == 4 + 12
        for at, row in enumerate(rows.rows):
            wanted = row.id if isinstance(row, ServerView) else (row.key, None)
            assert rows.index(wanted) == at


async def test_sort_menu_and_reverse(start: Start) -> None:
    async with start() as desk:
        await desk.press("s", "j", "j", "enter")
        table = desk.services.table
        assert table.shape.sort is Sort.STATE
        first = table.rows[1]
        assert isinstance(first, ServerView)
        assert first.state is State.DOWN
        assert "by state" in desk.text()
        await desk.press("o")
        assert table.shape.reverse


async def test_clicks_select_fold_sort_and_open(start: Start) -> None:
    async with start() as desk:
        table = desk.services.table
        await desk.pilot.click("#main", offset=(20, 3))
        await desk.pilot.pause()
        row = table.row
        assert isinstance(row, ServerView)
        assert row.key == rs(2, 80)
        await desk.pilot.click("#main", offset=(2, 1))
        await desk.pilot.pause()
        assert table.folded == {WEB}
        at = table._chosen_layout()
        column = [c.id for c in at.columns].index("active")
        await desk.pilot.click("#main", offset=(at.starts[column] + 2, 0))
        await desk.pilot.pause()
        assert table.shape.sort is Sort.ACTIVE
        await desk.pilot.click("#main", offset=(20, 1), times=2)
        await desk.pilot.pause()
        assert len(desk.app.screen_stack) == 2


async def test_ten_thousand_servers_paint_only_what_is_visible(start: Start) -> None:
    async with start(pictures.large(1000, 10), size=(200, 60)) as desk:
        table = desk.services.table
        assert len(table.rows) == 11_000
        assert table.painted_lines < 500
        table.painted_lines = 0
        one = desk.feed.picture.services[0].servers[0]
        await desk.push(pictures.changed(desk.feed.picture, one.service, one.key, active=77))
        assert 0 < table.painted_lines < 150
        table.painted_lines = 0
        far = desk.feed.picture.services[900].servers[0]
        await desk.push(pictures.changed(desk.feed.picture, far.service, far.key, active=77))
        assert table.painted_lines == 0
        await desk.press("G")
        row = table.row
        assert isinstance(row, ServerView)
        assert row.service == desk.feed.picture.services[-1].key


async def test_only_changed_cells_are_repainted(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start() as desk:
        table = desk.services.table
        regions: list[Region] = []
        refresh = table.refresh

        def spy(*asked: Region, **options: bool) -> object:
            regions.extend(asked)
            return refresh(*asked, **options)

        monkeypatch.setattr(table, "refresh", spy)
        await desk.push(pictures.changed(desk.feed.picture, WEB, rs(1, 80), active=613))
        assert len(regions) == 1
        assert regions[0].height == 1
        assert regions[0].width <= 10
        assert "613" in desk.text()


async def test_visible_services_are_watched_closely(start: Start) -> None:
    async with start(pictures.large(100, 10), size=(120, 30)) as desk:
        first = desk.feed.watched[-1]
        assert first[0] == desk.feed.picture.services[0].key
        assert len(first) <= 3
        await desk.press("G")
        assert desk.feed.watched[-1][-1] == desk.feed.picture.services[-1].key


@pytest.mark.parametrize("width", [40, 60, 79, 80, 100, 120, 160, 200, 300])
def test_columns_never_exceed_the_width(width: int) -> None:
    for wanted in (10, 26, 60):
        for columns in COLUMN_SETS:
            layout = Layout.choose(width, wanted, columns, UNICODE)
            if width >= 60:
                assert layout.starts[-1] + layout.widths[-1] <= width


async def test_column_sets(start: Start) -> None:
    async with start(size=(160, 40)) as desk:
        await desk.press("c")
        assert "failed (Connection refused)" in desk.text()
        assert "TCP_CHECK 3 s" in desk.text()
        await desk.press("c")
        assert "PKT/S IN" in desk.text()
        await desk.press("c")
        assert "keepalived.conf:40" in desk.text()
        await desk.press("c")
        assert "LAST MINUTE" in desk.text()


async def test_go_to_opens_a_folded_service(start: Start) -> None:
    async with start() as desk:
        table = desk.services.table
        await desk.press("z")
        assert table.go_to((MAIL, rs(4, 0)))
        assert MAIL not in table.folded
        row = table.row
        assert isinstance(row, ServerView)
        assert row.key == rs(4, 0)


@pytest.mark.parametrize("width", [80, 120, 160])
async def test_reasons_of_servers_that_are_down_begin_in_one_column(
    start: Start, width: int
) -> None:
    reasons = ("Refused", "MISC_CHECK: Misc check by [/etc/keepalived/check_service] failed, " * 2)
    picture = pictures.site()
    for number, reason in zip((1, 3), reasons, strict=True):
        picture = pictures.changed(
            picture,
            WEB,
            rs(number, 80),
            state=State.DOWN,
            reason=reason,
            in_kernel=False,
            weights=Weights(10, None, None),
        )
    async with start(picture, size=(width, 40)) as desk:
        lines = desk.lines()
        starts = {
            line.find(reason[:7]) for reason in reasons for line in lines if reason[:7] in line
        }
        assert len(starts) == 1


async def test_a_draining_row_says_its_count_once(start: Start) -> None:
    async with start(size=(160, 40)) as desk:
        row = next(line for line in desk.lines() if "◐" in line)
        assert row.count("left") == 1
        assert "41 left, about 40 s; drained by" in row


async def test_how_long_a_drain_takes_fits_at_80_columns(start: Start) -> None:
    picture = pictures.changed(pictures.site(), WEB, rs(2, 80), drain_left_s=700.0)
    async with start(picture, size=(80, 24)) as desk:
        assert "draining 11m " in desk.text()


@pytest.mark.parametrize("width", [120, 160])
async def test_a_server_that_is_not_in_the_kernel_has_room_for_its_reason(
    start: Start, width: int
) -> None:
    reason = "keepalived has it, the kernel does not: by hand?"
    picture = pictures.changed(
        pictures.site(),
        WEB,
        rs(2, 80),
        state=State.DOWN,
        reason=reason,
        in_kernel=False,
        weights=Weights(10, 10, None),
        since=None,
        differs=(Disagreement("entry", "keepalived has it, the kernel does not", "somebody"),),
    )
    async with start(picture, size=(width, 40)) as desk:
        (row,) = [line for line in desk.lines() if reason in line]
        assert row.split()[3:8] == ["down", "≠", "10", "10", "–"]
