"""The network configuration that nodes have on disk, as a Debian without systemd has it.

Nothing reads it when a node starts (the node sets its addresses itself); it is there for programs
that ask how this host would come up again, and for `ifup` and `ifdown`.
"""

from __future__ import annotations

from collections.abc import Sequence

INTERFACES = """\
source /etc/network/interfaces.d/*

auto lo
iface lo inet loopback
"""


def files(
    addresses: Sequence[str], loopback: Sequence[str], sysctls: Sequence[tuple[str, str]]
) -> dict[str, tuple[int, str]]:
    """Path to (mode, text).

    addresses: of eth0, with prefix; loopback: VIPs with prefix, none on a bare host; sysctls: path
    below /proc/sys and value.
    """
    lines = ["auto eth0"]
    for address in addresses:
        family = "inet6" if ":" in address else "inet"
        lines += [f"iface eth0 {family} static", f"    address {address}"]
    result = {
        "/etc/network/interfaces": (0o644, INTERFACES),
        "/etc/network/interfaces.d/eth0": (0o644, "\n".join(lines) + "\n"),
        "/etc/rcS.d/S10networking": (0o755, "#!/bin/sh\n# the lab sets its addresses itself\n"),
        "/run/network/ifstate": (0o644, "lo=lo\neth0=eth0\n"),
    }
    if loopback:
        lines = []
        for number, vip in enumerate(loopback):
            family = "inet6" if ":" in vip else "inet"
            lines += [f"auto lo:{number}", f"iface lo:{number} {family} static"]
            lines += [f"    address {vip}", ""]
        result["/etc/network/interfaces.d/vip"] = (0o644, "\n".join(lines))
        text = "".join(f"{path.replace('/', '.')} = {value}\n" for path, value in sysctls)
        result["/etc/sysctl.d/99-zz-vip.conf"] = (0o644, text)
    return result
