"""Following a growing file, and the journal, line by line.

A file is followed by its name: a rotated one is read to its end, then the new one from its
start; a truncated one (copytruncate) from its start. inotify wakes us; where it is not to be had
(or does not tell, as on network and host file systems) a look every half second does.
"""

from __future__ import annotations

import ctypes
import os
import select
import subprocess
import time

_IN_MODIFY, _IN_ATTRIB, _IN_MOVED_TO, _IN_CREATE = 0x2, 0x4, 0x80, 0x100
_IN_DELETE_SELF, _IN_MOVE_SELF = 0x400, 0x800
_CHUNK = 1 << 18
_SKIP_BEHIND = 8 << 20
_KEEP_AFTER_SKIP = 1 << 19
_LONGEST_LINE = 1 << 16


class Inotify:
    """The few calls of inotify that following needs; does nothing where there is none."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        init = getattr(self._libc, "inotify_init1", None)
        self.fd: int = init(os.O_NONBLOCK | os.O_CLOEXEC) if init else -1

    def watch(self, path: str) -> None:
        """Wake when the file grows, and when its folder gets a new one of any name."""
        if self.fd < 0:
            return
        of_file = _IN_MODIFY | _IN_ATTRIB | _IN_DELETE_SELF | _IN_MOVE_SELF
        self._libc.inotify_add_watch(self.fd, os.fsencode(path), of_file)
        folder = os.path.dirname(path) or "."
        self._libc.inotify_add_watch(self.fd, os.fsencode(folder), _IN_MOVED_TO | _IN_CREATE)

    def wait(self, seconds: float) -> bool:
        """Whether something happened within that time."""
        if self.fd < 0:
            # No event: a look five times a second keeps the latency.
            time.sleep(min(seconds, 0.2))
            return False
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            while os.read(self.fd, 1 << 16):
                pass
        except BlockingIOError:
            pass
        return True

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


class FileTail:
    def __init__(self, path: str, inotify: Inotify) -> None:
        self.path = path
        self.skipped = 0
        """Bytes that were passed over because the file grew faster than we read."""
        self._inotify = inotify
        self._fd = -1
        self._offset = 0
        self._rest = b""

    def open(self, back_bytes: int) -> list[bytes]:
        """Open it and give its last lines. Raises OSError."""
        fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        self.close()
        self._fd = fd
        size = os.fstat(fd).st_size
        self._offset = max(0, size - back_bytes)
        self._rest = b""
        self._inotify.watch(self.path)
        if self._offset == 0:
            return self._read(size)
        # Behind the middle of a line: what stands before the first newline is dropped.
        data = os.pread(fd, size - self._offset, self._offset)
        self._offset += len(data)
        _, newline, tail = data.partition(b"\n")
        return self._cut(tail if newline else b"")

    def new_lines(self, limit: int = _CHUNK) -> list[bytes]:
        """Whole lines that came since, about `limit` bytes at most."""
        if self._fd < 0:
            return self._reopen()
        size = os.fstat(self._fd).st_size
        if size < self._offset:
            self._offset, self._rest = 0, b""
        if size - self._offset > _SKIP_BEHIND:
            self.skipped += size - self._offset - _KEEP_AFTER_SKIP
            self._offset, self._rest = size - _KEEP_AFTER_SKIP, b""
        lines = self._read(min(limit, size - self._offset))
        if not lines and size == self._offset and self._replaced(size):
            return self._reopen()
        return lines

    def _read(self, count: int) -> list[bytes]:
        data = os.pread(self._fd, count, self._offset) if count > 0 else b""
        self._offset += len(data)
        return self._cut(data)

    def _cut(self, data: bytes) -> list[bytes]:
        if not data:
            return []
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-_LONGEST_LINE:]
        return lines

    def _replaced(self, size: int) -> bool:
        """Whether the name means another file by now."""
        try:
            named, ours = os.stat(self.path), os.fstat(self._fd)
        except OSError:
            return False
        # On overlay file systems our descriptor may stay on the lower copy: the size tells.
        return not os.path.samestat(named, ours) or named.st_size > size

    def _reopen(self) -> list[bytes]:
        same = False
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            # Between two steps of a rotation; the next look finds it.
            return []
        if self._fd >= 0:
            one, two = os.fstat(self._fd), os.fstat(fd)
            same = one.st_ino == two.st_ino and two.st_size >= self._offset
        self.close()
        self._fd = fd
        if not same:
            self._offset, self._rest = 0, b""
        self._inotify.watch(self.path)
        return self._read(_CHUNK)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class JournalTail:
    """`journalctl -f` as a child; its lines are JSON objects."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl+C in our terminal is none of its business
        )
        assert self._process.stdout is not None
        self._fd = self._process.stdout.fileno()
        os.set_blocking(self._fd, False)
        self._rest = b""

    def wait(self, seconds: float) -> bool:
        """Whether there is something to read within that time."""
        return bool(select.select([self._fd], [], [], seconds)[0])

    def new_lines(self) -> list[bytes] | None:
        """Whole lines that have come; None when the child has ended."""
        try:
            data = os.read(self._fd, _CHUNK)
        except BlockingIOError:
            return []
        if not data:
            return None
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-_LONGEST_LINE:]
        return lines

    def close(self) -> None:
        """End the child, kindly first."""
        self._process.terminate()
        try:
            self._process.wait(0.3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
