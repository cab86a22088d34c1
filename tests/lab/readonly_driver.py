"""Runs in the guest, traced: every command of the shell and every key of every screen, read-only.

What there is comes from the command line's parser and from the screens themselves, so that a new
one is among them.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import json
import os
import pty
import select
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

from textual import pilot as textual_pilot

from lvstui.cli import build_parser, main
from lvstui.process import readonly
from lvstui.tui.app import LvstuiApp
from lvstui.tui.console import ConsoleScreen
from tests.command_line import leaves, optional_words
from tests.lab.strace import MARK
from tests.settle import settled

COMMAND_S = 60
"""A command that goes on until it is interrupted is interrupted after that."""
ENDLESS_S = 6
SEEN_S = 1
ALONE = {"--schema", "--watch"}
"""With one of these, others mean nothing."""
LEAVING = {"q", "ctrl+q", "ctrl+c", "ctrl+z"}
SIZE = (160, 50)
# Or argparse asks the terminal for its size some thousand times, each time through the recorder.
os.environ |= {"COLUMNS": str(SIZE[0]), "LINES": str(SIZE[1])}


def mark(words: str) -> None:
    """Seen in the trace: what is done from here on."""
    os.access(f"{MARK}{words}", os.F_OK)


_PARSER = build_parser()


def allowed(words: list[str]) -> bool:
    """Whether a read-only session runs it. Some options print and end while they are parsed."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return not readonly.refusal(_PARSER.parse_args(["--read-only", *words]))
    except SystemExit as end:
        if end.code:
            raise
        return True


def variants() -> Iterator[list[str]]:
    """Every command as it is, then with its options, as many at once as go together; one that
    several have is tried with one. What is refused is refused with each."""
    tried: set[str] = set()
    for leaf in leaves():
        if not leaf.name:
            continue
        yield leaf.words
        together: list[list[str]] = []
        for option in optional_words(leaf.parser):
            words = [*leaf.words, *option]
            if not allowed(words):
                yield words
            elif option[0] not in tried or option[0] == "--json":
                tried.add(option[0])
                for others in together:
                    if not ALONE & {option[0], *others} and goes([*others, *option]):
                        others += option
                        break
                else:
                    together.append(words)
        yield from together


def goes(words: list[str]) -> bool:
    """Whether the parser takes these options together, and a read-only session runs them."""
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            return allowed(words)
    except SystemExit:
        return False


def run(words: list[str]) -> int | str:
    """The exit status of a command, or how else it ended."""
    endless = "stream" in words or "--watch" in words
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.alarm(ENDLESS_S if endless else COMMAND_S)
    try:
        return main(["--read-only", *words])
    except SystemExit as end:
        return int(end.code or 0)
    except Exception as error:
        # Whatever it is, the test wants to see the rest, too.
        return f"{type(error).__name__}: {error}"
    finally:
        signal.alarm(0)


def commands() -> dict[str, Any]:
    """Every command with each option; those that are refused first, while this is still root."""
    todo = list(variants())
    refused = [words for words in todo if not allowed(words)]
    looks = [words for words in todo if allowed(words)]
    found: dict[str, Any] = {}
    for words in (*refused, *looks):
        mark(" ".join(words))
        out = io.TextIOWrapper(io.BytesIO(), "utf-8")
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            status = run(words)
        out.flush()
        text = out.buffer.getvalue().decode("utf-8", "replace")
        found[" ".join(words)] = [words in looks, status, text[-600:]]
    return {"uid": os.getuid(), "commands": found}


