"""What the shell face of the configuration prints: effective values and differences.

Rules of the schema as for `lvstui status`: names are stable within a version, what is not known
is null, never left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lvstui.keepalived.diff import Difference
from lvstui.keepalived.meaning.effective import Effective, Section, Value
from lvstui.keepalived.text.tree import Tree
from lvstui.model.config import Configuration, Place
from lvstui.model.finding import Finding
from lvstui.model.text import plain
from lvstui.shell.change import fields_of

SCHEMA = "lvstui.config/1"

MEANINGS: dict[str, str] = {
    "schema": "name and version of this form",
    "file": "main configuration file",
    "config_id": "what `@id` lines were compared with",
    "version": "of keepalived, whose defaults and inheritance apply",
    "files[]": "every file that was read, main file first",
    "digest": "equal digests mean the same configuration",
    "problems[].text": "what could not be understood",
    "sections[].kind": "globals, script, track-file, track-process, sync-group, instance, service",
    "sections[].title": "`tcp ADDR:PORT`, `fwmark N`, or the name",
    "sections[].values[].keyword": "as in keepalived.conf; one spelling where it knows several",
    "sections[].values[].value": "number, text, true or false; null: not set; secrets: ********",
    "sections[].values[].unit": "`s` or empty",
    "sections[].values[].origin": "written here, inherited, default, or adjusted by keepalived",
    "sections[].values[].source": "what it is inherited from, or why it is so",
    "sections[].sections[]": "in it, same form: kind server, checker, url, host",
    "*.file": "where it is written; null: nowhere",
    "*.line": "from 1; null: nowhere",
    "*.column": "in bytes from 1; null: nowhere",
    "before": "diff: what is compared; a path, or `running`",
    "after": "diff: with what",
    "same": "diff: both mean the same to keepalived",
    "differences[].kind": "diff: stable name, `weight`, `server-removed` …",
    "differences[].impact": "cuts (clients lose service), moves (traffic), watches (only checks)",
    "differences[].subject": "whom it concerns",
    "differences[].text": "one sentence",
    "differences[].before": "the value before; empty: none",
    "differences[].after": "the value after; empty: none",
    "text_diff": "diff: unified diff of the lines, secrets masked",
    "findings[].rule": "check: stable name; those of keepalived itself begin with `-t:`",
    "findings[].severity": "check: lethal, error, warning or note",
    "findings[].text": "check: one sentence",
    "findings[].evidence": "check: what was seen",
    "findings[].fix": "check: how to mend it",
    "limits[]": "check: what could not be looked at",
}
"""Every field and its meaning; what a command does not print is not in its document."""


@dataclass(frozen=True, slots=True)
class ConfigSide:
    """One of two configurations that are compared."""

    title: str
    """A path, or `running`."""
    tree: Tree
    configuration: Configuration


def place_fields(place: Place | None) -> dict[str, Any]:
    if place is None:
        return {"file": None, "line": None, "column": None}
    return {"file": plain(place.file, 4096), "line": place.line, "column": place.column}


def value_document(value: Value) -> dict[str, Any]:
    names = ("keyword", "value", "unit", "origin", "source")
    return {**fields_of(value, *names), **place_fields(value.place)}


def section_document(section: Section) -> dict[str, Any]:
    """One thing with its values and what stands in it."""
    return {
        "kind": section.kind,
        "title": section.title,
        **place_fields(section.place),
        "values": [value_document(value) for value in section.values],
        "sections": [section_document(inner) for inner in section.sections],
    }


def head(effective: Effective, problems: Sequence[tuple[Place, str]]) -> dict[str, Any]:
    """The document of effective values without its sections."""
    tree = effective.tree
    return {
        "schema": SCHEMA,
        "file": plain(tree.files[0].path, 4096) if tree.files else None,
        "config_id": plain(tree.config_id),
        "version": effective.version,
        "files": [plain(file.path, 4096) for file in tree.files],
        "digest": tree.digest,
        "problems": [{"text": text, **place_fields(place)} for place, text in problems],
    }


def section_lines(section: Section, depth: int = 0) -> Iterator[str]:
    """One section for people: every value with its origin and where it stands."""
    pad = "  " * depth
    yield f"{pad}{section.kind} {section.title}" + (f"   {section.place}" if section.place else "")
    for value in section.values:
        where = str(value.place) if value.place else ""
        tail = "  ".join(part for part in (value.origin.value, value.source, where) if part)
        yield f"{pad}  {value.keyword:<26} {value.text:<24} {tail}"
    for inner in section.sections:
        yield from section_lines(inner, depth + 1)


def difference_document(found: Difference) -> dict[str, Any]:
    names = ("kind", "impact", "subject", "text", "before", "after")
    return {**fields_of(found, *names), **place_fields(found.place)}


def difference_lines(found: Sequence[Difference]) -> Iterator[str]:
    """Differences for people, worst first."""
    for one in found:
        where = f"   {one.place}" if one.place else ""
        yield f"{one.impact.value:<8} {one.subject}: {one.text}{where}"


def finding_document(found: Finding) -> dict[str, Any]:
    names = ("rule", "severity", "text", "evidence", "fix")
    return {**fields_of(found, *names), **place_fields(found.place)}


def finding_lines(found: Sequence[Finding]) -> Iterator[str]:
    """Findings for people, worst first."""
    for one in found:
        where = f"{one.place}: " if one.place else ""
        yield f"{one.severity.value:<8} {where}{one.text}  [{one.rule}]"
        if one.evidence:
            yield f"         seen: {one.evidence}"
        if one.fix:
            yield f"         mend: {one.fix}"
