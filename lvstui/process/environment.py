"""What of the environment is believed by root: no variable that another user may have filled in
chooses which file is read or written.

sudo clears the environment, `sudo -E`, doas with keepenv and old sudoers that keep HOME do not.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import MutableMapping

from lvstui.process import trust

FILES = {"LVSTUI_AUDIT": "/var/log/lvstui/audit.jsonl", "LVSTUI_HOSTS": "/etc/lvstui/hosts.toml"}
"""Variables that name one file, and where root's own is without them."""
FOLDERS = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR")


class NotBelieved(Exception):
    """A variable names a file that is not root's; the text says which, why, what to do."""


def believe(environ: MutableMapping[str, str]) -> list[str]:
    """As root, take out of `environ` what is not to be believed; what was taken out, in words.
    Without root's rights everything is believed: the files are the user's own.

    Raises NotBelieved for a variable of lvstui's own: whoever set it must know that it does not
    count, before anything is recorded or done.
    """
    if os.geteuid() != 0:
        return []
    for name, ours in FILES.items():
        value = environ.get(name, "")
        why = value and not_roots(value)
        if why:
            raise NotBelieved(
                f"{name}={value} is not believed as root: {why}. Unset it ({ours} is used then), "
                "or name a file of root's in a folder of root's"
            )
    said = []
    for name in FOLDERS:
        value = environ.get(name, "")
        why = value and not_roots(value, folder=True)
        if why:
            del environ[name]
            said.append(f"{name} is not believed as root: {why}")
    own = pwd.getpwuid(0).pw_dir
    home = environ.get("HOME", "")
    if home and home != own and (why := not_roots(home, folder=True)):
        environ["HOME"] = own
        said.append(f"HOME is not believed as root: {why}; it is {own}")
    return said


def not_roots(path: str, *, folder: bool = False) -> str:
    """Why somebody else than root may choose what `path` is (a file, or a `folder`), in words;
    empty: nobody can. What is not there yet has to be in a folder that only root writes to."""
    if not path.startswith("/"):
        return f"{path or 'it'} is no absolute path"
    try:
        with trust.opened(path, kind="folder" if folder else "file"):
            return ""
    except OSError as error:
        return f"{path}: {error.strerror}" if error.strerror else str(error)
