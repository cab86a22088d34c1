"""What was changed, by whom and why: the host's own memory of it, both texts of each file.

Each director keeps its changes under `STATE`, one folder a change, under one id on both. The
folder's marks are the truth about where a change stands (see change.sh).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lvstui.keepalived.daemon.facts import STATE
from lvstui.keepalived.daemon.look import script, taken_apart
from lvstui.model.changes import Ended, end_in_words, settled
from lvstui.model.numbers import LAST_SECOND, decimal, signed
from lvstui.model.text import plain
from lvstui.model.waiting import plight
from lvstui.operations.config_plan import FileChange
from lvstui.remote import guarded
from lvstui.remote.runner import Runner

CURRENT = "current"
_ID = re.compile("[0-9][0-9A-Za-z-]{0,63}")
_MOST_LEFT = 10**9
"""Seconds: some thirty years."""


@dataclass(frozen=True, slots=True)
class HostState:
    """A change on one director."""

    host: str
    ended: Ended
    text: str = ""
    """What the host says came of it."""
    left_s: float = 0.0
    """Until the timer rolls it back (WAITING); negative: it should have."""
    came: float = 0.0
    """When it came to that, epoch seconds by the host's clock; 0: it has not, or nobody knows."""
    guarded: bool = False
    """The timer's process is there (WAITING)."""
    going_back: bool = False
    """It is on its way back, which may take more than one try (WAITING)."""
    trouble: str = ""
    """Why the last try to go back failed (WAITING)."""
    other_boot: bool = False
    """The host was started anew since (WAITING)."""
    seen: bool = False
    """An operator was told of it and left it as it is (TROUBLE)."""

    @property
    def plight(self) -> str:
        """Why its timer cannot be relied on; empty: it can, or there is none."""
        if self.ended is not Ended.WAITING:
            return ""
        return plight(self.guarded, self.left_s, self.going_back, self.trouble, self.other_boot)


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One change of the configuration; its fields are those of the JSON."""

    id: str
    at: float
    """Epoch seconds, by the clock of whoever made it."""
    who: str
    title: str
    reason: str = ""
    undoes: str = ""
    forced: bool = False
    timer_s: int = 0
    hosts: tuple[str, ...] = ()
    """As they were named when it was made."""
    files: tuple[str, ...] = ()
    standing: tuple[HostState, ...] = ()
    problem: str = ""
    """Why its record cannot be read; empty: it can. It may be kept or taken back all the same,
    not rolled back later."""

    @property
    def ended(self) -> Ended:
        """How it stands over all directors: the worst of them."""
        order = (Ended.TROUBLE, Ended.WAITING, Ended.ROLLED_BACK, Ended.UNDONE, Ended.KEPT)
        found = {standing.ended for standing in self.standing}
        return next((ended for ended in order if ended in found), Ended.REFUSED)

    @property
    def left_s(self) -> float:
        """Until the first timer rolls it back."""
        return min((s.left_s for s in self.standing if s.ended is Ended.WAITING), default=0.0)

    @property
    def came(self) -> float:
        """When it came to its end, epoch seconds; 0: it has not, or nobody knows."""
        return max((standing.came for standing in self.standing), default=0.0)

    @property
    def end(self) -> str:
        """How it ended, why, and after how long, in words."""
        ended = self.ended
        told = next((s.text for s in self.standing if s.ended is ended), "")
        return end_in_words(ended, told, self.at, self.came)

    @property
    def plight(self) -> str:
        """Why it may not go back without anybody, a word for each director; empty: it does."""
        return "; ".join(f"{s.host}: {s.plight}" for s in self.standing if s.plight)

    @property
    def going_back(self) -> bool:
        """A director is on its way back."""
        return any(s.going_back for s in self.standing)

    @property
    def unseen_trouble(self) -> bool:
        """A director could neither keep it nor go back, and nobody said that he knows."""
        return any(s.ended is Ended.TROUBLE and not s.seen for s in self.standing)

    @property
    def text(self) -> str:
        """What came of it, a word for each director."""
        return "; ".join(f"{s.host}: {s.text or s.plight or s.ended.value}" for s in self.standing)


def read_history(runner: Runner, only: str = "") -> tuple[HistoryEntry, ...]:
    """A host's changes, newest first; `only`: the one with that id, or the one under way
    (`CURRENT`). Raises RemoteError."""
    if only != CURRENT and only and not _ID.fullmatch(only):
        return ()
    text = f"S={STATE}\nONLY={only}\n"
    ran = runner.run(
        script("common.sh") + guarded.script() + text + script("history.sh"),
        root=True,
        timeout_s=30,
        what="read the history of configurations",
        private=True,
    )
    return parse_history(ran.text, runner.host)


def parse_history(text: str, host: str) -> tuple[HistoryEntry, ...]:
    """What `history.sh` printed. Raises RemoteError when it did not come whole."""
    lines, _ = taken_apart(text, host)
    facts: dict[str, dict[str, str]] = {}
    for line in lines:
        key, id_, rest = (*line.split(" ", 2), "", "")[:3]
        # An id becomes part of a path in what the host is told later.
        if _ID.fullmatch(id_):
            facts.setdefault(id_, {})[key] = rest
    found = []
    for id_, about in facts.items():
        left = signed(about.get("left", ""), _MOST_LEFT)
        came = decimal(about.get("came", ""))
        state, outcome = about.get("state", ""), plain(about.get("outcome", "").strip())
        standing = HostState(
            host,
            settled(state, outcome),
            outcome,
            came=came or 0.0,
            left_s=float(left or 0),
            guarded=about.get("guard") == "yes",
            going_back=state == "reverting",
            trouble=plain(about.get("trouble", "").strip()),
            other_boot=about.get("boot") == "other",
            seen=about.get("seen") == "yes",
        )
        entry = _entry(id_, about.get("meta", ""), standing)
        if entry.problem and "state" not in about:
            # Cut while it was laid out: nothing was changed by it.
            continue
        found.append(entry)
    return tuple(sorted(found, key=lambda entry: entry.id, reverse=True))


def _entry(id_: str, text: str, standing: HostState) -> HistoryEntry:
    """A change by its record; of a damaged one what the host's marks tell, and the `problem`."""
    try:
        meta = json.loads(text)
        at, seconds = meta.get("at", 0), meta.get("timer_s", 0)
        if not (isinstance(at, int | float) and 0 <= at <= LAST_SECOND):
            raise ValueError("its time is none")
        if not (isinstance(seconds, int) and 0 <= seconds <= _MOST_LEFT):
            raise ValueError("its timer is none")
        return HistoryEntry(
            id_,
            float(at),
            who=_text(meta.get("who", "")),
            title=_text(meta.get("title", "")),
            reason=_text(meta.get("reason", "")),
            undoes=_text(meta.get("undoes", "")),
            forced=bool(meta.get("forced")),
            timer_s=seconds,
            hosts=_texts(meta.get("hosts", [])),
            files=_texts(meta.get("files", [])),
            standing=(standing,),
        )
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        why = plain(f"its record can not be read ({error})", 200)
        return HistoryEntry(id_, _time_of(id_), "?", why, problem=why, standing=(standing,))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text is {type(value).__name__}")
    return plain(value)


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"a list is {type(value).__name__}")
    return tuple(map(_text, value))


