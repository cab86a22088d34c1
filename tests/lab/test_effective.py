"""Our effective view against what keepalived itself says that it has loaded, file by file."""

from __future__ import annotations

import re
import shlex
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lvstui.keepalived.text.parser import parse_bytes
from lvstui.lab import RunResult, packages
from tests.lab.director import lvstui
from tests.lab.dumped import (
    differences,
    dumped_instances,
    dumped_services,
    folder_of,
    kernel_table,
    our_instances,
    our_services,
    table_differences,
)
from tests.lab.odd_configs import ODD
from tests.lab.random_configs import instances, services
from tests.labs import Lab

FOLDER = "/root/effective"
AT_ONCE = 4
"""Files at a time: most of it is waiting for keepalived."""
_SETUP = """\
set -e
ip link set lo up
n=0
while [ $n -lt 4 ]; do
  ip link add eth$n type veth peer name far$n
  ip link set eth$n up; ip link set far$n up
  ip addr add 192.168.20$n.1/24 dev eth$n
  n=$((n + 1))
done
ip link add link eth0 name eth0.1 type vlan id 1 2>/dev/null ||
  ip link add eth0.1 type veth peer name far01
ip link set eth0.1 up
ip route add default via 192.168.200.254
sleep 2
for file in "$@"; do
  dir=$PWD/$file.d
  mkdir -p "$dir"
  TMPDIR=$dir keepalived --dont-fork --log-console -i lb1 -f "$PWD/$file" -p "$dir/main.pid" \\
    -r "$dir/vrrp.pid" -c "$dir/checkers.pid" -b "$dir/bfd.pid" > "$dir/log" 2>&1 &
  pid=$!
  for step in 1 2 3 4 5 6 7 8 9 10; do
    sleep 0.3
    [ -s "$dir/main.pid" ] || continue
    grep -q 'Startup complete' "$dir/log" && break
  done
  sleep 0.6
  ipvsadm -Ln > "$dir/ipvsadm"
  kill -USR1 $pid 2>/dev/null || true
  sleep 1
  kill -TERM $pid 2>/dev/null || true
  wait $pid || true
done
for dir in "$@"; do
  for file in $dir.d/keepalived.data $dir.d/keepalived_check.data $dir.d/ipvsadm $dir.d/log; do
    [ -e "$file" ] || continue
    echo "@@@ $file"
    sed 's/Password = .*/Password = hidden/' "$file"
  done
done
"""

EVERYWHERE = (
    # Wantstate follows what has happened since the start; state MASTER is only where it begins.
    r".*: state: keepalived '(BACKUP|FAULT)', we 'MASTER'",
    r"I[0-9]+: state: keepalived '.*', we '.*'",
    # On a busy host it is MASTER before it is asked.
    r".*: state: keepalived 'MASTER', we 'BACKUP'",
    # Every server has a method of its own, and there is none to be the default.
    r".*: forwarding: keepalived '0x7', we '.*'",
)

EXPLAINED: dict[str, tuple[str, ...]] = {
    "keepalived.conf.SMTP_CHECK": (
        # Each (deprecated) host block is a check of its own there, and one block in the file.
        r".* / only keepalived: SMTP_CHECK",
    ),
    "keepalived.conf.conditional_conf": (
        # use_vmac: VIPs go to the interface that keepalived makes for itself.
        r"VI_0: interface: keepalived 'vrrp.1', we 'eth0'",
        r"VI_0: vips: keepalived .*'vrrp.1'.*, we .*'eth0'.*",
    ),
    # Their scripts are not here, and keepalived then drops the check.
    "keepalived.conf.misc_check": (r".* / only we: MISC_CHECK",),
    "keepalived.conf.misc_check_arg": (r".* / only we: MISC_CHECK",),
    "odd-groups": (
        # The dump keeps a port that the kernel does not get (the table agrees with us).
        r"group MARKS / 192.168.200.11: server: keepalived '192.168.200.11:80', .*",
    ),
    "odd-ports-of-groups": (
        # The same: ports of direct routing in a group are those of its members.
        r"group TWO / .*: server: keepalived '192.168.210.1[12](:8080)?', we '.*:80'",
    ),
    "odd-ports": (
        # Two real servers become one address when the first gets its port: checks of the first
        # cannot be told from those of the second, and the kernel takes only one.
        r"192.168.200.10:80 / 192.168.200.12:80 / only keepalived: TCP_CHECK",
    ),
}
"""By file: the differences that are keepalived's own doing, and why."""

