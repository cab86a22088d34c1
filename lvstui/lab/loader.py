"""Programs of another release, which bring their own C library: they name their loader, and that
the folder where it looks for libraries. Both are strings in the programs, so that a copy can name
others; a variable or a loader before the command line would reach what they execute as well, and
/proc/PID/exe would be the loader."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from lvstui.lab.errors import LabError

LIBRARIES = "usr/lib/x86_64-linux-gnu"
LOADER = "ld-linux-x86-64.so.2"
_BIN_FOLDERS = ("usr/sbin", "usr/bin", "sbin", "bin", "usr/local/sbin", "usr/local/bin")


def find_program(name: str, root: Path = Path("/")) -> Path | None:
    """An executable file of that name in the system folders under root."""
    for folder in _BIN_FOLDERS:
        path = root / folder / name
        if os.access(path, os.X_OK) and path.is_file():
            return path
    return None


def copy_with(source: Path, copy: Path, names: Mapping[str, str]) -> None:
    """A copy of a program in which each of these strings is another one, not longer."""
    code = source.read_bytes()
    for old, new in names.items():
        before = old.encode() + b"\0"
        if before not in code:
            raise LabError(f"{source.name} of another release cannot be used", f"no {old} in it")
        code = code.replace(before, new.encode().ljust(len(before), b"\0"))
    copy.write_bytes(code)
    copy.chmod(0o755)
