"""The lab as seen from the host: command line, several at once, no root, nothing left behind."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from lvstui.lab import LabError, apt, guest, packages
from lvstui.lab.surroundings import PACKAGE_PARENT
from lvstui.lab.topology import parse
from tests.labs import Lab, processes_of, wait_gone

COMMAND = [sys.executable, "-m", "lvstui", "lab"]
SMALL = "directors = 1\nreal_servers = 1\n"


def environment(home: Path) -> dict[str, str]:
    """An environment with run time folders of its own and this user's package cache."""
    return {
        **os.environ,
        "XDG_RUNTIME_DIR": str(home),
        "XDG_CACHE_HOME": str(apt.cache_home().parent.parent),
        "PYTHONPATH": str(PACKAGE_PARENT),
    }


@pytest.fixture
def topology(tmp_path: Path) -> Path:
    """The smallest cluster."""
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path


def test_exec_gives_output_and_status(tmp_path: Path, topology: Path) -> None:
    done = subprocess.run(
        [
            *COMMAND,
            "--topology",
            topology,
            "--node",
            "rs1",
            "--exec",
            "hostname; cat; echo e >&2; exit 7",
        ],
        input="fed\n",
        capture_output=True,
        text=True,
        env=environment(tmp_path),
        timeout=40,
        check=False,
    )
    assert (done.returncode, done.stdout) == (7, "rs1\nfed\n"), done.stderr
    assert done.stderr.endswith("\ne\n")
    assert "lvstui lab: booting" in done.stderr
    assert guest.runtime_home().name == "lab"
    wait_gone(tmp_path / "lvstui" / "lab" / "lab1")


def test_two_labs_at_once(lab: Lab, tmp_path: Path) -> None:
    with Lab(parse(SMALL)) as other:
        assert other.name != lab.name
        assert {lab.name, other.name} <= set(guest.running())
        other.wait_all_up()
        other.fault("stop", "rs1")
        assert lab.all_up() == ""
        attached = Lab.attach(other.name)
        assert attached.run("rs1", "hostname").stdout == "rs1\n"
        attached.close()
        assert other.run("rs1", "hostname").stdout == "rs1\n"
        with pytest.raises(LabError, match="runs already"):
            Lab(parse(SMALL), name=other.name).start()
        folder = other.folder
    wait_gone(folder)


def test_bare_real_servers_keep_what_was_pushed() -> None:
    with Lab(parse('directors = 1\nreal_servers = 2\nbare = ["rs2"]\n')) as other:
        other.wait_all_up()
        look = "ip -o -4 addr show dev lo; cat /proc/sys/net/ipv4/conf/all/arp_ignore"
        assert "10.10.0.20/32" in other.run("rs1", look).stdout
        assert "10.10.0.20" not in other.run("rs2", look).stdout
        assert other.run("rs2", look).stdout.endswith("\n0\n")
        with pytest.raises(LabError, match="rs2 is bare"):
            other.fault("no-arp", "rs2")
        push = "ip addr add 10.10.0.20/32 dev lo; echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore"
        other.run("rs2", push)
        other.reset()
        assert "10.10.0.20/32" in other.run("rs2", look).stdout
        assert other.run("rs2", look).stdout.endswith("\n1\n")


def run_on_terminal(
    argv: list[str], env: dict[str, str], talk: bytes, until: bytes
) -> tuple[int, bytes]:
    """Run a command on a terminal of 30 x 100: type, wait for output; its status and output."""
    pid, master = pty.fork()
    if pid == 0:
        os.execve(argv[0], argv, env)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    output = b""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        ready, _, _ = select.select([master], [], [], 0.2)
        if not ready:
            continue
        try:
            output += os.read(master, 65536)
        except OSError:
            break
        if talk and b"# " in output:
            os.write(master, talk)
            talk = b""
        if not talk and until in output:
            os.write(master, b"exit 6\r")
            until = b"\xff"
    _, status = os.waitpid(pid, 0)
    os.close(master)
    return os.waitstatus_to_exitcode(status), output


def test_shell_in_a_running_lab(lab: Lab) -> None:
    argv = [*COMMAND, "shell", "rs2", "--lab", lab.name]
    talk = b"hostname; stty size; echo $LVSTUI_LAB\r"
    env = {**os.environ, "PYTHONPATH": str(PACKAGE_PARENT)}
    status, output = run_on_terminal(argv, env, talk, b"lvstui-lab.sock")
    assert status == 6, output
    assert b"rs2\r\n30 100\r\n" in output


