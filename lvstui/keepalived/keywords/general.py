"""The words outside every block, of global_defs, and of the blocks that belong to no service."""

TABLES: dict[str, str] = {}

ROOT = """
linkbeat_use_polling     flag | ask each interface's link state instead of being told
net_namespace            name        restart   | the network namespace that keepalived runs in
net_namespace_ipvs       name        restart   | the network namespace whose IPVS table it keeps
namespace_with_ipsets    flag        start     | use ipsets although a namespace is set
use_pid_dir              flag        start     | pid files stand in /run/keepalived
instance                 name        restart   | name of this keepalived among several
child_wait_time!         seconds     =5        | how long children may take to end
global_defs              block                 | what counts for the whole daemon
SSL                      block       secret    | certificate and key of SSL_GET
virtual_server_group!    entries:words | addresses, ports and marks that one service has together
virtual_server!          block                 | a service that clients see, and its real servers
track_group              block                 | instances that share a tracked thing
static_ipaddress         entries:network       | addresses that stay whoever is master
static_routes            entries:words         | routes that stay whoever is master
static_rules             entries:words         | routing rules that stay whoever is master
vrrp_sync_group          block                 | instances that change state together
garp_group               block                 | interfaces that share the pace of gratuitous ARP
linkbeat_interfaces      entries:interface     | interfaces whose link state is asked for
vrrp_instance            block                 | a VIP group with its election
vrrp_script!             block                 | a command whose result counts in elections
vrrp_track_process!      block                 | a process whose life counts in elections
track_file!              block                 | a file whose number counts in elections
vrrp_track_file!         block:track_file      | old spelling of track_file
interface_up_down_delays entries:interface +2.2.0 | how long a link has to stay before it counts
bfd_instance!            block                 | a BFD session with a neighbour
"""

