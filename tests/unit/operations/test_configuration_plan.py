"""A plan over two directors: what is held against the other one."""

from __future__ import annotations

from lvstui.operations.config_plan import FileChange
from lvstui.operations.configuration import DirectorConfigs
from tests.director import RecordedDirector

CONF = "/etc/keepalived/keepalived.conf"
TEXT = b"""\
vrrp_instance LB_1 {
    interface eth0
    virtual_router_id 51
    priority 100
    virtual_ipaddress {
        10.10.0.20/24
    }
}
"""


def rules(one: str, other: str) -> list[str]:
    """The findings of a change on lb1, whose keepalived is `one`; lb2's is `other`."""
    pair = [
        RecordedDirector({CONF: TEXT}, host=name, version=version)
        for name, version in (("lb1", one), ("lb2", other))
    ]
    engine = DirectorConfigs([director.access() for director in pair])
    change = FileChange(CONF, TEXT, TEXT.replace(b"priority 100", b"priority 120"))
    (host,) = engine.plan("priority", {"lb1": [change]}).hosts
    return [finding.rule for finding in (*host.findings, *host.known)]


def test_directors_of_different_versions_are_named() -> None:
    assert "keepalived-versions-differ" in rules("2.2.7", "2.3.3")
    assert "keepalived-versions-differ" not in rules("2.2.7", "2.2.7")
