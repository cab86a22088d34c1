"""Each fault does what it says, and heal puts everything back."""

from __future__ import annotations

import re
import sys
import time

import pytest

from lvstui.lab import LabError
from lvstui.lab.faults import FAULTS
from lvstui.lab.surroundings import PACKAGE_PARENT
from tests.labs import Lab

VIP = "10.10.0.20"


def table(lab: Lab, node: str = "lb1") -> str:
    """IPVS rows of a node, addresses readable."""
    return lab.run(node, "ipvsadm -Ln").stdout


def holders(lab: Lab) -> list[str]:
    """Directors that hold the VIP."""
    return [name for name, state in lab.status()["directors"].items() if VIP in state["vips"]]


def ask(lab: Lab, server: str, seconds: str = "1") -> int:
    """curl-like: 0 when a real server's web service answers within some time."""
    talk = f'printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3 && read -t {seconds} -u 3 x'
    command = f"exec 3<>/dev/tcp/{server}/80 && {talk}"
    return lab.run("client", ["/bin/bash", "-c", command], check=False).status


def test_stop_and_start(lab: Lab) -> None:
    assert lab.fault("stop", "rs3", "web") == "rs3: web stopped"
    lab.wait("lb1", lambda: "10.10.0.5:80" not in table(lab), what="rs3 removed")
    assert "10.10.0.5:53" in table(lab)
    log = lab.run("lb1", "grep 10.10.0.5 /var/log/syslog | tail -n 3").stdout
    # "to VS" up to 2.1.5.
    assert re.search(r"Removing service \[10.10.0.5\]:tcp:80 (from|to) VS \[10.10.0.20\]", log)
    lab.fault("start", "rs3")
    lab.wait("lb1", lambda: "10.10.0.5:80" in table(lab), what="rs3 back")


def test_hang_accepts_and_never_answers(lab: Lab) -> None:
    lab.fault("hang", "rs1", "web")
    assert lab.run("client", ["/bin/bash", "-c", "exec 3<>/dev/tcp/10.10.0.3/80"]).status == 0
    assert ask(lab, "10.10.0.3") != 0
    # rs1 is checked by HTTP_GET, which notices; rs3 by TCP_CHECK, which cannot.
    lab.wait("lb1", lambda: "10.10.0.3:80" not in table(lab), what="rs1 removed")


def test_slow_answers_late(lab: Lab) -> None:
    lab.fault("slow", "rs2", "web=700")
    start = time.monotonic()
    assert ask(lab, "10.10.0.4", "3") == 0
    assert time.monotonic() - start > 0.6


def test_unplugged_master_loses_the_vip(lab: Lab) -> None:
    assert holders(lab) == ["lb1"]
    lab.fault("unplug", "lb1")
    lab.wait("lb2", lambda: holders(lab) == ["lb2"], what="lb2 takes over")
    assert "NO-CARRIER" in lab.run("lb1", "ip link show eth0").stdout
    lab.fault("plug", "lb1")
    lab.wait("lb1", lambda: holders(lab) == ["lb1"], what="lb1 back")


def test_killed_keepalived_leaves_table_and_vip(lab: Lab) -> None:
    lab.fault("kill-keepalived", "lb1")
    assert lab.run("lb1", "pgrep -x keepalived", check=False).stdout == ""
    assert "10.10.0.3:80" in table(lab)
    assert "lb1" in holders(lab)
    time.sleep(1)
    assert not lab.status()["directors"]["lb1"]["keepalived"], "nobody starts it again"
    lab.fault("start-keepalived", "lb1")
    lab.wait("lb1", "pgrep -x keepalived")


def test_stopped_keepalived_takes_table_and_vip_along(lab: Lab) -> None:
    lab.fault("stop-keepalived", "lb1")
    lab.wait("lb2", lambda: holders(lab) == ["lb2"], what="lb2 takes over")
    lab.wait("lb1", lambda: "10.10.0.3" not in table(lab), what="table emptied")


def test_arp_answer_for_the_vip(lab: Lab) -> None:
    probe = f"arping -c 1 -w 1 -I eth0 {VIP}"
    rs1 = lab.run("rs1", "cat /sys/class/net/eth0/address").stdout.strip().upper()
    assert rs1 not in lab.run("client", probe, check=False).stdout.upper()
    lab.fault("arp", "rs1")
    assert rs1 in lab.run("client", probe, check=False).stdout.upper()
    lab.fault("no-arp", "rs1")
    assert rs1 not in lab.run("client", probe, check=False).stdout.upper()


