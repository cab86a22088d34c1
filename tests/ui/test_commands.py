"""Commands as rows of data: what they ask of their screens, and their twins on the shell."""

from __future__ import annotations

import shlex
from typing import Any

from lvstui.cli import build_parser
from lvstui.tui.config.commands import ConfigPage
from lvstui.tui.config.screen import ConfigScreen
from lvstui.tui.console import ConsoleScreen
from lvstui.tui.events.commands import EventsPage
from lvstui.tui.events.screen import EventsScreen
from lvstui.tui.host import PageHost
from lvstui.tui.realservers.commands import RealServersPage
from lvstui.tui.realservers.screen import RealServersScreen
from lvstui.tui.services.commands import ServicesPage
from lvstui.tui.services.screen import ServicesScreen

from . import pictures, servers
from .configurations import FakeEngine, FakeFiles
from .conftest import Desk, Start
from .servers import FakeRealServers

BLANKS = {
    "WEIGHT": "3",
    "VALUE": "3",
    "KEYWORD": "weight",
    "N": "2",
    "FILE": "/dev/null",
    "HOST": "rs1",
    "ADDR:PORT": "10.0.0.9:80",
    "ADDR/PREFIX": "10.0.0.9/24",
    "tcp VIP:PORT": "tcp 10.0.0.20:80",
}
"""What an operator puts in by himself."""
IN_DRAFT = {"config-redo", "config-discard"}
"""They act on the draft alone; the shell has none, each of its commands is a whole change."""


def screens_fit(
    console: ConsoleScreen,
    services: ServicesScreen,
    config: ConfigScreen,
    realservers: RealServersScreen,
    events: EventsScreen,
) -> tuple[PageHost, ServicesPage, ConfigPage, RealServersPage, EventsPage]:
    """For mypy: each screen is what its commands ask for."""
    return console, services, config, realservers, events


def parsed(twin: str) -> list[Any]:
    """The lines of a twin as the real parser takes them. Raises SystemExit when it does not."""
    found = []
    for line in twin.split("; "):
        program, *words = shlex.split(line)
        assert program == "lvstui", twin
        found.append(build_parser().parse_args([BLANKS.get(word, word) for word in words]))
    return found


def check(screen: Any, seen: dict[str, set[str]]) -> None:
    """Every twin of a screen is a command of the shell; what changes something has one."""
    for command in screen.commands:
        twin = command.shell(screen)
        assert bool(twin) or not command.changes or command.id in IN_DRAFT, command.id
        if twin and twin not in seen.setdefault(command.id, set()):
            seen[command.id].add(twin)
            for args in parsed(twin):
                assert callable(getattr(args, "run", None)), twin


async def open_screen(desk: Desk, key: str) -> ConsoleScreen:
    await desk.press(key)
    await desk.until(lambda: desk.app.screen.query_one("#keys").is_mounted)
    assert isinstance(desk.app.screen, ConsoleScreen)
    return desk.app.screen


async def test_every_twin_is_a_command_of_the_shell(start: Start) -> None:
    files = FakeFiles()
    engine, hosts = FakeEngine(files), FakeRealServers(None)
    seen: dict[str, set[str]] = {}
    async with start(
        pictures.site(),
        configuration=files,
        config_engine=lambda asker: engine,
        realservers=lambda asker: hosts,
    ) as desk:
        check(desk.services, seen)
        for _ in desk.services.table.rows[:8]:
            await desk.press("j")
            check(desk.services, seen)
        for key in ("2", "7"):
            check(await open_screen(desk, key), seen)
        screen = await open_screen(desk, "4")
        assert isinstance(screen, ConfigScreen)
        await desk.until(
            lambda: screen.session.document is not None and not screen.session.under_way
        )
        for opened in ("l", "j") * 30:
            await desk.press(opened)
            check(screen, seen)
        await desk.press("tab")
        for _ in range(screen.text.count):
            await desk.press("j")
            check(screen, seen)
    assert 'lvstui drain 10.10.0.3:80 --service "tcp 10.10.0.20:80"' in seen["drain"]
    assert 'lvstui config remove-service "tcp 10.10.0.20:80"' in seen["file-remove"]
    assert (
        'lvstui config disable 10.10.0.3:80 --service "tcp 10.10.0.20:80"'
        in (seen["config-disable"])
    )
    kinds = {" ".join(twin.split()[:3]) for twin in seen["config-remove"] | seen["config-add"]}
    assert {
        f"lvstui config {word}"
        for word in ("add-server", "add-vip", "remove-server", "remove-service", "apply")
    } <= kinds


async def test_every_twin_on_real_servers_is_a_command_of_the_shell(start: Start) -> None:
    hosts, seen = FakeRealServers(None), dict[str, set[str]]()
    async with start(servers.picture(), realservers=lambda asker: hosts) as desk:
        screen = await open_screen(desk, "5")
        check(screen, seen)
        await desk.press("space", "space")
        check(screen, seen)
    assert "lvstui realserver push rs1 rs2" in seen["rs-push"]
    assert {"lvstui realserver look", "lvstui realserver look rs1 rs2"} <= seen["refresh"]
