"""This host, by the same interface as the others."""

from __future__ import annotations

import getpass
import os

from lvstui.model.text import plain
from lvstui.process import privileges
from lvstui.remote.credentials import CredentialCache
from lvstui.remote.pipes import ProcessStream
from lvstui.remote.runner import Access, ErrorKind, NobodyThere, RemoteError
from lvstui.remote.shell import ShellRunner
from lvstui.remote.talk import CommandLine, Raw
from lvstui.remote.transcript import Transcript


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container gives numbers that have no name.
        return str(os.getuid())


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
        try:
            with privileges.lent():
                return ProcessStream(["/bin/sh", "-c", command.text], {**os.environ, "LC_ALL": "C"})
        except OSError as error:
            raise RemoteError(
                ErrorKind.SETUP, f"no process can be started here: {plain(str(error))}"
            ) from None

    def _raw(self, script: str, command: CommandLine, root: bool) -> Raw:
        # What is left of root reads everything, and there is no way back to more.
        return super()._raw(script, command, root and not privileges.dropped())

    def close(self) -> None:
        """Nothing is open."""
