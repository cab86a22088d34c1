"""Sources `file` and `memfd`: the configuration on disk and the one that keepalived has loaded.

keepalived keeps what it loaded in a memfd (2.2.0 and later): comments gone, includes expanded.
Comparing both answers "was it reloaded since the file was edited?" without asking the daemon.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from lvstui.keepalived.meaning.view import load_tree, many_objects, parse_consolidated, view
from lvstui.keepalived.text.files import stamp, stamp_of
from lvstui.keepalived.text.tree import SourceFile, Tree
from lvstui.model.config import Configuration
from lvstui.model.facts import Available, ConfigurationSeen, FilesSeen, NamesSeen
from lvstui.model.files import ConfigFile, ConfigFiles
from lvstui.model.keys import canonical_address
from lvstui.model.text import plain
from lvstui.sources.base import Context, Source, modified
from lvstui.sources.daemon import binary_of
from lvstui.sources.processes import (
    DEFAULT_CONFIG,
    config_file,
    config_id,
    is_keepalived,
    loaded_path,
)

HOSTS = "/etc/hosts"
JUDGE_AFTER_S = 0.3
"""From reading the files to judging them."""
MOST_TEXT = 2 << 20
"""Bytes of all files together whose lines are kept: some 20,000 real servers."""
_LONGEST_LINE = 4000
"""Characters; keepalived itself reads 1,023 at once."""


def host_names(path: str = HOSTS) -> tuple[tuple[str, str], ...]:
    """(canonical address, first name) of a hosts file; empty when it cannot be read."""
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


def judged(tree: Tree, configuration: Configuration, version: str) -> ConfigFiles:
    """The files of `tree` as they may be shown, and what our rules say of them for this host and
    that version of keepalived; `configuration` is their view."""
    # A fifth of the house, which nothing else about the picture needs.
    from lvstui.keepalived.daemon.around import around_here
    from lvstui.keepalived.lint.rules import lint
    from lvstui.keepalived.text.mask import masked_lines

    findings = lint(tree, configuration, around_here(tree, version))
    left_out = sum(len(file.data) for file in tree.files) > MOST_TEXT
    masked = {} if left_out else masked_lines(tree)
    once: dict[str, str] = {}

    def lines(file: SourceFile) -> Iterator[str]:
        hidden = masked.get(file.path, {})
        for number, line in enumerate(file.text_lines, 1):
            text = hidden.get(number, line).rstrip(b"\r").decode("utf-8", "backslashreplace")
            safe = plain(text.expandtabs(), _LONGEST_LINE)
            # Most lines of a pool are the same.
            yield once.setdefault(safe, safe)

    files = tuple(
        ConfigFile(file.path, modified(file.path), () if left_out else tuple(lines(file)))
        for file in tree.files
    )
    return ConfigFiles(files, tree.config_id, findings, left_out)


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
        self._unjudged: tuple[Tree, Configuration] | None = None

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
        for _ in context.ticks():
            self._names(context)
            pid = self._pid()
            self._file(context, pid)
            self._loaded(context, pid)
            if self._unjudged is not None:
                # The first picture does not wait for it.
                if context.wait(min(JUDGE_AFTER_S, context.interval_s)):
                    return
                self._judge(context, pid)

    def _names(self, context: Context) -> None:
        now = stamp_of(HOSTS)
        if now != self._hosts_stamp:
            self._hosts_stamp = now
            context.emit("names", NamesSeen(host_names()))

    def _file(self, context: Context, pid: int) -> None:
        path = self._path or (config_file(pid) if pid else "") or DEFAULT_CONFIG
        files = self._files if self._files and self._files[0] == path else (path,)
        now = (path, stamp(files))
        if now == self._file_stamp:
            return
        self._file_stamp = now
        main = stamp_of(path)
        try:
            with open(path, "rb"):
                pass
            with many_objects():
                tree = load_tree(path, config_id=config_id(pid) if pid else None)
                configuration = view(tree)
        except FileNotFoundError:
            self._missing(context, f"there is no {path}", "lvstui --config FILE names another one")
            return
        except PermissionError:
            what = f"{path} may not be read: no names, no configured weights, no checks"
            self._missing(context, what, "run lvstui as root: sudo lvstui")
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
        if self._files != files:
            # Files that the stamp of before does not know. What is written while it is read must
            # differ from it, or it would never be read.
            now = (path, stamp(self._files))
            self._file_stamp = now if stamp_of(path) == main else None
        context.emit(self.name, Available(self.name))
        context.emit(self.name, ConfigurationSeen(configuration))
        self._unjudged = tree, configuration

    def _judge(self, context: Context, pid: int) -> None:
        """What may be shown of the files that were read last, and what is wrong with them."""
        assert self._unjudged is not None
        (tree, configuration), self._unjudged = self._unjudged, None
        try:
            files = judged(tree, configuration, binary_of(pid).version)
        except Exception as error:
            # A fault of ours over this text: what it means to services is known all the same.
            what = f"what is wrong in the configuration: {type(error).__name__}: {error}"
            context.missing("lint", plain(what, 300))
        else:
            context.emit("lint", Available("lint"))
            context.emit("lint", FilesSeen(files))

    def _missing(self, context: Context, what: str, remedy: str) -> None:
        context.missing(self.name, plain(what), remedy)

    def _loaded(self, context: Context, pid: int) -> None:
        if not pid:
            self._loaded_stamp = None
            return
        path = self._loaded_path
        if not path.startswith(f"/proc/{pid}/") or not _is_copy(path):
            path = self._loaded_path = loaded_path(pid)
        now = (pid, path, stamp_of(path) if path else None)
        if now == self._loaded_stamp:
            return
        self._loaded_stamp = now
        if not path:
            remedy = "run lvstui as root, with keepalived 2.2.0 or later"
            context.missing("memfd", "which configuration keepalived has loaded", remedy)
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
        try:
            configuration = parse_consolidated(data, config_id=config_id(pid))
        except Exception as error:
            # As above.
            what = f"what keepalived has loaded is not understood: {type(error).__name__}: {error}"
            context.missing("memfd", plain(what, 300))
            return
        context.emit("memfd", Available("memfd"))
        context.emit("memfd", ConfigurationSeen(configuration, loaded=True))


def _is_copy(path: str) -> bool:
    """The descriptor still is the configuration (a number is used again for other files)."""
    try:
        return "consolidated_configuration" in os.readlink(path)
    except OSError:
        return False
