"""ARP behaviour: which kernel settings are in force, which will be after a reboot, which must be.

The kernel takes the larger of `conf/all` and the interface that the ARP packet uses
(IN_DEV_MAXCONF in include/linux/inetdevice.h); `conf/lo` never matters for packets of a NIC.
arp_ignore 1 or 2 keeps a VIP on the loopback silent, 0 and 3 to 5 do not, 8 silences the host's
own address too (all measured). arp_announce has to be 2.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, replace

from lvstui.model.numbers import signed
from lvstui.realserver.facts import SYSCTL_FILE, HostFacts, Setting, SysctlFile
from lvstui.realserver.parse import normal_key

IGNORE, ANNOUNCE = "arp_ignore", "arp_announce"
WANTED: Mapping[str, str] = {IGNORE: "1", ANNOUNCE: "2"}
_FOLDERS = (
    "/etc/sysctl.d",
    "/run/sysctl.d",
    "/usr/local/lib/sysctl.d",
    "/usr/lib/sysctl.d",
    "/lib/sysctl.d",
)
_SYSCTL_CONF = "/etc/sysctl.conf"


def key(link: str, name: str) -> str:
    """`net/ipv4/conf/eth0.100/arp_ignore`: the path below /proc/sys, dots of a VLAN kept."""
    return f"net/ipv4/conf/{link}/{name}"


def dotted(path: str) -> str:
    """A key as people write it: `net.ipv4.conf.eth0/100.arp_ignore`."""
    return path.translate(str.maketrans("./", "/."))


def good(name: str, value: int) -> bool:
    """Whether an effective value keeps a VIP on the loopback silent."""
    return value in (1, 2) if name == IGNORE else value == 2


@dataclass(frozen=True, slots=True)
class EffectiveSysctls:
    """One parameter as it works on one interface."""

    name: str
    link: str
    all_value: int | None
    link_value: int | None

    @property
    def value(self) -> int | None:
        """The larger of the two; None when neither is known."""
        known = [value for value in (self.all_value, self.link_value) if value is not None]
        return max(known) if known else None

    @property
    def ok(self) -> bool:
        """It keeps the VIP silent."""
        return self.value is not None and good(self.name, self.value)

    def __str__(self) -> str:
        def word(value: int | None) -> str:
            return "?" if value is None else str(value)

        return (
            f"{self.name} on {self.link}: {word(self.value)} = "
            f"max(all {word(self.all_value)}, {self.link} {word(self.link_value)})"
        )


def effective(facts: HostFacts, name: str, link: str) -> EffectiveSysctls:
    """What is in force now."""
    return EffectiveSysctls(
        name, link, number(facts.sysctl(key("all", name))), number(facts.sysctl(key(link, name)))
    )


def number(text: str) -> int | None:
    """A kernel value as a number; None when unknown."""
    return signed(text.strip(), 1 << 63)


def in_order(facts: HostFacts) -> tuple[SysctlFile, ...]:
    """The files that are read at boot, in order: by name, the first folder's copy of a name wins
    (sysctl.d(5)). /etc/sysctl.conf is read last by procps; systemd-sysctl reads it only where a
    link in sysctl.d points to it."""
    chosen: dict[str, SysctlFile] = {}
    for file in facts.sysctl_files:
        folder = file.path.rpartition("/")[0]
        if folder not in _FOLDERS:
            continue
        known = chosen.get(file.name)
        if known is None or _FOLDERS.index(folder) < _FOLDERS.index(known.path.rpartition("/")[0]):
            chosen[file.name] = file
    ordered = [chosen[name] for name in sorted(chosen) if chosen[name].link != "/dev/null"]
    if not facts.systemd:
        ordered += [file for file in facts.sysctl_files if file.path == _SYSCTL_CONF]
    return tuple(ordered)


def with_ours(facts: HostFacts, content: str) -> tuple[SysctlFile, ...]:
    """The files in order as they will be once our file has that content."""
    others = tuple(file for file in facts.sysctl_files if file.path != SYSCTL_FILE)
    settings = []
    for index, line in enumerate(content.splitlines(), 1):
        name, sign, value = line.partition("=")
        if sign and not line.lstrip().startswith(("#", ";")):
            settings.append(Setting(SYSCTL_FILE, index, normal_key(name.strip()), value.strip()))
    ours = SysctlFile(SYSCTL_FILE, "", tuple(settings))
    return in_order(replace(facts, sysctl_files=(*others, ours)))


def at_boot(files: tuple[SysctlFile, ...], link: str, name: str) -> Setting | None:
    """The line of these files, in this order, that a key has its value of after a reboot.

    The last line wins; a line that names the key itself wins over a glob, and an exclusion keeps
    globs away (systemd 246 and later; procps 4). A key that nothing sets (None) is 0.
    """
    wanted = key(link, name)
    exact: Setting | None = None
    globbed: Setting | None = None
    excluded = False
    for file in files:
        for setting in file.settings:
            if setting.key == wanted:
                exact, excluded = (setting, excluded) if setting.value else (exact, True)
            elif "*" in setting.key and _globs(setting.key, wanted) and setting.value:
                globbed = setting
    return exact or (None if excluded else globbed)


def _globs(pattern: str, path: str) -> bool:
    """As glob(7): `*` stays within one part of the path."""
    parts, names = pattern.split("/"), path.split("/")
    return len(parts) == len(names) and all(
        fnmatch.fnmatchcase(name, part) for part, name in zip(parts, names, strict=True)
    )


def effective_at_boot(files: tuple[SysctlFile, ...], name: str, link: str) -> EffectiveSysctls:
    """What will be in force on an interface after a reboot."""

    def value(of: str) -> int:
        last = at_boot(files, of, name)
        return number(last.value) or 0 if last else 0

    return EffectiveSysctls(name, link, value("all"), value(link))


def losing(files: tuple[SysctlFile, ...], link: str, name: str, wanted: str) -> Setting | None:
    """The line that gives this key another value than our file wants, once our file is among
    `files`; None when ours wins or nobody else speaks."""
    last = at_boot(files, link, name)
    if last is None or last.path == SYSCTL_FILE or last.value == wanted:
        return None
    return last


def who_sets(facts: HostFacts, name: str, links: tuple[str, ...]) -> tuple[Setting, ...]:
    """Every line that touches this parameter for `all` or these interfaces, in reading order."""
    wanted = [key(link, name) for link in ("all", *links)]
    return tuple(
        setting
        for file in in_order(facts)
        for setting in file.settings
        if any(
            setting.key == path or ("*" in setting.key and _globs(setting.key, path))
            for path in wanted
        )
    )


def keys_for(facts: HostFacts, variant: str) -> tuple[tuple[str, str], ...]:
    """Key and value of everything that our file sets: for `all` the four of the classic recipe
    (those of lo have no effect on packets from a NIC, and do no harm), plus interfaces whose own
    value would spoil the maximum; for `interface` the ingress interfaces only."""
    result: list[tuple[str, str]] = []
    if variant == "all":
        for link in ("all", "lo"):
            result += [(key(link, name), _kept(facts, link, name)) for name in WANTED]
        for link in facts.lan:
            for name, value in WANTED.items():
                own = number(facts.sysctl(key(link, name)))
                if own is not None and not good(name, max(own, int(value))):
                    result.append((key(link, name), value))
        return tuple(result)
    for link in facts.ingress:
        result += [(key(link, name), _kept(facts, link, name)) for name in WANTED]
    return tuple(result)


def _kept(facts: HostFacts, link: str, name: str) -> str:
    """The value to set: what is in force where that is right (arp_ignore 2), else ours."""
    now = number(facts.sysctl(key(link, name)))
    return str(now) if now is not None and good(name, now) else WANTED[name]


def file_text(keys: tuple[tuple[str, str], ...], variant: str) -> str:
    """The content of SYSCTL_FILE."""
    lines = [
        "# Written by lvstui: this host is a real server of an LVS director in Direct Routing.",
        "# It holds a virtual address on its loopback and must not answer ARP for it. The kernel",
        "# takes the larger of `all` and the interface that the ARP packet uses.",
    ]
    if variant == "all":
        lines.append("# The values of lo change nothing for packets from a NIC; they do no harm.")
    else:
        lines.append("# Only the interface of the director: containers here need `all` as it is.")
    for path, value in keys:
        # With a slash first, dots in the name of a VLAN are literal (sysctl.d(5)).
        name = path if "." in path else dotted(path)
        lines.append(f"{name} = {value}")
    return "\n".join(lines) + "\n"
