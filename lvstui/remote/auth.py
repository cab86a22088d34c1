"""Logging in: keys first, then what only the operator knows, and only what the server offers."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lvstui.model.text import plain
from lvstui.remote import keys
from lvstui.remote.config import SshSettings
from lvstui.remote.credentials import TRIES, CredentialCache, SecretRefused
from lvstui.remote.keys import Candidate
from lvstui.remote.operator_wait import current, using
from lvstui.remote.runner import ErrorKind, RemoteError, SecretRequest
from lvstui.remote.trouble import OTHER_BACKEND

BUDGET = 6
"""Refused attempts after which sshd hangs up (its MaxAuthTries, by default)."""

KEYS = 5
"""Keys that are offered at most; one less when a password may have to follow."""


class Login:
    """One login on one connection."""

    def __init__(
        self,
        transport: Any,
        settings: SshSettings,
        vault: CredentialCache,
        where: str,
        timeout_s: float,
    ) -> None:
        """where: the host for the operator.  timeout_s: for each answer of the server; the
        operator's time does not count."""
        self._transport = transport
        self._settings = settings
        self._vault = vault
        self._where = where
        self._timeout_s = timeout_s
        self._left = BUDGET
        self._notes: list[str] = []
        self._tried: list[str] = []
        transport.auth_timeout = timeout_s

    def run(self) -> None:
        """Log in. Raises RemoteError: LOGIN; HANGS when sshd does not answer."""
        import paramiko

        user = self._settings.user
        try:
            self._transport.auth_none(user)
            return
        except paramiko.BadAuthenticationType as error:
            offered = list(error.allowed_types)
        except Exception as error:
            raise self._broken(error) from None
        agent = keys.open_agent(self._settings.agent)
        try:
            while not self._transport.is_authenticated():
                following = self._stage(offered, agent)
                if following is None:
                    raise self._refused(offered)
                offered = following
        finally:
            if agent is not None:
                agent._close()

    def _stage(self, offered: Sequence[str], agent: Any) -> list[str] | None:
        """One step: methods that must follow (empty when logged in), None when all failed."""
        usable = [method for method in offered if method in self._settings.methods]
        if "publickey" in usable:
            following = self._public_key(agent, len(usable) > 1)
            if following is not None:
                return following
        if "keyboard-interactive" in usable:
            following, asked = self._interactive()
            if following is not None or asked:
                return following
        if "password" in usable:
            return self._password()
        return None

    # ---- keys --------------------------------------------------------------------------------

    def _public_key(self, agent: Any, more: bool) -> list[str] | None:
        found = keys.candidates(self._settings, agent, self._notes)
        most = KEYS - more
        for candidate in found[:most]:
            following = self._offer(candidate)
            if following is not None:
                return following
        if len(found) > most:
            self._notes.append(
                f"{len(found) - most} more keys were not offered: name the right one "
                "(IdentityFile and IdentitiesOnly, or a key file for this host)"
            )
        return None

    def _offer(self, candidate: Candidate) -> list[str] | None:
        self._tried.append(keys.short(candidate))
        if candidate.key is None:
            if candidate.blob and not self._wanted(candidate.blob):
                return None
            if not self._unlock(candidate):
                path = plain(candidate.path)
                self._notes.append(f"{path} is encrypted, and no passphrase opened it")
                return None
        user = self._settings.user
        try:
            key = keys.with_certificate(candidate)
        except Exception as error:
            self._notes.append(f"{plain(candidate.certificate)}: {plain(str(error), 200)}")
            return None
        return self._attempt(lambda: self._transport.auth_publickey(user, key))

    def _unlock(self, candidate: Candidate) -> bool:
        """Decrypt a key file by its passphrase, which is asked."""

        def attempt(passphrase: str) -> None:
            try:
                candidate.key = keys.load(candidate.path, passphrase)
            except keys.NeedsPassphrase:
                raise SecretRefused from None

        settings = self._settings
        prompt = f"passphrase of {plain(candidate.path)}"
        request = SecretRequest("passphrase", settings.host, settings.user, prompt)
        self._vault.use(("passphrase", candidate.path), request, attempt)
        return candidate.key is not None

    def _wanted(self, blob: bytes) -> bool:
        """Whether the server would take this key, so that no passphrase is asked for another."""
        query = keys.Query(self._transport, self._settings.user, blob)
        deadline = time.monotonic() + self._timeout_s
        while not query.done.wait(0.1):
            if not self._transport.is_active():
                raise self._broken(EOFError())
            if time.monotonic() > deadline:
                raise self._hangs()
        if not query.wanted:
            self._left -= 1
            if not self._transport.is_active():
                raise self._broken(EOFError())
        return query.wanted

    def _attempt(self, work: Any) -> list[str] | None:
        """Methods that must follow, None when it was refused."""
        import paramiko

        try:
            return list(work())
        except paramiko.BadAuthenticationType:
            self._left -= 1
            return None
        except paramiko.AuthenticationException as error:
            self._left -= 1
            if "timeout" in str(error).lower():
                raise self._hangs() from None
            if not self._transport.is_active():
                raise self._broken(error) from None
            return None
        except Exception as error:
            if self._transport.is_active():
                # The agent does not sign, or the key is of a kind that cannot.
                self._notes.append(f"{self._tried[-1]}: {plain(str(error), 200)}")
                return None
            raise self._broken(error) from None

    # ---- the operator ------------------------------------------------------------------------

    def _password(self) -> list[str] | None:
        settings = self._settings
        key = _key(settings)
        known = self._vault.known(key)
        request = SecretRequest(
            "password",
            settings.host,
            settings.user,
            f"password of {settings.user} on {self._where}",
        )
        self._tried.append("password")
        for again in range(TRIES):
            if self._left <= 0:
                return None
            secret = known
            if secret is None:
                secret = self._vault.ask(replace(request, again=again > 0))
            if secret is None:
                self._notes.append("no password was given")
                return None
            answer = secret
            following = self._attempt(
                lambda answer=answer: self._transport.auth_password(
                    settings.user, answer, fallback=False
                )
            )
            if following is not None:
                self._vault.keep(key, secret)
                return following
            known = None
            self._vault.forget(key)
        return None

    def _interactive(self) -> tuple[list[str] | None, bool]:
        """Methods that must follow, and whether anything was asked."""
        settings = self._settings
        key = _key(settings)
        asked = False
        self._tried.append("keyboard-interactive")
        for again in range(TRIES):
            if self._left <= 0:
                break
            dialog = LoginDialog(
                self._transport, settings, self._vault, key, again > 0, self._timeout_s
            )
            self._transport.auth_timeout = None
            try:
                following = self._attempt(
                    lambda dialog=dialog: self._transport.auth_interactive(
                        settings.user, dialog.answers
                    )
                )
            except RemoteError:
                if dialog.gave_up:
                    self._notes.append("no answer was given")
                    return None, True
                raise
            finally:
                dialog.stop_clock()
                self._transport.auth_timeout = self._timeout_s
            asked = asked or dialog.asked
            if following is not None:
                if dialog.password:
                    self._vault.keep(key, dialog.password)
                return following, True
            self._vault.forget(key)
            if dialog.gave_up or not dialog.asked:
                break
        return None, asked

    # ---- errors ------------------------------------------------------------------------------

    def _refused(self, offered: Sequence[str]) -> RemoteError:
        tried = ", ".join(self._tried) or "nothing: there is no agent and no key file"
        notes = f"; {'; '.join(self._notes)}" if self._notes else ""
        todo = "check the user, its authorized_keys there, and `ssh -v`"
        if not self._settings.methods.intersection(offered):
            # gssapi-with-mic, hostbased
            todo = OTHER_BACKEND
        return RemoteError(
            ErrorKind.LOGIN,
            f"{self._where} refused {plain(self._settings.user)}; it accepts "
            f"{plain(', '.join(offered))}; tried {tried}{notes}",
            todo,
        )

    def _broken(self, error: BaseException) -> RemoteError:
        if "timeout" in str(error).lower():
            return self._hangs()
        words = plain(str(error), 200)
        return RemoteError(
            ErrorKind.LOGIN,
            f"{self._where} hung up during the login{f' ({words})' if words else ''}; tried "
            + (", ".join(self._tried) or "nothing yet"),
            "too many refused keys, or the login took too long (LoginGraceTime)",
        )

    def _hangs(self) -> RemoteError:
        return RemoteError(
            ErrorKind.HANGS,
            f"{self._where} does not finish the login in {self._timeout_s:.0f} s",
            "look at its load, and at its name services (LDAP, DNS)",
        )


