"""What the guest needs: programs that the host has are used from the host, the rest is fetched.

In the guest the folder with what was fetched is one more read-only layer below every node's root.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lvstui.lab.apt import Progress, fetched
from lvstui.lab.errors import LabError
from lvstui.lab.kernels import KERNEL_PACKAGE, Kernel, fast_kernel, own_kernel
from lvstui.lab.loader import LIBRARIES, find_program

PROGRAMS = {
    "linux.uml": KERNEL_PACKAGE,
    "keepalived": "keepalived",
    "ipvsadm": "ipvsadm",
    "sshd": "openssh-server",
    "ssh": "openssh-client",
    "ip": "iproute2",
    "ifup": "ifupdown",
    "tc": "iproute2",
    "modprobe": "kmod",
    "arping": "iputils-arping",
    "tcpdump": "tcpdump",
    "strace": "strace",
    "sudo": "sudo",
}
"""Program looked for on the host, and the package that brings it."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A folder to lay over the host's root (None: the host has everything), and the kernel."""

    folder: Path | None
    kernel: Kernel
    releases: Mapping[str, Path] = field(default_factory=dict)
    """What directors with keepalived of another release have over it, see `releases`."""

    @property
    def library_path(self) -> dict[str, str]:
        """The variable with which the host runs a program of this layer."""
        if self.folder is None:
            return {}
        return {"LD_LIBRARY_PATH": str(self.folder / LIBRARIES)}


def missing_packages() -> list[str]:
    """Packages for the programs this host lacks, in a stable order."""
    packages = {pkg for program, pkg in PROGRAMS.items() if find_program(program) is None}
    return sorted(packages)


def _check_host() -> None:
    if platform.system() != "Linux" or platform.machine() not in ("x86_64", "amd64"):
        raise LabError(
            "the lab runs on x86-64 Linux only",
            f"{platform.system()} on {platform.machine()}: User-Mode Linux has no other port",
            "use a Debian or Ubuntu machine or virtual machine",
        )


def ensure(progress: Progress = lambda text: None) -> Layer:
    """Find or fetch all that a guest needs.

    Raises LabError when the host is not x86-64 Linux, has no apt and lacks programs, when the
    packages cannot be had (network, sources), or when there is no space.
    """
    _check_host()
    kernel = fast_kernel(progress)
    wanted = missing_packages()
    if kernel is not None and KERNEL_PACKAGE in wanted:
        wanted.remove(KERNEL_PACKAGE)
    folder = fetched(wanted, progress)
    return Layer(folder, kernel or own_kernel(folder or Path("/")))
