"""Configurations as people write them, for the tests of edits: every odd style at once."""

from __future__ import annotations

import fnmatch
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace

from hypothesis import strategies as st

from lvstui.keepalived.edit.draft import Draft
from lvstui.keepalived.text.files import Files
from lvstui.keepalived.text.parser import parse
from lvstui.keepalived.text.tree import Tree
from lvstui.model.config import Configuration, Place

MAIN = "/etc/keepalived/keepalived.conf"


@dataclass(frozen=True, slots=True)
class World:
    """Files of one director."""

    files: Mapping[str, bytes]
    config_id: str = "lb1"
    plain: bool = False
    """One statement a line, nothing given by definitions: every edit must work."""

    @property
    def reader(self) -> Files:
        """How the files are read."""

        def read(path: str) -> bytes:
            if path not in self.files:
                raise FileNotFoundError(2, "No such file", path)
            return self.files[path]

        def expand(pattern: str) -> Sequence[str]:
            return sorted(path for path in self.files if fnmatch.fnmatch(path, pattern))

        return Files(read, expand)

    def draft(self) -> Draft:
        """A draft of it."""
        return Draft(MAIN, self.reader, self.config_id)

    def tree(self) -> Tree:
        """Its tree."""
        return parse(MAIN, self.reader, self.config_id)


@dataclass(slots=True)
class Writer:
    """Writes lines in one style."""

    draw: st.DrawFn
    plain: bool
    indent: str = field(init=False)
    newline: str = field(init=False)
    brace: str = field(init=False)
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.indent = self.draw(st.sampled_from(["    ", "\t", "  ", ""]))
        self.newline = self.draw(st.sampled_from(["\n", "\n", "\r\n"]))
        self.brace = self.draw(st.sampled_from([" {", " {", "{", "   {", "\n{"]))

    def one_in(self, count: int) -> bool:
        """True once in so many times."""
        return self.draw(st.integers(0, count - 1)) == count - 1

    def comment(self) -> str:
        """A comment, or none."""
        if not self.one_in(4):
            return ""
        return self.draw(st.sampled_from([" # seen", "\t! } not {", ' # "', " #", "  # 備註 {"]))

    def line(self, depth: int, text: str, comment: str = "", prefix: str = "") -> None:
        """One line, perhaps with a comment line or a blank one before it."""
        if self.one_in(8):
            self.lines.append(self.draw(st.sampled_from(["", "  ", "# note {", "\t!! }", "#"])))
        self.lines.append(prefix + self.indent * depth + text + (comment or self.comment()))

    def open(self, depth: int, text: str, comment: str = "") -> None:
        """The header of a block."""
        if self.brace.startswith("\n"):
            self.line(depth, text, comment)
            self.lines.append(self.indent * depth + "{")
        else:
            self.line(depth, text + self.brace, comment)

    def close(self, depth: int) -> None:
        """The end of a block, sometimes glued to what stands before it."""
        last = self.lines[-1]
        glue = not self.plain and self.one_in(8) and "#" not in last and "!" not in last
        if glue and last.strip():
            self.lines[-1] += self.draw(st.sampled_from([" }", "}"]))
        else:
            self.line(depth, "}")

    def text(self) -> bytes:
        """What was written."""
        last = self.newline if self.plain or not self.one_in(5) else ""
        return (self.newline.join(self.lines) + last).encode()


def _server(write: Writer, number: int) -> None:
    name = f" # rs{number}" if write.one_in(2) else ""
    header = f"real_server 10.0.0.{number} 80"
    if not write.plain and write.one_in(8):
        write.line(
            1,
            write.draw(
                st.sampled_from(
                    [
                        header + " { weight 5 }",
                        header + " { }",
                        header + "{TCP_CHECK{}}",
                        header + " { weight 5 } # off",
                    ]
                )
            ),
            " # one",
        )
        return
    write.open(1, header, name)
    weight = write.draw(
        st.sampled_from(
            ["", "weight 10", "weight 3", 'weight "4"', "weight 5 6", "two"]
            + ([] if write.plain else ["$W", "hosts", "other"])
        )
    )
    if weight == "two":
        write.line(2, "weight 8")
        write.line(2, "weight 9")
    elif weight == "$W":
        write.line(2, "weight $W")
    elif weight in ("hosts", "other"):
        write.line(2, "weight 11", prefix="@lb1 " if weight == "hosts" else "")
        write.line(2, "weight 12", prefix="@lb2 ")
    elif weight:
        write.line(2, weight)
    if write.one_in(3):
        write.line(2, "inhibit_on_failure")
    for kind in write.draw(st.lists(st.sampled_from(["TCP", "HTTP", "MISC"]), max_size=2)):
        _check(write, kind, number)
    write.close(1)


