"""Sources `file` and `memfd`: the configuration on disk and the one that keepalived has loaded.

keepalived keeps what it loaded in a memfd (2.2.0 and later): comments gone, includes expanded.
Comparing both answers "was it reloaded since the file was edited?" without asking the daemon.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from lvstui.keepalived import load, parse_consolidated
from lvstui.model.config import Configuration
from lvstui.model.facts import Available, ConfigurationSeen, Missing, NamesSeen
from lvstui.model.keys import canonical_address
from lvstui.model.text import plain
from lvstui.sources.base import Context, Source
from lvstui.sources.processes import (
    DEFAULT_CONFIG,
    config_file,
    config_id,
    is_keepalived,
    loaded_path,
)

HOSTS = "/etc/hosts"


def host_names(path: str = HOSTS) -> tuple[tuple[str, str], ...]:
    """(canonical address, first name) of a hosts file; empty when it can not be read."""
    found: dict[str, str] = {}
    try:
        with open(path, "rb") as stream:
            lines = stream.read(1 << 20).decode("utf-8", "replace").splitlines()
    except OSError:
        return ()
    for line in lines:
        words = line.partition("#")[0].split()
        if len(words) < 2:
            continue
        try:
            address = canonical_address(words[0])
        except ValueError:
            continue
        if not address.startswith("127.") and address != "::1":
            found.setdefault(address, plain(words[1].split(".")[0], 40))
    return tuple(found.items())


class ConfigurationFiles(Source):
    """Reads the file at the start and whenever it, or a file that it includes, changed; the
    daemon's own copy whenever it was loaded anew."""

    name = "file"

    def __init__(self, pid: Callable[[], int], path: str = "") -> None:
        """`pid` tells the daemon's pid (0: none); `path` overrides where its file lies."""
        self._pid = pid
        self._path = path
        self._files: tuple[str, ...] = ()
        self._file_stamp: object = None
        self._loaded_stamp: object = None
        self._loaded_path = ""
        self._hosts_stamp: object = None
        self._known: Configuration | None = None

    def fifos(self) -> tuple[str, ...]:
        """The notify fifos of the configuration that was read last; for other sources."""
        known = self._known
        if known is None:
            return ()
        paths = (known.lvs_notify_fifo, known.vrrp_notify_fifo, known.notify_fifo)
        return tuple(path for path in paths if path)

    def uses_dbus(self) -> bool:
        """The configuration that was read last has `enable_dbus`."""
        return self._known is not None and self._known.enable_dbus

    def run(self, context: Context) -> None:
        """Stat every tick, read what changed."""
        # Again after a failure: what was said before has been taken back by it.
        self._file_stamp = self._loaded_stamp = self._hosts_stamp = None
        while True:
            self._names(context)
            pid = self._pid()
            self._file(context, pid)
            self._loaded(context, pid)
            if context.wait(context.interval_s):
                return

    def _names(self, context: Context) -> None:
        stamp = _stamp(HOSTS)
        if stamp != self._hosts_stamp:
            self._hosts_stamp = stamp
            context.emit("names", NamesSeen(host_names()))

    def _file(self, context: Context, pid: int) -> None:
        path = self._path or (config_file(pid) if pid else "") or DEFAULT_CONFIG
        files = self._files if self._files and self._files[0] == path else (path,)
        # Folders too: a new file may match an include.
        folders = {os.path.dirname(file) for file in files}
        stamp = (path, tuple(_stamp(p) for p in (*files, *sorted(folders))))
        if stamp == self._file_stamp:
            return
        self._file_stamp = stamp
        try:
            with open(path, "rb"):
                pass
            configuration = load(path, config_id=config_id(pid) if pid else None)
        except FileNotFoundError:
            self._missing(context, f"there is no {path}", "lvstui --config FILE names another one")
            return
        except PermissionError:
            self._missing(
                context,
                f"{path} may not be read: no names, no configured weights, no checks",
                "run lvstui as root: sudo lvstui",
            )
            return
        except OSError as error:
            self._missing(context, f"{path}: {error.strerror}", "")
            return
        except Exception as error:
            # A fault of ours over this text: the loaded copy, and a mended file, are still read.
            self._missing(context, f"{path} is not understood: {type(error).__name__}: {error}", "")
            return
        self._known = configuration
        self._files = configuration.files or (path,)
        folders = {os.path.dirname(file) for file in self._files}
        self._file_stamp = (path, tuple(_stamp(p) for p in (*self._files, *sorted(folders))))
        context.emit(self.name, Available(self.name))
        context.emit(self.name, ConfigurationSeen(configuration))

    def _missing(self, context: Context, what: str, remedy: str) -> None:
        context.emit(self.name, Missing(self.name, plain(what), remedy))

    def _loaded(self, context: Context, pid: int) -> None:
        if not pid:
            self._loaded_stamp = None
            return
        path = self._loaded_path
        if not path.startswith(f"/proc/{pid}/") or not _is_copy(path):
            path = self._loaded_path = loaded_path(pid)
        stamp = (pid, path, _stamp(path) if path else None)
        if stamp == self._loaded_stamp:
            return
        self._loaded_stamp = stamp
        if not path:
            context.emit(
                "memfd",
                Missing(
                    "memfd",
                    "which configuration keepalived has loaded",
                    "run lvstui as root, with keepalived 2.2.0 or later",
                ),
            )
            return
        try:
            with open(path, "rb") as stream:
                data = stream.read()
        except OSError:
            return
        if not data or not is_keepalived(pid):
            # It is being written anew, or the daemon ended: the next tick knows.
            self._loaded_stamp = None
            return
        configuration: Configuration
        try:
            configuration = parse_consolidated(data, config_id=config_id(pid))
        except Exception as error:
            # As above.
            what = f"what keepalived has loaded is not understood: {type(error).__name__}: {error}"
            context.emit("memfd", Missing("memfd", plain(what, 300)))
            return
        context.emit("memfd", Available("memfd"))
        context.emit("memfd", ConfigurationSeen(configuration, loaded=True))


def _is_copy(path: str) -> bool:
    """The descriptor still is the configuration (a number is used again for other files)."""
    try:
        return "consolidated_configuration" in os.readlink(path)
    except OSError:
        return False


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
