"""The last look at each real server, kept for every other lvstui of this host."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from lvstui.model.facts import Observation, RealServerSeen
from lvstui.model.realserver import Look
from lvstui.model.wire import encode
from lvstui.process import readonly
from lvstui.process.newfile import create
from lvstui.sources.looks import folder_of_looks


def keep(look: Look, folder: Path | None = None) -> None:
    """Put it in the place of the look before; nothing in a session that is read-only. Raises
    OSError."""
    if readonly.active():
        return
    folder = folder or folder_of_looks()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = folder / f".{secrets.token_hex(8)}"
    with os.fdopen(create(new), "w", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(encode(Observation(look.at, "", "looks", RealServerSeen(look))) + "\n")
    try:
        os.replace(new, folder / quote(look.address, safe=""))
    except OSError:
        with suppress(OSError):
            new.unlink()
        raise