def test_tui_needs_a_terminal() -> None:
    done = subprocess.run(
        COMMAND,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        cwd=PACKAGE_PARENT,
    )
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr
    assert "--exec" in done.stderr


def test_fault_and_list_from_the_command_line(lab: Lab) -> None:
    def run(*words: str) -> str:
        done = subprocess.run(
            [*COMMAND, *words],
            capture_output=True,
            text=True,
            check=True,
            timeout=20,
            cwd=PACKAGE_PARENT,
        )
        return done.stdout

    assert f"{lab.name}: lb1 lb2 rs1 rs2 rs3 client" in run("list")
    assert (
        run("fault", "slow", "rs1", "250", "--lab", lab.name)
        == "rs1: all services answer after 250 ms\n"
    )
    assert "kill-keepalived" in run("fault")
    assert run("exec", "--lab", lab.name, "rs3", "--", "hostname") == "rs3\n"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_killed_lab_leaves_nothing(number: int, tmp_path: Path, topology: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "--topology", topology, "--exec", "echo ready; sleep 100"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(tmp_path),
        # Whoever runs the tests in the background has them ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    folder = tmp_path / "lvstui" / "lab" / "lab1"
    processes = processes_of(folder)
    assert len(processes) > 2
    process.send_signal(number)
    process.wait(5)
    process.stdout.close()
    wait_gone(folder, processes)


def test_killed_keeper_is_cleared_up_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    lab = Lab(parse(SMALL)).start()
    assert lab._guest is not None
    folder = lab.folder
    processes = processes_of(folder)
    lab._guest.keeper.kill()
    lab._guest.keeper.wait()
    with pytest.raises(LabError, match="ended"):
        lab.run("lb1", "true")
    guest.remove_stale()
    wait_gone(folder, processes)
    lab.stop()


def test_without_root(tmp_path: Path, topology: Path) -> None:
    if os.getuid() == 0:
        python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
        if python is None or shutil.which("setpriv") is None:
            pytest.fail("as root this test needs setpriv and a system Python to be somebody else")
        home = Path("/var/tmp") / f"lvstui-test-{os.getpid()}"
        become = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", python]
    else:
        home, become = tmp_path, [sys.executable]
    cache = home / ".cache" / "lvstui"
    cache.mkdir(parents=True)
    try:
        layer = packages.ensure().folder
        if layer is not None:
            target = cache / "lab" / layer.parent.name
            shutil.copytree(layer.parent, target, symlinks=True)
        shutil.copy(topology, home / "small.toml")
        # The checkout may lie where only root can read.
        code = home / "code"
        shutil.copytree(PACKAGE_PARENT / "lvstui", code / "lvstui")
        if os.getuid() == 0:
            subprocess.run(["chown", "-R", "65534:65534", home], check=True)
        env = {**environment(home), "HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")}
        env["PYTHONPATH"] = str(code)
        # Both looks at the daemon, ours and that of the scripts: it is root's, whoever unpacked it.
        see = "from lvstui.sources.daemon import find_daemon as f; print(f().running, f().version)"
        words, command = (
            ["-m", "lvstui", "lab"],
            "id -u; ssh deploy@rs1 sudo -n id -u; cat /proc/net/ip_vs; "
            f"cd {code}; {become[-1]} -c '{see}'; "
            ". lvstui/remote/guarded/tools.sh; . lvstui/keepalived/daemon/scripts/common.sh; "
            "find_parent; program $pid; "
            'echo "is $((pid > 0)) $HELD"; "$REPLY" --version 2>&1 | head -n 1',
        )
        done = subprocess.run(
            [*become, *words, "--topology", home / "small.toml", "--wait", "--exec", command],
            env=env,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("0\n0\n")
        assert done.stdout.count("Route   10") == 2
        assert re.search(r"\nTrue \d[\d.]+\nis 1 /usr/sbin/keepalived\nKeepalived v", done.stdout)
        wait_gone(home / "lvstui" / "lab" / "lab1")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def test_no_room_for_memory_is_said_clearly(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no place for the guest's") as caught:
        guest.memory_folder(1 << 40, tmp_path)
    assert "MB free" in caught.value.why
    assert "--memory" in caught.value.remedy
