"""The lab as tests drive it: they wait, put back what they broke, cut the power of machines."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lvstui.lab import LabError, Topology, api, protocol
from lvstui.lab.api import MACHINE_BOOT_SECONDS
from lvstui.lab.cpu import session_of

RELEASE = "LVSTUI_LAB_RELEASE"
"""The Debian release whose keepalived all directors have that a test does not choose."""


class Lab(api.Lab):
    """A cluster in a guest; see `lvstui.lab.api.Lab`."""

    @classmethod
    def attach(cls, name: str | None = None) -> Lab:
        lab = super().attach(name)
        assert isinstance(lab, Lab)
        return lab

    def start(self) -> Lab:
        if release := os.environ.get(RELEASE):
            self.topology = (self.topology or Topology()).of_release(release)
        super().start()
        return self

    def __enter__(self) -> Lab:
        super().__enter__()
        return self

    def machine(self, name: str) -> RunningMachine:
        return RunningMachine(self, name, super().machine(name).address)

    def copy_out(self, node: str, source: str, target: str | Path) -> None:
        process = self.spawn(node, ["/bin/cat", "--", source])
        process.close_input()
        if process.wait(120) != 0:
            raise LabError(f"cannot read {source} on {node}", process.errors().decode())
        Path(target).write_bytes(process.output())

    def wait(
        self,
        node: str,
        condition: str | Callable[[], object],
        *,
        timeout: float = 15.0,
        what: str = "",
        interval: float = 0.2,
    ) -> Any:
        """Wait until a command on a node succeeds, or a callable returns something true.

        Returns the callable's value or the command's Result.  Raises LabError with the last output
        after `timeout` seconds.
        """
        end = time.monotonic() + timeout
        while True:
            last: Any
            if isinstance(condition, str):
                last = self.run(node, condition, check=False)
                if last.status == 0:
                    return last
            else:
                last = condition()
                if last:
                    return last
            if time.monotonic() > end:
                wanted = what or (condition if isinstance(condition, str) else repr(condition))
                raise LabError(f"waited {timeout:.0f} s for: {wanted}", f"last: {last}")
            time.sleep(interval)

    def reset(self, timeout: float = 30.0) -> None:
        """Undo all faults and wait until all is up, quickly when nothing was changed.

        keepalived.conf, daemons, services, links and kernel weights are put back; other files that
        were written in nodes stay.
        """
        self.fault("heal")
        try:
            self.wait_all_up(timeout / 2)
        except LabError:
            # A table changed behind keepalived's back is put right by its own start.
            for name in (self.topology or Topology()).all_directors:
                self.run(name, "ipvsadm -C", check=False)
                self.fault("stop-keepalived", name)
            time.sleep(1.5)
            with contextlib.suppress(LabError):
                self.fault("heal")
            self.wait_all_up(timeout)


class RunningMachine(api.RunningMachine):
    """One machine, with its power switch."""

    def __init__(self, lab: Lab, name: str, address: str) -> None:
        super().__init__(lab, name, address)
        self.lab = lab

    def wait_booted(self, timeout: float = MACHINE_BOOT_SECONDS) -> str:
        """Wait until systemd has finished the boot; "running", or "degraded" (a unit failed)."""
        self.wait_ssh(timeout)
        words = self.run("systemctl is-system-running --wait", check=False, timeout=timeout)
        return words.stdout.strip()

    def reboot(self, timeout: float = MACHINE_BOOT_SECONDS) -> str:
        """Reboot in order, by systemd; returns when the new boot can be logged in to, its boot_id.

        Raises LabError when it does not come back.
        """
        before = self.wait_ssh(timeout)
        # The connection may end before the answer.
        self.run("systemctl reboot", check=False, timeout=timeout)
        return self.wait_ssh(timeout, before)

    def cut_power(self, timeout: float = MACHINE_BOOT_SECONDS) -> str:
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
        return self._power("look")

    def _power(self, action: str) -> bool:
        request = {"name": self.name, "action": action}
        return bool(self._lab.connection.call(request, kind=protocol.MACHINE)["running"])


def processes_of(folder: Path) -> list[int]:
    """Processes whose command line names a lab's folder, and those of its guests' sessions."""
    found = []
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            with contextlib.suppress(OSError):
                if str(folder).encode() in (path / "cmdline").read_bytes():
                    found.append(int(path.name))
    with contextlib.suppress(ProcessLookupError):
        for leader in {os.getsid(pid) for pid in found} - {os.getsid(0)}:
            found += [pid for pid in session_of(leader) if pid not in found]
    return found


def wait_gone(folder: Path, processes: Sequence[int] = ()) -> None:
    """Nothing of a lab is left, nor any of these processes, within some seconds."""
    end = time.monotonic() + 8
    while time.monotonic() < end and (
        folder.exists()
        or processes_of(folder)
        or any(Path(f"/proc/{pid}").exists() for pid in processes)
    ):
        time.sleep(0.1)
    assert not folder.exists()
    assert [pid for pid in processes if Path(f"/proc/{pid}").exists()] == []
    assert processes_of(folder) == []
