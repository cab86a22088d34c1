"""From what the desk knows to the lines of the matrix and the line below it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from lvstui.operations.change import Phase
from lvstui.operations.rows import Row
from lvstui.realserver.checks import TITLES, Check, Verdict
from lvstui.tui.realservers.desk import Desk
from lvstui.tui.realservers.matrix import Matrix
from lvstui.tui.realservers.matrix_layout import MatrixLine
from lvstui.tui.widgets.format import age, plural
from lvstui.tui.widgets.glyphs import Glyphs
from lvstui.tui.widgets.line import Bit

_JUST_NOW_S = 60.0
_MOST_NAMES = 6
_WRONG = (Verdict.BAD, Verdict.WARN, Verdict.UNKNOWN)


def matrix_lines(desk: Desk, now: float) -> list[MatrixLine]:
    """A line for each host and VIP, in the order of the configuration."""
    found = []
    for host in desk.hosts:
        row = desk.rows.get(host.address)
        checks = dict(row.checks) if row is not None else {}
        note = "not looked at"
        if row is not None:
            old = now - row.at
            note = "just now" if old < _JUST_NOW_S else f"{age(old)} ago"
        drift = bool(row is not None and row.drift)
        stage = desk.stages.get(host.address, "")
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
    words = pattern.strip().lower()
    wanted = words.lstrip("!").split()
    if not wanted:
        return True
    said = (f"{TITLES[check.id]} {check.verdict.value} {check.says}" for check in wrong)
    parts = (line.address, line.name, line.vip, line.stage, line.note, *said)
    text = " ".join(parts).lower()
    return all(word in text for word in wanted) != words.startswith("!")


def target_bits(
    desk: Desk, matrix: Matrix, director: str, total: int, glyphs: Glyphs
) -> tuple[list[Bit], list[Bit]]:
    """What a key acts on; what is under way, or how many are good."""
    arrow: Bit = (f" {glyphs.chevron} ", "$lv-dim")
    left: list[Bit] = [(director, "bold $lv-text")]
    marked = [host.label for host in desk.hosts if host.address in matrix.marks]
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
    if desk.under_way:
        changing = desk.change is not None and desk.change.phase is Phase.RUNNING
        hint = " stopping" if desk.stopping else " (o opens it)" if changing else " (Esc stops)"
        return left, [(f"{desk.under_way} {glyphs.ellipsis}{hint}", "bold $lv-accent")]
    right: list[Bit] = []
    hidden = total - len(matrix.lines)
    if hidden:
        right.append((f"{hidden} hidden  ", "$lv-dim"))
    seen = [row for host in desk.hosts if (row := desk.rows.get(host.address)) is not None]
    if seen:
        good = sum(row.verdict is Verdict.GOOD for row in seen)
        right.append((f"{good} of {len(desk.hosts)} good", "$lv-dim"))
    return left, right


def verified(rows: Sequence[Row]) -> tuple[str, bool]:
    """What a look says of all hosts at once, and whether anything is not good."""
    bad = [row for row in rows if row.verdict is not Verdict.GOOD]
    good = len(rows) - len(bad)
    are = "is as it has" if len(rows) == 1 else "are as they have"
    text = f"{good} of {plural(len(rows), 'host')} {are} to be."
    for row in bad[:_MOST_NAMES]:
        names = dict.fromkeys(
            TITLES[check.id]
            for _, found in row.checks
            for check in found
            if check.verdict in _WRONG
        )
        text += f"\n{row.host.label}: {row.error or ', '.join(names) or row.verdict.value}"
    return text, bool(bad)
