"""`python -m tests.lab --release R [PYTEST ARGUMENTS]`: the tests of the lab with keepalived of
another Debian release on every director."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import pytest

from lvstui.lab.topology import RELEASES
from tests.labs import RELEASE


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    parser.add_argument("--release", choices=RELEASES, required=True)
    arguments, rest = parser.parse_known_args()
    os.environ[RELEASE] = arguments.release
    files = [word for word in rest if word.partition("::")[0].endswith(".py")]
    return int(pytest.main([*rest, *([] if files else [str(Path(__file__).parent)])]))


if __name__ == "__main__":
    sys.exit(main())
