"""What was pushed survives a real reboot, for each network stack that Debian has.

Each machine is a guest of its own with systemd as init; its reboot is a reboot.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lvstui.lab.topology import STACKS, parse
from tests.lab import director
from tests.lab.conftest import Labs
from tests.lab.director import LVSTUI
from tests.lab.test_lab_machines import topology_of
from tests.labs import Lab, RunningMachine

VIP = "10.10.0.20"
METHOD = {
    "ifupdown": "ifupdown",
    "netplan": "netplan",
    "networkmanager": "networkmanager",
    "networkd": "networkd",
    "plain": "unit",
}
"""The way that is right for each stack."""
STATE = (
    "cd /; find etc -xdev \\( -type f -o -type l \\) -print0 | sort -z | "
    "xargs -0 stat -c '%a %u:%g %s %N'; find etc -xdev -type f -print0 | sort -z | "
    "xargs -0 md5sum; ls -d var/lib/lvstui 2>&1; "
    "grep -H . proc/sys/net/ipv4/conf/*/arp_*; ip -o addr show | awk '{print $2, $3, $4}'; "
    "ip route show table local; ip route get 127.0.0.53"
)
"""Everything that a push may touch; the network is up before it is asked."""

Machines = dict[str, RunningMachine]


@pytest.fixture(scope="module")
def cluster(labs: Labs) -> tuple[Lab, Machines]:
    """One director, one real server, a bare machine of each stack."""
    lab = labs(parse(topology_of(*STACKS)))
    found = {stack: lab.machine(f"m{n}") for n, stack in enumerate(STACKS, 1)}
    assert set(on_all(found, lambda m: m.wait_booted(150)).values()) == {"running"}
    return lab, found


def on_all(machines: Machines, work: Any) -> dict[str, Any]:
    """The same on all machines at once."""
    with ThreadPoolExecutor(len(machines)) as pool:
        return dict(zip(machines, pool.map(work, machines.values()), strict=True))


def lvstui(lab: Lab, words: str) -> tuple[int, dict[str, Any]]:
    done = director.lvstui(lab, f"realserver {words} --json", timeout=400)
    assert "Traceback" not in done.stderr, done.stderr
    return done.status, json.loads(done.stdout)


def state(machine: RunningMachine) -> str:
    return str(machine.run(STATE, timeout=120).stdout)


def test_pushed_rebooted_verified_undone(cluster: tuple[Lab, Machines]) -> None:
    lab, machines = cluster
    names = " ".join(f"m{n}" for n in range(1, len(machines) + 1))
    before = on_all(machines, state)

    status, document = lvstui(lab, f"push {names} --yes --timer 120")
    hosts = {host["name"]: host["about"] for host in document["plan"]["hosts"]}
    assert status == 0, document["outcome"]
    methods = {s: hosts[f"m{n}"].rpartition(", ")[2] for n, s in enumerate(machines, 1)}
    assert methods == METHOD

    on_all(machines, lambda m: m.reboot(150))
    on_all(machines, lambda m: m.wait_booted(150))
    status, document = lvstui(lab, f"verify {names}")
    for host in document["hosts"]:
        checks = host["vips"][VIP]
        assert {check["verdict"] for check in checks.values()} == {"good"}, (host["name"], checks)
        assert any(
            "started anew since the push" in line for line in checks["persistent"]["evidence"]
        ), host["name"]
    assert status == 0
    status, document = lvstui(lab, f"push {names} --yes")
    assert document["outcome"]["ended"] == "nothing to do"

    status, document = lvstui(lab, f"undo {names} --yes --timer 120")
    assert status == 0, document["outcome"]
    after = on_all(machines, state)
    for stack in machines:
        assert after[stack].splitlines() == before[stack].splitlines(), stack


def test_the_reboot_of_verify_is_waited_for(cluster: tuple[Lab, Machines]) -> None:
    lab, machines = cluster
    machine = machines["networkd"]
    number = list(machines).index("networkd") + 1
    first = machine.wait_ssh()
    status, document = lvstui(lab, f"verify m{number} --reboot --yes")
    assert document["reboot_troubles"] == []
    assert document["hosts"][0]["boot_id"] != first
    assert status == 1, "it is bare again: the look after the reboot says so"
    assert document["hosts"][0]["vips"][VIP]["vip"]["verdict"] == "bad"


def test_power_cut_between_live_and_lasting_ends_as_before(cluster: tuple[Lab, Machines]) -> None:
    """The timer dies with the power, and so does everything that was only live."""
    lab, machines = cluster
    machine = machines["plain"]
    number = list(machines).index("plain") + 1
    process = lab.spawn("lb1", f"{LVSTUI} realserver push m{number} --yes --json")
    lab.wait(
        "lb1",
        lambda: machine.run("ip -o addr show dev lo", check=False).stdout.count(VIP),
        timeout=90,
        what="the VIP is live",
    )
    machine.cut_power()
    machine.wait_booted(150)
    process.wait(300)
    process.close_input()
    here = machine.run("ip -o addr show dev lo; cat /proc/sys/net/ipv4/conf/all/arp_ignore").stdout
    files = machine.run(
        "ls /etc/sysctl.d/99-zz-lvstui.conf /etc/systemd/system/lvstui-vip.service", check=False
    ).stdout.split()
    whole = (VIP in here, here.split()[-1] == "1", len(files) == 2)
    assert whole in ((False, False, False), (True, True, True)), (here, files)
    if not whole[0]:
        _, document = lvstui(lab, f"undo m{number} --unfinished --yes")
        assert "nothing to this host" in str(document["plan"]["hosts"][0]["refusals"])
        assert machine.run("ls -d /var/lib/lvstui/tx", check=False).stdout == ""
    else:
        assert lvstui(lab, f"undo m{number} --yes")[0] == 0


HALT = "/var/lib/lvstui/tx"
GUARD = "systemctl show -p MainPID --value lvstui-rollback.service"


def test_cut_while_it_is_made_to_last_goes_back_at_boot(cluster: tuple[Lab, Machines]) -> None:
    """Its files are half there: the power goes, and an operator has nothing to do."""
    lab, machines = cluster
    machine = machines["plain"]
    number = list(machines).index("plain") + 1
    machine.run("rm -rf /var/lib/lvstui")
    before = state(machine)
    # The last step but one takes its time, so that the cut comes into the middle for certain.
    machine.run(
        "printf '#!/bin/sh\\ncase $* in *lvstui-vip*) sleep 300;; esac\\nexec "
        '/usr/bin/systemctl "$@"\\n\' > /usr/local/sbin/systemctl; '
        "chmod 755 /usr/local/sbin/systemctl"
    )
    process = lab.spawn("lb1", f"{LVSTUI} realserver push m{number} --yes --timer 300 --json")
    try:
        lab.wait(
            "lb1",
            lambda: (
                machine.run(
                    f"test -e {HALT}/committing && test -e /etc/systemd/system/lvstui-vip.service",
                    check=False,
                ).status
                == 0
            ),
            timeout=120,
            what="half of the files",
        )
        first = machine.run(GUARD).stdout.strip()
        machine.run(f"kill -9 {first}")
        lab.wait(
            "lb1",
            lambda: machine.run(GUARD).stdout.strip() not in ("0", first),
            timeout=30,
            what="another guard",
        )
        machine.run("rm /usr/local/sbin/systemctl; sync")
        machine.cut_power()
        machine.wait_booted(150)
        lab.wait(
            "lb1",
            lambda: machine.run(f"test -d {HALT}", check=False).status != 0,
            timeout=90,
            what="the way back",
        )
    finally:
        process.kill()
        process.wait(30)
        machine.run("rm -f /usr/local/sbin/systemctl", check=False)
    log = machine.run("cat /var/lib/lvstui/reverted/log").stdout
    assert "went back: everything is as it was before" in log
    machine.run("rm -r /var/lib/lvstui; systemctl daemon-reload")
    assert state(machine).splitlines() == before.splitlines()
