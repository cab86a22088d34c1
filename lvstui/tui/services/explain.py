"""What stands in the table's place when there is nothing to put in it: why, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from lvstui.model.picture import Gap, Picture

_TABLE = "proc"
"""The source of the kernel's table, as observations name it."""


def unexplained(picture: Picture) -> tuple[Gap, ...]:
    """The gaps that `explain` does not speak of: each is said once."""
    if picture.services or picture.table_readable or not picture.ready:
        return picture.gaps
    return tuple(gap for gap in picture.gaps if gap.source != _TABLE)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A heading, what is the case, and what to do."""

    title: str
    text: tuple[str, ...] = ()
    todo: tuple[str, ...] = ()


def explain(picture: Picture) -> Explanation | None:
    """Why there is no table; None when there is one to show."""
    if picture.services:
        return None
    if not picture.ready:
        return Explanation("Reading the IPVS table …", (_host(picture),))
    gaps = picture.gaps
    if not picture.table_readable:
        reasons = [gap for gap in gaps if gap.source == _TABLE]
        return Explanation(
            f"The IPVS table of {_host(picture)} can not be read",
            tuple(gap.what for gap in reasons)
            or (f"The kernel of {_host(picture)} shows no /proc/net/ip_vs.",),
            tuple(dict.fromkeys(gap.remedy for gap in reasons if gap.remedy))
            or (
                "Load the kernel module: modprobe ip_vs",
                "In a container, load it on the host and look from the host's network.",
            ),
        )
    daemon = picture.daemon
    where = daemon.config_file or "/etc/keepalived/keepalived.conf"
    if daemon.installed is False:
        return Explanation(
            "No virtual services, and no keepalived",
            (
                "The kernel can balance (IPVS is there), but its table is empty, and",
                f"keepalived is not installed on {_host(picture)}.",
            ),
            (
                "Install it: apt install keepalived   or   dnf install keepalived",
                "Services made with ipvsadm show up here by themselves.",
            ),
        )
    if daemon.running is False:
        return Explanation(
            "No virtual services: keepalived is not running",
            ("The kernel's table is empty.",),
            (
                f"Check the file:  keepalived -t -f {where}",
                "Start it:        systemctl start keepalived",
            ),
        )
    return Explanation(
        "No virtual services",
        (
            "The kernel's table is empty"
            + (f", and {where} defines no virtual_server." if daemon.running else "."),
        ),
        (f"Add a virtual_server to {where} and reload keepalived.",),
    )


def _host(picture: Picture) -> str:
    return picture.host or "this host"
