"""Which hosts are real servers, of which VIPs, and how they are reached for management.

The configuration says who they are. lvstui's own file (TOML) says what keepalived does not know:

    [defaults]
    user = "ops"
    jump = "bastion.example"

    [host."10.10.0.3"]           # address or name of the real server
    name = "rs1"
    address = "192.168.7.3"      # where its sshd is reached
    method = "unit"              # instead of what is found to fit

It is $LVSTUI_HOSTS, or hosts.toml in ~/.config/lvstui or /etc/lvstui. Nothing in it is required.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lvstui.model.config import ConfiguredService
from lvstui.model.keys import canonical_address
from lvstui.realserver.plan import VARIANTS
from lvstui.realserver.stacks import STACKS
from lvstui.remote.config import is_word
from lvstui.remote.runner import Access

_TEXTS = ("name", "address", "user", "jump", "identity", "group", "backend", "method", "variant")


@dataclass(frozen=True, slots=True)
class Vip:
    """A virtual address that a host serves."""

    address: str
    ports: tuple[tuple[str, int], ...] = ()
    """Protocol and port of its services."""


@dataclass(frozen=True, slots=True)
class Host:
    """One real server."""

    address: str
    """As the configuration has it: the address that the director sends frames to."""
    name: str = ""
    vips: tuple[Vip, ...] = ()
    access: Access = field(default_factory=lambda: Access(""))
    method: str = ""
    variant: str = ""
    backend: str = ""
    others: tuple[str, ...] = ()
    """Its addresses of the other family, as the configuration has them."""

    def address_for(self, vip: str) -> str:
        """The address that takes the frames for a VIP: of the same family where it has one."""
        every = (self.address, *self.others)
        return next((a for a in every if (":" in a) == (":" in vip)), self.address)

    @property
    def label(self) -> str:
        """Name or address, for prose."""
        return self.name or self.address

    @property
    def vip_addresses(self) -> tuple[str, ...]:
        """Its VIPs, in order."""
        return tuple(vip.address for vip in self.vips)

    def ports(self, vip: str) -> tuple[tuple[str, int], ...]:
        """The services of one of its VIPs."""
        return next((item.ports for item in self.vips if item.address == vip), ())


@dataclass(frozen=True, slots=True)
class OwnFile:
    """lvstui's own file about hosts."""

    path: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    hosts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def about(self, address: str, name: str) -> dict[str, Any]:
        """Everything that it says of a host, defaults filled in."""
        said: dict[str, Any] = dict(self.defaults)
        for key in filter(None, (address, name)):
            said |= self.hosts.get(key, {})
        return said


class HostsFileError(ValueError):
    """lvstui's own file is not right; the text says where and what was expected."""


def own_path() -> Path | None:
    """The file that counts: the first that exists; None when there is none."""
    override = os.environ.get("LVSTUI_HOSTS")
    if override:
        return Path(override)
    config = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    for path in (Path(config) / "lvstui/hosts.toml", Path("/etc/lvstui/hosts.toml")):
        if path.exists():
            return path
    return None


def read_own(path: Path | None = None) -> OwnFile:
    """Read it; an empty one when there is none. Raises HostsFileError."""
    path = path or own_path()
    if path is None:
        return OwnFile()
    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        table = toml.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise HostsFileError(f"{path} can not be read: {error.strerror}") from error
    except (UnicodeDecodeError, toml.TOMLDecodeError) as error:
        raise HostsFileError(f"{path} is not TOML: {error}") from error
    extra = sorted(set(table) - {"defaults", "host"})
    if extra:
        raise HostsFileError(f"{path}: {extra[0]!r} is unknown; known are [defaults], [host.NAME]")
    hosts = table.get("host", {})
    defaults = table.get("defaults", {})
    for where, values in [("defaults", defaults), *((f"host.{k}", v) for k, v in hosts.items())]:
        _check(path, where, values)
    return OwnFile(str(path), defaults, hosts)


