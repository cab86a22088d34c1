"""What stands above and below the configuration: in step or not, findings, what a key acts on."""

from __future__ import annotations

import posixpath
import re

from lvstui.keepalived.keywords import Keyword
from lvstui.model.finding import Finding, FindingSeverity
from lvstui.model.picture import Picture
from lvstui.model.say import grouped, plural
from lvstui.model.text import plain
from lvstui.session.config import ConfigSession
from lvstui.session.document import Document, FilePage
from lvstui.tui.widgets.glyphs import Glyphs
from lvstui.tui.widgets.line import Bit

_COPY_SINCE = (2, 2, 0)
"""keepalived keeps the text that it loaded since then."""
STYLES = {
    FindingSeverity.LETHAL: "bold $sev-bad",
    FindingSeverity.ERROR: "$sev-bad",
    FindingSeverity.WARNING: "$sev-warn",
    FindingSeverity.NOTE: "$lv-dim",
}


def glyph_of(severity: FindingSeverity, glyphs: Glyphs) -> str:
    """The mark of a finding."""
    if severity is FindingSeverity.WARNING:
        return glyphs.warn
    return glyphs.info if severity is FindingSeverity.NOTE else glyphs.no


def step_bits(picture: Picture, glyphs: Glyphs) -> list[Bit]:
    """Whether the running configuration is the file on disk, always said in words."""
    daemon = picture.daemon
    if daemon.running and daemon.loaded_is_file is True:
        return [(f"loaded = file {glyphs.yes}", "$sev-good")]
    if daemon.running and daemon.loaded_is_file is False:
        return [(f"{glyphs.warn} file changed, not reloaded", "bold $sev-warn")]
    return [("loaded = file? ", "$lv-dim"), (_unknown(picture), "$sev-warn")]


def _unknown(picture: Picture) -> str:
    daemon = picture.daemon
    if daemon.running is False:
        return "keepalived does not run: nothing is loaded"
    numbers = tuple(map(int, re.findall(r"\d+", daemon.version)[:3]))
    if len(numbers) == len(_COPY_SINCE) and numbers < _COPY_SINCE:
        return f"keepalived {daemon.version} keeps no copy of what it loaded (2.2.0 does)"
    gap = next((gap for gap in picture.gaps if gap.source in ("memfd", "file")), None)
    if gap is not None:
        return f"not known: {gap.remedy or gap.what}"
    return "not known yet"


def count_bits(found: Document, glyphs: Glyphs) -> list[Bit]:
    """`2 errors  1 warning`."""
    bits: list[Bit] = []
    for severity, word in (
        (FindingSeverity.LETHAL, "lethal"),
        (FindingSeverity.ERROR, "error"),
        (FindingSeverity.WARNING, "warning"),
        (FindingSeverity.NOTE, "note"),
    ):
        count = sum(finding.severity is severity for finding in found.findings)
        if count:
            words = f"{count} lethal" if severity is FindingSeverity.LETHAL else plural(count, word)
            bits.append((f"{glyph_of(severity, glyphs)} {words}  ", STYLES[severity]))
    return bits or [(f"{glyphs.yes} no finding  ", "$sev-good")]


def work_bits(session: ConfigSession, glyphs: Glyphs) -> list[Bit]:
    """The draft, and what is under way; a change that waits is in the header."""
    bits: list[Bit] = []
    waiting = session.pending
    if waiting.titles:
        count = plural(len(waiting.titles), "change")
        bits.append((f"\n{glyphs.severity} draft: {count} not applied", "bold $lv-accent"))
        bits.append((f"  last: {plain(waiting.undoable)}", "$lv-dim"))
    if session.stale:
        bits.append((f"\n{glyphs.warn} {session.stale}", "bold $sev-bad"))
    if session.under_way:
        bits.append((f"\n{glyphs.info} {plain(session.under_way)} …", "$lv-accent"))
    return bits


def finding_bits(
    findings: tuple[Finding, ...], page: FilePage, line: int, glyphs: Glyphs
) -> list[Bit]:
    """What is said about the line under the cursor: the worst in full, how many more."""
    if not findings:
        if not page.in_force(line):
            return [
                (
                    f"Not in force on this host: the line is for another configuration id than "
                    f"{plain(page.config_id) or 'none'}.",
                    "$lv-dim",
                )
            ]
        if line in page.includes:
            files = page.includes[line]
            if files:
                names = ", ".join(posixpath.basename(name) for name in files[:6])
                more = f" and {len(files) - 6} more" if len(files) > 6 else ""
                return [(f"Opens {plain(names)}{more}: {glyphs.enter} shows it.", "$lv-dim")]
        return []
    worst = findings[0]
    bits: list[Bit] = [
        (f"{glyph_of(worst.severity, glyphs)} {worst.severity.value}: ", STYLES[worst.severity]),
        (plain(worst.text), "$lv-text"),
    ]
    if worst.evidence:
        bits.append((f"  {plain(worst.evidence)}", "$lv-dim"))
    if worst.fix:
        bits.append((f"  {glyphs.arrow} {plain(worst.fix)}", "$lv-accent"))
    if len(findings) > 1:
        bits.append((f"  (+{len(findings) - 1} more on this line)", "$lv-dim"))
    return bits


def word_bits(keyword: Keyword, value: str) -> list[Bit]:
    """What the word under the cursor means, what counts without it, and what counts here."""
    meaning = f"{keyword.label}: {keyword.help}" if keyword.label else keyword.help
    bits: list[Bit] = [(keyword.name, "$lv-accent"), (f"  {meaning}", "$lv-text")]
    if keyword.default:
        unit = f" {keyword.unit}" if keyword.unit and keyword.default.isdigit() else ""
        bits.append((f"  default {keyword.default}{unit}", "$lv-dim"))
    if keyword.since:
        bits.append((f"  from {keyword.since} on", "$lv-dim"))
    if value:
        bits.append((f"  in force {plain(value)}", "$lv-text"))
    return bits


def place_bits(page: FilePage, line: int) -> list[Bit]:
    """`keepalived.conf 12/240`."""
    return [
        (plain(posixpath.basename(page.path)), "bold $lv-text"),
        (f" {grouped(line)}/{grouped(len(page.lines))}", "$lv-dim"),
    ]
