"""The cable between a machine and the lab, without guests."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from lvstui.lab.machinery import Cable
from lvstui.lab.terminal import AlternateScreen


def plug(path: str) -> socket.socket:
    """A NIC that is brought up."""
    nic = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    nic.connect(path)
    nic.settimeout(1)
    return nic


@pytest.fixture
def cable(tmp_path: Path) -> tuple[list[str], Callable[[], None]]:
    """The paths of a cable's ends, and what turns the keeper's loop until nothing is left to do."""
    selector = selectors.DefaultSelector()
    paths = [str(tmp_path / "lan"), str(tmp_path / "nic")]
    Cable(selector, paths)

    def turn() -> None:
        while ready := selector.select(0):
            for key, mask in ready:
                key.data(mask)

    return paths, turn


def test_frames_stay_whole_and_in_order(cable: tuple[list[str], Callable[[], None]]) -> None:
    paths, turn = cable
    lan, nic = plug(paths[0]), plug(paths[1])
    turn()
    frames = [bytes([n]) * (60 + n * 14) for n in range(1, 101)]
    for frame in frames:
        lan.send(frame)
        turn()
        assert nic.recv(4096) == frame
    nic.send(b"back")
    turn()
    assert lan.recv(4096) == b"back"


def test_nobody_waits_for_an_end_that_is_not_there(
    cable: tuple[list[str], Callable[[], None]],
) -> None:
    paths, turn = cable
    lan = plug(paths[0])
    turn()
    lan.send(b"into the void")
    turn()
    nic = plug(paths[1])
    turn()
    lan.send(b"heard")
    turn()
    assert nic.recv(4096) == b"heard"
    # A NIC that goes down and up, or a guest that is killed, connects anew.
    nic.close()
    again = plug(paths[1])
    turn()
    lan.send(b"again")
    turn()
    assert again.recv(4096) == b"again"


def test_a_sleeper_loses_frames_and_stops_nobody(
    cable: tuple[list[str], Callable[[], None]],
) -> None:
    paths, turn = cable
    lan, sleeper = plug(paths[0]), plug(paths[1])
    turn()
    for _ in range(2000):
        lan.send(b"x" * 1500)
        turn()
    sleeper.send(b"awake")
    turn()
    assert lan.recv(4096) == b"awake"


@pytest.mark.parametrize(
    ("pieces", "on"),
    [
        ([b"text"], False),
        ([bytes((byte,)) for byte in b"text \x1b[?1049h more"], True),
        ([b"\x1b[?1049h", b"\x1b[?1049l back"], False),
        ([b"\x1b[?1049l\x1b[?1049h", b"a great deal of text" * 100], True),
        ([b"\x1b[?1049h text\x1b[?104", b"9l"], False),
    ],
)
def test_the_alternate_screen_is_left_only_by_one_that_is_on_it(
    pieces: list[bytes], on: bool
) -> None:
    screen = AlternateScreen()
    for piece in pieces:
        screen.saw(piece)
    assert screen.on == on
