"""Files that lvstui makes for its operator: new ones, his alone, never through a link."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path
from typing import IO

from lvstui.process import readonly

_ROOTS = Path("/var/lib/lvstui")
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_A_SECOND = 100


def state_folder() -> Path:
    """Where what the screens save and crash traces go. The environment does not move root's."""
    if os.geteuid() == 0:
        return _ROOTS
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if base else Path.home() / ".local" / "state") / "lvstui"


def create(path: Path | str, folder: int | None = None) -> int:
    """Make a file with mode 0600 and give its descriptor, for writing. No folder is made.

    folder: a descriptor that `path` is relative to. Raises OSError: FileExistsError for whatever
    has that name already, a link too; ReadOnlyError.
    """
    readonly.forbid()
    try:
        return os.open(path, _FLAGS, 0o600, dir_fd=folder)
    except FileExistsError:
        raise FileExistsError(
            errno.EEXIST, "it exists already and is left as it is", str(path)
        ) from None


def create_saved(folder: Path, kind: str, suffix: str, at: float) -> tuple[Path, IO[str]]:
    """A new text file `KIND-DATE-TIME.SUFFIX` in the state folder, which is made if need be
    (0700). `at`: epoch seconds. Raises OSError."""
    readonly.forbid()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(at))
    for number in range(_MOST_A_SECOND):
        path = folder / (f"{kind}-{stamp}" + (f"-{number}" if number else "") + f".{suffix}")
        try:
            handle = create(path)
        except FileExistsError:
            continue
        return path, open(handle, "w", encoding="utf-8", errors="backslashreplace")
    raise FileExistsError(errno.EEXIST, "too many files of this second", str(folder))
