"""A configuration for screens: two files in memory that the sites of `pictures` could run."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from lvstui.keepalived.daemon.facts import DirectorSeen
from lvstui.keepalived.edit.draft import Draft
from lvstui.keepalived.lint.surroundings import Surroundings
from lvstui.keepalived.text.files import Files
from lvstui.keepalived.text.parser import parse
from lvstui.keepalived.text.tree import Tree
from lvstui.model.changes import Ended
from lvstui.model.files import ConfigFile, ConfigFiles
from lvstui.model.finding import Finding, FindingSeverity
from lvstui.model.picture import Picture
from lvstui.operations.change import Outcome, Progress, ReadBack, Stop, Tell
from lvstui.operations.config_plan import ConfigPlan, FileChange
from lvstui.operations.configuration import DirectorConfigs
from lvstui.remote.runner import RemoteError
from tests.director import RecordedDirector

from . import pictures
from .pictures import CONF, NOW

WEB_CONF = "/etc/keepalived/conf.d/web.conf"
PASSWORD = "g3heim-[b]42"
MAIN = f"""\
! lb1, first director
global_defs {{
    router_id lb1
    notification_email {{
        ops@example.org
    }}
}}

vrrp_instance LB_1 {{
    state BACKUP
    interface eth0
    virtual_router_id 51
    @lb1 priority 150
    @lb2 priority 100
    advert_int 1
    authentication {{
        auth_type PASS
        auth_pass {PASSWORD}
    }}
    # the old password was {PASSWORD} too
    virtual_ipaddress {{
        10.10.0.20/24 dev eth0
    }}
}}

include conf.d/web.conf

