"""wicked (SUSE Linux Enterprise and openSUSE Leap up to 15)."""

from __future__ import annotations

import re

from lvstui.realserver.facts import HostFacts
from lvstui.realserver.stacks.base import Stack, WantedFile, add_address, slashed

FILE = "/etc/sysconfig/network/ifcfg-lo"
_LINE = re.compile(r"^(IPADDR|LABEL)_lvs[0-9a-f]+=.*\n?", re.MULTILINE)


class Wicked(Stack):
    """Lines of its own in ifcfg-lo, which wicked reads at boot (ifcfg(5): any suffix makes one
    more address). The address itself is put up with `ip`: nothing is restarted."""

    name = "wicked"
    title = "wicked (ifcfg-lo)"
    seen_working = False

    def manages(self, facts: HostFacts) -> str:
        return "wicked runs here" if facts.stacks.wicked_active else ""

    def cannot(self, facts: HostFacts, vips: tuple[str, ...]) -> str:
        """The file of lo is edited, so it has to be readable."""
        seen = facts.stacks.wicked_lo
        if seen is None or seen.content is None:
            return f"{FILE} can not be read"
        return ""

    def files(self, facts: HostFacts, vips: tuple[str, ...]) -> tuple[WantedFile, ...]:
        """ifcfg-lo with our lines at its end, everything else as it is."""
        seen = facts.stacks.wicked_lo
        text = _LINE.sub("", seen.text) if seen else ""
        if vips and text and not text.endswith("\n"):
            text += "\n"
        for number, vip in enumerate(vips):
            text += f"IPADDR_lvs{number}='{slashed(vip)}'\n"
            if ":" not in vip:
                text += f"LABEL_lvs{number}='lvs{number}'\n"
        mode = seen.mode if seen else 0o644
        return (WantedFile(FILE, text.encode("utf-8", "surrogateescape"), mode),)

    def live(self, facts: HostFacts, vip: str, vips: tuple[str, ...]) -> str:
        """With the label that wicked gives it at the next boot."""
        return add_address(facts, vip, "" if ":" in vip else f"lo:lvs{vips.index(vip)}")

    def persistent(self, facts: HostFacts, vip: str) -> str:
        seen = facts.stacks.wicked_lo
        if seen and re.search(
            rf"^IPADDR\w*=['\"]?{re.escape(vip)}(/\d+)?['\"]?\s*$", seen.text, re.MULTILINE
        ):
            return FILE
        return ""
