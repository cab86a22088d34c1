"""Services that /proc/net/ip_vs leaves out beside another namespace's: seen, served, verified."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator

import pytest

from tests.lab.director import LVSTUI
from tests.lab.test_configuration import Engine, clean, read
from tests.labs import Lab

_MANY = 150
_SEEN = """\
import json, sys
from lvstui.kernel.ipvs import KernelIpvs
from lvstui.kernel.truncated import LeftOut
from lvstui.kernel.table import TableReader, read_text

def row(one):
    rows = sorted((str(d.key), d.forwarding, d.weight) for d in one.destinations)
    return [one.scheduler, one.one_packet, one.persistence_s, one.netmask, rows]

file = TableReader().parse(read_text())
whole = LeftOut().complete(file)
with KernelIpvs() as ipvs:
    asked = {s.key: (s, ipvs.destinations(s.key)) for s in ipvs.services()}
import dataclasses
json.dump({
    "file": {str(s.key): row(s) for s in file.services},
    "whole": {str(s.key): row(s) for s in whole.services},
    "asked": {str(k): row(dataclasses.replace(s, destinations=d)) for k, (s, d) in asked.items()},
}, sys.stdout)
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A cluster with the kernel of the host's release: in later ones the file is whole."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LVSTUI_LAB_KERNEL", "own")
        with Lab() as started:
            started.wait_all_up()
            yield started


@pytest.fixture
def crowded(lab: Lab) -> Iterator[Lab]:
    """lb1 with many more services; they are gone afterwards, those that the file hides too."""
    rules = [
        "-A -t [fd00:10::99]:80 -s wrr -p 30 -M 64",
        "-a -t [fd00:10::99]:80 -r [fd00:10::3]:80 -g -w 3",
        "-A -u 10.10.0.99:53 -s rr -o",
        "-a -u 10.10.0.99:53 -r 10.10.0.3:53 -i -w 2",
        "-A -t 10.10.0.99:443 -s wlc -p 77 -M 255.255.255.0",
        "-a -t 10.10.0.99:443 -r 10.10.0.4:443 -m -w 9",
        "-A -f 9001 -6 -s rr",
        "-a -f 9001 -6 -r [fd00:10::3]:0 -g -w 1",
    ]
    for mark in range(1, _MANY + 1):
        rules += [f"-A -f {mark} -s rr", f"-a -f {mark} -r 10.10.0.3 -g -w {mark}"]
    added = [rule.partition(" -s ")[0] for rule in rules if rule.startswith("-A")]
    away = [rule.replace("-A", "-D", 1) for rule in added]
    # The lab's directors share a kernel; services of the other one are what the file trips over.
    lab.wait("lb2", "ipvsadm -Sn | grep -q '^-A'", what="services of lb2")
    try:
        lab.run("lb1", "ipvsadm -R", stdin="\n".join(rules) + "\n", timeout=60)
        yield lab
    finally:
        lab.run("lb1", "ipvsadm -R", stdin="\n".join(away) + "\n", timeout=60)


def test_the_table_is_whole(crowded: Lab) -> None:
    lab = crowded
    python = shlex.quote(sys.executable)
    seen = json.loads(lab.run("lb1", f"{python} -", stdin=_SEEN, timeout=60).stdout)
    file, whole, asked = seen["file"], seen["whole"], seen["asked"]
    assert len(file) < len(asked)
    assert {key: asked[key] for key in file} == file
    assert whole == asked
    status = json.loads(lab.run("lb1", f"{LVSTUI} status --json", timeout=60, check=False).stdout)
    assert {one["id"] for one in status["services"] if one["in_kernel"]} == set(asked)
    assert status["cost"]["resident_bytes"] > 1_000_000
    missing = next(key for key in asked if key not in file)
    assert missing.startswith("fwmark")
    weight = asked[missing][4][0][2]
    script = (
        "from lvstui.operations.weight_changes import LiveKernel\n"
        "from lvstui.model.keys import ServerKey, ServiceKey\n"
        f"print(LiveKernel().weight(ServiceKey.parse({missing!r}), ServerKey('10.10.0.3', 0)))\n"
    )
    assert lab.run("lb1", f"{python} -", stdin=script, timeout=60).stdout == f"{weight}\n"


def in_file(lab: Lab) -> int:
    """How many services by mark the kernel's file tells of."""
    return lab.run("lb1", "cat /proc/net/ip_vs").stdout.count("\nFWM ")


def test_a_change_is_verified_by_services_that_the_file_leaves_out(lab: Lab) -> None:
    def with_more(weight: int) -> bytes:
        return whole + b"".join(
            b"virtual_server fwmark %d {\n    lb_algo rr\n    lb_kind DR\n"
            b"    real_server 10.10.0.3 {\n        weight %d\n    }\n}\n" % (mark, weight)
            for mark in range(1, _MANY + 1)
        )

    # As many as the other director has are left out of each page but the first.
    others = [f"-f {mark}" for mark in range(9101, 9121)]
    lab.run("lb2", "ipvsadm -R", stdin="".join(f"-A {one} -s rr\n" for one in others))
    clean(lab, "lb1")
    whole = read(lab, "lb1")
    engine = Engine(lab, "lb1")
    try:
        # New ones, those that are there with another weight, and gone again.
        for weight in (7, 8):
            out = engine.ask(do="apply", files=engine.files(with_more(weight)), timer=0)
            assert out["ended"] == "kept", (out["text"], out["refusals"], out["new"])
            assert in_file(lab) < _MANY
            seen = {told[1]: told[3] for told in out["verified"]}
            for mark in range(1, _MANY + 1):
                assert seen[f"fwmark {mark}: rr, 1 servers"] == f"10.10.0.3 DR {weight}"
        out = engine.ask(do="apply", files=engine.files(whole), timer=0, force=True)
        assert out["ended"] == "kept", (out["text"], out["refusals"], out["new"])
        assert in_file(lab) == 0
    finally:
        engine.close()
        clean(lab, "lb1")
        lab.run("lb2", "ipvsadm -R", stdin="".join(f"-D {one}\n" for one in others))
