"""What a keepalived configuration says, as far as the picture needs it: the typed view.

Values are effective (defaults and inheritance applied) unless a field says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

from lvstui.model.keys import ServerKey, ServiceKey


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where in the configuration: file as opened, line and column from 1."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


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
    place: Place | None = None


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
    problems: tuple[tuple[Place, str], ...] = ()
    """What could not be understood: place and why."""
