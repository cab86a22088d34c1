"""keyboard-interactive: the server's questions during a login."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

from lvstui.model.text import plain
from lvstui.remote.config import SshSettings
from lvstui.remote.credentials import CredentialCache
from lvstui.remote.operator_wait import current, using
from lvstui.remote.runner import SecretRequest


class LoginDialog:
    """Puts them to the operator.

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
