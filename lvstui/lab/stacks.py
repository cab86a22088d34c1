"""The network stacks of machines: packages, files, and what is enabled at boot.

No maintainer script runs, so what they would have written and enabled is written here.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lvstui.lab.cluster import Files

_UNITS = "/usr/lib/systemd/system"
_ENABLED = "/etc/systemd/system"

BASE_PROGRAMS = {
    "usr/lib/systemd/systemd": "systemd",
    "usr/sbin/init": "systemd-sysv",
    "usr/lib/systemd/systemd-udevd": "udev",
    "usr/bin/dbus-daemon": "dbus",
    "usr/sbin/sysctl": "procps",
    "usr/share/dbus-1/system.d/org.freedesktop.systemd1.conf": "systemd",
}
"""A file looked for on the host, and the package that brings it to a machine."""

_MASKED = (
    # No terminals, no clock and no hardware of its own in a guest.
    *("modprobe@.service", "sys-fs-fuse-connections.mount", "sys-kernel-config.mount"),
    *("sys-kernel-debug.mount", "sys-kernel-tracing.mount", "dev-hugepages.mount"),
    *("getty@tty1.service", "getty-static.service", "console-getty.service", "getty.target"),
    *("serial-getty@tty0.service", "serial-getty@ttyS0.service", "serial-getty@hvc0.service"),
    *("systemd-timesyncd.service", "systemd-vconsole-setup.service"),
    # The host is no part of the machine: what is below its root was not installed here.
    *("systemd-hwdb-update.service", "systemd-journal-catalog-update.service", "ldconfig.service"),
    *("systemd-pcrphase.service", "systemd-pcrphase-sysinit.service", "ModemManager.service"),
    *("systemd-networkd-wait-online.service", "NetworkManager-wait-online.service"),
    *("wpa_supplicant.service", "systemd-binfmt.service", "proc-sys-fs-binfmt_misc.automount"),
    *("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "fstrim.timer"),
    *("e2scrub_all.timer", "e2scrub_reap.service", "logrotate.timer", "man-db.timer"),
)


def _ifupdown(addresses: Sequence[str]) -> Files:
    text = "source /etc/network/interfaces.d/*\n\nauto lo\niface lo inet loopback\n\nauto eth0\n"
    for address in addresses:
        family = "inet6" if ":" in address else "inet"
        text += f"iface eth0 {family} static\n    address {address}\n"
    return {"/etc/network/interfaces": (0o644, text)}


def _netplan(addresses: Sequence[str]) -> Files:
    text = textwrap.dedent(f"""\
        network:
          version: 2
          renderer: networkd
          ethernets:
            eth0:
              dhcp4: false
              dhcp6: false
              accept-ra: false
              addresses: [{", ".join(f'"{address}"' for address in addresses)}]
        """)
    return {"/etc/netplan/01-lab.yaml": (0o600, text)}


def _networkmanager(addresses: Sequence[str]) -> Files:
    four = [address for address in addresses if ":" not in address]
    six = [address for address in addresses if ":" in address]
    lines = ["[connection]", "id=eth0", "uuid=2b0d6a5e-6c0e-4c0a-9d5e-000000000001"]
    lines += ["type=ethernet", "interface-name=eth0", "", "[ipv4]", "method=manual"]
    lines += [f"address{number}={address}" for number, address in enumerate(four, 1)]
    lines += ["", "[ipv6]", "method=" + ("manual" if six else "link-local")]
    lines += [f"address{number}={address}" for number, address in enumerate(six, 1)]
    path = "/etc/NetworkManager/system-connections/eth0.nmconnection"
    # Debian's own file has it too; without the plugin's line eth0 would be left alone when an
    # /etc/network/interfaces names it.
    conf = "[main]\nplugins=ifupdown,keyfile\n\n[ifupdown]\nmanaged=false\n"
    return {
        path: (0o600, "\n".join(lines) + "\n"),
        "/etc/NetworkManager/NetworkManager.conf": (0o644, conf),
    }


def _networkd(addresses: Sequence[str]) -> Files:
    lines = ["[Match]", "Name=eth0", "", "[Network]", "IPv6AcceptRA=no"]
    lines += [f"Address={address}" for address in addresses]
    return {"/etc/systemd/network/20-eth0.network": (0o644, "\n".join(lines) + "\n")}


@dataclass(frozen=True, slots=True)
class LabStack:
    """One way to manage the network."""

    name: str
    files: Callable[[Sequence[str]], Files]
    """The configuration of eth0 with these addresses (with their prefix length)."""
    programs: tuple[tuple[str, str], ...] = ()
    units: tuple[str, ...] = ()
    """Enabled for multi-user.target."""
    aliases: tuple[tuple[str, str], ...] = ()
    """Other links to units, below the folder of those that are enabled."""
    folders: tuple[str, ...] = ()
    """Folders that the packages bring and that are hidden with what this host has in them."""

    @property
    def configures_itself(self) -> bool:
        """Whether the machine's init has nothing to do for eth0."""
        return self.name != "plain"


