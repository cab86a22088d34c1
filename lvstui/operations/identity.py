"""Who is at the keyboard: one answer for the audit log, history, disabled servers and manifests.

The kernel's login uid stays what it was at the login, through su, sudo and doas, and nobody but
root can have another one. What the environment says is a claim, and stands beside it as one.
"""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from lvstui.model.text import plain

NO_LOGIN = 0xFFFFFFFF
"""The login uid of a process that no login began: a service, a container, a kernel without it."""
LOGIN_UID = Path("/proc/self/loginuid")


@dataclass(frozen=True, slots=True)
class Identity:
    """An operator."""

    who: str
    """Name of the login uid; without one, of the real uid."""
    claims: str = ""
    """Who SUDO_USER or DOAS_USER says it is, when that is somebody else."""

    def __str__(self) -> str:
        return f"{self.who} (claimed: {self.claims})" if self.claims else self.who


def identify() -> Identity:
    """Whoever runs this process."""
    try:
        uid = int(LOGIN_UID.read_text(encoding="ascii"))
    except (OSError, ValueError):
        uid = NO_LOGIN
    who = _name(os.getuid() if uid == NO_LOGIN else uid)
    said = os.environ.get("SUDO_USER") or os.environ.get("DOAS_USER") or ""
    claims = plain(said, 64)
    return Identity(who, claims if claims != who else "")


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
