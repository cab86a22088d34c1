"""A real server asked now: over real sockets, whatever answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from lvstui.realserver import check_now as module
from lvstui.realserver.check_now import Ask, Came, check_now
from lvstui.realserver.probes.results import Unavailable
from lvstui.realserver.probes.vip_path import PathResult, PathState

GOOD = b"HTTP/1.0 200 OK\r\n\r\nrs1\n"


@contextmanager
def server(answer: Callable[[socket.socket, bytes], object]) -> Iterator[int]:
    """Listens, and lets `answer` do what it will with each connection; gives the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    sock, _ = listening.accept()
                except OSError:
                    return
                with sock:
                    try:
                        answer(sock, sock.recv(4096))
                    except OSError:
                        continue

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def came(*asks: Ask, stopped: Callable[[], bool] = lambda: False) -> list[Came]:
    found: list[Came] = []
    check_now(asks, stopped, found.append)
    return found


def get(port: int, **changes: object) -> Ask:
    values = {"within_s": 5.0, "path": b"/health", "host": b"shop", **changes}
    return Ask("GET /health", "127.0.0.1", port, **values)  # type: ignore[arg-type]


def test_a_request_is_sent_as_configured_and_its_answer_told() -> None:
    heard: list[bytes] = []

    def answer(sock: socket.socket, request: bytes) -> None:
        heard.append(request)
        sock.sendall(GOOD)

    with server(answer) as port:
        connected, (answered) = came(Ask("connect", "127.0.0.1", port), get(port))
    assert (connected.good, connected.says) == (True, "connected")
    assert (answered.good, answered.says) == (True, f"status 200 OK, {len(GOOD)} bytes")
    assert answered.ms is not None
    assert heard[-1] == (
        b"GET /health HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: shop\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"HTTP/1.1 503 \x1b[31mNo\r\n\r\n", "status 503 ␛[31mNo, 24 bytes"),
        (b"", "closed without an answer"),
        (b"\x00\xff" * 9, "no HTTP answer: 18 bytes"),
        (b"HTTP/1.0 99999999 x\r\n", "no HTTP answer: 21 bytes"),
    ],
)
def test_what_is_wrong_with_an_answer_is_said(answer: bytes, says: str) -> None:
    with server(lambda sock, _: sock.sendall(answer)) as port:
        (one,) = came(get(port))
    assert (one.good, one.says) == (False, says)


def test_one_that_accepts_and_never_answers_ends_in_its_time() -> None:
    done = threading.Event()
    with server(lambda sock, _: done.wait(30)) as port:
        (one,) = came(get(port, within_s=0.2))
        done.set()
    assert (one.good, one.says) == (False, "nothing within 0.2 s")


def test_a_closed_port_is_said_in_the_systems_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    (one,) = came(Ask("connect", "127.0.0.1", port))
    assert (one.good, one.says) == (False, "connection refused")


def test_a_stop_ends_all_of_it_at_once() -> None:
    done, calls = threading.Event(), []

    def stopped() -> bool:
        calls.append(1)
        return len(calls) > 3

    with server(lambda sock, _: done.wait(30)) as port:
        found = came(get(port), get(port), stopped=stopped)
        done.set()
    assert [(one.good, one.says) for one in found] == [(None, "stopped")]


def test_no_path_of_the_file_can_add_a_header() -> None:
    with server(lambda sock, _: sock.sendall(GOOD)) as port:
        for odd in ({"path": b"/ HTTP/1.0\r\nX: y"}, {"host": b"a\r\nX: y"}):
            (one,) = came(get(port, **odd))
            assert (one.good, one.says) == (False, "invalid argument")


def test_an_endless_answer_is_cut() -> None:
    def answer(sock: socket.socket, _: bytes) -> None:
        sock.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
        while True:
            sock.sendall(b"x" * 65536)

    with server(answer) as port:
        (one,) = came(get(port, within_s=10.0))
    assert one.good is False
    assert "bytes and no end" in one.says


@pytest.mark.parametrize(
    ("result", "good", "says"),
    [
        (PathResult(80, PathState.ANSWERED, "answers, 0.2 ms", ("seen",), 0.2), True, "SYN-ACK"),
        (PathResult(80, PathState.SILENT, "no answer", ("seen",)), False, "no answer"),
        (PathResult(80, PathState.UNKNOWN, "no MAC", ("seen",)), None, "no MAC"),
        (Unavailable("it can not be tried", "no raw sockets"), None, "no raw sockets"),
    ],
)
def test_the_way_of_the_vip_is_asked_by_the_probe(
    result: PathResult | Unavailable, good: bool | None, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "try_path", lambda vip, port, address: result)
    (one,) = came(Ask("SYN", "10.10.0.3", 80, vip="10.10.0.20"))
    assert (one.good, one.says, bool(one.evidence)) == (good, says, True)


def test_what_is_not_tried_says_why() -> None:
    assert came(Ask("MISC_CHECK", not_done="a script")) == [Came("MISC_CHECK", None, "a script")]
