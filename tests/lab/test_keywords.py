"""The table of keywords against what the installed keepalived takes for one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lvstui.keepalived.keywords import ROOT, Keyword, Keywords, ValueKind, version_of, walk
from tests.labs import Lab

FOLDER = "/root/keywords"
_HEADERS = {"virtual_server": "10.9.0.100 80", "real_server": "10.9.0.11 80"}
_VALUES = {
    ValueKind.FLAG: "",
    ValueKind.BOOL: "on",
    ValueKind.ADDRESS: "10.9.0.1",
    ValueKind.INTERFACE: "lo",
    ValueKind.HOST: "localhost",
    ValueKind.MAIL: "a@example.org",
    ValueKind.USER: "root",
    ValueKind.PATH: "/run/x",
    ValueKind.COMMAND: '"/bin/true"',
    ValueKind.NOTIFY: '"/bin/true"',
    ValueKind.URL: "/",
    ValueKind.SECRET: "x",
    ValueKind.SYNC: "lo VI",
    ValueKind.OPAQUE: "00",
}
_LEFT_OUT = {
    "/global_defs/vrrp_ipsets",
    "/global_defs/vrrp_iptables",
    "/vrrp_sync_group/notify_priority_changes",
}
"""Debian's keepalived is built without libipset, and 2.1.5 without iptables; 2.1.5 does not know
the last one in a group yet."""
_INVENTED = "surely_unknown"
_UNKNOWN = re.compile(r"Line (\d+)\) Unknown keyword '([^']+)'")


def _value(keyword: Keyword) -> str:
    if keyword.kind is ValueKind.CHOICE:
        return keyword.choices[0]
    low = keyword.low if keyword.high is None or keyword.high >= 1 >= keyword.low else keyword.high
    number = str(int(max(low, 1)))
    return _VALUES.get(keyword.kind, number)


def _lines(table: Keywords, path: str, version: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    """Each keyword with the least that it needs; the path of what is a keyword there."""
    for keyword in table.values():
        here = f"{path}/{keyword.name}"
        known = keyword.known(version)
        if not (known and (keyword.inner is not None or keyword.values)):
            # What opens a block in a later version only is one line in this one.
            yield f"{keyword.name} {_value(keyword)}", here
        else:
            yield f"{keyword.name} {_HEADERS.get(keyword.name, 'x' if not path else '')} {{", ""
            yield from _lines(keyword.inner or {}, here, version)
            if not keyword.values:
                yield f"{_INVENTED} 1", f"{here}/{_INVENTED}"
            yield "}", ""


def _one(keyword: Keyword, version: tuple[int, ...]) -> list[tuple[str, str]]:
    return list(_lines({keyword.name.encode(): keyword}, "", version))


def test_keepalived_knows_the_words_of_the_table_and_no_others(lab: Lab) -> None:
    said = lab.run("lb1", "keepalived --version 2>&1").stdout
    version = version_of(said.split("Keepalived v", 1)[1])
    files = [_one(keyword, version) for keyword in ROOT.values()]
    lab.run("lb1", f"rm -rf {FOLDER}; mkdir -p {FOLDER}")
    for number, lines in enumerate(files):
        text = "".join(f"{line}\n" for line, _ in lines)
        lab.write("lb1", f"{FOLDER}/{number}.conf", text.encode())
    done = lab.run(
        "lb1",
        f"cd {FOLDER}; for n in $(seq 0 {len(files) - 1}); do echo @@@ $n; "
        "unshare -n keepalived -t -f $n.conf 2>&1; echo status $?; done",
        timeout=300,
    )
    unknown: set[str] = set()
    for part in done.stdout.split("@@@ ")[1:]:
        name, _, text = part.partition("\n")
        lines = files[int(name)]
        assert not re.search(r"status (2|1\d\d)\n", text), (lines[0], text)
        unknown |= {lines[int(line) - 1][1] for line, _ in _UNKNOWN.findall(text)}
    invented = {where for lines in files for _, where in lines if where.endswith(_INVENTED)}
    later = {
        where
        for lines in files
        for _, where in lines
        if where and not where.endswith(_INVENTED) and not _known(where, version)
    }
    assert unknown - _LEFT_OUT == (invented | later) - _LEFT_OUT
    assert len(list(walk())) > 500


def _known(where: str, version: tuple[int, ...]) -> bool:
    table: Keywords = ROOT
    found = None
    for name in where.split("/")[1:]:
        found = table[name.encode()]
        table = found.inner or {}
    return found is not None and found.known(version)
