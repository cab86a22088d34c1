"""paramiko's and the system's exceptions as one line for the operator."""

from __future__ import annotations

import errno
import logging
import socket
from typing import Any

from lvstui.model.text import plain
from lvstui.remote.runner import ErrorKind, RemoteError

OTHER_BACKEND = "let OpenSSH make the connection (backend openssh)"

_NET = {
    errno.ECONNREFUSED: "connection refused",
    errno.EHOSTUNREACH: "no route to host",
    errno.ENETUNREACH: "network is unreachable",
    errno.ETIMEDOUT: "nobody answered",
    errno.ECONNRESET: "connection reset",
}

_PARTS = (
    ("kex_algo_list", "preferred_kex", "key exchange"),
    ("server_key_algo_list", "preferred_keys", "host key type"),
    ("server_encrypt_algo_list", "preferred_ciphers", "cipher"),
    ("server_mac_algo_list", "preferred_macs", "MAC"),
)


def silence() -> None:
    """Keep paramiko's log off the terminal: it prints tracebacks of what is reported anyway."""
    logger = logging.getLogger("paramiko")
    logger.setLevel(logging.CRITICAL + 1)
    logger.propagate = False


def network_words(error: BaseException) -> str:
    """What a socket error means."""
    if isinstance(error, TimeoutError):
        return "nobody answered in time"
    if isinstance(error, socket.gaierror):
        return f"name not found ({plain(str(error.strerror))})"
    if isinstance(error, OSError) and error.errno:
        return _NET.get(error.errno) or plain(str(error.strerror))
    return plain(str(error)) or type(error).__name__


def no_common(transport: Any, where: str) -> RemoteError | None:
    """Which algorithm the two sides do not share, with both lists; None when they do.

    transport: as `link.new_transport` made it.
    """
    theirs = transport.offered
    for field, attribute, word in _PARTS:
        offered = [name for name in theirs.get(field, []) if not name.startswith(("ext-", "kex-"))]
        ours = [name for name in getattr(transport, attribute) if "-cert-" not in name]
        if offered and not set(offered) & set(getattr(transport, attribute)):
            return RemoteError(
                ErrorKind.SETUP,
                f"no {word} in common with {where}: it offers {plain(', '.join(offered), 400)}; "
                f"lvstui has {', '.join(ours)}",
                OTHER_BACKEND + ", or allow one more in its sshd_config",
            )
    return None


def handshake(
    error: BaseException | None, transport: Any, where: str, *, late: bool
) -> RemoteError:
    """Why there is no encrypted connection.  late: the time for it has passed."""
    import paramiko

    if isinstance(error, RemoteError):
        return error
    if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
        found = no_common(transport, where)
        if found:
            return found
    if late:
        what = f"{where} accepts connections but does not speak SSH in time"
        return RemoteError(
            ErrorKind.HANGS, what, "look at its load, and whether the port is sshd's"
        )
    if "banner" in str(error):
        what = f"{where} does not speak SSH"
        return RemoteError(ErrorKind.UNREACHABLE, what, "look whether the port is sshd's")
    if error is None or isinstance(error, EOFError) or "Negotiation failed" in str(error):
        return RemoteError(
            ErrorKind.UNREACHABLE,
            f"{where} hung up before the login",
            "sshd may be overloaded (MaxStartups) or refuse this address",
        )
    words = network_words(error) if error else "it hung up"
    return RemoteError(ErrorKind.UNREACHABLE, f"no SSH with {where}: {words}")


def in_session(error: BaseException, where: str, what: str) -> RemoteError:
    """Why an established connection gave no channel or lost it."""
    import paramiko

    if isinstance(error, RemoteError):
        return error
    if isinstance(error, paramiko.ChannelException):
        return RemoteError(
            ErrorKind.SETUP,
            f"{where} gives no session: {plain(str(error.text))} ({what})",
            "MaxSessions or a restriction of the key may be the reason",
        )
    return lost(where, what, network_words(error))


def lost(where: str, what: str, words: str = "") -> RemoteError:
    """The connection ended while something ran."""
    return RemoteError(
        ErrorKind.LOST,
        f"the connection to {where} was lost{f' ({words})' if words else ''} during: {what}",
        "what it did there is not known",
    )
