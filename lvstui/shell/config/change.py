"""`lvstui config apply|set|unset|weight|disable|enable|add-server|remove-server|add-vip|remove-vip|
keep|back|history|rollback`: changes of keepalived.conf from the shell.

Every one of them is the same plan that the screens show: tested, judged, previewed, applied under
a timer, verified, recorded.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lvstui.model.changes import Ended
from lvstui.model.say import moment
from lvstui.model.text import plain
from lvstui.process import readonly
from lvstui.process.readonly import Harmless
from lvstui.remote.runner import Access, ErrorKind, RemoteError
from lvstui.shell.arguments import flag, login_options, timer_option
from lvstui.shell.ask import DONE, NOT_DONE, USAGE, Usage, agreed
from lvstui.shell.change import (
    SCHEMA,
    carry_out,
    change_options,
    json_option,
    not_done,
    print_json,
    show,
    status,
)
from lvstui.shell.config.words import COMMANDS
from lvstui.shell.realservers import TerminalAsker

if TYPE_CHECKING:
    from lvstui.keepalived.daemon.facts import DirectorSeen
    from lvstui.operations.change import Outcome, Stop, Tell
    from lvstui.operations.config_edit import Edited
    from lvstui.operations.config_history import HistoryEntry
    from lvstui.operations.config_plan import ConfigPlan
    from lvstui.operations.configuration import DirectorConfigs
    from lvstui.operations.undo import Offer
    from lvstui.remote.runner import Asker

Looks = Mapping[str, "DirectorSeen | RemoteError"]
_ONE_OF_TWO = (
    "only this director is changed: after a failover the file of the other one counts "
    "(--peer HOST changes both; --alone: there is no other)"
)


def add_changes(words: Any) -> None:
    for name, (help_, arguments) in COMMANDS.items():
        sub = words.add_parser(name, help=help_, description=_sentence(help_))
        arguments(sub)
        plan_options(sub)
        sub.set_defaults(run=_change, word=name)
    for name, help_ in (
        ("keep", "keep a change that waits for it"),
        ("back", "undo a change that waits, now"),
    ):
        # As it was called first; scripts have it.
        aliases = ["confirm"] if name == "keep" else []
        sub = words.add_parser(name, help=help_, description=_sentence(help_), aliases=aliases)
        id_ = "of `history`; not needed when one waits"
        sub.add_argument("id", metavar="ID", nargs="?", default="", help=id_)
        if name == "back":
            how = "when it can not go back: stop trying, the files stay as they are now"
            flag(sub, "--give-up", help=how)
        _common(sub)
        json_option(sub)
        sub.set_defaults(run=_settle, word=name)
    what = "the changes that were made: when, who, why"
    more = "Newest first; with a number, what it changed."
    sub = words.add_parser("history", help=what, description=more)
    sub.add_argument("number", metavar="N", nargs="?", default="", help="1 is the newest")
    _common(sub)
    json_option(sub)
    sub.set_defaults(run=Harmless(_history))


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _common(sub: argparse.ArgumentParser) -> None:
    # Without a default of its own, one that was given before `config` is kept.
    peer, unset = "the other director, by SSH: changed in the same go", argparse.SUPPRESS
    sub.add_argument("--peer", action="append", default=unset, metavar="[USER@]HOST", help=peer)
    login_options(sub)


def plan_options(sub: argparse.ArgumentParser) -> None:
    """What every change of keepalived.conf can be told."""
    _common(sub)
    change_options(sub)
    flag(sub, "--hold", help="do not keep it yet: `lvstui config keep` does")
    flag(sub, "--force", help="in spite of errors (never what ends the daemon)")
    flag(sub, "--unchecked", help="keep new servers even when their first check fails")
    flag(sub, "--alone", help="there is no other director")
    timer_option(sub, "rolled back by itself after that, unless kept (default 60)")


# Running it


def director_configs(
    here: str, args: argparse.Namespace, asker: Asker, stack: ExitStack
) -> DirectorConfigs:
    """The configurations of this director and of those that the command line names. `stack` ends
    the connections to them."""
    from lvstui.operations.configuration import DirectorConfigs
    from lvstui.operations.configuration_hosts import DirectorAccess
    from lvstui.remote.connect import Connector
    from lvstui.remote.local import LocalRunner

    directors = [DirectorAccess(here, lambda: LocalRunner(here), local=True)]
    if args.peer:
        connector = stack.enter_context(Connector(asker))
        jump, identity = getattr(args, "jump", ""), getattr(args, "identity", "")
        for peer in args.peer:
            user, _, host = peer.rpartition("@")
            access = Access(host, user=user, jump=jump, identity=identity)
            directors.append(DirectorAccess(host, partial(connector.open, access)))
    return DirectorConfigs(
        directors, read_only=readonly.active(), alone=getattr(args, "alone", False)
    )


def _engine(args: argparse.Namespace, stack: ExitStack) -> DirectorConfigs:
    from lvstui.keepalived.meaning.view import default_config_id

    return director_configs(default_config_id(), args, TerminalAsker(), stack)


def _change(args: argparse.Namespace) -> int:
    from lvstui.keepalived.edit.change import RefusedEdit
    from lvstui.operations.config_edit import CannotEdit

    if args.hold and not args.timer:
        return not_done(args, "--hold waits under a timer, and --timer 0 is none", USAGE)
    with ExitStack() as stack:
        engine = _engine(args, stack)
        try:
            plan = _planned(engine, args)
        except (Usage, CannotEdit, ValueError) as error:
            return not_done(args, str(error), USAGE)
        except OSError as error:
            return not_done(args, f"{plain(args.source)}: {error.strerror or error}", USAGE)
        except (RefusedEdit, RemoteError) as error:
            return not_done(args, str(error))
        return _carry_out(engine, plan, args)


def undo_change(args: argparse.Namespace, offer: Offer) -> int:
    """Undo a change of keepalived.conf, or make again what an operator undid before it was kept."""
    operation = offer.operation
    with ExitStack() as stack:
        engine = _engine(args, stack)
        if operation.ended is Ended.WAITING:
            return _undo_waiting(engine, offer, args)
        try:
            plan = engine.plan_rollback(
                operation.id,
                timer_s=args.timer,
                again=operation.ended is Ended.UNDONE,
                strict=not args.force,
            )
        except KeyError:
            return not_done(args, f"“{operation.title}” is not in the history (any more)")
        except ValueError as error:
            return not_done(args, str(error), USAGE)
        except RemoteError as error:
            return not_done(args, str(error))
        cautions = (*offer.cautions, *plan.cautions)
        return _carry_out(engine, replace(plan, cautions=cautions, reason=plain(args.reason)), args)


def _undo_waiting(engine: DirectorConfigs, offer: Offer, args: argparse.Namespace) -> int:
    what = f"“{offer.operation.title}” is not kept yet: the old files would be put back and loaded"
    if args.plan:
        return _said(args, what)
    if not args.yes and not agreed(what, "undo it?", schema=SCHEMA if args.json else ""):
        return NOT_DONE
    outcome = engine.take_back(offer.operation.id)
    show(args, outcome.plan, outcome)
    return status(outcome, outcome.ended is Ended.UNDONE)


def _planned(engine: DirectorConfigs, args: argparse.Namespace) -> ConfigPlan:
    from lvstui.operations.config_edit import CannotEdit, edit
    from lvstui.shell.config.wanted import WANTED

    if args.word == "rollback":
        entry = _numbered(_remembered(engine), args.number)
        plan = engine.plan_rollback(entry.id, timer_s=args.timer)
        return replace(plan, reason=plain(args.reason))
    looks = engine.look()
    here = looks[engine.directors[0].name]
    if isinstance(here, Exception):
        raise CannotEdit(str(here))
    if args.word == "apply":
        edited = _whole_file(looks, engine.directors[0].name, args.source)
    else:
        file = here.config.configuration
        if file is None:
            raise CannotEdit(here.config.why or "the configuration can not be read")
        edited = edit(looks, WANTED[args.word](args, file))
    plan = engine.plan(
        edited.title, edited.files, reason=plain(args.reason), timer_s=args.timer, looks=looks
    )
    cautions = (*edited.cautions, *plan.cautions)
    paired = here.config.configuration is not None and here.config.configuration.instances
    if paired and len(engine.directors) == 1 and not args.alone and not plan.empty:
        cautions = (*cautions, _ONE_OF_TWO)
    return replace(plan, cautions=cautions)


def _remembered(engine: DirectorConfigs) -> tuple[HistoryEntry, ...]:
    """The history. Raises RemoteError when this director cannot be asked: an empty list would
    be a lie. A peer that cannot be asked is told on standard error."""
    entries = engine.history()
    _heard(engine)
    return entries


def _heard(engine: DirectorConfigs) -> None:
    """Whether all could be asked; as for `_remembered`."""
    for name, error in engine.unheard.items():
        if name == engine.here:
            if error.trouble is ErrorKind.ROOT:
                what = "only root may read what was changed: sudo lvstui"
                raise RemoteError(ErrorKind.ROOT, what)
            raise error
        print(f"lvstui: {name} could not be asked: {error}", file=sys.stderr)


def _numbered(entries: Sequence[HistoryEntry], number: str) -> HistoryEntry:
    """Raises Usage."""
    if number.isascii() and number.isdigit() and 1 <= int(number) <= len(entries):
        return entries[int(number) - 1]
    has = {0: "is empty", 1: "has 1"}.get(len(entries), f"has 1 to {len(entries)}")
    raise Usage(f"there is no change {plain(number, 20)}: the history {has}")


def _whole_file(looks: Looks, first: str, source: str) -> Edited:
    from lvstui.operations.config_edit import replace_main

    data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    edited = replace_main(looks, first, data)
    name = "what came in by the pipe" if source == "-" else os.path.basename(source)
    return replace(edited, title=f"{plain(name)} as the main file")


def _carry_out(engine: DirectorConfigs, plan: ConfigPlan, args: argparse.Namespace) -> int:
    plan = replace(plan, unchecked=args.unchecked)

    def apply(tell: Tell, stop: Stop) -> Outcome:
        return engine.apply(plan, force=args.force, tell=tell, stop=stop)

    def settle(outcome: Outcome, keep: bool) -> Outcome:
        return engine.confirm(outcome.id) if keep else engine.take_back(outcome.id)

    return carry_out(args, plan, apply, None if args.hold else settle)


def _settle(args: argparse.Namespace) -> int:
    with ExitStack() as stack:
        engine = _engine(args, stack)
        try:
            waiting = engine.waiting()
            _heard(engine)
        except RemoteError as error:
            return not_done(args, str(error))
        give_up = getattr(args, "give_up", False)
        if give_up:
            # The newest may have come to its bad end already.
            waiting = waiting or tuple(e for e in engine.history()[:1] if e.unseen_trouble)
        chosen = [entry for entry in waiting if not args.id or entry.id == args.id]
        if not waiting:
            return not_done(
                args, "no change waits (it was kept, undone or rolled back: see `config history`)"
            )
        if len(chosen) != 1:
            known = ", ".join(f"{entry.id} ({entry.title})" for entry in waiting)
            return not_done(args, f"name the change that is meant; those that wait: {known}")
        id_ = chosen[0].id
        if give_up:
            wrong = engine.give_up(id_)
            if wrong:
                return not_done(args, f"not given up: {wrong}")
            return _said(args, f"given up: the files of “{chosen[0].title}” stay as they are now")
        outcome = engine.confirm(id_) if args.word == "keep" else engine.take_back(id_)
        wanted = Ended.KEPT if args.word == "keep" else Ended.UNDONE
        show(args, outcome.plan, outcome)
        return status(outcome, outcome.ended is wanted)


def _history(args: argparse.Namespace) -> int:
    with ExitStack() as stack:
        engine = _engine(args, stack)
        try:
            entries = _remembered(engine)
            if not args.number:
                if args.json:
                    print_json(history=[entry_json(n, one) for n, one in enumerate(entries, 1)])
                else:
                    print("\n".join(history_lines(entries)) or "nothing was changed by lvstui yet")
                return NOT_DONE if _troubled(entries) else DONE
            entry = _numbered(entries, args.number)
            diff = engine.diff(entry.id)
        except Usage as error:
            return not_done(args, str(error), USAGE)
        except RemoteError as error:
            return not_done(args, str(error))
        if args.json:
            print_json(history=[{**entry_json(int(args.number), entry), "diff": diff}])
            return DONE
        print("\n".join(history_lines([entry], int(args.number))))
        print(f"     {entry.text}")
        print(diff, end="")
        return DONE


def _troubled(entries: Sequence[HistoryEntry]) -> bool:
    """A change cannot be relied on to go back, or the newest could not."""
    return any(entry.plight for entry in entries) or (bool(entries) and entries[0].unseen_trouble)


def _said(args: argparse.Namespace, message: str) -> int:
    if args.json:
        print_json(ok=True, text=message)
    else:
        print(message)
    return DONE


# The history


def history_lines(entries: Sequence[HistoryEntry], first: int = 1) -> list[str]:
    """One line a change, and why below it."""
    lines = []
    for number, entry in enumerate(entries, first):
        head = f"{number:>3}  {moment(entry.at)}  {entry.who:<10} {entry.ended.value:<11} "
        lines.append(head + entry.title)
        if entry.ended is Ended.WAITING:
            lines.append(f"     {_waits(entry)}")
        else:
            lines.append(f"     {entry.end}" + (f" ({moment(entry.came)})" if entry.came else ""))
        if entry.reason:
            lines.append(f"     “{entry.reason}”")
    return lines


def _waits(entry: HistoryEntry) -> str:
    """What happens next to a change that is neither kept nor back."""
    if entry.plight:
        return entry.plight
    if entry.going_back:
        return "is on its way back"
    # Its timer was seen just now.
    return f"rolled back by itself in {max(entry.left_s, 0):.0f} s unless it is kept"


def entry_json(number: int, entry: HistoryEntry) -> dict[str, Any]:
    """A change as it is remembered."""
    return {
        "number": number,
        **asdict(entry),
        "ended": entry.ended.value,
        "end": entry.end,
        "text": entry.text,
        "plight": entry.plight,
    }
