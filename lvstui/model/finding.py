"""One thing that is wrong with a configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from lvstui.model.config import Place


class FindingSeverity(str, Enum):
    """How bad it is. The order is that of `rank`."""

    LETHAL = "lethal"
    """keepalived ends at a reload (VIPs stay behind, twice on the wire), or reloads to nothing:
    such a file is never applied, whatever the operator insists on."""
    ERROR = "error"
    """A service or an instance would not do what is written: applied only when forced."""
    WARNING = "warning"
    """Works, and will surprise somebody."""
    NOTE = "note"
    """Worth knowing."""

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(FindingSeverity).index(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """What, where, how it is known, and how to mend it. Never holds a secret."""

    rule: str
    """Stable name: `forwarding-defaults-to-nat`. Those of keepalived itself begin with `-t:`."""
    severity: FindingSeverity
    text: str
    """One sentence."""
    place: Place | None = None
    evidence: str = ""
    """What was seen: the effective value, keepalived's own words, an interface's addresses."""
    fix: str = ""
    """What to write instead, or where to look."""

    @property
    def identity(self) -> tuple[str, str]:
        """Equal for the same finding before and after lines moved."""
        return self.rule, self.text


def worst_first(findings: list[Finding]) -> tuple[Finding, ...]:
    """Each finding once, sorted by severity, then by place."""
    return tuple(
        sorted(
            dict.fromkeys(findings),
            key=lambda f: (f.severity.rank, f.place or Place("", 0), f.rule, f.text),
        )
    )


def told_once(ours: Sequence[Finding], theirs: Sequence[Finding]) -> list[Finding]:
    """Both, without what keepalived's own test (`-t:…`) says of something that one of our rules
    found: of the same line, else of the same kind, which it places by what it names alone."""
    left = [(finding.rule, finding.place) for finding in ours]
    rest, more = [], []
    for finding in theirs:
        known = finding.rule.removeprefix("-t:"), finding.place
        if known in left:
            left.remove(known)
        else:
            rest.append(finding)
    for finding in rest:
        rule = finding.rule.removeprefix("-t:")
        same = next((one for one in left if one[0] == rule and rule in _NAMED_ONLY), None)
        if same is None:
            more.append(finding)
        else:
            left.remove(same)
    return [*ours, *more]


_NAMED_ONLY = ("service-without-servers",)


def new_findings(before: tuple[Finding, ...], after: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Those of `after` that `before` does not have, however lines moved; a finding that is there
    once more than before counts."""
    left = [finding.identity for finding in before]
    result = []
    for finding in after:
        if finding.identity in left:
            left.remove(finding.identity)
        else:
            result.append(finding)
    return tuple(result)
