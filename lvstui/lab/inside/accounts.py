"""The users of the lab's hosts, and the files in which a system keeps its users.

`ops` becomes root by sudo with its password, `deploy` by sudo without one, `guest` not at all.  The
lab's root key logs in as each of them.
"""

from __future__ import annotations

import os

_HASH = (
    "$6$lvstuilab$n2RGPUl2Dmj5OvYEiRXAlUk3JnK7HWXmVKf56ojn13I5aTv6N7so1xdk5edkVag3PpUEfYz2WPh9CAPj"
    "LMAUf."
)
"""The password `lab` as crypt(3) stores it: Python 3.13 cannot compute it any more."""

PEOPLE: dict[str, tuple[int, str]] = {
    "ops": (1001, _HASH),
    "deploy": (1002, "*"),
    "guest": (1003, _HASH),
}
"""Name: uid (and gid), password as in /etc/shadow."""

_SYSTEM_USERS = {"sshd": 65530, "tcpdump": 65529}
_DAEMONS = ("messagebus", "systemd-network", "systemd-resolve", "systemd-timesync", "polkitd")
_DAEMON_IDS = dict(zip(_DAEMONS, range(64010, 64015), strict=True))
_GROUPS = ("systemd-journal", "netdev", "render", "kvm", "sgx", "input")
_GROUP_IDS = dict(zip(_GROUPS, range(64020, 64026), strict=True))
_SUDOERS = """\
Defaults env_reset
Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
root ALL=(ALL:ALL) ALL
ops ALL=(ALL:ALL) ALL
deploy ALL=(ALL:ALL) NOPASSWD: ALL
@includedir /etc/sudoers.d
"""
# Written out, because the files that Debian's include are those of this host, with what its
# administrator may have added.
_PAM_SUDO = """\
auth required pam_unix.so
account required pam_unix.so
session required pam_permit.so
"""
FILES: dict[str, tuple[int, str]] = {
    "/etc/sudoers": (0o440, _SUDOERS),
    "/etc/pam.d/sudo": (0o644, _PAM_SUDO),
    "/etc/pam.d/sudo-i": (0o644, _PAM_SUDO),
}
"""Path: mode and text of what sudo needs."""

_ROOTS_FILES = {
    "/usr/bin/sudo": 0o4755,
    "/usr/libexec/sudo/sudoers.so": 0o644,
    "/etc/sudo.conf": 0o644,
    "/etc/sudo_logsrvd.conf": 0o644,
    "/usr/sbin/keepalived": 0o755,
    "/usr/lib/lab-releases/ld.so": 0o755,
}
"""What sudo refuses to use unless it is root's; and a keepalived that is not is nobody's daemon."""

_ROOTS_FOLDERS = (
    *("/etc", "/usr", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/libexec/sudo", "/usr/share"),
    *("/var", "/var/lib"),
)
"""keepalived runs no script below a folder that is not root's."""


def _without(text: str, names: set[str], numbers: set[str]) -> list[str]:
    """Lines of passwd or group that are about none of the names and numbers."""
    split = (line.split(":") for line in text.splitlines())
    kept = (w for w in split if len(w) > 2 and w[0] not in names and w[2] not in numbers)
    return [":".join(words) for words in kept]


def passwd(text: str, daemons: bool) -> str:
    """/etc/passwd with the lab's users in place of those of the same name or number.

    daemons: also the users of systemd's and other daemons, where they are missing.
    """
    names = {"root", *_SYSTEM_USERS, *PEOPLE}
    lines = _without(text, names, {str(number) for number, _ in PEOPLE.values()})
    lines.insert(0, "root:x:0:0:root:/root:/bin/bash")
    for name, number in _SYSTEM_USERS.items():
        lines.append(f"{name}:x:{number}:65534:{name}:/nonexistent:/usr/sbin/nologin")
    have = {line.split(":")[0] for line in lines}
    for name, number in _DAEMON_IDS.items() if daemons else ():
        if name not in have:
            lines.append(f"{name}:x:{number}:{number}:{name}:/nonexistent:/usr/sbin/nologin")
    for name, (number, _) in PEOPLE.items():
        lines.append(f"{name}:x:{number}:{number}:{name}:/home/{name}:/bin/bash")
    return "\n".join(lines) + "\n"


def group(text: str, daemons: bool) -> str:
    """/etc/group, likewise."""
    lines = _without(text, {"tcpdump", *PEOPLE}, {str(number) for number, _ in PEOPLE.values()})
    lines.append(f"tcpdump:x:{_SYSTEM_USERS['tcpdump']}:")
    have = {line.split(":")[0] for line in lines}
    for name, number in {**_DAEMON_IDS, **_GROUP_IDS}.items() if daemons else ():
        if name not in have:
            lines.append(f"{name}:x:{number}:")
    lines += [f"{name}:x:{number}:" for name, (number, _) in PEOPLE.items()]
    return "\n".join(lines) + "\n"


def shadow() -> str:
    """/etc/shadow: nobody has a password but the lab's people; root logs in by key only."""
    words = {"root": "*", **dict.fromkeys(_SYSTEM_USERS, "*")}
    words |= {name: word for name, (_, word) in PEOPLE.items()}
    return "".join(f"{name}:{word}:20000:0:99999:7:::\n" for name, word in words.items())


def homes(root: str, authorized_keys: str) -> None:
    """Home folders below a root folder, each with the lab's key."""
    for name, (number, _) in PEOPLE.items():
        home = f"{root}/home/{name}"
        os.makedirs(home + "/.ssh", exist_ok=True)
        path = home + "/.ssh/authorized_keys"
        with open(path, "w", encoding="utf-8") as file:
            file.write(authorized_keys)
        for item, mode in ((home, 0o755), (home + "/.ssh", 0o700), (path, 0o600)):
            os.chown(item, number, number)
            os.chmod(item, mode)


def own_plugins(root: str) -> None:
    """NetworkManager loads no plugin that is not root's."""
    folder = root + "/usr/lib/x86_64-linux-gnu/NetworkManager"
    for place, _, names in os.walk(folder):
        for name in names:
            if os.stat(f"{place}/{name}").st_uid:
                os.chown(f"{place}/{name}", 0, 0)


def own_programs(root: str) -> None:
    """Programs of which it matters belong to root, with the folders above them, and sudo is setuid,
    whoever unpacked the layer that they are from. Costs what copying them into the root costs, and
    nothing where they are root's already."""
    for path, mode in _ROOTS_FILES.items():
        if os.path.exists(root + path) and not os.path.islink(root + path):
            state = os.stat(root + path)
            if (state.st_uid, state.st_gid, state.st_mode & 0o7777) != (0, 0, mode):
                os.chown(root + path, 0, 0)
                os.chmod(root + path, mode)
    for path in _ROOTS_FOLDERS:
        folder = root + path
        if os.path.isdir(folder) and not os.path.islink(folder) and os.stat(folder).st_uid:
            os.chown(folder, 0, 0)
