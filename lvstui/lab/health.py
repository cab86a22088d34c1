"""Whether a lab is as planned, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def what_is_missing(directors: Mapping[str, Mapping[str, Any]]) -> str:
    """Empty when all directors are as planned; see Lab.all_up and Lab.status."""
    wrong = []
    holders: dict[str, list[str]] = {}
    for name, state in directors.items():
        if not state.get("keepalived"):
            wrong.append(f"{name}: keepalived does not run")
        elif not state.get("ready"):
            wrong.append(f"{name}: keepalived is starting")
        wrong += [f"{name}: {item} is missing" for item in state.get("missing", [])]
        for vip in state.get("vips", []):
            holders.setdefault(vip, []).append(name)
    if not holders:
        wrong.append("no director holds the VIP")
    first = [next(iter(directors))]
    wrong += [f"{vip} is on {' and '.join(n)}" for vip, n in holders.items() if n != first]
    return "; ".join(wrong)
