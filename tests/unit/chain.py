"""The chain of a whole audit log, as its source follows it line by line."""

from __future__ import annotations

from collections.abc import Iterable

from lvstui.sources.audit import Chain


def broken(lines: Iterable[bytes]) -> tuple[str, ...]:
    """Where it is broken, in words; empty: it holds."""
    chain = Chain()
    found = ((number, chain.follow(line)) for number, line in enumerate(lines, 1))
    return tuple(f"line {number} {why}" for number, why in found if why)
