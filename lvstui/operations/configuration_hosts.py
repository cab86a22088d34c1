"""The directors that a change concerns: how to reach them, all at once, one thread each."""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TypeVar

from lvstui.keepalived.daemon.facts import DaemonLook, DirectorSeen
from lvstui.keepalived.daemon.look import judge, look_config, look_daemon
from lvstui.kernel.table import TableReader
from lvstui.kernel.truncated import LeftOut
from lvstui.model.text import plain
from lvstui.remote.runner import ErrorKind, RemoteError, Runner

log = logging.getLogger("lvstui")
T = TypeVar("T")
K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class DirectorAccess:
    """One director and the way to it."""

    name: str
    """As the operator names it; the same in plans, history and audit."""
    connect: Callable[[], Runner]
    """Raises RemoteError. The runner is closed after use."""
    local: bool = False
    """This very host: its kernel can be asked by netlink."""


def look_daemon_at(where: DirectorAccess, runner: Runner, *, brief: bool = False) -> DaemonLook:
    """The daemon there, root or not; `brief` as for `look_daemon`. Raises RemoteError."""
    try:
        daemon = look_daemon(runner, brief=brief)
    except RemoteError as error:
        if error.trouble is not ErrorKind.ROOT:
            raise
        daemon = look_daemon(runner, root=False, brief=brief)
    return replace(daemon, host=where.name)


def with_left_out(daemon: DaemonLook) -> DaemonLook:
    """This host's daemon with the services that its table lacks, by netlink. Never raises: where
    netlink cannot say, the table stands for itself."""
    if len(daemon.table) <= os.sysconf("SC_PAGESIZE"):
        # The kernel leaves services out behind the first page only.
        return daemon
    try:
        file = TableReader().parse(daemon.table)
    except ValueError:
        return daemon
    reader = LeftOut()
    try:
        whole = reader.complete(file)
    finally:
        reader.close()
    return replace(daemon, left_out=whole.services[len(file.services) :])


def look_at(where: DirectorAccess, runner: Runner) -> DirectorSeen:
    """The daemon there and its files. Raises RemoteError."""
    daemon = look_daemon_at(where, runner)
    if where.local:
        daemon = with_left_out(daemon)
    return judge(daemon, look_config(runner, daemon.main, daemon.config_id, root=daemon.root))


def with_runner(where: DirectorAccess, work: Callable[[Runner], T]) -> T:
    """Do something there. Raises RemoteError."""
    with closing(where.connect()) as runner:
        return work(runner)


def _place(error: BaseException) -> str:
    """Where in our code something was raised, as ` (look.py:101)`."""
    frames = traceback.extract_tb(error.__traceback__)
    return f" ({os.path.basename(frames[-1].filename)}:{frames[-1].lineno})" if frames else ""


def at_once(
    items: Iterable[K], work: Callable[[K], T]
) -> list[tuple[K, T | None, RemoteError | None]]:
    """Do the same for all at the same time; each with its result or why there is none."""
    wanted = list(items)

    def one(item: K) -> tuple[K, T | None, RemoteError | None]:
        try:
            return item, work(item), None
        except RemoteError as error:
            return item, None, error
        except OSError as error:
            return item, None, RemoteError(ErrorKind.LOST, plain(str(error)))
        except Exception as error:
            # What one host says, or what we make of it, is that host's trouble: the others, and
            # whoever waits for all of them, go on. The place is for whoever mends it.
            log.warning("a director: %s%s", type(error).__name__, _place(error))
            log.debug("a director", exc_info=True)
            what = f"{type(error).__name__}: {plain(str(error), 200)}{_place(error)}"
            failure = RemoteError(ErrorKind.LOST, f"not understood: {what}")
            failure.__cause__ = error
            return item, None, failure

    if len(wanted) < 2:
        return [one(item) for item in wanted]
    with ThreadPoolExecutor(len(wanted), thread_name_prefix="director") as pool:
        return list(pool.map(one, wanted))
