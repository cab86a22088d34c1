"""The lab for Python: start, run commands, inject faults, wait, stop."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lvstui.lab import control, guest, machines, packages, protocol, releases
from lvstui.lab.control import Command, LabProcess, RunResult
from lvstui.lab.errors import LabError
from lvstui.lab.topology import Topology, read

BOOT_SECONDS = 60.0
MACHINE_BOOT_SECONDS = 90.0


class Lab:
    """A cluster in a guest.  `with Lab() as lab:` starts it and stops it.

    topology: None for the default cluster, a Topology, or the path of a TOML file.
    name: None to have one chosen.  memory_mb: RAM of the guest.
    progress: called with each phase of the start, in words.
    env: instead of this process's environment, of which the nodes get language and terminal.
    terminal: descriptor of a terminal to restore if this process is killed.
    """

    def __init__(
        self,
        topology: Topology | str | Path | None = None,
        *,
        name: str | None = None,
        memory_mb: int = guest.DEFAULT_MEMORY_MB,
        progress: Callable[[str], None] = lambda text: None,
        env: Mapping[str, str] | None = None,
        terminal: int | None = None,
    ) -> None:
        self.topology = read(Path(topology)) if isinstance(topology, str | Path) else topology
        self._wanted_name = name
        self._memory_mb = memory_mb
        self._progress = progress
        self._env = dict(os.environ if env is None else env)
        self._terminal = terminal
        self._guest: guest.Guest | None = None
        self._connection: control.Connection | None = None

    @classmethod
    def attach(cls, name: str | None = None) -> Lab:
        """A lab that another process started; LabError when it does not run.

        Without a name, the only one that runs.  `stop` ends it, leaving it does not.
        """
        names = guest.running()
        if name is None and len(names) == 1:
            name = names[0]
        if name is None or name not in names:
            raise LabError(
                f"no lab {name!r} runs" if name else "name a lab" if names else "no lab runs",
                "running: " + ", ".join(names) if names else "",
                "choose one by --lab" if names else "start one by `lvstui lab`",
            )
        lab = cls()
        lab._wanted_name = name
        lab._connection = control.Connection(guest.runtime_home() / name / "control.sock")
        return lab

    @property
    def name(self) -> str:
        """The lab's name, as in `lvstui lab list`."""
        return self._guest.name if self._guest else str(self._wanted_name)

    @property
    def folder(self) -> Path:
        """The lab's folder on the host: console.log, control socket."""
        return guest.runtime_home() / self.name

    @property
    def connection(self) -> control.Connection:
        """The control channel; LabError when the lab does not run."""
        if self._connection is None:
            raise LabError("the lab does not run")
        return self._connection

    def start(self) -> Lab:
        """Fetch what is missing, boot, and return when the nodes are there (commands can run).

        keepalived has been started then, but its checks take some seconds: see wait_all_up.
        Raises LabError when the host cannot run a lab.
        """
        topology = self.topology or Topology()
        self.topology = topology
        self._progress("checking packages")
        layer = packages.ensure(self._progress)
        layer = replace(layer, releases=releases.layers(topology, self._progress))
        layers = machines.layers(topology, layer, self._progress)
        self._progress("booting")
        self._guest = guest.start(
            topology, layer, self._wanted_name, self._memory_mb, self._env, self._terminal, layers
        )
        try:
            self._connection = control.Connection(self._guest.folder / "control.sock")
            self._wait_phase("hello", "starting nodes")
            self._wait_phase("nodes", "starting services and keepalived")
        except BaseException:
            self.stop()
            raise
        return self

    def _wait_phase(self, phase: str, then: str) -> None:
        assert self._guest is not None
        try:
            self.connection.wait_phase(phase, BOOT_SECONDS)
        except LabError as error:
            words = guest.last_words(self._guest.folder)
            raise LabError(
                "the guest did not start",
                f"{error.what}: {error.why}\n{words}".strip(": \n"),
                "LVSTUI_LAB_KEEP=1 keeps its folder with console.log",
            ) from error
        self._progress(then)

    def stop(self) -> None:
        """Power the guest off; nothing of it is left when this returns."""
        connection, self._connection = self._connection, None
        if self._guest is not None:
            guest.stop(self._guest)
            self._guest = None
        elif connection is not None:
            connection.send(protocol.POWEROFF, 0)
            guest.wait_gone(self.folder)
        if connection is not None:
            connection.close()

    def close(self) -> None:
        """Leave a lab that was attached to; it runs on."""
        if self._guest is not None:
            self.stop()
        elif self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Lab:
        return self if self._connection is not None else self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def spawn(
        self,
        node: str,
        command: Command,
        *,
        env: Mapping[str, str] | None = None,
        cwd: str = "/root",
        pty: tuple[int, int] | None = None,
        on_output: control.OnOutput | None = None,
    ) -> LabProcess:
        """Start a command on a node and return at once.  pty: rows and columns of a terminal.

        On a machine it runs by SSH from the first director; signals end the SSH client only.
        """
        argv = ["/bin/sh", "-c", command] if isinstance(command, str) else list(command)
        request: dict[str, Any] = {"node": node, "argv": argv, "env": dict(env or {}), "cwd": cwd}
        if pty is not None:
            request["pty"] = list(pty)
        return self.connection.start(request, on_output)

    def run(
        self,
        node: str,
        command: Command,
        *,
        timeout: float = 30.0,
        check: bool = True,
        stdin: str | bytes = b"",
        env: Mapping[str, str] | None = None,
        cwd: str = "/root",
    ) -> RunResult:
        """Run a command on a node to its end.

        Raises LabError after `timeout` seconds, for an unknown node and, with check, for an exit
        status other than 0 (the error holds the command's last words).
        """
        process = self.spawn(node, command, env=env, cwd=cwd)
        data = stdin.encode() if isinstance(stdin, str) else stdin
        if data:
            process.write(data)
        process.close_input()
        status = process.wait(timeout)
        out = process.output().decode("utf-8", "replace")
        err = process.errors().decode("utf-8", "replace")
        if check and status != 0:
            raise LabError(f"on {node}, status {status}: {command}", (out + err)[-3000:])
        return RunResult(status, out, err)

    def write(self, node: str, target: str, data: str | bytes, *, mode: int = 0o644) -> None:
        """Write a whole file in a node: beside it first, then renamed over it."""
        steps = ('mkdir -p "${0%/*}"', 'cat > "$0.new"', 'chmod "$1" "$0.new"', 'mv "$0.new" "$0"')
        script = " && ".join(steps)
        raw = data.encode() if isinstance(data, str) else data
        self.run(node, ["/bin/sh", "-c", script, target, f"{mode:o}"], stdin=raw, timeout=120)

    def nodes(self) -> list[dict[str, Any]]:
        """Name and role of each node and machine, with the address of a machine."""
        return list(self.connection.call({"op": "info"})["nodes"])

    def machine(self, name: str) -> RunningMachine:
        """One of the topology's machines; LabError when there is none of that name."""
        for item in self.nodes():
            if item["name"] == name and item.get("machine"):
                return RunningMachine(self, name, item["address"])
        raise LabError(f"no machine {name!r}", "", "a topology's [[machine]] tables make them")

    def fault(self, name: str, node: str = "", argument: str | None = None) -> str:
        """Inject a fault (see lvstui.lab.faults); what it did, in words."""
        request = {"op": "fault", "name": name, "node": node, "argument": argument}
        return str(self.connection.call(request)["text"])

    def status(self) -> dict[str, Any]:
        """What the directors hold: {"directors": {name: {"keepalived", "vips", "missing"}}, …}."""
        found = self.connection.call({"op": "status"})
        for name in found.pop("machines"):
            found["directors"][name] = self.machine(name).director_status()
        return found

    def all_up(self) -> str:
        """Empty when all is as planned: every director's keepalived runs with the whole table and
        the first director, and no other, holds each VIP; else what is missing, in words."""
        return what_is_missing(self.status()["directors"])

    def wait_all_up(self, timeout: float | None = None) -> None:
        """Wait until all_up; LabError tells what is missing after `timeout` seconds.

        timeout: None for 30 s, and as long as machines may take to boot when there are any.
        """
        if timeout is None:
            has_machines = self.topology is not None and self.topology.machines
            timeout = BOOT_SECONDS * 2 if has_machines else 30.0
        end = time.monotonic() + timeout
        while wrong := self.all_up():
            if time.monotonic() > end:
                raise LabError(f"not all up after {timeout:.0f} s", wrong)
            time.sleep(0.1)


