"""The wizard for a first configuration, with a guess made by hand."""

from __future__ import annotations

from textual.widgets import Button, Input

from lvstui.keepalived.first import First, render
from lvstui.operations.first import Guess
from lvstui.operations.questions import QUESTIONS
from lvstui.tui.config.first import FirstScreen

from .conftest import Desk, Start

FOUND = Guess(
    "lb1",
    "eth0",
    "10.10.0.1",
    24,
    "10.10.0.129",
    52,
    frozenset({51}),
    (
        "eth0 with 10.10.0.1 in 10.10.0.0/24: the first link",
        "heard on the wire: VRID 51 by 10.10.0.9",
    ),
)


async def opened(desk: Desk, went_on: list[First | None]) -> FirstScreen:
    screen = FirstScreen(lambda: FOUND)
    desk.app.push_screen(screen, went_on.append)
    await desk.until(lambda: "VRID 51 by" in desk.text())
    return screen


async def test_answers_become_two_files_and_go_on(start: Start) -> None:
    went_on: list[First | None] = []
    async with start() as desk:
        screen = await opened(desk, went_on)
        assert screen.query_one("#plan", Button).disabled
        screen.query_one("#first-servers", Input).value = "10.10.0.3=rs1*10 10.10.0.4"
        await desk.until(lambda: not screen.query_one("#plan", Button).disabled)
        screen.query_one("#first-vrid", Input).value = "51"
        await desk.until(lambda: screen.query_one("#plan", Button).disabled)
        await desk.until(lambda: "vrid: 51 is in use" in desk.text())
        screen.query_one("#first-vrid", Input).value = ""
        await desk.until(lambda: not screen.query_one("#plan", Button).disabled)
        screen.query_one("#plan", Button).press()
        await desk.until(lambda: bool(went_on))
        assert went_on[0] is not None
        assert b"real_server 10.10.0.3 80 { # rs1" in render(went_on[0], 0)
        assert went_on[0].vrid == 52
        assert len(desk.app.screen_stack) == 1


async def test_every_field_says_what_it_means_and_letters_stay_letters(start: Start) -> None:
    async with start() as desk:
        screen = await opened(desk, [])
        for question in QUESTIONS:
            screen.query_one(f"#first-{question.field}").focus()
            await desk.until(lambda q=question: q.help.split(";")[0][:40] in desk.text())  # type: ignore[misc]
        screen.query_one("#first-name", Input).focus()
        await desk.press("q", "j")
        assert screen.query_one("#first-name", Input).value == "qj"
        await desk.press("escape")
        assert len(desk.app.screen_stack) == 1
