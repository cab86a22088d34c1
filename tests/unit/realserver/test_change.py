"""The scripts that carry a plan out, run for real in a private network and file system.

The shell is the host's own; `ip`, the kernel's settings and the files are real ones of a namespace
that the test makes. Hosts where that is not allowed skip them: the lab's tests run the same there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvstui.realserver.plan import plan_push
from lvstui.realserver.transaction import begin, literal, phase, script, standing, steps
from lvstui.realserver.transaction import look as look_script
from lvstui.remote import guarded
from tests.unit.realserver.looks import CENTOS7, look

ROOT = Path(__file__).parents[3]
SHELLS = [shell for shell in ("dash", "bash", "busybox") if shutil.which(shell)]


def shell_words(shell: str) -> list[str]:
    return [shell, "sh"] if shell == "busybox" else [shell]


@pytest.mark.parametrize("shell", SHELLS)
@given(data=st.binary(max_size=300).map(lambda raw: raw.replace(b"\0", b"")))
@settings(max_examples=40, deadline=None)
def test_any_content_reaches_the_host_byte_for_byte(shell: str, data: bytes) -> None:
    done = subprocess.run(
        [*shell_words(shell), "-c", literal(data)], capture_output=True, check=True
    )
    assert done.stdout == data


@pytest.mark.parametrize("shell", SHELLS)
def test_the_scripts_are_shell(shell: str) -> None:
    plan = plan_push(look(**CENTOS7), ["10.10.0.20"])
    for text in (
        begin(plan),
        phase("live"),
        steps(plan, 60),
        look_script(),
        standing(),
        guarded.script() + script("change.sh"),
    ):
        done = subprocess.run(
            [*shell_words(shell), "-n"], input=text, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


SCENES = """
import dataclasses, json, os, subprocess, sys, time
from lvstui.realserver import parse, transaction as tx
from lvstui.realserver.plan import plan_push, plan_undo

def sh(text, **env):
    done = subprocess.run(["/bin/sh", "-c", text], capture_output=True, text=True,
                          env={**os.environ, "LC_ALL": "C", **env})
    return done.stdout

def look():
    out = sh(tx.look(), N="n0", VIPS="10.10.0.20", DIPS="10.10.0.2")
    # No init system runs in here: ifupdown's files are what this host has.
    return parse.facts(out, "n0", "here", time.time())

def state():
    return sh("cd /; find etc/sysctl.d etc/network var/lib -type f | sort | xargs -r md5sum; "
              "grep -H . /proc/sys/net/ipv4/conf/*/arp_*; ip -o addr show dev lo; "
              "stat -c '%a %u %n' etc/network/* var/lib/*")

def wait(path, seconds=25):
    until = time.monotonic() + seconds
    while os.path.exists(path) and time.monotonic() < until:
        time.sleep(0.1)

sh("ip link set lo up; ip link add eth0 type veth peer name p0; ip link set eth0 up; "
   "ip link set p0 up; ip addr add 10.10.0.3/24 dev eth0; mkdir -p /etc/network/interfaces.d "
   "/etc/rcS.d /etc/sysctl.d; : > /etc/rcS.d/S10networking; "
   "printf 'source /etc/network/interfaces.d/*\\nauto lo\\niface lo inet loopback\\n' "
   "> /etc/network/interfaces; mkdir -p /opt/stub")
# ifupdown is not installed here; its live half falls back to `ip`.
open("/opt/stub/ifup", "w").write("#!/bin/sh\\n[ \\"$1\\" = --version ] && echo 0.8.41 && exit\\n"
                                  "exit 1\\n")
os.chmod("/opt/stub/ifup", 0o755)
open("/opt/stub/ifdown", "w").write("#!/bin/sh\\nexit 1\\n")
os.chmod("/opt/stub/ifdown", 0o755)
os.environ["PATH"] = "/opt/stub:" + os.environ["PATH"]
result = {}
before = state()
facts = look()
plan = plan_push(facts, ["10.10.0.20"])
result["refused"] = plan.refusals

sh(tx.begin(plan, 15)); sh(tx.phase("live"))
live = look()
result["live"] = [bool(live.holders("10.10.0.20")), live.sysctl("net/ipv4/conf/all/arp_ignore"),
                  os.path.exists("/etc/sysctl.d/99-zz-lvstui.conf")]
result["second begin"] = sh(tx.begin(plan, 15))
result["commit"] = sh(tx.phase("commit"))
done = look()
result["persists"] = plan_push(done, ["10.10.0.20"]).empty
result["tx left"] = os.path.exists("/var/lib/lvstui/tx")
undo = plan_undo(done)
sh(tx.begin(undo, 15)); sh(tx.phase("live")); result["undo"] = sh(tx.phase("commit"))
result["byte for byte"] = state() == before

