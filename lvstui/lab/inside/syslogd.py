"""A syslog daemon: /dev/log into /var/log/syslog, in Debian 12's rsyslog format.

A line is `2026-11-22T17:05:15.123456+00:00 lb1 Keepalived_vrrp[12]: text`; rsyslog escapes control
characters as #ooo and so does this.
"""

from __future__ import annotations

import os
import socket
import time

LOG = "/var/log/syslog"


def _escape(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or ord(c) > 127 else f"#{ord(c):03o}" for c in text)


def format_line(data: bytes, host: str, now: float) -> str:
    """One datagram of /dev/log as a line of the file; `now` is in seconds since 1970 (UTC)."""
    text = data.rstrip(b"\n\0").decode("utf-8", "replace")
    if text.startswith("<"):
        text = text.partition(">")[2]
    # "Nov 22 17:05:15 ident[pid]: words": the time of arrival replaces the sender's.
    if len(text) > 16 and text[3] == " " and text[6] == " " and text[15] == " ":
        text = text[16:]
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
    return f"{stamp}.{int(now % 1 * 1e6):06d}+00:00 {host} {_escape(text)}\n"


def serve(host: str, listening: socket.socket) -> None:
    """Never returns.  Writes each line at once: whoever follows the file sees it."""
    log = -1
    inode = 0
    while True:
        data = listening.recv(65536)
        # Like rsyslog after a HUP: a log rotated away is opened anew, here without a signal.
        try:
            same = log >= 0 and os.stat(LOG).st_ino == inode
        except FileNotFoundError:
            same = False
        if not same:
            if log >= 0:
                os.close(log)
            log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
            inode = os.fstat(log).st_ino
        os.write(log, format_line(data, host, time.time()).encode())
