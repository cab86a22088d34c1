"""`lvstui config …`: keepalived's configuration from the shell.

Exit status, fit for a pipeline: 0 clean, or the same; 1 findings, or a difference; 2 lvstui could
not look, or was asked for something that it does not understand.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lvstui.model.text import plain
from lvstui.process.printing import as_json
from lvstui.process.readonly import Harmless
from lvstui.shell.arguments import JSON_OF_CONFIG, SCHEMA_HELP, flag, option, print_meanings
from lvstui.shell.ask import fail
from lvstui.shell.config.change import add_changes
from lvstui.shell.config.first import add_first

if TYPE_CHECKING:
    from lvstui.keepalived.lint.context import Peer
    from lvstui.keepalived.text.tree import Tree
    from lvstui.shell.config.report import ConfigSide

SAME, DIFFERENT = 0, 1
RUNNING = "running"


class CannotLook(Exception):
    """`str()` is one line: what cannot be seen, and why."""


def add_config(commands: Any) -> None:
    parser = commands.add_parser(
        "config",
        help="keepalived.conf: show, compare, check, change, roll back",
        description="keepalived's configuration, as this host would load it, and changes of it: "
        "previewed, tested by keepalived, applied under a timer, read back, recorded.",
    )
    flag(parser, "--schema", help=SCHEMA_HELP)
    words = parser.add_subparsers(title="what to do", metavar="WHAT")
    parser.set_defaults(run=Harmless(lambda args: _schema(args, tuple(words.choices))))
    for add in (_add_cat, _add_show, _add_diff, _add_check):
        add(words)
    add_changes(words)
    add_first(words)


def _look_command(
    words: Any, name: str, run: Callable[[argparse.Namespace], int], help: str, description: str
) -> argparse.ArgumentParser:
    """One that looks at files, with the options that tell which."""
    parser: argparse.ArgumentParser = words.add_parser(name, help=help, description=description)
    file = "main configuration file (default: that of the running daemon, else the usual one)"
    option(parser, "--file", "--config", metavar="PATH", help=file)
    id_ = "what `@id` lines are compared with (default: the daemon's -i, else this host's name)"
    option(parser, "--id", metavar="CONFIG_ID", help=id_)
    parser.set_defaults(run=Harmless(_guarded(run)))
    return parser


def _add_cat(words: Any) -> None:
    parser = _look_command(
        words,
        "cat",
        _cat,
        "print the files as they are read",
        "The bytes of the main file, as they went through the tree. On a terminal "
        "secrets are masked and control characters are shown; a pipe gets every byte.",
    )
    flag(parser, "--mask", help="mask secrets in a pipe, too")
    flag(parser, "--all", help="every included file, one by one")


def _add_show(words: Any) -> None:
    parser = _look_command(
        words,
        "show",
        _show,
        "every effective value, with the file, line and column that it comes from",
        "Defaults and inheritance applied as the installed version does.",
    )
    flag(parser, "--json", help=JSON_OF_CONFIG)
    flag(parser, "--schema", help=SCHEMA_HELP)
    option(parser, "--service", metavar="S", help="only 'tcp ADDR:PORT', …")
    option(parser, "--instance", metavar="NAME", help="only this vrrp_instance")
    version = "whose defaults apply (default: the installed one's)"
    option(parser, "--keepalived", metavar="VERSION", help=version)


def _add_diff(words: Any) -> None:
    parser = _look_command(
        words,
        "diff",
        _diff,
        "what a change means, and the lines that differ",
        "Without a path: what keepalived runs against the file. With one: the file "
        "against that one. With two: the first against the second. `running` names what runs.",
    )
    parser.add_argument("before", metavar="A", nargs="?", default="")
    parser.add_argument("after", metavar="B", nargs="?", default="")
    flag(parser, "--json", help=JSON_OF_CONFIG)


def _add_check(words: Any) -> None:
    parser = _look_command(
        words,
        "check",
        _check,
        "what is wrong with the configuration, and how to mend it",
        "Rules of our own and keepalived's own test (-t), against this host. Notes "
        "alone give exit status 0.",
    )
    peer = "the other director's main file, read here: what both must have alike"
    option(parser, "--peer-file", metavar="PATH", help=peer)
    name = "the other director's name, for its `@id` lines (default: peer)"
    parser.add_argument("--peer-id", metavar="CONFIG_ID", default="peer", help=name)
    flag(parser, "--json", help=JSON_OF_CONFIG)


def _guarded(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """`run`, with one line instead of a traceback when it cannot look."""

    def guarded(args: argparse.Namespace) -> int:
        try:
            return run(args)
        except (CannotLook, ValueError) as error:
            return fail(plain(str(error)))

    return guarded


def _schema(args: argparse.Namespace, words: Sequence[str] = ()) -> int:
    from lvstui.shell.config.report import MEANINGS

    if not args.schema:
        return fail(f"config what? ({', '.join(words)}; --help says more)")
    print_meanings(MEANINGS)
    return SAME


# Where the configuration is


def _pid() -> int:
    from lvstui.sources.daemon import find_pid

    return find_pid()


def main_file(args: argparse.Namespace, pid: int) -> str:
    """The main file: as asked for, else the daemon's, else the usual one."""
    from lvstui.sources.processes import DEFAULT_CONFIG, config_file

    asked = args.file or getattr(args, "config", "")
    return asked or (config_file(pid) if pid else "") or DEFAULT_CONFIG


