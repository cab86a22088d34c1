"""The forms of VRRP: what a new instance or script has."""

from __future__ import annotations

from lvstui.keepalived.edit.fields import Field, Kind, time_field
from lvstui.keepalived.meaning.virtual_servers import MAX_WEIGHT

INSTANCE: tuple[Field, ...] = (
    Field("name", "Name", "of the vrrp_instance", Kind.NAME, required=True),
    Field("state", "State", "at the start", Kind.CHOICE, "BACKUP", choices=("MASTER", "BACKUP")),
    Field("interface", "Interface", "where adverts go", Kind.NAME, required=True, high=15),
    Field(
        "virtual_router_id",
        "Router id",
        "the same on every director, unique on the wire",
        Kind.INTEGER,
        "",
        1,
        255,
        required=True,
    ),
    Field("priority", "Priority", "the highest is master", Kind.INTEGER, "100", 1, 255),
    Field(
        "advert_int",
        "Advert every",
        "seconds, the same on every director; fractions with version 3",
        Kind.SECONDS,
        "1",
        0.01,
        255,
    ),
    Field("version", "VRRP version", "3 for IPv6", Kind.CHOICE, "2", choices=("2", "3")),
    Field("nopreempt", "No preempt", "a better one waits; needs BACKUP", Kind.FLAG, "no"),
    time_field(
        "preempt_delay", "Preempt after", "seconds that a better one waits", "0", low=0, high=1000
    ),
    Field(
        "virtual_ipaddress",
        "VIP",
        "address with prefix: 10.0.0.9/24 dev eth0",
        Kind.NETWORK,
        required=True,
        block="virtual_ipaddress",
    ),
    Field(
        "auth_type",
        "Authentication",
        "version 2 only",
        Kind.CHOICE,
        "none",
        choices=("PASS", "AH"),
        block="authentication",
    ),
    Field(
        "auth_pass",
        "Password",
        "up to 8 bytes, in clear text on the wire",
        Kind.SECRET,
        block="authentication",
        high=8,
    ),
    Field("unicast_src_ip", "Own address", "for unicast adverts", Kind.ADDRESS),
    Field(
        "unicast_peer", "Peer", "address of the other director", Kind.ADDRESS, block="unicast_peer"
    ),
)
"""A vrrp_instance."""

SCRIPT: tuple[Field, ...] = (
    Field("name", "Name", "of the vrrp_script", Kind.NAME, required=True),
    Field("script", "Command", "exit 0: good", Kind.SCRIPT, required=True),
    time_field("interval", "Run every", "seconds", "1", high=4294, whole_before="2.3.2"),
    time_field(
        "timeout",
        "Timeout",
        "seconds until it has failed",
        "interval",
        high=4294,
        whole_before="2.3.2",
    ),
    Field(
        "weight",
        "Weight",
        "added to the priority; 0: FAULT on failure",
        Kind.INTEGER,
        "0",
        -253,
        253,
    ),
    Field("rise", "Rise", "successes until it is good", Kind.INTEGER, "1", 1, MAX_WEIGHT),
    Field("fall", "Fall", "failures until it is bad", Kind.INTEGER, "1", 1, MAX_WEIGHT),
    Field("user", "As user", "who runs it", Kind.NAME, "keepalived_script, else root"),
    Field("init_fail", "Begins as bad", "until it ran once", Kind.FLAG, "no"),
)
"""A vrrp_script."""
