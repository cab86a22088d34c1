"""Machines on the host's side: package layers, disk, plan and command line of each guest."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import Any

from lvstui.lab import apt, cluster, stacks
from lvstui.lab.apt import Progress
from lvstui.lab.errors import LabError
from lvstui.lab.loader import find_program
from lvstui.lab.packages import Layer
from lvstui.lab.releases import BUILD_OPTIONS
from lvstui.lab.surroundings import COVERS, bare_python, binds, write_private
from lvstui.lab.topology import SCHEDULERS, Machine, Topology

DISK_MB = 1024
"""Size of a machine's disk; the file is sparse."""


def layer_of(stack: str, base: Layer, progress: Progress) -> list[Path]:
    """The layers of a machine with that stack, uppermost first; fetches what is missing."""
    programs = (*stacks.BASE_PROGRAMS.items(), *stacks.STACKS[stack].programs)
    wanted = {package for path, package in programs if not (Path("/") / path).exists()}
    folders = [apt.fetched(sorted(wanted), progress), base.folder]
    return [folder for folder in folders if folder is not None]


def layers(topology: Topology, base: Layer, progress: Progress) -> dict[str, list[Path]]:
    """The layers of each stack that a topology's machines have."""
    names = sorted({machine.stack for machine in topology.machines})
    return {name: layer_of(name, base, progress) for name in names}


def make_disk(path: Path) -> None:
    """An empty file system in a sparse file, made without root."""
    program = find_program("mke2fs")
    if program is None:
        raise LabError("machines need mke2fs", "it makes their disks", "install e2fsprogs")
    with path.open("wb") as file:
        file.truncate(DISK_MB << 20)
    options = "lazy_itable_init=1,lazy_journal_init=1,root_owner=0:0"
    words = ("-q", "-F", "-t", "ext4", "-m", "0", "-J", "size=8", "-E", options)
    done = apt.run([program, *words, path])
    if done.returncode != 0:
        raise LabError("mke2fs failed", done.stderr or done.stdout)


def prepare(
    topology: Topology,
    folder: Path,
    base: Layer,
    stack_layers: dict[str, list[Path]],
    keys: dict[str, tuple[str, str]],
    env: dict[str, str],
) -> list[dict[str, Any]]:
    """Disk, plan and init of each machine in the lab's folder; the keeper's orders for them."""
    count = len(topology.machines)
    what = f"{folder} for the disks of {count} machines"
    remedy = "set XDG_RUNTIME_DIR to a folder of yours with more"
    apt.require_space(folder, count * 96, what, remedy)
    orders = []
    for machine in topology.machines:
        name = machine.name
        make_disk(folder / f"{name}.disk")
        release = base.releases.get(dict(topology.releases).get(name, ""))
        own = [] if release is None else [release]
        plan = _plan(topology, machine, base, [*own, *stack_layers[machine.stack]], keys)
        if release is not None and (release / BUILD_OPTIONS).is_file():
            # The machine's own /etc/keepalived hides what the layers have there.
            plan["files"]["/" + BUILD_OPTIONS] = (0o644, (release / BUILD_OPTIONS).read_text())
        wire = [str(folder / f"{name}.{end}") for end in ("lan", "nic")]
        argv = [
            *guest_command(base, folder, name, machine.memory_mb, "inside.machine", plan),
            f"ubd0={folder / f'{name}.disk'}",
            f"vec0:transport=bess,dst={wire[1]},mac={_mac(topology, name)}",
            "net.ifnames=0",
            "systemd.show_status=1",
        ]
        orders.append({"name": name, "argv": argv, "env": env, "wire": wire})
    return orders


def guest_command(
    layer: Layer, folder: Path, name: str, memory_mb: int, module: str, plan: dict[str, Any]
) -> list[str]:
    """The command line of a guest whose init is `module.main` with that plan."""
    plan_path, init = folder / f"{name}.json", folder / f"{name}.init"
    write_private(plan_path, json.dumps(plan))
    run = bare_python(module, f"main({str(plan_path)!r})")
    write_private(init, f"#!/bin/sh\nexec {shlex.join(run)}\n", 0o700)
    return [
        str(layer.kernel.program),
        f"mem={memory_mb}M",
        "root=none",
        "rootfstype=hostfs",
        "rootflags=/",
        # With rw a guest started by root would write to the host's files.
        "ro",
        f"init={init}",
        "con=null",
        "con0=null,fd:1",
        "ssl=null",
        "quiet",
        "seccomp=auto",
        f"uml_dir={folder}/",
        f"umid={name}",
    ]


