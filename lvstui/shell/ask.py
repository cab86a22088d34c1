"""What every command says and asks in the same way, and what its exit status means."""

from __future__ import annotations

import sys

from lvstui.process.printing import as_json, ask

DONE, NOT_DONE = 0, 1
USAGE = 2
"""Exit status: lvstui could not look, or was asked for something that it does not understand."""
UNRECORDED = 3
"""Exit status: done, and the audit log could not be written."""


class Usage(Exception):
    """Something on the command line that cannot be done."""


def fail(message: str, status: int = USAGE, *, schema: str = "") -> int:
    """Say why nothing can be done; the exit status for that. `schema`: as a document of it, too."""
    if schema:
        print(as_json({"schema": schema, "ok": False, "error": message}))
    print(f"lvstui: {message}", file=sys.stderr)
    return status


def answer(question: str) -> str:
    """What was typed; the end of the input is a no."""
    try:
        return ask(question).strip()
    except EOFError:
        print()
        return ""


def agreed(shown: str, question: str, *, typed: str = "", schema: str = "") -> bool:
    """Show what would be done and ask. A pipe cannot be asked: it has to say --yes."""
    if schema or not sys.stdin.isatty():
        why = "not done: give --yes to apply it without being asked, or --plan to look"
        fail(why, NOT_DONE, schema=schema)
        return False
    print(shown)
    if typed:
        return answer(f"type {typed} to go on: ").split() == typed.split()
    return answer(f"{question} [y/N] ").lower() in ("y", "yes")
