"""The host key: known, asked about, or refused. Nothing is ever accepted silently."""

from __future__ import annotations

import os
from collections.abc import Sequence

from lvstui.model.text import plain
from lvstui.process import readonly
from lvstui.remote import known_hosts
from lvstui.remote.config import SshSettings
from lvstui.remote.credentials import CredentialCache
from lvstui.remote.known_hosts import KeyState, KnownHost, fingerprint, host_name
from lvstui.remote.runner import ErrorKind, RemoteError, UnknownKey
from lvstui.remote.trouble import OTHER_BACKEND


class HostKeys:
    """What is known about the host that is about to be connected to."""

    def __init__(self, settings: SshSettings) -> None:
        self._settings = settings
        self.names = _names(settings)
        port = settings.port
        fallback = "" if settings.alias or port == known_hosts.DEFAULT_PORT else settings.hostname
        files = (*settings.known_hosts, *settings.global_known_hosts)
        self._known = KnownHost(known_hosts.read(files), self.names, fallback)

    def algorithms(self, ours: Sequence[str]) -> tuple[str, ...]:
        """Our host key algorithms, those of known keys first."""
        return known_hosts.preferred(ours, self._known.kinds())

    def check(self, kind: str, blob: bytes, vault: CredentialCache) -> None:
        """Let a presented key pass or raise RemoteError: CHANGED_KEY, REVOKED_KEY, UNKNOWN_KEY.

        An unknown key is put to the operator, and appended to the user's first known_hosts file
        when he vouches for it.
        """
        settings = self._settings
        verdict = self._known.judge(kind, blob)
        shown = f"{plain(kind, 80)} {fingerprint(blob)}"
        where = plain(self.names[0])
        if verdict.state is KeyState.KNOWN:
            return
        if verdict.state is KeyState.REVOKED:
            assert verdict.entry is not None
            raise RemoteError(
                ErrorKind.REVOKED_KEY,
                f"{where} presents {shown}, which {verdict.entry.place} revokes",
                "somebody may have the host's old key: give the host a new one",
            )
        if verdict.state is KeyState.CHANGED:
            entry = verdict.entry
            assert entry is not None
            raise RemoteError(
                ErrorKind.CHANGED_KEY,
                f"{where} presents {shown}, but {entry.place} has {fingerprint(entry.blob)}",
                "somebody may be in between, or the host was set up anew; ask its owner, and only "
                f"then: ssh-keygen -f {_quoted(entry.file)} -R {_quoted(self.names[0])}",
            )
        kept = settings.known_hosts and not readonly.active()
        file = settings.known_hosts[0] if kept else os.devnull
        question = UnknownKey(
            plain(settings.host),
            plain(settings.hostname),
            settings.port,
            plain(kind, 80),
            fingerprint(blob),
            file,
            verdict.others,
        )
        if settings.strict:
            self._refuse(shown, "StrictHostKeyChecking is on: add its key to known_hosts first")
        if not vault.accept_key(question):
            todo = "compare the fingerprint with the host's own, then accept it"
            if any("certificate authority" in other for other in verdict.others):
                todo += f"; or {OTHER_BACKEND}, which can check the authority's signature"
            self._refuse(shown, todo)
        if file == os.devnull:
            return
        line = known_hosts.line(self.names[0], kind, blob, hash_name=settings.hash_known_hosts)
        try:
            known_hosts.append(file, line)
        except OSError as error:
            raise RemoteError(
                ErrorKind.SETUP,
                f"the accepted key cannot be kept: {plain(file)}: {plain(str(error.strerror))}",
                "make the file writable, or set UserKnownHostsFile",
            ) from None

    def _refuse(self, shown: str, todo: str) -> None:
        raise RemoteError(
            ErrorKind.UNKNOWN_KEY,
            f"{plain(self.names[0])} presents {shown}, which nobody knows",
            todo,
        )


def _names(settings: SshSettings) -> tuple[str, ...]:
    """Names under which known_hosts may have the host, the one to add it by first."""
    if settings.alias:
        # OpenSSH takes an alias as it is, without the port.
        return (settings.alias.lower(),)
    names = [host_name(settings.known_as or settings.hostname, settings.port)]
    names.append(host_name(settings.hostname, settings.port))
    return tuple(dict.fromkeys(names))


def _quoted(text: str) -> str:
    import shlex

    return plain(shlex.quote(text))
