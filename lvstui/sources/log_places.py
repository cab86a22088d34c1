"""Where this host keeps keepalived's log.

Looked for in this order; the first that works is followed, so that no line counts twice:

1. keepalived's own file, when it logs nowhere else (`-G`) or flushes that file at every line
   (`-g --flush-log-file`): otherwise lines wait in its buffer. Each of its processes has a file.
   With `-n -l` what its standard error goes to, when that is a file.
2. the journal, when /dev/log belongs to journald: it has microseconds.
3. a syslog file: of those that hold lines of keepalived, the one that was written last.
4. keepalived's own file though it is buffered; at last the newest syslog file, on trust.
"""

from __future__ import annotations

import glob
import os
import shutil
import stat
from dataclasses import dataclass

from lvstui.model.facts import Missing
from lvstui.model.text import plain
from lvstui.process import trust
from lvstui.sources.base import modified
from lvstui.sources.processes import PROC, command_line, inside, options_of, tmp_dir

SYSLOG_FILES = (
    *("/var/log/keepalived*.log", "/var/log/keepalived/*.log"),
    *("/var/log/syslog", "/var/log/messages", "/var/log/daemon.log"),
)
JOURNALS = ("/var/log/journal/*/system.journal", "/run/log/journal/*/system.journal")
_TAIL = 1 << 19


@dataclass(frozen=True, slots=True)
class LogPlace:
    kind: str
    """own, journal or file."""
    paths: tuple[str, ...] = ()
    sure: bool = True
    """False: a guess that is looked at again soon."""


def own_files(pid: int) -> tuple[str, ...]:
    """The log files that keepalived's command line names and that exist."""
    options = options_of(command_line(pid))
    found: list[str] = []
    if "g" in options:
        main = options["g"] or "keepalived.log"
        folder, name = os.path.split(main)
        folder = inside(pid, folder) if folder.startswith("/") else tmp_dir(pid)
        stem, extension = os.path.splitext(name)
        # NAME.log of the parent, NAME_vrrp.log … of the others, then netns and instance.
        for shape in (f"{stem}{extension}", f"{stem}_*{extension}"):
            found += sorted(glob.glob(os.path.join(glob.escape(folder), shape)))
    if "l" in options and "n" in options:
        console = f"{PROC}/{pid}/fd/2"
        try:
            target = os.readlink(console)
            if stat.S_ISREG(os.stat(console).st_mode) and not target.endswith("(deleted)"):
                found.append(inside(pid, target))
        except OSError:
            # Not root, or gone.
            pass
    return tuple(path for path in dict.fromkeys(found) if _is_its_own(path))


def _is_its_own(path: str) -> bool:
    """Readable, and nobody else can have laid it there: `-g` alone means a file in /tmp."""
    try:
        info, folder = os.lstat(path), os.stat(os.path.dirname(path))
    except OSError:
        return False
    planted = info.st_uid not in trust.ROOT or not stat.S_ISREG(info.st_mode)
    return not (folder.st_mode & 0o022 and planted) and os.access(path, os.R_OK)


def _journal_has_it() -> bool:
    """Whether journald takes what is written to /dev/log."""
    return (
        os.path.realpath("/dev/log").startswith("/run/systemd/journal")
        and os.path.exists("/run/systemd/journal/socket")
        and shutil.which("journalctl") is not None
    )


def _journal_readable() -> bool:
    return any(os.access(path, os.R_OK) for shape in JOURNALS for path in glob.glob(shape))


def _mentions_keepalived(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            return b"eepalived" in file.read(_TAIL)
    except OSError:
        return False


def find(pid: int, files: tuple[str, ...] = SYSLOG_FILES) -> LogPlace | Missing:
    """The place to read, or why there is none. `pid` is the daemon's parent, 0 when unknown."""
    own = own_files(pid) if pid else ()
    options = options_of(command_line(pid)) if pid else {}
    if own and ("G" in options or "flush" in options):
        return LogPlace("own", own)
    journal = _journal_has_it()
    if journal and _journal_readable():
        return LogPlace("journal")
    there = [path for shape in files for path in sorted(glob.glob(shape)) if os.path.isfile(path)]
    allowed = (path for path in dict.fromkeys(there) if os.access(path, os.R_OK))
    readable = sorted(allowed, key=modified, reverse=True)
    for path in readable:
        if _mentions_keepalived(path):
            return LogPlace("file", (path,))
    if own:
        return LogPlace("own", own)
    if readable:
        return LogPlace("file", (readable[0],), sure=False)
    if journal:
        what = "keepalived's log is in the journal, which this user may not read"
        remedy = "run lvstui as root, or add the user to group systemd-journal (or adm)"
    elif there:
        what = f"keepalived's log may be in {plain(there[0])}, which this user may not read"
        remedy = "run lvstui as root, or add the user to group adm"
    elif "G" in options:
        what = "keepalived was started with --no-syslog and its own log can not be read"
        remedy = "take -G (--no-syslog) away from its options"
    else:
        what = "no log of keepalived was found"
        remedy = "keepalived logs to syslog, facility daemon: run journald or a syslog daemon"
    return Missing("log", what, remedy)