# The timer: nobody confirms.
sh(tx.begin(plan, 2)); sh(tx.phase("live"))
wait("/var/lib/lvstui/tx")
result["by timer"] = [sorted(os.listdir("/var/lib/lvstui")), sh(tx.phase("commit")).strip()]
sh("rm -r /var/lib/lvstui")
result["timer byte for byte"] = state() == before

# The timer again: both of its processes are killed, one after the other is started again; the disk
# with the state and the one with the files are full by then.
def guards():
    return sh("cat /var/lib/lvstui/tx/guard.[12] | grep -o '^[0-9][0-9]*'").split()
def until(true, seconds=40):
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.1)
    return true()

sh(tx.begin(plan, 600)); sh(tx.phase("live"))
until(lambda: len(guards()) == 2)
for which in (0, 1):
    first = guards(); sh("kill -9 " + first[which])
    result["killed %d" % which] = until(lambda: len(set(guards()) - set(first)) == 1)
result["guarded"] = look().unfinished.plight
first = guards(); sh("kill -9 " + " ".join(first))
time.sleep(2)
result["unguarded"] = [look().unfinished.plight, list(plan_push(look(), ["10.10.0.20"]).refusals)]
sh("echo other > /var/lib/lvstui/tx/boot_id")
result["booted"] = look().unfinished.plight
from lvstui.realserver.push import take_back_unfinished
from lvstui.remote.local import LocalRunner
result["by a word"] = take_back_unfinished(LocalRunner("here"))
sh("rm -r /var/lib/lvstui; ip addr del 10.10.0.20/32 dev lo; for k in arp_ignore arp_announce; do "
   "for d in all lo; do echo 0 > /proc/sys/net/ipv4/conf/$d/$k; done; done")
result["killed guards byte for byte"] = state() == before

# Cut while it is made to last; then there is no room, neither for files nor for words about them.
os.makedirs("/etc/network/interfaces.d", exist_ok=True)
sh("mount -t tmpfs -o size=64k x /etc/network/interfaces.d; mount -t tmpfs -o size=4m x /var/lib")
open("/etc/network/interfaces.d/lvstui", "w").write("# somebody else's\\n" * 200)
mine = state()
sh(tx.begin(plan_push(look(), ["10.10.0.20"]), 600)); sh(tx.phase("live"))
sh("cd /var/lib/lvstui/tx && sed -i '/^commit() {/,/^}/ s/^}/sleep 60; }/' steps.sh")
worker = subprocess.Popen(["/bin/sh", "-c", tx.phase("commit")], stdout=subprocess.DEVNULL)
result["lasting"] = until(lambda: os.path.exists("/var/lib/lvstui/manifest.json"))
for folder in ("/etc/network/interfaces.d", "/var/lib"):
    sh("cat /dev/zero > %s/full 2>/dev/null; : > %s/more; echo x > %s/more" % ((folder,) * 3))
sh("printf '0\\n' 1<> /var/lib/lvstui/tx/deadline")
wait("/var/lib/lvstui/tx", 60)
sh("cd /etc/network/interfaces.d; rm -f full more; cd /var/lib; rm -rf full more lvstui")
changed = set(state().split("\\n")) ^ set(mine.split("\\n"))
result["full disks"] = [sorted(changed), os.listdir("/etc/network/interfaces.d")]
sh("umount /etc/network/interfaces.d; umount /var/lib")
result["full byte for byte"] = state() == before

# A step of the way back that fails is tried again.
sh("echo '[ -e /opt/now ] || again not yet' > /opt/line")
fails = "sed -i '/^back_live() {/ r /opt/line' /var/lib/lvstui/tx/steps.sh; sh "
arm = "/var/lib/lvstui/tx/change.sh arm"
sh(tx.begin(plan, 600).replace("sh " + arm, fails + arm)); sh(tx.phase("live"))
sh("printf '0\\n' 1<> /var/lib/lvstui/tx/deadline")
until(lambda: look().unfinished.trouble)
result["fails"] = look().unfinished.plight
open("/opt/now", "w")
wait("/var/lib/lvstui/tx", 60)
sh("rm -r /var/lib/lvstui")
result["tried again byte for byte"] = state() == before

# A step that fails in the middle: the second folder can not be written any more.
sh("mount -t tmpfs -o ro x /etc/network/interfaces.d")
sh(tx.begin(plan, 15)); sh(tx.phase("live")); result["failed"] = sh(tx.phase("commit"))
sh("umount /etc/network/interfaces.d; rm -r /var/lib/lvstui")
result["failure byte for byte"] = state() == before

# Somebody else writes the file between plan and commit: his file stays.
sh(tx.begin(plan, 15)); sh(tx.phase("live"))
open("/etc/network/interfaces.d/lvstui", "w").write("somebody else\\n")
result["appeared"] = sh(tx.phase("commit"))
result["kept"] = open("/etc/network/interfaces.d/lvstui").read()
os.unlink("/etc/network/interfaces.d/lvstui"); sh("rm -r /var/lib/lvstui")
result["appeared byte for byte"] = state() == before

