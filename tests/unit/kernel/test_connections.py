"""Slices of the connection table: whatever stands in it, however long it is."""

from __future__ import annotations

import itertools
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lvstui.kernel import connections
from lvstui.kernel.connections import ConnectionFile, ConnectionParser
from lvstui.model.connections import SLICES, ConnectionCount
from lvstui.model.keys import ServerKey

HEAD = b"Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData"
WEB = ServerKey("10.10.0.20", 80)
RS1 = ServerKey("10.10.0.3", 80)


def entry(
    state: str = "SYN_RECV", left: int = 59, port: int = 0xDC34, more: str = "", proto: str = "TCP"
) -> bytes:
    line = f"{proto} 0A0A000A {port:04X} 0A0A0014 0050 0A0A0003 0050 {state:<11} {left:7}{more}"
    return line.encode()


def count(
    *lines: bytes, parser: ConnectionParser | None = None, now: float = 100.0
) -> list[ConnectionCount]:
    parser = parser or ConnectionParser()
    parser.begin(now)
    parser.take(lines)
    return list(parser.rows())


def test_entries_are_counted_by_the_age_of_their_last_packet() -> None:
    lefts = (59, 58, 57, 55, 50, 41, 20, 0)
    (row,) = count(HEAD, *(entry(left=left, port=left + 1) for left in lefts), b"")
    assert (row.protocol, row.virtual, row.server, row.state) == ("tcp", WEB, RS1, "SYN_RECV")
    # The freshest has 59 s left, which makes the time-out of this kernel.
    assert row.ages == (2, 2, 1, 1, 1, 1)
    assert row.clients == 1


def test_a_shorter_time_out_makes_no_old_entries() -> None:
    """`ipvsadm --set 900 30 300`: a closed connection has 30 s at most."""
    (row,) = count(entry("FIN_WAIT", 29), entry("FIN_WAIT", 28, 7))
    assert row.ages[0] == 2


def test_addresses_of_version_six_and_persistence_data_of_clients_are_read() -> None:
    six = (
        b"TCP fd00:0000:0000:0000:0000:0000:0000:000a DC34 fd00:0000:0000:0000:0000:0000:0000:0014 "
        b"0050 fd00:0000:0000:0000:0000:0000:0000:0003 0050 ESTABLISHED     899"
    )
    call = entry("UDP", 299, more=" sip TCP 0A0A000A 1 2 3 4 5 6 7 8", proto="UDP")
    first, second = count(six, call)
    assert (str(first.virtual), str(first.server)) == ("[fd00::14]:80", "[fd00::3]:80")
    assert (second.protocol, second.state) == ("udp", "UDP")


def test_a_client_that_keeps_its_port_is_told_from_those_that_ask_once() -> None:
    parser = ConnectionParser()

    def udp(left: int, port: int) -> bytes:
        return entry("UDP", left, port, proto="UDP")

    assert count(udp(299, 1), udp(299, 2), parser=parser)[0].living == 0
    # Ten seconds later one has been used again, the other runs out.
    assert count(udp(299, 1), udp(289, 2), parser=parser, now=110.0)[0].living == 1
    # A server that is gone gets nothing: both run out, and what is known of them stays known.
    assert count(udp(279, 1), udp(269, 2), parser=parser, now=130.0)[0].living == 1


@given(st.lists(st.binary(max_size=200)))
def test_no_line_ends_the_parser(lines: list[bytes]) -> None:
    assert len(count(*lines, entry())) >= 1


@given(st.lists(st.sampled_from(entry().split()), max_size=12), st.binary(max_size=20))
def test_no_damaged_line_ends_the_parser(words: list[bytes], middle: bytes) -> None:
    count(b" ".join([*words[:5], middle, *words[5:]]))


def test_a_table_of_any_length_costs_a_slice_a_look(tmp_path: Path) -> None:
    path = tmp_path / "ip_vs_conn"
    port = itertools.count()
    lines = [entry(port=next(port) % 65536) for _ in range(20_000)]
    path.write_bytes(b"\n".join([HEAD, *lines, b""]))
    file = ConnectionFile(str(path))
    slices = [file.look(60.0) for _ in range(SLICES + 1)]
    assert [seen.position for seen in slices] == [*range(SLICES), 0]
    assert [seen.last for seen in slices[:SLICES]] == [False] * (SLICES - 1) + [True]
    counted = sum(sum(row.ages) for seen in slices[:SLICES] for row in seen.rows)
    assert counted * len(lines[0]) < SLICES * connections.MOST_BYTES
    file.close()


def test_a_short_table_is_read_whole_at_each_look(tmp_path: Path) -> None:
    path = tmp_path / "ip_vs_conn"
    path.write_bytes(b"\n".join([HEAD, *(entry(port=port) for port in range(100)), b""]))
    file = ConnectionFile(str(path))
    for _ in range(2):
        seen = file.look(60.0)
        assert (seen.position, seen.last) == (0, True)
        assert sum(sum(row.ages) for row in seen.rows) == 100


def test_rows_have_a_limit() -> None:
    lines = [
        f"TCP 0A0A000A 0001 0A0A0014 0050 0A{number:06X} 0050 SYN_RECV 59".encode()
        for number in range(connections.MOST_ROWS + 50)
    ]
    assert len(count(*lines)) == connections.MOST_ROWS
