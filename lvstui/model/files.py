"""The files of keepalived.conf as they were read: what may be shown of them, what is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

from lvstui.model.finding import Finding


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """One of them. Neither its size nor a digest is here: both tell of the secrets in it."""

    path: str
    modified: float = 0.0
    """Epoch seconds of the last change of its text."""
    lines: tuple[str, ...] = field(default=(), repr=False)
    """As they may be shown: secrets masked, tabs as spaces, control characters visible."""


@dataclass(frozen=True, slots=True)
class ConfigFiles:
    """All of them, the main file first, then in the order of reading."""

    files: tuple[ConfigFile, ...] = ()
    config_id: str = ""
    """What `@id` lines are compared with."""
    findings: tuple[Finding, ...] = ()
    """What lvstui's own rules say of them, the worst first."""
    left_out: bool = False
    """They are too long for their lines to be kept here."""
