"""This host, by the same interface as the others."""

from __future__ import annotations

import getpass
import os
from collections.abc import Sequence

from lvstui.model.text import plain
from lvstui.process import privileges
from lvstui.remote.credentials import CredentialCache
from lvstui.remote.pipes import ProcessStream
from lvstui.remote.runner import Access, ErrorKind, NobodyThere, RemoteError
from lvstui.remote.scripts import SYSTEM_FOLDERS, script_bytes
from lvstui.remote.shell import ShellRunner
from lvstui.remote.talk import CommandLine, Raw, converse
from lvstui.remote.transcript import Transcript


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container gives numbers that have no name.
        return str(os.getuid())


def _start(command: Sequence[str], keep: Sequence[int] = ()) -> ProcessStream:
    path = f"{os.environ.get('PATH', os.defpath)}:{SYSTEM_FOLDERS}"
    try:
        with privileges.lent():
            return ProcessStream(command, {**os.environ, "LC_ALL": "C", "PATH": path}, keep)
    except OSError as error:
        raise RemoteError(
            ErrorKind.SETUP, f"no process can be started here: {plain(str(error))}"
        ) from None


class LocalRunner(ShellRunner):
    """Scripts on this host; root by being root, or by sudo or doas."""

    def __init__(
        self,
        host: str = "localhost",
        *,
        group: str = "",
        vault: CredentialCache | None = None,
        transcript: Transcript | None = None,
    ) -> None:
        vault = vault or CredentialCache(NobodyThere())
        access = Access(host, group=group)
        super().__init__(access, _user(), vault, transcript or Transcript(vault.redactor))

    def start(self, command: CommandLine) -> ProcessStream:
        """Without a terminal: a sudo that wants one refuses."""
        return _start(["/bin/sh", "-c", command.text])

    def _raw(self, script: str, wanted: CommandLine, root: bool) -> Raw:
        # What is left of root reads everything, and there is no way back to more.
        if root and not privileges.dropped() and os.geteuid() != 0:
            return super()._raw(script, wanted, root)
        # The shell here is known, so the script needs no other program to get there, is as long as
        # it is, and leaves standard input alone; in a file of memory nobody reads it.
        with open(os.memfd_create("script"), "wb") as file:
            file.write(script_bytes(script))
            file.flush()
            number = file.fileno()
            stream = _start(["/bin/sh", f"/proc/self/fd/{number}"], (number,))
        try:
            return converse(stream, wanted, self._where)
        finally:
            stream.close()

    def close(self) -> None:
        """Nothing is open."""
