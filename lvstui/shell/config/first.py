"""`lvstui config first`: the files of a first pair of directors, from the shell."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lvstui.operations.questions import QUESTIONS
from lvstui.process import newfile
from lvstui.process.readonly import Harmless, forbid
from lvstui.shell.ask import DONE, NOT_DONE, USAGE, fail
from lvstui.shell.change import json_option, print_json

if TYPE_CHECKING:
    from lvstui.keepalived.first import First


def add_first(words: Any) -> None:
    """Add the command below `lvstui config`."""
    text = "make the keepalived.conf of a first pair of directors (Direct Routing)"
    sub = words.add_parser(
        "first",
        help=text,
        description=f"{text[0].upper()}{text[1:]}. What is not given is guessed from this host's "
        "routes, the adverts on the wire and ARP, and said to be a guess. Writes nothing without "
        "--output; `lvstui config apply FILE` then puts a file in force.",
    )
    for question in QUESTIONS:
        again = question.field == "servers"
        sub.add_argument(
            "--server" if again else f"--{question.field}",
            dest=question.field,
            action="append" if again else "store",
            default=[] if again else question.default,
            metavar=question.metavar,
            choices=question.choices,
            help=question.shell or None,
        )
    sub.add_argument(
        "--sync",
        action="store_true",
        help="running connections survive a failover (lvs_sync_daemon)",
    )
    sub.add_argument(
        "--output",
        default="",
        metavar="FOLDER",
        help="write the files of both and the sysctl file there",
    )
    json_option(sub)
    sub.set_defaults(run=Harmless(_run, lambda args: "--output writes files" * bool(args.output)))


def _run(args: argparse.Namespace) -> int:
    from lvstui.keepalived.first import SYSCTL_FILE, render, sysctl_file, wrong
    from lvstui.keepalived.meaning.view import default_config_id
    from lvstui.operations.first import completed, guess

    answers = {q.field: getattr(args, q.field) for q in QUESTIONS}
    answers["servers"] = " ".join(args.servers)
    # Of a VIP that was given nobody wants to know which other one seems to be free.
    found = guess(default_config_id(), suggest_vip=not args.vip)
    try:
        first, guessed = completed(answers, found, args.sync)
    except ValueError as error:
        return fail(str(error))
    problems = wrong(first, found.heard_vrids)
    notes = [*found.notes, *(f"guessed: {text}" for text in guessed)]
    if problems:
        if args.json:
            print_json(ok=False, notes=notes, wrong=[asdict(problem) for problem in problems])
        for problem in problems:
            print(f"lvstui: {problem.field}: {problem.why}", file=sys.stderr)
        return USAGE
    files = {
        f"{director.name}.keepalived.conf": render(first, index)
        for index, director in enumerate(first.directors)
    }
    files[os.path.basename(SYSCTL_FILE)] = sysctl_file()
    if args.output:
        try:
            _write(Path(args.output), files)
        except OSError as error:
            there = isinstance(error, FileExistsError)
            where = os.path.join(args.output, str(error.filename)) if there else args.output
            return fail(f"{where}: {error.strerror}", NOT_DONE)
    _tell(args, first, files, notes)
    return DONE


def _write(folder: Path, files: dict[str, bytes]) -> None:
    """Into the folder, which is made when only its last part is not there. Raises OSError; a file
    that exists is not overwritten, and then nothing is written."""
    forbid()
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, 0o700)
    there = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    made: list[str] = []
    try:
        for name, data in files.items():
            with open(newfile.create(name, there), "wb") as file:
                made.append(name)
                file.write(data)
    except OSError:
        for name in made:
            os.unlink(name, dir_fd=there)
        raise
    finally:
        os.close(there)


def _tell(
    args: argparse.Namespace, first: First, files: dict[str, bytes], notes: list[str]
) -> None:
    from lvstui.keepalived.first import NONLOCAL_BIND, SYSCTL_FILE

    folder = Path(args.output)
    ours, theirs = (folder / f"{director.name}.keepalived.conf" for director in first.directors)
    here, there = (director.name for director in first.directors)
    sysctl = folder / os.path.basename(SYSCTL_FILE)
    next_steps = [
        f"on both: put {sysctl} into {os.path.dirname(SYSCTL_FILE)} and run "
        f"sysctl -w {NONLOCAL_BIND}=1",
        f"on {here}: lvstui config apply {ours}",
        f"on {there}: lvstui config apply {theirs}",
        "start keepalived on both: systemctl enable --now keepalived",
        "then give the real servers the VIP and ARP silence: lvstui realserver push --all",
    ]
    if args.json:
        texts = {name: data.decode() for name, data in files.items()}
        print_json(ok=True, files=texts, notes=notes, next=next_steps)
        return
    for note in notes:
        print(f"# {note}", file=sys.stderr)
    if not args.output:
        for name, data in files.items():
            print(f"# ---- {name}")
            print(data.decode())
    for number, step in enumerate(next_steps, 1):
        print(f"# {number}. {step}", file=sys.stderr)
