"""What every command says in the same way."""

from __future__ import annotations

import sys

USAGE = 2
"""Exit status: lvstui could not look, or was asked for something that it does not understand."""


def fail(message: str) -> int:
    """Say why nothing can be done; the exit status for that."""
    print(f"lvstui: {message}", file=sys.stderr)
    return USAGE