TABLES["global_defs"] = """
process_names            words       start     | names of the processes, as ps shows them
process_name!            name                  | name of the main process
vrrp_process_name!       name                  | name of the VRRP process
checker_process_name!    name +2.2.0           | name of the health checkers' process
lvs_process_name!        name                  | the same by its other spelling
bfd_process_name!        name                  | name of the BFD process
use_symlink_paths        bool        +2.3.0    | keep symbolic links in the paths of scripts
router_id                name        =the host's name | how this host calls itself in mails and SNMP
notification_email       entries:mail          | who gets mail
notification_email_from  mail                  | sender of the mail
smtp_server!             host                  | where mail is given to, and its port
smtp_helo_name           host        =the host's name | how we call ourselves to it
smtp_connect_timeout!    seconds     =30       | how long it may take to answer
smtp_alert               bool        =off      | mail about everything
smtp_alert_vrrp          bool        =off      | mail about changes of state
smtp_alert_checker       bool        =off      | mail about checks that fail
no_email_faults          flag                  | no mail about FAULT
no_checker_emails        flag                  | no mail about checks
startup_script           command               | runs when keepalived starts
startup_script_timeout   seconds     =10       | how long it may run
shutdown_script          command               | runs when keepalived ends
shutdown_script_timeout  seconds     =10       | how long it may run
max_auto_priority        number                | highest scheduling priority that it may give itself
min_auto_priority_delay  number:us   =1000000  | lateness from which that priority rises
checker_log_all_failures bool        =off      | log each failure, not only changes
dynamic_interfaces       words                 | interfaces may come and go
default_interface        interface   =eth0     | for static addresses that name none
disable_local_igmp       flag        restart +2.2.0 | leave joining the multicast group to others
v3_checksum_as_v2        bool        +2.2.8    | VRRP 3 checksums without pseudo header
lvs_timeouts             words                 | IPVS timeouts of tcp, tcpfin and udp
lvs_flush                flag                  | empty the kernel's table at the start
lvs_flush_on_stop        words +2.2.0          | empty the kernel's table at the end
lvs_flush_onstop         words                 | old spelling of lvs_flush_on_stop
lvs_sync_daemon          sync                  | copies connections to the other director
vrrp_mcast_group4!       address     =224.0.0.18 | where adverts go to
vrrp_mcast_group6!       address     =ff02::12 | where adverts of IPv6 go to
vrrp_garp_master_delay!  seconds     =5        | the second set of gratuitous ARP follows after
vrrp_garp_master_repeat! number 1..  =5        | gratuitous ARPs in a set
vrrp_garp_master_refresh! seconds    =0        | the master announces again this often; 0: never
vrrp_garp_master_refresh_repeat! number 1.. =1 | gratuitous ARPs each time
vrrp_garp_lower_prio_delay! seconds  =vrrp_garp_master_delay
    | the second set follows an advert of lower priority after
vrrp_garp_lower_prio_repeat! number  =vrrp_garp_master_repeat
    | gratuitous ARPs after an advert of lower priority
vrrp_down_timer_adverts! number 1..100 +2.2.0 =3 | missed adverts until the master counts as gone
vrrp_garp_interval!      seconds     =0        | time between two gratuitous ARPs of an interface
vrrp_gna_interval!       seconds     =0        | the same for neighbour advertisements
vrrp_min_garp            bool        =off      | one gratuitous ARP for each address, once
vrrp_garp_extra_if       words +2.2.0          | announce on other interfaces as well
vrrp_vmac_garp_intvl     words +2.2.0          | announce VMACs this often
vrrp_lower_prio_no_advert bool       =off      | no answer to adverts of lower priority
vrrp_higher_prio_send_advert bool    =off      | one more advert when a better one takes over
vrrp_version!            choice:2/3  =2        | VRRP version of instances that give none
vrrp_iptables            name                  | iptables chains that keep VIPs unreachable
vrrp_ipsets              names                 | ipsets for the same
nftables                 name        restart   | nftables table that keeps VIPs unreachable
nftables_priority!       number                | of that table's chains
nftables_ifindex         flag                  | match interfaces by number
nftables_counters        flag                  | count what the rules match
nftables_ipvs            name        restart +2.2.0 | nftables table that sets marks for groups
nftables_ipvs_priority!  number +2.2.0         | of that table's chains
nftables_ipvs_start_fwmark! number +2.2.0      | first mark that it uses
vrrp_check_unicast_src   flag                  | take unicast adverts of known peers only
vrrp_skip_check_adv_addr bool        =off      | do not compare the addresses of each advert
vrrp_strict              bool        =off      | keep to the letter of the RFC
vrrp_priority            number      -20..19   | nice value of the VRRP process
vrrp_no_swap             flag                  | keep the VRRP process in memory
vrrp_rt_priority         number                | real-time priority of the VRRP process
vrrp_cpu_affinity        words                 | CPUs of the VRRP process
vrrp_rlimit_rttime!      number:us             | limit of its real-time run
vrrp_rlimit_rtime!       number:us             | old spelling of the same
vrrp_startup_delay!      seconds     =0        | wait before the first election
vrrp_delay_after_boot    seconds +2.4.0 =0     | wait that long after the host's start
vrrp_notify_priority_changes bool    =off      | tell the fifo of changed priorities
vrrp_rx_bufs_policy      words                 | how the receive buffers' size is found
vrrp_rx_bufs_multiplier  number      =3        | times what is needed at least
vrrp_owner_ignore_adverts bool +2.3.3 =off     | the address owner takes no adverts
log_unknown_vrids        flag                  | log adverts of other routers
notify_fifo              path        =none     | pipe that gets every change
notify_fifo_script       command               | reads that pipe
vrrp_notify_fifo         path        =none     | pipe that gets changes of VRRP
vrrp_notify_fifo_script  command               | reads that pipe
fifo_write_vrrp_states_on_reload flag +2.2.5   | tell all states again after a reload
lvs_notify_fifo          path        =none     | pipe that gets changes of real servers
lvs_notify_fifo_script   command               | reads that pipe
checker_priority         number      -20..19   | nice value of the checkers
checker_no_swap          flag                  | keep the checkers in memory
checker_rt_priority      number                | real-time priority of the checkers
checker_cpu_affinity     words                 | CPUs of the checkers
checker_rlimit_rttime!   number:us             | limit of their real-time run
checker_rlimit_rtime!    number:us             | old spelling of the same
bfd_priority             number      -20..19   | nice value of the BFD process
bfd_no_swap              flag                  | keep the BFD process in memory
bfd_rt_priority          number                | real-time priority of the BFD process
bfd_cpu_affinity         words                 | CPUs of the BFD process
bfd_rlimit_rttime!       number:us             | limit of its real-time run
bfd_rlimit_rtime!        number:us             | old spelling of the same
snmp_socket              opaque                | where the SNMP agent listens
enable_traps             flag                  | send SNMP traps
enable_snmp_vrrp         flag                  | SNMP of VRRP
enable_snmp_keepalived   flag                  | the same by its old name
enable_snmp_rfc          flag                  | SNMP of both RFCs
enable_snmp_rfcv2        flag                  | SNMP of RFC 2787
enable_snmp_rfcv3        flag                  | SNMP of RFC 6527
enable_snmp_checker      flag                  | SNMP of services
snmp_vs_stats_update_interval seconds +2.3.0   | age of a service's counters in SNMP
snmp_rs_stats_update_interval seconds +2.3.0   | age of a server's counters in SNMP
enable_dbus              words       =off      | tell changes on the bus
dbus_service_name        name                  | under that name
dbus_no_interface_name   name        +2.3.0    | what stands for an instance without interface
script_user              user        =keepalived_script, else root | whom scripts run as
enable_script_security   flag                  | no script of root that others may write
vrrp_netlink_cmd_rcv_bufs number:bytes         | netlink buffer of commands
vrrp_netlink_cmd_rcv_bufs_force bool           | above the kernel's limit
vrrp_netlink_monitor_rcv_bufs number:bytes     | netlink buffer of news
vrrp_netlink_monitor_rcv_bufs_force bool       | above the kernel's limit
process_monitor_rcv_bufs number:bytes          | buffer of news about processes
process_monitor_rcv_bufs_force bool            | above the kernel's limit
lvs_netlink_cmd_rcv_bufs number:bytes          | netlink buffer of the checkers' commands
lvs_netlink_cmd_rcv_bufs_force bool            | above the kernel's limit
lvs_netlink_monitor_rcv_bufs number:bytes      | netlink buffer of the checkers' news
lvs_netlink_monitor_rcv_bufs_force bool        | above the kernel's limit
rs_init_notifies         flag                  | run notify scripts at the first check, too
vmac_prefix!             name +2.2.0 =vrrp     | names of VMAC interfaces begin so
vmac_addr_prefix!        name +2.2.0           | names of their address interfaces begin so
umask!                   words                 | of files that keepalived writes
random_seed!             number                | for tests: makes delays the same each time
reload_check_config      bool +2.2.0 =off      | test the files before a reload
reload_time_file         path                  | holds the time of the next reload
reload_repeat            flag                  | reload each time that file changes
reload_file              path +2.2.0           | this file asks for a reload
include_check            words +2.2.0          | how strictly includes are read
config_save_dir!         path +2.2.3           | loaded configurations are kept there
tmp_config_directory     path        restart +2.2.0 | where the loaded copy stands
data_use_instance        bool        start +2.2.3 | names of dump files hold the instance
json_version             choice:1/2  +2.2.8    | shape of the JSON dump
iproute_usr_dir          path        +2.3.2    | where names of tables and protocols stand
iproute_etc_dir          path        +2.3.2    | the same, of this host
state_dump_file          path        +2.3.3    | the dump that SIGUSR1 asks for
stats_dump_file          path        +2.3.3    | the dump that SIGUSR2 asks for
json_dump_file           path        +2.3.3    | the JSON dump
"""

