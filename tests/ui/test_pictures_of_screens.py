"""Snapshots: what the screens look like, cell by cell and colour by colour.

`pytest tests/ui/test_pictures_of_screens.py --snapshot-update` draws them anew; look at the
difference before you commit it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lvstui.model.picture import Picture

from . import pictures, servers
from .conftest import Make
from .fakes import FakeOperator

Compare = Callable[..., bool]


@pytest.mark.parametrize(
    "size", [(80, 24), (120, 40), (160, 50)], ids=lambda size: f"{size[0]}x{size[1]}"
)
@pytest.mark.parametrize("theme", ["lvstui-dark", "ansi-dark"])
def test_services(make: Make, snap_compare: Compare, size: tuple[int, int], theme: str) -> None:
    assert snap_compare(make(theme=theme), terminal_size=size, press=["j", "j"])


@pytest.mark.parametrize("theme", ["lvstui-light", "lvstui-contrast", "lvstui-deuteranopia"])
def test_themes(make: Make, snap_compare: Compare, theme: str) -> None:
    assert snap_compare(make(theme=theme), terminal_size=(120, 40), press=["j", "space"])


CASES: dict[str, tuple[Callable[[], Picture], list[str], dict[str, Any]]] = {
    "details_server": (pictures.site, ["j", "j", "enter"], {}),
    "details_service": (pictures.site, ["enter"], {}),
    "confirm": (pictures.site, ["j", "d"], {}),
    "refused": (
        pictures.site,
        ["j", "d"],
        {"operator": FakeOperator(refusal="It is the last server of web: quorum 1 is lost.")},
    ),
    "weight": (pictures.site, ["j", "w", "backspace", "5"], {}),
    "help": (pictures.site, ["j", "question_mark"], {}),
    "warnings": (pictures.counters_missing, ["W"], {}),
    "health": (pictures.site, ["j", "c"], {}),
    "filter": (pictures.site, ["slash", "d", "o", "w", "n"], {}),
    "failover": (pictures.site, ["2"], {}),
    "events": (pictures.site, ["7", "j"], {}),
    "read_only": (pictures.site, ["j"], {"operator": FakeOperator(read_only=True)}),
    "not_root": (pictures.not_root, [], {}),
    "no_ipvs": (pictures.no_ipvs, [], {}),
    "no_keepalived": (pictures.no_keepalived, [], {}),
    "ascii": (pictures.site, ["j"], {"ascii": True}),
    "hostile": (pictures.hostile, ["j"], {}),
}


@pytest.mark.parametrize("case", CASES)
def test_screen(make: Make, snap_compare: Compare, case: str) -> None:
    picture, keys, options = CASES[case]
    assert snap_compare(make(picture(), **options), terminal_size=(120, 40), press=keys)


@pytest.mark.parametrize("case", ["confirm", "help", "details_server", "no_ipvs"])
def test_small_screen(make: Make, snap_compare: Compare, case: str) -> None:
    picture, keys, options = CASES[case]
    assert snap_compare(make(picture(), **options), terminal_size=(80, 24), press=keys)


def test_no_color(make: Make, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(make(), terminal_size=(120, 40), press=["j"])


def _broken() -> servers.FakeRealServers:
    fake = servers.FakeRealServers()
    fake.state.update(rs1="pushed", rs2="bare", rs3="broken")
    return fake


SERVERS: dict[str, list[str]] = {
    "untouched": ["5"],
    "looked": ["5", "r", "wait:600", "j", "j", "l", "l", "l"],
    "push": ["5", "V", "p", "wait:600"],
}


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("case", SERVERS)
def test_realservers(make: Make, snap_compare: Compare, case: str, size: tuple[int, int]) -> None:
    app = make(servers.picture(), realservers=lambda asker: _broken())
    assert snap_compare(app, terminal_size=size, press=SERVERS[case])
