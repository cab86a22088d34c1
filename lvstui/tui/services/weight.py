"""Asks for a weight and shows at once what share of new connections it means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, Static

from lvstui.model.picture import ServerView, ServiceView
from lvstui.operations.weights import MAX_WEIGHT
from lvstui.tui.dialog import Dialog
from lvstui.tui.widgets.format import fit, width_of
from lvstui.tui.widgets.line import Bit

MOST = 2_147_483_647
"""The kernel keeps weights in a signed 32-bit number."""
_MOST_ROWS = 12
_STEP, _BIG_STEP = 1, 10


def read_weight(text: str) -> int | str:
    """The weight, or why it is none."""
    text = text.strip()
    if not text:
        return "Type a number from 0 up; 0 takes no new connections."
    if not text.isascii() or not text.isdigit():
        return f"{text} is no whole number from 0 up."
    if len(text) > 10 or int(text) > MOST:
        return f"The kernel takes weights up to {MOST}."
    return int(text)


def shares(service: ServiceView, targets: Sequence[ServerView], weight: int) -> list[Bit]:
    """The servers of a service with weight and share of new connections, before and after."""
    chosen = {server.key for server in targets if server.service == service.key}
    rows = [server for server in service.servers if server.in_kernel and not server.sorry]
    before = {s.key: s.weights.kernel or 0 for s in rows}
    after = {key: weight if key in chosen else value for key, value in before.items()}
    total_before, total_after = sum(before.values()), sum(after.values())

    def percent(value: int, total: int) -> str:
        return f"{value / total * 100:.0f} %" if total else "–"

    wide = max((width_of(f"{s.key} {s.name}") for s in rows), default=0)
    bits: list[Bit] = [
        (str(service.key), "bold $lv-text"),
        (f" {service.name}   {service.scheduler}\n", "$lv-dim"),
        (f"  {fit('', wide)}  {'WEIGHT':>14}   {'SHARE':>14}\n", "$lv-dim"),
    ]
    for server in rows[:_MOST_ROWS]:
        hit = server.key in chosen
        style = "bold $lv-accent" if hit else "$lv-text"
        old, new = before[server.key], after[server.key]
        bits.append((f"  {fit(f'{server.key} {server.name}', wide)}  ", style))
        bits.append((f"{old:>6} → {new:<5}", "$lv-text" if hit else "$lv-dim"))
        bits.append(("   ", ""))
        bits.append((f"{percent(old, total_before):>6} → ", "$lv-dim"))
        bits.append((f"{percent(new, total_after):<6}\n", style))
    if len(rows) > _MOST_ROWS:
        bits.append((f"  … and {len(rows) - _MOST_ROWS} more\n", "$lv-dim"))
    if not total_after:
        bits.append(("  No server takes new connections then.\n", "bold $sev-bad"))
    return bits


class WeightScreen(Dialog[int]):
    """A number; up and down change it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", f"add({_STEP})", "One more", show=False, priority=True),
        Binding("down", f"add(-{_STEP})", "One less", show=False, priority=True),
        Binding("pageup", f"add({_BIG_STEP})", "Ten more", show=False, priority=True),
        Binding("pagedown", f"add(-{_BIG_STEP})", "Ten less", show=False, priority=True),
    ]
    KEYS = (("↑ ↓", "±1"), ("PgUp PgDn", "±10"), ("Enter", "show the plan"), ("Esc", "leave"))
    AUTO_FOCUS = "#new-weight"

    def __init__(self, targets: Sequence[ServerView]) -> None:
        super().__init__()
        self._targets = tuple(targets)

    def heading(self) -> str:
        first = self._targets[0]
        more = f" and {len(self._targets) - 1} more" if len(self._targets) > 1 else ""
        return f"weight of {first.label} ({first.key}){more}  on {self.console.picture.host}"

    def body(self) -> ComposeResult:
        now = self._targets[0].weights.kernel
        yield Input("" if now is None else str(now), id="new-weight", max_length=12)
        yield Static(id="weight-text", markup=False)

    def on_mount(self) -> None:
        self._draw()

    def _draw(self) -> None:
        weight = read_weight(self.query_one("#new-weight", Input).value)
        if isinstance(weight, str):
            content = Content.assemble((weight, "$sev-warn"))
        else:
            bits: list[Bit] = []
            picture = self.console.picture
            for key in dict.fromkeys(server.service for server in self._targets):
                service = picture.service(key)
                if service is not None:
                    bits += shares(service, self._targets, weight)
            if weight > MAX_WEIGHT:
                bits.append((f"keepalived's file takes no more than {MAX_WEIGHT}.\n", "$sev-warn"))
            content = Content.assemble(*bits).rstrip()
        self.query_one("#weight-text", Static).update(content)

    def action_add(self, by: int) -> None:
        field = self.query_one("#new-weight", Input)
        weight = read_weight(field.value)
        number = weight if isinstance(weight, int) else 0
        field.value = str(min(max(number + by, 0), MOST))
        field.cursor_position = len(field.value)

    @on(Input.Changed)
    def _typed(self) -> None:
        self._draw()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        weight = read_weight(event.value)
        if isinstance(weight, int):
            self.dismiss(weight)
        else:
            self.tell(weight, bad=True)
