"""Keywords whose value keepalived insists on: without it the whole daemon ends, at a start and at
a reload ("is missing a parameter", exit status 2).

Measured with keepalived 2.2.7: every keyword of every block, alone on its line.
"""

from __future__ import annotations

from collections.abc import Mapping

_TIMING = "connect_timeout retry delay_before_retry warmup delay_loop"
_CONNECT = f"connect_ip connect_port bindto bind_port bind_if fwmark {_TIMING}"
_NOTIFY = "notify_backup notify_master notify_fault notify_stop notify"


def _set(words: str) -> frozenset[bytes]:
    return frozenset(words.encode().split())


_HTTP = _set(f"{_CONNECT} nb_get_retry")

REQUIRED: Mapping[bytes, frozenset[bytes]] = {
    b"": _set(
        "child_wait_time virtual_server_group virtual_server vrrp_script vrrp_track_process "
        "bfd_instance track_file vrrp_track_file"
    ),
    b"global_defs": _set(
        "process_name vrrp_process_name checker_process_name lvs_process_name bfd_process_name "
        "smtp_server smtp_connect_timeout vrrp_mcast_group4 vrrp_mcast_group6 "
        "vrrp_garp_master_delay vrrp_garp_master_repeat vrrp_garp_master_refresh "
        "vrrp_garp_master_refresh_repeat vrrp_garp_lower_prio_delay vrrp_garp_lower_prio_repeat "
        "vrrp_down_timer_adverts vrrp_garp_interval vrrp_gna_interval vrrp_version "
        "nftables_priority vrrp_rlimit_rttime vrrp_rlimit_rtime nftables_ipvs_priority "
        "nftables_ipvs_start_fwmark checker_rlimit_rttime checker_rlimit_rtime "
        "bfd_rlimit_rttime bfd_rlimit_rtime vrrp_startup_delay vmac_prefix vmac_addr_prefix "
        "umask random_seed config_save_dir"
    ),
    b"virtual_server": _set(
        f"{_TIMING} ip_family lb_algo lvs_sched lb_kind lvs_method persistence_engine "
        "persistence_granularity protocol quorum_up quorum_down quorum hysteresis weight "
        "sorry_server real_server"
    ),
    b"real_server": _set(
        f"{_TIMING} weight lvs_method uthreshold lthreshold notify_up notify_down"
    ),
    b"TCP_CHECK": _set(_CONNECT),
    b"HTTP_GET": _HTTP,
    b"SSL_GET": _HTTP,
    b"url": _set("path digest"),
    b"SMTP_CHECK": _set(_CONNECT),
    b"host": _set(_CONNECT),
    b"DNS_CHECK": _set(f"{_CONNECT} type name"),
    b"MISC_CHECK": _set("retry delay_before_retry warmup delay_loop misc_timeout"),
    b"PING_CHECK": _set(_CONNECT),
    b"UDP_CHECK": _set(f"{_CONNECT} min_reply_length max_reply_length"),
    b"FILE_CHECK": _set("track_file"),
    b"vrrp_sync_group": _set(_NOTIFY),
    b"garp_group": _set("garp_interval gna_interval interface"),
    b"vrrp_instance": _set(
        f"{_NOTIFY} state interface vrf mcast_src_ip unicast_src_ip mcast_dst_ip "
        "virtual_router_id unicast_ttl version priority advert_int preempt_delay debug "
        "notify_master_rx_lower_pri lvs_sync_daemon_interface garp_master_delay "
        "garp_master_refresh garp_master_repeat garp_master_refresh_repeat "
        "garp_lower_prio_delay garp_lower_prio_repeat down_timer_adverts"
    ),
    b"authentication": _set("auth_type auth_pass"),
    b"vrrp_script": _set("interval timeout weight rise fall user"),
    b"vrrp_track_process": _set("process quorum quorum_max delay terminate_delay fork_delay"),
    b"bfd_instance": _set(
        "source_ip neighbor_ip neighbour_ip min_rx min_tx idle_tx multiplier ttl hoplimit "
        "max_hops weight"
    ),
}
"""By the keyword of the block around; empty for the outermost level."""

_ROUTE = _set(
    "advmss as congctl cwnd dev dsfield fastopen_no_cookie features from gw hoplimit initcwnd "
    "initrwnd lock metric mtu oif or preference priority protocol quickack realms reordering "
    "rto_min rtt rttvar scope src ssthresh table to tos ttl-propagate via vrf weight window"
)
_RULE = _set(
    "dev dport dsfield from fwmark goto iif ipproto lookup oif order preference priority protocol "
    "realms sport sup_group sup_pl suppress_ifgroup suppress_prefixlength table to tos tunnel-id "
    "type uidrange"
)

ENTRY_REQUIRED: Mapping[bytes, frozenset[bytes]] = {
    b"virtual_server_group": frozenset((b"fwmark",)),
    b"virtual_routes": _ROUTE,
    b"static_routes": _ROUTE,
    b"virtual_rules": _RULE,
    b"static_rules": _RULE,
}
"""By the keyword of a block of values: words that must not be the last of an entry."""

ROUTE_TYPES = _set(
    "unicast local broadcast multicast throw unreachable prohibit blackhole nat anycast"
)
"""Alone in an entry of routes they lack their address; so does a number."""
