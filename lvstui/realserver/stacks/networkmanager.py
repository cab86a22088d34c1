"""NetworkManager 1.42 and later, the first that takes loopback profiles."""

from __future__ import annotations

import re
import uuid

from lvstui.realserver.facts import HostFacts
from lvstui.realserver.stacks.base import HEAD, OwnFileStack, Transition, slashed
from lvstui.realserver.steps import Run

PROFILE = "lvstui-lo"
FIRST = (1, 42)
_UUID = str(uuid.uuid5(uuid.NAMESPACE_DNS, "loopback.lvstui"))


def version(text: str) -> tuple[int, ...]:
    """`1.42.4` as (1, 42, 4); empty when it is none."""
    match = re.match(r"[0-9]{1,9}(?:\.[0-9]{1,9})*", text)
    return tuple(int(part) for part in match.group().split(".")) if match else ()


class NetworkManager(OwnFileStack):
    """A profile of its own for lo. 127.0.0.1 and ::1 are kept by NetworkManager itself; the
    other devices see nothing of it (measured with 1.42.4 and 1.52.1)."""

    name = "networkmanager"
    title = "NetworkManager"
    file = f"/etc/NetworkManager/system-connections/{PROFILE}.nmconnection"
    mode = 0o600
    """NetworkManager loads none that others may read."""
    # Loading a new profile activates it; a changed one has to be applied again.
    arriving = Transition(
        after=(
            Run(f"nmcli connection load {file}", "NetworkManager reads the profile"),
            Run(
                f"nmcli -g GENERAL.CONNECTION device show lo | grep -qx {PROFILE} || "
                f"nmcli --wait 10 connection up {PROFILE}",
                "the profile is in force on lo; other devices are not touched",
            ),
            Run(
                "nmcli --wait 10 device reapply lo",
                "what the profile has now is applied without a flap",
            ),
        )
    )
    # The profile is emptied before it goes: taking an active loopback profile down deletes the
    # route to 127.0.0.0/8 in NetworkManager 1.52, and with it 127.0.0.53, the resolver of many
    # hosts (measured).
    leaving = Transition(
        before=(
            Run(
                f"nmcli connection modify {PROFILE} ipv4.method manual ipv4.addresses "
                f"127.0.0.1/8 ipv6.method manual ipv6.addresses ::1/128 && "
                "nmcli --wait 10 device reapply lo",
                "the profile lets go of the VIPs while it is in force",
                must=False,
            ),
            Run(f"nmcli --wait 10 connection delete {PROFILE}", "the profile goes", must=False),
        ),
        after=(
            Run(
                "nmcli connection reload; ip route replace local 127.0.0.0/8 dev lo table "
                "local proto kernel scope host src 127.0.0.1",
                "NetworkManager 1.52 takes the route to 127.0.0.0/8 along: it is put back",
                must=False,
            ),
        ),
    )

    def manages(self, facts: HostFacts) -> str:
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

    def lines(self, facts: HostFacts, vips: tuple[str, ...]) -> list[str]:
        lines = [
            HEAD,
            "[connection]",
            f"id={PROFILE}",
            f"uuid={_UUID}",
            "type=loopback",
            "interface-name=lo",
            "autoconnect=true",
        ]
        for family, own in (("ipv4", "127.0.0.1/8"), ("ipv6", "::1/128")):
            ours = [slashed(vip) for vip in vips if (":" in vip) == (family == "ipv6")]
            lines += ["", f"[{family}]", "method=manual"]
            # Without a VIP of this family NetworkManager keeps what lo has by itself.
            lines += [f"address{number}={held}" for number, held in enumerate(ours or [own], 1)]
        return lines
