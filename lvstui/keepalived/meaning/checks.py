"""Health checks of a real server: what each looks at, and how often."""

from __future__ import annotations

from dataclasses import dataclass

from lvstui.keepalived.keywords import CHECKERS
from lvstui.keepalived.meaning.tracking import last
from lvstui.keepalived.text.shown import HIDDEN, shown_url
from lvstui.keepalived.text.tree import Block
from lvstui.keepalived.text.values import MAX_PORT, MAX_UNSIGNED, Notes, script_path, shown
from lvstui.model.config import ConfiguredChecker
from lvstui.model.keys import join_port

DEFAULT_DELAY = 60.0
"""Seconds between two checks when nothing says otherwise (KEEPALIVED_DEFAULT_DELAY)."""
DEFAULT_TIMEOUT = 5.0
"""Seconds to connect when nothing says otherwise."""

_RETRIES = {"MISC_CHECK": 0, "DNS_CHECK": 3, "FILE_CHECK": 0, "BFD_CHECK": 0}


@dataclass(slots=True)
class Timing:
    """What a check inherits. None: not set at this level."""

    delay_loop: float | None = None
    connect_timeout: float | None = None
    retry: int | None = None
    alpha: bool | None = None

    def over(self, outer: Timing) -> Timing:
        """These, with those of `outer` where nothing is set."""
        return Timing(
            outer.delay_loop if self.delay_loop is None else self.delay_loop,
            outer.connect_timeout if self.connect_timeout is None else self.connect_timeout,
            outer.retry if self.retry is None else self.retry,
            outer.alpha if self.alpha is None else self.alpha,
        )


def timing(block: Block, notes: Notes) -> Timing:
    """What `block` itself sets."""
    found = Timing()
    outer = block.keyword in (b"virtual_server", b"real_server")
    # HTTP_GET and SSL_GET alone know nb_get_retry.
    http = block.keyword in (b"HTTP_GET", b"SSL_GET")
    for statement in block.statements():
        word = statement.words[0]
        if word == b"delay_loop":
            found.delay_loop = notes.seconds(statement) or found.delay_loop
        elif word == b"connect_timeout":
            found.connect_timeout = notes.seconds(statement) or found.connect_timeout
        elif word == b"retry" or (http and word == b"nb_get_retry"):
            count = notes.number(statement, 1 if outer else 0, MAX_UNSIGNED, whole=outer)
            found.retry = found.retry if count is None else count
        elif word == b"alpha":
            # That of a virtual server takes no value.
            flag = block.keyword == b"virtual_server" or notes.flag(statement)
            found.alpha = found.alpha if flag is None else flag
    return found


def checks(
    block: Block, outer: Timing, address: str, port: int, serves: int, notes: Notes
) -> tuple[tuple[ConfiguredChecker, ...], bool]:
    """The checks of one real server, and whether it counts as failed until they have run.

    `outer` holds what the real server and its virtual server set, `address` and `port` where a
    check connects to unless it says otherwise: the port as written, which keepalived copies
    before it resets that of the server (queue_checker in check_api.c, 2.2.7). `serves` is the
    port that the server ends up with.
    """
    result: list[ConfiguredChecker] = []
    alpha = False
    for check in block.blocks(*CHECKERS):
        kind = check.keyword.decode()
        merged = timing(check, notes).over(outer)
        delay = DEFAULT_DELAY if merged.delay_loop is None else merged.delay_loop
        timeout = DEFAULT_TIMEOUT if merged.connect_timeout is None else merged.connect_timeout
        if kind == "MISC_CHECK":
            # A script may run for misc_timeout, else until its next turn.
            timeout = last(check.statements(b"misc_timeout"), notes.seconds, delay)
        retry = _RETRIES.get(kind, 1) if merged.retry is None else merged.retry
        if kind in ("FILE_CHECK", "BFD_CHECK"):
            retry = 0
        target = _target(check, kind, address, port, serves, notes)
        if target is not None:
            dynamic = kind == "FILE_CHECK" or any(check.statements(b"misc_dynamic"))
            result.append(
                ConfiguredChecker(kind, target, delay, timeout, retry, dynamic, check.place)
            )
            alpha = alpha or bool(merged.alpha)
    # Only a check that has not run holds a server down.
    return tuple(result), alpha if result else bool(outer.alpha)


def _value(block: Block, keyword: bytes, notes: Notes) -> bytes:
    line = block.last(keyword)
    return notes.argument(line) if line is not None else b""


def peer_of(block: Block, address: str, port: int, notes: Notes) -> tuple[str, int]:
    """Where a check connects to."""
    own = address
    for statement in block.statements(b"connect_ip"):
        given = notes.address(notes.argument(statement))
        if given is None:
            notes.say(statement.place, "connect_ip: no address; the server's own is taken")
        address = given or own
    for statement in block.statements(b"connect_port"):
        port = notes.number(statement, 1, MAX_PORT) or port
    return address, port


def _endpoint(address: str, port: int) -> str:
    """Without any port keepalived connects to port 0, which always fails (seen with 2.2.7)."""
    return join_port(address, port) if port else f"{address} port 0"


def _target(
    block: Block, kind: str, address: str, port: int, serves: int, notes: Notes
) -> str | None:
    """What a check looks at, in words; None when keepalived drops the check."""
    if kind == "MISC_CHECK":
        script = last(block.statements(b"misc_path"), script_path, "")
        if not script:
            notes.say(block.place, "MISC_CHECK: no misc_path; keepalived drops this check")
            return None
        return script
    if kind == "FILE_CHECK":
        return shown(_value(block, b"track_file", notes))
    if kind == "BFD_CHECK":
        return shown(_value(block, b"name", notes))
    if kind in ("HTTP_GET", "SSL_GET"):
        return _http(block, kind, (address, serves), peer_of(block, address, port, notes), notes)
    hosts = [peer_of(host, address, port, notes) for host in block.blocks(b"host")]
    where = ", ".join(_endpoint(*peer) for peer in hosts or [peer_of(block, address, port, notes)])
    if kind == "PING_CHECK":
        return f"ping {peer_of(block, address, 0, notes)[0]}"
    if kind == "DNS_CHECK":
        record = shown(_value(block, b"type", notes) or b"SOA")
        name = shown(_value(block, b"name", notes) or b".")
        return f"{record} {name} from {where}"
    words = {"SMTP_CHECK": "SMTP", "UDP_CHECK": "UDP"}
    return f"{words.get(kind, 'connect')} {where}"


def _http(
    block: Block, kind: str, server: tuple[str, int], peer: tuple[str, int], notes: Notes
) -> str | None:
    paths: list[str] = []
    for url in block.blocks(b"url"):
        path = _value(url, b"path", notes)
        if path:
            paths.append(shown(shown_url(path)).replace(HIDDEN, "…"))
        else:
            notes.say(url.place, f"{kind}: url without path; keepalived up to 2.2.7 crashes on it")
    if not paths:
        notes.say(block.place, f"{kind}: no url; keepalived up to 2.2.7 crashes on it")
        return None
    text = "GET " + ", ".join(paths) + (" over TLS" if kind == "SSL_GET" else "")
    return text if peer == server and peer[1] else f"{text} at {_endpoint(*peer)}"
