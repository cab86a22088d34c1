"""Which keywords keepalived knows, and which of them open a block (2.2.7 to 2.4.3).

Only what decides the nesting is here: whether a keyword opens a block of keywords, a block of
plain values, or none. What is in no table is an unknown keyword, and keepalived then does not
take the braces behind it for a block.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keyword:
    """What may follow one keyword."""

    inner: Mapping[bytes, Keyword] | None = None
    """The keywords of its block; None when it opens none."""
    values: bool = False
    """Its block holds plain values up to the first closing brace."""
    secret: bool = False
    """What stands behind it, or in its block, must never be shown."""


Keywords = Mapping[bytes, Keyword]

_LEAF = Keyword()
_VALUES = Keyword(values=True)
_SECRET = Keyword(secret=True)


def _table(leaves: str, values: str = "", **blocks: Keyword) -> dict[bytes, Keyword]:
    table = dict.fromkeys(leaves.encode().split(), _LEAF)
    table.update(dict.fromkeys(values.encode().split(), _VALUES))
    table.update({name.encode(): keyword for name, keyword in blocks.items()})
    return table


_TIMING = "retry delay_before_retry warmup delay_loop alpha log_all_failures"
_CONNECT = f"connect_ip connect_port bindto bind_port bind_if connect_timeout fwmark {_TIMING}"
_TUNING = "connect_timeout retry delay_before_retry warmup delay_loop"

_URL = Keyword(
    _table(
        "path digest status_code virtualhost regex regex_no_match regex_options "
        "regex_min_offset regex_max_offset regex_stack tls_compliant"
    )
)
_HTTP = Keyword(
    _table(
        f"{_CONNECT} nb_get_retry virtualhost http_protocol enable_sni fast_recovery tls_compliant",
        url=_URL,
    )
)

CHECKERS: Keywords = {
    b"TCP_CHECK": Keyword(_table(_CONNECT)),
    b"HTTP_GET": _HTTP,
    b"SSL_GET": _HTTP,
    b"SMTP_CHECK": Keyword(_table(f"{_CONNECT} helo_name", host=Keyword(_table(_CONNECT)))),
    b"DNS_CHECK": Keyword(_table(f"{_CONNECT} type name")),
    b"MISC_CHECK": Keyword(_table(f"{_TIMING} misc_path misc_timeout misc_dynamic user")),
    b"PING_CHECK": Keyword(_table(_CONNECT)),
    b"UDP_CHECK": Keyword(
        _table(f"{_CONNECT} payload require_reply min_reply_length max_reply_length")
    ),
    b"FILE_CHECK": Keyword(_table("track_file weight")),
    b"BFD_CHECK": Keyword(_table("name alpha")),
}
"""Health checks of a real server."""

_REAL_SERVER = Keyword(
    _table(
        f"{_TUNING} weight lvs_method uthreshold lthreshold inhibit_on_failure notify_up "
        "notify_down alpha smtp_alert virtualhost snmp_name"
    )
    | dict(CHECKERS)
)

_VIRTUAL_SERVER = Keyword(
    _table(
        f"{_TUNING} ip_family inhibit_on_failure lb_algo lvs_sched hashed ops flag-1 flag-2 flag-3 "
        "sh-port sh-fallback mh-port mh-fallback lb_kind lvs_method persistence_engine "
        "persistence_timeout persistence_granularity protocol ha_suspend smtp_alert virtualhost "
        "snmp_name alpha omega quorum_up quorum_down quorum hysteresis weight sorry_server "
        "sorry_server_inhibit sorry_server_lvs_method",
        real_server=_REAL_SERVER,
    )
)

_TRACKED = "track_interface track_script track_file track_process track_bfd"
_NOTIFY = "notify_backup notify_master notify_fault notify_stop notify smtp_alert"

_INSTANCE = Keyword(
    _table(
        f"{_NOTIFY} use_vmac use_vmac_addr vmac_xmit_base use_ipvlan unicast_fault_no_peer "
        "check_unicast_src old_unicast_checksum native_ipv6 state interface vrf "
        "dont_track_primary mcast_src_ip unicast_src_ip mcast_dst_ip track_src_ip "
        "virtual_router_id unicast_ttl version priority advert_int no_virtual_ipaddress "
        "promote_secondaries linkbeat_use_polling v3_checksum_as_v2 accept no_accept "
        "skip_check_adv_addr strict_mode preempt nopreempt preempt_delay debug notify_deleted "
        "notify_master_rx_lower_pri notify_priority_changes lvs_sync_daemon_interface "
        "garp_master_delay garp_master_refresh garp_master_repeat garp_master_refresh_repeat "
        "garp_lower_prio_delay garp_lower_prio_repeat down_timer_adverts timer_expired_backup "
        "thread_timer_expired garp_extra_if vmac_garp_intvl lower_prio_no_advert "
        "higher_prio_send_advert owner_ignore_adverts kernel_rx_buf_size",
        f"{_TRACKED} unicast_peer virtual_ipaddress virtual_ipaddress_excluded virtual_routes "
        "virtual_rules",
        authentication=Keyword(_table("auth_type") | {b"auth_pass": _SECRET}, secret=True),
        auth_hmac=Keyword(
            _table("active_key time_window anti_replay mode") | {b"key": _SECRET}, secret=True
        ),
    )
)

_SYNC_GROUP = Keyword(
    _table(
        f"{_NOTIFY} global_tracking sync_group_tracking_weight notify_priority_changes",
        f"group {_TRACKED}",
    )
)

_GLOBAL = Keyword(
    _table(
        "process_names process_name vrrp_process_name checker_process_name lvs_process_name "
        "bfd_process_name use_symlink_paths router_id notification_email_from smtp_server "
        "smtp_helo_name smtp_connect_timeout smtp_alert startup_script startup_script_timeout "
        "shutdown_script shutdown_script_timeout max_auto_priority min_auto_priority_delay "
        "smtp_alert_vrrp smtp_alert_checker checker_log_all_failures dynamic_interfaces "
        "no_email_faults default_interface disable_local_igmp v3_checksum_as_v2 lvs_timeouts "
        "lvs_flush lvs_flush_on_stop lvs_flush_onstop lvs_sync_daemon vrrp_mcast_group4 "
        "vrrp_mcast_group6 vrrp_garp_master_delay vrrp_garp_master_repeat "
        "vrrp_garp_master_refresh vrrp_garp_master_refresh_repeat vrrp_garp_lower_prio_delay "
        "vrrp_garp_lower_prio_repeat vrrp_down_timer_adverts vrrp_garp_interval "
        "vrrp_gna_interval vrrp_min_garp vrrp_garp_extra_if vrrp_vmac_garp_intvl "
        "vrrp_lower_prio_no_advert vrrp_higher_prio_send_advert vrrp_version vrrp_iptables "
        "vrrp_ipsets nftables nftables_priority nftables_ifindex vrrp_check_unicast_src "
        "vrrp_skip_check_adv_addr vrrp_strict vrrp_priority vrrp_no_swap vrrp_rt_priority "
        "vrrp_cpu_affinity vrrp_rlimit_rttime vrrp_rlimit_rtime nftables_ipvs "
        "nftables_ipvs_priority nftables_ipvs_start_fwmark nftables_counters notify_fifo "
        "notify_fifo_script vrrp_notify_fifo vrrp_notify_fifo_script "
        "vrrp_notify_priority_changes fifo_write_vrrp_states_on_reload lvs_notify_fifo "
        "lvs_notify_fifo_script checker_priority checker_no_swap checker_rt_priority "
        "checker_cpu_affinity checker_rlimit_rttime checker_rlimit_rtime bfd_priority bfd_no_swap "
        "bfd_rt_priority bfd_cpu_affinity bfd_rlimit_rttime bfd_rlimit_rtime snmp_socket "
        "enable_traps enable_snmp_vrrp enable_snmp_keepalived enable_snmp_rfc enable_snmp_rfcv2 "
        "enable_snmp_rfcv3 enable_snmp_checker snmp_vs_stats_update_interval "
        "snmp_rs_stats_update_interval enable_dbus dbus_service_name dbus_no_interface_name "
        "script_user enable_script_security vrrp_netlink_cmd_rcv_bufs "
        "vrrp_netlink_cmd_rcv_bufs_force vrrp_netlink_monitor_rcv_bufs "
        "vrrp_netlink_monitor_rcv_bufs_force process_monitor_rcv_bufs "
        "process_monitor_rcv_bufs_force lvs_netlink_cmd_rcv_bufs lvs_netlink_cmd_rcv_bufs_force "
        "lvs_netlink_monitor_rcv_bufs lvs_netlink_monitor_rcv_bufs_force rs_init_notifies "
        "no_checker_emails vrrp_rx_bufs_policy vrrp_rx_bufs_multiplier vrrp_startup_delay "
        "vrrp_delay_after_boot log_unknown_vrids vrrp_owner_ignore_adverts vmac_prefix "
        "vmac_addr_prefix umask random_seed reload_check_config reload_time_file reload_repeat "
        "reload_file include_check config_save_dir tmp_config_directory data_use_instance "
        "json_version iproute_usr_dir iproute_etc_dir state_dump_file stats_dump_file "
        "json_dump_file",
        "notification_email",
    )
)

_TRACK_FILE = Keyword(_table("file weight init_file"))

ROOT: Keywords = _table(
    "linkbeat_use_polling net_namespace net_namespace_ipvs namespace_with_ipsets use_pid_dir "
    "instance child_wait_time",
    "virtual_server_group static_ipaddress static_routes static_rules linkbeat_interfaces "
    "interface_up_down_delays",
    global_defs=_GLOBAL,
    SSL=Keyword(_table("ca certificate key") | {b"password": _SECRET}, secret=True),
    virtual_server=_VIRTUAL_SERVER,
    track_group=Keyword(_table("", "group")),
    vrrp_sync_group=_SYNC_GROUP,
    garp_group=Keyword(_table("garp_interval gna_interval interface", "interfaces")),
    vrrp_instance=_INSTANCE,
    vrrp_script=Keyword(_table("script interval timeout weight rise fall user init_fail")),
    vrrp_track_process=Keyword(
        _table(
            "process param_match weight quorum quorum_max delay terminate_delay fork_delay "
            "full_command"
        )
    ),
    bfd_instance=Keyword(
        _table(
            "source_ip neighbor_ip neighbour_ip min_rx min_tx idle_tx multiplier passive ttl "
            "hoplimit max_hops multihop weight vrrp checker"
        )
    ),
    track_file=_TRACK_FILE,
    vrrp_track_file=_TRACK_FILE,
)
"""The keywords outside every block."""

KNOWN_WORDS: frozenset[bytes]
"""Every keyword of every block: a comment that begins with one is configuration switched off."""


def _collect(table: Keywords, into: set[bytes]) -> set[bytes]:
    for name, keyword in table.items():
        into.add(name)
        if keyword.inner is not None:
            _collect(keyword.inner, into)
    return into


KNOWN_WORDS = frozenset(_collect(ROOT, set()))
