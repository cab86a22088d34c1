"""From the picture and the session to the lines of the matrix and the line below it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lvstui.model.picture import Picture
from lvstui.model.realserver import Check, Look, Verdict
from lvstui.model.say import duration, plural
from lvstui.operations.change import Phase
from lvstui.realserver.checks import TITLES
from lvstui.session.realservers import RealServerSession
from lvstui.tui.realservers.matrix import Matrix
from lvstui.tui.realservers.matrix_layout import MatrixLine
from lvstui.tui.widgets.format import filter_words
from lvstui.tui.widgets.glyphs import Glyphs
from lvstui.tui.widgets.line import Bit

_JUST_NOW_S = 60.0
_MOST_NAMES = 6
_WRONG = (Verdict.BAD, Verdict.WARN, Verdict.UNKNOWN)


def matrix_lines(
    session: RealServerSession, looks: Mapping[str, Look], now: float
) -> list[MatrixLine]:
    """A line for each host and VIP, in the order of the configuration."""
    found = []
    for host in session.hosts:
        look = looks.get(host.address)
        checks = dict(look.checks) if look is not None else {}
        note = "not looked at"
        if look is not None:
            old = now - look.at
            note = "just now" if old < _JUST_NOW_S else f"{duration(old)} ago"
        drift = bool(look is not None and look.drift)
        stage = session.stages.get(host.address, "")
        for index, vip in enumerate(host.vips):
            by_id: dict[str, Check] = {check.id: check for check in checks.get(vip.address, ())}
            cells = tuple(by_id.get(id_) for id_ in TITLES) if by_id else ()
            found.append(
                MatrixLine(
                    host.address, host.name, vip.address, cells, index == 0, drift, stage, note
                )
            )
    return found


def passes(line: MatrixLine, pattern: str, faults: bool) -> bool:
    """Whether a line is shown: by the words of the filter, and by `faults` only what is not
    good or not known."""
    wrong = [check for check in line.checks if check is not None and check.verdict in _WRONG]
    good = line.checks and None not in line.checks and not wrong and not line.drift
    if faults and good:
        return False
    words, hide = filter_words(pattern)
    said = (f"{TITLES[check.id]} {check.verdict.value} {check.says}" for check in wrong)
    parts = (line.address, line.name, line.vip, line.stage, line.note, *said)
    text = " ".join(parts).lower()
    return all(word in text for word in words) != hide


def target_bits(
    session: RealServerSession, matrix: Matrix, picture: Picture, total: int, glyphs: Glyphs
) -> tuple[list[Bit], list[Bit]]:
    """What a key acts on; what is under way, or how many are good."""
    arrow: Bit = (f" {glyphs.chevron} ", "$lv-dim")
    left: list[Bit] = [(picture.host, "bold $lv-text")]
    marked = [host.label for host in session.hosts if host.address in matrix.marks]
    line = matrix.line
    if marked:
        names = ", ".join(marked[:_MOST_NAMES])
        more = f" {glyphs.ellipsis}" if len(marked) > _MOST_NAMES else ""
        left += [
            arrow,
            (f"{plural(len(marked), 'host')} marked: ", "bold $lv-accent"),
            (names + more, "$lv-text"),
            ("; Esc unmarks", "$lv-dim"),
        ]
    elif line is not None:
        left += [
            arrow,
            (line.label, "bold $lv-accent"),
            arrow,
            (line.vip, "$lv-text"),
            arrow,
            (TITLES[matrix.check_id], "$lv-dim"),
        ]
    if session.under_way:
        changing = session.change is not None and session.change.phase is Phase.RUNNING
        hint = " stopping" if session.stopping else " (o opens it)" if changing else " (Esc stops)"
        return left, [(f"{session.under_way} {glyphs.ellipsis}{hint}", "bold $lv-accent")]
    right: list[Bit] = []
    hidden = total - len(matrix.lines)
    if hidden:
        right.append((f"{hidden} hidden  ", "$lv-dim"))
    seen = [look for host in session.hosts if (look := picture.looks.get(host.address))]
    if seen:
        good = sum(look.verdict is Verdict.GOOD for look in seen)
        right.append((f"{good} of {len(session.hosts)} good", "$lv-dim"))
    return left, right


def verified(looks: Sequence[Look]) -> tuple[str, bool]:
    """What a look says of all hosts at once, and whether anything is not good."""
    bad = [look for look in looks if look.verdict is not Verdict.GOOD]
    good = len(looks) - len(bad)
    are = "is as it has" if len(looks) == 1 else "are as they have"
    text = f"{good} of {plural(len(looks), 'host')} {are} to be."
    for look in bad[:_MOST_NAMES]:
        names = dict.fromkeys(
            TITLES[check.id]
            for _, found in look.checks
            for check in found
            if check.verdict in _WRONG
        )
        text += f"\n{look.label}: {look.error or ', '.join(names) or look.verdict.value}"
    return text, bool(bad)
