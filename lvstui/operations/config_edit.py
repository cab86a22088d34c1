"""From what the operator wants to the files of each director that say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lvstui.keepalived.daemon.facts import ConfigSeen, DirectorSeen
from lvstui.keepalived.daemon.look import FileCache
from lvstui.keepalived.edit.carry import carry
from lvstui.keepalived.edit.change import Intent, RefusedEdit
from lvstui.keepalived.edit.draft import Draft
from lvstui.keepalived.text.files import Files
from lvstui.operations.config_plan import FileChange
from lvstui.remote.runner import RemoteError


@dataclass(frozen=True, slots=True)
class Edited:
    """What the files of the directors become."""

    title: str
    files: Mapping[str, tuple[FileChange, ...]]
    """By director; for `Configurations.plan`."""
    cautions: tuple[str, ...] = ()


class CannotEdit(Exception):
    """`str()` is one line: which director, and why its files cannot be edited."""


def files_of(config: ConfigSeen) -> Files:
    """A reader of the files as they were seen; nothing else exists for it."""
    cache = FileCache(files={file.path: file for file in config.files})
    return Files(cache.read, cache.expand)


def draft_of(seen: DirectorSeen) -> Draft:
    """A draft of a director's configuration. Raises CannotEdit."""
    daemon, config = seen.daemon, seen.config
    if config.tree is None:
        raise CannotEdit(f"{daemon.host}: {config.why or 'its configuration can not be read'}")
    return Draft(daemon.main, files_of(config), daemon.config_id)


def edit(looks: Mapping[str, DirectorSeen | RemoteError], intents: Sequence[Intent]) -> Edited:
    """The same on every director, each in its own files. Raises CannotEdit and RefusedEdit."""
    files: dict[str, tuple[FileChange, ...]] = {}
    title = ""
    cautions: list[str] = []
    for name, seen in looks.items():
        if isinstance(seen, RemoteError):
            raise CannotEdit(f"{name}: {seen}")
        draft = draft_of(seen)
        for intent in intents:
            try:
                change = intent.on(draft.tree)
                draft.apply(change)
            except RefusedEdit as error:
                if len(looks) == 1:
                    raise
                raise RefusedEdit(error.place, f"on {name}: {error.why}", error.todo) from None
            cautions += change.cautions
        title = title or "; ".join(draft.titles)
        files[name] = changes_of(draft)
    return Edited(title, files, tuple(dict.fromkeys(cautions)))


def changes_of(draft: Draft) -> tuple[FileChange, ...]:
    """The files of a draft that are different now."""
    return tuple(FileChange(path, old, new) for path, (old, new) in draft.files.items())


def replace_main(
    looks: Mapping[str, DirectorSeen | RemoteError], first: str, data: bytes
) -> Edited:
    """`data` becomes the main file of the director `first`; what changes by it is carried over
    to the others, line by line, where it belongs to no director alone.

    Raises CannotEdit and RefusedEdit.
    """
    files: dict[str, tuple[FileChange, ...]] = {}
    before = b""
    for name in sorted(looks, key=lambda name: name != first):
        seen = looks[name]
        if isinstance(seen, RemoteError):
            raise CannotEdit(f"{name}: {seen}")
        main = seen.config.file(seen.daemon.main)
        old = main.data if main is not None and main.exists else None
        if name == first:
            before, new = old or b"", data
        elif old is None:
            raise CannotEdit(f"{name}: it has no {seen.daemon.main} that a change could go into")
        else:
            try:
                new = carry(before, data, old)
            except RefusedEdit as error:
                raise RefusedEdit(error.place, f"on {name}: {error.why}", error.todo) from None
        files[name] = (FileChange(seen.daemon.main, old, new),)
    return Edited("the whole file", files)


def with_others(
    here: str,
    own: Sequence[FileChange],
    intents: Sequence[Intent] | None,
    looks: Mapping[str, DirectorSeen | RemoteError],
) -> Edited:
    """`own` for the director `here`, and what the same wish makes of the files of the others.

    `intents` None: text was changed by hand, and is carried over line by line. A director that
    cannot take it is left as it is, and a caution says why: whether that may be is for the plan
    to judge.
    """
    files = {here: tuple(own)}
    cautions = []
    for name, seen in looks.items():
        if name == here:
            continue
        try:
            if isinstance(seen, RemoteError):
                raise CannotEdit(f"{name}: {seen}")
            draft = draft_of(seen)
            if intents is not None:
                for intent in intents:
                    draft.apply(intent.on(draft.tree))
            else:
                _carry_all(own, draft)
        except CannotEdit as error:
            cautions.append(f"left as it is: {error}")
        except RefusedEdit as error:
            cautions.append(f"{name} is left as it is: {error}")
        else:
            if draft.changed:
                files[name] = changes_of(draft)
    return Edited("", files, tuple(cautions))


def _carry_all(own: Sequence[FileChange], draft: Draft) -> None:
    for one in own:
        try:
            theirs = draft.data(one.path)
        except KeyError:
            raise RefusedEdit(None, f"it has no {one.path}") from None
        draft.replace(one.path, carry(one.before or b"", one.after or b"", theirs), "carried over")
