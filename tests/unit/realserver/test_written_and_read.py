"""What one part of lvstui writes into a file, another part reads back as it was."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from lvstui.model.keys import canonical_address
from lvstui.model.text import plain
from lvstui.operations.config_history import parse_history
from lvstui.realserver.facts import MANIFEST, ManagedFile, ManagedSysctl, Manifest, SeenFile
from lvstui.realserver.manifest import to_bytes
from lvstui.realserver.parse import parse_manifest
from lvstui.remote import known_hosts

WORD = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
CLEAN = WORD.map(plain)
"""What a host says of itself is made harmless when it is read."""
ADDRESS = st.ip_addresses().map(lambda address: canonical_address(str(address)))
ADDRESSES = st.lists(ADDRESS, max_size=4, unique=True).map(tuple)


@given(
    st.builds(
        Manifest,
        vips=ADDRESSES,
        method=CLEAN,
        variant=CLEAN,
        files=st.lists(st.builds(ManagedFile, WORD, WORD, WORD), max_size=3).map(tuple),
        sysctls=st.lists(st.builds(ManagedSysctl, WORD, WORD, WORD), max_size=3).map(tuple),
        added=ADDRESSES,
        pushed_at=CLEAN,
        operator=CLEAN,
        version=CLEAN,
        boot_id=CLEAN,
    )
)
def test_a_manifest(manifest: Manifest) -> None:
    assert parse_manifest(SeenFile(MANIFEST, to_bytes(manifest))) == manifest


@given(WORD, WORD, WORD, st.lists(WORD, max_size=3), st.booleans())
def test_what_a_change_says_of_itself(
    title: str, who: str, reason: str, files: list[str], forced: bool
) -> None:
    meta = {
        "title": title,
        "who": who,
        "at": 12.5,
        "reason": reason,
        "timer_s": 60,
        "forced": forced,
        "hosts": ["lb1"],
        "undoes": "",
        "files": files,
    }
    told = f"state 20T1 confirmed\nmeta 20T1 {json.dumps(meta)}\noutcome 20T1 kept\nend\n"
    (entry,) = parse_history(told, "lb1")
    assert (entry.title, entry.who, entry.reason) == (plain(title), plain(who), plain(reason))
    assert (entry.at, entry.timer_s, entry.forced) == (12.5, 60, forced)
    assert entry.files == tuple(plain(path) for path in files)


@given(
    st.text(st.characters(codec="ascii", exclude_categories=["C", "Z"]), min_size=1).filter(
        lambda name: name[0] not in "#@"
    ),
    st.binary(min_size=1, max_size=200),
    st.booleans(),
)
def test_a_host_key(name: str, blob: bytes, hash_name: bool) -> None:
    name = name.lower()
    (entry,) = known_hosts.parse(known_hosts.line(name, "ssh-x", blob, hash_name=hash_name))
    assert (entry.kind, entry.blob, entry.marker) == ("ssh-x", blob, "")
    assert hash_name is False or known_hosts.matches(entry.hosts, name)
