"""Becoming root on a host: already root, sudo or doas; found at the first need.

Follows facts/realserver.md 6.3. A password goes only where a prompt with our own nonce was seen,
never on the same input as data: sudo that wants no password leaves it there to be read, and
`tee FILE` would store it. `-k`, so that no ticket of another session decides about that.
"""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import Enum

from lvstui.model.numbers import number
from lvstui.model.text import plain
from lvstui.process import readonly
from lvstui.remote import scripts
from lvstui.remote.credentials import CredentialCache, SecretRefused
from lvstui.remote.runner import Access, ErrorKind, RemoteError, SecretRequest
from lvstui.remote.talk import Answer, CommandLine, Raw

PROBE_S = 30.0
"""For one question to sudo; a wrong password costs some seconds there."""


class Way(str, Enum):
    """How root is had."""

    IS_ROOT = "root"
    SUDO = "sudo without password"
    SUDO_PASSWORD = "sudo with password"
    SUDO_TTY = "sudo without password, on a terminal"
    SUDO_PASSWORD_TTY = "sudo with password, on a terminal"
    DOAS = "doas"


_ON_TERMINAL = (Way.SUDO_TTY, Way.SUDO_PASSWORD_TTY)
_WITH_PASSWORD = (Way.SUDO_PASSWORD, Way.SUDO_PASSWORD_TTY)


def last_words(text: str) -> str:
    """The last line that says something, without our prompts, harmless to show."""
    lines = [plain(re.sub(r"\[lvstui-\w+\] ?", "", line), 200).strip() for line in text.split("\n")]
    lines = [line.replace("␍", "") for line in lines if line.strip("␍ ")]
    # Noise of a host whose own name does not resolve (facts/realserver.md 6.3).
    told = [line for line in lines if "unable to resolve host" not in line]
    return (told or lines or ["it said nothing"])[-1].rstrip(".")


def wrong_password(text: str, asked: int) -> bool:
    """Whether sudo refused the password, as opposed to the user: it asks a second time, or says
    so (sudo 1.8 to 1.9: `incorrect password`; sudo-rs: `incorrect authentication`)."""
    text = text.lower()
    words = ("incorrect", "try again", "authentication fail", "no password was provided")
    return asked > 1 or any(word in text for word in words)


class NoPrompt(RemoteError):
    """sudo ended without asking."""


