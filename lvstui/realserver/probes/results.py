"""What a probe says that could not be made: a few words for a table cell, evidence."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass

from lvstui.model.text import plain


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A probe that could not be made: nothing is known, good or bad."""

    what: str
    """What cannot be done."""
    text: str
    """Why, with the system's own words."""
    todo: str = ""
    """What the operator can do about it; may be empty."""

    @property
    def evidence(self) -> tuple[str, ...]:
        """What, why and what to do."""
        return tuple(line for line in (f"{self.what}: {self.text}", self.todo) if line)


class CannotProbe(Exception):
    """Inside this package: carries the `Unavailable` that its public functions return."""

    def __init__(self, what: str, why: str, todo: str = "") -> None:
        super().__init__(f"{what}: {why}")
        self.result = Unavailable(what, why, todo)


def cannot(what: str, error: OSError, interface: str = "") -> CannotProbe:
    """An error of a socket in the operator's words."""
    if error.errno in (errno.EPERM, errno.EACCES):
        return CannotProbe(
            what, "no raw sockets for this user", "run lvstui as root, or give it CAP_NET_RAW"
        )
    if error.errno in (errno.ENODEV, errno.ENXIO):
        return CannotProbe(what, f"there is no interface {interface}", "choose another interface")
    if error.errno in (errno.ENETDOWN, errno.ENETUNREACH):
        return CannotProbe(what, f"{interface or 'the network'} is down", "bring the link up")
    if error.errno in (errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT):
        return CannotProbe(
            what, "this kernel or sandbox has no packet sockets", "run lvstui outside the sandbox"
        )
    words = os.strerror(error.errno) if error.errno else plain(str(error), 200)
    return CannotProbe(what, f"{interface}: {words}" if interface else words)