def _check(write: Writer, kind: str, number: int) -> None:
    if kind == "TCP":
        write.open(2, "TCP_CHECK")
        write.line(3, "connect_timeout 3")
    elif kind == "MISC":
        write.open(2, "MISC_CHECK")
        write.line(3, f'misc_path "/bin/check --to 10.0.0.{number} # not one"')
    else:
        write.open(2, "HTTP_GET")
        write.open(3, "url")
        write.line(4, "path /health")
        write.line(4, "status_code 200")
        write.close(3)
    write.close(2)


def _service(write: Writer, files: dict[str, bytes], number: int) -> None:
    if write.one_in(2):
        write.lines.append("")
    header = write.draw(
        st.sampled_from(
            [f"virtual_server 10.0.1.{number} 80"]
            + (
                []
                if write.plain
                else [f"virtual_server fwmark {number}", "virtual_server group web"]
            )
        )
    )
    write.open(0, header, f" # pool{number}" if write.one_in(2) else "")
    for line in ("delay_loop 6", "lb_algo wrr", "lb_kind DR", "quorum 2", "weight 3"):
        if line == "lb_kind DR" or write.one_in(2):
            write.line(1, line)
    if "fwmark" not in header:
        write.line(1, "protocol TCP")
    if write.one_in(3):
        write.line(1, "sorry_server 10.0.0.99 80")
    servers = write.draw(st.lists(st.integers(1, 9), min_size=2, max_size=4, unique=True))
    for server in servers:
        if not write.plain and write.one_in(8):
            path = posixpath.join(posixpath.dirname(MAIN), f"rs{server}.inc")
            if path not in files:
                inner = Writer(write.draw, False)
                _server(inner, server)
                files[path] = inner.text()
            write.line(1, f"include rs{server}.inc")
        elif not write.plain and write.one_in(10):
            write.line(1, f"~SEQ(i,{server + 20},{server + 21}) $RS")
        else:
            _server(write, server)
    write.close(0)


def _instance(write: Writer, number: int) -> None:
    write.open(0, f"vrrp_instance VI_{number}")
    write.line(1, "interface eth0")
    write.line(1, f"virtual_router_id {number}")
    if write.plain or write.one_in(2):
        write.line(1, "priority 150")
    else:
        write.line(1, "priority 150", prefix="@lb1 ")
        write.line(1, "priority 100", prefix="@lb2 ")
    vips = [f"10.0.2.{number}/24", f"10.0.3.{number} dev eth1"]
    if not write.plain and write.one_in(3):
        write.line(1, f"virtual_ipaddress {{ {vips[0]} }}", " # one")
    else:
        write.open(1, "virtual_ipaddress")
        for vip in vips:
            write.line(2, vip)
        write.close(1)
    if write.one_in(2):
        write.open(1, "authentication")
        write.line(2, "auth_type PASS")
        write.line(2, 'auth_pass "a #{1"')
        write.close(1)
    write.close(0)


@st.composite
def worlds(draw: st.DrawFn, plain: bool = False) -> World:
    """A configuration of one or two files and more."""
    write = Writer(draw, plain)
    files: dict[str, bytes] = {}
    write.line(0, "! Configuration File for keepalived", " ")
    if not plain:
        write.lines += ["$W=6", "$RS= real_server 10.0.0.${i} 80 { \\", "  weight 2 \\", "  }"]
        write.lines += ["virtual_server_group web {", "  10.0.4.1-3 80", "}"]
    if write.one_in(2):
        write.open(0, "vrrp_script chk")
        write.line(1, 'script "/bin/true"')
        write.close(0)
    for number in range(1, draw(st.integers(1, 2)) + 1):
        _instance(write, number)
    for number in range(1, draw(st.integers(1, 3)) + 1):
        _service(write, files, number)
    files[MAIN] = write.text()
    return World(files, plain=plain)


def unplaced(configuration: Configuration) -> Configuration:
    """`configuration` without files, places, digest and problems: what it means alone."""
    bare = replace(configuration, files=(), digest="", problems=())
    found = _unplaced(bare)
    assert isinstance(found, Configuration)
    return found


def _unplaced(value: object) -> object:
    if isinstance(value, Place):
        return None
    if isinstance(value, tuple):
        return tuple(map(_unplaced, value))
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _unplaced(getattr(value, f.name)) for f in fields(value)})
    return value
