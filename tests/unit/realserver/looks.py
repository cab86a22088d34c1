"""Answers of `look.sh` for hosts that no machine of the lab can be: written after the text that
the tools of those systems print (iproute2 4.11 without JSON, initscripts 9.49, wicked 0.6, OpenRC
0.54), not recorded from a running host. What the lab can be is recorded: see `recorded`.
"""

from __future__ import annotations

from pathlib import Path

from lvstui.realserver.facts import HostFacts
from lvstui.realserver.parse import facts

NONCE = "n0"
AT = 1_000_000.0
DATA = Path(__file__).parents[2] / "data" / "looks"


def recorded(name: str) -> HostFacts:
    """What a machine of the lab answered (`python -m tests.record_looks` records it anew)."""
    text = (DATA / f"{name}.txt").read_text(encoding="utf-8")
    return facts(text, NONCE, "10.10.0.51", AT)


def whole(path: str, content: str, mode: str = "644") -> str:
    """A file as look.sh prints it."""
    return f"file\t{path}\t{mode}\t0\t0\t\t{content.encode().hex()}"


def look(**parts: str) -> HostFacts:
    """Facts from sections; names with `_` for `-`. Anything left out is as on `BASE`."""
    chosen = {**BASE, **{name.replace("_", "-"): text for name, text in parts.items()}}
    text = "".join(f"\n@@{NONCE} {name}\n{body}\n" for name, body in chosen.items())
    return facts(text + f"\n@@{NONCE} end\n", NONCE, "10.10.0.3", AT)


def sysctls(**values: str) -> str:
    """The sysctl section: `all_arp_ignore="1"`; the rest is 0."""
    keys = ("arp_ignore", "arp_announce", "rp_filter")
    lines = [
        f"ipv4 {link} {key} {values.get(f'{link}_{key}', '0')}"
        for link in ("all", "default", "eth0", "lo")
        for key in keys
    ]
    lines += [f"ipv6 {link} disable_ipv6 {values.get('ipv6_off', '0')}" for link in ("all", "lo")]
    return "\n".join(lines)


def lo(*more: str) -> str:
    """The address section: 127.0.0.1, eth0 with 10.10.0.3, and more lines."""
    lines = [
        "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever",
        "2: eth0    inet 10.10.0.3/24 brd 10.10.0.255 scope global eth0\\       valid_lft forever "
        "preferred_lft forever",
        "2: eth0    inet6 fe80::5054:ff:fe00:3/64 scope link \\       valid_lft forever",
    ]
    return "\n".join([*lines, *more])


VIP_ON_LO = (
    "1: lo    inet 10.10.0.20/32 scope global lo:0\\       valid_lft forever preferred_lft forever"
)

BASE = {
    "host": "uid 0\nname rs1\nkernel 6.1.0\nboot b-1\ninit systemd\nsystemd 252\n"
    "program ip /usr/sbin/ip\nprogram ss /usr/bin/ss\nwritable /etc\nfree /etc 8000000\n"
    "writable /var/lib\nfree /var/lib 8000000",
    "release": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"',
    "addresses": lo(),
    "links": "2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue\\    "
    "link/ether 52:54:00:00:00:03 brd ff:ff:ff:ff:ff:ff",
    "rules": "0:\tfrom all lookup local \n32766:\tfrom all lookup main ",
    "routes": "to 10.10.0.2 10.10.0.2 dev eth0 src 10.10.0.3 \\    cache\n"
    "away 10.10.0.20 198.51.100.9 via 10.10.0.1 dev eth0 src 10.10.0.3 uid 0 ",
    "sysctls": sysctls(),
    "sysctl-files": "F\t/etc/sysctl.d/99-sysctl.conf\t../sysctl.conf\nF\t/etc/sysctl.conf\t",
    "listeners": "ss\nState  Recv-Q Send-Q Local Address:Port Peer Address:Port\n"
    "LISTEN 0      128     0.0.0.0:80         0.0.0.0:*\nudp\n"
    "State  Recv-Q Send-Q Local Address:Port Peer Address:Port",
}
"""A Debian with systemd and nothing else."""

IFCFG_LO = (
    "DEVICE=lo\nIPADDR=127.0.0.1\nNETMASK=255.0.0.0\nNETWORK=127.0.0.0\n"
    "BROADCAST=127.255.255.255\nONBOOT=yes\nNAME=loopback\n"
)

CENTOS7 = {
    "host": "uid 0\nname web1.example\nkernel 3.10.0-1160.el7.x86_64\nboot b-1\ninit systemd\n"
    "systemd 219\nprogram ip /usr/sbin/ip\nprogram ss /usr/sbin/ss\n"
    "program restorecon /usr/sbin/restorecon\nprogram systemd-run /usr/bin/systemd-run\n"
    "writable /etc\nfree /etc 40000000\nwritable /var/lib\nfree /var/lib 40000000",
    "release": 'NAME="CentOS Linux"\nVERSION="7 (Core)"\nID="centos"\nID_LIKE="rhel fedora"\n'
    'VERSION_ID="7"\nPRETTY_NAME="CentOS Linux 7 (Core)"',
    "network-manager": "running:1.18.8",
    "network-scripts": "service enabled\nactive active\ninit yes\nrc yes\n"
    + whole("/etc/sysconfig/network-scripts/ifcfg-lo", IFCFG_LO),
    "selinux": "Enforcing",
    "sysctl-files": "F\t/etc/sysctl.d/99-sysctl.conf\t../sysctl.conf\n"
    "F\t/usr/lib/sysctl.d/00-system.conf\t\nF\t/usr/lib/sysctl.d/50-default.conf\t\n"
    "F\t/etc/sysctl.conf\t",
}
"""The host of the classic recipe: the network service, NetworkManager too old for lo, SELinux."""

ALPINE = {
    "host": "uid 0\nname rs1\nkernel 6.6.0\nboot b-1\ninit init\nopenrc yes\n"
    "program ip /sbin/ip\nwritable /etc\nfree /etc 800000\nwritable /var/lib\n"
    "free /var/lib 800000",
    "release": 'ID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME="Alpine Linux v3.20"',
    "ifupdown": "version ifupdown-ng 0.11.3\nservice enabled\n"
    + whole("/etc/network/interfaces", "auto lo\niface lo inet loopback\n\nauto eth0\n"),
    "sysctl-files": "F\t/etc/sysctl.d/00-alpine.conf\t\nF\t/etc/sysctl.conf\t",
}

LEAP = {
    "release": 'ID="opensuse-leap"\nVERSION_ID="15.6"\nPRETTY_NAME="openSUSE Leap 15.6"',
    "wicked": "active active\n"
    + whole("/etc/sysconfig/network/ifcfg-lo", "IPADDR='127.0.0.1/8'\nSTARTMODE='nfsroot'"),
}
