"""The default cluster does what a real one does."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from lvstui.lab import LabError
from tests.labs import Lab

VIP = "10.10.0.20"


def served(lab: Lab, service: str, since_ms: int) -> dict[str, int]:
    """How many of the client's requests each real server answered; "-" is nobody."""
    counts: dict[str, int] = {}
    for line in lab.run("client", "tail -n 2000 /var/log/client.log").stdout.splitlines():
        stamp, name, who, _, *word = line.split()
        if name == service and int(stamp) >= since_ms and "download" not in word:
            counts[who] = counts.get(who, 0) + 1
    return counts


def guest_ms(lab: Lab) -> int:
    """The guest's clock, as in the client's log."""
    return int(float(lab.run("client", "date +%s.%N").stdout) * 1000)


def test_all_real_servers_answer_through_the_vip(lab: Lab) -> None:
    since = guest_ms(lab)
    time.sleep(2)
    for service in ("web", "dns"):
        counts = served(lab, service, since)
        assert set(counts) == {"rs1", "rs2", "rs3"}, counts


def test_replies_do_not_pass_the_director(lab: Lab) -> None:
    # Direct routing: the director's port sees requests to the VIP, and no reply from it.
    dump = lab.run(
        "lb1",
        f"timeout 2 tcpdump -nn -c 40 -i eth0 tcp and src host {VIP} and src port 80",
        check=False,
    )
    assert dump.stdout.strip() == ""
    seen = lab.run("lb1", f"timeout 5 tcpdump -nn -c 3 -i eth0 tcp and dst host {VIP}")
    assert len(seen.stdout.splitlines()) == 3


def test_kernel_table_is_the_planned_one(lab: Lab) -> None:
    table = lab.run("lb1", "ipvsadm -Ln").stdout
    assert re.search(rf"TCP +{VIP}:80 wrr", table)
    assert re.search(rf"UDP +{VIP}:53 rr", table)
    assert len(re.findall(r"-> 10\.10\.0\.[345]:(80|53) +Route +10 ", table)) == 6


def test_long_downloads_keep_connections_active(lab: Lab) -> None:
    def active() -> int:
        lines = lab.run("lb1", "cat /proc/net/ip_vs").stdout.splitlines()
        return sum(int(line.split()[4]) for line in lines if "0050 " in line and "->" in line)

    lab.wait("lb1", lambda: active() >= 2, timeout=25, what="long downloads")


def test_nodes_are_separate_hosts(lab: Lab) -> None:
    names = [lab.run(node, "hostname").stdout.strip() for node in ("lb1", "lb2", "rs3", "client")]
    assert names == ["lb1", "lb2", "rs3", "client"]
    lab.run("rs1", "echo mine > /etc/only-here && echo mine > /tmp/only-here")
    assert lab.run("rs2", "ls /etc/only-here /tmp/only-here", check=False).status != 0
    assert "lab-client" not in lab.run("rs1", "cat /proc/[0-9]*/comm").stdout
    assert lab.run("rs1", "cat /proc/sys/net/ipv4/conf/all/arp_ignore").stdout == "1\n"
    assert f"{VIP}/32" in lab.run("rs1", "ip -o addr show dev lo").stdout