_NETWORKD = "systemd-networkd.service"
_NETWORKD_ALIASES = (
    ("sockets.target.wants/systemd-networkd.socket", "systemd-networkd.socket"),
    ("dbus-org.freedesktop.network1.service", _NETWORKD),
)
_HOOKS = ("if-pre-up.d", "if-up.d", "if-down.d", "if-post-down.d", "interfaces.d")
_ALL = (
    LabStack(
        "ifupdown",
        _ifupdown,
        (("usr/sbin/ifup", "ifupdown"),),
        ("networking.service",),
        (("network-online.target.wants/networking.service", "networking.service"),),
        tuple(f"/etc/network/{name}" for name in _HOOKS),
    ),
    LabStack(
        "netplan",
        _netplan,
        (("usr/sbin/netplan", "netplan.io"),),
        (_NETWORKD,),
        _NETWORKD_ALIASES,
        ("/etc/netplan",),
    ),
    LabStack(
        "networkmanager",
        _networkmanager,
        (("usr/sbin/NetworkManager", "network-manager"),),
        ("NetworkManager.service",),
        (("dbus-org.freedesktop.nm-dispatcher.service", "NetworkManager-dispatcher.service"),),
    ),
    LabStack("networkd", _networkd, (), (_NETWORKD,), _NETWORKD_ALIASES),
    LabStack("plain", lambda addresses: {}),
)
STACKS: dict[str, LabStack] = {stack.name: stack for stack in _ALL}
"""All stacks by name; `plain` has none: eth0 is configured before systemd starts."""


def folders(stack: LabStack) -> list[str]:
    """Folders of a machine that show nothing of what this host has in them."""
    return ["/etc/sudoers.d", "/etc/systemd/network", *stack.folders]


def links(stack: LabStack, director: bool = False) -> dict[str, str]:
    """Symbolic links that enable and mask units."""
    own = "keepalived.service" if director else "lab-services.service"
    result = {f"{_ENABLED}/default.target": f"{_UNITS}/multi-user.target"}
    result |= {f"{_ENABLED}/{unit}": "/dev/null" for unit in _MASKED}
    for unit in ("ssh.service", own, *stack.units):
        # The lab's own unit is no package's.
        where = _ENABLED if unit == "lab-services.service" else _UNITS
        result[f"{_ENABLED}/multi-user.target.wants/{unit}"] = f"{where}/{unit}"
    result |= {f"{_ENABLED}/{link}": f"{_UNITS}/{unit}" for link, unit in stack.aliases}
    # As Debian 12 has it: the last word in sysctl.d is /etc/sysctl.conf.
    result["/etc/sysctl.d/99-sysctl.conf"] = "../sysctl.conf"
    return result