RANDOM_SERVICES = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What keepalived dumped of one file."""

    vrrp: str
    checks: str
    table: str
    log: str


def run_all(lab: Lab, node: str, files: dict[str, bytes]) -> dict[str, Loaded]:
    """Load every file in a network of its own on `node`."""
    lab.run(node, f"rm -rf {FOLDER}; mkdir -p {FOLDER}")
    for name, data in files.items():
        lab.write(node, f"{FOLDER}/{name}.conf", data)
    lab.write(node, f"{FOLDER}/run.sh", _SETUP)
    names = [f"{name}.conf" for name in files]

    def some(number: int) -> RunResult:
        mine = " ".join(map(shlex.quote, names[number::AT_ONCE]))
        command = f"cd {FOLDER} && unshare -n sh run.sh {mine}"
        return lab.run(node, command, timeout=600, check=False)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        done = list(pool.map(some, range(AT_ONCE)))
    found: dict[str, dict[str, str]] = {name: {} for name in files}
    for part in "\n".join(["", *(one.stdout for one in done)]).split("\n@@@ ")[1:]:
        path, _, text = part.partition("\n")
        folder, _, kind = path.partition("/")
        found[folder.removesuffix(".conf.d")][kind] = text + "\n"
    return {
        name: Loaded(
            parts.get("keepalived.data", ""),
            parts.get("keepalived_check.data", ""),
            parts.get("ipvsadm", ""),
            parts.get("log", "".join(one.stderr[-2000:] for one in done)),
        )
        for name, parts in found.items()
    }


def unexplained(name: str, data: bytes, loaded: Loaded) -> list[str]:
    """Differences that no reason is known for."""
    tree = parse_bytes(data, f"/{name}", "lb1")
    found = [
        *differences(dumped_services(loaded.checks), our_services(tree), "id"),
        *differences(dumped_instances(loaded.vrrp), our_instances(tree), "name"),
        *table_differences(kernel_table(loaded.table), tree),
    ]
    known = [*EVERYWHERE, *EXPLAINED.get(name, ())]
    return [line for line in found if not any(re.fullmatch(k, line) for k in known)]


def test_every_value_is_the_one_that_keepalived_uses(lab: Lab) -> None:
    samples = folder_of(packages.ensure().folder or Path("/")).glob("keepalived.conf.*")
    files = {path.name: path.read_bytes() for path in sorted(samples)}
    assert len(files) >= 25
    files.update({f"odd-{name}": text.encode() for name, text in ODD.items()})
    files.update({f"instances-{n}": instances(n).encode() for n in (1, 7)})
    files.update({f"services-{n}": services(n).encode() for n in RANDOM_SERVICES})
    loaded = run_all(lab, "lb2", files)
    wrong = {}
    for name, data in files.items():
        seen = loaded[name]
        if not (seen.vrrp or seen.checks):
            wrong[name] = ["keepalived dumped nothing", *seen.log.splitlines()[-5:]]
        elif found := unexplained(name, data, seen):
            wrong[name] = found
    assert wrong == {}


def test_the_shell_compares_what_runs_with_the_file(lab: Lab) -> None:
    def config(words: str) -> tuple[int, str]:
        done = lvstui(lab, f"config {words}")
        return done.status, done.stdout + done.stderr

    path = "/etc/keepalived/keepalived.conf"
    before = lab.run("lb1", f"cat {path}").stdout
    assert config("cat") == (0, before)
    status, text = config("diff")
    assert (status, "mean the same" in text) == (0, True)
    lab.write("lb1", path, before.replace("weight 10", "weight 0", 1))
    status, text = config("diff")
    assert status == 1
    assert "weight 10 → 0: no new connections" in text
    assert "-weight 10\n+weight 0\n" in text
    lab.write("lb1", path, before.replace("lb_kind DR", "lb_kind", 1))
    status, text = config("check")
    assert status == 1
    assert text.startswith("lethal")
    assert "[-t:" in text
    lab.write("lb1", path, before)
