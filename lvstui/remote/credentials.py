"""What only the operator knows: asked once, kept in memory, shown to nobody."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace

from lvstui.remote.operator_wait import current
from lvstui.remote.runner import Access, Asker, SecretAnswer, SecretRequest, UnknownKey

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


class SecretRefused(Exception):
    """A secret was tried and is wrong. Holds no secret."""


class _Entry:
    __slots__ = ("lock", "secret")

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.secret: str | None = None
        """Only one that proved right."""


class CredentialCache:
    """Asks the operator, one question at a time, and remembers the answers that proved right.

    An answer goes to the host that it was asked for, and to those that the question named when
    the operator said so: a host that somebody else took over asks for a password, too.
    """

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self.redactor = Redactor()
        self._question = threading.Lock()
        self._guard = threading.Lock()
        self._entries: dict[tuple[str, ...], _Entry] = {}
        self._run: tuple[Access, ...] = ()
        self._accepted: set[UnknownKey] = set()

    def __repr__(self) -> str:
        return f"Vault({len(self._entries)} answers)"

    def expect(self, hosts: Iterable[Access]) -> None:
        """These are worked on now: a question names those of them that the same answer may be
        for, so that ten hosts need not be ten questions."""
        self._run = tuple(hosts)

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
        answer = self._ask(request)
        return None if answer is None else answer.secret

    def _ask(self, request: SecretRequest) -> SecretAnswer | None:
        with current().asking(), self._question:
            answer = self._asker.secret(request)
        if answer is None:
            return None
        if answer.secret:
            self.redactor.learn(answer.secret)
        return answer

    def use(
        self,
        key: tuple[str, ...],
        request: SecretRequest,
        attempt: Callable[[str], None],
        *,
        at: Access | None = None,
    ) -> str | None:
        """The secret for `key`, proved by `attempt`, which raises Refused when it is wrong.

        at: the host that it is for, `request.host`; None when it is one secret for all of them
        (of a key file on this side, of a group that the hosts file names).

        An answer that nobody has proved yet is tried by one caller while the others wait, so that
        a slip of the finger is not tried on ten hosts (and locks ten accounts). An answer that was
        right elsewhere and is wrong here is asked anew for `request.host` alone. None when the
        operator has no answer, or `TRIES` were wrong. Errors of `attempt` are passed on.
        """
        entry = self._entry(key)
        own = self._entry((*key, *(_place(at) if at is not None else (request.host,))))
        with current().asking():
            entry.lock.acquire()
        try:
            secret = own.secret or (entry.secret if at is None else None)
            if secret is None:
                others = self._others(key, at) if at is not None else ()
                kept = entry if at is None else own
                return self._prove(kept, request, attempt, TRIES, key, others)
        finally:
            entry.lock.release()
        try:
            attempt(secret)
        except SecretRefused:
            with own.lock:
                if own.secret is not None and own.secret != secret:
                    attempt(own.secret)
                    return own.secret
                own.secret = None
                return self._prove(own, replace(request, again=True), attempt, TRIES - 1)
        return secret

    def known(self, key: tuple[str, ...]) -> str | None:
        """An answer that proved right before."""
        return self._entry(key).secret

    def keep(self, key: tuple[str, ...], secret: str) -> None:
        """Remember an answer that proved right."""
        self._entry(key).secret = secret

    def forget(self, key: tuple[str, ...], at: Access | None = None) -> None:
        """Drop an answer that is no longer right (on that host)."""
        with self._guard:
            self._entries.pop(key, None)
            if at is not None:
                self._entries.pop((*key, *_place(at)), None)

    def clear(self) -> None:
        """Drop all answers."""
        with self._guard:
            self._entries.clear()
            self._accepted.clear()

    def _entry(self, key: tuple[str, ...]) -> _Entry:
        with self._guard:
            return self._entries.setdefault(key, _Entry())

    def _prove(
        self,
        entry: _Entry,
        request: SecretRequest,
        attempt: Callable[[str], None],
        tries: int,
        key: tuple[str, ...] = (),
        others: tuple[Access, ...] = (),
    ) -> str | None:
        """others: hosts that the same answer for `key` may be for, if the operator says so."""
        if others:
            request = replace(request, hosts=(request.host, *(other.host for other in others)))
        for _ in range(tries):
            answer = self._ask(request)
            if answer is None:
                return None
            try:
                attempt(answer.secret)
            except SecretRefused:
                request = replace(request, again=True)
                continue
            entry.secret = answer.secret
            for other in others if answer.everywhere else ():
                self.keep((*key, *_place(other)), answer.secret)
            return answer.secret
        return None

    def _others(self, key: tuple[str, ...], at: Access) -> tuple[Access, ...]:
        """Other hosts of this run that may ask for the same: the operator reaches them by the same
        user, nothing else is known of them, and their names tell which they are."""
        names = [access.host for access in self._run]
        return tuple(
            access
            for access in dict.fromkeys(self._run)
            if (access.user, access.group) == (at.user, at.group)
            and access.host != at.host
            and names.count(access.host) == 1
            and self.known((*key, *_place(access))) is None
        )


def _place(access: Access) -> tuple[str, ...]:
    """What tells one machine from another: its name may stand for two."""
    return (access.host, access.address, str(access.port))