def test_vip_off_the_loopback(lab: Lab) -> None:
    lab.fault("remove-vip", "rs2")
    assert VIP not in lab.run("rs2", "ip -o addr").stdout
    lab.fault("add-vip", "rs2")
    assert f"{VIP}/32" in lab.run("rs2", "ip -o addr show dev lo").stdout


def test_bare_until_healed(lab: Lab) -> None:
    keys = " ".join(
        f"/proc/sys/net/ipv4/conf/{link}/arp_{key}"
        for link in ("all", "eth0", "lo")
        for key in ("ignore", "announce")
    )
    assert lab.fault("bare", "rs2") == "rs2: no VIP on its loopback, ARP sysctls 0"
    assert lab.run("rs2", f"cat {keys}").stdout.split() == ["0"] * 6
    assert VIP not in lab.run("rs2", "ip -o addr").stdout
    assert lab.all_up() == ""
    lab.reset()
    assert lab.run("rs2", f"cat {keys}").stdout.split() == ["1", "2", "1", "2", "0", "0"]
    assert f"{VIP}/32" in lab.run("rs2", "ip -o addr show dev lo").stdout


def test_split_brain(lab: Lab) -> None:
    lab.fault("split")
    lab.wait("lb2", lambda: holders(lab) == ["lb1", "lb2"], what="both hold the VIP")
    # Only VRRP is blocked: the peer can still be asked.
    lab.run("lb1", "ssh -o BatchMode=yes lb2 true")
    assert lab.all_up() == f"{VIP} is on lb1 and lb2"
    lab.fault("unsplit")
    lab.wait("lb1", lambda: holders(lab) == ["lb1"], what="one holder again")


def test_heal_restores_everything(lab: Lab) -> None:
    lab.fault("stop", "rs1")
    lab.fault("hang", "rs2")
    lab.fault("arp", "rs3")
    lab.fault("remove-vip", "rs3")
    lab.fault("unplug", "lb2")
    lab.fault("split")
    lab.fault("kill-keepalived", "lb1")
    lab.run("lb1", f"ipvsadm -e -t {VIP}:80 -r 10.10.0.4:80 -g -w 0")
    lab.run("lb1", "echo '# changed' >> /etc/keepalived/keepalived.conf")
    lab.reset()
    assert lab.all_up() == ""
    assert "# changed" not in lab.run("lb1", "cat /etc/keepalived/keepalived.conf").stdout
    assert f"{VIP}/32" in lab.run("rs3", "ip -o addr show dev lo").stdout
    assert lab.run("rs3", "cat /proc/sys/net/ipv4/conf/all/arp_ignore").stdout == "1\n"
    assert [ask(lab, f"10.10.0.{n}") for n in (3, 4, 5)] == [0, 0, 0]


def test_idle_reset_is_quick(lab: Lab) -> None:
    start = time.monotonic()
    lab.reset()
    assert time.monotonic() - start < 1.0


def test_faults_from_inside_a_node(lab: Lab) -> None:
    script = (
        "from lvstui.lab.faults import available, inject, nodes\n"
        "assert available()\n"
        "print(inject('stop', 'rs2', 'dns'), nodes()[0])"
    )
    done = lab.run("lb2", [sys.executable, "-c", script], env={"PYTHONPATH": str(PACKAGE_PARENT)})
    assert done.stdout == "rs2: dns stopped ('lb1', 'director')\n"


def test_every_fault_is_known_to_the_agent(lab: Lab) -> None:
    with pytest.raises(LabError) as caught:
        lab.fault("no-such-fault")
    names = caught.value.what.partition("there are: ")[2].split(", ")
    assert names == [fault.name for fault in FAULTS]


def test_wrong_faults_are_refused(lab: Lab) -> None:
    with pytest.raises(LabError, match="name a node"):
        lab.fault("unplug")
    with pytest.raises(LabError, match="no services"):
        lab.fault("stop", "lb1")
    with pytest.raises(LabError, match="no director"):
        lab.fault("kill-keepalived", "rs1")
    with pytest.raises(LabError, match="no service 'smtp' here; there are: web, dns"):
        lab.fault("stop", "rs1", "smtp")
