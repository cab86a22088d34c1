"""A director that is a machine: keepalived as Debian's unit, a real journal, reboots."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from lvstui.lab import LabError
from lvstui.lab.surroundings import PACKAGE_PARENT
from lvstui.lab.topology import parse
from tests.lab.director import Watch
from tests.labs import Lab, RunningMachine

TOPOLOGY = """
directors = 1
real_servers = 2
[[machine]]
name = "lb2"
role = "director"
stack = "plain"
"""
VIP = "10.10.0.20"
JOURNAL = "journalctl --no-pager -o cat _COMM=keepalived"
CONF = "/etc/keepalived/keepalived.conf"


@pytest.fixture(scope="module")
def cluster() -> Iterator[tuple[Lab, RunningMachine]]:
    """lb1, a node, and lb2, a machine; booted and all up."""
    with Lab(parse(TOPOLOGY)) as lab:
        machine = lab.machine("lb2")
        assert machine.wait_booted(150) == "running", machine.console()
        lab.wait_all_up()
        yield lab, machine


@pytest.fixture
def lb2(cluster: tuple[Lab, RunningMachine]) -> RunningMachine:
    """The machine, as it was planned."""
    return cluster[1]


@pytest.fixture
def healed(cluster: tuple[Lab, RunningMachine]) -> Iterator[Lab]:
    """The lab, put back after a test that breaks it."""
    yield cluster[0]
    cluster[0].reset(60)


def table(machine: RunningMachine) -> str:
    """Addresses of its IPVS table, as ipvsadm saves them."""
    return machine.run("ipvsadm -Sn").stdout


def holders(lab: Lab) -> list[str]:
    return [name for name, state in lab.status()["directors"].items() if VIP in state["vips"]]


def test_it_is_a_director_as_debian_makes_one(lb2: RunningMachine) -> None:
    ask = "systemctl show -P FragmentPath -P MainPID -P UnitFileState -P ActiveState keepalived"
    said = lb2.run(f"{ask}; cat /run/keepalived.pid; keepalived --version 2>&1").stdout.split("\n")
    shown = [line for line in said if line]
    assert {"enabled", "active"} <= set(shown[:4])
    assert any(line.endswith("lib/systemd/system/keepalived.service") for line in shown[:4])
    assert shown[4] in shown[:4], "the unit's main process is the daemon"
    assert shown[5].startswith("Keepalived v2.")
    saved = table(lb2)
    for server in ("10.10.0.3", "10.10.0.4"):
        assert f"-a -t {VIP}:80 -r {server}:80 -g -w 10" in saved
        assert f"-a -u {VIP}:53 -r {server}:53 -g -w 10" in saved
    assert "10.10.0.51:" not in saved
    assert lb2.run("ls -d /var/log/journal /var/log/syslog", check=False).stdout == ""
    said = lb2.run(f"{JOURNAL}; stat -c %F /run/keepalived/*.fifo").stdout.splitlines()
    assert any(line.startswith("Starting Keepalived v2.") for line in said)
    assert "(LB_1) Entering BACKUP STATE (init)" in said
    assert said[-2:] == ["fifo", "fifo"]


def test_lvstui_there_has_the_words_of_the_journal(lb2: RunningMachine, healed: Lab) -> None:
    with Watch(healed, "lb2") as watch:
        told = "rs1 (10.10.0.3:80) up, back in tcp 10.10.0.20:80"
        document = watch.wait(
            lambda d: d["verdict"] == "ok" and told in [event["text"] for event in d["events"]],
            "all well, and why",
        )
        daemon = document["daemon"]
        assert daemon["version"].startswith("2.")
        assert (daemon["running"], daemon["loaded_is_file"]) == (True, True)
        assert str(daemon["pid"]) == lb2.run("cat /run/keepalived.pid").stdout.strip()
        (instance,) = document["instances"]
        assert (instance["state"], instance["vips_here"]) == ("BACKUP", [])
        assert document["gaps"] == []
        # Anybody may write under any name; the journal knows who it was.
        lb2.run("runuser -u guest -- logger -t Keepalived_vrrp '(LB_1) Entering FAULT STATE'")
        healed.fault("stop", "rs2", "web")
        seen = watch.wait(
            lambda d: any(e["text"].startswith("rs2 (10.10.0.4:80) down") for e in d["events"]),
            "rs2 down in the events",
        )
        assert seen["instances"][0]["state"] == "BACKUP"
        assert not [event for event in seen["events"] if "FAULT" in event["text"]]
        healed.fault("stop-keepalived", "lb1")
        watch.wait(lambda d: d["instances"][0]["state"] == "MASTER", "lb2 is MASTER")
    at = next(e["at_epoch_s"] for e in seen["events"] if e["text"].startswith("rs2 (10.10.0.4:80)"))
    logged = lb2.run("journalctl --no-pager -o short-unix -t Keepalived_healthcheckers").stdout
    about = [line for line in logged.splitlines() if "[10.10.0.4]:tcp:80" in line]
    assert min(abs(at - float(line.split()[0])) for line in about) < 0.2
    assert holders(healed) == ["lb2"]


def test_faults_of_a_director_strike_it(lb2: RunningMachine, healed: Lab) -> None:
    lab = healed
    assert lab.fault("kill-keepalived", "lb2") == "lb2: keepalived killed (-9)"
    shown = lb2.run("systemctl is-active keepalived; ipvsadm -Sn", check=False).stdout
    assert shown.startswith("failed\n")
    assert shown.count(" -r ") == 4
    assert "lb2: keepalived does not run" in lab.all_up()
    assert lab.fault("start-keepalived", "lb2") == "lb2: keepalived started"
    assert lab.fault("start-keepalived", "lb2") == "lb2: keepalived runs already"
    assert lab.fault("stop-keepalived", "lb2") == "lb2: keepalived told to stop"
    shown = lb2.run("systemctl is-active keepalived; ipvsadm -Sn", check=False).stdout
    assert shown == "inactive\n"
    with pytest.raises(LabError, match="faults of keepalived"):
        lab.fault("stop", "lb2")
    assert lab.fault("heal") == "healed: lb2: keepalived"
    lab.fault("unplug", "lb2")
    with pytest.raises(LabError, match="lb2 does not answer by SSH"):
        lab.fault("stop-keepalived", "lb2")


def test_split_brain_with_it(healed: Lab) -> None:
    healed.fault("split")
    healed.wait("lb1", lambda: holders(healed) == ["lb1", "lb2"], timeout=30, what="two masters")
    healed.fault("unsplit")
    healed.wait("lb1", lambda: holders(healed) == ["lb1"], timeout=30, what="one master")


def test_its_file_and_its_weights_are_healed(lb2: RunningMachine, healed: Lab) -> None:
    lb2.run(f"echo '# mine' >> {CONF}; ipvsadm -e -t {VIP}:80 -r 10.10.0.3:80 -g -w 3")
    assert "10.10.0.3:80" in healed.all_up()
    assert healed.fault("heal") == "healed: lb2: keepalived.conf, lb2: ipvs table"
    assert "# mine" not in lb2.run(f"cat {CONF}").stdout


def test_from_the_command_line(cluster: tuple[Lab, RunningMachine]) -> None:
    lab = cluster[0]

    def run(*words: str) -> str:
        command = [sys.executable, "-m", "lvstui", "lab", *words]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=60, cwd=PACKAGE_PARENT
        )
        return done.stdout

    assert f"{lab.name}: lb1 rs1 rs2 client lb2\n" in run("list")
    assert run("exec", "--lab", lab.name, "lb2", "--", "hostname") == "lb2\n"
    done = run("fault", "--lab", lab.name, "start-keepalived", "lb2")
    assert done == "lb2: keepalived runs already\n"


def test_a_reboot_is_one(lb2: RunningMachine, healed: Lab) -> None:
    before = lb2.run(f"echo '# kept on disk' >> {CONF}; cat /proc/sys/kernel/random/boot_id")
    assert lb2.reboot(120) != before.stdout.strip()
    assert lb2.wait_booted(120) == "running", lb2.console()
    healed.wait_all_up()
    shown = lb2.run(f"systemctl is-active keepalived; tail -n 1 {CONF}; ipvsadm -Sn").stdout
    assert shown.startswith("active\n# kept on disk\n")
    assert shown.count(" -r ") == 4
    # The journal is volatile: this boot's, and no other's.
    said = lb2.run(f"journalctl -q --list-boots --no-pager | wc -l; {JOURNAL}").stdout
    assert said.startswith("1\n")
    assert "(LB_1) Entering BACKUP STATE" in said


# ---- a change of the configuration that waits to be kept ----------------------------------------

HOLD = "lvstui config weight rs1 5 --service web --alone --hold --yes --timer"
LEFT_BEHIND = (
    "find /etc/systemd/system /etc/keepalived -name '*lvstui*'; "
    "for state in active failed; do systemctl --no-legend --state=$state list-units 'lvstui*'; done"
)
"""What a change that was decided must not leave: units, and copies beside the files."""


def held(machine: RunningMachine, seconds: int) -> str:
    """Change a weight in the file, loaded and waiting; the name of the guard's unit."""
    done = machine.run(f"{HOLD} {seconds}", timeout=120)
    assert "waiting: loaded and read back" in done.stdout, done.stdout + done.stderr
    (name,) = [word for word in machine.run(LEFT_BEHIND).stdout.split() if ".service" in word][-1:]
    return name.rsplit("/", 1)[-1]


