"""What the exit status of `keepalived -t` adds to its words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lvstui.model.finding import Finding, FindingSeverity

_EVIDENCE = "exit status {}"


def verdict(
    status: int, text: str, release: tuple[int, ...], findings: Sequence[Finding]
) -> Iterator[Finding]:
    """Findings of the status itself.

    2 (3 before 2.1) is a value that is missing; 4, 5 and 6 say that something was printed, and
    no more: the numbers do not follow the severity. Above 127, or below 0, it died by a signal.
    """
    if "invalid option" in text and "'t'" in text:
        yield Finding(
            "-t:not-available",
            FindingSeverity.WARNING,
            "this version of keepalived has no test mode: nothing was tested",
            evidence="--config-test came with 2.0.4",
        )
        return
    signal = -status if status < 0 else status - 128 if status > 128 else 0
    fatal = (2,) if not release or release >= (2, 1) else (2, 3)
    lethal = any(finding.severity is FindingSeverity.LETHAL for finding in findings)
    if signal:
        yield Finding(
            "-t:crash",
            FindingSeverity.LETHAL,
            "keepalived crashes while it reads this configuration",
            evidence=f"signal {signal}",
            fix="take out what was added last; HTTP_GET needs url and path before 2.2.8",
        )
    elif status in fatal and not lethal:
        yield Finding(
            "-t:fatal",
            FindingSeverity.LETHAL,
            "keepalived gives up while it reads this configuration",
            evidence=_EVIDENCE.format(status),
        )
    elif status in (126, 127):
        yield Finding(
            "-t:not-run",
            FindingSeverity.ERROR,
            "keepalived could not be run: nothing was tested",
            evidence=_EVIDENCE.format(status),
        )
    elif status and not findings:
        yield Finding(
            "-t:status",
            FindingSeverity.ERROR,
            f"keepalived gives {status} and does not say why",
            evidence=_EVIDENCE.format(status),
        )
    elif status and status not in (2, 3, 4, 5, 6):
        yield Finding(
            "-t:status",
            FindingSeverity.ERROR,
            f"keepalived ends with a status that is not known ({status})",
            evidence=_EVIDENCE.format(status),
        )
