"""NetworkManager 1.42 and later, the first that takes loopback profiles."""

from __future__ import annotations

import re
import uuid

from lvstui.realserver.facts import HostFacts
from lvstui.realserver.stacks.base import Stack, StackCommand, Transition, WantedFile, slashed

PROFILE = "lvstui-lo"
FILE = f"/etc/NetworkManager/system-connections/{PROFILE}.nmconnection"
FIRST = (1, 42)
_UUID = str(uuid.uuid5(uuid.NAMESPACE_DNS, "loopback.lvstui"))


def version(text: str) -> tuple[int, ...]:
    """`1.42.4` as (1, 42, 4); empty when it is none."""
    match = re.match(r"[0-9]{1,9}(?:\.[0-9]{1,9})*", text)
    return tuple(int(part) for part in match.group().split(".")) if match else ()


class NetworkManager(Stack):
    """A profile of its own for lo. 127.0.0.1 and ::1 are kept by NetworkManager itself; the
    other devices see nothing of it (measured with 1.42.4 and 1.52.1)."""

    name = "networkmanager"
    title = "NetworkManager"

    def manages(self, facts: HostFacts) -> str:
        """It runs and knows lo."""
        stacks = facts.stacks
        if not stacks.nm_running or not stacks.nm_lo or stacks.nm_lo == "unmanaged":
            return ""
        if version(stacks.nm_version) < FIRST:
            return ""
        return f"NetworkManager {stacks.nm_version} runs here (lo: {stacks.nm_lo})"

    def cannot(self, facts: HostFacts, vips: tuple[str, ...]) -> str:
        """A profile of somebody else on lo would fight with ours."""
        stacks = facts.stacks
        if stacks.nm_lo == "connected" and stacks.nm_lo_profile not in (PROFILE, "lo", ""):
            return f"its profile {stacks.nm_lo_profile!r} has lo"
        return ""

    def files(self, facts: HostFacts, vips: tuple[str, ...]) -> tuple[WantedFile, ...]:
        """A keyfile; NetworkManager loads none that others may read."""
        if not vips:
            return (WantedFile(FILE, None, 0o600),)
        lines = [
            "# Written by lvstui: virtual addresses of an LVS director, on the loopback.",
            "[connection]",
            f"id={PROFILE}",
            f"uuid={_UUID}",
            "type=loopback",
            "interface-name=lo",
            "autoconnect=true",
        ]
        for family in ("ipv4", "ipv6"):
            ours = [vip for vip in vips if (":" in vip) == (family == "ipv6")]
            if not ours:
                # Without a VIP of this family NetworkManager keeps what lo has by itself.
                own = "127.0.0.1/8" if family == "ipv4" else "::1/128"
                lines += ["", f"[{family}]", "method=manual", f"address1={own}"]
                continue
            lines += ["", f"[{family}]", "method=manual"]
            lines += [f"address{number}={slashed(vip)}" for number, vip in enumerate(ours, 1)]
        return (WantedFile(FILE, ("\n".join(lines) + "\n").encode(), 0o600),)

    def transition(
        self, facts: HostFacts, old: tuple[str, ...], new: tuple[str, ...]
    ) -> Transition:
        """Loading a new profile activates it; a changed one has to be applied again.

        On the way back the profile is emptied before it goes: taking an active loopback profile
        down deletes the route to 127.0.0.0/8 in NetworkManager 1.52, and with it 127.0.0.53, the
        resolver of many hosts (measured)."""
        if new:
            return Transition(
                after=(
                    StackCommand(
                        f"nmcli connection load {FILE}", "NetworkManager reads the profile"
                    ),
                    StackCommand(
                        f"nmcli -g GENERAL.CONNECTION device show lo | grep -qx {PROFILE} || "
                        f"nmcli --wait 10 connection up {PROFILE}",
                        "the profile is in force on lo; other devices are not touched",
                    ),
                    StackCommand(
                        "nmcli --wait 10 device reapply lo",
                        "what the profile has now is applied without a flap",
                    ),
                )
            )
        return Transition(
            before=(
                StackCommand(
                    f"nmcli connection modify {PROFILE} ipv4.method manual ipv4.addresses "
                    f"127.0.0.1/8 ipv6.method manual ipv6.addresses ::1/128 && "
                    "nmcli --wait 10 device reapply lo",
                    "the profile lets go of the VIPs while it is in force",
                    must=False,
                ),
                StackCommand(
                    f"nmcli --wait 10 connection delete {PROFILE}", "the profile goes", must=False
                ),
            ),
            after=(
                StackCommand(
                    "nmcli connection reload; ip route replace local 127.0.0.0/8 dev lo table "
                    "local proto kernel scope host src 127.0.0.1",
                    "NetworkManager 1.52 takes the route to 127.0.0.0/8 along: it is put back",
                    must=False,
                ),
            ),
        )
