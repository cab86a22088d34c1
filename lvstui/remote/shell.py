"""Runner on top of "execute one command": scripts, whole files, root. Shared by all backends."""

from __future__ import annotations

import errno
import secrets
import shlex
import time
from abc import ABC, abstractmethod
from dataclasses import replace

from lvstui.model.text import plain
from lvstui.process.readonly import forbid
from lvstui.remote.become import Become
from lvstui.remote.credentials import CredentialCache
from lvstui.remote.runner import Access, Ran, RemoteError
from lvstui.remote.scripts import (
    INLINE,
    PLAIN_SHELL,
    inline,
    script_bytes,
    staged_command,
    write_script,
)
from lvstui.remote.talk import MOST, CommandLine, Raw, Stream, converse
from lvstui.remote.transcript import Record, Transcript

_ERRNO = {
    "no such file": errno.ENOENT,
    "directory nonexistent": errno.ENOENT,
    "no space left": errno.ENOSPC,
    "quota exceeded": errno.EDQUOT,
    "read-only file system": errno.EROFS,
    "permission denied": errno.EACCES,
    "operation not permitted": errno.EPERM,
    "is a directory": errno.EISDIR,
    "not a directory": errno.ENOTDIR,
    "file exists": errno.EEXIST,
}


def os_error(words: str, path: str) -> OSError:
    """An OSError out of what a program said in LC_ALL=C."""
    lines = [line for line in words.splitlines() if line.strip()]
    last = plain(lines[-1], 300) if lines else "it failed without a word"
    number = next((n for text, n in _ERRNO.items() if text in last.lower()), errno.EIO)
    return OSError(number, last, path)


class ShellRunner(ABC):
    """What the backends share. One thread at a time."""

    fingerprint = ""
    """`SHA256:…` of the host key; empty where there is none."""

    def __init__(
        self, access: Access, user: str, vault: CredentialCache, log: Transcript, where: str = ""
    ) -> None:
        """user: whose password sudo asks for. where: the host in error messages."""
        self.host = access.host
        self._where = where or access.host
        self._log = log
        self._user = user
        self._become = Become(self.execute, access, user, vault)

    @property
    def alive(self) -> bool:
        """Whether it can be used, as far as is known without asking."""
        return True

    @abstractmethod
    def start(self, command: CommandLine) -> Stream:
        """Begin a command. Raises RemoteError."""

    def execute(self, command: CommandLine) -> Raw:
        """Bring a command to its end. Raises RemoteError."""
        stream = self.start(command)
        try:
            return converse(stream, command, self._where)
        finally:
            stream.close()

    @abstractmethod
    def close(self) -> None:
        """Hang up; never raises."""

    def run(
        self,
        script: str,
        *,
        stdin: bytes = b"",
        root: bool = False,
        timeout_s: float = 30.0,
        what: str = "",
        private: bool = False,
        most: int = MOST,
    ) -> Ran:
        """See Runner.run. most: bytes of either output that are kept."""
        # All but the command line, which is how the script gets there.
        wanted = CommandLine("", stdin, timeout_s=timeout_s, what=what or "a script", most=most)

        def record(
            status: int | None, out: str, err: str, took_s: float, trouble: str = ""
        ) -> None:
            who = (self.host, self._user, self.fingerprint)
            did = (wanted.what, script, root)
            took_s = round(took_s, 3)
            self._log.add(Record(time.time(), *who, *did, status, out, err, took_s, trouble))

        started = time.monotonic()
        try:
            raw = self._raw(script, wanted, root)
        except RemoteError as error:
            record(None, "", str(error), time.monotonic() - started, error.trouble.value)
            raise
        err = "\n".join(
            plain(line, 2000)
            for line in raw.err.decode("utf-8", "backslashreplace")
            .replace("\r\n", "\n")
            .splitlines()
        )
        if raw.cut:
            err += f"\nlvstui: output beyond {wanted.most} bytes was dropped"
        told = raw.out.decode("utf-8", "backslashreplace"), err
        if private:
            told = f"({len(raw.out)} bytes)", f"({len(err)} characters)"
        record(raw.status, *told, raw.took_s)
        return Ran(raw.status, raw.out, err, raw.took_s)

    def _raw(self, script: str, wanted: CommandLine, root: bool) -> Raw:
        if root and not self._become.is_root(wanted.timeout_s):
            return self._become.run(script, wanted)
        if not wanted.stdin:
            # The script itself is the input: no limit of length, and not in the process list.
            return self.execute(replace(wanted, text=PLAIN_SHELL, stdin=script_bytes(script)))
        if len(script) <= INLINE:
            return self.execute(replace(wanted, text=inline(script)))
        with self._become.staged(script, wanted) as folder:
            return self.execute(replace(wanted, text=staged_command(folder), stdin=b""))

    def read(self, path: str, *, root: bool = False, most: int = 1 << 20) -> bytes | None:
        """See Runner.read."""
        script = f"exec head -c {most} < {shlex.quote(path)}\n"
        ran = self.run(script, root=root, what=f"read {plain(path)}", most=max(most, MOST))
        if ran.status == 0:
            return ran.out
        if "no such file" in ran.err.lower():
            return None
        raise os_error(ran.err, path)

    def write(self, path: str, data: bytes, *, mode: int = 0o600, root: bool = False) -> None:
        """See Runner.write. A link is followed, and an existing file keeps its owner."""
        forbid()
        script = write_script(path, len(data), mode, secrets.token_hex(8))
        ran = self.run(script, stdin=data, root=root, timeout_s=60.0, what=f"write {plain(path)}")
        if ran.status != 0:
            raise os_error(ran.err, path)
