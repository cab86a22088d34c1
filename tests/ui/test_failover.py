"""The keys of the Failover screen: who has the addresses, and saying again that they are here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lvstui.model.picture import OwnersView
from lvstui.operations.announce import LinkVoice
from lvstui.operations.audit import AuditLog
from tests.ui import pictures
from tests.ui.conftest import Start
from tests.ui.fakes import FakeFeed, FakeOperator

VIP, OTHER = "10.10.0.20", "02:00:00:00:00:06"


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that were announced; nobody else answers for them."""
    found: list[str] = []

    def announce(self: LinkVoice, vip: str) -> str:
        found.append(vip)
        return "announced, 4 frames"

    monkeypatch.setattr(LinkVoice, "announce", announce)
    monkeypatch.setattr(LinkVoice, "others", lambda self, vip: ())
    return found


async def test_who_has_the_addresses_is_asked_read_only_too(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    def ask(self: FakeFeed, vips: tuple[str, ...]) -> bool:
        asked.append(vips)
        return True

    monkeypatch.setattr(FakeFeed, "ask_owners", ask)
    async with start(operator=FakeOperator(read_only=True)) as desk:
        await desk.press("2", "o")
        assert len(asked) == 1
        assert VIP in asked[0]
        owners = OwnersView(VIP, pictures.NOW - 2, True, ((OTHER, ""),))
        desk.feed.show(replace(pictures.site(), owners=(owners,)))
        await desk.pilot.pause()
        assert f"{OTHER} answers as well" in "\n".join(desk.lines())


async def test_addresses_are_announced_after_a_yes_and_recorded(
    start: Start, said: list[str], tmp_path: Path
) -> None:
    operator = FakeOperator()
    operator.audit = AuditLog(tmp_path / "audit.jsonl", "alice")
    async with start(operator=operator) as desk:
        await desk.press("2", "a")
        assert "announce" in "\n".join(desk.lines())
        assert said == []
        await desk.press("y")
        for _ in range(200):
            if (tmp_path / "audit.jsonl").exists() and not desk.app.announcements.under_way:
                break
            await desk.pilot.pause(0.02)
    assert said == [VIP]
    assert (tmp_path / "audit.jsonl").read_text().count("announce") >= 2


async def test_nothing_is_announced_where_the_address_is_not(start: Start, said: list[str]) -> None:
    away = replace(pictures.instance(), state="BACKUP", vips_here=())
    async with start(replace(pictures.site(), instances=(away,))) as desk:
        await desk.press("2", "a", "y")
        assert desk.app.current_mode == "failover"
    assert said == []


async def test_nothing_is_announced_read_only(start: Start, said: list[str]) -> None:
    async with start(operator=FakeOperator(read_only=True)) as desk:
        await desk.press("2", "a", "y")
    assert said == []
