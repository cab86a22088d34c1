"""`python -m tests.fuzz files [COUNT]` and `python -m tests.fuzz guided [SECONDS]`.

`files` generates whole configurations (100,000 unless told otherwise), in odd styles, some of them
damaged, and checks that each comes back byte for byte. `guided` lets a coverage-guided fuzzer
look for bytes that break anything; it needs `pip install -e '.[fuzz]'` and prints the fuzzer's own
figures. Both end with an error at the first input that breaks, and print it.
"""

from __future__ import annotations

import random
import sys
import time


def files(count: int) -> int:
    """That many generated files, one in three of them damaged."""
    from tests.fuzz import generate
    from tests.fuzz.check import check

    chance = random.Random(1)
    started = time.monotonic()
    size = statements = folded = 0
    for number in range(count):
        data = generate.configuration(chance)
        if number % 3 == 2:
            data = generate.damaged(data, chance)
        try:
            found = check(data)
        except Exception:
            print(f"file {number} breaks: {data!r}", file=sys.stderr)
            raise
        size += len(data)
        statements += found.statements
        folded += found.folded
    took = time.monotonic() - started
    print(
        f"{count} files, {size} bytes, {statements} statements, {folded} folded blocks: "
        f"every one came back byte for byte ({took:.0f} s)"
    )
    return 0


def guided(seconds: int) -> int:
    """The coverage-guided search; nothing of ours may be imported before it is instrumented."""
    try:
        from tests.fuzz import guided as search
    except ImportError:
        print("the guided search needs: pip install -e '.[fuzz]'", file=sys.stderr)
        return 2
    return search.run(seconds)


def main(arguments: list[str]) -> int:
    """See the module's text."""
    kinds = {"files": (files, 100_000), "guided": (guided, 600)}
    if not arguments or arguments[0] not in kinds or len(arguments) > 2:
        print(__doc__, file=sys.stderr)
        return 2
    search, usual = kinds[arguments[0]]
    return search(int(arguments[1]) if len(arguments) == 2 else usual)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
