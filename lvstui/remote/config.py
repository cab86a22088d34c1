"""ssh_config: how a host is to be reached, in the operator's own settings.

`ssh -G` is asked, because paramiko's reader ignores Include and lets some Match blocks apply
always (facts/realserver.md 6.2). What it prints is as in the file: `~`, `%h` and `${VAR}` in file
names and in ProxyCommand are for us to fill in (OpenSSH 9.2; known_hosts files come expanded).
"""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import shutil
import socket
import string
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from lvstui.model.numbers import number
from lvstui.model.text import plain
from lvstui.process import privileges
from lvstui.remote.runner import Access, ErrorKind, RemoteError

SECONDS = 20.0
"""`Match exec` may run programs, so ssh -G is given some time."""

DEFAULT_IDENTITIES = ("id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk")
DEFAULT_KNOWN_HOSTS = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
GLOBAL_KNOWN_HOSTS = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")


@dataclass(frozen=True, slots=True)
class SshSettings:
    """The effective settings for one host: ssh_config completed by what the Access says."""

    host: str
    """The host as the operator names it."""
    hostname: str
    """Name or address to connect to."""
    port: int = 22
    user: str = ""
    jump: str = ""
    """`[user@]host[:port][,…]`; empty for none."""
    proxy_command: str = ""
    """Command line for the user's shell, everything filled in."""
    identities: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    identities_only: bool = False
    agent: str = ""
    """The agent's socket; empty for none."""
    known_hosts: tuple[str, ...] = ()
    """The user's own files; an accepted key is added to the first."""
    global_known_hosts: tuple[str, ...] = ()
    alias: str = ""
    """HostKeyAlias."""
    known_as: str = ""
    """The name in known_hosts when an address was given to connect to instead of it."""
    hash_known_hosts: bool = False
    strict: bool = False
    """StrictHostKeyChecking yes: unknown keys are refused without a question. Settings that are
    weaker than `ask` count as `ask`."""
    connect_timeout_s: float = 0.0
    """0 when ssh_config says nothing."""
    family: int = socket.AF_UNSPEC
    methods: frozenset[str] = frozenset({"publickey", "password", "keyboard-interactive"})
    """Ways to log in that ssh_config leaves open."""
    warnings: tuple[str, ...] = field(default=())
    """What the operator should know about these settings, once."""


def resolve(access: Access, *, config: str = "", program: str | None = None) -> SshSettings:
    """The settings for a host.

    config: an ssh_config file instead of the user's and the system's.
    program: the OpenSSH client; None looks for it, empty does without it.
    Raises RemoteError (SETUP), with OpenSSH's own words when it refuses ssh_config.
    """
    # Before anybody is asked: `Match exec` and ProxyCommand give them to a shell, and only newer
    # OpenSSH looks at them itself.
    _required(access.host, "host name")
    if access.address:
        _required(access.address, "host name or address")
    if access.user:
        _required(access.user, "user name", "@+")
    for hop in access.jump.split(",") if access.jump else ():
        _required(hop.strip().removeprefix("ssh://").rstrip("/"), "jump host", "@+[]")
    why = "no OpenSSH client here (openssh-client)"
    if privileges.dropped():
        why, program = "read-only, `ssh -G` would see the files of user nobody", ""
    if program is None:
        program = shutil.which("ssh") or ""
    if program:
        return from_ssh(access, _ask(access, config, program))
    return _without_ssh(access, config, why)


def is_word(value: str, more: str = "") -> bool:
    """Whether a name or an address may enter a command line: letters, digits and `._:%-`, which no
    shell and no program takes for anything else. `more`: other characters that may be in it."""
    allowed = _WORD | set(more)
    return bool(value) and not value.startswith("-") and allowed.issuperset(value)


_WORD = frozenset(string.ascii_letters + string.digits + "._:%-")


