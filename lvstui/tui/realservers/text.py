"""What the screen of real servers says: the lines of the matrix, what a key acts on, what is wrong,
and the evidence. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lvstui.model.picture import Picture
from lvstui.model.realserver import Check, Look, Verdict
from lvstui.model.say import duration, plural
from lvstui.operations.change import Phase
from lvstui.realserver.checks import MEANINGS, TITLES
from lvstui.session.realservers import RealServerSession
from lvstui.tui.realservers.matrix import Matrix
from lvstui.tui.realservers.matrix_layout import MatrixLine, mark
from lvstui.tui.widgets.format import filter_words, fit
from lvstui.tui.widgets.glyphs import Glyphs
from lvstui.tui.widgets.line import Bit, prose

_JUST_NOW_S = 60.0
_MOST_NAMES = 6
_WRONG = (Verdict.BAD, Verdict.WARN, Verdict.UNKNOWN)
STYLES = {
    Verdict.GOOD: "$sev-good",
    Verdict.WARN: "$sev-warn",
    Verdict.BAD: "$sev-bad",
    Verdict.UNKNOWN: "$rs-unverified",
    Verdict.NONE: "$lv-dim",
}


def cell_bits(
    label: str,
    vip: str,
    check_id: str,
    check: Check | None,
    look: Look | None,
    width: int,
    glyphs: Glyphs,
) -> list[Bit]:
    """The cell under the cursor: what it says, what was seen, what mends it."""
    bits: list[Bit] = [(f"{label}  ", "bold $lv-text"), (f"{vip}  ", "$lv-dim")]
    if check is None:
        bits.append((f"{TITLES[check_id]}\n", "bold $lv-accent"))
        bits += prose("Not looked at yet: r looks.", "$lv-dim", width, "  ")
    else:
        style = STYLES[check.verdict]
        bits += [
            (f"{mark(check.verdict, glyphs)} ", style),
            (TITLES[check_id], f"bold {style}"),
            (f"  {check.verdict.value}\n", style),
        ]
        says = check.says or MEANINGS[check_id]
        bits += prose(says, "$lv-text", width, "  ")
        for line in check.evidence:
            bits += prose(line, "$lv-dim", width, "    ")
        if check.fix:
            bits += prose(check.fix, "$lv-accent", width, f"  {glyphs.arrow} ")
    if look is not None and look.drift:
        worse = ", ".join(text.partition(" was good")[0] for text in look.drift)
        bits += prose(
            f"worse than at the look before: {worse}",
            "$sev-warn",
            width,
            f"  {glyphs.differs} ",
            "bold $sev-warn",
        )
    bits += prose(MEANINGS[check_id], "$lv-dim", width, "  asks: ")
    return bits


def host_bits(look: Look, width: int, glyphs: Glyphs) -> list[Bit]:
    """Everything that is known of a host."""
    bits: list[Bit] = []
    if not look.about:
        bits += prose(look.error, "bold $sev-bad", width, f"{mark(Verdict.BAD, glyphs)} ")
        if look.todo:
            bits += prose(look.todo, "$lv-accent", width, f"{glyphs.arrow} ")
    else:
        for name, text in look.about:
            bits += prose(text, "$lv-text", width, f"{fit(name, 11)} ", "$lv-dim")
        if look.unfinished:
            what = f"{look.unfinished[:1].upper()}{look.unfinished[1:]}"
            what, style = (
                (f"{what} (t).", "bold $sev-bad") if look.stuck else (f"{what}.", "bold $sev-warn")
            )
            bits += prose(what, style, width, f"{glyphs.warn} ")
        if look.reverted:
            bits += prose("a change took itself back lately:", "$sev-warn", width)
            for line in look.reverted:
                bits += prose(line, "$lv-dim", width, "    ")
    for text in look.drift:
        bits += prose(text, "$sev-warn", width, f"{glyphs.differs} ")
    for vip, found in look.checks:
        bits.append((f"\n{vip}\n", "bold $lv-accent"))
        for check in found:
            style = STYLES[check.verdict]
            title = fit(TITLES[check.id], 10)
            says = check.says or check.verdict.value
            bits += prose(says, "$lv-text", width, f"{mark(check.verdict, glyphs)} {title} ", style)
            for line in check.evidence:
                bits += prose(line, "$lv-dim", width, " " * 15)
            if check.fix:
                bits += prose(check.fix, "$lv-accent", width, f"{' ' * 12}{glyphs.arrow} ")
    return bits


def wrong_bits(looks: Iterable[Look], width: int, glyphs: Glyphs) -> list[Bit]:
    """Everything that is not good anywhere, a line each: the same thing on many hosts once."""
    found: dict[tuple[str, Verdict, str], list[str]] = {}
    for look in looks:
        if not look.about:
            found.setdefault(("reachable", Verdict.BAD, look.error), []).append(look.label)
        for _, some in look.checks:
            for check in some:
                bad = check.verdict in (Verdict.BAD, Verdict.WARN)
                if bad and (look.about or check.id != "reachable"):
                    key = (check.id, check.verdict, check.says)
                    found.setdefault(key, []).append(look.label)
    bits: list[Bit] = []
    if found:
        bits.append(("\nNOT GOOD\n", "bold $lv-dim"))
    order = tuple(TITLES)
    for (id_, verdict, says), labels in sorted(found.items(), key=lambda x: order.index(x[0][0])):
        names = ", ".join(dict.fromkeys(labels))
        head = f"  {mark(verdict, glyphs)} {fit(TITLES[id_], 10)} "
        bits += prose(f"{names}: {says}", "$lv-text", width, head, STYLES[verdict])
    return bits


def untouched_bits(count: int, director: str, width: int) -> list[Bit]:
    """Before the first look: what this screen does and does not do by itself."""
    hosts = "the real server" if count == 1 else f"the {count} real servers"
    bits: list[Bit] = [("No host was asked anything yet.\n", "bold $lv-text")]
    for key, text in (
        (
            "r",
            f"looks at {hosts} by SSH, and asks from {director} by ARP and TCP; changes "
            "nothing. Space marks hosts; then only those are meant.",
        ),
        (
            "p",
            "gives a host what Direct Routing needs: the VIP on its loopback and silence on ARP, "
            "now and after a reboot. It shows the plan first.",
        ),
        ("v U", "verify it later, and take it back."),
    ):
        bits += prose(text, "$lv-text", width, f"  {fit(key, 4)}", "bold $lv-accent")
    bits.append(("\n", ""))
    bits += [
        (f"  {fit(TITLES[id_], 10)}  {meaning}\n", "$lv-dim") for id_, meaning in MEANINGS.items()
    ]
    return bits


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
    line = matrix.here
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
    hidden = total - len(matrix.rows)
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
