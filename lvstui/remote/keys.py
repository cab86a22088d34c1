"""The keys to log in with: those of the agent, and key files with and without certificate."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lvstui.model.text import plain
from lvstui.remote.config import SshSettings
from lvstui.remote.known_hosts import fingerprint

AGENT_S = 60.0
"""An agent may have to ask its user, or wait for a touch."""


@dataclass(slots=True)
class Candidate:
    """A key that can be offered."""

    name: str
    """For the operator: where it is from."""
    blob: bytes
    """Public key; empty when it is known only after decryption."""
    key: Any = None
    """paramiko's key; None as long as the file is encrypted."""
    path: str = ""
    certificate: str = ""
    """A certificate file to offer with it."""


def open_agent(path: str) -> Any:
    """A connection to the agent at that socket, None when it does not answer. The agent's keys
    sign over it, so it stays open during the login."""
    if not path:
        return None
    import paramiko.agent

    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    agent = paramiko.agent.AgentSSH()
    try:
        connection.settimeout(AGENT_S)
        connection.connect(path)
        agent._connect(connection)
    except Exception:
        # Whatever an agent answers that paramiko cannot read: without it there are key files.
        connection.close()
        return None
    return agent


def candidates(settings: SshSettings, agent: Any, notes: list[str]) -> list[Candidate]:
    """What to offer, in OpenSSH's order: keys of the agent that ssh_config names, other keys of the
    agent (unless IdentitiesOnly), key files. Encrypted files come last. `notes` gets what the
    operator should hear when the login fails."""
    held = []
    for key in agent.get_keys() if agent is not None else ():
        with contextlib.suppress(Exception):
            comment = plain(key.comment or key.get_name(), 80)
            held.append(Candidate(f"{comment} (agent)", bytes(key.asbytes()), key))
    files = []
    for path in settings.identities:
        found = _file(path, notes)
        if found is not None:
            files.append(found)
    wanted = {candidate.blob for candidate in files if candidate.blob}
    named = [c for c in held if c.blob in wanted]
    rest = [] if settings.identities_only else [c for c in held if c.blob not in wanted]
    in_agent = {c.blob for c in held}
    own = [c for c in files if (c.key is not None or c.path) and c.blob not in in_agent]
    own.sort(key=lambda c: c.key is None)
    chosen = [*named, *rest, *own]
    return [*_certified(chosen, settings), *chosen]


def _file(path: str, notes: list[str]) -> Candidate | None:
    """A key file; without its private half (kept in the agent) only the blob."""
    public = _public(path if path.endswith(".pub") else path + ".pub")
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            notes.append(f"{plain(path)}: {plain(str(error.strerror))}")
        return Candidate(path, public) if public else None
    if path.endswith(".pub"):
        return Candidate(path, public) if public else None
    try:
        key = load(path, None)
    except NeedsPassphrase:
        return Candidate(path, public or _openssh_public(data), None, path)
    except ValueError as error:
        notes.append(f"{plain(path)}: {error}")
        return Candidate(path, public) if public else None
    return Candidate(path, bytes(key.asbytes()), key, path)


class NeedsPassphrase(Exception):
    """The key file is encrypted, or the passphrase is wrong. Holds no secret."""


def load(path: str, passphrase: str | None) -> Any:
    """The plain key in a file, without the certificate that may lie beside it: paramiko would then
    offer the certificate only (facts/realserver.md 6.2).

    Raises NeedsPassphrase, and ValueError for what cannot be used.
    """
    import paramiko

    kinds = {
        b"ssh-ed25519": paramiko.Ed25519Key,
        b"ecdsa-sha2": paramiko.ECDSAKey,
        b"ssh-rsa": paramiko.RSAKey,
    }
    public = _openssh_public(Path(path).read_bytes()) or _public(path + ".pub")
    # Deriving a key from a passphrase is slow on purpose: with the right class it is done once.
    fitting = [kind for name, kind in kinds.items() if public[4:].startswith(name)]
    for kind in fitting or kinds.values():
        # A wrong passphrase shows in many ways, as does a key of another class.
        with contextlib.suppress(Exception):
            try:
                return kind.from_private_key_file(path, password=passphrase)
            except paramiko.PasswordRequiredException:
                passphrase = passphrase or ""
                break
    if passphrase is not None:
        raise NeedsPassphrase from None
    raise ValueError("not a private key that lvstui can use (security keys need the agent)")


