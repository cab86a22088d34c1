"""The promise to go back: on a full disk, after kill -9, after a boot, and until it works."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lvstui.keepalived.daemon.facts import STATE
from lvstui.keepalived.daemon.look import script
from lvstui.model.changes import Ended
from lvstui.remote import guarded
from lvstui.sources.changes import ChangeMarks
from tests.unit.keepalived.daemon.change_host import ID, NEW, OLD, Host


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    found = Host(tmp_path)
    found.conf.write_bytes(OLD)
    yield found
    found.close()


def plight(host: Host) -> str:
    return host.entry().standing[0].plight


def files(host: Host) -> list[str]:
    return sorted(p.name for p in host.conf.parent.iterdir() if p.is_file())


# Until it works


@pytest.fixture
def stubborn(host: Host) -> Path:
    """Nothing can be renamed over the configuration as long as this file is there."""
    flag = host.root / "stubborn"
    real = shutil.which("mv")
    host.tool(
        "mv",
        f"case $* in *{host.conf}) [ ! -e {flag} ] || {{ echo 'mv: Input/output error' "
        f'>&2; exit 1; }} ;; esac\nexec {real} "$@"',
    )
    return flag


def test_going_back_is_tried_until_it_works(host: Host, stubborn: Path) -> None:
    host.begin(host.step(), seconds=3)
    host.phase("write")
    stubborn.touch()
    host.wait(lambda: "fails, and is tried again" in plight(host), "the trouble")
    assert "Input/output error" in plight(host)
    assert host.standing() is Ended.WAITING
    host.wait(lambda: host.log().count("could not") > 2, "more tries")
    assert (host.conf.read_bytes(), len(host.guards())) == (NEW, 2)
    assert host.phase("confirm", "alice").status == guarded.GONE
    stubborn.unlink()
    host.wait(lambda: host.standing() is Ended.ROLLED_BACK, "the way back")
    assert host.conf.read_bytes() == OLD
    # Things are put in order after the decision.
    host.wait(lambda: not host.guards(), "the guards' end")
    assert (plight(host), files(host)) == ("", ["keepalived.conf"])
    assert not (host.state / "current").is_symlink()


def test_a_failed_way_back_by_hand_is_guarded_again(host: Host, stubborn: Path) -> None:
    host.begin(host.step())
    host.phase("write")
    host.close()
    assert "the timer is gone: NOT rolled back; lvstui config back" in plight(host)
    stubborn.touch()
    assert host.phase("revert").text.startswith("trouble: ")
    assert "tried again" in plight(host)
    stubborn.unlink()
    host.wait(lambda: host.standing() is Ended.UNDONE, "the way back")
    assert host.conf.read_bytes() == OLD


def test_it_ends_when_the_operator_says_stop(host: Host, stubborn: Path) -> None:
    host.begin(host.step())
    assert host.phase("stop", "alice").status == guarded.GONE
    host.phase("write")
    stubborn.touch()
    host.phase("revert")
    assert host.phase("stop", "alice").text == "stopped\n"
    assert host.standing() is Ended.TROUBLE
    assert host.entry().standing[0].text.startswith("given up by alice: ")
    assert (host.conf.read_bytes(), files(host)) == (NEW, ["keepalived.conf", "stubborn"])
    host.wait(lambda: not host.guards(), "the guards' end")


def test_what_a_third_hand_wrote_is_not_tried_again(host: Host) -> None:
    host.begin(host.step(), seconds=3)
    host.phase("write")
    host.conf.write_bytes(b"theirs")
    host.wait(lambda: host.standing() is Ended.TROUBLE, "the decision")
    assert "changed by somebody else" in host.entry().standing[0].text
    assert (host.conf.read_bytes(), files(host)) == (b"theirs", ["keepalived.conf"])


# Room


@pytest.fixture
def disks(host: Host) -> Iterator[Host]:
    """The same host, its configuration and its state each on a small disk of its own."""
    for tool in ("unshare", "nsenter"):
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool} here")
    (host.root / "etc").mkdir()
    mounts = " && ".join(
        f"mkdir -p {folder} && mount -t tmpfs -o size=256k x {folder}"
        for folder in (host.root / "etc", host.state)
    )
    process = subprocess.Popen(
        ["unshare", "-m", "sh", "-c", f"{mounts} && echo ready && exec sleep 600"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            pytest.skip("disks can not be mounted here: that needs root")
        host.inside = process.pid
        host.conf = host.root / "etc" / "keepalived.conf"
        host.run(f"cat > {host.conf}", OLD)
        yield host
        host.close()
    finally:
        process.kill()
        process.wait()


def fill(host: Host, *folders: Path) -> None:
    for folder in folders:
        host.run(
            f"cat /dev/zero > {folder}/full 2>/dev/null; : > {folder}/one-more; "
            f"echo x > {folder}/one-more || echo full"
        )
        assert host.run(f"echo x > {folder}/one-more || echo full").text == "full\n"


def content(host: Host) -> bytes:
    return host.run(f"cat {host.conf}").out


@pytest.mark.parametrize("which", ["etc", "state", "both"])
def test_a_disk_that_fills_up_is_in_nobodys_way(disks: Host, which: str) -> None:
    host = disks
    assert host.begin(host.step(), seconds=8).status == 0
    assert host.phase("write").text == "written\n"
    fill(
        host,
        *{"etc": [host.conf.parent], "state": [host.state]}.get(
            which, [host.conf.parent, host.state]
        ),
    )
    assert host.phase("extend", "4").text == "extended\n"
    host.wait(lambda: host.standing() is Ended.ROLLED_BACK, "the way back")
    assert content(host) == OLD
    assert host.entry().standing[0].text == "the timer ran out"
    assert host.run(f"ls -A {host.conf.parent}").text.split() == (
        ["full", "keepalived.conf", "one-more"] if which != "state" else ["keepalived.conf"]
    )


def test_a_full_disk_does_not_keep_anybody_from_keeping_it(disks: Host) -> None:
    host = disks
    host.begin(host.step())
    host.phase("write")
    fill(host, host.conf.parent, host.state)
    assert host.phase("confirm", "alice").text == "confirmed\n"
    assert host.entry().standing[0].text == "kept by alice"


def test_nothing_is_begun_without_room_for_the_way_back(disks: Host) -> None:
    host = disks
    big = os.urandom(60_000)
    host.run(f"cat > {host.conf}", big)
    host.run(f"head -c 180000 /dev/zero > {host.conf.parent}/much")
    ran = host.begin(host.step(before=big))
    assert (ran.status, "no room for the way back" in ran.text) == (guarded.UNWRITABLE, True)
    assert host.run(f"ls -A {host.conf.parent} {host.state}").text.split() == [
        f"{host.conf.parent}:",
        "keepalived.conf",
        "much",
        f"{host.state}:",
    ]


# Kill and boot


def boot(host: Host) -> None:
    """As if the host had been started anew."""
    (host.state / ID / "boot_id").write_text("another-boot\n")


def test_armed_under_another_boot_goes_back_at_once(host: Host) -> None:
    host.begin(host.step())
    host.phase("write")
    boot(host)
    host.wait(lambda: host.standing() is Ended.ROLLED_BACK, "the way back")
    assert host.conf.read_bytes() == OLD


def test_killed_and_booted_it_says_so_and_goes_back_by_a_word(host: Host) -> None:
    host.begin(host.step())
    host.phase("write")
    host.close()
    boot(host)
    assert plight(host) == (
        "the host was started anew, and the timer is gone: NOT rolled back; lvstui config back"
    )
    assert host.begin(host.step(before=NEW), id_="20261124T220001-abcdef").status == guarded.BUSY
    assert host.phase("revert").text == "reverted\n"
    assert host.conf.read_bytes() == OLD


def test_who_puts_it_off_has_a_guard_again(host: Host) -> None:
    host.begin(host.step())
    host.phase("write")
    host.close()
    boot(host)
    assert host.phase("extend", "60").text == "extended\n"
    assert (plight(host), len(host.guards()) > 0) == ("", True)
    assert host.phase("confirm", "alice").text == "confirmed\n"
    assert host.conf.read_bytes() == NEW


def with_systemd(host: Host) -> Path:
    """A systemd that starts what a unit says, and does it again as long as the unit wants it."""
    (host.root / "systemd").mkdir()
    units = host.root / "units"
    units.mkdir()
    host.tool(
        "systemctl",
        f"""\
