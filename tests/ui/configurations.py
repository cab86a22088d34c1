"""A configuration for screens: two files in memory that the sites of `pictures` could run."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from lvstui.keepalived.files import Files
from lvstui.keepalived.parser import parse
from lvstui.keepalived.tree import Tree

from .pictures import CONF

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


class FakeFiles:
    """As ConfigFiles, in memory."""

    def __init__(self, files: Mapping[str, bytes] | None = None, config_id: str = "lb1") -> None:
        self.files = dict(SITE if files is None else files)
        self.config_id = config_id
        self.error: OSError | None = None
        self.reads = 0
        self.gate: threading.Event | None = None
        """Reading waits for it."""

    def read(self, pid: int = 0, daemon_file: str = "") -> Tree:
        """As in ConfigFiles."""
        self.reads += 1
        if self.gate is not None:
            self.gate.wait(5)
        if self.error is not None:
            raise self.error

        def bytes_of(path: str) -> bytes:
            try:
                return self.files[path]
            except KeyError:
                raise FileNotFoundError(2, "No such file or directory", path) from None

        return parse(next(iter(self.files)), Files(bytes_of), self.config_id)

    def stamp(self, paths: Sequence[str]) -> object:
        """As in ConfigFiles."""
        return tuple(self.files.get(path) for path in paths)
