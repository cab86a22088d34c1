"""Record what keepalived of each Debian release says: `python -m tests.record_releases [RELEASE]…`.

Writes tests/data/releases/VERSION/: the log of a start, a failing and recovering real server and a
reload, the dumps, what `ipvsadm` shows then, and what `-t` prints of each configuration of
`tests/unit/keepalived/lint/cases.py`. Needs the lab.
"""

from __future__ import annotations

import re
import sys

from lvstui.lab import LabError
from lvstui.lab.topology import RELEASES, parse
from tests.labs import Lab
from tests.unit.keepalived.lint.cases import CASES
from tests.unit.sources.releases import DATA, Recorded

_TOPOLOGY = """
real_servers = 2
[[service]]
name = "web"
checker = ["http", "tcp"]
[[service]]
name = "dns"
protocol = "udp"
checker = ["dns", "misc"]
alpha = false
"""
_DUMPS = ("keepalived.data", "keepalived.json", "keepalived.stats", "keepalived_check.data")


def record(release: str) -> str:
    with Lab(parse(f'release = "{release}"\n{_TOPOLOGY}')) as lab:
        lab.wait_all_up()
        banner = lab.run("lb1", "keepalived --version 2>&1").stdout
        version = banner.partition("Keepalived v")[2].split()[0]
        lab.run("lb1", "kill -HUP $(cat /run/keepalived.pid)")
        lab.wait("lb1", "grep -q Reload /var/log/syslog")
        lab.fault("stop", "rs1")
        lab.wait("lb1", lambda: "10.10.0.3" not in lab.run("lb1", "ipvsadm -Ln").stdout)
        with_failure = _dumps(lab)
        table = lab.run("lb1", "ipvsadm -Ln").stdout
        lab.fault("start", "rs1")
        lab.wait_all_up()
        lab.fault("unplug", "lb1")
        lab.wait("lb2", "ip addr show eth0 | grep -q 10.10.0.20")
        lab.fault("plug", "lb1")
        lab.wait_all_up()
        whole = Recorded(
            banner.splitlines()[0],
            {node: lab.run(node, "cat /var/log/syslog").stdout for node in ("lb1", "lb2")},
            with_failure,
            table,
            _tests(lab),
        )
    folder = DATA / version
    folder.mkdir(parents=True, exist_ok=True)
    whole.write(folder)
    return f"{release}: {version}"


def _dumps(lab: Lab) -> dict[str, str]:
    """What the dumps of the MASTER and of the BACKUP hold."""
    found = {}
    for node in ("lb1", "lb2"):
        lab.run(node, f"cd /tmp; rm -f {' '.join(_DUMPS)}")
        for number in ("USR1", "USR2", "36"):
            lab.run(node, f"kill -{number} $(cat /run/keepalived.pid)")
            lab.run(node, "sleep 0.7")
        for name in _DUMPS:
            text = lab.run(node, f"cat /tmp/{name}", check=False).stdout
            if text:
                found[f"{node}-{name}"] = text
    return found


def _tests(lab: Lab) -> dict[str, tuple[int, str]]:
    """Exit status and words of `keepalived -t` of each case."""
    names = sorted(CASES)
    lab.run("lb1", ["mkdir", "-p", "/tmp/lint"])
    for index, name in enumerate(names):
        lab.write("lb1", f"/tmp/lint/{index:03}.conf", CASES[name][0].encode())
    script = (
        "cd /tmp/lint; for f in *.conf; do o=$(keepalived -t -f $f 2>&1); r=$?;"
        ' printf "\\n== %s %s\\n%s\\n" $f $r "$o"; done'
    )
    printed = lab.run("lb1", ["sh", "-c", script], timeout=200).stdout
    parts = re.split(r"^== (\d+)\.conf (\d+)\n", printed, flags=re.MULTILINE)[1:]
    return {
        names[int(number)]: (int(status), output.strip())
        for number, status, output in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    }


def main() -> int:
    for release in sys.argv[1:] or RELEASES:
        try:
            print(record(release))
        except LabError as error:
            print(f"{release}: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
