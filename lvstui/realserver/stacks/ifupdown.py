"""ifupdown (Debian's classic /etc/network/interfaces), 0.8 and later."""

from __future__ import annotations

import hashlib
import ipaddress
import re

from lvstui.realserver.facts import STATE, HostFacts
from lvstui.realserver.stacks.base import (
    HEAD,
    OwnFileStack,
    add_address,
    delete_address,
    ip,
    slashed,
)

SCRATCH = f"{STATE}/tx/scratch"


class Ifupdown(OwnFileStack):
    """An alias stanza of its own: `ifup lo:v0a0a0014` touches nothing else, and a restart of
    networking brings it back (measured with 0.8.41)."""

    name = "ifupdown"
    title = "ifupdown (/etc/network/interfaces)"
    file = "/etc/network/interfaces.d/lvstui"

    def manages(self, facts: HostFacts) -> str:
        stacks = facts.stacks
        if not stacks.ifupdown_version or not stacks.ifupdown_service or stacks.interfaces is None:
            return ""
        if not re.search(r"^\s*iface\s+lo\s", stacks.interfaces.text, re.MULTILINE):
            return ""
        return f"/etc/network/interfaces has lo, ifupdown {_number(facts)} runs at boot"

    def cannot(self, facts: HostFacts, vips: tuple[str, ...]) -> str:
        """Its file has to be read at all; ifupdown-ng takes lo down with an alias."""
        stacks = facts.stacks
        if "ng" in stacks.ifupdown_version or "ifupdown-ng" in stacks.ifupdown_version:
            return "ifupdown-ng takes 127.0.0.1 away when it puts lo down"
        text = stacks.interfaces.text if stacks.interfaces else ""
        if not re.search(
            r"^\s*source(-directory\s+(/etc/network/)?interfaces\.d|\s+\S*interfaces\.d/\*)",
            text,
            re.MULTILINE,
        ):
            return "/etc/network/interfaces does not source /etc/network/interfaces.d"
        return ""

    def lines(self, facts: HostFacts, vips: tuple[str, ...]) -> list[str]:
        lines = [HEAD]
        for vip in vips:
            lines += ["", f"auto {alias(vip)}"]
            if ":" in vip:
                lines += [
                    f"iface {alias(vip)} inet6 static",
                    f"    address {vip}/128",
                    "    dad-attempts 0",
                    "    preferred-lifetime 0",
                ]
            else:
                lines += [f"iface {alias(vip)} inet static", f"    address {vip}/32"]
        return lines

    def live(self, facts: HostFacts, vip: str, vips: tuple[str, ...]) -> str:
        """By ifup where that is possible, so that ifupdown knows that the alias is up: a restart
        of networking would else find the address there and call it a failure.

        ifup says "already configured" and does nothing when somebody took the address away behind
        its back (measured with 0.8.41), so the address is looked for and put there by `ip`."""
        ifup = facts.program("ifup")
        plainly = add_address(facts, vip, "" if ":" in vip else alias(vip))
        if not ifup:
            return plainly
        here = f"{ip(facts)} -o addr show dev lo | grep -qF ' {slashed(vip)} '"
        return f"{ifup} --interfaces={SCRATCH} {alias(vip)}; {here} || {plainly}"

    def unlive(self, facts: HostFacts, vip: str) -> str:
        """By ifdown, for the same reason; the address is deleted if that left it."""
        ifup = facts.program("ifup")
        if not ifup:
            return delete_address(facts, vip)
        down = f"{ifup.removesuffix('ifup')}ifdown --interfaces={SCRATCH} {alias(vip)}"
        return f"{down} 2>/dev/null; {delete_address(facts, vip)} 2>/dev/null || :"

    def scratch(self, facts: HostFacts, vips: tuple[str, ...]) -> bytes:
        """The stanzas of all VIPs that come or go, for ifup and ifdown while the change runs."""
        return b"".join(f.content or b"" for f in self.files(facts, vips))


def alias(vip: str) -> str:
    """A name that does not change when other VIPs come and go: `lo:v0a0a0014` (a label has at
    most 15 characters)."""
    packed = ipaddress.ip_address(vip).packed
    short = packed if len(packed) == 4 else hashlib.sha256(packed).digest()[:4]
    return f"lo:v{short.hex()}"


def _number(facts: HostFacts) -> str:
    match = re.search(r"\d[\w.~-]*", facts.stacks.ifupdown_version)
    return match.group() if match else ""
