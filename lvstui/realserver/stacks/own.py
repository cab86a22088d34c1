"""A small service of our own, for systemd and for OpenRC: where no network stack fits."""

from __future__ import annotations

from lvstui.realserver.facts import HostFacts
from lvstui.realserver.stacks.base import (
    HEAD,
    OwnFileStack,
    Transition,
    add_address,
    delete_address,
)
from lvstui.realserver.steps import Run

UNIT = "lvstui-vip.service"


class _Service(OwnFileStack):
    """Only one that is started at boot counts."""

    def persistent(self, facts: HostFacts, vip: str) -> str:
        return super().persistent(facts, vip) if facts.unit_enabled else ""


class Unit(_Service):
    """A oneshot unit that runs behind systemd-sysctl and before any network manager. A manager
    that does not own lo leaves its addresses alone (measured with NetworkManager, networkd and
    ifupdown)."""

    name = "unit"
    title = "a systemd unit of its own (lvstui-vip.service)"
    file = f"/etc/systemd/system/{UNIT}"
    _RELOAD = Run("systemctl daemon-reload", "systemd reads the unit")
    # A start of a unit that is active does nothing, so no VIP that stays is touched; the ones that
    # came or went were put up or taken away one by one.
    arriving = Transition(
        after=(
            _RELOAD,
            Run(f"systemctl --quiet enable {UNIT}", "it starts at boot"),
            Run(f"systemctl start {UNIT}", "its addresses are there already: nothing moves"),
        )
    )
    leaving = Transition(
        before=(
            Run(
                f"systemctl --quiet disable {UNIT}; systemctl stop {UNIT}",
                "it starts no more",
                must=False,
            ),
        ),
        after=(
            _RELOAD,
            Run(f"systemctl reset-failed {UNIT} 2>/dev/null || :", "forgotten", must=False),
        ),
    )

    def manages(self, facts: HostFacts) -> str:
        """The last resort where systemd runs."""
        return "systemd runs here, and nothing manages lo" if facts.systemd else ""

    def cannot(self, facts: HostFacts, vips: tuple[str, ...]) -> str:
        return "" if facts.systemd else "systemd does not run here"

    def lines(self, facts: HostFacts, vips: tuple[str, ...]) -> list[str]:
        """ExecStop's dash: an address that is gone already is no failure."""
        return [
            HEAD,
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
            *(f"ExecStart={add_address(facts, vip)}" for vip in vips),
            *(f"ExecStop=-{delete_address(facts, vip)}" for vip in vips),
            "",
            "[Install]",
            "WantedBy=multi-user.target",
        ]


class OpenRc(_Service):
    """An OpenRC service in the boot runlevel (Alpine, Gentoo)."""

    name = "openrc"
    title = "an OpenRC service of its own (lvstui-vip)"
    seen_working = False
    file = "/etc/init.d/lvstui-vip"
    mode = 0o755
    arriving = Transition(
        after=(
            Run("rc-update --quiet add lvstui-vip boot", "it starts at boot"),
            Run(
                "rc-service --quiet --ifstopped lvstui-vip start",
                "its addresses are there already: nothing moves",
                must=False,
            ),
        )
    )
    leaving = Transition(
        before=(
            Run(
                "rc-service --quiet --ifstarted lvstui-vip stop; "
                "rc-update --quiet delete lvstui-vip boot",
                "it starts no more",
                must=False,
            ),
        )
    )

    def manages(self, facts: HostFacts) -> str:
        return "OpenRC runs here" if facts.openrc else ""

    def cannot(self, facts: HostFacts, vips: tuple[str, ...]) -> str:
        return "" if facts.openrc else "OpenRC does not run here"

    def lines(self, facts: HostFacts, vips: tuple[str, ...]) -> list[str]:
        return [
            "#!/sbin/openrc-run",
            HEAD,
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