TABLES["SSL"] = """
ca                       path                  | certificate of the authority
certificate              path                  | our certificate
key                      secret                | our private key
password                 secret                | of that key
"""

TABLES["garp_group"] = """
garp_interval!           seconds     =0        | time between two gratuitous ARPs
gna_interval!            seconds     =0        | time between two neighbour advertisements
interface!               interface             | the one interface of the group
interfaces               entries:interface     | the interfaces of the group
"""

TABLES["track_group"] = """
group                    entries:names         | its members
"""

TABLES["track_file"] = """
file                     path                  | the file that is read
weight                   number -254..254 =1   | times the file's number, added to the priority
init_file                words                 | write a number into it at the start
"""

TABLES["vrrp_script"] = """
script                   command               | Command: exit 0: good
interval!                seconds 0.000001..4294 whole:2.3.2 =1 | Run every: seconds
timeout!                 seconds 0.000001..4294 whole:2.3.2 =interval
    | Timeout: seconds until it has failed
weight!                  number -253..253 =0   | Weight: added to the priority; 0: FAULT on failure
rise!                    number 1..i32 =1      | Rise: successes until it is good
fall!                    number 1..i32 =1      | Fall: failures until it is bad
user!                    user        =keepalived_script, else root | As user: who runs it
init_fail                flag        =no       | Begins as bad: until it ran once
"""

TABLES["vrrp_track_process"] = """
process!                 process               | name of the program, and its arguments
param_match              words                 | how its arguments are compared
weight                   number -254..254 =0   | added to the priority
quorum!                  number 1..  =1        | how many have to run
quorum_max!              number                | how many may run
delay!                   seconds     =0        | both changes count after
terminate_delay!         seconds     =0        | its end counts after
fork_delay!              seconds     =0        | its start counts after
full_command             flag                  | compare the whole command line
"""

TABLES["bfd_instance"] = """
source_ip!               address               | our address
neighbor_ip!             address               | the neighbour's
neighbour_ip!            address               | the same
min_rx!                  number:ms   =10       | how often it may send
min_tx!                  number:ms   =10       | how often we send
idle_tx!                 number:ms   =1000     | how often we send while it is down
multiplier!              number 1..255 =5      | missed packets until it is down
passive                  flag                  | wait for the neighbour to begin
ttl!                     number 1..255         | of what we send
hoplimit!                number 1..255         | the same for IPv6
max_hops!                number 0..255         | routers between us
multihop                 flag        +2.2.8    | there may be routers between us
weight!                  number -253..253 =0   | added to the priority of what tracks it
vrrp                     flag                  | for VRRP only
checker                  flag                  | for health checks only
"""
