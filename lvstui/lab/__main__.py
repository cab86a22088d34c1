"""`python -m lvstui.lab …` is `lvstui lab …`."""

from __future__ import annotations

import argparse
import sys

from lvstui.lab.cli import add_parser


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lvstui.lab", add_help=False)
    add_parser(parser.add_subparsers())
    args = parser.parse_args(["lab", *sys.argv[1:]])
    status: int = args.run(args)
    return status


sys.exit(main())
