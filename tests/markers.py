"""A configuration with a marker in every place where a secret can stand."""

from __future__ import annotations

import re

MARKED = r"""! Configuration File for keepalived
# rs2 pw=Zq01Mark
# the secret Zq02Mark is for the gateway
global_defs {
    router_id lb1
    smtp_helo_name Zq03Mark
    enable_script_security
    script_user root
    startup_script "/usr/bin/up --apikey Zq04Mark"
    lvs_notify_fifo_script "/usr/bin/fifo Zq05Mark"
}
$TOKEN=Zq06Mark
$FIRST=Zq07
$GATE=${FIRST}Mark7
$LINES= \
    Zq08Mark \
    state
~LST(P,Zq09Mark,Zq10Mark) auth_pass $P
SSL {
    password Zq11Mark
    key Zq12Mark
}
vrrp_script chk {
    script "/usr/bin/check -u user:Zq13Mark -pZq14Mark"
    interval 2 Zq15Mark
}
vrrp_script env {
    script "PGPASSWORD=Zq16Mark /usr/bin/psql -h 10.0.0.3"
}
vrrp_script bare {
    script /usr/bin/check -p Zq17Mark
}
vrrp_track_process web {
    process nginx -c Zq18Mark
}
vrrp_instance VI_1 { # auth_pass was Zq19Mark
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority 150 # Zq20Mark was it
    advert_int 1
    auth_pas Zq21Mark
    Zq22Mark
    "Zq23Mark with blanks"
    authentication {
        # Zq24Mark until may
        auth_type Zq25Mark
        auth_pass "Zq26Mark"
        auth_pass
        Zq27Mark
        auth_hmac Zq28Mark
    }
    auth_hmac Zq49Mark {
        mode Zq50Mark
    }
    virtual_ipaddress {
        10.10.0.20/24 dev eth0
    }
    track_script {
        chk weight 2
    }
    notify_master "/etc/notify.sh Zq29Mark" root
    notify_backup /etc/notify.sh Zq30Mark
    notify "/etc/notify.sh 'Authorization: Bearer Zq31Mark'"
}
virtual_server 10.10.0.20 80 { # web
    delay_loop 3
    lb_algo wrr
    lb_kind DR
    protocol TCP
    virtualhost Zq32Mark
    quorum_up "/usr/bin/up Zq33Mark"
    #quorum_down "/usr/bin/down Zq34Mark"
    real_server 10.10.0.3 80 { # rs1 http://u:Zq35Mark@h/x
        weight 10
        HTTP_GET {
            url {
                path /health/Zq36Mark
                digest Zq37Mark
                regex "Zq38Mark .*"
            }
            url {
                path http://user:Zq39Mark@h.example/x?token=Zq40Mark
            }
            virtualhost Zq41:Mark
        }
    }
    # rs2 Zq42Mark
    real_server 10.10.0.4 80 {
        weight 10
        MISC_CHECK {
            misc_path "/usr/bin/check --token=Zq43Mark --password Zq44Mark -p Zq45Mark"
        }
        UDP_CHECK {
            payload Zq46Mark
        }
        notify_down "/usr/bin/tell Zq47Mark"
    }
}
auth_pass Zq48Mark
"""
MARKER = re.compile(r"Zq\d\d:?(?:Mark)?")
"""What must be seen nowhere."""

assert len(set(MARKER.findall(MARKED))) == 50
