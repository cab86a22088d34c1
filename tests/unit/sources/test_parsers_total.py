"""Parsers of what others write: no input ends them, and a bad line is one bad line.

Real inputs (recorded) are damaged where it hurts: numbers beyond every limit, digits of other
scripts, control characters, cuts. Whatever is declared to be raised is named beside the parser.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvstui.keepalived.daemon.look import parse_daemon
from lvstui.keepalived.lint import own_test as config_test
from lvstui.keepalived.lint import surroundings
from lvstui.kernel.rtnetlink import NEWADDR, messages, parse_address, parse_link, parse_neighbour
from lvstui.kernel.table import TableReader
from lvstui.model.changes import Ended
from lvstui.model.facts import ServerChanged, WeightChanged
from lvstui.model.keys import ServerKey, ServiceKey, split_port
from lvstui.model.numbers import decimal, hexadecimal, number, signed
from lvstui.operations.config_history import merged, parse_history
from lvstui.operations.configuration_hosts import at_once
from lvstui.operations.configuration_rules import version_of
from lvstui.operations.first import parse_routes
from lvstui.realserver import parse as realserver
from lvstui.realserver.facts import SeenFile
from lvstui.realserver.stacks import networkmanager
from lvstui.remote import known_hosts
from lvstui.remote.become import Become
from lvstui.remote.config import from_ssh
from lvstui.remote.connect import _hop
from lvstui.remote.credentials import CredentialCache
from lvstui.remote.runner import Access, ErrorKind, RemoteError
from lvstui.remote.talk import CommandLine, Raw
from lvstui.sources.dbus import parse_signal
from lvstui.sources.dump_text import parse_checks, parse_data, parse_json, parse_stats
from lvstui.sources.fifo import parse_line
from lvstui.sources.log_lines import facts_of, split_syslog
from lvstui.sources.strays import ends_of
from lvstui.sources.wire import parse_advert
from tests.unit.remote.test_config import OUTPUT

DATA = Path(__file__).parents[2] / "data"
LONG = "9" * 5000
NASTY = (
    LONG,
    f"-{LONG}",
    f"0x{'f' * 5000}",
    "²",
    "١٢",
    "99999999999999999999",
    "1_0",
    "nan",
    "inf",
    "1e999",
    "-1",
    "",
    " ",
    "\x00",
    "\x1b]0;x\x07",
    "\x9b31m",
    "\u202e",
    "\udcff",
    "[" * 3000,
    '{"a":' * 3000,
    "null",
    "[1]",
    "5",
    "\n",
    "::ffff:1.2.3.4%x",
    "0" * 5000,
)
ID = "20261128T061816-be62ca"
META = json.dumps(
    {
        "title": "t",
        "who": "alice",
        "at": 5,
        "timer_s": 60,
        "hosts": ["lb1"],
        "files": ["/etc/keepalived/keepalived.conf"],
    }
)
HISTORY = f"state {ID} armed\nmeta {ID} {META}\nleft {ID} 40\nguard {ID} yes\nend\n"
DAEMON = (
    "boot b\nnode lb1\nuptime 1000.5\nbooted 5000\nuser 0\npid 7\nticks 4200\nhz 100\n"
    "child 9 4300 0000000000004a03 keepalived\npidfile checkers 9\n"
    "@version\nS2VlcGFsaXZlZCB2Mi4yLjc=\n.\nend\n"
)
MANIFEST = json.dumps(
    {
        "vips": ["10.10.0.20"],
        "method": "networkd",
        "files": [{"path": "/etc/x", "sha256": "ab"}],
        "sysctls": [{"key": "a/b", "before": "0", "after": "1"}],
    }
)
LINKS = json.dumps(
    [{"ifname": "eth0", "flags": ["UP"], "addr_info": [{"local": "10.0.0.1", "prefixlen": 24}]}]
)


@dataclass(frozen=True)
class Parser:
    """A parser, real inputs of it, and what it may raise."""

    parse: Callable[[str], Any]
    samples: Sequence[str]
    raises: tuple[type[Exception], ...] = ()


def read(pattern: str) -> list[str]:
    found = [path.read_text("utf-8", "backslashreplace") for path in sorted(DATA.glob(pattern))]
    assert found, pattern
    return found


def lines(pattern: str, every: int = 1) -> list[str]:
    return [line for text in read(pattern) for line in text.splitlines()[::every] if line]


def syslog(line: str) -> Any:
    _, _, ident, pid, text = split_syslog(line)
    return facts_of(text, ident, pid)


def netlink(text: str) -> Any:
    return [
        (
            parse_link(message.payload),
            parse_address(message.payload),
            parse_neighbour(message.payload),
        )
        for message in messages(text.encode("latin-1", "replace"))
    ]


def manifest(text: str) -> Any:
    return realserver.parse_manifest(SeenFile("/m", text.encode("utf-8", "replace"), 0o600, "0:0"))


FIFO = [
    line
    for text in read("keepalived-log/vrrp-fifo-*.txt")
    for line in re.findall(r'(?:INSTANCE|GROUP) "\w+" \w+ \d+', text)
]
ADDRESS = struct.pack(
    "=IHHII BBBBI HH4s",
    32,
    NEWADDR,
    0,
    0,
    0,
    socket.AF_INET,
    24,
    0,
    0,
    2,
    8,
    2,
    bytes((10, 0, 0, 1)),
)
SIGNAL = json.dumps(
    {
        "type": "signal",
        "path": "/org/keepalived/Vrrp1/Instance/eth0/51/IPv4",
        "interface": "org.keepalived.Vrrp1.Instance",
        "member": "VrrpStatusChange",
        "payload": {"type": "u", "data": [2]},
    }
)
ROUTES = (
    "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n"
    "eth0\t00000000\t0102000A\t0003\t0\t0\t0\t00000000\n"
)
PARSERS = {
    "syslog": Parser(syslog, lines("keepalived-log/log-*.txt", 5)),
    "message": Parser(facts_of, lines("keepalived-log/log-*.txt", 5)),
    "fifo": Parser(lambda t: parse_line(t.encode("utf-8", "surrogateescape")), FIFO),
    "fifo of servers": Parser(
        lambda t: parse_line(t.encode("utf-8", "surrogateescape")),
        [
            "RS [10.0.0.3]:tcp:80 [10.0.0.20]:tcp:80 UP",
            "VS [10.0.0.20]:tcp:80 DOWN",
            "RS [10.0.0.3]:tcp:80 FWM 7 DOWN",
            "VS FWM 7 UP",
        ],
    ),
    "proc": Parser(lambda t: TableReader().parse(t), read("ip_vs.txt")),
    "json dump": Parser(parse_json, read("keepalived-dumps/*.json")),
    "data dump": Parser(parse_data, read("keepalived-dumps/*.data")),
    "stats dump": Parser(parse_stats, read("keepalived-dumps/*.stats")),
    "checks dump": Parser(parse_checks, read("keepalived-dumps/keepalived_check.data")),
    "dbus": Parser(parse_signal, [SIGNAL]),
    "gdbus": Parser(
        parse_signal,
        [
            "/org/keepalived/Vrrp1/Instance/a: org.keepalived.Vrrp1.Instance.VrrpStatusChange "
            "(uint32 2,)"
        ],
    ),
    "daemon": Parser(lambda t: parse_daemon(t, "lb2"), [DAEMON], (RemoteError,)),
    "history": Parser(lambda t: parse_history(t, "lb2"), [HISTORY], (RemoteError,)),
    "look": Parser(
        lambda t: realserver.facts(t, "n0", "rs1", 1.0), read("looks/*.txt"), (ValueError,)
    ),
    "manifest": Parser(manifest, [MANIFEST]),
    "ssh -G": Parser(lambda t: from_ssh(Access("rs1"), t), [OUTPUT], (RemoteError,)),
    "jump": Parser(lambda t: _hop(t), ["ops@jump:2222", "ssh://[::1]:22/"], (RemoteError,)),
    "known_hosts": Parser(known_hosts.parse, ["rs1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==\n"]),
    "links": Parser(surroundings.links_from_json, [LINKS], (ValueError,)),
    "stat": Parser(surroundings.stated, ["81a4 0 /a\n41ed 0 /\n"]),
    "release": Parser(surroundings.release, ["Keepalived v2.2.7 (01/16,2022)"]),
    "config test": Parser(lambda t: config_test._message(t), ["(/etc/k.conf: Line 7) Unknown x"]),
    "routes": Parser(parse_routes, [ROUTES]),
    "nmcli": Parser(networkmanager.version, ["1.42.4"]),
    "version": Parser(version_of, ["2.2.7"]),
    "key": Parser(ServiceKey.parse, ["tcp 10.0.0.1:80", "fwmark 7 ipv6"], (ValueError,)),
    "port": Parser(split_port, ["[fd00::1]:80"], (ValueError,)),
    "netlink": Parser(netlink, [ADDRESS.decode("latin-1")]),
    "strays": Parser(
        lambda t: ends_of(t.encode("latin-1", "replace")),
        ["\x52" * 12 + "\x08\0E\0\0(" + "\0" * 30, "\x52" * 12 + "\x86\xdd`" + "\1" * 60],
    ),
    "wire": Parser(
        lambda t: parse_advert(t.encode("latin-1", "replace")),
        ["E\0\0(\0\0\0\0\xffp\0\0\n\0\0\1\xe0\0\0\x12!3d\1\0\1\0\0\n\0\0\x14" + "\0" * 12],
    ),
}


def damaged(text: str, chance: random.Random) -> str:
    """`text` with one to four wounds; words and numbers are hit rather than blanks."""
    for _ in range(chance.randrange(1, 5)):
        spots = list(re.finditer(r"[0-9]+|\w+|[^\w\s]", text))
        if not spots:
            break
        spot = chance.choice(spots)
        way = chance.randrange(5)
        if way < 3:
            text = text[: spot.start()] + chance.choice(NASTY) + text[spot.end() :]
        elif way == 3:
            text = text[: spot.start()] + text[spot.end() :]
        else:
            text = text[: spot.start()] + text[spot.end() + chance.randrange(40) :]
    return text


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=150, deadline=None)
@given(chance=st.randoms(use_true_random=False))
def test_no_input_ends_a_parser(name: str, chance: random.Random) -> None:
    parser = PARSERS[name]
    text = damaged(chance.choice(parser.samples), chance)
    with contextlib.suppress(*parser.raises):
        parser.parse(text)


@pytest.mark.parametrize("name", PARSERS)
def test_the_samples_are_real(name: str) -> None:
    """Else the damage is done to nothing."""
    parser = PARSERS[name]
    assert any(parser.parse(sample) for sample in parser.samples)


@pytest.mark.parametrize("nasty", NASTY, ids=lambda text: ascii(text[:8]))
@pytest.mark.parametrize("name", PARSERS)
def test_each_number_and_word_in_turn(name: str, nasty: str) -> None:
    parser = PARSERS[name]
    chance = random.Random(name)
    for sample in chance.sample(list(parser.samples), min(3, len(parser.samples))):
        spots = list(re.finditer(r"[0-9]+|\w+", sample))
        for spot in chance.sample(spots, min(12, len(spots))):
            with contextlib.suppress(*parser.raises):
                parser.parse(sample[: spot.start()] + nasty + sample[spot.end() :])


@given(st.text() | st.from_regex(r"[-+]?(0x)?[0-9a-f]{0,25}(\.[0-9]{0,45})?", fullmatch=True))
def test_a_number_is_within_its_limits_or_none(text: str) -> None:
    for read_one in (number, signed, hexadecimal, decimal):
        found = read_one(text, 1000)
        assert found is None or -1000 <= found <= 1000
        assert read_one(text.encode("utf-8", "surrogatepass"), 1000) == found


@pytest.mark.parametrize("text", ["1_0", " 7", "7 ", "²", "١", "", "+", "-", "7.", LONG, "0x7"])
def test_what_int_would_take_or_fail_at_is_no_number(text: str) -> None:
    assert number(text) is None


def test_what_is_a_number_is_read() -> None:
    assert (number("0"), number(b"65535", 65535), number("65536", 65535)) == (0, 65535, None)
    assert (signed("-7"), signed("+7"), signed("--7")) == (-7, 7, None)
    assert (hexadecimal("0x1F"), hexadecimal("ff", 254)) == (31, None)
    assert (decimal("12.5"), decimal(".5"), decimal("nan"), decimal("1e5")) == (
        12.5,
        0.5,
        None,
        None,
    )


# Neighbours of a bad line


BAD_ROWS = (
    f"  -> {LONG}:0050      Route   1      0          0",
    "  -> 0A0A0003:0050      Route   ²      0          0",
    f"  -> 0A0A0003:0050      Route   {LONG} 0          0",
    "  -> 0A0A0003:1FFFF     Route   1      0          0",
    "rubbish",
    "TCP  0A0A0014:0050 rr persistent 1 FFFFFFFFFF",
    "TCP  0A0A0014:0050 rr persistent",
    f"FWM  {'F' * 5000} rr",
)


@pytest.mark.parametrize("bad", BAD_ROWS, ids=range(len(BAD_ROWS)))
def test_the_rest_of_the_table_stays(bad: str) -> None:
    text = (DATA / "ip_vs.txt").read_text()
    whole = TableReader().parse(text)
    reader = TableReader()
    reader.parse(text)
    for _ in range(2):
        table = reader.parse(f"{text.rstrip()}\n{bad}\n")
        assert [s.key for s in table.services] == [s.key for s in whole.services]
        assert [s.destinations for s in table.services] == [s.destinations for s in whole.services]
        assert len(reader.problems) == 1, "the row that was left out is said"
        # Something else changes: the bad row is still known as one.
        text += "\n"
    assert reader.parse(text.rstrip() + "\n").services
    assert reader.problems == []


def test_other_servers_of_a_dump_stay() -> None:
    text = (DATA / "keepalived-dumps" / "keepalived_check.data").read_text()
    before = parse_checks(text)
    assert before
    first = text.index("RIP = ")
    port = re.search(r"RPORT = (\d+)", text[first:])
    assert port is not None
    at = first + port.start(1)
    after = parse_checks(text[:at] + LONG + text[at + len(port.group(1)) :])
    assert after is not None
    assert {state.server for state in after} >= {state.server for state in before[1:]}


def test_other_instances_of_a_json_dump_stay() -> None:
    rows = [{"data": {"iname": "A", "vrid": 1e999}}, {"data": 5}, 7, {"data": {"iname": "B"}}]
    found = parse_json(json.dumps(rows))
    assert found is not None
    assert [(one.name, one.vrid) for one in found] == [("A", 0), ("B", 0)]


def test_a_change_with_an_odd_number_is_still_said() -> None:
    text = f"Changing weight from {'9' * 30} to 1 for active service [10.0.0.3]:tcp:80 of VS "
    (fact,) = facts_of(f"{text}[10.0.0.20]:tcp:80")
    assert not isinstance(fact, WeightChanged)
    assert facts_of("Removing service [10.0.0.3]:tcp:80 from VS [10.0.0.20]:tcp:80") == (
        ServerChanged(
            ServiceKey.of("tcp", "10.0.0.20", 80), ServerKey("10.0.0.3", 80), False, "removed"
        ),
    )


@pytest.mark.parametrize(
    "meta",
    [
        "5",
        "[]",
        "null",
        '{"at": "x"}',
        '{"files": 5}',
        "[" * 9000,
        '{"at": NaN}',
        '{"hosts": [5]}',
        "{",
        '{"timer_s": 1e999}',
    ],
    ids=range(10),
)
def test_a_damaged_record_is_one_row_with_its_reason(meta: str) -> None:
    other = "20261129T061816-000000"
    text = f"state {ID} armed\nmeta {ID} {meta}\nleft {ID} 40\nmeta {other} {META}\nend\n"
    newest, damaged_one = parse_history(text, "lb1")
    assert (newest.id, newest.problem, newest.who) == (other, "", "alice")
    assert damaged_one.id == ID
    assert "can not be read" in damaged_one.problem
    assert damaged_one.title == damaged_one.problem
    # What waits still waits, with its seconds, whatever its record is like.
    assert (damaged_one.ended, damaged_one.left_s) == (Ended.WAITING, 40)
    # The other director's record of it is whole.
    (both,) = (e for e in merged([(damaged_one,), parse_history(HISTORY, "lb2")]) if e.id == ID)
    assert (both.problem, both.who, len(both.standing)) == ("", "alice", 2)


def test_an_id_that_is_more_than_an_id_is_left_out() -> None:
    assert parse_history("state $(reboot) armed\nstate ../x armed\nend\n", "lb1") == ()


@pytest.mark.parametrize(
    "text",
    [
        '{"vips": 5}',
        '{"files": [5]}',
        '{"files": [{"path": 5, "sha256": "x"}]}',
        '{"files": [{"path": "/a"}]}',
        "[" * 100_000,
        "5",
        '{"vips": ["²"]}',
        '{"sysctls": "x"}',
    ],
    ids=range(8),
)
def test_a_damaged_manifest_says_so(text: str) -> None:
    assert manifest(text).problem


# Engines


def test_any_fault_over_one_director_is_its_own_trouble() -> None:
    def work(name: str) -> str:
        if name == "lb2":
            return str(int("²"))
        if name == "lb3":
            raise RemoteError(ErrorKind.HANGS, "lb3: not done in 120 s")
        return name

    for names in (["lb1", "lb2", "lb3"], ["lb2"]):
        found = {name: (value, error) for name, value, error in at_once(names, work)}
        value, error = found["lb2"]
        assert value is None
        assert error is not None
        assert "not understood: ValueError: invalid literal" in str(error)
        assert "(test_parsers_total.py:" in str(error), "its place is said"
        assert isinstance(error.__cause__, ValueError), "the trace is kept"
    assert at_once(["lb1"], work) == [("lb1", "lb1", None)]
    assert isinstance(at_once(["lb3", "lb1"], work)[0][2], RemoteError)


@pytest.mark.parametrize("answer", ["² 0 0", f"{LONG} 0 0", "0 0", "a b c", "-1 0 0", "0 0 0 0"])
def test_a_host_whose_id_says_nonsense_does_not_make_root(answer: str) -> None:
    def execute(command: CommandLine) -> Raw:
        return Raw(0, answer.encode(), b"", 0.1)

    become = Become(execute, Access("rs1"), "ops", CredentialCache(Nobody()))
    with pytest.raises(RemoteError, match="rs1"):
        become._find(1.0)


class Nobody:
    """Knows and accepts nothing."""

    def accept_key(self, key: object) -> bool:
        return False

    def secret(self, request: object) -> None:
        return None
