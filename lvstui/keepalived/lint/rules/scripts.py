"""Programs that keepalived is to run: there, executable, safe, and with their arguments."""

from __future__ import annotations

from collections.abc import Iterator

from lvstui.keepalived.keywords import NOTIFIES
from lvstui.keepalived.lint.context import LintContext, error, note, warning
from lvstui.keepalived.lint.programs import DEFAULT_USER, user_lines
from lvstui.keepalived.lint.surroundings import Script
from lvstui.keepalived.text.tree import Statement
from lvstui.keepalived.text.values import shown
from lvstui.model.finding import Finding, FindingSeverity

_FIFOS = frozenset(
    b"notify_fifo vrrp_notify_fifo lvs_notify_fifo notify_fifo_script vrrp_notify_fifo_script "
    b"lvs_notify_fifo_script startup_script shutdown_script".split()
)
_MEANS = {
    b"script": "the script is not tracked",
    b"misc_path": "keepalived drops the check, and nobody watches the server",
}


def files(context: LintContext) -> Iterator[Finding]:
    """The program itself."""
    states = context.surroundings.scripts or {}
    secured = b"enable_script_security" in context.settings
    for program in context.programs:
        keyword = program.line.words[0].decode()
        means = _MEANS.get(program.line.words[0], "nothing is run")
        if not program.path.startswith("/"):
            if not program.path.startswith("$"):
                text = f"{keyword}: no absolute path: keepalived looks in its own PATH"
                yield note(
                    "script-path-relative", text, program.line.place, fix="write the whole path"
                )
            continue
        state = states.get(program.path, Script.GOOD)
        if state in (Script.MISSING, Script.NOT_EXECUTABLE):
            what = "does not exist" if state is Script.MISSING else "is not executable"
            # A check that is dropped keeps no server from serving ("Disabling misc script", 2.2.7).
            judge = warning if keyword == "misc_path" else error
            yield judge(
                "script-not-runnable",
                f"{keyword}: {program.path} {what}: {means}",
                program.line.place,
                evidence="keepalived -t says nothing about some of them",
                fix="put it there" if state is Script.MISSING else "chmod 755",
            )
        elif state is Script.UNSAFE and secured:
            yield error(
                "script-unsafe",
                f"{keyword}: others than root may change {program.path} or a folder above it: "
                f"with enable_script_security keepalived does not run it as root",
                program.line.place,
                fix="chown root, chmod go-w, for the file and its folders; or another script_user",
            )


def arguments(context: LintContext) -> Iterator[Finding]:
    """`notify_master /bin/x a b` runs /bin/x as user a."""
    users = context.surroundings.users
    for program in context.programs:
        if program.line.words[0] not in NOTIFIES or not program.rest:
            continue
        unknown = users is not None and program.rest[0] not in users
        if len(program.rest) > 2 or unknown:
            keyword = program.line.words[0].decode()
            yield error(
                "script-arguments-unquoted",
                f"{keyword}: what follows the program is taken for a user and a group: keepalived "
                "does not run it",
                program.line.place,
                evidence="no such user" if users is not None else "",
                fix=f'{keyword} "PROGRAM ARGUMENTS" in double quotes',
            )


def users(context: LintContext) -> Iterator[Finding]:
    """Whom scripts run as."""
    settings = context.settings
    given = settings.get(b"script_user")
    known = context.surroundings.users
    early = _before_user(context)
    # Seen with 2.2.7 and 2.4.3: a start works, every reload drops the fifos and all scripts.
    if early is not None and (known is None or DEFAULT_USER not in known):
        yield Finding(
            "fifo-before-script-user",
            FindingSeverity.ERROR if known is not None else FindingSeverity.WARNING,
            f"{early.words[0].decode()} stands before script_user"
            + (f", and there is no user {DEFAULT_USER}" if known is not None else "")
            + ": a start works, every reload drops the fifos and all scripts",
            early.place,
            evidence="keepalived -t says nothing about it",
            fix="put script_user first in global_defs",
        )
    for line in user_lines(context.tree) if known is not None else ():
        if known is not None and shown(line.words[1]) not in known:
            text = (
                f"{line.words[0].decode()} names a user that this host does not have: keepalived "
                "does not run the script"
            )
            yield error("script-user-unknown", text, line.place, fix="useradd -r, or another user")
    if not context.programs:
        return
    first = context.programs[0]
    if given is None and (known is None or DEFAULT_USER not in known):
        yield note(
            "script-user-missing",
            "no script_user: scripts run as root"
            + ("" if known is not None else f", unless there is a user {DEFAULT_USER}"),
            first.line.place,
            fix="script_user root says so on purpose; another user is safer",
        )
    if b"enable_script_security" not in settings:
        yield note(
            "script-security-off",
            "scripts run without enable_script_security",
            first.line.place,
            evidence="keepalived -t gives 6 for it",
            fix="enable_script_security in global_defs",
        )


def _before_user(context: LintContext) -> Statement | None:
    """The first fifo or script of global_defs that stands before its script_user."""
    early: Statement | None = None
    for block in context.tree.blocks(b"global_defs"):
        for line in block.statements():
            if line.words[0] == b"script_user":
                return early
            if line.words[0] in _FIFOS and early is None:
                early = line
    return None
