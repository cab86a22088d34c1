"""The guest's kernel: User-Mode Linux of a later Debian release where that can be had.

Since Linux 6.16 User-Mode Linux catches the system calls of the guest's programs by seccomp instead
of ptrace (arch/um/os-Linux/skas/process.c), and programs start 3.7 times as fast (200 times
/bin/true: 0.39 s instead of 1.45 s, on one CPU).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from lvstui.lab.apt import Progress, cache_home, fetched
from lvstui.lab.errors import LabError
from lvstui.lab.loader import LIBRARIES, LOADER, copy_with, find_program

KERNEL_PACKAGE = "user-mode-linux"
_KERNEL_RELEASE = "forky"
_RETRY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Kernel:
    """User-Mode Linux. It is started in the folder of its program, where it may find its own
    loader."""

    program: Path
    modules: Path


def fast_kernel(progress: Progress) -> Kernel | None:
    """The kernel of the later release; None when it cannot be had here (told once a day) or
    LVSTUI_LAB_KERNEL=own asks for that of the host's release."""
    failed = cache_home() / f"{_KERNEL_RELEASE}.failed"
    with contextlib.suppress(OSError):
        if time.time() - failed.stat().st_mtime < _RETRY_S:
            return None
    if os.environ.get("LVSTUI_LAB_KERNEL") == "own":
        return None
    try:
        root = fetched([KERNEL_PACKAGE], progress, _KERNEL_RELEASE)
        return None if root is None else _with_own_loader(root)
    except (LabError, OSError) as error:
        progress(f"going on with the slower kernel of this release: {error}")
        with contextlib.suppress(OSError):
            failed.touch()
        return None


def _with_own_loader(root: Path) -> Kernel:
    """That kernel with the C library it was built for, which this host may not have.

    It executes itself anew at its start (os-Linux/main.c), so a loader cannot be put before its
    command line; and it takes the end of its heap for its own, so the loader must not be the
    program. So it names a loader in the folder where it is started, and that looks for libraries
    there. (A variable would reach what it executes to reboot as well.)
    """
    folder = root / "kernel"
    if not folder.is_dir():
        program = find_program("linux.uml", root)
        if program is None:
            raise LabError(f"no linux.uml was found in {root}")
        with tempfile.TemporaryDirectory(dir=root, prefix="kernel.") as made:
            making = Path(made)
            making.chmod(0o755)
            for name in ("libc.so.6", "libgcc_s.so.1"):  # the second for pthread_cancel
                shutil.copy(root / LIBRARIES / name, making)
            searched = {"/lib/x86_64-linux-gnu/": "./" * 11, "/etc/ld.so.cache": "/nonexistent/dir"}
            copy_with(root / LIBRARIES / LOADER, making / LOADER, searched)
            copy_with(program, making / "linux.uml", {f"/lib64/{LOADER}": f"./{LOADER}"})
            with contextlib.suppress(OSError):  # another lab was first
                making.rename(folder)
                making.mkdir()  # for its removal
    return Kernel(folder / "linux.uml", _modules(root))


def _modules(root: Path) -> Path:
    for base in (root, Path("/")):
        found = sorted((base / "usr/lib/uml/modules").glob("*/modules.dep"))
        if found:
            return found[-1].parent
    raise LabError(
        "the kernel modules of linux.uml were not found",
        f"no usr/lib/uml/modules/*/modules.dep under {root}",
        f"install the package {KERNEL_PACKAGE} again",
    )


def own_kernel(root: Path) -> Kernel:
    program = find_program("linux.uml", root) or find_program("linux.uml")
    if program is None:
        raise LabError(
            "no linux.uml was found", f"looked in {root}", "remove that folder and retry"
        )
    return Kernel(program, _modules(root))
