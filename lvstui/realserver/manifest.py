"""What lvstui manages on a host, as it is written there after a push or an undo. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace

from lvstui import __version__
from lvstui.realserver.facts import MANIFEST, HostFacts, ManagedFile, ManagedSysctl, Manifest
from lvstui.realserver.steps import ChangeFile, HostStep, MoveAddress, SetSysctl


def sha(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def after_push(
    facts: HostFacts,
    manifest: Manifest,
    every: tuple[str, ...],
    ours: tuple[str, ...],
    method: str,
    variant: str,
    live: list[HostStep],
    commit: list[HostStep],
    operator: str,
    when: str,
) -> Manifest:
    """What is managed once a push has made `every` VIP serve; `ours` are those that our files
    hold. What a host had before the first push is kept through all later ones."""
    added = [step.vip for step in live if isinstance(step, MoveAddress) and step.add]
    known = {item.key: item for item in manifest.sysctls}
    for step in live:
        if isinstance(step, SetSysctl):
            first = known.get(step.key)
            before = first.before if first else step.before
            known[step.key] = ManagedSysctl(step.key, before, step.after)
    files = {file.path: file for file in manifest.files}
    for change in commit:
        if not isinstance(change, ChangeFile):
            continue
        if change.after is None:
            files.pop(change.path, None)
            continue
        old = files.get(change.path)
        files[change.path] = ManagedFile(
            change.path, sha(change.after), old.original if old else change.keep
        )
    # VIPs that others brought and others keep are not ours to take away later.
    managed = tuple(vip for vip in every if vip in ours or vip in added)
    return Manifest(
        vips=managed,
        method=method,
        variant=variant,
        files=tuple(files.values()),
        sysctls=tuple(known.values()),
        added=tuple(dict.fromkeys((*manifest.added, *added))),
        pushed_at=when,
        operator=operator,
        version=__version__,
        boot_id=facts.boot_id,
    )


def after_undo(
    manifest: Manifest, staying: tuple[str, ...], files: list[HostStep], operator: str, when: str
) -> Manifest:
    """What is managed once only `staying` VIPs are left."""
    kept = {file.path: file for file in manifest.files}
    for step in files:
        if isinstance(step, ChangeFile):
            if step.after is None:
                kept.pop(step.path, None)
            elif step.path in kept:
                kept[step.path] = replace(kept[step.path], sha256=sha(step.after))
    return replace(
        manifest,
        vips=staying,
        added=tuple(vip for vip in manifest.added if vip in staying),
        files=tuple(kept.values()),
        operator=operator,
        pushed_at=when,
        version=__version__,
    )


def to_bytes(manifest: Manifest) -> bytes:
    """As JSON (schema `lvstui.manifest/1`)."""
    raw = asdict(manifest)
    raw.pop("problem")
    return (json.dumps({"schema": "lvstui.manifest/1", **raw}, indent=1) + "\n").encode()


def step_for(facts: HostFacts, after: Manifest | None) -> ChangeFile:
    """The step that writes it; None removes it."""
    seen = facts.file(MANIFEST)
    return ChangeFile(
        MANIFEST,
        seen.content if seen else None,
        to_bytes(after) if after else None,
        0o600,
        why="what lvstui manages here, for a later undo",
    )