def _check(path: Path, where: str, values: object) -> None:
    if not isinstance(values, dict):
        raise HostsFileError(f"{path}: [{where}] is not a table")
    for key, value in values.items():
        if key == "port":
            if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 65536:
                raise HostsFileError(f"{path}: {where}.port is {value!r}; expected 1 to 65535")
        elif key not in _TEXTS:
            known = ", ".join((*_TEXTS, "port"))
            raise HostsFileError(f"{path}: {where}.{key} is unknown; known: {known}")
        elif not isinstance(value, str):
            raise HostsFileError(f"{path}: {where}.{key} is {value!r}; expected a text")
    for key, choices in (
        ("method", [stack.name for stack in STACKS]),
        ("variant", list(VARIANTS)),
        ("backend", ["paramiko", "openssh"]),
    ):
        if values.get(key, choices[0]) not in choices:
            raise HostsFileError(
                f"{path}: {where}.{key} is {values[key]!r}; expected {', '.join(choices)}"
            )


def make_host(address: str, name: str, vips: tuple[Vip, ...], own: OwnFile) -> Host:
    """A host with everything that the own file says of it."""
    said = own.about(address, name)
    text = {key: str(said.get(key) or "") for key in _TEXTS}
    called = text["name"] or name
    access = Access(
        # The name on the screen may be a comment that no resolver knows, or no name at all.
        host=called if is_word(called) else address,
        address=text["address"] or address,
        user=text["user"],
        port=int(said.get("port", 0)),
        jump=text["jump"],
        identity=text["identity"],
        group=text["group"],
    )
    return Host(address, called, vips, access, text["method"], text["variant"], text["backend"])


def from_services(
    services: Sequence[ConfiguredService], own: OwnFile, marked_vips: Sequence[str] = ()
) -> tuple[Host, ...]:
    """The hosts that are real servers in Direct Routing, in the order of the configuration.

    `marked_vips`: addresses that services by firewall mark stand for, since the mark has none.
    """
    names: dict[str, str] = {}
    served: dict[str, dict[str, dict[tuple[str, int], None]]] = {}
    for service in services:
        addresses = [service.key.address] if service.key.address else list(marked_vips)
        port = [(service.key.protocol, service.key.port)] if service.key.port else []
        for server in service.servers:
            if server.forwarding != "DR":
                continue
            key = server.key.address
            names[key] = names.get(key) or server.name
            for vip in addresses:
                if (":" in vip) == (":" in key) or not service.key.address:
                    served.setdefault(key, {}).setdefault(vip, {}).update(dict.fromkeys(port))
    return _merge_families(
        [
            make_host(
                address, names[address], tuple(Vip(v, tuple(p)) for v, p in vips.items()), own
            )
            for address, vips in served.items()
        ]
    )


def _merge_families(hosts: list[Host]) -> tuple[Host, ...]:
    """One row for a machine that is listed by IPv4 and by IPv6 under one name: its first address
    stays its address, its VIPs are put together."""
    merged: dict[str, Host] = {}
    for host in hosts:
        known = merged.get(host.name) if host.name else None
        if known is None or (":" in known.address) == (":" in host.address):
            key = host.name if host.name and host.name not in merged else host.address
            merged[key] = host
            continue
        merged[host.name] = replace(
            known, vips=(*known.vips, *host.vips), others=(*known.others, host.address)
        )
    return tuple(merged.values())


def find(hosts: Sequence[Host], wanted: str, own: OwnFile, vips: Sequence[str]) -> Host:
    """The host that a word on the command line means: name or address of a real server of the
    configuration, else a host that only `vips` make a real server. Raises ValueError."""
    user, _, word = wanted.rpartition("@")
    for host in hosts:
        if word in (host.name, host.address, host.access.host):
            found = host
            break
    else:
        if not vips:
            known = ", ".join(host.label for host in hosts[:20]) or "none"
            raise ValueError(
                f"{word} is no real server in Direct Routing of the configuration (there are: "
                f"{known}); name its VIP by --vip"
            )
        try:
            address = canonical_address(word)
        except ValueError:
            address = word
        found = make_host(address, "", (), own)
    if user:
        found = replace(found, access=replace(found.access, user=user))
    return found
