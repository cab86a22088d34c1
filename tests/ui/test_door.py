"""The door to the terminal: nothing passes that the console did not make, whatever is in a fact."""

from __future__ import annotations

import itertools
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.content import Content
from textual.widgets import Input, Static

from lvstui.keepalived.edit.draft import Draft
from lvstui.keepalived.text.files import Files
from lvstui.keepalived.text.parser import parse
from lvstui.keepalived.text.tree import Tree
from lvstui.model.knowledge import Knowledge
from lvstui.model.picture import Picture
from lvstui.model.text import harmless
from lvstui.operations.weights import SetKernelWeight, WeightsPlan
from lvstui.tui.widgets.door import TerminalFilter
from tests import hostile

from .configurations import FakeEngine, FakeFiles, FakePast
from .conftest import Desk, Start
from .fakes import FakeOperator
from .pictures import CONF
from .servers import FakeRealServers
from .test_terminal import Session

BLACK = Color(0, 0, 0)
RED = Style(color="red")


def through(*segments: Segment) -> list[Segment]:
    return TerminalFilter().apply(list(segments), BLACK)


@given(st.text())
def test_whatever_a_segment_holds(text: str) -> None:
    (segment,) = through(Segment(text, RED))
    assert harmless(segment.text) or re.search(
        r"[\u2000-\u200a\u00a0\u3000\u1680\u202f\u205f]", segment.text
    )
    assert segment.style == RED
    assert cell_len(segment.text) == cell_len(text), "what stands behind it would move"


@pytest.mark.parametrize("text", [*hostile.HONEST, "│ 4 350 ▁▂▃⣿", "10.10.0.4:80", ""])
def test_what_is_clean_is_the_same_object(text: str) -> None:
    line = [Segment(text, RED), Segment("│")]
    assert TerminalFilter().apply(line, BLACK) is line


def test_no_hyperlink_passes() -> None:
    (segment,) = through(Segment("text", Style(link="http://x/\x1b\\", bold=True)))
    assert segment.style is not None
    assert (segment.style.link, segment.style.bold) == (None, True)


def hostile_picture() -> Picture:
    """Facts as they came, not cleaned by anybody."""
    known = Knowledge(hostile.TEXTS[0], 1.0)
    for seen in hostile.observations():
        known.learn(seen)
    picture = known.picture(hostile.AT + 5)
    assert picture.services
    assert picture.instances
    return picture


class HostileOperator(FakeOperator):
    """Its plans and answers quote what it was told."""

    def plan(self, picture: Picture, operation: str, targets: Any, **options: Any) -> WeightsPlan:
        texts = itertools.cycle(hostile.TEXTS)
        plan = super().plan(picture, operation, targets, **options)
        steps = [
            SetKernelWeight(
                next(texts),
                s.service,
                s.server,
                s.before,
                s.after,
                next(texts),
                next(texts),
                next(texts),
            )
            for s in plan.steps
        ]
        return replace(
            plan,
            host=next(texts),
            steps=tuple(steps),
            effects=hostile.TEXTS,
            cautions=hostile.TEXTS,
            refusals=(),
            typed="",
        )


class HostileFiles(FakeFiles):
    """keepalived.conf with an included file of an evil name, and words of the kind everywhere."""

    def __init__(self) -> None:
        words = [re.sub(r"[\r\n\t {}#!]", "", text) for text in hostile.TEXTS]
        body = "".join(
            f"virtual_server 10.10.0.{n} 80 {{ # {word}\n {word} {word}\n lb_algo {word}\n"
            f" real_server 10.10.1.{n} 80 {{ # {word}\n  weight {word}\n }}\n}}\n"
            f"vrrp_instance {word} {{\n interface {word}\n notify {word}\n}}\n"
            for n, word in enumerate(words, 1)
        )
        head = f"global_defs {{\n router_id {words[0]} # {words[1]}\n}}\ninclude evil*\n"
        self.evil = f"/etc/keepalived/evil{words[0]}{words[1]}"
        super().__init__({CONF: head.encode(), self.evil: body.encode()})

    def source(self) -> Files:
        """Its include finds the file."""
        return Files(self._bytes, lambda pattern: [self.evil] if "evil" in pattern else [])

    def read(self, pid: int = 0, daemon_file: str = "") -> Tree:
        """As in FakeFiles."""
        return parse(CONF, self.source(), "lb1")

    def draft(self, pid: int = 0, daemon_file: str = "") -> Draft:
        """As in FakeFiles."""
        return Draft(CONF, self.source(), "lb1")


class HostileServers(FakeRealServers):
    """Its hosts answer with it; the last one with an error."""

    def look(self, hosts: Any, **options: Any) -> Any:
        """As in FakeRealServers."""
        came = options.pop("came", None)
        texts = itertools.cycle(hostile.TEXTS)
        rows = []
        for row in super().look(hosts, **options):
            if row.facts is not None:
                row = replace(
                    row,
                    facts=replace(
                        row.facts,
                        kernel=next(texts),
                        os_name=next(texts),
                        processes=hostile.TEXTS,
                        firewall=hostile.TEXTS,
                        gaps=hostile.TEXTS,
                    ),
                    host=replace(row.host, name=next(texts)),
                    error=next(texts),
                )
            rows.append(row)
            if came is not None:
                came(row)
        return tuple(rows)


