"""The init of a machine's own guest: mounts its root from its disk and becomes systemd.

The disk (ext4) holds the upper layer, so what is written stays over reboots and, once synced, over
a cut of the power.  Files are laid down at the first boot only; afterwards the root belongs to the
machine.
"""

from __future__ import annotations

import contextlib
import json
import os

from lvstui.lab.inside import accounts, kernel, rtnl
from lvstui.lab.inside.root import install_users, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_MODULES = ("overlay", "ipv6", "autofs4")
_WORK = "/tmp"
_DISK_NUMBER = (98, 0)
_MADE = "made"

# Their upper folders hide what this host has there: its people, logs, services and networks.
OPAQUE = (
    *("/root", "/home", "/tmp", "/var/tmp", "/run", "/var/log", "/srv", "/opt", "/mnt", "/media"),
    *("/etc/ssh", "/etc/keepalived", "/etc/sudoers.d", "/etc/systemd", "/etc/network"),
    *("/etc/netplan", "/etc/NetworkManager/system-connections", "/etc/NetworkManager/conf.d"),
    *("/etc/NetworkManager/dispatcher.d", "/etc/cron.hourly", "/etc/cron.daily"),
    *("/etc/sysctl.d", "/etc/modules-load.d", "/etc/udev/rules.d", "/etc/cron.d"),
    *("/var/lib/systemd", "/var/lib/NetworkManager", "/var/lib/dhcp", "/var/spool"),
    *(f"/etc/rc{level}.d" for level in "0123456S"),
)
_DAEMON = (*("/usr/sbin/keepalived", "/lib64/ld-linux-x86-64.so.2"), "/usr/lib/lab-releases/ld.so")
# /root may be passed by all: the Python of whoever started the lab may lie below it.
_MODES = {"/root": 0o711, "/tmp": 0o1777, "/var/tmp": 0o1777, "/etc/sudoers.d": 0o750}


def _hide(upper: str, path: str) -> None:
    """Make a folder of the upper layer that shows nothing of those below it."""
    os.makedirs(upper + path, exist_ok=True)
    os.chmod(upper + path, _MODES.get(path, 0o755))
    os.setxattr(upper + path, "trusted.overlay.opaque", b"y")


def _install(root: str, plan: dict[str, Any]) -> None:
    """What installing the packages would have done, and this machine's own configuration."""
    install_users(root, plan["files"]["/root/.ssh/authorized_keys"][1], daemons=True)
    for path in plan["folders"]:
        os.makedirs(root + path, exist_ok=True)
    for path, (mode, text) in plan["files"].items():
        write(root + path, mode, text)
    for path, target in plan["links"].items():
        os.makedirs(os.path.dirname(root + path), exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(root + path)
        os.symlink(target, root + path)
    # Where this host is a container, systemd would take the machine for one, and not sync the disk
    # before it reboots.
    with contextlib.suppress(FileNotFoundError):
        os.unlink(root + "/.dockerenv")
    accounts.own_programs(root)
    accounts.own_plugins(root)
    if os.path.exists(root + "/usr/sbin/netplan"):
        # Its command line finds its own library by the linker's cache only.
        _do_in(root, lambda: os.execve("/sbin/ldconfig", ["ldconfig"], {"PATH": _PATH}))
    _do_in(root, _own_daemon)


def _do_in(root: str, work: Callable[[], None]) -> None:
    pid = os.fork()
    if pid == 0:
        try:
            os.chroot(root)
            os.chdir("/")
            work()
        finally:
            os._exit(127)
    os.waitpid(pid, 0)


def _own_daemon() -> None:
    """keepalived, what loads it and their folders belong to root, whoever unpacked them."""
    for name in _DAEMON:
        path = os.path.realpath(name)
        while os.path.exists(path):
            if os.stat(path).st_uid:
                os.chown(path, 0, 0)
            if path == "/":
                break
            path = os.path.dirname(path)


def _mount_root(plan: dict[str, Any]) -> str:
    kernel.mount("tmpfs", _WORK, "tmpfs", 0, "mode=755")
    os.mknod(_WORK + "/ubda", 0o060600, os.makedev(*_DISK_NUMBER))
    for name in ("disk", "root"):
        os.mkdir(f"{_WORK}/{name}")
    disk = _WORK + "/disk"
    kernel.mount(_WORK + "/ubda", disk, "ext4", 0, "")
    layers = []
    for number, layer in enumerate(plan["layers"]):
        # A mount of its own: overlayfs refuses (ELOOP) a layer that lies inside another one.
        target = f"{_WORK}/layer{number}"
        os.mkdir(target)
        kernel.mount("none", target, "hostfs", kernel.MS_RDONLY, layer)
        layers.append(target)
    fresh = not os.path.exists(f"{disk}/{_MADE}")
    for name in ("upper", "work"):
        os.makedirs(f"{disk}/{name}", exist_ok=True)
    if fresh:
        for path in OPAQUE:
            _hide(disk + "/upper", path)
    root = _WORK + "/root"
    options = f"lowerdir={':'.join([*layers, '/'])},upperdir={disk}/upper,workdir={disk}/work"
    kernel.mount("overlay", root, "overlay", 0, options + ",xino=off,redirect_dir=off")
    if fresh:
        _install(root, plan)
        os.sync()
        os.close(os.open(f"{disk}/{_MADE}", os.O_CREAT | os.O_WRONLY, 0o600))
        os.sync()
    return root


def _network(plan: dict[str, Any]) -> None:
    """The NIC gets its name; the stack `plain` also its addresses, as nobody else gives them."""
    route = rtnl.LabRoute()
    route.rename("vec0", "eth0")
    if plan["configure"]:
        for name in ("lo", "eth0"):
            route.set_up(name)
        for address in plan["addresses"]:
            route.address("eth0", address)
    route.close()


def main(plan_path: str) -> None:
    """Never returns: the process becomes systemd."""
    with open(plan_path, encoding="utf-8") as file:
        plan = json.load(file)
    kernel.mount("proc", "/proc", "proc")
    modules = kernel.Modules(plan["modules"])
    for name in (*_MODULES, *plan["more_modules"]):
        modules.load(name)
    kernel.set_host_name(plan["name"])
    _network(plan)
    root = _mount_root(plan)
    for path in plan["binds"]:
        # Python and the code of the services, read only, as in the nodes. Straight from the host:
        # what lies in its /tmp is hidden here by our own work folder.
        os.makedirs(root + path, exist_ok=True)
        with contextlib.suppress(OSError):
            kernel.mount("none", root + path, "hostfs", kernel.MS_RDONLY, path)
    lib = f"{root}/usr/lib/modules/{os.uname().release}"
    os.makedirs(lib, exist_ok=True)
    kernel.mount("none", lib, "hostfs", kernel.MS_RDONLY, plan["modules"])
    kernel.unmount_lazily("/proc")
    kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    os.makedirs(root + "/mnt", exist_ok=True)
    kernel.pivot_root(root, root + "/mnt")
    os.chdir("/")
    kernel.unmount_lazily("/mnt")
    os.umask(0o022)
    os.execve("/lib/systemd/systemd", ["/sbin/init"], {"TERM": "dumb", "PATH": _PATH})


_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def serve(name: str, services: str, ipv6: bool) -> None:
    """The lab's services of a real server, as a unit of the machine.  Never returns."""
    import socket

    from lvstui.lab.inside import servers

    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    servers.serve(name, json.loads(services), theirs, ipv6)
    ours.close()
