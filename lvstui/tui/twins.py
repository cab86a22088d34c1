"""Lines of the shell that do what a command of the console does."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lvstui.model.keys import ServerKey, ServiceKey
    from lvstui.model.picture import ServerView
    from lvstui.session.selection import Selection

BY_HAND = "lvstui config apply FILE"
"""What no other command of the shell can do to the file."""
_BLOCKS = {"vrrp_instance": "instance", "vrrp_script": "script", "vrrp_sync_group": "group"}


def on_server(words: str, chosen: Sequence[tuple[ServiceKey, ServerKey]], more: str = "") -> str:
    """`lvstui WORDS SERVER MORE --service …` for the first that is chosen."""
    service, server = map(str, chosen[0]) if chosen else ("tcp VIP:PORT", "ADDR:PORT")
    return f'lvstui {words} {server}{more} --service "{service}"'


def check(chosen: Sequence[ServerView]) -> str:
    """`lvstui check SERVICE SERVER` for the first that is chosen."""
    service, server = map(str, chosen[0].id) if chosen else ("tcp VIP:PORT", "ADDR:PORT")
    return f'lvstui check "{service}" {server}'


def add(spot: Selection) -> str:
    """What is added most where the cursor is."""
    if spot.block == "vrrp_instance":
        return f"lvstui config add-vip ADDR/PREFIX --instance {shlex.quote(spot.name)}"
    service = spot.service or "tcp VIP:PORT"
    return f'lvstui config add-server ADDR:PORT --service "{service}"'


def change(spot: Selection, keyword: str) -> str:
    """Another value for a keyword of the block that the cursor is in."""
    where = f'--service "{spot.service}"'
    if spot.server is not None:
        where += f" --server {spot.server}"
    if spot.check:
        where += f" --check {spot.check} --number {spot.number + 1}"
    if spot.service is None:
        if spot.block and spot.block not in (*_BLOCKS, "global_defs"):
            return BY_HAND
        option = _BLOCKS.get(spot.block)
        where = f"--{option} {shlex.quote(spot.name)}" if option else "--globals"
    return f"lvstui config set {where} {keyword} VALUE"


def remove(spot: Selection) -> str:
    """What is under the cursor, out of the file."""
    if spot.service is not None and spot.server is None:
        return f'lvstui config remove-service "{spot.service}"'
    if spot.entry and spot.inside.startswith("virtual_ipaddress"):
        address, name = shlex.quote(spot.entry.split()[0]), shlex.quote(spot.name)
        return f"lvstui config remove-vip {address} --instance {name}"
    if spot.check or spot.block:
        return BY_HAND
    return on_server("config remove-server", pair_of(spot))


def pair_of(spot: Selection) -> list[tuple[ServiceKey, ServerKey]]:
    """The real server that the cursor is on; empty: none."""
    if spot.service is None or spot.server is None:
        return []
    return [(spot.service, spot.server)]
