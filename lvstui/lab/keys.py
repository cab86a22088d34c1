"""SSH keys of one lab's life."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from lvstui.lab.errors import LabError
from lvstui.lab.packages import Layer


def make_keys(folder: Path, names: list[str], layer: Layer) -> dict[str, tuple[str, str]]:
    """Throw-away ed25519 keys: one for each name (a node's host key), and "" for all roots."""
    program = shutil.which("ssh-keygen")
    env = dict(os.environ)
    if program is None and layer.folder is not None:
        program = str(layer.folder / "usr/bin/ssh-keygen")
        env["LD_LIBRARY_PATH"] = str(layer.folder / "usr/lib/x86_64-linux-gnu")
    keys: dict[str, tuple[str, str]] = {}
    for name in ["", *names]:
        path = folder / "key"
        done = subprocess.run(
            [
                program or "ssh-keygen",
                "-q",
                "-t",
                "ed25519",
                "-N",
                "",
                "-C",
                name or "lab",
                "-f",
                path,
            ],
            capture_output=True,
            text=True,
            env=env,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            raise LabError("ssh-keygen failed", done.stderr or done.stdout)
        public = path.with_suffix(".pub")
        keys[name] = (path.read_text(), public.read_text().strip())
        path.unlink()
        public.unlink()
    return keys
