"""A copy of each audit record for the host's journal or syslog, which may send it on."""

from __future__ import annotations

import contextlib
import syslog
import threading
from collections.abc import Sequence

from lvstui.model.text import plain
from lvstui.sources.audit import AuditEntry

IDENT = "lvstui"
MOST = 900
"""Characters of a message: what syslog daemons take on one line (RFC 3164: 1024 bytes)."""
_PATIENCE_S = 2.0


def message(entry: AuditEntry, digest: str) -> str:
    """One record on one line, the hash of its line in the audit log before everything that could
    be long."""
    said = {
        "id": entry.id,
        "phase": entry.phase,
        "hash": digest,
        "who": entry.who,
        "claims": entry.claims,
        "host": entry.host,
        "operation": entry.operation,
        "service": entry.service,
        "server": entry.server,
        "name": entry.name,
        "before": entry.before,
        "after": entry.after,
        "seen": entry.seen,
        "ok": entry.ok,
        "undoes": entry.undoes,
        "reason": entry.reason,
        "error": entry.error,
        "what": entry.what,
        "text": entry.text,
    }
    words = (f"{key}={_quoted(value)}" for key, value in said.items() if value not in (None, ""))
    return plain(" ".join(words), MOST)


def _quoted(value: object) -> str:
    text = plain(str(value), MOST)
    bare = text.isascii() and not set(text) & set(' "=\\')
    return text if bare else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def copy(messages: Sequence[str]) -> None:
    """Send them. Never raises; a log daemon that hangs holds nobody up for long: the audit log
    has the records already."""

    def send() -> None:
        syslog.openlog(IDENT, syslog.LOG_PID, syslog.LOG_AUTHPRIV)
        for text in messages:
            syslog.syslog(syslog.LOG_NOTICE, text)

    sender = threading.Thread(target=send, name="syslog", daemon=True)
    # No thread can be had on a host that is out of memory; the change was made all the same.
    with contextlib.suppress(RuntimeError):
        sender.start()
        sender.join(_PATIENCE_S)
