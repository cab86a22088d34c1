"""keepalived and ipvsadm of another Debian release: one more read-only layer of a director.

They run with the C library and the libraries of their release, from a folder that nothing else
looks at, whatever the rest of the director has. The guest's kernel and all other programs stay.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from lvstui.lab.apt import Progress, fetched, host_release
from lvstui.lab.errors import LabError
from lvstui.lab.loader import LIBRARIES, LOADER, copy_with
from lvstui.lab.topology import Topology

PROGRAMS = ("keepalived", "ipvsadm")
_FOLDER = "/usr/lib/lab-releases/"
"""As long as the folder that it stands in for, of which the loader knows the length."""
BUILD_OPTIONS = "etc/keepalived/keepalived.config-opts"
"""keepalived 2.3 does not start without this file."""
_REST = (BUILD_OPTIONS, "usr/sbin/ipvsadm-save", "usr/sbin/ipvsadm-restore")


def layers(topology: Topology, progress: Progress) -> dict[str, Path]:
    """The layer of each release that a topology's directors have; fetches what is missing.

    Raises LabError when a release cannot be had.
    """
    wanted = sorted({release for _, release in topology.releases} - {host_release()})
    return {release: _layer(release, progress) for release in wanted}


def _layer(release: str, progress: Progress) -> Path:
    try:
        root = fetched(sorted(PROGRAMS), progress, release)
    except LabError as error:
        raise LabError(
            f"keepalived of Debian {release} cannot be had",
            f"{error.what}\n{error.why}".strip(),
            error.remedy or "choose another release",
        ) from error
    assert root is not None
    folder = root / "director"
    if not folder.is_dir():
        with tempfile.TemporaryDirectory(dir=root, prefix="director.") as made:
            making = Path(made)
            making.chmod(0o755)
            _fill(making, root)
            with contextlib.suppress(OSError):  # another lab was first
                making.rename(folder)
                making.mkdir()  # for its removal
    return folder


def _fill(layer: Path, root: Path) -> None:
    libraries = layer / _FOLDER.strip("/")
    libraries.mkdir(parents=True)
    for path in sorted((root / LIBRARIES).glob("*.so*")):
        if path.is_file() and path.name != LOADER:
            os.link(path.resolve(), libraries / path.name)
    searched = {"/lib/x86_64-linux-gnu/": _FOLDER, "/etc/ld.so.cache": "/nonexistent/dir"}
    loader = (root / LIBRARIES / LOADER).resolve()
    copy_with(loader, libraries / "ld.so", searched)
    (layer / "usr/sbin").mkdir(parents=True)
    for name in PROGRAMS:
        names = {f"/lib64/{LOADER}": f"{_FOLDER}ld.so"}
        copy_with(root / "usr/sbin" / name, layer / "usr/sbin" / name, names)
    for name in _REST:
        if (root / name).is_file():
            (layer / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, layer / name)
