"""Read-only: a property of the process, and its one gate.

What does not declare itself harmless is refused: a command of the shell by `Harmless`, one of the
screens by `changes = False`. Behind both, whatever writes, signals or changes asks `forbid`; and a
process that was root's has lost the rights to do so (`lvstui.process.privileges`).
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

from lvstui.process import privileges

READ_ONLY = "read-only: nothing is changed or written from here"

_active = False


class ReadOnlyError(PermissionError):
    """Something was about to be changed in a read-only process."""

    def __init__(self) -> None:
        super().__init__(errno.EPERM, READ_ONLY)


@dataclass(frozen=True, slots=True)
class Harmless:
    """A command of the shell that looks, and may run in a read-only process."""

    run: Callable[[argparse.Namespace], int]
    unless: Callable[[argparse.Namespace], str] = lambda args: ""
    """What would change something all the same, as words; empty: nothing."""

    def __call__(self, args: argparse.Namespace) -> int:
        return self.run(args)


def refusal(args: argparse.Namespace) -> str:
    """Why a command of the shell (`args.run`) may not run read-only; empty when it may."""
    if not isinstance(args.run, Harmless):
        return str(getattr(args, "changes", "") or READ_ONLY)
    return args.run.unless(args)


def enter() -> None:
    """Make this process read-only, for good. Raises OSError when root's rights stay."""
    global _active
    _active = True
    # Files that Python or Textual write unasked: byte code, and a log if the environment names one.
    sys.dont_write_bytecode = True
    os.environ.pop("TEXTUAL_LOG", None)
    privileges.drop()


def active() -> bool:
    return _active


def forbid() -> None:
    """Stands before whatever writes a file, signals, or changes a host or the kernel.

    Raises ReadOnlyError, which is an OSError, in a read-only process."""
    if _active:
        raise ReadOnlyError
