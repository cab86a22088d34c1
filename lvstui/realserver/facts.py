"""What was seen on a real server: immutable, pure, the base of every plan and check."""

from __future__ import annotations

from dataclasses import dataclass, field

from lvstui.model.keys import address_family

STATE = "/var/lib/lvstui"
"""lvstui's own folder on a real server: manifest, originals, the running change."""
MANIFEST = f"{STATE}/manifest.json"
SYSCTL_FILE = "/etc/sysctl.d/99-zz-lvstui.conf"
"""Sorts behind the 99-sysctl.conf that Debian and RHEL link to /etc/sysctl.conf (measured)."""


def host_prefix(address: str) -> int:
    """The one prefix length that is right on a loopback: 32 or 128. A wider one makes its whole
    network local and cuts the host off (measured)."""
    return 128 if address_family(address) == 6 else 32


@dataclass(frozen=True, slots=True)
class Address:
    """One address of one link."""

    link: str
    address: str
    """Canonical spelling."""
    prefix: int
    scope: str = "global"
    label: str = ""

    @property
    def family(self) -> int:
        return address_family(self.address)


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of a sysctl file that concerns ARP."""

    path: str
    line: int
    key: str
    """Normalised with slashes: `net/ipv4/conf/eth0.100/arp_ignore`."""
    value: str
    """Empty for an exclusion (`-net.ipv4.conf.eth1.arp_ignore`)."""

    @property
    def place(self) -> str:
        """`/etc/sysctl.conf:12`."""
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class SysctlFile:
    """One file that sets kernel parameters at boot."""

    path: str
    link: str = ""
    """Where it points to, when it is a symbolic link."""
    settings: tuple[Setting, ...] = ()

    @property
    def name(self) -> str:
        """What it is sorted by."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A whole file."""

    path: str
    content: bytes | None
    """None when it could not be read (no root, too large, no plain file)."""
    mode: int = 0o644
    owner: str = "0:0"
    link: str = ""

    @property
    def text(self) -> str:
        """For parsing and diffs; undecodable bytes as surrogates."""
        return (self.content or b"").decode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class Listener:
    """One listening socket."""

    protocol: str
    """tcp or udp."""
    address: str
    """Canonical; `*` for every address of both families, `0.0.0.0`, `::`."""
    port: int


@dataclass(frozen=True, slots=True)
class Mention:
    """A line of some configuration that names a VIP."""

    path: str
    line: int
    text: str

    @property
    def place(self) -> str:
        """`/etc/rc.local:4`."""
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Stacks:
    """What could manage the loopback here."""

    nm_running: bool = False
    nm_version: str = ""
    nm_lo: str = ""
    """State of lo for NetworkManager: `connected (externally)`, `connected`, `unmanaged`; empty
    when it does not know lo (before 1.42)."""
    nm_lo_profile: str = ""
    networkd_active: bool = False
    networkd_lo: str = ""
    """`unmanaged`, `configured` …; empty when unknown."""
    networkd_lo_file: str = ""
    """The .network file that lo matches."""
    netplan: bool = False
    netplan_files: tuple[str, ...] = ()
    netplan_renderer: str = ""
    """The last `renderer:` seen; empty means networkd (netplan's default)."""
    netplan_lo: str = ""
    """`file:line` of an `lo:` section."""
    ifupdown_version: str = ""
    ifupdown_service: bool = False
    interfaces: SeenFile | None = None
    """/etc/network/interfaces."""
    scripts_service: bool = False
    """initscripts' network service runs at boot."""
    scripts_lo: tuple[SeenFile, ...] = ()
    """/etc/sysconfig/network-scripts/ifcfg-lo, ifcfg-lo:0 …"""
    wicked_active: bool = False
    wicked_lo: SeenFile | None = None


@dataclass(frozen=True, slots=True)
class ManagedFile:
    """A file that lvstui wrote on the host."""

    path: str
    sha256: str
    """Of what lvstui wrote."""
    original: str = ""
    """Name under STATE/original of what was there before lvstui first wrote it; empty: nothing."""


@dataclass(frozen=True, slots=True)
class ManagedSysctl:
    """A kernel parameter that lvstui set."""

    key: str
    """With slashes, below /proc/sys."""
    before: str
    """Its value before lvstui first set it."""
    after: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What lvstui manages on a host, as it wrote it there (MANIFEST)."""

    vips: tuple[str, ...] = ()
    method: str = ""
    variant: str = ""
    """`all`, or `interface`."""
    files: tuple[ManagedFile, ...] = ()
    sysctls: tuple[ManagedSysctl, ...] = ()
    added: tuple[str, ...] = ()
    """VIPs whose address lvstui put on the loopback (others were there before)."""
    pushed_at: str = ""
    operator: str = ""
    version: str = ""
    boot_id: str = ""
    """The boot in which the last push was made: another one now means that it survived one."""
    problem: str = ""
    """Why the manifest could not be read."""


_TAKE_BACK = "NOT taken back; `lvstui realserver undo --unfinished` does that"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A change that was begun and neither confirmed nor taken back."""

    parts: tuple[str, ...]
    """Names in its folder."""
    same_boot: bool = True
    """False: the host was started anew since."""
    guarded: bool = False
    """Its timer's process was there."""
    trouble: str = ""
    """Why the last try to go back failed."""

    @property
    def plight(self) -> str:
        """Why it may not go back without anybody's help, and what to do; empty: it is confirmed,
        or its timer takes it back."""
        if "trouble.end" in self.parts:
            return f"an earlier change could not be taken back whole ({self.trouble}): {_TAKE_BACK}"
        if not self.guarded:
            boot = "" if self.same_boot else "the host was started anew, and "
            return f"an earlier change was cut half way: {boot}its timer is gone: {_TAKE_BACK}"
        if self.trouble:
            return (
                f"an earlier change is on its way back, which fails and is tried again: "
                f"{self.trouble}"
            )
        return ""