@pytest.fixture
def undecided(cluster: tuple[Lab, RunningMachine]) -> Iterator[Lab]:
    """The lab; what a test that failed left waiting or full is gone behind it."""
    lab, machine = cluster
    yield lab
    guard = "/var/lib/lvstui/config/current/change.sh"
    machine.run(f"rm -f /fill /fill.rest; [ ! -e {guard} ] || sh {guard} revert", check=False)
    lab.reset(60)


def rs1_weights(machine: RunningMachine) -> tuple[str, str]:
    """Of the web service: in the file, and in the kernel."""
    said = machine.run(f"grep -m 1 ' weight ' {CONF}; ipvsadm -Sn").stdout
    (kernel,) = [line for line in said.splitlines() if "-r 10.10.0.3:80 " in line]
    return said.split()[1], kernel.split()[-1]


def came_of_it(machine: RunningMachine) -> tuple[str, str]:
    """How the newest change ended, and why, by `config history`."""
    done = machine.run("lvstui config history --json", timeout=60)
    newest = json.loads(done.stdout)["history"][0]
    return newest["ended"], newest["text"]


@pytest.mark.parametrize("how", ["reboot", "power cut with a full disk"])
def test_a_change_that_was_not_kept_is_gone_after(
    lb2: RunningMachine, undecided: Lab, how: str
) -> None:
    whole = lb2.run(f"cat {CONF}").stdout
    guard = held(lb2, 600)
    assert rs1_weights(lb2) == ("5", "5")
    if how == "reboot":
        lb2.reboot(120)
    else:
        fill(lb2)
        lb2.cut_power(120)
    lb2.wait_booted(120)
    undecided.wait("lb2", "systemctl is-active keepalived", timeout=60)
    undecided.wait_all_up(60)
    assert lb2.run(f"cat {CONF}").stdout == whole
    assert rs1_weights(lb2) == ("10", "10")
    assert lb2.run(LEFT_BEHIND).stdout == ""
    # keepalived never ran with the new file: it was started after the guard had gone back.
    said = lb2.run("journalctl -b --no-pager -o cat").stdout.splitlines()
    assert said.index("reverted") < said.index("Startup complete")
    assert "reverted" in lb2.run(f"journalctl -b --no-pager -o cat -u {guard}").stdout
    assert not [line for line in said if line.startswith("Reloading")]
    lb2.run("rm -f /fill /fill.rest")
    ended, why = came_of_it(lb2)
    assert ended == "rolled back"
    assert "the host was started anew before it was kept" in why