def test_nothing_of_the_host_is_written_or_shown(lab: Lab, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("host")
    assert lab.run("lb1", ["cat", str(secret)], check=False).status != 0
    lab.run("lb1", "touch /etc/written-by-lab /usr/bin/written-by-lab")
    assert not Path("/etc/written-by-lab").exists()
    assert not Path("/usr/bin/written-by-lab").exists()
    assert lab.run("lb1", "ls /home /var/tmp").stdout.split() == [
        *("/home:", "deploy", "guest", "ops", "/var/tmp:")
    ]


def test_ssh_between_nodes_needs_no_question(lab: Lab) -> None:
    for node in ("rs1", "10.10.0.5"):
        ssh = f"ssh -o BatchMode=yes -o StrictHostKeyChecking=yes root@{node} hostname"
        assert lab.run("lb1", ssh).stdout.strip() in ("rs1", "rs3")
    keys = {lab.run(n, "cat /etc/ssh/ssh_host_ed25519_key.pub").stdout for n in ("rs1", "rs2")}
    assert len(keys) == 2


@pytest.mark.parametrize("node", ["lb1", "rs1"])
def test_who_may_become_root(lab: Lab, node: str) -> None:
    def ask(user: str, command: str, stdin: str = "") -> tuple[int, str]:
        ssh = ["ssh", "-o", "BatchMode=yes", f"{user}@{node}", command]
        done = lab.run("lb1", ssh, stdin=stdin, check=False)
        return done.status, done.stdout

    as_root = "LC_ALL=C sudo -k -S -p '' id -u"
    assert ask("deploy", "id -un; sudo -n id -u; pwd") == (0, "deploy\n0\n/home/deploy\n")
    assert ask("ops", "sudo -n id -u")[0] == 1
    assert ask("ops", as_root, "lab\n") == (0, "0\n")
    assert ask("ops", as_root, "wrong\n")[0] == 1
    assert ask("guest", as_root, "lab\n")[0] == 1
    assert ask("guest", "touch /etc/x || echo refused") == (0, "refused\n")


def test_keepalived_logs_in_the_format_of_debian_12(lab: Lab) -> None:
    # Whichever is the first: other tests of this lab put the log away.
    line = lab.run("lb1", "head -n 1 /var/log/syslog").stdout
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00"
    assert re.fullmatch(stamp + r" lb1 Keepalived\w*\[\d+\]: \S.*\n", line)


def test_fifos_report_what_happens(lab: Lab) -> None:
    reader = lab.spawn("lb1", "cat /run/keepalived/lvs.fifo")
    lab.fault("stop", "rs3", "web")
    reader.wait_output(f"RS [10.10.0.5]:tcp:80 [{VIP}]:tcp:80 DOWN", timeout=8)
    reader.kill()


def test_output_arrives_whole(lab: Lab) -> None:
    size = 3_000_000
    done = lab.run("lb1", f"seq 1 1000000 | head -c {size}; echo end >&2; exit 5", check=False)
    assert (done.status, done.stderr) == (5, "end\n")
    assert done.stdout == "".join(f"{n}\n" for n in range(1, 500_000))[:size]


def test_files_go_in_and_out_unchanged(lab: Lab, tmp_path: Path) -> None:
    data = bytes(range(256)) * 400
    (tmp_path / "in").write_bytes(data)
    lab.write("rs2", "/srv/new/file", (tmp_path / "in").read_bytes(), mode=0o600)
    lab.copy_out("rs2", "/srv/new/file", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == data
    assert lab.run("rs2", "stat -c %a /srv/new/file").stdout == "600\n"


def test_commands_can_be_fed_and_signalled(lab: Lab) -> None:
    process = lab.spawn(
        "rs1", "trap 'echo got it; exit 9' TERM; echo ready; while :; do sleep 0.1; done"
    )
    process.wait_output("ready")
    process.kill()
    assert process.wait(5) == 9
    assert process.output().endswith(b"got it\n")
    assert lab.run("rs1", "tr a-z A-Z", stdin="words").stdout == "WORDS"


def test_terminal_has_size_colour_and_resize(lab: Lab) -> None:
    process = lab.spawn(
        "lb1", ["/bin/bash", "--norc"], pty=(33, 99), env={"COLORTERM": "truecolor"}
    )
    process.write(b"stty size; echo $COLORTERM; tty\r")
    process.wait_output("33 99")
    process.wait_output("/dev/pts/")
    process.resize(50, 160)
    process.write(b"stty size; trap 'echo caught' INT; sleep 50\r")
    process.wait_output("50 160")
    time.sleep(0.3)
    process.write(b"\x03")
    process.wait_output("caught")
    process.write(b"exit 4\r")
    assert process.wait(5) == 4


def test_errors_say_what_is_wrong(lab: Lab) -> None:
    with pytest.raises(LabError, match=r"no node .rs9.; there are: lb1, lb2"):
        lab.run("rs9", "true")
    with pytest.raises(LabError, match=r"took more than 0\.5 s"):
        lab.run("lb1", "sleep 20", timeout=0.5)
    with pytest.raises(LabError, match=r"status 3"):
        lab.run("lb1", "exit 3")
    with pytest.raises(LabError, match=r"(?s)waited .*for: pigs fly.*last:"):
        lab.wait("lb1", "false", timeout=0.3, what="pigs fly")


def test_bulk_load(lab: Lab) -> None:
    lines = [f"-A -f {n} -s rr\n-a -f {n} -r 10.10.0.3 -g -w 1" for n in range(1, 301)]
    lab.run("lb1", "ipvsadm -R", stdin="\n".join(lines) + "\n", timeout=60)
    # Not counted in /proc/net/ip_vs: see Director.heal.
    count = "ipvsadm -Ln | grep -c FWM"
    assert lab.run("lb1", count).stdout == "300\n"
    lab.reset()
    assert lab.run("lb1", count, check=False).stdout == "0\n"
