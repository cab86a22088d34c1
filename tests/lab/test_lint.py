"""Lint against the real thing: keepalived's own samples, and its own test mode."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lvstui.keepalived.lint.own_test import classify
from lvstui.keepalived.lint.rules import lint
from lvstui.keepalived.meaning.view import load_tree, view
from lvstui.keepalived.text.parser import parse_bytes
from lvstui.lab import packages
from lvstui.model.finding import FindingSeverity
from tests.labs import Lab
from tests.unit.keepalived.lint.cases import CASES, HOST

SAMPLES = "usr/share/doc/keepalived/samples"

EXPECTED: dict[str, set[str]] = {
    "HTTP_GET.port": set(),
    "IPv6": set(),
    "PING_CHECK": set(),
    "SMTP_CHECK": set(),
    # The addresses of its services are those of no instance.
    "SSL_GET": {"vip-of-no-instance"},
    "UDP_CHECK": set(),
    # Its script line is for hosts of another name.
    "conditional_conf": {"script-empty", "track-script-unknown"},
    "fwmark": set(),
    "inhibit": set(),
    "misc_check": set(),
    "misc_check_arg": set(),
    "quorum": set(),
    "sample": {"vip-of-no-instance"},
    "status_code": set(),
    "track_interface": set(),
    "virtual_server_group": set(),
    "virtualhost": set(),
    # One VIP stands there with two labels.
    "vrrp": {"vip-twice"},
    "vrrp.localcheck": set(),
    # Its sync group is written as version 1 took it, without `group { }`.
    "vrrp.lvs_syncd": {"keyword-unknown"},
    "vrrp.routes": set(),
    "vrrp.rules": set(),
    "vrrp.scripts": set(),
    "vrrp.static_ipaddress": set(),
    "vrrp.sync": set(),
}
"""What is above a note in each sample of the documentation (Debian ships the same 25 in 2.2.7)."""


_CRASHES = ("missing close brace at EOF",)
"""An error that no keepalived loads, and at which 2.1.5 crashes."""


@pytest.fixture(scope="module")
def samples() -> Path:
    folder = (packages.ensure().folder or Path("/")) / SAMPLES
    if not folder.is_dir():
        pytest.skip("this host's keepalived came without its documentation")
    return folder


def test_every_sample_is_known(samples: Path) -> None:
    found = {
        path.name.removeprefix("keepalived.conf.") for path in samples.glob("keepalived.conf*")
    }
    assert found == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_sample(samples: Path, name: str) -> None:
    tree = load_tree(str(samples / f"keepalived.conf.{name}"), config_id="router")
    found = lint(tree, view(tree))
    told = {finding.rule for finding in found if finding.severity is not FindingSeverity.NOTE}
    assert told == EXPECTED[name], [f"{f.severity.value} {f.place}: {f.text}" for f in found]
    assert not any(finding.severity is FindingSeverity.LETHAL for finding in found)


def test_nothing_that_keepalived_calls_lethal_escapes_us(lab: Lab) -> None:
    names = sorted(CASES)
    version = lab.run("lb1", ["keepalived", "--version"]).stderr
    lab.run("lb1", ["mkdir", "-p", "/tmp/lint"])
    for index, case in enumerate(names):
        lab.write("lb1", f"/tmp/lint/{index:03}.conf", CASES[case][0].encode())
    script = (
        "cd /tmp/lint; for f in *.conf; do o=$(keepalived -t -f $f 2>&1); r=$?;"
        ' printf "\\n== %s %s\\n%s\\n" $f $r "$o"; done; rm -r /tmp/lint'
    )
    printed = lab.run("lb1", ["sh", "-c", script], timeout=120).stdout
    parts = re.split(r"^== (\d+)\.conf (\d+)\n", printed, flags=re.MULTILINE)[1:]
    assert len(parts) == 3 * len(names)
    for number, status, output in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        name = names[int(number)]
        tree = parse_bytes(CASES[name][0].encode(), f"/tmp/lint/{number}.conf", "router")
        theirs = classify(int(status), output, version, tree)
        ours = lint(tree, view(tree), HOST)
        if theirs and theirs[0].severity is FindingSeverity.LETHAL:
            assert ours, name
            lethal = ours[0].severity is FindingSeverity.LETHAL
            assert lethal or (name in _CRASHES and theirs[0].rule == "-t:crash"), name
        if not ours or ours[0].severity is FindingSeverity.NOTE:
            assert all(f.severity is FindingSeverity.NOTE for f in theirs), (name, theirs)