def lan_arguments(topology: Topology, folder: Path) -> list[str]:
    """The lab guest's ends of the machines' cables, for its command line."""
    return [
        f"vec{number}:transport=bess,dst={folder / f'{machine.name}.lan'}"
        for number, machine in enumerate(topology.machines)
    ]


def _mac(topology: Topology, name: str) -> str:
    return f"52:54:00:00:01:{cluster.numbers(topology)[name]:02x}"


def _plan(
    topology: Topology,
    machine: Machine,
    base: Layer,
    layers: list[Path],
    keys: dict[str, tuple[str, str]],
) -> dict[str, Any]:
    stack = stacks.STACKS[machine.stack]
    addresses = cluster.with_prefix(topology, machine.name)
    home = os.path.normpath(os.path.expanduser("~"))
    files = cluster.common_files(topology, machine.name, keys)
    files |= stack.files(addresses)
    director = machine.role == "director"
    files |= (_director_files if director else _service_files)(topology, machine.name)
    files |= {
        "/etc/machine-id": (0o444, f"{cluster.numbers(topology)[machine.name]:032x}\n"),
        # The guest's watchdog needs a program on the host.
        "/etc/systemd/system.conf": (0o644, "[Manager]\nRebootWatchdogSec=off\n"),
        "/etc/systemd/system/systemd-udev-trigger.service.d/lab.conf": (0o644, _COLDPLUG),
        "/etc/fstab": (0o644, "# the root is mounted before systemd starts\n"),
        "/etc/crypttab": (0o644, ""),
        "/etc/sysctl.conf": (0o644, "# /etc/sysctl.conf: this machine's own settings\n"),
        "/etc/default/locale": (0o644, "LANG=C.UTF-8\n"),
        "/etc/locale.conf": (0o644, "LANG=C.UTF-8\n"),
    }
    covers = (*COVERS, ("/srv", 0), ("/opt", 0), ("/mnt", 0), ("/media", 0))
    return {
        "name": machine.name,
        "layers": [str(layer) for layer in layers],
        "modules": str(base.kernel.modules),
        "configure": not stack.configures_itself,
        "addresses": addresses,
        "files": files,
        "folders": stacks.folders(stack),
        "links": stacks.links(stack, director),
        "more_modules": ["ip_vs", *(f"ip_vs_{name}" for name in SCHEDULERS)] if director else [],
        "binds": binds(covers, home),
    }


def _service_files(topology: Topology, name: str) -> cluster.Files:
    """A real server's services as a unit."""
    services = cluster.services_of(topology, name)
    call = f"serve({name!r}, {json.dumps(services)!r}, {topology.ipv6})"
    serve = shlex.join(bare_python("inside.machine", call))
    return {"/etc/systemd/system/lab-services.service": (0o644, _SERVICES + _systemd_words(serve))}


def _director_files(topology: Topology, name: str) -> cluster.Files:
    """What an administrator gives a director, and the lab's own hand on its keepalived."""
    files = cluster.director_files(topology, name)
    # Where keepalived makes its fifos; /run is empty after each boot.
    del files["/run/keepalived/README"]
    files["/etc/tmpfiles.d/keepalived.conf"] = (0o644, "d /run/keepalived 0755 root root -\n")
    sysctls = cluster.sysctls_of(topology, "director")
    text = "".join(f"{path} = {value}\n" for path, value in sysctls)
    files["/etc/sysctl.d/50-director.conf"] = (0o644, text)
    known = {"name": name, "role": "director", "files": files, **cluster.watched(topology)}
    plan = "/usr/local/share/lab/director.json"
    code = shlex.join(bare_python("inside.director", f"main({plan!r})"))
    return {
        **files,
        **cluster.lvstui_files(),
        plan: (0o644, json.dumps(known)),
        "/usr/local/sbin/lab-director": (0o755, f'#!/bin/sh\nexec {code} "$@"\n'),
    }


def _systemd_words(command: str) -> str:
    """A shell command as the rest of a unit: systemd has quoting rules of its own."""
    quoted = command.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    quoted = quoted.replace("$", "$$")
    return f'ExecStart=/bin/sh -c "exec {quoted}"\n'


_SERVICES = """\
[Unit]
Description=The lab's services of this real server

[Install]
WantedBy=multi-user.target

[Service]
Environment=PYTHONDONTWRITEBYTECODE=1
Restart=on-failure
"""


# Of a guest's devices only these matter; asking for all of them takes five seconds more.
_COLDPLUG = """\
[Service]
ExecStart=
ExecStart=-udevadm trigger --action=add --subsystem-match=net --subsystem-match=block
"""