def _public(path: str) -> bytes:
    try:
        words = Path(path).read_text("utf-8", "replace").split()
        return base64.b64decode(words[1], validate=True)
    except (OSError, IndexError, ValueError):
        return b""


def _openssh_public(data: bytes) -> bytes:
    """The public key, which OpenSSH's format holds in clear even when the file is encrypted."""
    import paramiko

    try:
        body = data.split(b"KEY-----")[1].split(b"-----END")[0]
        raw = base64.b64decode(b"".join(body.split()))
        magic = b"openssh-key-v1\0"
        if not raw.startswith(magic):
            return b""
        message = paramiko.Message(raw[len(magic) :])
        for _ in range(3):
            message.get_binary()
        return bytes(message.get_binary()) if message.get_int() == 1 else b""
    except Exception:
        # A file that is cut or no key at all; asking for its passphrase will tell.
        return b""


def _certified(chosen: list[Candidate], settings: SshSettings) -> list[Candidate]:
    """Keys with a certificate, to be offered before the plain ones."""
    found = []
    paths = [*settings.certificates, *(f"{path}-cert.pub" for path in settings.identities)]
    for path in dict.fromkeys(paths):
        blob = _public(path)
        if not blob:
            continue
        for candidate in chosen:
            if candidate.blob and certifies(blob, candidate.blob):
                name = f"{candidate.name} with {plain(path)}"
                found.append(
                    Candidate(name, candidate.blob, candidate.key, candidate.path, certificate=path)
                )
                break
    return found


def certifies(certificate: bytes, public: bytes) -> bool:
    """Whether a certificate is for a key: after its type and a nonce come the key's own fields
    (PROTOCOL.certkeys of OpenSSH)."""

    def after_string(data: bytes) -> bytes:
        return data[4 + int.from_bytes(data[:4], "big") :]

    fields = after_string(public)
    return bool(fields) and after_string(after_string(certificate)).startswith(fields)


def with_certificate(candidate: Candidate) -> Any:
    """The key to hand to paramiko, with its certificate loaded if it has one."""
    if not candidate.certificate:
        return candidate.key
    import copy

    import paramiko.agent

    key = candidate.key
    if isinstance(key, paramiko.agent.AgentKey):
        key = paramiko.agent.AgentKey(key.agent, key.blob, key.comment)
    else:
        key = copy.copy(key)
    key.load_certificate(candidate.certificate)
    return key


def short(candidate: Candidate) -> str:
    """Its name and fingerprint."""
    return f"{candidate.name} {fingerprint(candidate.blob)}" if candidate.blob else candidate.name


class Query:
    """Asks a server whether it would take a key (RFC 4252, 7), without signing; paramiko has no
    call for it. `done` is set when there is an answer, and `wanted` holds it."""

    def __init__(self, transport: Any, user: str, blob: bytes) -> None:
        import paramiko
        from paramiko.auth_handler import AuthHandler
        from paramiko.common import cMSG_USERAUTH_REQUEST

        kind = blob[4 : 4 + int.from_bytes(blob[:4], "big")].decode("ascii", "replace")
        self.done = done = threading.Event()
        self.wanted = False
        query = self

        class Handler(AuthHandler):  # type: ignore[misc]
            def _parse_service_accept(self, message: Any) -> None:
                request = paramiko.Message()
                request.add_byte(cMSG_USERAUTH_REQUEST)
                for word in (user, "ssh-connection", "publickey"):
                    request.add_string(word)
                request.add_boolean(False)
                request.add_string("rsa-sha2-512" if kind == "ssh-rsa" else kind)
                request.add_string(blob)
                transport._send_message(request)

            def _parse_userauth_info_request(self, message: Any) -> None:
                # The same number (60) is "this key would do" in an answer to publickey.
                query.wanted = True
                done.set()

            def _parse_userauth_failure(self, message: Any) -> None:
                super()._parse_userauth_failure(message)
                transport.get_exception()

        transport.auth_handler = handler = Handler(transport)
        handler.auth_publickey(user, None, done)