# Killed while it works: the phase dies, the timer takes everything back.
sh(tx.begin(plan, 3)); sh(tx.phase("live"))
sh("cd /var/lib/lvstui/tx && sed -i 's/^  put_file 2/  sleep 60; put_file 2/' steps.sh")
worker = subprocess.Popen(["/bin/sh", "-c", tx.phase("commit")], stdout=subprocess.DEVNULL)
until = time.monotonic() + 10
while not os.path.exists("/etc/sysctl.d/99-zz-lvstui.conf") and time.monotonic() < until:
    time.sleep(0.05)
result["half"] = os.path.exists("/etc/sysctl.d/99-zz-lvstui.conf")
sh("kill -9 $(head -n 1 /var/lib/lvstui/tx/phase)")
wait("/var/lib/lvstui/tx")
sh("rm -r /var/lib/lvstui")
result["killed byte for byte"] = state() == before

# Killed at each line of its log, which asks for the time first: it is as before, or it was done.
open("/opt/stub/date", "w").write(
    "#!/bin/sh\\n[ \\"$(cat /var/lib/lvstui/tx/log 2>/dev/null | wc -l)\\" != \\"$CUT\\" ] || "
    "kill -9 0\\nexec /bin/date \\"$@\\"\\n")
os.chmod("/opt/stub/date", 0o755)
result["cuts"] = []
for line in range(30):
    sh(tx.begin(plan, 600))
    killed = any(subprocess.run(["/bin/sh", "-c", tx.phase(name)], stdout=subprocess.DEVNULL,
                                env={**os.environ, "CUT": str(line)}, start_new_session=True,
                                ).returncode for name in ("live", "commit"))
    if not killed:
        break
    if os.path.exists("/var/lib/lvstui/tx"):
        sh("printf '0\\n' 1<> /var/lib/lvstui/tx/deadline")
        wait("/var/lib/lvstui/tx")
    if plan_push(look(), ["10.10.0.20"]).empty:
        undo = plan_undo(look())
        sh(tx.begin(undo, 15)); sh(tx.phase("live")); sh(tx.phase("commit"))
        result["cuts"].append("done")
    else:
        sh("rm -r /var/lib/lvstui")
        result["cuts"].append("before" if state() == before else line)
print(json.dumps(result))
"""


def _may_unshare() -> bool:
    if shutil.which("unshare") is None or shutil.which("ip") is None or os.geteuid() != 0:
        return False
    done = subprocess.run(["unshare", "-mn", "true"], capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.skipif(not _may_unshare(), reason="needs root, unshare and ip for a private network")
def test_a_change_ends_wholly_before_or_wholly_after() -> None:
    # Its own copy of /etc, its own /var/lib and /opt: nothing reaches this host.
    inside = (
        "mount -t tmpfs x /mnt && mkdir /mnt/etc && cp -a /etc/. /mnt/etc && "
        "mount --bind /mnt/etc /etc && mount -t tmpfs x /var/lib && mount -t tmpfs x /opt && "
        'exec "$0" -c "$1"'
    )
    done = subprocess.run(
        ["unshare", "-mn", "/bin/sh", "-c", inside, sys.executable, SCENES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["refused"] == []
    assert len(seen["cuts"]) > 5
    assert set(seen["cuts"]) <= {"before", "done"}, seen["cuts"]
    assert seen["live"] == [True, "1", False], "what lasts is written after the proof"
    assert "another change is under way" in seen["second begin"]
    assert seen["commit"] == "confirmed\n"
    assert seen["persists"] is True
    assert seen["tx left"] is False
    assert seen["undo"] == "confirmed\n"
    assert seen["byte for byte"] is True
    assert seen["by timer"] == [["reverted"], "gone: there is no such change here"]
    assert seen["timer byte for byte"] is True
    assert (seen["killed 0"], seen["killed 1"], seen["guarded"]) == (True, True, "")
    gone, refusals = seen["unguarded"]
    assert "its timer is gone: NOT taken back; `lvstui realserver undo --unfinished`" in gone
    assert refusals == [gone]
    assert "the host was started anew, and its timer is gone" in seen["booted"]
    assert seen["by a word"] == "reverted"
    assert seen["killed guards byte for byte"] is True
    assert seen["lasting"] is True
    assert seen["full disks"] == [[], ["lvstui"]]
    assert seen["full byte for byte"] is True
    assert "fails and is tried again: not yet" in seen["fails"]
    assert seen["tried again byte for byte"] is True
    assert "Read-only file system" in seen["failed"]
    assert "reverted" in seen["failed"]
    assert seen["failure byte for byte"] is True
    assert "appeared since the plan was made" in seen["appeared"]
    assert seen["kept"] == "somebody else\n"
    assert seen["appeared byte for byte"] is True
    assert seen["half"] is True
    assert seen["killed byte for byte"] is True