virtual_server 10.10.0.20 53 {{ # dns
    lb_algo rr
    lb_kind DR
    protocol UDP
    delay_lop 3
    real_server 10.10.0.3 53 {{ # rs1
        weight 1
        MISC_CHECK {{
            misc_path "/usr/bin/dig @10.10.0.3 example.org"
        }}
    }}
    real_server 10.10.0.4 53 {{ # rs2
        weight 1
    }}
}}
""".encode()
WEB_TEXT = b"""\
# What the shop is made of
virtual_server 10.10.0.20 80 { # web
    lb_algo wrr
    lb_kind DR
    protocol TCP
    delay_loop 3
    real_server 10.10.0.3 80 { # rs1
        weight 10
        TCP_CHECK {
            connect_timeout 2
        }
    }
    real_server 10.10.0.4 80 { # rs2
        weight 10
        TCP_CHECK {
            connect_timeout 2
        }
    }
    real_server 10.10.0.5 80 { # rs3
        weight 10
        HTTP_GET {
            url {
                path /health
                status_code 200
            }
        }
    }
}
"""
SITE: Mapping[str, bytes] = {CONF: MAIN, WEB_CONF: WEB_TEXT}


def noticed(at: float) -> Picture:
    """The site when the source saw, at `at`, that the files may have changed."""
    return replace(pictures.site(), files=ConfigFiles((ConfigFile(CONF, at),)))


class FakeFiles:
    """As ConfigFiles, in memory."""

    def __init__(self, files: Mapping[str, bytes] | None = None, config_id: str = "lb1") -> None:
        self.files = dict(SITE if files is None else files)
        self.config_id = config_id
        self.error: OSError | None = None
        self.reads = 0
        self.looks = 0
        """How often it was asked whether the files changed."""
        self.gate: threading.Event | None = None
        """Reading waits for it."""

    def read(self, pid: int = 0, daemon_file: str = "") -> Tree:
        """As in ConfigFiles."""
        self.reads += 1
        if self.gate is not None:
            self.gate.wait(5)
        if self.error is not None:
            raise self.error

        return parse(next(iter(self.files)), Files(self._bytes), self.config_id)

    def surroundings(self, tree: Tree, version: str) -> Surroundings:
        """As in ConfigFiles; nothing is known but the version."""
        return Surroundings(version=version)

    def draft(self, pid: int = 0, daemon_file: str = "") -> Draft:
        """As in ConfigFiles."""
        if self.error is not None:
            raise self.error
        return Draft(next(iter(self.files)), Files(self._bytes), self.config_id)

    def _bytes(self, path: str) -> bytes:
        try:
            return self.files[path]
        except KeyError:
            raise FileNotFoundError(2, "No such file or directory", path) from None

    def stamp(self, paths: Sequence[str]) -> object:
        """As in ConfigFiles."""
        self.looks += 1
        return tuple(self.files.get(path) for path in paths)


@dataclass(frozen=True)
class FakePast:
    """As in Past."""

    id: str
    title: str
    at: float = NOW - 7200
    who: str = "alice"
    reason: str = ""
    ended: Ended = Ended.KEPT
    left_s: float = 0.0
    end: str = "kept by alice"
    came: float = NOW - 7140
    plight: str = ""


@dataclass
class FakeEngine:
    """As ConfigEngine: the real planner over a recorded director, and what a test wants found
    besides. Applying writes into FakeFiles: the host's part of it runs in the lab only."""

    files: FakeFiles
    refusals: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    typed: str = ""
    unproven: tuple[str, ...] = ()
    fails: bool = False
    """What is read back after the reload is not what was planned."""
    left_s: float = 42.0
    raises: Exception | None = None
    gate: threading.Event | None = None
    """Applying waits for it."""
    past: list[FakePast] = field(default_factory=list)
    applied: list[tuple[ConfigPlan, bool]] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    taken_back: list[str] = field(default_factory=list)
    here: str = "lb1"
    directors: tuple[str, ...] = ("lb1",)
    looks: Mapping[str, DirectorSeen | RemoteError] = field(default_factory=dict)
    asked_back: list[tuple[str, bool, bool]] = field(default_factory=list)
    """(id, again, strict) of each rollback that was planned."""
    bound: int = 0
    """How often the sysctl was set."""

    def look(self) -> Mapping[str, DirectorSeen | RemoteError]:
        """As in ConfigEngine."""
        return self.looks

    def plan(
        self,
        title: str,
        files: Mapping[str, Sequence[FileChange]],
        *,
        timer_s: int = 60,
        looks: object = None,
    ) -> ConfigPlan:
        """As in ConfigEngine."""
        if self.raises is not None:
            raise self.raises
        hosts = [RecordedDirector(self.files.files, host=self.here)]
        for name, changes in files.items():
            if name != self.here:
                there = {one.path: one.before for one in changes if one.before is not None}
                hosts.append(RecordedDirector(there, host=name))
        planner = DirectorConfigs([host.access() for host in hosts])
        plan = planner.plan(title, files, timer_s=timer_s)
        found = [replace(h, findings=(*self.findings, *h.findings)) for h in plan.hosts[:1]]
        return replace(
            plan,
            hosts=(*found, *plan.hosts[1:]),
            refusals=(*self.refusals, *plan.refusals),
            typed=self.typed or plan.typed,
            unproven=(*self.unproven, *plan.unproven),
        )

    def apply(
        self, plan: ConfigPlan, *, force: bool = False, tell: Tell, stop: Stop | None = None
    ) -> Outcome:
        """As in ConfigEngine."""
        tell(Progress(3, 5, "lb1", "writing"))
        if self.gate is not None:
            self.gate.wait(5)
        self.applied.append((plan, force))
        if stop is not None and stop.is_set():
            text = "undone by alice; the old files are back"
            return Outcome(plan, Ended.UNDONE, "c-1", text)
        seen = (
            ReadBack("lb1", "same children", True),
            ReadBack(
                "lb1",
                "tcp 10.10.0.20:80 in the kernel",
                not self.fails,
                "forwarding is NAT" if self.fails else "",
            ),
        )
        if self.fails:
            text = "taken back: what was read back is not what was planned"
            return Outcome(plan, Ended.ROLLED_BACK, "c-1", text, seen)
        for host in plan.hosts:
            for one in host.files:
                assert one.after is not None
                self.files.files[one.path] = one.after
        text = "applied and verified on lb1"
        self.past.insert(0, FakePast("c-1", plan.title, ended=Ended.WAITING, left_s=self.left_s))
        return Outcome(plan, Ended.WAITING, "c-1", text, seen, self.left_s)

    def confirm(self, id_: str) -> Outcome:
        """As in ConfigEngine."""
        self.kept.append(id_)
        return Outcome(self._last, Ended.KEPT, id_, "kept on lb1")

    def take_back(self, id_: str) -> Outcome:
        """As in ConfigEngine."""
        self.taken_back.append(id_)
        text = "undone by alice; the old files are back"
        return Outcome(self._last, Ended.UNDONE, id_, text)

    @property
    def _last(self) -> ConfigPlan:
        return self.applied[-1][0] if self.applied else ConfigPlan("", ())

    def waiting(self) -> tuple[FakePast, ...]:
        """As in ConfigEngine."""
        return tuple(one for one in self.past if one.ended is Ended.WAITING)

    def history(self, only: str = "") -> tuple[FakePast, ...]:
        """As in ConfigEngine."""
        return tuple(one for one in self.past if only in ("", one.id))

    def diff(self, id_: str) -> str:
        """As in ConfigEngine."""
        return f"--- {CONF}\n+++ {CONF}\n-    weight 10\n+    weight 5  ({id_})\n"

    def bind_nonlocal(self) -> tuple[str, ...]:
        """As in `operations.first`."""
        self.bound += 1
        return ("lb1: set, now and after a reboot; read back",)

    def plan_rollback(self, id_: str, *, again: bool = False, strict: bool = False) -> ConfigPlan:
        """As in ConfigEngine."""
        self.asked_back.append((id_, again, strict))
        now = self.files.files[CONF]
        one = FileChange(CONF, now, now.replace(b"weight 1\n", b"weight 2\n", 1))
        return self.plan(f"{'again' if again else 'roll back'} {id_}", {self.here: (one,)})


ERROR = Finding(
    "forwarding-defaults-to-nat",
    FindingSeverity.ERROR,
    "the service becomes NAT",
    evidence="no lb_kind",
    fix="lb_kind DR",
)
"""One that has to be forced."""