def config_id_of(args: argparse.Namespace, pid: int) -> str | None:
    """The configuration id: as asked for, else the daemon's; None: this host's name."""
    from lvstui.sources.processes import config_id

    return args.id or (config_id(pid) if pid else None)


def read_tree(path: str, config_id: str | None) -> Tree:
    """The tree of a main file. Raises CannotLook."""
    from lvstui.keepalived.meaning.view import load_tree

    try:
        return load_tree(path, config_id=config_id)
    except OSError as error:
        # keepalived says nothing of a file that it skips, so this must.
        raise CannotLook(f"{path}: {error.strerror or error}") from None


def running_tree(pid: int, config_id: str | None) -> Tree:
    """The tree of what the daemon has loaded. Raises CannotLook."""
    from lvstui.keepalived.meaning.view import default_config_id, tree_of_copy
    from lvstui.sources.processes import read_loaded

    if not pid:
        raise CannotLook("keepalived does not run here: nothing is loaded")
    data = read_loaded(pid)
    if data is None:
        raise CannotLook("what keepalived has loaded can be read by root only, from 2.2.0 on")
    return tree_of_copy(data, config_id=config_id or default_config_id())


# cat


def _cat(args: argparse.Namespace) -> int:
    from lvstui.keepalived.text.mask import mask, secrets_of
    from lvstui.keepalived.text.tree import write

    pid = _pid()
    tree = read_tree(main_file(args, pid), config_id_of(args, pid))
    terminal = sys.stdout.isatty()
    known = secrets_of(tree)
    for file in tree.files if args.all else tree.files[:1]:
        data = write(tree, file.path)
        if args.mask or terminal:
            data = mask(data, known)
        if terminal:
            text = data.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
            print(text.removesuffix("\n"))
        else:
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
    return SAME


# show


def _show(args: argparse.Namespace) -> int:
    from lvstui.keepalived.meaning.effective import Effective
    from lvstui.keepalived.meaning.view import view
    from lvstui.shell.config.report import head, section_document, section_lines
    from lvstui.sources.daemon import binary_of

    if args.schema:
        return _schema(args)
    pid = _pid()
    tree = read_tree(main_file(args, pid), config_id_of(args, pid))
    version = args.keepalived or binary_of(pid).version
    effective = Effective(tree, version) if version else Effective(tree)
    sections = _wanted(effective, args)
    if not args.json:
        for section in sections:
            print("\n".join(section_lines(section)), end="\n\n")
        return SAME
    # A section at a time: a big configuration is never whole in memory as text.
    document = head(effective, view(tree).problems)
    print(as_json(document)[:-1] + ', "sections": [', end="")
    comma = "\n"
    for section in sections:
        print(comma + as_json(section_document(section)), end="")
        comma = ",\n"
    print("\n]}")
    return SAME


