"""The columns of the table, the sets they come in, and which of them a width can hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from lvstui.model.picture import ServerView, ServiceView
from lvstui.model.say import bits, per_second
from lvstui.tui.services import cells
from lvstui.tui.services.cells import NARROW_WEIGHT_WIDTHS, WEIGHT_WIDTHS, Cell, Paint, traffic_cell
from lvstui.tui.services.rows import Sort
from lvstui.tui.widgets.glyphs import UNICODE, Glyphs

GUTTER = 2
"""Cells left of the first column: the cursor's bar and the mark."""
GAP = 2
"""Cells between columns."""
NARROW = 100
"""Below this many cells gaps and weights are narrower."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    id: str
    title: str
    width: int
    service: Callable[[ServiceView, Paint], Cell]
    server: Callable[[ServerView, Paint], Cell]
    right: bool = False
    grow: int = 0
    """Cells it takes beyond `width` when there is room."""
    sort: Sort | None = None
    """What a click on its title orders by."""


NAME = Column(
    "name", "SERVICE / REAL SERVER", 24, cells.service_name, cells.server_name, sort=Sort.NAME
)
STATE = Column("state", "STATE", 13, cells.service_state, cells.server_state, sort=Sort.STATE)
WEIGHTS = Column(
    "weights", "FILE  KA KERNEL", sum(WEIGHT_WIDTHS), cells.service_weights, cells.server_weights
)
NARROW_WEIGHTS = replace(WEIGHTS, title="FILE  KA KRN", width=sum(NARROW_WEIGHT_WIDTHS))
_RATE = traffic_cell("connections", per_second)
RATE = Column("rate", "CONN/S", 6, _RATE, _RATE, right=True, sort=Sort.RATE)
SPARK = Column("spark", "LAST MINUTE", 12, cells.spark_cell, cells.spark_cell, grow=12)
_ACTIVE, _INACTIVE = cells.count_cell("active"), cells.count_cell("inactive")
ACTIVE = Column("active", "ACTIVE", 7, _ACTIVE, _ACTIVE, right=True, sort=Sort.ACTIVE)
INACTIVE = Column("inactive", "INACTIVE", 8, _INACTIVE, _INACTIVE, right=True)
_BYTES_IN, _BYTES_OUT = traffic_cell("bytes_in", bits), traffic_cell("bytes_out", bits)
IN = Column("in", "IN", 8, _BYTES_IN, _BYTES_IN, right=True, sort=Sort.TRAFFIC)
OUT = Column("out", "OUT", 8, _BYTES_OUT, _BYTES_OUT, right=True)
_PACKETS_IN = traffic_cell("packets_in", per_second)
_PACKETS_OUT = traffic_cell("packets_out", per_second)
PACKETS_IN = Column("packets_in", "PKT/S IN", 8, _PACKETS_IN, _PACKETS_IN, right=True)
PACKETS_OUT = Column("packets_out", "OUT", 6, _PACKETS_OUT, _PACKETS_OUT, right=True)
NOTE = Column("note", "SHARE OF CONN / WEIGHT", 22, cells.service_note, cells.server_note, grow=26)
TOTAL = Column("total", "CONN SINCE START", 16, cells.total_cell, cells.total_cell, right=True)
LIMITS = Column("limits", "THRESHOLDS", 12, cells.no_cell, cells.limits_cell)
PERSISTENT = Column("persistent", "PERSIST", 9, cells.no_cell, cells.persistent_cell, right=True)
CHECKS = Column("checks", "CHECKS", 18, cells.no_cell, cells.checks_cell, grow=20)
CHECKED = Column("checked", "LAST", 10, cells.no_cell, cells.checked_cell)
SAID = Column("said", "THE CHECK SAID", 24, cells.service_said, cells.said_cell, grow=90)
PLACE = Column("place", "CONFIGURED AT", 20, cells.place_cell, cells.place_cell, grow=8)


_NARROWER = {"weights": NARROW_WEIGHTS, "state": replace(STATE, width=12)}


@dataclass(frozen=True, slots=True)
class ColumnSet:
    """Columns that belong together, in display order, with the order in which they give way."""

    name: str
    columns: tuple[Column, ...]
    keep: tuple[str, ...]
    """Ids after name and state, most important first."""


COLUMN_SETS = (
    ColumnSet(
        "load",
        (NAME, STATE, WEIGHTS, RATE, SPARK, ACTIVE, INACTIVE, IN, NOTE),
        ("weights", "active", "rate", "inactive", "note", "spark", "in"),
    ),
    ColumnSet(
        "health",
        (NAME, STATE, replace(CHECKS, grow=0), CHECKED, SAID),
        ("checked", "said", "checks"),
    ),
    ColumnSet(
        "traffic",
        (NAME, STATE, RATE, SPARK, PACKETS_IN, PACKETS_OUT, IN, OUT, TOTAL, NOTE),
        ("rate", "in", "out", "packets_in", "packets_out", "spark", "total", "note"),
    ),
    ColumnSet(
        "settings",
        (NAME, STATE, WEIGHTS, CHECKS, LIMITS, PERSISTENT, PLACE, NOTE),
        ("weights", "place", "checks", "limits", "persistent", "note"),
    ),
)
"""What `c` cycles through."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one width, each with its place."""

    width: int
    columns: tuple[Column, ...]
    starts: tuple[int, ...]
    widths: tuple[int, ...]
    glyphs: Glyphs = UNICODE
    gap: int = GAP

    @property
    def noted(self) -> bool:
        """There is a notes column, so reasons need not be put over the numbers."""
        return self.columns[-1].id == "note"

    @classmethod
    def choose(cls, width: int, wanted: int, chosen: ColumnSet, glyphs: Glyphs) -> Layout:
        """For a table `width` cells wide whose longest name needs `wanted` cells."""
        narrow = width < NARROW
        gap = 1 if narrow else GAP
        room = width - GUTTER - (0 if narrow else 1)
        offered = [
            _NARROWER.get(column.id, column) if narrow else column for column in chosen.columns
        ]
        by_id = {column.id: column for column in offered}
        name = min(max(wanted, NAME.width - 3), max(NAME.width, room // 2))
        used = name + gap + by_id["state"].width
        taken = {"name", "state"}
        for id_ in chosen.keep:
            needs = by_id[id_].width + gap
            if used + needs <= room:
                taken.add(id_)
                used += needs
        columns = tuple(column for column in offered if column.id in taken)
        spare = room - used
        widths = [name if column is NAME else column.width for column in columns]
        # Room left over goes to the name as far as it needs it, then evenly to what can grow.
        more = min(spare, max(wanted - name, 0))
        widths[0] += more
        spare -= more
        growing = [i for i, column in enumerate(columns) if column.grow]
        while spare > 0 and growing:
            for i in list(growing):
                if widths[i] - columns[i].width >= columns[i].grow:
                    growing.remove(i)
                elif spare > 0:
                    widths[i] += 1
                    spare -= 1
        widths[0] += min(spare, 12)
        starts, at = [], GUTTER
        for each in widths:
            starts.append(at)
            at += each + gap
        return cls(width, columns, tuple(starts), tuple(widths), glyphs, gap)
