"""What HTTP_GET and SSL_GET ask for, word for word: to be sent, not to be shown."""

from __future__ import annotations

from dataclasses import dataclass

from lvstui.keepalived.meaning.checks import peer_of
from lvstui.keepalived.text.shown import HIDDEN, shown_url
from lvstui.keepalived.text.tree import Block, Tree
from lvstui.keepalived.text.values import Notes, shown
from lvstui.model.config import Place
from lvstui.model.keys import ServerKey, join_port


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One url of a check."""

    address: str
    port: int
    path: bytes
    """May hold a password: `shown` is what of it may be seen."""
    host: bytes
    """For the Host header: the virtualhost, or the address."""
    tls: bool
    shown: str
    """`GET /health`."""


def http_requests(tree: Tree, place: Place, server: ServerKey, port: int) -> list[HttpRequest]:
    """Those of the check that stands at `place`, for a real server that serves on `port`.

    As keepalived sends them (http_request_thread in check_http.c, 2.2.7): the virtualhost of the
    url, else that of the check, of the real server, of the virtual server, else the address, with
    the port where it is not the usual one.
    """
    for service in tree.blocks(b"virtual_server"):
        for real in service.blocks(b"real_server"):
            for check in real.blocks(b"HTTP_GET", b"SSL_GET"):
                if check.place == place:
                    return _requests(check, (real, service), server, port)
    return []


def _requests(
    check: Block, around: tuple[Block, ...], server: ServerKey, port: int
) -> list[HttpRequest]:
    notes = Notes([])
    address, to = peer_of(check, server.address, port, notes)
    tls = check.keyword == b"SSL_GET"
    usual = 443 if tls else 80
    found = []
    for url in check.blocks(b"url"):
        line = url.last(b"path")
        path = line.words[1] if line is not None and len(line.words) > 1 else b""
        hosts = (block.last(b"virtualhost") for block in (url, check, *around))
        named = next((h.words[1] for h in hosts if h is not None and len(h.words) > 1), b"")
        host = named or join_port(address, 0 if to == usual else to).encode()
        if not named and ":" in address and to == usual:
            host = b"[%s]" % host
        if path and to:
            text = f"GET {shown(shown_url(path)).replace(HIDDEN, '…')}"
            found.append(HttpRequest(address, to, path, host, tls, text))
    return found
