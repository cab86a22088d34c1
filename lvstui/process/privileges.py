"""Going on with less than root's rights: what looking needs, and nothing that writes.

Python has no capset(2), so libc is asked by ctypes. After capabilities(7), capset(2), prctl(2):

- SECBIT_NO_SETUID_FIXUP: a change of uid leaves the capability sets alone, and access(2) asks with
  the effective set as open(2) does; else os.access would say no to what can be read.
- The inheritable set has to be filled while the bounding set still holds it. The ambient set is
  raised from it for a child that reads, in its parent's thread alone (the sets are a thread's).
- PR_SET_NO_NEW_PRIVS: no child becomes more by a set-uid program or by a file's capabilities.
"""

from __future__ import annotations

import contextlib
import ctypes
import grp
import os
import struct
import threading
from collections.abc import Iterable, Iterator

UID = GID = 65534
"""nobody and nogroup: they own no file."""
GROUPS = ("adm", "systemd-journal")
"""Kept, so that journalctl may read the journal without any capability."""

DAC_READ_SEARCH, NET_ADMIN, NET_RAW, SYS_PTRACE = 2, 12, 13, 19
KEPT = (DAC_READ_SEARCH, NET_ADMIN, NET_RAW, SYS_PTRACE)
"""By the numbers of linux/capability.h: read every file; ask IPVS, whose netlink wants NET_ADMIN
for a GET, too; hear adverts and ask ARP; see other users' processes in /proc."""
LENT = (DAC_READ_SEARCH, SYS_PTRACE)
"""What a child that looks is given."""

_VERSION_3 = 0x20080522
_SETS = struct.Struct("=6I")
"""The lower halves of the three sets, then the upper ones."""
_CAPBSET_READ, _CAPBSET_DROP, _SET_SECUREBITS, _SET_NO_NEW_PRIVS, _AMBIENT = 23, 24, 28, 38, 47
_RAISE, _CLEAR_ALL = 2, 4
_SECUREBITS = 0b1111
"""NOROOT and NO_SETUID_FIXUP, each with its lock."""
_MOST = 64

_dropped = False


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _prctl(option: int, *arguments: int, may_fail: bool = False) -> int:
    words = [ctypes.c_ulong(word) for word in (*arguments, 0, 0, 0, 0)[:4]]
    result = int(_libc().prctl(option, *words))
    return result if may_fail else _checked(result, f"prctl {option}")


def _header() -> ctypes.Array[ctypes.c_char]:
    """For this thread (pid 0)."""
    return ctypes.create_string_buffer(struct.pack("=Ii", _VERSION_3, 0))


def _sets() -> tuple[int, ...]:
    """Effective, permitted and inheritable set of this thread. Raises OSError."""
    halves = ctypes.create_string_buffer(_SETS.size)
    _checked(_libc().capget(_header(), halves), "capget")
    words = _SETS.unpack(halves.raw)
    return tuple(low | high << 32 for low, high in zip(words[:3], words[3:], strict=True))


def _set(*sets: int) -> None:
    """Effective, permitted and inheritable set. Raises OSError."""
    halves = _SETS.pack(*(word >> by & 0xFFFFFFFF for by in (0, 32) for word in sets))
    _checked(_libc().capset(_header(), halves), "capset")


def _mask(numbers: Iterable[int]) -> int:
    return sum(1 << number for number in numbers)


def _groups() -> list[int]:
    found = []
    for name in GROUPS:
        with contextlib.suppress(KeyError):
            found.append(grp.getgrnam(name).gr_gid)
    return found


def drop() -> None:
    """Root goes on as nobody, keeping what looking needs; anybody else as he is.

    Raises OSError when a step is refused or did not come about; nothing may go on then. Only while
    this process has one thread: the capability sets are a thread's own.
    """
    global _dropped
    if _dropped or 0 not in os.getresuid():
        return
    if threading.active_count() > 1:
        raise OSError(0, "more than one thread runs already")
    groups = _groups()
    permitted = _sets()[1]
    keep, lend = permitted & _mask(KEPT), permitted & _mask(LENT)
    _prctl(_SET_SECUREBITS, _SECUREBITS)
    _set(permitted, permitted, lend)
    for number in range(_MOST):
        if _prctl(_CAPBSET_READ, number, may_fail=True) == 1:
            _prctl(_CAPBSET_DROP, number)
    os.setgroups(groups)
    os.setresgid(GID, GID, GID)
    os.setresuid(UID, UID, UID)
    _prctl(_AMBIENT, _CLEAR_ALL)
    _set(keep, keep, lend)
    _prctl(_SET_NO_NEW_PRIVS, 1)
    came = (os.getresuid(), os.getresgid(), sorted(os.getgroups()), _sets())
    if came != ((UID,) * 3, (GID,) * 3, sorted(groups), (keep, keep, lend)):
        raise OSError(0, f"the rights are not what was asked for: {came}")
    _dropped = True


def dropped() -> bool:
    """Whether this process was root's and goes on as nobody."""
    return _dropped


def sees_all() -> bool:
    """Whether this process may look at everything: as root, or with what is left of root."""
    return _dropped or os.geteuid() == 0


@contextlib.contextmanager
def lent() -> Iterator[None]:
    """A child that this thread starts meanwhile may read what this process may read, in /proc as
    well. For our own scripts only: other children look with nobody's eyes."""
    if not _dropped:
        yield
        return
    try:
        for number in LENT:
            # Not had from the start (a container): the child sees less.
            _prctl(_AMBIENT, _RAISE, number, may_fail=True)
        yield
    finally:
        _prctl(_AMBIENT, _CLEAR_ALL)
