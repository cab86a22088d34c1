"""Machines: real servers with systemd, a disk and real reboots."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lvstui.lab import LabError, apt, guest, machines, packages
from lvstui.lab.surroundings import PACKAGE_PARENT
from lvstui.lab.topology import STACKS, parse
from tests.lab.conftest import Labs
from tests.labs import Lab, RunningMachine, processes_of, wait_gone

SMALL = "directors = 1\nreal_servers = 1\n"
MANAGES = {
    "ifupdown": ("ifquery --state eth0", "eth0=eth0"),
    "netplan": ("networkctl --no-legend list eth0; ls /run/systemd/network", "configured"),
    "networkmanager": ("nmcli -t -f DEVICE,STATE,CONNECTION device", "eth0:connected:eth0"),
    "networkd": ("networkctl --no-legend list eth0", "configured"),
    "plain": ("systemctl is-active systemd-networkd networking NetworkManager", "inactive"),
}
"""What each stack is asked about eth0, and what its answer has in it."""


def topology_of(*stacks: str) -> str:
    """A small cluster with a machine for each stack, m1, m2, …"""
    tables = [f'[[machine]]\nname = "m{n}"\nstack = "{s}"\n' for n, s in enumerate(stacks, 1)]
    return SMALL + "".join(tables)


def for_each(work: Callable[[RunningMachine], str], all_: list[RunningMachine]) -> list[str]:
    """Do it on all machines at once: they boot in parallel."""
    with ThreadPoolExecutor(len(all_)) as pool:
        return list(pool.map(work, all_))


@pytest.fixture(scope="module")
def booted(labs: Labs) -> dict[str, RunningMachine]:
    """A machine of each stack, booted."""
    lab = labs(parse(topology_of(*STACKS)))
    found = {stack: lab.machine(f"m{n}") for n, stack in enumerate(STACKS, 1)}
    assert set(for_each(lambda m: m.wait_booted(120), list(found.values()))) == {"running"}
    return found


@pytest.fixture(scope="module")
def rebooted(
    booted: dict[str, RunningMachine],
) -> Iterator[dict[str, tuple[RunningMachine, str, str]]]:
    """All machines after a reboot, with the boot_id before and after it; bare again behind it."""

    def push(machine: RunningMachine) -> str:
        machine.run(
            "echo pushed > /etc/pushed; "
            "echo 'net.ipv4.conf.all.arp_ignore = 1' > /etc/sysctl.d/99-zz-test.conf"
        )
        return machine.wait_ssh()

    all_ = list(booted.values())
    before = for_each(push, all_)
    after = for_each(lambda m: m.reboot(120), all_)
    assert set(for_each(lambda m: m.wait_booted(120), all_)) == {"running"}
    yield {
        stack: (machine, before[n], after[n]) for n, (stack, machine) in enumerate(booted.items())
    }
    for machine in all_:
        machine.power_on()
        machine.wait_booted(120)
        machine.run(
            "rm -f /etc/pushed /etc/kept /etc/sysctl.d/99-zz-test.conf; sync; "
            "ip addr del 10.10.0.20/32 dev lo 2> /dev/null; cd /proc/sys/net/ipv4/conf/all; "
            "echo 0 > arp_ignore; echo 0 > arp_announce"
        )


def test_a_machine_is_in_the_lan_and_bare(booted: dict[str, RunningMachine]) -> None:
    machine = booted["ifupdown"]
    lab = machine._lab
    assert machine.address == "10.10.0.51"
    assert machine.run("hostname; systemd-detect-virt; cat /proc/1/comm").stdout.split() == [
        "m1",
        "uml",
        "systemd",
    ]
    look = "ip -o -4 addr show dev lo; cat /proc/sys/net/ipv4/conf/all/arp_ignore"
    assert "10.10.0.20" not in machine.run(look).stdout
    assert machine.run(look).stdout.endswith("\n0\n")
    lab.wait_all_up()
    assert "10.10.0.51:80" in lab.run("lb1", "ipvsadm -Ln").stdout
    answer = "exec 3<>/dev/tcp/m1/80; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3"
    assert lab.run("client", ["bash", "-c", answer], check=False).stdout.endswith("\nm1\n")


def test_who_may_become_root_on_a_machine(booted: dict[str, RunningMachine]) -> None:
    lab = booted["networkd"]._lab

    def ask(user: str, command: str, stdin: str = "") -> str:
        ssh = ["ssh", "-o", "BatchMode=yes", f"{user}@m4", command]
        return lab.run("lb1", ssh, stdin=stdin, check=False).stdout

    assert ask("deploy", "sudo -n id -u") == "0\n"
    assert ask("ops", "sudo -n id -u") == ""
    assert ask("ops", "sudo -k -S -p '' id -u", "lab\n") == "0\n"
    assert ask("guest", "id -un; sudo -k -S -p '' id -u", "lab\n") == "guest\n"


def test_cable_of_a_machine(booted: dict[str, RunningMachine]) -> None:
    machine = booted["plain"]
    lab = machine._lab
    machine.lab.fault("unplug", machine.name)
    assert lab.run("lb1", "arping -c 1 -w 1 -I eth0 m5", check=False).status != 0
    machine.lab.fault("plug", machine.name)
    assert machine.run("true").status == 0
    with pytest.raises(LabError, match="m5 is a machine"):
        lab.fault("stop", "m5")


@pytest.mark.parametrize("stack", STACKS)
def test_reboot_of_each_stack(
    rebooted: dict[str, tuple[RunningMachine, str, str]], stack: str
) -> None:
    machine, before, after = rebooted[stack]
    assert before != after
    look = "cat /etc/pushed /proc/sys/net/ipv4/conf/all/arp_ignore"
    assert machine.run(look).stdout.split() == ["pushed", "1"]
    command, wanted = MANAGES[stack]
    assert wanted in machine.run(command, check=False).stdout
    assert f"{machine.address}/24" in machine.run("ip -o -4 addr show dev eth0").stdout


def test_direct_routing_reaches_a_machine(
    rebooted: dict[str, tuple[RunningMachine, str, str]],
) -> None:
    machine = rebooted["plain"][0]
    # The sysctl that was pushed holds since the reboot; its other half is for the moment.
    machine.run(
        "ip addr add 10.10.0.20/32 dev lo; echo 2 > /proc/sys/net/ipv4/conf/all/arp_announce"
    )
    for service in ("web", "dns"):
        served = f"tail -n 200 /var/log/client.log | grep ' {service} m5 .* ok$'"
        machine.lab.wait("client", served, timeout=20)


def test_commands_on_a_machine_from_the_command_line(booted: dict[str, RunningMachine]) -> None:
    lab = booted["netplan"]._lab

    def run(*words: str) -> str:
        command = [sys.executable, "-m", "lvstui", "lab", *words]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=30, cwd=PACKAGE_PARENT
        )
        return done.stdout

    asked = run("exec", "--lab", lab.name, "m2", "--", "echo", "a  b", "$HOME")
    assert asked == "a  b $HOME\n"
    assert f"{lab.name}: lb1 rs1 client m1 m2 m3 m4 m5" in run("list")
    shell = lab.spawn("m2", ["/bin/bash", "-i"], pty=(33, 99), env={"TERM": "xterm"})
    shell.write(b"stty size; hostname; echo $TERM; exit 4\r")
    shell.wait_output("33 99")
    assert shell.wait(10) == 4
    assert b"xterm" in shell.output()


def test_nic_comes_back_after_being_down(
    rebooted: dict[str, tuple[RunningMachine, str, str]],
) -> None:
    machine = rebooted["ifupdown"][0]
    machine.run("systemctl restart networking")
    assert machine.wait_ssh() == rebooted["ifupdown"][2]


def test_a_power_cut_loses_what_was_not_synced(
    rebooted: dict[str, tuple[RunningMachine, str, str]],
) -> None:
    machine, _, before = rebooted["networkd"]
    machine.run("echo kept > /etc/kept; sync; echo lost > /etc/lost")
    assert machine.cut_power() != before
    assert machine.run("cat /etc/kept /etc/lost", check=False).stdout == "kept\n"
    # Powered off in order it stays off, unlike after a reboot.
    machine.run("systemctl poweroff", check=False)
    machine.lab.wait("lb1", lambda: not machine.is_on(), timeout=60, what="off")
    time.sleep(2)
    assert not machine.is_on()


def test_killed_lab_takes_its_machines_along(tmp_path: Path) -> None:
    path = tmp_path / "machine.toml"
    path.write_text(topology_of("plain"))
    process = subprocess.Popen(
        [sys.executable, "-m", "lvstui", "lab", "--topology", path, "--exec", "echo up; sleep 99"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={
            **os.environ,
            "XDG_RUNTIME_DIR": str(tmp_path),
            "XDG_CACHE_HOME": str(apt.cache_home().parent.parent),
            "PYTHONPATH": str(PACKAGE_PARENT),
        },
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    folder = tmp_path / "lvstui" / "lab" / "lab1"
    processes = processes_of(folder)
    assert any("umid=m1" in guest._command_line(pid) for pid in processes)
    process.send_signal(signal.SIGKILL)
    process.wait(5)
    process.stdout.close()
    wait_gone(folder, processes)


def test_killed_keeper_leaves_no_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    lab = Lab(parse(topology_of("plain"))).start()
    assert lab._guest is not None
    folder = lab.folder
    processes = processes_of(folder)
    lab._guest.keeper.kill()
    lab._guest.keeper.wait()
    guest.remove_stale()
    wait_gone(folder, processes)
    lab.stop()


def test_machine_without_root(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("every other test shows it")
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    if python is None or shutil.which("setpriv") is None:
        pytest.fail("as root this test needs setpriv and a system Python to be somebody else")
    home = Path("/var/tmp") / f"lvstui-machine-{os.getpid()}"
    base = packages.ensure()
    try:
        text = topology_of("networkmanager", "plain") + 'role = "director"\n'
        stacks = machines.layers(parse(text), base, lambda text: None)
        for layer in {layer.parent for layers in stacks.values() for layer in layers}:
            target = home / ".cache" / "lvstui" / "lab" / layer.name
            shutil.copytree(layer, target, symlinks=True)
        (home / "m.toml").write_text(text)
        shutil.copytree(PACKAGE_PARENT / "lvstui", home / "code" / "lvstui")
        subprocess.run(["chown", "-R", "65534:65534", home], check=True)
        env = {**os.environ, "HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
        env |= {"XDG_CACHE_HOME": str(home / ".cache"), "PYTHONPATH": str(home / "code")}
        ask = "nmcli -t -f DEVICE,STATE device; sudo -n id -u"
        # Only what belongs to root is believed to be the daemon.
        owners = "stat -L -c %u /usr/sbin/keepalived /usr/sbin /usr /"
        done = subprocess.run(
            [
                *("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", python),
                *("-m", "lvstui", "lab", "--topology", str(home / "m.toml"), "--wait"),
                *("--exec", f"ssh m2 '{owners}' && ssh deploy@m1 '{ask}'"),
            ],
            env=env,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("0\n" * 4)
        assert "eth0:connected" in done.stdout.split()
        assert done.stdout.endswith("\n0\n")
        wait_gone(home / "lvstui" / "lab" / "lab1")
    finally:
        shutil.rmtree(home, ignore_errors=True)