class Become:
    """One connection's way to root."""

    def __init__(
        self,
        execute: Callable[[CommandLine], Raw],
        access: Access,
        user: str,
        vault: CredentialCache,
    ) -> None:
        self._execute = execute
        self._access = access
        self._host = access.host
        self._user = user
        self._key = ("sudo", user, access.group)
        self._vault = vault
        self.way: Way | None = None
        """How root is had; None as long as nobody needed it."""
        self._secret = ""
        self._refusal: RemoteError | None = None

    def __repr__(self) -> str:
        return f"Become({self._host!r}, {self.way})"

    def is_root(self, timeout_s: float = PROBE_S) -> bool:
        """Whether the login is root's. Raises RemoteError (ROOT) when root cannot be had."""
        if self.way is None:
            if self._refusal is not None:
                raise self._refusal
            try:
                self.way = self._find(max(timeout_s, PROBE_S))
            except RemoteError as error:
                if error.trouble is ErrorKind.ROOT:
                    self._refusal = error
                raise
        return self.way is Way.IS_ROOT

    # ---- running -----------------------------------------------------------------------------

    def run(self, script: str, wanted: CommandLine) -> Raw:
        """Run a script as root; `is_root` was asked before. wanted: all but the command line.
        Raises RemoteError."""
        assert self.way is not None
        try:
            return self._run(self.way, script, wanted)
        except SecretRefused:
            # It was right a while ago: changed since, or the account is locked.
            self._vault.forget(self._key, self._access)
            self.way, self._secret = None, ""
            raise RemoteError(
                ErrorKind.ROOT,
                f"{self._host}: sudo no longer takes {self._user}'s password",
                "try again: it will be asked",
            ) from None

    def _run(self, way: Way, script: str, wanted: CommandLine) -> Raw:
        if not wanted.stdin and way in (Way.SUDO, Way.DOAS):
            command = replace(wanted, text=self._command(way), stdin=scripts.script_bytes(script))
            return self._started(command, way)
        apart = way in _ON_TERMINAL
        bare = replace(wanted, stdin=b"")
        short = len(script) <= scripts.INLINE
        if readonly.active() and not apart and not wanted.stdin and short:
            # Without a file over there: the script goes by the command line, and the input is the
            # password's alone.
            return self._started(replace(bare, text=self._command(way, script=script)), way)
        with self.staged(script, wanted) as folder:
            command = replace(bare, text=self._command(way, folder, apart=apart))
            raw = self._started(command, way)
            return self._fetch(folder, raw, bare) if apart else raw

    @contextlib.contextmanager
    def staged(self, script: str, wanted: CommandLine) -> Iterator[str]:
        """A private folder over there with a script and its input. Raises RemoteError."""
        if readonly.active():
            raise RemoteError(
                ErrorKind.ROOT,
                f"{self._host}: root is had there only through a temporary file, and this session "
                "is read-only",
                "log in as root, or allow sudo without a password",
            )
        short = len(script) <= scripts.INLINE
        text = scripts.stage_script(script if short else None)
        first = wanted.stdin if short else scripts.script_bytes(script)
        stage = CommandLine("", timeout_s=wanted.timeout_s, what="stage a script")
        folder = ""
        try:
            raw = self._execute(replace(stage, text=scripts.inline(text), stdin=first))
            folder = raw.out.decode("ascii", "replace").strip()
            if raw.status != 0 or not re.fullmatch(r"/[\w./-]+/\.lvstui-\w+", folder):
                words = last_words(raw.err.decode("utf-8", "replace"))
                folder = ""
                raise RemoteError(
                    ErrorKind.ROOT,
                    f"{self._host}: a script cannot be put there: {words}",
                    "free some space in /dev/shm or /tmp",
                )
            if wanted.stdin and not short:
                fill = f"exec sh -c 'cat > {folder}/in'"
                self._execute(replace(stage, text=fill, stdin=wanted.stdin, what="stage its input"))
            yield folder
        except BaseException:
            if folder:
                with contextlib.suppress(RemoteError):
                    self._execute(
                        CommandLine(f"exec rm -rf {folder}", timeout_s=5.0, what="clean up")
                    )
            raise

    def _fetch(self, folder: str, raw: Raw, bare: CommandLine) -> Raw:
        """The outputs that were kept apart from the terminal's."""
        parts = []
        for name, last in (("status", ""), ("err", ""), ("out", f"; rm -rf {folder}")):
            command = f"exec sh -c 'cat {folder}/{name}{last}'"
            parts.append(self._execute(replace(bare, text=command, what="fetch the output")))
        status = number(parts[0].out.strip(), 255)
        if status is None:
            raise RemoteError(ErrorKind.LOST, f"{self._host}: how the script ended is not known")
        cut = parts[1].cut or parts[2].cut
        return Raw(status, parts[2].out, parts[1].out, raw.took_s, cut)

    def _started(self, command: CommandLine, way: Way) -> Raw:
        """Execute a command that names its marker; what sudo said before it is left out."""
        nonce = secrets.token_hex(8)
        marker = f"lvstui-root-{nonce}"
        answer = Answer(nonce, self._secret) if way in _WITH_PASSWORD else None
        text = command.text.format(nonce=nonce, marker=marker)
        raw = self._execute(replace(command, text=text, answer=answer, pty=way in _ON_TERMINAL))
        told = raw.out if way in _ON_TERMINAL else raw.err
        before, found, after = told.partition(marker.encode())
        if not found:
            words = before.decode("utf-8", "replace")
            if answer and answer.asked and wrong_password(words, answer.asked):
                raise SecretRefused
            refused = self._refused(words)
            raise (
                refused
                if answer is None or answer.asked
                else NoPrompt(refused.trouble, refused.what, refused.todo)
            )
        return replace(raw, err=after.lstrip(b"\r").removeprefix(b"\n"))

    def _command(self, way: Way, folder: str = "", *, apart: bool = False, script: str = "") -> str:
        ask = {
            Way.SUDO: "sudo -k -n",
            Way.SUDO_TTY: "sudo -k -n",
            Way.SUDO_PASSWORD: "sudo -k -S -p '[lvstui-{nonce}] '",
            Way.SUDO_PASSWORD_TTY: "sudo -k -p '[lvstui-{nonce}] '",
            Way.DOAS: "doas -n",
        }[way]
        separator = "" if way is Way.DOAS else "-- "
        text = scripts.root_command("MARKER", folder, apart=apart, script=script)
        text = text.replace("{", "{{").replace("}", "}}").replace("MARKER", "{marker}", 1)
        return f"exec env LC_ALL=C {ask} {separator}sh -c {text}"

    def _refused(self, words: str) -> RemoteError:
        return RemoteError(
            ErrorKind.ROOT,
            f"{self._host} does not make {self._user} root: {last_words(words)}",
            "allow it in sudoers, or log in as a user who may",
        )

    # ---- finding -----------------------------------------------------------------------------

    def _find(self, timeout_s: float) -> Way:
        """Ask nothing of the operator before all ways without a password were tried."""
        probe = scripts.PROBE_ROOT.encode()
        raw = self._execute(
            CommandLine(
                scripts.PLAIN_SHELL, probe, timeout_s=timeout_s, what="ask what sudo allows"
            )
        )
        words = raw.out.split()
        if words == [b"0"]:
            return Way.IS_ROOT
        if len(words) != 3:
            err = last_words(raw.err.decode("utf-8", "replace"))
            raise RemoteError(ErrorKind.ROOT, f"{self._host}: id and sudo cannot be asked: {err}")
        uid, sudo, doas = (number(word) for word in words)
        if uid is None or sudo is None or doas is None:
            said = last_words(raw.out.decode("utf-8", "replace"))
            raise RemoteError(ErrorKind.ROOT, f"{self._host}: not what id and sudo answer: {said}")
        if sudo == 0:
            return Way.SUDO
        if doas == 0:
            return Way.DOAS
        if sudo == scripts.NOT_THERE:
            raise self._refused("there is no sudo" if doas == sudo else "doas wants a password")
        with contextlib.suppress(RemoteError):
            return self._try(Way.SUDO_TTY, timeout_s)
        return self._with_password(timeout_s)

    def _try(self, way: Way, timeout_s: float) -> Way:
        # `:` because on a terminal `cat` would wait for somebody's Ctrl+D.
        text = self._command(way).replace('eval "$(cat)"', ":")
        self._started(CommandLine(text, timeout_s=timeout_s, what="try sudo"), way)
        return way

    def _with_password(self, timeout_s: float) -> Way:
        ways = [Way.SUDO_PASSWORD]

        def attempt(secret: str) -> None:
            self._secret = secret
            try:
                self._try(ways[-1], timeout_s)
            except NoPrompt:
                # Old sudoers of EL have requiretty; then it asks on a terminal only.
                if len(ways) > 1:
                    raise
                ways.append(Way.SUDO_PASSWORD_TTY)
                self._try(ways[-1], timeout_s)

        prompt = f"sudo password of {self._user}"
        group = self._access.group
        if group:
            prompt += f" (for every host of group {plain(group)})"
        request = SecretRequest("sudo", self._host, self._user, prompt)
        at = None if group else self._access
        self._secret = self._vault.use(self._key, request, attempt, at=at) or ""
        if not self._secret:
            raise RemoteError(
                ErrorKind.ROOT,
                f"{self._host}: sudo wants {self._user}'s password, and none was accepted",
            )
        return ways[-1]
