"""The coverage-guided search, by libFuzzer through atheris."""

from __future__ import annotations

import os
import random
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["lvstui.keepalived"]):
    from lvstui.keepalived.text import reader
    from tests.fuzz.check import check

from tests.fuzz import generate

WORDS = """virtual_server real_server vrrp_instance virtual_ipaddress authentication auth_pass
    global_defs include includer weight lb_kind DR NAT fwmark group TCP_CHECK HTTP_GET url path
    ~SEQ( ~LST( ${ $A= $A @lb1 @^lb1 { } \\" # ! \\\\\\x0a"""


def run(seconds: int) -> int:
    """Search for that long; ends the process, with libFuzzer's status."""
    # Text that repeats itself is no find, only slow.
    reader.MAX_GENERATED = 500
    folder = Path(tempfile.mkdtemp(prefix="lvstui-fuzz-"))
    corpus = folder / "corpus"
    corpus.mkdir()
    chance = random.Random(2)
    for number in range(200):
        data = generate.configuration(chance)[:4096]
        (corpus / str(number)).write_bytes(data if number % 2 else generate.damaged(data, chance))
    dictionary = folder / "words"
    dictionary.write_text("".join(f'"{word}"\n' for word in WORDS.split()), "ascii")
    print(f"corpus and finds: {folder}", file=sys.stderr)
    atheris.Setup(
        [
            sys.argv[0],
            str(corpus),
            f"-dict={dictionary}",
            f"-max_total_time={seconds}",
            "-max_len=4096",
            "-timeout=20",
            "-rss_limit_mb=4096",
            "-print_final_stats=1",
            f"-artifact_prefix={folder}{os.sep}",
        ],
        check,
    )
    atheris.Fuzz()
    return 0
