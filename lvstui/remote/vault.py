"""What only the operator knows: asked once, kept in memory, shown to nobody."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import replace

from lvstui.remote.patience import current
from lvstui.remote.runner import Asker, SecretRequest, UnknownKey

TRIES = 3
"""How often one question is put: once, and twice again after a wrong answer."""


class Redactor:
    """Replaces known secrets in text. The second line of defence: nothing that is written down
    should hold one in the first place."""

    SHORTEST = 4
    """Shorter secrets are not replaced: they would be found in any text."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()

    def __repr__(self) -> str:
        return "Redactor()"

    def learn(self, secret: str) -> None:
        """From now on this is replaced."""
        for part in (secret, secret.strip()):
            if len(part) >= self.SHORTEST:
                # A new set, because `clean` may be at work in another thread.
                self._secrets = {*self._secrets, part}

    def clean(self, text: str) -> str:
        """The text with ••• for every known secret."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "•••")
        return text


class Refused(Exception):
    """A secret was tried and is wrong. Holds no secret."""


class _Entry:
    __slots__ = ("lock", "secret", "verified")

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.secret: str | None = None
        self.verified = False


class Vault:
    """Asks the operator, one question at a time, and remembers the answers that proved right."""

    def __init__(self, asker: Asker, redactor: Redactor | None = None) -> None:
        self._asker = asker
        self.redactor = redactor or Redactor()
        self._question = threading.Lock()
        self._guard = threading.Lock()
        self._entries: dict[tuple[str, ...], _Entry] = {}
        self._accepted: set[UnknownKey] = set()

    def __repr__(self) -> str:
        return f"Vault({len(self._entries)} answers)"

    def accept_key(self, key: UnknownKey) -> bool:
        """Whether the operator vouches for a host key."""
        if key in self._accepted:
            return True
        with current().asking(), self._question:
            accepted = self._asker.accept_key(key)
        if accepted and key.file == os.devnull:
            # No file keeps it: once in a session is enough.
            self._accepted.add(key)
        return accepted

    def ask(self, request: SecretRequest) -> str | None:
        """Put one question; the answer is not kept."""
        with current().asking(), self._question:
            secret = self._asker.secret(request)
        if secret:
            self.redactor.learn(secret)
        return secret

    def use(
        self,
        key: tuple[str, ...],
        request: SecretRequest,
        attempt: Callable[[str], None],
        tries: int = TRIES,
    ) -> str | None:
        """The secret for `key`, proved by `attempt`, which raises Refused when it is wrong.

        An answer that nobody has proved yet is tried by one caller while the others wait, so that
        a slip of the finger is not tried on ten hosts (and locks ten accounts). An answer that was
        right elsewhere and is wrong here is asked anew for `request.host` alone. None when the
        operator has no answer, or `tries` were wrong. Errors of `attempt` are passed on.
        """
        entry = self._entry(key)
        with current().asking():
            entry.lock.acquire()
        try:
            if not (entry.verified and entry.secret is not None):
                return self._prove(entry, request, attempt, tries)
            secret = entry.secret
        finally:
            entry.lock.release()
        try:
            attempt(secret)
        except Refused:
            own = self._entry((*key, request.host))
            with own.lock:
                if own.verified and own.secret is not None and own.secret != secret:
                    attempt(own.secret)
                    return own.secret
                return self._prove(own, replace(request, again=True), attempt, tries - 1)
        return secret

    def known(self, key: tuple[str, ...]) -> str | None:
        """An answer that proved right before."""
        entry = self._entry(key)
        return entry.secret if entry.verified else None

    def keep(self, key: tuple[str, ...], secret: str) -> None:
        """Remember an answer that proved right."""
        entry = self._entry(key)
        entry.secret, entry.verified = secret, True

    def forget(self, key: tuple[str, ...]) -> None:
        """Drop an answer that is no longer right."""
        with self._guard:
            self._entries.pop(key, None)

    def clear(self) -> None:
        """Drop all answers."""
        with self._guard:
            self._entries.clear()
            self._accepted.clear()

    def _entry(self, key: tuple[str, ...]) -> _Entry:
        with self._guard:
            return self._entries.setdefault(key, _Entry())

    def _prove(
        self, entry: _Entry, request: SecretRequest, attempt: Callable[[str], None], tries: int
    ) -> str | None:
        for _ in range(tries):
            secret = self.ask(request)
            if secret is None:
                return None
            try:
                attempt(secret)
            except Refused:
                request = replace(request, again=True)
                continue
            entry.secret, entry.verified = secret, True
            return secret
        return None
