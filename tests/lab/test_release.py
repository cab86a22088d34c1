"""lvstui on a director with keepalived of another Debian release, beside one with the host's."""

from __future__ import annotations

import os

import pytest

from lvstui.lab.topology import parse
from tests.lab.conftest import Labs
from tests.lab.director import lvstui, status
from tests.labs import RELEASE, Lab

TOPOLOGY = """
real_servers = 2
release = { lb1 = "trixie" }
[[service]]
name = "web"
"""


@pytest.mark.skipif(RELEASE in os.environ, reason="all tests are of another release now")
def test_what_lvstui_says_and_does_is_true_with_keepalived_of_another_release(labs: Labs) -> None:
    lab = labs(parse(TOPOLOGY))
    lab.wait_all_up()
    own = lab.run("lb2", "keepalived --version 2>&1 | grep -om1 'v2[.0-9]*'").stdout
    theirs = lab.run("lb1", "keepalived --version 2>&1 | grep -om1 'v2[.0-9]*'").stdout
    assert own != theirs
    code, document = status(lab)
    assert (code, document["reasons"], document["gaps"]) == (0, [], [])
    assert f"v{document['daemon']['version']}\n" == theirs
    assert document["daemon"]["loaded_is_file"] is True
    assert document["instances"][0]["state"] == "MASTER"
    assert lvstui(lab, "drain rs1 --yes").status == 0
    assert "10.10.0.3:80 Route 0" in _table(lab)
    assert lvstui(lab, "undo --yes").status == 0
    assert "10.10.0.3:80 Route 10" in _table(lab)
    assert lvstui(lab, "config weight rs1 5 --service web --yes").status == 0
    assert "10.10.0.3:80 Route 5" in _table(lab)
    assert lvstui(lab, "undo --yes").status == 0
    assert "10.10.0.3:80 Route 10" in _table(lab)


def _table(lab: Lab) -> str:
    lines = lab.run("lb1", "ipvsadm -Ln").stdout.splitlines()
    return "\n".join(" ".join(line.split()[1:4]) for line in lines if "->" in line)
