"""What of this host goes into a lab: Python and our code, language and terminal, and no more."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

PACKAGE_PARENT = Path(__file__).resolve().parent.parent.parent
"""The folder that holds the package lvstui: site-packages or a checkout."""


def bare_python(module: str, call: str) -> list[str]:
    """The command that runs `module.call` of lvstui.lab in a Python without site-packages."""
    folder, _, name = f"lvstui.lab.{module}".rpartition(".")
    code = (
        f"import sys; sys.path.insert(0, {str(PACKAGE_PARENT)!r}); "
        f"from {folder} import {name}; {name}.{call}"
    )
    return [sys.executable, "-I", "-S", "-c", code]


def write_private(path: Path, text: str, mode: int = 0o600) -> None:
    """A file of the lab's folder that nobody else may read."""
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


COVERS: tuple[tuple[str, int], ...] = (
    ("/root", 0o711),
    ("/home", 0o755),
    ("/tmp", 0o1777),
    ("/var/tmp", 0o1777),
    ("/run", 0o755),
    ("/var/log", 0o755),
    ("/etc/ssh", 0o755),
    ("/etc/keepalived", 0o755),
    ("/etc/sudoers.d", 0o750),
)
"""Folders of the host that nodes must not see, and the mode of the empty folder put there."""

PASSED = ("TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR", "LANG", "LC_ALL", "LC_CTYPE", "TZ")
PASSED_PREFIXES = ("TEXTUAL", "LVSTUI_")


def environment(outer: Mapping[str, str]) -> dict[str, str]:
    """What of the user's environment concerns programs in the nodes."""
    return {
        key: value
        for key, value in outer.items()
        if key in PASSED or (key.startswith(PASSED_PREFIXES) and key != "LVSTUI_LAB")
    }


def binds(covers: tuple[tuple[str, int], ...], home: str) -> list[str]:
    """Folders under the covers that running lvstui needs: Python, its environment, our code."""
    code = PACKAGE_PARENT / "lvstui" if str(PACKAGE_PARENT) == home else PACKAGE_PARENT
    wanted = {sys.base_prefix, sys.prefix, str(code)}
    wanted |= {path for path in sys.path if path.startswith("/") and os.path.isdir(path)}
    link = sys.executable
    while link:
        wanted.add(os.path.dirname(link))
        target = os.readlink(link) if os.path.islink(link) else ""
        link = os.path.normpath(os.path.join(os.path.dirname(link), target)) if target else ""
    wanted |= {os.path.realpath(path) for path in wanted}
    wanted -= {home, "/"}
    folders = [folder for folder, _ in covers]
    hidden = sorted(path for path in wanted if any(path.startswith(f + "/") for f in folders))
    result: list[str] = []
    for path in hidden:
        if not any(path.startswith(known + "/") for known in result):
            result.append(path)
    return result
