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
from lvstui.remote.talk import MOST, Answer, Raw, converse
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

    def execute(
        self,
        command: str,
        *,
        stdin: bytes = b"",
        answer: Answer | None = None,
        pty: bool = False,
        timeout_s: float = 30.0,
        what: str = "",
        most: int = MOST,
    ) -> Raw:
        """See ShellRunner.execute. Without a terminal: a sudo that wants one refuses."""
        try:
            with privileges.lent():
                stream = ProcessStream(["/bin/sh", "-c", command], {**os.environ, "LC_ALL": "C"})
        except OSError as error:
            raise RemoteError(
                ErrorKind.SETUP, f"no process can be started here: {plain(str(error))}"
            ) from None
        try:
            return converse(
                stream,
                stdin=stdin,
                answer=answer,
                timeout_s=timeout_s,
                host=self.host,
                what=what,
                most=most,
            )
        finally:
            stream.close()

    def _raw(
        self, script: str, stdin: bytes, root: bool, timeout_s: float, what: str, most: int
    ) -> Raw:
        # What is left of root reads everything, and there is no way back to more.
        root = root and not privileges.dropped()
        return super()._raw(script, stdin, root, timeout_s, what, most)

    def close(self) -> None:
        """Nothing is open."""