class RunningMachine:
    """One machine; `Lab.machine` makes it."""

    def __init__(self, lab: Lab, name: str, address: str) -> None:
        self._lab = lab
        self.name = name
        self.address = address

    def run(
        self, command: Command, *, timeout: float = 30.0, check: bool = True, stdin: str = ""
    ) -> RunResult:
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

    def wait_ssh(self, timeout: float = MACHINE_BOOT_SECONDS, before: str = "") -> str:
        """Wait until it can be logged in to; its boot_id, another one than `before`.

        Raises LabError with the console's last words after `timeout` seconds.
        """
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


def what_is_missing(directors: Mapping[str, Mapping[str, Any]]) -> str:
    """Empty when all directors are as planned; see Lab.all_up and Lab.status."""
    wrong = []
    holders: dict[str, list[str]] = {}
    for name, state in directors.items():
        if not state.get("keepalived"):
            wrong.append(f"{name}: keepalived does not run")
        elif not state.get("ready"):
            wrong.append(f"{name}: keepalived is starting")
        wrong += [f"{name}: {item} is missing" for item in state.get("missing", [])]
        for vip in state.get("vips", []):
            holders.setdefault(vip, []).append(name)
    if not holders:
        wrong.append("no director holds the VIP")
    first = [next(iter(directors))]
    wrong += [f"{vip} is on {' and '.join(n)}" for vip, n in holders.items() if n != first]
    return "; ".join(wrong)
