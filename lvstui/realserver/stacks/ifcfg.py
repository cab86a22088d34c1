"""ifcfg files: initscripts' network service (RHEL and CentOS 5 to 7, optional in 8), and wicked
(SUSE Linux Enterprise and openSUSE Leap up to 15)."""

from __future__ import annotations

import re

from lvstui.realserver.facts import HostFacts
from lvstui.realserver.stacks.base import Stack, WantedFile, add_address, slashed

FOLDER = "/etc/sysconfig/network-scripts"


class NetworkScripts(Stack):
    """`ifcfg-lo:N` for each VIP: started at boot with its parent. The alias is put up with `ip` and
    its label instead of a restart of the network service, which would bounce every NIC."""

    name = "network-scripts"
    title = "network-scripts (ifcfg-lo:0)"
    seen_working = False

    def manages(self, facts: HostFacts) -> str:
        stacks = facts.stacks
        if not stacks.scripts_service:
            return ""
        if not any(seen.path == f"{FOLDER}/ifcfg-lo" for seen in stacks.scripts_lo):
            return ""
        return f"the network service runs at boot and {FOLDER}/ifcfg-lo is there"

    def cannot(self, facts: HostFacts, vips: tuple[str, ...]) -> str:
        six = [vip for vip in vips if ":" in vip]
        return f"ifcfg aliases are for IPv4 ({six[0]} is not)" if six else ""

    def files(self, facts: HostFacts, vips: tuple[str, ...]) -> tuple[WantedFile, ...]:
        """One file for each VIP; files of lvstui whose VIP goes are taken away."""
        kept = self._paths(facts, vips)
        managed = [
            file.path
            for file in (facts.manifest.files if facts.manifest else ())
            if file.path.startswith(f"{FOLDER}/ifcfg-lo:")
        ]
        gone = [WantedFile(path, None) for path in managed if path not in kept.values()]
        return (*gone, *(WantedFile(path, _text(path, vip)) for vip, path in kept.items()))

    @staticmethod
    def _paths(facts: HostFacts, vips: tuple[str, ...]) -> dict[str, str]:
        """The file of each VIP: the one that has it, the number that its label has now, or the
        first that is free."""
        seen = facts.stacks.scripts_lo
        labels = {item.label: item.address for item in facts.addresses if item.label}
        taken = {file.path for file in seen}
        paths: dict[str, str] = {}
        for vip in vips:
            own = next((file.path for file in seen if _holds(file.text, vip)), "")
            number = 0
            while not own:
                path = f"{FOLDER}/ifcfg-lo:{number}"
                if path not in taken and labels.get(f"lo:{number}", vip) == vip:
                    own = path
                number += 1
            paths[vip] = own
            taken.add(own)
        return paths

    def live(self, facts: HostFacts, vip: str, vips: tuple[str, ...]) -> str:
        """With the label that the file gives it at the next boot."""
        return add_address(facts, vip, self._paths(facts, vips)[vip].rpartition("ifcfg-")[2])

    def persistent(self, facts: HostFacts, vip: str) -> str:
        """An ifcfg-lo:N with this address that is started at boot, whoever wrote it."""
        for file in facts.stacks.scripts_lo:
            if _holds(file.text, vip) and re.search(r'^ONBOOT="?yes', file.text, re.MULTILINE):
                return file.path
        return ""


def _holds(text: str, vip: str) -> bool:
    return re.search(rf'^IPADDR\d*="?{re.escape(vip)}"?\s*$', text, re.MULTILINE) is not None


def _text(path: str, vip: str) -> bytes:
    device = path.rpartition("ifcfg-")[2]
    return (
        f"DEVICE={device}\nIPADDR={vip}\nNETMASK=255.255.255.255\nONBOOT=yes\nNAME=lvs-vip\n"
    ).encode()


_WICKED_FILE = "/etc/sysconfig/network/ifcfg-lo"
_WICKED_LINE = re.compile(r"^(IPADDR|LABEL)_lvs[0-9a-f]+=.*\n?", re.MULTILINE)


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
            return f"{_WICKED_FILE} can not be read"
        return ""

    def files(self, facts: HostFacts, vips: tuple[str, ...]) -> tuple[WantedFile, ...]:
        """ifcfg-lo with our lines at its end, everything else as it is."""
        seen = facts.stacks.wicked_lo
        text = _WICKED_LINE.sub("", seen.text) if seen else ""
        if vips and text and not text.endswith("\n"):
            text += "\n"
        for number, vip in enumerate(vips):
            text += f"IPADDR_lvs{number}='{slashed(vip)}'\n"
            if ":" not in vip:
                text += f"LABEL_lvs{number}='lvs{number}'\n"
        mode = seen.mode if seen else 0o644
        return (WantedFile(_WICKED_FILE, text.encode("utf-8", "surrogateescape"), mode),)

    def live(self, facts: HostFacts, vip: str, vips: tuple[str, ...]) -> str:
        """With the label that wicked gives it at the next boot."""
        return add_address(facts, vip, "" if ":" in vip else f"lo:lvs{vips.index(vip)}")

    def persistent(self, facts: HostFacts, vip: str) -> str:
        seen = facts.stacks.wicked_lo
        if seen and re.search(
            rf"^IPADDR\w*=['\"]?{re.escape(vip)}(/\d+)?['\"]?\s*$", seen.text, re.MULTILINE
        ):
            return _WICKED_FILE
        return ""
