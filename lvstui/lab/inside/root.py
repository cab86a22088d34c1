"""A node's private root: overlay over the host's, with the host's private parts covered."""

from __future__ import annotations

import contextlib
import os

from lvstui.lab.inside import accounts, kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HOSTFS = "/.host"
"""Where the agent keeps the host's root (hostfs, read only); unmounted in the nodes."""

LAYER = "/.layer"
"""Where the agent keeps the package layer."""

RELEASES = "/.releases"
"""Where the agent keeps the layers of directors with keepalived of another release, by node."""

_DEVICES = {
    "null": (1, 3),
    "zero": (1, 5),
    "full": (1, 7),
    "random": (1, 8),
    "urandom": (1, 9),
    "tty": (5, 0),
    "net/tun": (10, 200),
}

_KEPT = ("/etc/keepalived/keepalived.config-opts",)
"""Files under covered folders that belong to a program: keepalived 2.3 reads its build options."""


def overlay(work: str, layers: list[str]) -> str:
    """Mount an overlay whose upper layer lies in `work` (a tmpfs); the path of the new root."""
    for name in ("upper", "work", "root"):
        os.mkdir(f"{work}/{name}")
    options = f"lowerdir={':'.join(layers)},upperdir={work}/upper,workdir={work}/work"
    # "off" because the layers differ in what they can store as extended attributes.
    kernel.mount("overlay", f"{work}/root", "overlay", 0, options + ",xino=off,redirect_dir=off")
    return f"{work}/root"


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return None


def cover(root: str, path: str, mode: int) -> None:
    """Put an empty tmpfs over a folder, if the folder is there."""
    target = root + path
    if os.path.isdir(target) and not os.path.islink(target):
        kernel.mount("tmpfs", target, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, f"mode={mode:o}")


def bind_back(root: str, path: str) -> None:
    """Make a folder or file of the host reachable again, read only, under a covered folder."""
    source, target = HOSTFS + path, root + path
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    elif os.path.exists(source):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    else:
        return
    kernel.bind(source, target, read_only=True)


def devices(root: str) -> None:
    """A small /dev of the node's own, with its own pseudo terminals."""
    dev = root + "/dev"
    kernel.mount("tmpfs", dev, "tmpfs", kernel.MS_NOSUID, "mode=755")
    for folder in ("pts", "shm", "net"):
        os.mkdir(f"{dev}/{folder}")
    kernel.mount("devpts", dev + "/pts", "devpts", 0, "newinstance,ptmxmode=0666,mode=0620,gid=5")
    kernel.mount("tmpfs", dev + "/shm", "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=1777")
    for name, (major, minor) in _DEVICES.items():
        os.mknod(f"{dev}/{name}", 0o020666, os.makedev(major, minor))
        os.chmod(f"{dev}/{name}", 0o666)
    os.symlink("pts/ptmx", dev + "/ptmx")
    os.symlink("/proc/self/fd", dev + "/fd")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.symlink(f"/proc/self/fd/{number}", f"{dev}/{name}")


def build(plan: dict[str, Any], node: dict[str, Any]) -> None:
    """Make this process's root the node's.  Needs fresh mount, PID and network namespaces.

    Order matters: the overlay first, covers next, then what is bound back under the covers, at last
    the pivot, after which the host's root is out of reach.
    """
    kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("tmpfs", "/mnt", "tmpfs", 0, "mode=755")
    layers = [LAYER, HOSTFS] if plan["layer"] else [HOSTFS]
    if node["release"]:
        layers.insert(0, f"{RELEASES}/{node['name']}")
    new = overlay("/mnt", layers)
    accounts.own_programs(new)
    kept = {path: content for path in _KEPT if (content := _read(new + path)) is not None}
    for path, mode in plan["covers"]:
        cover(new, path, mode)
    for path, content in kept.items():
        write(new + path, 0o644, content)
    for path in plan["binds"]:
        bind_back(new, path)
    for name in ("proc", "sys"):
        os.makedirs(f"{new}/{name}", exist_ok=True)
    kernel.mount("proc", new + "/proc", "proc")
    kernel.mount("sysfs", new + "/sys", "sysfs", kernel.MS_RDONLY)
    devices(new)
    os.makedirs(new + "/run/lvstui-old")
    kernel.pivot_root(new, new + "/run/lvstui-old")
    os.chdir("/")
    kernel.unmount_lazily("/run/lvstui-old")
    os.rmdir("/run/lvstui-old")
    for path, (mode, text) in node["files"].items():
        write(path, mode, text)
    install_users("", node["files"]["/root/.ssh/authorized_keys"][1])


def write(path: str, mode: int, text: str) -> None:
    """Write a file, replacing links (an /etc/resolv.conf often points elsewhere)."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def install_users(root: str, authorized_keys: str, daemons: bool = False) -> None:
    """The users that maintainer scripts would have made below a root folder (`daemons`: those of
    systemd and other daemons as well), and those who try things out."""
    for path, make in (("/etc/passwd", accounts.passwd), ("/etc/group", accounts.group)):
        write(root + path, 0o644, make(_read(root + path) or "", daemons))
    write(root + "/etc/shadow", 0o600, accounts.shadow())
    for path, (mode, text) in accounts.FILES.items():
        write(root + path, mode, text)
    accounts.homes(root, authorized_keys)
