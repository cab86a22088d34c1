"""Less memory from the C library: we are a guest on a director.

Both calls are glibc's (malloc(3), mallopt(3)); with another C library they do nothing.
"""

from __future__ import annotations

import contextlib
import ctypes

_M_TRIM_THRESHOLD = -1
_M_ARENA_MAX = -8


def one_arena() -> None:
    """One heap for all threads, given back to the host early. Call it before any thread starts.

    Python's threads take turns anyway, so an arena for each buys nothing; at 10,000 real servers
    this saves a tenth of what we hold (measured).
    """
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_ARENA_MAX, 1)
        library.mallopt(_M_TRIM_THRESHOLD, 64 * 1024)


def give_back() -> None:
    """Give freed memory back to the host now."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
