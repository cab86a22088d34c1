"""A machine of a running lab, for Python: commands, reboots, power cuts, cable."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from lvstui.lab import protocol
from lvstui.lab.errors import LabError

if TYPE_CHECKING:
    from lvstui.lab.api import Command, Lab, Result

BOOT_SECONDS = 90.0


class RunningMachine:
    """One machine; `Lab.machine` makes it."""

    def __init__(self, lab: Lab, name: str, address: str) -> None:
        self._lab = lab
        self.name = name
        self.address = address

    def run(
        self, command: Command, *, timeout: float = 30.0, check: bool = True, stdin: str = ""
    ) -> Result:
        """Run a command as root, by SSH from the first director; as Lab.run does."""
        return self._lab.run(self.name, command, timeout=timeout, check=check, stdin=stdin)

    def director_status(self) -> dict[str, Any]:
        """How keepalived is on a machine that is a director, see Lab.status."""
        try:
            done = self.run("lab-director status", check=False, timeout=20)
            return dict(json.loads(done.stdout))
        except (LabError, ValueError):
            # Off, booting or cut off: there is no answer, or a part of one.
            return {"keepalived": False, "ready": False, "vips": [], "missing": []}

    def console(self) -> str:
        """The end of what its kernel and systemd said on the console."""
        try:
            path = self._lab.folder / f"{self.name}.log"
            return path.read_text(encoding="utf-8", errors="replace")[-3000:]
        except OSError:
            return ""

    def wait_ssh(self, timeout: float = BOOT_SECONDS) -> str:
        """Wait until it can be logged in to; its boot_id.

        Raises LabError with the console's last words after `timeout` seconds.
        """
        return self._wait_boot("", timeout)

    def _wait_boot(self, before: str, timeout: float) -> str:
        end = time.monotonic() + timeout
        while True:
            done = self.run("cat /proc/sys/kernel/random/boot_id", check=False, timeout=20)
            boot_id = done.stdout.strip()
            if done.status == 0 and boot_id and boot_id != before:
                return boot_id
            if time.monotonic() > end:
                raise LabError(
                    f"{self.name} was not up within {timeout:.0f} s",
                    f"{done.stderr.strip()}\n{self.console()}",
                )
            time.sleep(0.3)

    def wait_booted(self, timeout: float = BOOT_SECONDS) -> str:
        """Wait until systemd has finished the boot; "running", or "degraded" (a unit failed)."""
        self.wait_ssh(timeout)
        words = self.run("systemctl is-system-running --wait", check=False, timeout=timeout)
        return words.stdout.strip()

    def reboot(self, timeout: float = BOOT_SECONDS) -> str:
        """Reboot in order, by systemd; returns when the new boot can be logged in to, its boot_id.

        Raises LabError when it does not come back.
        """
        before = self.wait_ssh(timeout)
        # The connection may end before the answer.
        self.run("systemctl reboot", check=False, timeout=timeout)
        return self._wait_boot(before, timeout)

    def cut_power(self, timeout: float = BOOT_SECONDS) -> str:
        """Kill the guest, what was not synced is lost; start it from the same disk: as reboot."""
        self.power_off()
        self.power_on()
        return self.wait_ssh(timeout)

    def power_off(self) -> None:
        """Cut the power and leave it off."""
        self._power("off")

    def power_on(self) -> None:
        """Start it; returns at once.  Nothing happens when it is on."""
        self._power("on")

    def is_on(self) -> bool:
        """Whether its guest runs."""
        return self._power("look")

    def _power(self, action: str) -> bool:
        request = {"name": self.name, "action": action}
        return bool(self._lab.connection.call(request, kind=protocol.MACHINE)["running"])

    def unplug(self) -> None:
        """Pull its network cable."""
        self._lab.fault("unplug", self.name)

    def plug(self) -> None:
        """Plug its network cable in."""
        self._lab.fault("plug", self.name)