def _required(value: str, what: str, more: str = "") -> str:
    if not is_word(value, more):
        raise RemoteError(
            ErrorKind.SETUP,
            f"{plain(value)!r} is no {what}",
            f"letters, digits and ._:%-{more} only",
        )
    return value


def _ask(access: Access, config: str, program: str) -> str:
    command = [program, "-G", "-T"]
    for option, value in (("-F", config), ("-l", access.user), ("-J", access.jump)):
        if value:
            command += [option, value]
    if access.port:
        command += ["-p", str(access.port)]
    command += ["--", access.host]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=SECONDS,
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise RemoteError(
            ErrorKind.SETUP, f"ssh -G {plain(access.host)} does not work", plain(str(error))
        ) from None
    if done.returncode != 0:
        lines = [plain(line) for line in done.stderr.decode("utf-8", "replace").splitlines()]
        words = [text for text in lines if "terminating" not in text] or lines
        raise RemoteError(
            ErrorKind.SETUP,
            f"ssh_config cannot be used for {plain(access.host)}: {words[-1] if words else '?'}",
            "correct it there; `ssh -G` shows the same",
        )
    return done.stdout.decode("utf-8", "surrogateescape")


def from_ssh(access: Access, output: str) -> SshSettings:
    """The settings in the output of `ssh -G`. Raises RemoteError (SETUP) for unknown tokens."""
    found: dict[str, list[str]] = {}
    for text in output.splitlines():
        keyword, _, value = text.partition(" ")
        if keyword:
            found.setdefault(keyword.lower(), []).append(value.strip())
    return _settings(access, found)


def _settings(access: Access, values: Mapping[str, list[str]]) -> SshSettings:
    """values: by keyword in lower case, in order."""

    def one(keyword: str, default: str = "") -> str:
        value = (values.get(keyword) or [default])[0]
        return default if value.lower() == "none" else value

    def on(keyword: str, default: bool) -> bool:
        return one(keyword, "yes" if default else "no").lower() in ("yes", "true")

    hostname = access.address or one("hostname", access.host)
    user = access.user or one("user") or getpass.getuser()
    port = access.port or number(one("port"), 65535) or 22
    jump = access.jump or one("proxyjump")
    jump = "" if jump.lower() == "none" else jump
    base = SshSettings(
        access.host,
        hostname,
        port,
        user,
        jump,
        alias=one("hostkeyalias"),
        known_as=one("hostname", access.host),
    )
    fill = _filler(base)
    identities = [path for path in values.get("identityfile", []) if path.lower() != "none"]
    timeout = one("connecttimeout", "0")
    method_keywords = {
        "pubkeyauthentication": "publickey",
        "passwordauthentication": "password",
        "kbdinteractiveauthentication": "keyboard-interactive",
    }
    family = {"inet": socket.AF_INET, "inet6": socket.AF_INET6}
    return replace(
        base,
        proxy_command="" if jump or access.jump else fill(one("proxycommand"), True),
        identities=tuple(
            dict.fromkeys(
                ([os.path.expanduser(access.identity)] if access.identity else [])
                + [_path(fill(path)) for path in identities]
            )
        ),
        certificates=tuple(_path(fill(path)) for path in values.get("certificatefile", [])),
        identities_only=on("identitiesonly", False),
        agent=_agent((values.get("identityagent") or ["SSH_AUTH_SOCK"])[0], fill),
        known_hosts=_files(one("userknownhostsfile"), fill),
        global_known_hosts=_files(one("globalknownhostsfile"), fill),
        hash_known_hosts=on("hashknownhosts", False),
        strict=on("stricthostkeychecking", False),
        connect_timeout_s=float(number(timeout, 86400) or 0),
        family=family.get(one("addressfamily"), socket.AF_UNSPEC),
        methods=frozenset(
            method for keyword, method in method_keywords.items() if on(keyword, True)
        ),
    )