def _wanted(effective: Any, args: argparse.Namespace) -> Iterator[Any]:
    from lvstui.model.keys import ServiceKey

    if args.service:
        key = ServiceKey.parse(args.service)
        found = effective.service(key)
        if found is None:
            raise CannotLook(f"there is no service {key} in {effective.tree.files[0].path}")
        number = 1
        while found is not None:
            yield found
            number += 1
            found = effective.service(key, number)
    elif args.instance:
        found = effective.instance(args.instance)
        if found is None:
            raise CannotLook(f"there is no such instance in {effective.tree.files[0].path}")
        yield found
    else:
        yield from effective.sections()


# diff


def _side(what: str, args: argparse.Namespace, pid: int) -> ConfigSide:
    from lvstui.keepalived.meaning.view import view
    from lvstui.shell.config.report import ConfigSide

    config_id = config_id_of(args, pid)
    if what == RUNNING:
        tree = running_tree(pid, config_id)
    else:
        what = what or main_file(args, pid)
        tree = read_tree(what, config_id)
    return ConfigSide(plain(what, 4096), tree, view(tree))


def _diff(args: argparse.Namespace) -> int:
    from lvstui.keepalived.diff import difference
    from lvstui.keepalived.text.mask import text_diff
    from lvstui.shell.config.report import SCHEMA, difference_document, difference_lines

    pid = _pid()
    if args.before and args.after:
        names = (args.before, args.after)
    elif args.before == RUNNING or not args.before:
        names = (RUNNING, "")
    else:
        names = ("", args.before)
    before, after = (_side(name, args, pid) for name in names)
    found = difference(before.configuration, after.configuration, before.tree, after.tree)
    text = text_diff(before.tree, after.tree)
    same = not found
    if args.json:
        document = {
            "schema": SCHEMA,
            "before": before.title,
            "after": after.title,
            "same": same,
            "differences": [difference_document(one) for one in found],
            "text_diff": text,
        }
        print(as_json(document, indent=1))
        return SAME if same else DIFFERENT
    if same:
        print(f"{before.title} and {after.title} mean the same to keepalived")
    for line in difference_lines(found):
        print(line)
    if text:
        print()
        print(text, end="")
    return SAME if same else DIFFERENT


# check


def _check(args: argparse.Namespace) -> int:
    from lvstui.model.finding import FindingSeverity
    from lvstui.shell.config.check import judge
    from lvstui.shell.config.report import SCHEMA, finding_document, finding_lines

    pid = _pid()
    path = main_file(args, pid)
    try:
        found, limits = judge(path, config_id_of(args, pid), _peer(args))
    except OSError as error:
        raise CannotLook(f"{path}: {error.strerror or error}") from None
    if args.json:
        document = {
            "schema": SCHEMA,
            "file": plain(path, 4096),
            "findings": [finding_document(one) for one in found],
            "limits": list(limits),
        }
        print(as_json(document, indent=1))
    else:
        for line in finding_lines(found):
            print(line)
        for limit in limits:
            print(f"lvstui: {limit}", file=sys.stderr)
        if not found:
            print(f"{plain(path, 4096)}: nothing is wrong")
    bad = any(one.severity is not FindingSeverity.NOTE for one in found)
    return DIFFERENT if bad else SAME


def _peer(args: argparse.Namespace) -> Peer | None:
    from lvstui.keepalived.lint.context import Peer
    from lvstui.keepalived.meaning.view import view

    if not args.peer_file:
        return None
    tree = read_tree(args.peer_file, args.peer_id)
    return Peer(plain(args.peer_id), tree, view(tree))