def _time_of(id_: str) -> float:
    """When an id was made, by the clock of this host's zone."""
    try:
        return time.mktime(time.strptime(id_.partition("-")[0], "%Y%m%dT%H%M%S"))
    except (ValueError, OverflowError):
        return 0.0


def merged(histories: Sequence[Sequence[HistoryEntry]]) -> tuple[HistoryEntry, ...]:
    """One history out of those of several directors, newest first."""
    together: dict[str, HistoryEntry] = {}
    for history in histories:
        for entry in history:
            known = together.get(entry.id)
            if known is None:
                together[entry.id] = entry
                continue
            whole = entry if known.problem else known
            together[entry.id] = replace(
                whole,
                standing=(*known.standing, *entry.standing),
                files=tuple(dict.fromkeys((*known.files, *entry.files))),
                hosts=tuple(dict.fromkeys((*known.hosts, *entry.hosts))),
            )
    return tuple(sorted(together.values(), key=lambda entry: entry.id, reverse=True))


def read_kept(runner: Runner, id_: str, paths: Sequence[str]) -> tuple[FileChange, ...]:
    """Both texts of the files of one past change on a host. Raises RemoteError."""
    lines = [f"T={STATE}/{id_}"] + [
        f'[ ! -e "$T/{side}/{number}" ] || blob {side}.{number} < "$T/{side}/{number}"'
        for number in range(1, len(paths) + 1)
        for side in ("old", "new")
    ]
    text = script("common.sh") + "\n".join([*lines, "echo end"]) + "\n"
    ran = runner.run(
        text, root=True, timeout_s=30, what="read an earlier configuration", private=True
    )
    _, blobs = taken_apart(ran.text, runner.host)
    return tuple(
        FileChange(path, blobs.get(f"old.{number}"), blobs.get(f"new.{number}"))
        for number, path in enumerate(paths, 1)
    )
