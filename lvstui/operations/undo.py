"""One undo over everything that lvstui does: kernel weights, keepalived.conf, real servers.

The newest operation of the operator is the one that is undone, whatever kind it was; an undo is an
operation like all others, so that the next undo makes again what it undid. Older ones are reached
by their number in the list, never by themselves. Pure: records go in, an offer comes out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from lvstui.model.changes import Ended
from lvstui.model.say import duration, plural
from lvstui.model.text import plain
from lvstui.model.waiting import ChangeStands
from lvstui.sources.audit import AuditEntry

OLDER = "Older ones: lvstui undo --list."
OLD_S = 300.0
"""An undo of what is older than this says so as a warning."""
_VIPS = re.compile(r"(?:push|undo) ([0-9A-Fa-f.:, ]+) \(")
_HOST_OPERATIONS = ("push", "undo")
CONFIGURATION = "configuration"
"""Operation in the audit log of a change of keepalived.conf; its id is that of the history."""


_UNDO, _AGAIN = "undo: ", "again: "


class Kind(str, Enum):
    """What an operation changed; each kind has a way back of its own."""

    WEIGHTS = "weights"
    FILE = "file"
    HOSTS = "hosts"
    OTHER = "other"
    """Without a way back of lvstui."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that lvstui did."""

    id: str
    kind: Kind
    at: float
    """Epoch seconds."""
    who: str
    title: str
    own: bool
    """This operator did it."""
    steps: tuple[AuditEntry, ...] = ()
    """What the audit log says of its steps that worked."""
    undoes: str = ""
    """Id of the operation that it undid."""
    ended: Ended | None = None
    """How a change of the file stands; None: only the audit log knows it."""
    end: str = ""
    """The same in words."""

    @property
    def in_force(self) -> bool:
        """Something of it is left: it can be undone, or what an operator undid made again."""
        if self.kind is Kind.FILE:
            return self.ended not in (Ended.ROLLED_BACK, Ended.REFUSED)
        return bool(self.steps)

    @property
    def is_undo(self) -> bool:
        """Undoing it makes something again."""
        undid = self.kind is Kind.HOSTS and any(step.operation == "undo" for step in self.steps)
        return bool(self.undoes) or self.ended is Ended.UNDONE or undid

    @property
    def hosts(self) -> tuple[str, ...]:
        """Addresses of the hosts (HOSTS)."""
        return tuple(dict.fromkeys(step.server for step in self.steps))

    @property
    def vips(self) -> tuple[str, ...]:
        """The VIPs that a push or an undo on hosts was about; none: not recorded."""
        found: dict[str, None] = {}
        for step in self.steps:
            match = _VIPS.match(step.text)
            found.update(dict.fromkeys(match.group(1).split(", ") if match else ()))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Offer:
    """What an undo would take back, and what has to be known of it."""

    operation: Operation
    cautions: tuple[str, ...] = ()
    refusal: str = ""
    """Why it cannot be undone, and what to do instead; empty: it can."""


def operations(
    entries: Iterable[AuditEntry],
    changes: Sequence[ChangeStands],
    who: str,
    own: Callable[[AuditEntry], bool],
) -> tuple[Operation, ...]:
    """Everything that is on record, newest first.

    entries: of the audit log, oldest first. changes: of keepalived.conf, as the host remembers
    them. who, own: the operator, and whether an entry is his.
    """
    planned: dict[tuple[str, str, str], AuditEntry] = {}
    done: dict[str, list[AuditEntry]] = {}
    for entry in entries:
        if entry.phase == "planned":
            planned[entry.id, entry.service, entry.server] = entry
        else:
            done.setdefault(entry.id, []).append(entry)
    titles: dict[str, str] = {}
    found = [
        Operation(
            change.id,
            Kind.FILE,
            change.at,
            change.who,
            change.title,
            own=change.who == who,
            undoes=change.undoes,
            ended=change.ended,
            end=change.end,
        )
        for change in changes
    ]
    known = {change.id for change in changes}
    for id_, steps in done.items():
        if id_ not in known:
            said = [planned.get((id_, step.service, step.server), step) for step in steps]
            found.append(_of_steps(id_, steps, said, titles, own(steps[0])))
            titles[id_] = found[-1].title
    return tuple(sorted(found, key=lambda one: one.at, reverse=True))


