"""A small service of our own, for systemd and for OpenRC: where no network stack fits."""

from __future__ import annotations

from lvstui.realserver.facts import HostFacts
from lvstui.realserver.stacks.base import (
    Stack,
    StackCommand,
    Transition,
    WantedFile,
    add_address,
    delete_address,
    ip,
)

UNIT = "lvstui-vip.service"
UNIT_FILE = f"/etc/systemd/system/{UNIT}"
INIT_FILE = "/etc/init.d/lvstui-vip"


class Unit(Stack):
    """A oneshot unit that runs behind systemd-sysctl and before any network manager. A manager
    that does not own lo leaves its addresses alone (measured with NetworkManager, networkd and
    ifupdown)."""

    name = "unit"
    title = "a systemd unit of its own (lvstui-vip.service)"

    def manages(self, facts: HostFacts) -> str:
        """The last resort where systemd runs."""
        return "systemd runs here, and nothing manages lo" if facts.systemd else ""

    def cannot(self, facts: HostFacts, vips: tuple[str, ...]) -> str:
        """It needs systemd."""
        return "" if facts.systemd else "systemd does not run here"

    def files(self, facts: HostFacts, vips: tuple[str, ...]) -> tuple[WantedFile, ...]:
        """The unit. ExecStop's dash: an address that is gone already is no failure."""
        if not vips:
            return (WantedFile(UNIT_FILE, None),)
        program = ip(facts)
        start = [
            f"ExecStart={program} -6 addr replace {vip}/128 dev lo preferred_lft 0"
            if ":" in vip
            else f"ExecStart={program} addr replace {vip}/32 dev lo"
            for vip in vips
        ]
        text = "\n".join(
            [
                "# Written by lvstui: virtual addresses of an LVS director, on the loopback.",
                "[Unit]",
                "Description=Virtual addresses of an LVS director on the loopback",
                "DefaultDependencies=no",
                "Wants=systemd-sysctl.service network-pre.target",
                "After=systemd-sysctl.service",
                "Before=network-pre.target network.target shutdown.target",
                "Conflicts=shutdown.target",
                "",
                "[Service]",
                "Type=oneshot",
                "RemainAfterExit=yes",
                *start,
                *(f"ExecStop=-{delete_address(facts, vip)}" for vip in vips),
                "",
                "[Install]",
                "WantedBy=multi-user.target",
            ]
        )
        return (WantedFile(UNIT_FILE, (text + "\n").encode()),)

    def transition(
        self, facts: HostFacts, old: tuple[str, ...], new: tuple[str, ...]
    ) -> Transition:
        """A start of a unit that is active does nothing, so no VIP that stays is touched; the ones
        that came or went were put up or taken away one by one."""
        reload = StackCommand("systemctl daemon-reload", "systemd reads the unit")
        if new:
            return Transition(
                after=(
                    reload,
                    StackCommand(f"systemctl --quiet enable {UNIT}", "it starts at boot"),
                    StackCommand(
                        f"systemctl start {UNIT}", "its addresses are there already: nothing moves"
                    ),
                )
            )
        return Transition(
            before=(
                StackCommand(
                    f"systemctl --quiet disable {UNIT}; systemctl stop {UNIT}",
                    "it starts no more",
                    must=False,
                ),
            ),
            after=(
                reload,
                StackCommand(
                    f"systemctl reset-failed {UNIT} 2>/dev/null || :", "forgotten", must=False
                ),
            ),
        )

    def persistent(self, facts: HostFacts, vip: str) -> str:
        """Only an enabled unit counts."""
        return super().persistent(facts, vip) if facts.unit_enabled else ""


class OpenRc(Stack):
    """An OpenRC service in the boot runlevel (Alpine, Gentoo)."""

    name = "openrc"
    title = "an OpenRC service of its own (lvstui-vip)"
    seen_working = False

    def manages(self, facts: HostFacts) -> str:
        """OpenRC runs this host."""
        return "OpenRC runs here" if facts.openrc else ""

    def cannot(self, facts: HostFacts, vips: tuple[str, ...]) -> str:
        """It needs OpenRC."""
        return "" if facts.openrc else "OpenRC does not run here"

    def files(self, facts: HostFacts, vips: tuple[str, ...]) -> tuple[WantedFile, ...]:
        """The service script."""
        if not vips:
            return (WantedFile(INIT_FILE, None, 0o755),)
        lines = [
            "#!/sbin/openrc-run",
            "# Written by lvstui: virtual addresses of an LVS director, on the loopback.",
            'description="Virtual addresses of an LVS director on the loopback"',
            "",
            "depend() {",
            "    need localmount",
            "    after sysctl loopback",
            "    before net",
            "}",
            "",
            "start() {",
            '    ebegin "Adding virtual addresses to lo"',
            "    local bad=0",
            *(f"    {add_address(facts, vip)} || bad=1" for vip in vips),
            "    eend $bad",
            "}",
            "",
            "stop() {",
            '    ebegin "Removing virtual addresses from lo"',
            *(f"    {delete_address(facts, vip)} 2>/dev/null" for vip in vips),
            "    eend 0",
            "}",
        ]
        return (WantedFile(INIT_FILE, ("\n".join(lines) + "\n").encode(), 0o755),)

    def transition(
        self, facts: HostFacts, old: tuple[str, ...], new: tuple[str, ...]
    ) -> Transition:
        """In the boot runlevel, or out of it."""
        if new:
            return Transition(
                after=(
                    StackCommand("rc-update --quiet add lvstui-vip boot", "it starts at boot"),
                    StackCommand(
                        "rc-service --quiet --ifstopped lvstui-vip start",
                        "its addresses are there already: nothing moves",
                        must=False,
                    ),
                )
            )
        return Transition(
            before=(
                StackCommand(
                    "rc-service --quiet --ifstarted lvstui-vip stop; "
                    "rc-update --quiet delete lvstui-vip boot",
                    "it starts no more",
                    must=False,
                ),
            )
        )

    def persistent(self, facts: HostFacts, vip: str) -> str:
        """Only a service in a runlevel counts."""
        return super().persistent(facts, vip) if facts.unit_enabled else ""