LEAVE = re.compile("quit|exit|suspend|mode")
MODES = "services", "failover", "config", "realservers", "events"


def shown(desk: Desk) -> list[str]:
    """Every segment on the screen."""
    strips = desk.app.screen._compositor.render_strips()
    return [segment.text for strip in strips for segment in strip]


async def visit(desk: Desk, mode: str) -> list[str]:
    """Every segment of a screen, and of what each of its keys opens."""
    app = desk.app
    app.show_screen(mode)
    await desk.until(lambda: app.current_mode == mode)
    await desk.press("j", "j")
    seen = shown(desk)
    for key, active in list(app.screen.active_bindings.items()):
        if LEAVE.search(active.binding.action) or not active.enabled:
            continue
        await desk.press(key)
        seen += shown(desk)
        if len(app.screen_stack) > 1:
            # A field shows what is typed and pasted too; a list has a row under its cursor.
            for field in app.screen.query(Input):
                field.value = hostile.TEXTS[0] + hostile.TEXTS[3]
            await desk.press("down", "tab")
            seen += shown(desk)
        for _ in range(5):
            if len(app.screen_stack) > 1:
                await desk.press("escape")
        if app.current_mode != mode:
            app.show_screen(mode)
            await desk.until(lambda: app.current_mode == mode)
    return seen


@pytest.mark.parametrize("mode", MODES)
async def test_nothing_passes_on_any_screen(start: Start, mode: str) -> None:
    files = HostileFiles()
    engine = FakeEngine(
        files,
        refusals=(),
        past=[FakePast(text, text, who=text, reason=text) for text in hostile.TEXTS],
    )
    async with start(
        hostile_picture(),
        operator=HostileOperator(),
        realservers=HostileServers,
        configuration=files,
        config_engine=lambda asker: engine,
        clock=lambda: hostile.AT + 5,
    ) as desk:
        seen = await visit(desk, mode)
    assert len(seen) > 1000
    assert [text for text in seen if not harmless(text)] == []
    assert any("PWNED" in text or "31mb" in text for text in seen), "nothing hostile was shown"


@pytest.mark.parametrize("text", hostile.TEXTS, ids=lambda text: ascii(text))
async def test_nothing_passes_around_a_widget(start: Start, text: str) -> None:
    """Titles, notifications, tooltips and fields are drawn on ways of their own."""
    async with start() as desk:
        app = desk.app
        field, box = Input(text), Static(text, markup=False)
        field.border_title = box.border_subtitle = None
        await app.screen.mount(box, field)
        box.tooltip = text
        box.styles.border = field.styles.border = ("round", "red")
        box._border_title = Content(text)
        field._border_subtitle = Content(text)
        app.notify(text, title=text, markup=False)
        app.title = app.sub_title = text
        await desk.pilot.pause(0.1)
        await desk.pilot.hover(box)
        await desk.pilot.pause(0.6)
        assert [part for part in shown(desk) if not harmless(part)] == []
        app._exit_renderables.clear()
        said = str(app._crash.report(ValueError(text)))
        assert all(map(harmless, said.split("\n")))


# The real thing: bytes on a terminal


RAW = {
    "title": rb"\x1b\]0;",
    "red": rb"\x1b\[31m",
    "C1": rb"\xc2[\x80-\x9f]",
    "NUL": rb"\x00",
    "bidi": rb"\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]",
    "clipboard": rb"\x1b\]52",
    "DEL": rb"\x7f",
    "zero width": rb"\xe2\x80[\x8b-\x8f]|\xef\xbb\xbf",
    "link": rb"\x1b\]8;",
}
OURS = re.compile(
    rb"\x1b\[[0-9;?<>=$]*[A-Za-z~u]|\x1b\[\?[0-9]+\$p|\x1b\]22;[a-z-]*\x07|\x1b[=>78()B]|[\r\n]"
)
"""What Textual writes: CSI sequences, the pointer's shape."""


def test_a_hostile_recording_on_a_terminal(tmp_path: Path) -> None:
    path = hostile.write(tmp_path / "hostile.lvs")
    session = Session(("-m", "lvstui", "--replay", str(path)), XDG_STATE_HOME=str(tmp_path))
    try:
        session.until(b"PWNED")
        for keys in (
            b"j",
            b"\r",
            b"\x1b",
            b"2",
            b"j",
            b"\r",
            b"\x1b",
            b"3",
            b"4",
            b"5",
            b"6",
            b"7",
            b"j",
            b"\r",
            b"\x1b",
            b"W",
            b"\x1b",
            b"?",
            b"\x1b",
            b"1",
        ):
            os.write(session.master, keys)
            session.drain(0.4)
        os.write(session.master, b"q")
        assert session.drain(20) == 0, session.seen[-500:]
    finally:
        session.close()
    counted = {name: len(re.findall(raw, session.seen)) for name, raw in RAW.items()}
    assert counted == dict.fromkeys(RAW, 0)
    left = OURS.sub(b"", session.seen)
    assert re.findall(rb"[\x00-\x1f\x7f].{0,12}", left) == []
    assert session.seen.count("␛]0;PWNED␇".encode()) > 5, "it is shown, and seen to be what it is"