def fill(machine: RunningMachine) -> None:
    """Leave no room on the machine's disk."""
    room = "$(df --output=avail -B1 / | tail -n 1)"
    machine.run(f"fallocate -l {room} /fill; cat /dev/zero > /fill.rest 2>/dev/null; sync")
    assert machine.run("echo > /etc/more", check=False).status != 0


def test_a_killed_guard_on_a_full_disk_goes_back(lb2: RunningMachine, undecided: Lab) -> None:
    whole = lb2.run(f"cat {CONF}").stdout
    guard = held(lb2, 30)
    fill(lb2)
    ask = f"systemctl show -P MainPID {guard}"
    before = lb2.run(f"{ask}; systemctl kill -s KILL {guard}").stdout.strip()
    assert before.isdigit()
    assert before != "0"
    started = f'now=$({ask}); [ "$now" != 0 ] && [ "$now" != {before} ]'
    undecided.wait("lb2", started, timeout=60, what="systemd starts the guard again")
    undecided.wait("lb2", lambda: rs1_weights(lb2) == ("10", "10"), timeout=120, interval=1)
    assert lb2.run(f"cat {CONF}").stdout == whole
    undecided.wait("lb2", lambda: not lb2.run(LEFT_BEHIND).stdout, timeout=30, interval=1)
    lb2.run("rm -f /fill /fill.rest")
    assert came_of_it(lb2) == ("rolled back", "lb2: the timer ran out")