case $1 in
  start)
    run=$(sed -n 's/^ExecStart=//p' {units}/$2)
    (until $run || [ ! -d {host.root}/systemd ]; do :; done) </dev/null >/dev/null 2>&1 & ;;
  stop) ;;
esac""",
    )
    return units


def test_with_systemd_a_unit_outlives_kill_and_boot_and_goes_at_the_end(host: Host) -> None:
    units = with_systemd(host)
    assert "armed systemd" in host.begin(host.step()).text
    (unit,) = [path for path in units.iterdir() if path.is_file()]
    assert (units / "multi-user.target.wants" / unit.name).resolve() == unit
    text = unit.read_text()
    assert "Restart=always" in text
    assert "Before=keepalived.service" in text
    host.phase("write")
    (first,) = host.guards()
    host.kill(first)
    host.wait(lambda: host.guards() not in ([], [first]), "another guard")
    boot(host)
    host.wait(lambda: host.standing() is Ended.ROLLED_BACK, "the way back")
    host.wait(lambda: not list(units.rglob("lvstui-*")), "the end of the unit")
    assert host.conf.read_bytes() == OLD


def test_at_boot_the_old_file_is_there_before_the_unit_counts_as_started(host: Host) -> None:
    units = with_systemd(host)
    host.begin(host.step())
    host.phase("write")
    (unit,) = [path for path in units.iterdir() if path.is_file()]
    first = next(line for line in unit.read_text().splitlines() if line.startswith("ExecStartPre="))
    command = first.removeprefix("ExecStartPre=-")
    host.close()
    assert host.run(command).status == 0
    assert host.conf.read_bytes() == NEW, "it was not booted yet"
    boot(host)
    assert host.run(command).text == "reverted\n"
    assert host.conf.read_bytes() == OLD
    assert list(units.rglob("lvstui-*")) == []


def test_at_boot_a_way_back_that_fails_waits_for_nobody(host: Host, stubborn: Path) -> None:
    """systemd must not be asked to start what it is about to start: that would never end."""
    units = with_systemd(host)
    host.begin(host.step())
    host.phase("write")
    host.close()
    boot(host)
    stubborn.touch()
    asked = host.root / "asked"
    host.tool("systemctl", f"echo $* >> {asked}")
    (unit,) = [path for path in units.iterdir() if path.is_file()]
    command = next(
        line.removeprefix("ExecStartPre=-")
        for line in unit.read_text().splitlines()
        if line.startswith("ExecStartPre=")
    )
    assert "it is tried again" in host.run(command).text
    assert not asked.exists()
    assert host.standing() is Ended.WAITING


def test_where_no_unit_can_be_written_two_processes_guard_it(host: Host) -> None:
    units = with_systemd(host)
    units.rmdir()
    units.write_text("in the way")
    assert "armed process" in host.begin(host.step()).text
    host.wait(lambda: len(host.guards()) == 2, "both")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can start a process of somebody else")
def test_whose_process_a_guard_may_be(host: Host) -> None:
    """Root's counts for whoever looks; a stranger's never, nor a program that he started setuid."""
    host.begin(host.step())
    looks = f"T={STATE}/{ID}\n{script('common.sh')}{guarded.script()}\nguarded && echo yes\n"
    assert host.run(looks).text == "yes\n"
    nobody = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "--inh-caps=+dac_read_search",
        "--ambient-caps=+dac_read_search",
    ]
    asked = host.here(looks)
    done = subprocess.run([*nobody, "sh", "-c", asked], capture_output=True, text=True, check=False)
    assert done.stdout == "yes\n", done.stderr
    host.close()
    name = str(host.state / ID / "change.sh")
    for uids in (["--reuid=65534"], ["--ruid=65534"], ["--euid=65534"]):
        words = ["setpriv", *uids, "sh", "-c", "sleep 60; :", name, "guard"]
        with subprocess.Popen(words) as other:
            try:
                (host.state / ID / "guard.1").write_text(f"{other.pid}\n")
                # Until then it is still root's setpriv.
                comm = Path(f"/proc/{other.pid}/comm")
                while comm.read_text() != "sh\n":
                    time.sleep(0.01)
                assert host.run(looks).text == "", uids
                assert ChangeMarks(host.state).look()[0].guarded is False, uids
            finally:
                other.kill()
