"""systemd-networkd, by its own files or by netplan."""

from __future__ import annotations

from lvstui.realserver.facts import HostFacts
from lvstui.realserver.stacks.base import HEAD, OwnFileStack, Transition, slashed
from lvstui.realserver.steps import Run

FILE = "/etc/systemd/network/10-lvstui-lo.network"


class Networkd(OwnFileStack):
    """A .network file for lo, or a drop-in where lo has one already: the first file that matches a
    link is the only one (systemd.network(5)). `networkctl reload` leaves the other links alone
    (measured with 252 and 257)."""

    name = "networkd"
    title = "systemd-networkd"
    file = FILE
    arriving = leaving = Transition(
        after=(
            Run("networkctl reload", "systemd-networkd reads its files again; no link goes down"),
        )
    )

    def manages(self, facts: HostFacts) -> str:
        stacks = facts.stacks
        if not stacks.networkd_active:
            return ""
        if stacks.networkd_lo_file and stacks.networkd_lo_file != FILE:
            return f"systemd-networkd has lo by {stacks.networkd_lo_file}"
        return "systemd-networkd runs here"

    def cannot(self, facts: HostFacts, vips: tuple[str, ...]) -> str:
        """`networkctl reload` came with systemd 244."""
        if facts.systemd < 244:
            return f"systemd {facts.systemd} has no networkctl reload (244 has)"
        return ""

    def path(self, facts: HostFacts) -> str:
        other = facts.stacks.networkd_lo_file
        if not other or other == FILE:
            return FILE
        return f"/etc/systemd/network/{other.rpartition('/')[2]}.d/lvstui.conf"

    def lines(self, facts: HostFacts, vips: tuple[str, ...]) -> list[str]:
        """networkd takes addresses of lo away that no file of it has, so those of others that are
        there now are kept by KeepConfiguration."""
        lines = [HEAD]
        if self.path(facts) == FILE:
            lines += ["[Match]", "Name=lo", "", "[Network]"]
            lines += ["LinkLocalAddressing=no", "KeepConfiguration=yes"]
        else:
            lines += ["[Network]"]
        lines += [f"Address={slashed(vip)}" for vip in vips if ":" not in vip]
        for vip in vips:
            if ":" in vip:
                lines += ["", "[Address]", f"Address={slashed(vip)}", "PreferredLifetime=0"]
        return lines


class Netplan(Networkd):
    """netplan with its networkd renderer: a file of its own, merged by netplan. `netplan apply`
    would touch more than `generate` and a reload (measured with 1.1.2)."""

    name = "netplan"
    title = "netplan (renderer networkd)"
    file = "/etc/netplan/90-lvstui.yaml"
    """Sorts behind what an installer writes."""
    mode = 0o600
    """As netplan asks for since 0.106."""
    arriving = leaving = Transition(
        after=(
            Run("netplan generate", "netplan writes systemd-networkd's files anew"),
            Run("networkctl reload", "systemd-networkd reads them; no link goes down"),
        )
    )

    def manages(self, facts: HostFacts) -> str:
        stacks = facts.stacks
        if not stacks.netplan or not stacks.networkd_active:
            return ""
        return f"netplan writes the network here ({stacks.netplan_files[0]})"

    def cannot(self, facts: HostFacts, vips: tuple[str, ...]) -> str:
        """Its NetworkManager renderer makes an Ethernet profile of lo, which NetworkManager
        refuses (measured with 1.1.2)."""
        if facts.stacks.netplan_renderer == "NetworkManager":
            return "netplan's NetworkManager renderer can not do lo"
        return super().cannot(facts, vips)

    def path(self, facts: HostFacts) -> str:
        return self.file

    def lines(self, facts: HostFacts, vips: tuple[str, ...]) -> list[str]:
        lines = [HEAD, "network:", "  version: 2", "  ethernets:", "    lo:", "      addresses:"]
        for vip in vips:
            lines.append(f'        - "{slashed(vip)}"' + (":" if ":" in vip else ""))
            if ":" in vip:
                lines.append("            lifetime: 0")
        return lines