class Driver:
    """Presses keys in a running console."""

    def __init__(self, app: LvstuiApp, pilot: Any) -> None:
        self.app, self.pilot = app, pilot
        self.pressed: list[str] = []
        self.opened: set[tuple[str, str]] = set()
        self.seen: set[str] = set()
        self.textuals: set[tuple[type, str]] = set()

    async def press(self, key: str) -> None:
        where = type(self.app.screen).__name__
        mark(f"{where} {key}")
        self.pressed.append(f"{where} {key}")
        await self.pilot.press(key)
        await self.rest()

    async def rest(self) -> None:
        """Until nothing that was begun is under way; what was seen to its end once is not waited
        for again (a look at real servers listens for half a minute)."""
        await self.pilot.pause()
        begun = self.busy()
        until = time.monotonic() + (SEEN_S if begun in self.seen else COMMAND_S)
        while self.busy() == begun != "" and time.monotonic() < until:
            await asyncio.sleep(0.1)
        self.seen.add(begun)
        await self.pilot.pause()

    def busy(self) -> str:
        session = self.app._config_session
        return self.app.realserver_session.under_way + (
            session.under_way if session is not None else ""
        )

    async def close(self, depth: int) -> None:
        """Back to a screen of that depth."""
        for _ in range(6):
            if len(self.app.screen_stack) <= depth:
                return
            await self.press("escape")
        while len(self.app.screen_stack) > depth:
            self.app.pop_screen()
            await self.pilot.pause()

    async def every_key(self, mode: str) -> None:
        """Those of the screen, and those of each dialog that one of them opens."""
        await self.go(mode)
        commands = self.app.screen.commands  # type: ignore[attr-defined]
        keys = [key for command in commands for key in command.names.keys.split(",") if key]
        keys = list(dict.fromkeys([*keys, *self.others()]))
        for key in keys:
            if key in LEAVING:
                continue
            await self.go(mode)
            depth = len(self.app.screen_stack)
            await self.press(key)
            if len(self.app.screen_stack) > depth:
                await self.inside(key, depth)
        for command in self.app.screen.commands:  # type: ignore[attr-defined]
            if not set(command.names.keys.split(",")) & {*LEAVING, *keys}:
                await self.go(mode)
                mark(f"{mode} {command.id}")
                self.app.screen.action_command(command.id)  # type: ignore[attr-defined]
                await self.rest()

    def others(self) -> list[str]:
        """Keys that are bound here; what Textual itself does for a class (copy, cursor, focus)
        comes once, whatever its key is called."""
        found = []
        for key, active in self.app.screen.active_bindings.items():
            space, _, action = active.binding.action.partition("(")[0].rpartition(".")
            owner = {"app": self.app, "screen": self.app.screen}.get(space, active.node)
            method = getattr(owner, f"action_{action}", None)
            if getattr(method, "__module__", "").startswith("textual."):
                if (type(owner), action) in self.textuals:
                    continue
                self.textuals.add((type(owner), action))
            found.append(key)
        return found

    async def inside(self, opener: str, depth: int) -> None:
        """The keys of a dialog, once for each key that opens it."""
        once = (type(self.app.screen).__name__, opener)
        if once in self.opened:
            return
        self.opened.add(once)
        for key in self.others():
            if key in LEAVING or key == "escape":
                continue
            if len(self.app.screen_stack) == depth:
                if not isinstance(self.app.screen, ConsoleScreen):
                    return
                await self.press(opener)
            if len(self.app.screen_stack) <= depth:
                return
            await self.press(key)
            await self.close(depth + 1)
        await self.close(depth)

    async def go(self, mode: str) -> None:
        """To the screen, with nothing above it."""
        await self.close(1)
        if self.app.current_mode != mode:
            await self.app.switch_mode(mode)
        await self.close(1)
        await self.rest()


async def _drive(app: LvstuiApp, found: dict[str, Any]) -> None:
    async with app.run_test(size=SIZE) as pilot:
        driver = Driver(app, pilot)
        until = time.monotonic() + COMMAND_S
        while not app.picture.services and time.monotonic() < until:
            await asyncio.sleep(0.1)
        for mode in app.MODES:
            await driver.every_key(mode)
            found[mode] = sorted({text.partition(" ")[0] for text in driver.pressed})
        found["pressed"] = len(driver.pressed)
        app.exit()


def screens() -> dict[str, Any]:
    """Every key, in one session."""
    found: dict[str, Any] = {}
    LvstuiApp.run = lambda self, *_, **__: asyncio.run(_drive(self, found))  # type: ignore[method-assign]
    sys.stdin.isatty = sys.stdout.isatty = lambda: True  # type: ignore[method-assign]
    setattr(textual_pilot, "wait_for_idle", settled)  # noqa: B010
    mark("the console")
    status = main(["--read-only"])
    return {"uid": os.getuid(), "status": status, **found}


def terminal() -> dict[str, Any]:
    """The console on a terminal of its own: drawn, its tabs gone through, left by q."""
    child, master = pty.fork()
    if child == 0:
        os.environ.update(TERM="xterm-256color", LINES="40", COLUMNS="140", PYTHONUTF8="1")
        os.execv(sys.executable, [sys.executable, "-m", "lvstui", "--read-only"])
    seen, keys = b"", [b"2", b"4", b"5", b"7", b"x", b"1", b"q"]
    mark("the terminal")
    until, next_key = time.monotonic() + COMMAND_S, 0.0
    while time.monotonic() < until:
        if select.select([master], [], [], 0.2)[0]:
            try:
                seen += os.read(master, 1 << 16)
            except OSError:
                break
        if b"10.10.0.20" in seen and keys and time.monotonic() > next_key:
            os.write(master, keys.pop(0))
            next_key = time.monotonic() + 2.0
    _, status = os.waitpid(child, 0 if not keys else os.WNOHANG)
    text = seen.decode("utf-8", "replace")
    return {
        "status": os.waitstatus_to_exitcode(status),
        "left": len(keys),
        "read-only": "read-only" in text,
        "end": text[-300:],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("commands", "screens", "terminal"))
    told = {"commands": commands, "screens": screens, "terminal": terminal}[
        parser.parse_args().what
    ]()
    print(json.dumps(told))
