"""Checking a real server now: what is to be tried, and the trying of it as a job."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from lvstui.keepalived.meaning.requests import HttpRequest, http_requests
from lvstui.keepalived.text.tree import Tree
from lvstui.model.config import ConfiguredChecker
from lvstui.model.keys import join_port, split_port
from lvstui.model.picture import ServerView
from lvstui.realserver.check_now import Ask, Came, check_now
from lvstui.session.jobs import Begin, Jobs, Later, at_once, in_thread

_NOT_RUN = "not tried from here: only keepalived does this check"
_HTTP = ("HTTP_GET", "SSL_GET")


@dataclass
class ServerCheck:
    """One check, while it runs and when it is over."""

    server: ServerView
    asks: tuple[Ask, ...] = ()
    came: list[Came] = field(default_factory=list)
    ended: bool = False
    problem: str = ""
    """Why nothing could be tried."""
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def title(self) -> str:
        return f"check {self.server.label} in {self.server.service}"

    @property
    def good(self) -> bool:
        """Something was tried, and nothing of it failed."""
        return any(came.good for came in self.came) and all(
            came.good is not False for came in self.came
        )


def asks_of(server: ServerView, tree: Tree | None) -> tuple[Ask, ...]:
    """What there is to try for a real server of the picture; `tree`: the files, for the paths of
    its requests."""
    service = server.service
    port = server.key.port or service.port
    asks: list[Ask] = []
    what = f"connect {join_port(server.key.address, port)}"
    checkers = server.configured.checkers if server.configured is not None else ()
    if service.protocol == "tcp" or (service.protocol == "fwmark" and port):
        within = min((checker.connect_timeout_s for checker in checkers), default=5.0)
        asks.append(Ask(what, server.key.address, port, within))
    elif service.protocol in ("udp", "sctp"):
        asks.append(Ask(what, not_done=f"{service.protocol} has no general probe"))
    for checker in checkers:
        asks += _of_checker(checker, server, port, tree, asks)
    asks += _of_path(server, port)
    return tuple(asks)


def _of_checker(
    checker: ConfiguredChecker, server: ServerView, port: int, tree: Tree | None, before: list[Ask]
) -> Iterator[Ask]:
    what = f"{checker.kind}: {checker.target}"
    if checker.kind in _HTTP:
        found: list[HttpRequest] = []
        if tree is not None and checker.place is not None:
            found = http_requests(tree, checker.place, server.key, port)
        if not found:
            yield Ask(what, not_done="its request could not be read from the file")
        for request in found:
            yield Ask(
                f"{checker.kind}: {request.shown} at {join_port(request.address, request.port)}",
                request.address,
                request.port,
                checker.connect_timeout_s,
                request.path,
                request.host,
                request.tls,
            )
    elif checker.kind == "TCP_CHECK":
        if not any(ask.what == checker.target for ask in before):
            with suppress(ValueError):
                address, to = split_port(checker.target.removeprefix("connect "))
                if to:
                    yield Ask(what, address, to, checker.connect_timeout_s)
    else:
        yield Ask(what, not_done=_NOT_RUN)


def _of_path(server: ServerView, port: int) -> Iterator[Ask]:
    service = server.service
    if server.forwarding != "DR":
        return
    what = f"SYN for {service.address or 'the VIP'} to the MAC of {server.key.address}"
    if not service.address:
        yield Ask(what, not_done="a firewall mark does not say for which VIP")
    elif service.protocol != "tcp":
        yield Ask(what, not_done=f"{service.protocol} has no general probe")
    elif not service.port:
        yield Ask(what, not_done="the service has every port")
    else:
        yield Ask(what, server.key.address, service.port, vip=service.address)


class CheckSession(Jobs):
    """The checks of one sitting, one at a time."""

    def __init__(
        self,
        read: Callable[[], Tree],
        later: Later = at_once,
        begin: Begin = in_thread,
        run: Callable[..., object] = check_now,
    ) -> None:
        """read: the configuration on disk; may raise OSError."""
        super().__init__(later, begin)
        self._read, self._run = read, run
        self.heard: Callable[[Came], None] = lambda one: None
        """Takes each thing that came."""

    def check(self, server: ServerView) -> ServerCheck:
        """Begin; what comes is told to the watchers."""
        check = ServerCheck(server)

        def came(one: Came) -> None:
            self.later(lambda: self._came(check, one))

        def work() -> None:
            tree = None
            with suppress(OSError):
                tree = self._read()
            asks = asks_of(server, tree)
            self.later(lambda: self._asks(check, asks))
            self._run(asks, check.stop.is_set, came)

        def ended(_: None) -> None:
            check.ended = True

        def failed(text: str) -> None:
            check.ended, check.problem = True, text

        self.start(check.title, work, ended, failed)
        return check

    def _asks(self, check: ServerCheck, asks: tuple[Ask, ...]) -> None:
        check.asks = asks
        self.changed()

    def _came(self, check: ServerCheck, one: Came) -> None:
        check.came.append(one)
        self.heard(one)
        self.changed()
