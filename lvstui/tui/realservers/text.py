"""What the screen of real servers says in words: what is wrong, and the evidence. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from lvstui.model.realserver import Check, Look, Verdict
from lvstui.realserver.checks import MEANINGS, TITLES
from lvstui.tui.realservers.matrix_layout import mark
from lvstui.tui.widgets.format import fit
from lvstui.tui.widgets.glyphs import Glyphs
from lvstui.tui.widgets.line import Bit, prose

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
