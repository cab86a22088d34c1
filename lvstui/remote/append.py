"""Whole lines at the end of a file that several processes append to, or none of them."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Callable

LOCK_S = 10.0
"""Seconds to wait for the lock: longer than any other writer holds it, short enough to be told."""
_BLOCK = 1 << 16


def append_lines(fd: int, lines: bytes | Callable[[bytes], bytes], *, sync: bool = True) -> None:
    """Append lines (each with its newline) to the file that `fd` has open (O_RDWR | O_APPEND); on
    disk when this returns, unless `sync` is off. Either all of them are in the file, or OSError is
    raised.

    A last line without a newline, torn by a crash, is ended first, so that it does not swallow
    ours. `lines` may be made from the last line that is there (without its newline; empty in an
    empty file): it is called under the lock, so nobody writes between. Raises OSError.
    """
    _lock(fd)
    try:
        size = os.fstat(fd).st_size
        last, ended = _last_line(fd, size)
        left = lines if isinstance(lines, bytes) else lines(last)
        left = left if ended else b"\n" + left
        whole = size + len(left)
        try:
            while left:
                # A disk that is nearly full takes a part and says so by the count alone.
                left = left[os.write(fd, left) :]
            if sync:
                os.fsync(fd)
        except OSError:
            # Not when somebody without our lock wrote behind it: his lines are not ours to cut.
            with contextlib.suppress(OSError):
                if os.fstat(fd).st_size == whole - len(left):
                    os.ftruncate(fd, size)
            raise
    finally:
        fcntl.flock(fd, fcntl.LOCK_UN)


def _lock(fd: int) -> None:
    until = time.monotonic() + LOCK_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > until:
                why = f"another process has held its lock for {LOCK_S:.0f} s"
                raise OSError(errno.EBUSY, why) from None
            time.sleep(0.02)


def _last_line(fd: int, size: int) -> tuple[bytes, bool]:
    """The last line that is not empty, and whether the file ends with a newline (or is empty)."""
    tail = b""
    start = size
    while start > 0 and b"\n" not in tail.strip(b"\n"):
        start = max(0, start - _BLOCK)
        tail = os.pread(fd, size - start, start)
    return tail.strip(b"\n").rpartition(b"\n")[2], size == 0 or tail.endswith(b"\n")
