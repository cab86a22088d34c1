"""VRRP on this host: its instances, whom it hears, what changed hands and when."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from lvstui.model.link_warnings import owner_lines
from lvstui.model.picture import Event, InstanceView, Picture
from lvstui.model.say import clock_ms, duration, grouped, moment, plural
from lvstui.tui.command import Command
from lvstui.tui.console import ConsoleScreen
from lvstui.tui.failover.commands import FAILOVER_COMMANDS
from lvstui.tui.widgets.format import cut, fit
from lvstui.tui.widgets.glyphs import Glyphs
from lvstui.tui.widgets.line import Bit
from lvstui.tui.widgets.warnings import SEVERITY_BITS

_KINDS = frozenset({"vrrp", "address", "link", "daemon"})
_MOST_EVENTS = 40
_LABEL = 12
_STATE_STYLE = {
    "MASTER": "bold $rs-up",
    "BACKUP": "$lv-text",
    "FAULT": "bold $rs-down",
    "STOP": "bold $rs-down",
}


class FailoverScreen(ConsoleScreen):
    """VRRP instances."""

    MODE = "failover"
    OWN: ClassVar[tuple[Command[Any], ...]] = FAILOVER_COMMANDS
    FOOTER = "owners announce refresh warnings"

    def body(self) -> ComposeResult:
        with VerticalScroll(id="main"):
            yield Static(id="failover-text", markup=False)

    def show_picture(self, picture: Picture) -> None:
        super().show_picture(picture)
        console = self.console
        width = max(self.size.width - 6, 40)
        bits = failover_bits(picture, console.settings.clock(), width, console.glyphs)
        self.query_one("#failover-text", Static).update(Content.assemble(*bits).rstrip())

    def on_resize(self) -> None:
        self.call_after_refresh(self.show_picture, self.console.picture)


def failover_bits(picture: Picture, now: float, width: int, glyphs: Glyphs) -> list[Bit]:
    """Instances, then what changed."""
    bits: list[Bit] = []
    if not picture.instances:
        bits += _nothing(picture)
    for instance in picture.instances:
        bits += _instance(instance, picture, now, glyphs)
    found = [event for event in reversed(picture.events) if event.kind in _KINDS]
    bits += _heading("What changed", width, glyphs)
    if not found:
        bits.append(("No change of hands since lvstui began to look.\n", "$lv-dim"))
    for event in found[:_MOST_EVENTS]:
        bits += _event(event, now, width, glyphs)
    return bits


def _nothing(picture: Picture) -> list[Bit]:
    daemon = picture.daemon
    if daemon.installed is False:
        why = "keepalived is not installed here, so nothing speaks VRRP."
    elif daemon.running is False:
        why = "keepalived is not running: start it with  systemctl start keepalived"
    elif not picture.ready:
        why = "Reading …"
    else:
        why = f"No vrrp_instance is known on {picture.host}" + (
            f" ({daemon.config_file} defines none)." if daemon.config_file else "."
        )
    return [("No VRRP instance\n", "bold $lv-accent"), (why + "\n\n", "$lv-text")]


def _heading(title: str, width: int, glyphs: Glyphs) -> list[Bit]:
    rule = glyphs.rule * max(width - len(title) - 1, 0)
    return [(title.upper() + " ", "bold $lv-dim"), (rule + "\n", "$lv-faint")]


def _line(label: str, *values: Bit) -> list[Bit]:
    return [("  " + fit(label, _LABEL), "$lv-dim"), *values, ("\n", "")]


def _instance(view: InstanceView, picture: Picture, now: float, glyphs: Glyphs) -> list[Bit]:
    style = _STATE_STYLE.get(view.state, "$sev-warn")
    glyph = {"MASTER": glyphs.master, "BACKUP": glyphs.backup}.get(view.state, glyphs.no)
    bits: list[Bit] = [
        (view.name, "bold $lv-text"),
        (f"   {picture.host} ", "$lv-dim"),
        (f"{glyph} {view.state}", style),
    ]
    if view.since is not None:
        since = f"   since {moment(view.since, now)} ({duration(now - view.since)})"
        bits.append((since, "$lv-dim"))
    bits.append((f"   known from: {view.source}\n", "$lv-dim"))
    bits += _line(
        "Identity",
        (f"vrid {view.vrid} on {view.interface or '?'}, VRRP version {view.version}", "$lv-text"),
        (f"   sync group {view.sync_group}" if view.sync_group else "", "$lv-dim"),
    )
    bits += _line("Priority", *_priority(view))
    for index, vip in enumerate(view.vips):
        here = vip in view.vips_here
        wrong = here != (view.state == "MASTER")
        said = "on this host" if here else "not on this host"
        bits += _line(
            "" if index else "Addresses",
            (f"{vip}  ", "$lv-text"),
            (
                f"{glyphs.yes if here else glyphs.none} {said}",
                "$sev-bad" if wrong else "$sev-good" if here else "$lv-dim",
            ),
            (f"   {glyphs.warn} but the state is {view.state}" if wrong else "", "bold $sev-bad"),
        )
    bits += _wire(view, now, glyphs)
    bits += _owners(view, picture, now, glyphs)
    stats = view.stats
    if stats is not None:
        bits += _line(
            "Counters",
            (
                f"{grouped(stats.adverts_sent)} sent, {grouped(stats.adverts_received)} received; ",
                "$lv-text",
            ),
            (
                f"became master {plural(stats.became_master, 'time')}, "
                f"gave it up {plural(stats.released_master, 'time')}",
                "$lv-text",
            ),
        )
        for name, count in stats.errors:
            bits += _line("", (f"{glyphs.warn} {name}: {grouped(count)}", "$sev-warn"))
    bits.append(("\n", ""))
    return bits


def _priority(view: InstanceView) -> list[Bit]:
    if view.priority is None:
        base = "unknown" if view.base_priority is None else f"{view.base_priority} in the file"
        return [(base, "$lv-text")]
    bits: list[Bit] = [(str(view.priority), "$lv-text")]
    if view.base_priority is not None and view.base_priority != view.priority:
        change = view.priority - view.base_priority
        sign = "+" if change > 0 else "−"
        text = f" = {view.base_priority} {sign} {abs(change)}: something tracked has changed it"
        bits.append((text, "$sev-warn"))
    return bits


def _wire(view: InstanceView, now: float, glyphs: Glyphs) -> list[Bit]:
    """Who is heard as master, on time or not, and whoever else speaks."""
    bits: list[Bit] = []
    every = f"every {view.advert_interval_s:.2f} s"
    if view.adverts_ok is None:
        bits += _line("On the wire", ("not listened to (see the warnings, W)", "$lv-dim"))
    else:
        who = view.master_address or "nobody"
        prio = f" prio {view.master_priority}" if view.master_priority is not None else ""
        last = f", last {duration(now - view.last_advert)} ago" if view.last_advert else ""
        mark = (f"{glyphs.yes} on time", "$sev-good")
        if not view.adverts_ok:
            mark = (f"{glyphs.no} late", "bold $sev-bad")
        bits += _line(
            "On the wire",
            (f"master {who}{prio}  ", "$lv-text"),
            (every + last + "  ", "$lv-dim"),
            mark,
        )
    for address, priority in view.others:
        rival = view.state == "MASTER"
        text = f"{address} prio {priority} sends adverts too"
        if rival:
            text = f"{glyphs.warn} {text}: two masters (split brain)"
        bits += _line("", (text, "bold $sev-bad" if rival else "$sev-warn"))
    return bits


def _owners(view: InstanceView, picture: Picture, now: float, glyphs: Glyphs) -> list[Bit]:
    """Who answered for its addresses when it was asked last."""
    bits: list[Bit] = []
    at = {owners.address: owners.at for owners in picture.owners}
    for line in owner_lines(picture):
        if line.address in view.vips:
            mark = f"{glyphs.yes} " if line.good else f"{glyphs.no} "
            style = "$sev-good" if line.good else "bold $sev-bad"
            ago = f"  asked {duration(max(now - at[line.address], 0.0))} ago"
            label = "" if bits else "Who answers"
            bits += _line(label, (mark, style), (line.text, "$lv-text"), (ago, "$lv-dim"))
    for clash in view.clashes:
        text = f"{clash.address} prio {clash.priority} announces {', '.join(clash.vips[:3])}"
        bits += _line("", (f"{glyphs.warn} {text}: not this instance", "$sev-bad"))
    return bits


def _event(event: Event, now: float, width: int, glyphs: Glyphs) -> list[Bit]:
    day = moment(event.at, now)
    stamp = clock_ms(event.at)
    if len(day) > len("00:00:00"):
        stamp = f"{day[5:10]} {stamp}"
    room = max(width - len(stamp) - len(event.host) - 6, 20)
    return [
        (f"{stamp}  ", "$lv-dim"),
        (f"{event.host}  ", "bold $lv-text"),
        (f"{glyphs.severity} ", SEVERITY_BITS[event.severity]),
        (
            cut(event.text, room, ellipsis=glyphs.ellipsis) + "\n",
            "$lv-dim" if event.past else "$lv-text",
        ),
    ]