@dataclass(frozen=True, slots=True)
class Route:
    """An answer of `ip route get`."""

    ask: str
    """`to ADDRESS`, `from ADDRESS` (that source), `away ADDRESS` (its family, off link)."""
    dev: str = ""
    via: str = ""
    source: str = ""
    local: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class HostFacts:
    """Everything that one look at a real server saw."""

    host: str
    """As the operator names it."""
    taken_at: float = 0.0
    """Epoch seconds."""
    as_root: bool = False
    os_name: str = ""
    """For people."""
    kernel: str = ""
    boot_id: str = ""
    init: str = ""
    systemd: int = 0
    """Its version; 0: not running."""
    openrc: bool = False
    programs: tuple[tuple[str, str], ...] = ()
    """Name and path of the programs that matter here."""
    read_only: tuple[str, ...] = ()
    """Of /etc and /var/lib, those that cannot be written."""
    free_kb: tuple[tuple[str, int], ...] = ()
    addresses: tuple[Address, ...] = ()
    links: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    rules: tuple[str, ...] = ()
    """Policy rules beyond the three that every host has."""
    sysctls: tuple[tuple[str, str], ...] = ()
    """Key with slashes and value in force: `net/ipv4/conf/all/arp_ignore`."""
    sysctl_files: tuple[SysctlFile, ...] = ()
    stacks: Stacks = field(default_factory=Stacks)
    files: tuple[SeenFile, ...] = ()
    """lvstui's own files that are there, and originals that it keeps."""
    unit_enabled: bool = False
    """lvstui's own unit or OpenRC service starts at boot."""
    mentions: tuple[Mention, ...] = ()
    listeners: tuple[Listener, ...] = ()
    processes: tuple[str, ...] = ()
    firewall: tuple[str, ...] = ()
    selinux: str = ""
    manifest: Manifest | None = None
    unfinished: Unfinished | None = None
    reverted: str = ""
    """The log of a change that took itself back; empty: none lately."""
    gaps: tuple[str, ...] = ()
    """What could not be seen, in words."""

    def program(self, name: str) -> str:
        """Its path; empty when the host lacks it."""
        return dict(self.programs).get(name, "")

    def sysctl(self, key: str) -> str:
        """The value in force; empty when unknown."""
        return dict(self.sysctls).get(key, "")

    def file(self, path: str) -> SeenFile | None:
        """One of lvstui's own files."""
        return next((seen for seen in self.files if seen.path == path), None)

    def seen(self, path: str) -> SeenFile | None:
        """Any file that the look read whole."""
        stacks = self.stacks
        others = (stacks.interfaces, stacks.wicked_lo, *stacks.scripts_lo)
        return self.file(path) or next(
            (f for f in others if f is not None and f.path == path), None
        )

    def holders(self, vip: str) -> tuple[Address, ...]:
        """Where a VIP is now."""
        return tuple(item for item in self.addresses if item.address == vip)

    @property
    def ingress(self) -> tuple[str, ...]:
        """Devices by which frames of the directors come in: those that lead to them, or else all
        that have an IPv4 address and are no loopback."""
        found = dict.fromkeys(
            route.dev
            for route in self.routes
            if route.ask.startswith("to ") and route.dev and not route.local
        )
        return tuple(found) or self.lan

    @property
    def lan(self) -> tuple[str, ...]:
        """All devices that could answer ARP: with an IPv4 address of their own, no loopback."""
        return tuple(
            dict.fromkeys(
                item.link
                for item in self.addresses
                if item.family == 4 and item.link != "lo" and item.scope == "global"
            )
        )

    @property
    def containers(self) -> tuple[str, ...]:
        """Signs of containers, whose networks may need what `all` would switch off."""
        prefixes = ("docker", "cni", "cali", "flannel", "kube-", "veth", "lxc", "podman", "br-")
        links = [link for link in self.links if link.startswith(prefixes)]
        names = ("dockerd", "containerd", "kubelet", "kube-proxy", "crio", "podman")
        return (*(p for p in self.processes if p in names), *links[:4])

    @property
    def is_director(self) -> bool:
        """keepalived runs here as well."""
        return "keepalived" in self.processes
