"""What keepalived of each Debian release said, as `tests.record_releases` wrote it down."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parents[2] / "data" / "releases"


@dataclass(frozen=True)
class Recorded:
    """One version on both directors of a lab, lb1 the MASTER, while rs1 was stopped."""

    banner: str
    logs: dict[str, str]
    dumps: dict[str, str]
    """`lb1-keepalived.data` …"""
    table: str
    """`ipvsadm -Ln` of lb1."""
    tests: dict[str, tuple[int, str]]
    """Status and words of `keepalived -t` of each configuration of the lint's cases."""

    def write(self, folder: Path) -> None:
        (folder / "banner.txt").write_text(self.banner + "\n")
        for node, text in self.logs.items():
            (folder / f"{node}.log").write_text(text)
        for name, text in self.dumps.items():
            (folder / name).write_text(text)
        (folder / "ipvsadm.txt").write_text(self.table)
        (folder / "tests.json").write_text(json.dumps(self.tests, indent=0, sort_keys=True) + "\n")


def versions() -> list[str]:
    return sorted(path.name for path in DATA.iterdir())


def recorded(version: str) -> Recorded:
    folder = DATA / version
    return Recorded(
        (folder / "banner.txt").read_text().strip(),
        {path.stem: path.read_text() for path in folder.glob("lb?.log")},
        {path.name: path.read_text() for path in folder.glob("lb?-*")},
        (folder / "ipvsadm.txt").read_text(),
        {name: (s, t) for name, (s, t) in json.loads((folder / "tests.json").read_text()).items()},
    )