def _of_steps(
    id_: str,
    steps: Sequence[AuditEntry],
    said: Sequence[AuditEntry],
    titles: dict[str, str],
    own: bool,
) -> Operation:
    """said: what was planned, beside what was done."""
    first = steps[0]
    good = tuple(
        plan if plan.text else step for step, plan in zip(steps, said, strict=True) if step.ok
    )
    if first.service:
        kind = Kind.WEIGHTS
        title = f"{first.operation} {first.name or first.server} in {first.service}"
        if len(steps) > 1:
            title += f" and {len(steps) - 1} more"
        if first.undoes:
            title = f"undo of “{titles.get(first.undoes, 'an earlier operation')}”"
    elif first.operation == CONFIGURATION:
        # On the other director alone: this host remembers nothing of it.
        kind, title = Kind.FILE, said[0].text.rpartition(" (")[0] or said[0].text
    elif first.operation in _HOST_OPERATIONS:
        kind = Kind.HOSTS
        names = ", ".join(dict.fromkeys(step.name or step.server for step in steps))
        title = f"{first.operation} on {names}"
    else:
        kind, title = Kind.OTHER, f"{first.operation}: {said[0].text}"
    ended, end = None, ""
    if kind is Kind.FILE:
        # `undone: …`, as its last record says; one that waited then may have been decided since.
        end = steps[-1].text or steps[-1].error
        word = end.partition(":")[0]
        ended = next((one for one in Ended if one.value == word and one is not Ended.WAITING), None)
    return Operation(
        id_, kind, first.at, first.by, plain(title), own, good, first.undoes, ended, plain(end)
    )


def offer(found: Sequence[Operation], now: float, number: int | None = None) -> Offer | None:
    """What an undo takes back: the newest of the operator's own operations that is in force, or,
    whoever made it, the one with that number in `found`, from 1. None when there is none."""
    if number is None:
        chosen = next((one for one in found if one.own and one.in_force), None)
    else:
        chosen = found[number - 1] if 1 <= number <= len(found) else None
    if chosen is None:
        return None
    return Offer(chosen, _cautions(found, chosen, now), _refusal(chosen))


def _cautions(found: Sequence[Operation], chosen: Operation, now: float) -> tuple[str, ...]:
    """How old it is, and what came after it."""
    since = found[: list(found).index(chosen)]
    age = duration(now - chosen.at)
    cautions = []
    if since:
        newest = since[0]
        end = f" ({newest.end})" if newest.end and not newest.in_force else ""
        cautions.append(
            f"“{chosen.title}” was {age} ago, and {plural(len(since), 'change')} since: the newest "
            f"is “{newest.title}” of {newest.who}, {duration(now - newest.at)} ago{end}"
        )
    elif now - chosen.at > OLD_S:
        cautions.append(f"“{chosen.title}” was {age} ago: what it was made for may have passed")
    if not chosen.own:
        cautions.append(f"{chosen.who} did it, not you")
    if chosen.kind is Kind.HOSTS and not chosen.is_undo:
        earlier = [
            one
            for one in found[len(since) + 1 :]
            if one.kind is Kind.HOSTS
            and one.in_force
            and not one.is_undo
            and set(one.hosts) & set(chosen.hosts)
        ]
        if earlier:
            cautions.append(
                f"there was a push before it ({duration(now - earlier[0].at)} ago): what lvstui "
                "manages there for these VIPs goes as a whole"
            )
    return tuple(cautions)


def _refusal(chosen: Operation) -> str:
    what = f"“{chosen.title}” of {chosen.who}"
    if chosen.kind is Kind.OTHER and chosen.steps and chosen.steps[0].operation == "announce":
        return f"{what} said what was so: there is nothing to undo. {OLDER}"
    if chosen.kind is Kind.OTHER:
        return f"{what} has no undo of lvstui: take it back by hand. {OLDER}"
    if chosen.ended is Ended.TROUBLE:
        return (
            f"{what} ended in trouble ({chosen.end}): compare first (lvstui config diff), then "
            f"lvstui config rollback, or H on screen 4. {OLDER}"
        )
    if not chosen.in_force:
        return f"nothing of {what} is in force: {chosen.end or 'it was not done'}. {OLDER}"
    if chosen.kind is Kind.HOSTS and not chosen.vips:
        return f"the VIPs of {what} are not on record: lvstui realserver undo HOST --vip ADDR"
    return ""


def listed(found: Sequence[Operation], now: float) -> list[str]:
    """A line each, numbered, newest first."""
    lines = []
    for number, one in enumerate(found, 1):
        stands = one.in_force and one.ended is not Ended.UNDONE
        end = "" if stands else f" ({one.end or 'not done'})"
        lines.append(f"{number:>3}  {duration(now - one.at):>10} ago  {one.who}: {one.title}{end}")
    return lines


def undo_title(title: str, *, again: bool = False) -> str:
    """What the undo of a change is called: undone and made again in turn, it does not grow."""
    bare = title
    for mark in (_UNDO, _AGAIN):
        bare = bare.removeprefix(mark)
    return (_AGAIN if again or title.startswith(_UNDO) else _UNDO) + bare