_TOKEN = re.compile(r"%(.)")
_FOREIGN = {
    "h": "host name",
    "n": "host name",
    "r": "user name",
    "k": "HostKeyAlias",
    "j": "jump host",
}
"""Tokens whose values come from elsewhere, and are for a shell where they stand in a command."""
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def _filler(settings: SshSettings) -> Callable[..., str]:
    """Fills in the %-tokens of ssh_config(5), and for file names ${VARIABLES}."""

    def fill(text: str, command: bool = False) -> str:
        if not text:
            return ""
        if not command:
            text = _VARIABLE.sub(lambda match: os.environ.get(match.group(1), ""), text)
        if "%" not in text:
            return text
        local = socket.gethostname()
        tokens = {
            "%": "%",
            "h": settings.hostname,
            "n": settings.host,
            "p": str(settings.port),
            "r": settings.user,
            "k": settings.alias or settings.host,
            "j": settings.jump,
            "u": getpass.getuser(),
            "i": str(os.getuid()),
            "d": str(Path.home()),
            "l": local,
            "L": local.split(".")[0],
        }
        parts = (local, settings.hostname, str(settings.port), settings.user, settings.jump)
        tokens["C"] = hashlib.sha1("".join(parts).encode(errors="backslashreplace")).hexdigest()

        def token(match: re.Match[str]) -> str:
            letter = match.group(1)
            try:
                if command and letter in _FOREIGN and tokens[letter]:
                    return _required(tokens[letter], _FOREIGN[letter], "@+[],")
                return tokens[letter]
            except KeyError:
                raise RemoteError(
                    ErrorKind.SETUP,
                    f"ssh_config for {plain(settings.host)} has {plain(match.group())} in "
                    f"{plain(text, 200)}",
                    "lvstui cannot fill that in; use another token",
                ) from None

        return _TOKEN.sub(token, text)

    return fill


def _path(text: str) -> str:
    # No path has a NUL; what opens one raises something else than OSError.
    return os.path.expanduser(text.strip('"').replace("\0", ""))


def _agent(value: str, fill: Callable[..., str]) -> str:
    if value.lower() == "none":
        return ""
    if value == "SSH_AUTH_SOCK":
        return os.environ.get("SSH_AUTH_SOCK", "")
    if value.startswith("$") and not value.startswith("${"):
        return os.environ.get(value[1:], "")
    return _path(fill(value))


def _files(value: str, fill: Callable[..., str]) -> tuple[str, ...]:
    """Names separated by spaces; ssh -G does not quote one that holds a space, so the longest run
    of words that is a file counts as one name."""
    words = value.split(" ") if value else []
    files = []
    while words:
        end = next(
            (n for n in range(len(words), 1, -1) if os.path.exists(_path(" ".join(words[:n])))), 1
        )
        files.append(_path(fill(" ".join(words[:end]))))
        words = words[end:]
    return tuple(files)


def _without_ssh(access: Access, config: str, why: str) -> SshSettings:
    """By paramiko's reader, which knows less."""
    import paramiko

    path = Path(config or "~/.ssh/config").expanduser()
    found: dict[str, list[str]] = {}
    try:
        if path.exists():
            lookup = paramiko.SSHConfig.from_path(str(path)).lookup(access.host)
            for keyword, value in lookup.items():
                found[keyword] = list(value) if isinstance(value, list) else [str(value)]
    except Exception as error:
        raise RemoteError(
            ErrorKind.SETUP, f"{plain(str(path))} cannot be used", plain(str(error))
        ) from None
    found.setdefault("identityfile", [f"~/.ssh/{name}" for name in DEFAULT_IDENTITIES])
    found.setdefault("userknownhostsfile", [" ".join(DEFAULT_KNOWN_HOSTS)])
    found.setdefault("globalknownhostsfile", [" ".join(GLOBAL_KNOWN_HOSTS)])
    warning = (
        f"{why}: ssh_config is read without Include and without the system's, and some Match "
        "blocks apply where they should not"
    )
    return replace(_settings(access, found), warnings=(warning,))
