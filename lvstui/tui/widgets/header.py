"""The top of the console: which host, in which VRRP state, with which daemon; and the tabs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from lvstui.model.keys import ServiceKey
from lvstui.model.picture import InstanceView, Picture, ServiceView
from lvstui.model.say import clock, duration, grouped, plural
from lvstui.tui.screens import SCREENS
from lvstui.tui.widgets.glyphs import Glyphs
from lvstui.tui.widgets.line import (
    Bit,
    CommandStrip,
    LinePart,
    LineStrip,
    arrange,
    bits_width,
    clipped,
)

_STATE_STYLE = {
    "MASTER": "bold $rs-up",
    "BACKUP": "$lv-dim",
    "FAULT": "bold $rs-down",
    "STOP": "bold $rs-down",
}
_SUMMARY_ORDER = "up unverified standby foreign drained disabled draining overloaded differs down"
_MOST_INSTANCES = 3
_STALE_TICKS = 4
_BESIDE_URGENT = 16
"""Cells of the clock and of gaps."""
_LEAST_ABOUT, _MOST_ABOUT = 8, 60
"""Cells that are worth a title, and that one may take."""


class HeaderStrip(LineStrip):
    """` lvstui  lb1  ● MASTER LB_1 vrid 51 prio 150   adverts 1.00 s ✓  …  14:03:22`."""

    def __init__(
        self,
        glyphs: Glyphs,
        now: Callable[[], float],
        urgent: Callable[[], tuple[Bit, Bit] | None] = lambda: None,
    ) -> None:
        """`urgent`: what comes before everything else, at every width: what has to stand there,
        and what it is about as far as there is room."""
        super().__init__(id="header")
        self._glyphs = glyphs
        self._now = now
        self._urgent = urgent
        self._picture: Picture | None = None
        self.read_only = False
        """Shows a lock."""

    def show_picture(self, picture: Picture) -> None:
        self._picture = picture
        self.look_again()

    def bits(self, width: int) -> Sequence[Bit]:
        """Host and instances always; daemon and adverts as far as there is room."""
        picture = self._picture
        brand: list[Bit] = [(" lvstui ", "bold $lv-on-accent on $lv-accent"), ("  ", "")]
        urgent = self._urgent()
        if urgent is not None:
            head, about = urgent
            least = len(picture.host) + _BESIDE_URGENT if picture is not None else 0
            room = min(width - bits_width([head]) - least, _MOST_ABOUT)
            brand = [head, ("  ", "")]
            if room >= _LEAST_ABOUT:
                brand = [
                    head,
                    (" ", ""),
                    *clipped([about], room, self._glyphs.ellipsis),
                    ("   ", ""),
                ]
        if picture is None:
            return brand
        now = self._now()
        time_bits: list[Bit] = [(clock(now), "$lv-text"), (" ", "")]
        late = now - picture.at
        if picture.at and late > max(_STALE_TICKS * picture.interval_s, 3):
            text = f"no news for {duration(late)}  "
            time_bits.insert(0, (text, "bold $sev-bad"))
        if self.read_only:
            time_bits.insert(0, (f"{self._glyphs.lock} read-only  ", "$sev-warn"))
        parts = [LinePart(((picture.host, "bold $lv-text"),))]
        parts += self._instances(picture)
        parts += self._daemon(picture)
        room = width - bits_width(brand) - bits_width(time_bits) - 1
        shown = arrange(parts, room)
        middle: list[Bit] = []
        for index, bits in enumerate(shown):
            if index:
                middle.append(("  " if index == 1 else "   ", ""))
            middle += bits
        middle = clipped(middle, room, self._glyphs.ellipsis)
        middle.append((" " * (room - bits_width(middle) + 1), ""))
        return [*brand, *middle, *time_bits]

    def _instances(self, picture: Picture) -> list[LinePart]:
        instances = picture.instances
        if len(instances) > _MOST_INSTANCES:
            counts: dict[str, int] = {}
            for instance in instances:
                counts[instance.state] = counts.get(instance.state, 0) + 1
            return [
                LinePart(
                    ((f"{self._glyph(state)} ", _style(state)), (f"{count} {state}", _style(state)))
                )
                for state, count in sorted(counts.items(), key=lambda item: -item[1])
            ]
        parts = []
        for instance in instances:
            style = _style(instance.state)
            head = (f"{self._glyph(instance.state)} {instance.state} ", style)
            prio = "" if instance.priority is None else f" prio {instance.priority}"
            dropped: tuple[Bit, ...] = ()
            if (
                instance.base_priority is not None
                and instance.priority is not None
                and instance.priority != instance.base_priority
            ):
                dropped = ((f" of {instance.base_priority}", "$sev-warn"),)
            long = (
                head,
                (instance.name, "$lv-text"),
                (f" vrid {instance.vrid}{prio}", "$lv-dim"),
                *dropped,
            )
            parts.append(
                LinePart(long, rank=0, short=(head, (instance.name, "$lv-text"), *dropped))
            )
            heard = self._heard(instance)
            if heard is not None:
                parts.append(heard)
        return parts

    def _heard(self, instance: InstanceView) -> LinePart | None:
        """Whose adverts are heard, and whether they come on time."""
        glyphs = self._glyphs
        if instance.state == "MASTER" and instance.others:
            rivals = ", ".join(address for address, _ in instance.others)
            return LinePart(((f"{glyphs.warn} also MASTER: {rivals}", "bold $sev-bad"),), rank=1)
        if instance.adverts_ok is None:
            return None
        ok = instance.adverts_ok
        mark = (glyphs.yes if ok else glyphs.no, "$sev-good" if ok else "bold $sev-bad")
        words = f"adverts {instance.advert_interval_s:.2f} s "
        long: tuple[Bit, ...] = ((words, "$lv-dim"), mark)
        short: tuple[Bit, ...] = (("adverts ", "$lv-dim"), mark)
        if instance.state == "BACKUP" and instance.master_address:
            who = f"master {instance.master_address}"
            if instance.master_priority is not None:
                who += f" prio {instance.master_priority}"
            long = ((who + "  ", "$lv-dim"), *long)
        return LinePart(long, rank=4 if ok else 1, short=short)

    def _daemon(self, picture: Picture) -> list[LinePart]:
        daemon = picture.daemon
        glyphs = self._glyphs
        if daemon.installed is False:
            return [LinePart((("keepalived not installed", "$sev-warn"),), rank=2)]
        if daemon.running is False:
            return [
                LinePart(
                    ((f"{glyphs.no} keepalived not running", "bold $sev-bad"),),
                    rank=1,
                    short=((f"{glyphs.no} keepalived stopped", "bold $sev-bad"),),
                )
            ]
        if daemon.running is None and not daemon.version:
            return []
        text = f"keepalived {daemon.version}".rstrip()
        if daemon.started is not None and picture.at > daemon.started:
            text += f" up {duration(picture.at - daemon.started)}"
        parts = [
            LinePart(((text, "$lv-dim"),), rank=5, short=((f"ka {daemon.version}", "$lv-dim"),))
        ]
        if daemon.loaded_is_file is True:
            parts.append(LinePart((("running = file", "$lv-dim"),), rank=6))
        elif daemon.loaded_is_file is False:
            same = f"running {glyphs.differs} file"
            parts.append(LinePart(((same, "bold $sev-warn"),), rank=1))
        return parts

    def _glyph(self, state: str) -> str:
        glyphs = self._glyphs
        if state == "MASTER":
            return glyphs.master
        if state in ("FAULT", "STOP"):
            return glyphs.no
        return glyphs.backup


def _style(state: str) -> str:
    return _STATE_STYLE.get(state, "$sev-warn")


class Tally:
    """Counts of states over all services."""

    def __init__(self) -> None:
        self.states: Counter[str] = Counter()
        """Word of the state to number of real servers."""
        self.servers = 0
        """All of them."""
        self._last: Sequence[ServiceView] = ()
        self._kept: dict[ServiceKey, tuple[ServiceView, Counter[str]]] = {}

    def count(self, services: Sequence[ServiceView]) -> None:
        """Take these services; only new objects are looked into."""
        if services is self._last:
            return
        self._last = services
        kept: dict[ServiceKey, tuple[ServiceView, Counter[str]]] = {}
        before = self._kept
        for view in services:
            known = before.pop(view.key, None)
            if known is None or known[0] is not view:
                counts = Counter([server.state.value for server in view.servers])
                # Those whose state does not say that something is wrong with them.
                counts["differs"] = sum(server.differs_only for server in view.servers)
                if known is not None:
                    self._remove(known[1])
                self.states.update(counts)
                self.servers += len(view.servers)
                known = (view, counts)
            kept[view.key] = known
        for _, counts in before.values():
            self._remove(counts)
        self._kept = kept

    def _remove(self, counts: Counter[str]) -> None:
        self.states.subtract(counts)
        self.servers -= sum(counts.values())


class TabStrip(CommandStrip):
    """` 1  Services  2  Failover …` with the site in a few words at the right."""

    def __init__(self, current: str) -> None:
        super().__init__(id="tabs")
        self._current = current
        self._summary: tuple[Bit, ...] = ()
        self._tally = Tally()

    def show_picture(self, picture: Picture) -> None:
        self._tally.count(picture.services)
        self._summary = tuple(summary(len(picture.services), self._tally))
        self.look_again()

    def bits(self, width: int) -> Sequence[Bit]:
        """The tabs, then the summary at the right as far as it fits."""
        bits: list[Bit] = []
        spans: list[tuple[int, int, str]] = []
        for tab in SCREENS:
            here = tab.mode == self._current
            start = bits_width(bits)
            chip = "bold $lv-on-accent on $lv-accent" if here else "$lv-chip-text on $lv-chip"
            bits.append((f" {tab.key} ", chip))
            bits.append((f" {tab.title} ", "bold $lv-accent" if here else "$lv-dim"))
            spans.append((start, bits_width(bits), f"show-{tab.mode}"))
            bits.append((" ", ""))
        self.spans = spans
        room = width - bits_width(bits) - 1
        summary_bits = list(self._summary)
        while summary_bits and bits_width(summary_bits) > room:
            # Leave out from the left: what is wrong stands at the right.
            summary_bits = summary_bits[1:]
        pad = room - bits_width(summary_bits)
        return [*bits, (" " * max(pad, 0), ""), *summary_bits, (" ", "")]


def summary(services: int, tally: Tally) -> list[Bit]:
    """`3 services  12 real servers  1 draining  1 down`."""
    if not services:
        return []
    bits: list[Bit] = [
        (f"{plural(services, 'service')}  ", "$lv-dim"),
        (f"{plural(tally.servers, 'real server')}  ", "$lv-dim"),
    ]
    bits += [
        (f"{grouped(tally.states[word])} {word}  ", f"$rs-{word}")
        for word in _SUMMARY_ORDER.split()
        if tally.states[word]
    ]
    text, style = bits[-1]
    bits[-1] = (text.rstrip(), style)
    return bits
