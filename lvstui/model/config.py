"""What a keepalived configuration says, as far as the picture needs it: the typed view.

Values are effective (defaults and inheritance applied) unless a field says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.text import plain


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where in the configuration: file as opened, line and column from 1."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{plain(self.file, 4096)}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class ConfiguredChecker:
    """One health check of a real server."""

    kind: str
    """TCP_CHECK, HTTP_GET, SSL_GET, SMTP_CHECK, DNS_CHECK, MISC_CHECK, PING_CHECK, UDP_CHECK,
    FILE_CHECK, BFD_CHECK."""
    target: str = ""
    """What it looks at, in words: `connect 10.0.0.3:80`, `GET /health`, the script's path."""
    delay_loop_s: float = 60.0
    connect_timeout_s: float = 5.0
    retry: int = 0
    sets_weight: bool = False
    """keepalived changes the server's weight by it: misc_dynamic, or a tracked file."""
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class DisabledBy:
    """Who switched a real server off in the file, as the comment beside its weight says."""

    who: str
    at: str
    """UTC, to the minute: `2026-11-24 21:50`."""
    reason: str = ""
    was: int | None = None
    """Weight before; None when the file gave none."""

    def __str__(self) -> str:
        # The reason first: a narrow column cuts the rest.
        why = f"“{self.reason}” " if self.reason else ""
        return f"{why}by {self.who} {self.at} UTC"


@dataclass(frozen=True, slots=True)
class ConfiguredServer:
    """One real server of one virtual server."""

    key: ServerKey
    weight: int
    forwarding: str
    """DR, NAT or TUN."""
    name: str = ""
    """From the comment beside it (`real_server 10.0.0.3 80 { # rs1`)."""
    checkers: tuple[ConfiguredChecker, ...] = ()
    inhibit_on_failure: bool = False
    alpha: bool = False
    upper_threshold: int = 0
    lower_threshold: int = 0
    place: Place | None = None
    weight_place: Place | None = None
    notify_up: str = ""
    """Path of the script, without its arguments (they may hold passwords)."""
    notify_down: str = ""
    disabled: DisabledBy | None = None
    """It is off on purpose, and somebody signed for it; what the daemon has loaded does not say."""


@dataclass(frozen=True, slots=True)
class ConfiguredService:
    """One virtual server (each address of a virtual_server_group gives one)."""

    key: ServiceKey
    scheduler: str
    forwarding: str
    servers: tuple[ConfiguredServer, ...] = ()
    name: str = ""
    """From the comment beside it, or the group's name."""
    group: str = ""
    """virtual_server_group it comes from; empty for a plain one."""
    persistence_s: int | None = None
    quorum: int = 1
    hysteresis: int = 0
    alpha: bool = False
    sorry_server: ServerKey | None = None
    sorry_forwarding: str = ""
    one_packet: bool = False
    place: Place | None = None
    persistence_granularity: str = ""
    """Netmask (IPv4) or prefix length (IPv6); empty: each client address by itself."""
    persistence_engine: str = ""
    ha_suspend: bool = False
    """Its checks rest while the VIP is not on this host."""
    omega: bool = False
    """Notify scripts for down run when keepalived ends."""
    flags: tuple[str, ...] = ()
    """Options of the scheduler, sorted: `flag-1`, `hashed`, `sh-port` …"""
    quorum_up: str = ""
    """Path of the script, without its arguments."""
    quorum_down: str = ""
    sorry_inhibit: bool = False

    @property
    def usual_weight(self) -> int | None:
        """The weight that all of its servers in use have; None: they differ, or it is the default
        of keepalived (1)."""
        found = {s.weight for s in self.servers if s.weight}
        if not found:
            found = {s.disabled.was for s in self.servers if s.disabled and s.disabled.was}
        (one, *others) = found or (1,)
        return one if not others and one != 1 else None


@dataclass(frozen=True, slots=True)
class VirtualAddress:
    """One entry of virtual_ipaddress or virtual_ipaddress_excluded."""

    address: str
    """Canonical, without prefix."""
    prefix: int
    device: str
    """The interface that gets it: `dev`, else that of the instance."""
    excluded: bool = False
    """Not in adverts."""
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class ConfiguredScript:
    """One vrrp_script."""

    name: str
    script: str
    """Its path, without arguments."""
    interval_s: float = 1.0
    timeout_s: float = 0.0
    """0: as long as the interval."""
    weight: int = 0
    """0: a failure is a fault of the instance."""
    rise: int = 1
    fall: int = 1
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class TrackedFile:
    """One track_file (vrrp_track_file)."""

    name: str
    path: str
    weight: int = 1
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class TrackedProcess:
    """One vrrp_track_process."""

    name: str
    process: str
    """Program, without its parameters."""
    weight: int = 0
    quorum: int = 1
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class ConfiguredInstance:
    """One vrrp_instance."""

    name: str
    interface: str
    vrid: int
    priority: int = 100
    state: str = "BACKUP"
    advert_interval_s: float = 1.0
    version: int = 2
    vips: tuple[str, ...] = ()
    """Addresses in canonical spelling, without prefix; excluded ones too."""
    nopreempt: bool = False
    unicast_peers: tuple[str, ...] = ()
    track_scripts: tuple[str, ...] = ()
    sync_group: str = ""
    has_auth: bool = False
    place: Place | None = None
    advertised: tuple[str, ...] = ()
    """Addresses in adverts, in their order: every director of the VRID must have the same. One
    that is written twice is in them twice (seen with 2.2.7)."""
    excluded: tuple[str, ...] = ()
    """Addresses that move with the instance and are in no advert."""
    addresses: tuple[VirtualAddress, ...] = ()
    """Both, with prefix and interface."""
    auth_type: str = ""
    """PASS, AH, HMAC, or empty: adverts are not authenticated."""
    preempt_delay_s: float = 0.0
    skip_check_adv_addr: bool = False
    """The addresses in adverts of a peer that was heard before are not compared."""
    strict: bool = False
    unicast_source: str = ""
    track_interfaces: tuple[str, ...] = ()
    track_files: tuple[str, ...] = ()
    track_processes: tuple[str, ...] = ()
    notify: tuple[tuple[str, str], ...] = ()
    """Keyword (notify_master …) and path of the script, without arguments."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """A whole configuration, for one host's conditionals. Never holds a password."""

    services: tuple[ConfiguredService, ...] = ()
    instances: tuple[ConfiguredInstance, ...] = ()
    sync_groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Group name and the names of its instances."""
    notify_fifo: str = ""
    vrrp_notify_fifo: str = ""
    lvs_notify_fifo: str = ""
    enable_dbus: bool = False
    router_id: str = ""
    files: tuple[str, ...] = ()
    """Every file that was read, main file first, absolute."""
    digest: str = ""
    """Hash over the meaning-bearing text; equal digests mean the same configuration."""
    scripts: tuple[ConfiguredScript, ...] = ()
    track_files: tuple[TrackedFile, ...] = ()
    track_processes: tuple[TrackedProcess, ...] = ()
    skip_check_adv_addr: bool = False
    """global_defs' vrrp_skip_check_adv_addr."""
    strict: bool = False
    """global_defs' vrrp_strict."""
    problems: tuple[tuple[Place, str], ...] = ()
    """What could not be understood: place and why."""
