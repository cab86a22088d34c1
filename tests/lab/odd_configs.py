"""Configurations that are legal, seen in the field, and not what they look like."""

ODD: dict[str, str] = {
    "inheritance": """\
virtual_server 192.168.200.10 80 {
  delay_loop 7
  retry 4
  delay_before_retry 2
  warmup 3
  connect_timeout 9
  weight 6
  alpha
  inhibit_on_failure
  lb_algo wrr
  lb_kind DR
  protocol TCP
  real_server 192.168.200.11 80 {
    TCP_CHECK {
    }
  }
  real_server 192.168.200.12 80 {
    weight 0
    delay_loop 5
    retry 2
    inhibit_on_failure no
    alpha no
    lvs_method NAT
    TCP_CHECK {
      connect_timeout 1.5
      retry 1
      delay_before_retry 4
      warmup 0.5
    }
    MISC_CHECK {
      misc_path /bin/true
    }
  }
}
""",
    "defaults": """\
virtual_server 192.168.200.10 53 {
  real_server 192.168.200.11 53 {
    DNS_CHECK {
    }
  }
  real_server 192.168.200.12 53 {
    HTTP_GET {
      url {
        path /
        status_code 200
      }
    }
    MISC_CHECK {
      misc_path /bin/true
    }
  }
}
""",
    "late-method": """\
virtual_server 192.168.200.10 80 {
  protocol TCP
  real_server 192.168.200.11 8080 {
    TCP_CHECK {
    }
  }
  sorry_server 192.168.200.13 8081
  lb_kind DR
  lb_algo sh
  sh-port
}
""",
    "ports": """\
virtual_server 192.168.200.10 80 {
  lb_kind NAT
  lb_algo rr
  protocol TCP
  real_server 192.168.200.11 8080 {
    TCP_CHECK {
    }
  }
  real_server 192.168.200.12 {
    TCP_CHECK {
    }
  }
  real_server 192.168.200.12 80 {
    weight 9
  }
}
virtual_server 192.168.200.10 {
  lb_kind DR
  lb_algo rr
  protocol TCP
  real_server 192.168.200.11 {
    weight 2
  }
}
virtual_server fwmark 9 {
  lb_kind DR
  lb_algo rr
  real_server 192.168.200.11 80 {
    TCP_CHECK {
      connect_port 80
    }
  }
}
""",
    "quorum": """\
virtual_server 192.168.200.10 80 {
  lb_kind DR
  lb_algo rr
  protocol TCP
  quorum 9
  hysteresis 4
  persistence_timeout
  persistence_granularity 255.255.255.0
  real_server 192.168.200.11 80 {
    weight 2
    weight 3
    uthreshold 20
    lthreshold 10
  }
}
virtual_server 192.168.200.10 81 {
  lb_kind DR
  lb_algo rr
  protocol TCP
  real_server 192.168.200.11 81 {
    weight 0
  }
}
virtual_server 192.168.200.10 82 {
  lb_kind DR
  lb_algo rr
  protocol TCP
  quorum 3
  hysteresis 3
  omega
  real_server 192.168.200.11 82 {
    weight 2
  }
  real_server 192.168.200.12 82 {
    weight 4
  }
}
""",
    "six": """\
virtual_server fd00:0::10 80 {
  lb_kind DR
  lb_algo mh
  mh-port
  protocol SCTP
  persistence_timeout 60
  persistence_granularity 64
  real_server FD00::11 80 {
  }
  real_server 192.168.200.11 80 {
  }
}
""",
    "groups": """\
virtual_server_group ONE {
  192.168.200.10-12 80
  fd00::5 80
}
virtual_server_group MARKS {
  fwmark 3
  fwmark 4 inet
}
virtual_server group ONE {
  lb_kind TUN
  lb_algo rr
  protocol TCP
  real_server 192.168.200.11 80 {
  }
}
virtual_server group MARKS {
  lb_kind DR
  lb_algo rr
  real_server 192.168.200.11 80 {
    weight 3
  }
}
virtual_server group NONE {
  lb_kind DR
  lb_algo rr
  protocol TCP
  real_server 192.168.200.11 80 {
  }
}
""",
    "ports-of-groups": """\
virtual_server_group TWO {
  192.168.200.20 80
  192.168.200.21 81
}
virtual_server group TWO {
  lb_kind DR
  lb_algo rr
  protocol TCP
  real_server 192.168.210.11 8080 {
    weight 3
  }
  real_server 192.168.210.12 {
    weight 3
  }
}
virtual_server_group NATTED {
  192.168.200.30 80
  192.168.200.31 81
  fwmark 7
}
virtual_server group NATTED {
  lb_kind NAT
  lb_algo rr
  protocol TCP
  ha_suspend
  real_server 192.168.210.11 8080 {
  }
  real_server 192.168.210.12 {
  }
}
virtual_server 192.168.200.40 80 {
  lb_kind NAT
  lb_algo rr
  protocol TCP
  alpha
  sorry_server 192.168.210.13
  real_server 192.168.210.11 8080 {
    MISC_CHECK {
      misc_path /bin/false
    }
  }
}
""",
    "owner": """\
vrrp_instance A {
  state MASTER
  interface eth0
  virtual_router_id 1
  nopreempt
  virtual_ipaddress {
    192.168.200.50
  }
}
vrrp_instance B {
  interface eth0
  virtual_router_id 2
  priority 255
  preempt_delay 4
  virtual_ipaddress {
    192.168.200.51
  }
}
vrrp_instance C {
  interface eth0
  virtual_router_id 3
  nopreempt
  preempt_delay 4
  strict_mode
  down_timer_adverts 5
  authentication {
    auth_type PASS
    auth_pass secret
  }
  virtual_ipaddress {
    192.168.200.52
  }
}
""",
    "twice": """\
virtual_server 192.168.200.10 80 {
  lb_kind DR
  lb_algo rr
  protocol TCP
  real_server 192.168.200.11 80 {
  }
}
virtual_server 192.168.200.10 80 {
  lb_kind DR
  lb_algo wrr
  protocol UDP
  ops
  real_server 192.168.200.12 80 {
  }
}
virtual_server 192.168.200.10 90 {
  lb_kind DR
  protocol TCP
}
""",
    "one-line": """\
vrrp_instance A{
interface eth0
virtual_router_id 1
priority 120}
vrrp_instance B { interface eth0
 virtual_router_id 2
 authentication { auth_type PASS auth_pass secret }
 virtual_ipaddress { 192.168.200.50/24 192.168.200.51/24 } }
vrrp_instance C {
  interface eth0
  virtual_router_id 3
  priority 10
  priority 20
  state MASTER
  nopreempt
  advert_int 0.4
  virtual_ipaddress {
    192.168.200.53/24
  }
}
vrrp_instance C {
  interface eth1
  virtual_router_id 4
  virtual_ipaddress {
    192.168.200.54/24
  }
}
""",
    "globals-behind": """\
vrrp_instance A {
  interface eth0
  virtual_router_id 1
  advert_int 0.25
  preempt_delay 12
  virtual_ipaddress {
    192.168.200.50
    192.168.200.51/24 dev eth1
    192.168.200.50
  }
  virtual_ipaddress_excluded {
    fd00::50/64
    192.168.200.52/32 dev eth2
  }
}
global_defs {
  vrrp_version 3
  vrrp_garp_master_delay 9
  vrrp_garp_master_refresh 60
  vrrp_skip_check_adv_addr
}
global_defs {
  vrrp_garp_master_delay 4
  vrrp_garp_lower_prio_repeat 2
}
""",
    "strict": """\
global_defs {
  vrrp_strict
  vrrp_garp_lower_prio_repeat 2
}
vrrp_instance A {
  interface eth0
  virtual_router_id 1
  garp_lower_prio_delay 3
  virtual_ipaddress {
    192.168.200.50
  }
}
vrrp_instance B {
  interface eth0
  virtual_router_id 2
  strict_mode off
  garp_master_delay 8
  garp_master_repeat 2
  virtual_ipaddress {
    192.168.200.51
  }
}
""",
    "unicast": """\
vrrp_instance A {
  interface eth0
  virtual_router_id 1
  nopreempt
  unicast_src_ip 192.168.200.1
  unicast_peer {
    192.168.200.2
    192.168.200.3
  }
  authentication {
    auth_type AH
    auth_pass secret
  }
  state MASTER
  virtual_ipaddress {
    192.168.200.50
  }
}
vrrp_instance SIX {
  interface eth1
  virtual_router_id 1
  virtual_ipaddress {
    fe80::50/64
    fd00::51/64
    192.168.200.60
  }
  virtual_ipaddress_excluded {
    192.168.200.61
  }
}
vrrp_sync_group G {
  group {
    A SIX
  }
}
""",
    "definitions": """\
$NET=192.168.200
$RS= \\
  real_server ${NET}.${N} 80 { \\
    weight ${N} \\
  }
virtual_server ${NET}.10 80 {
  lb_kind DR
  lb_algo rr
  protocol TCP
@lb1 quorum 2
@lb2 quorum 5
@^lb1 alpha
  ~SEQ(N,11,13) $RS
}
""",
    "tracking": """\
global_defs {
  enable_script_security
  script_user root
}
vrrp_script good {
  script /bin/true
  interval 2
  weight 10
  rise 3
}
vrrp_script none {
  interval 2
}
track_file lever {
  file /root/lever
  weight 2
}
vrrp_instance A {
  interface eth0
  virtual_router_id 1
  track_script {
    good
    gone
    none
  }
  track_interface {
    eth1 weight 5
  }
  track_file {
    lever
  }
  virtual_ipaddress {
    192.168.200.50
  }
}
""",
}
