"""Commands of lvstui on a node, one after the other in one process: a start of Python with its
imports takes one to three seconds in the guest (and a fork of it no less).

A line of JSON on standard input is a command's words; one on standard output is its exit status
and all that it printed.
"""

from __future__ import annotations

import json
import os
import sys

from lvstui.cli import main


def run(words: list[str]) -> dict[str, object]:
    """A command to its end, with streams of its own."""
    kept = [os.dup(1), os.dup(2)]
    streams = [os.memfd_create("out"), os.memfd_create("err")]
    for number, stream in enumerate(streams, 1):
        os.dup2(stream, number)
    sys.argv = ["lvstui", *words]
    try:
        status = main(words)
    except SystemExit as end:
        status = int(end.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, stream in enumerate(kept, 1):
            os.dup2(stream, number)
            os.close(stream)
    said = []
    for stream in streams:
        with open(stream, "rb") as file:
            file.seek(0)
            said.append(file.read().decode("utf-8", "replace"))
    return {"status": status, "stdout": said[0], "stderr": said[1]}


if __name__ == "__main__":
    orders = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    print("ready", flush=True)
    with open(orders) as lines:
        while line := lines.readline():
            print(json.dumps(run(json.loads(line))), flush=True)
