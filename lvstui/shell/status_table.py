"""`lvstui status` for people: the picture as a table, by Rich."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from lvstui.model.picture import (
    GLYPHS,
    InstanceView,
    Picture,
    ServerView,
    Severity,
    State,
    weight_mark,
)
from lvstui.model.say import bits, clock_ms, duration, grouped, per_second
from lvstui.model.verdict import VERDICTS, not_looked_at, verdict

_STYLES = {
    State.UP: "green",
    State.DOWN: "bold red",
    State.DRAINING: "yellow",
    State.DRAINED: "yellow",
    State.DISABLED: "dim",
    State.OVERLOADED: "bold yellow",
    State.STANDBY: "dim",
    State.UNVERIFIED: "cyan",
    State.FOREIGN: "magenta",
}
_SEVERITY = {
    Severity.GOOD: "green",
    Severity.INFO: "yellow",
    Severity.WARN: "yellow",
    Severity.BAD: "bold red",
}
WIDE = 120
"""Columns from which traffic and reasons fit beside the rest."""
COLUMNS = (
    *(("SERVICE / REAL SERVER", False), ("STATE", False), ("FILE·KA·KERNEL", True)),
    *(("CONN/S", True), ("ACTIVE", True), ("INACTIVE", True), ("IN", True), ("", False)),
)
"""Titles, and whether the column holds numbers."""


def show(picture: Picture, console: Console) -> None:
    console.print(Group(*_parts(picture, console.width >= WIDE)))


def _parts(picture: Picture, wide: bool) -> list[RenderableType]:
    status, reasons = verdict(picture)
    colour = ("green", "yellow", "red")[status]
    head = Text.assemble(
        (picture.host, "bold"), "  ", (VERDICTS[status], f"bold {colour}"), "  ", _daemon(picture)
    )
    parts: list[RenderableType] = [head]
    parts += [_instance(instance, picture.at) for instance in picture.instances]
    parts += [
        Text(f"⚠ {warning.text}", style=_SEVERITY[warning.severity]) for warning in picture.warnings
    ]
    if picture.services:
        parts += [Text(""), _services(picture, wide)]
        if not wide:
            parts += _reasons(picture)
    elif picture.table_readable:
        parts.append(Text("The kernel's IPVS table is empty: no virtual service.", style="yellow"))
    else:
        parts += [Text(reason, style="red") for reason in reasons]
    seen = {gap.what for gap in picture.gaps}
    unknown = [one for one in not_looked_at(picture) if one not in seen]
    if unknown:
        parts.append(Text(f"not looked at: {'; '.join(unknown)}", style="dim"))
    parts += [
        Text(f"not visible: {gap.what}" + (f" ({gap.remedy})" if gap.remedy else ""), style="dim")
        for gap in picture.gaps
    ]
    recent = [event for event in picture.events if picture.at - event.at < 3600][-8:]
    if recent:
        parts.append(Text(""))
    for event in recent:
        said = (event.text, _SEVERITY[event.severity])
        parts.append(Text.assemble((clock_ms(event.at), "dim"), "  ", said))
    return parts


def _daemon(picture: Picture) -> Text:
    daemon = picture.daemon
    if daemon.running:
        text = f"keepalived {daemon.version or '(version unknown)'}"
        if daemon.started:
            text += f", up {duration(picture.at - daemon.started)}"
        if daemon.loaded_is_file is not None:
            text += ", running = file" if daemon.loaded_is_file else ", file not loaded"
        return Text(text)
    if daemon.running is None:
        return Text("keepalived: not known", style="dim")
    if daemon.installed:
        return Text("keepalived is not running", style="bold red")
    return Text("keepalived is not installed", style="yellow")


def _instance(view: InstanceView, now: float) -> Text:
    glyph = {"MASTER": "●", "BACKUP": "○", "FAULT": "✖"}.get(view.state, "◌")
    style = {"MASTER": "green", "FAULT": "bold red"}.get(view.state, "")
    words = [f"vrid {view.vrid}", f"prio {view.priority}", view.interface]
    if view.since is not None:
        words.append(f"since {duration(now - view.since)}")
    if view.state != "MASTER" and view.master_address:
        words.append(f"master {view.master_address} prio {view.master_priority}")
    words.append("VIP " + ", ".join(view.vips))
    state, name = (f"{glyph} {view.state}", style), (view.name, "bold")
    return Text.assemble(("  ", ""), state, " ", name, "  ", "  ".join(filter(None, words)))


def _reasons(picture: Picture) -> list[RenderableType]:
    """On a narrow terminal the reasons stand below the table."""
    found: list[RenderableType] = [Text("")]
    for service in picture.services:
        for server in service.servers:
            if server.reason:
                text = f"{GLYPHS[server.state]} {server.label} in {service.key}: {server.reason}"
                found.append(Text(text, style=_STYLES[server.state]))
    return found if len(found) > 1 else []


def _services(picture: Picture, wide: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for title, right in COLUMNS if wide else COLUMNS[:-2]:
        table.add_column(title, justify="right" if right else "left", no_wrap=True)
    for service in picture.services:
        rates = service.rates
        cells: list[RenderableType] = [
            Text.assemble((str(service.key), "bold"), f" {service.name}" if service.name else ""),
            Text(f"{service.up} of {service.pool} up", style=_SEVERITY[service.severity]),
            Text(f"{service.scheduler} {service.forwarding}"),
            per_second(rates.connections) if rates else "–",
            grouped(service.active),
            grouped(service.inactive),
            bits(rates.bytes_in) if rates else "–",
            Text(service.reason, style=_SEVERITY[service.severity]),
        ]
        table.add_row(*(cells if wide else cells[:-2]))
        for server in service.servers:
            row = _server(server, picture.at)
            table.add_row(*(row if wide else row[:-2]))
    return table


def _server(server: ServerView, now: float) -> tuple[RenderableType, ...]:
    style = _STYLES[server.state]
    state = server.state.value
    if server.state is State.DOWN and server.since is not None:
        state += f" {duration(now - server.since)}"
    if server.differs:
        state += f" ≠{weight_mark(server)}"
    rates = server.rates
    weights = server.weights
    about = (f" {server.name}" if server.name else "") + (" sorry" if server.sorry else "")
    glyph = (f"{GLYPHS[server.state]} ", style)
    label = Text.assemble("  ", glyph, str(server.key), (about, "dim"))
    numbers = [weights.file, weights.keepalived, weights.kernel]
    return (
        label,
        Text(state, style=style),
        " ".join(f"{'–' if number is None else number:>3}" for number in numbers),
        per_second(rates.connections) if rates else "–",
        grouped(server.active) if server.in_kernel else "–",
        grouped(server.inactive) if server.in_kernel else "–",
        bits(rates.bytes_in) if rates else "–",
        Text(server.reason, style=style),
    )
