"""keepalived on this host in a few words, from what was seen of it. Pure."""

from __future__ import annotations

from lvstui.model.config import Configuration
from lvstui.model.facts import DaemonSeen, OtherDaemons, ProcessState
from lvstui.model.picture import DaemonView


def daemon_view(
    daemon: DaemonSeen | None,
    others: OtherDaemons,
    processes: tuple[ProcessState, ...],
    file: Configuration | None,
    loaded: Configuration | None,
) -> DaemonView:
    """daemon: None: not looked at yet. file, loaded: the configuration on disk, and its own."""
    if daemon is None:
        return DaemonView()
    same: bool | None = None
    if file is not None and loaded is not None:
        same = bool(file.digest) and file.digest == loaded.digest
    return DaemonView(
        installed=daemon.installed,
        running=daemon.running,
        version=daemon.version,
        pid=daemon.pid,
        started=daemon.started,
        loaded_is_file=same,
        config_file=daemon.config_file,
        beside=others.here,
        elsewhere=others.elsewhere,
        processes=processes,
    )
