"""The words of vrrp_instance and vrrp_sync_group."""

TABLES: dict[str, str] = {}

_NOTIFY = """
notify_backup!           notify                | runs when it becomes BACKUP
notify_master!           notify                | runs when it becomes MASTER
notify_fault!            notify                | runs when it falls into FAULT
notify_stop!             notify                | runs when keepalived ends
notify!                  notify                | runs at every change of state
notify_priority_changes  bool        =off      | tell of changed priorities, too
smtp_alert               bool        <global_defs | mail about changes of state
"""
_TRACKED = """
track_interface          entries:interface     | its link counts in the election
track_script             entries:names         | its result counts in the election
track_file               entries:names         | its number counts in the election
track_process            entries:names         | its processes count in the election
track_bfd                entries:names         | its neighbours count in the election
"""

TABLES["vrrp_instance"] = f"""
use_vmac                 names | a MAC address of its own, on an interface of that name
use_vmac_addr            names +2.2.0          | the same for addresses on other interfaces
vmac_xmit_base           flag                  | adverts leave by the interface below
use_ipvlan               words                 | an IPVLAN in place of a VMAC
unicast_fault_no_peer    flag +2.2.0           | FAULT when no peer is left
check_unicast_src        flag        <global_defs | take unicast adverts of known peers only
old_unicast_checksum     words                 | as keepalived up to 1.3.6 made them
native_ipv6              flag                  | an instance of IPv6
state!                   choice:MASTER/BACKUP =BACKUP | State: at the start
interface!               interface ..15        | Interface: where adverts go
vrf!                     interface +2.2.0      | the VRF that it works in
dont_track_primary       flag                  | the link of its interface does not count
mcast_src_ip!            address               | source of multicast adverts
unicast_src_ip!          address               | Own address: for unicast adverts
mcast_dst_ip!            address     <global_defs +2.2.0 | where adverts go to
track_src_ip             flag                  | FAULT when that address is gone
virtual_router_id!       number 1..255 | Router id: the same on every director, unique on the wire
unicast_ttl!             number 0..255 =255    | TTL of unicast adverts
version!                 choice:2/3 <global_defs =2 | VRRP version: 3 for IPv6
priority!                number 1..255 =100    | Priority: the highest is master
advert_int!              seconds 0.01..255 whole: =1
    | Advert every: seconds, the same on every director; fractions with version 3
no_virtual_ipaddress     flag        +2.2.8    | it has no VIP on purpose
promote_secondaries      flag                  | other addresses stay when the first one goes
linkbeat_use_polling     flag        <linkbeat_use_polling | ask for the link's state
v3_checksum_as_v2        bool        +2.2.8 <global_defs | VRRP 3 checksums without pseudo header
accept                   flag                  | take packets to the VIP although not its owner
no_accept                flag                  | take no packets to the VIP
skip_check_adv_addr      bool <global_defs =off | do not compare the addresses of each advert
strict_mode              bool <global_defs =off | keep to the letter of the RFC
preempt                  flag        =yes      | a better one takes over
nopreempt                flag        =no       | No preempt: a better one waits; needs BACKUP
preempt_delay!           seconds 0..1000 =0    | Preempt after: seconds that a better one waits
debug!                   number 0..4 =0        | how much is logged
notify_deleted           flag                  | tell DELETED in place of FAULT when it is removed
notify_master_rx_lower_pri! notify             | runs when a MASTER hears a lower priority
lvs_sync_daemon_interface! interface           | old: see lvs_sync_daemon of global_defs
garp_master_delay!       seconds <global_defs =5 | the second set of gratuitous ARP follows after
garp_master_refresh!     seconds <global_defs =0 | the master announces again this often; 0: never
garp_master_repeat!      number 1.. <global_defs =5 | gratuitous ARPs in a set
garp_master_refresh_repeat! number 1.. <global_defs =1 | gratuitous ARPs each time
garp_lower_prio_delay!   seconds <global_defs =garp_master_delay
    | the second set follows an advert of lower priority after
garp_lower_prio_repeat!  number <global_defs =garp_master_repeat
    | gratuitous ARPs after an advert of lower priority
garp_extra_if            words       <global_defs +2.2.0 | announce on other interfaces as well
vmac_garp_intvl          words       <global_defs +2.2.0 | announce the VMAC this often
down_timer_adverts!      number 1..100 <global_defs +2.2.0 =3
    | missed adverts until the master counts as gone
timer_expired_backup     bool        +2.2.8    | a MASTER that was held up becomes BACKUP
thread_timer_expired     words       +2.3.2    | how late it may be before that
lower_prio_no_advert     bool <global_defs =off | no answer to adverts of lower priority
higher_prio_send_advert  bool <global_defs =off | one more advert when a better one takes over
owner_ignore_adverts     bool        +2.3.3 <global_defs | the address owner takes no adverts
kernel_rx_buf_size       number:bytes          | the socket's receive buffer
unicast_peer             entries:address       | Peer: address of the other director
virtual_ipaddress        entries:network       | VIP: address with prefix: 10.0.0.9/24 dev eth0
virtual_ipaddress_excluded entries:network     | VIPs that adverts do not name
virtual_routes           entries:words         | routes that the master has
virtual_rules            entries:words         | routing rules that the master has
authentication           block       secret    | version 2 only
auth_hmac                block       secret +2.4.0 | signed adverts
{_NOTIFY}{_TRACKED}"""

TABLES["authentication"] = """
auth_type!               choice:PASS/AH =none  | Authentication: version 2 only
auth_pass!               secret ..8            | Password: up to 8 bytes, in clear text on the wire
"""

TABLES["auth_hmac"] = """
key                      secret                | number and secret
active_key               number                | the one to sign with
time_window              seconds               | how far clocks may differ
anti_replay              words                 | refuse adverts that come twice
mode                     words                 | what happens to adverts without signature
"""

TABLES["vrrp_sync_group"] = f"""
group                    entries:names         | its instances
global_tracking          flag                  | what members track counts for all
sync_group_tracking_weight flag                | weights of what it tracks count
{_NOTIFY}{_TRACKED}"""

_ROUTE = (
    "advmss as congctl cwnd dev dsfield fastopen_no_cookie features from gw hoplimit initcwnd "
    "initrwnd lock metric mtu oif or preference priority protocol quickack realms reordering "
    "rto_min rtt rttvar scope src ssthresh table to tos ttl-propagate via vrf weight window"
)
_RULE = (
    "dev dport dsfield from fwmark goto iif ipproto lookup oif order preference priority protocol "
    "realms sport sup_group sup_pl suppress_ifgroup suppress_prefixlength table to tos tunnel-id "
    "type uidrange"
)
ENTRY_REQUIRED = {
    "virtual_server_group": "fwmark",
    "virtual_routes": _ROUTE,
    "static_routes": _ROUTE,
    "virtual_rules": _RULE,
    "static_rules": _RULE,
}
ROUTE_TYPES = "unicast local broadcast multicast throw unreachable prohibit blackhole nat anycast"