def _key(settings: SshSettings) -> tuple[str, ...]:
    # The name alone may be a comment of keepalived.conf that two machines have.
    return ("password", settings.host, settings.hostname, str(settings.port), settings.user)


class LoginDialog:
    """keyboard-interactive: puts the questions of the server to the operator.

    paramiko asks from the connection's own thread, which must stay able to end; so each question
    is put in a thread that nobody waits for at the end of the program.
    """

    def __init__(
        self,
        transport: Any,
        settings: SshSettings,
        vault: CredentialCache,
        key: tuple[str, ...],
        again: bool,
        timeout_s: float,
    ) -> None:
        self._transport = transport
        self._settings = settings
        self._vault = vault
        self._known = vault.known(key)
        self._again = again
        self._timeout_s = timeout_s
        self._timer: threading.Timer | None = None
        self._patience = current()
        self.asked = False
        self.gave_up = False
        self.password = ""
        self._restart_clock()

    def answers(self, title: str, instructions: str, prompts: list[tuple[str, bool]]) -> list[str]:
        """paramiko's callback. Hangs up when the operator has no answer."""
        self.stop_clock()
        found = []
        for prompt, echo in prompts:
            self.asked = True
            is_password = not echo and "password" in prompt.lower()
            answer = self._known if is_password else None
            self._known = None if is_password else self._known
            if answer is None:
                text = " ".join(plain(t, 300) for t in (title, instructions, prompt) if t.strip())
                answer = self._ask(text, echo)
            if answer is None:
                self.gave_up = True
                self._transport.close()
                raise EOFError
            if is_password:
                self.password = answer
            found.append(answer)
        self._restart_clock()
        return found

    def _ask(self, text: str, echo: bool) -> str | None:
        settings = self._settings
        request = SecretRequest("answer", settings.host, settings.user, text, self._again, echo)
        answers: list[str | None] = []

        def put() -> None:
            with contextlib.suppress(Exception), using(self._patience):
                answers.append(self._vault.ask(request))
            done.set()

        done = threading.Event()
        threading.Thread(target=put, daemon=True, name="lvstui-question").start()
        while not done.wait(0.2):
            if not self._transport.is_active():
                return None
        return answers[0] if answers else None

    def stop_clock(self) -> None:
        """The server's time does not run."""
        if self._timer is not None:
            self._timer.cancel()

    def _restart_clock(self) -> None:
        self._timer = threading.Timer(self._timeout_s, self._transport.close)
        self._timer.daemon = True
        self._timer.start()
