"""The words of virtual_server, real_server, and health checks."""

TABLES: dict[str, str] = {}

_FORWARDING = "choice:DR/NAT/TUN"
_SCHEDULERS = "dh/fo/lblc/lblcr/lc/mh/nq/ovf/rr/sed/sh/twos/wlc/wrr"

TABLES["virtual_server"] = f"""
protocol!                choice:TCP/UDP/SCTP =UDP
    | Protocol: keepalived takes UDP when it is missing
ip_family!               choice:inet/inet6     | of a firewall mark
lb_algo!                 choice:{_SCHEDULERS} =wlc | Scheduler: how a server is picked
lvs_sched!               choice:{_SCHEDULERS} =wlc | the same by its other name
lb_kind!                 {_FORWARDING} =NAT    | Forwarding: keepalived takes NAT when it is missing
lvs_method!              {_FORWARDING} =NAT    | the same by its other name
persistence_timeout      number:s 1..2678400 =off; without a port 360
    | Persistence: seconds that a client stays with its server
persistence_granularity! words                 | the mask that makes clients one
persistence_engine!      name                  | how clients are told apart, sip
quorum!                  number 1..u32 =1
    | Quorum: sum of the weights alive below which the sorry server steps in
hysteresis!              number 0..u32 =0      | Hysteresis: over and under the quorum
delay_loop!              seconds 0.000001.. =60 | Check every: seconds from one check to the next
connect_timeout!         seconds 0.000001.. =5 | Timeout: seconds until a connect has failed
retry!                   number 1..u32 =1      | Retries: failures in a row that are forgiven
delay_before_retry!      seconds 0.000001.. =1; HTTP_GET and SSL_GET 3
    | Retry after: seconds until it runs again
warmup!                  seconds 0.. =delay_loop | Warm-up: checks begin within this time, at random
alpha                    flag        =no       | Starts as down: no traffic before its first check
omega                    flag        =no       | Notify at the end: run the down scripts at shutdown
ops                      flag        =no       | One packet: each UDP packet is scheduled alone
ha_suspend               flag        =no       | Suspend: no checks while the VIP is elsewhere
inhibit_on_failure       flag        =no       | Keep failed: a failed server stays at weight 0
weight!                  number 1..i32 +1.3.7 65535<2.1.0 =1 | Weight: of servers that give none
quorum_up!               notify                | Quorum up: runs when it is reached
quorum_down!             notify                | Quorum down: runs when it is lost
virtualhost              host                  | Host header: for HTTP_GET and SSL_GET
hashed                   flag                  | scheduler flag
flag-1                   flag                  | scheduler flag
flag-2                   flag                  | scheduler flag
flag-3                   flag                  | scheduler flag
sh-port                  flag                  | the client's port counts for sh
sh-fallback              flag                  | sh picks another one when its server is down
mh-port                  flag                  | the client's port counts for mh
mh-fallback              flag                  | mh picks another one when its server is down
smtp_alert               bool        <global_defs | mail about checks that fail
snmp_name                name +2.2.3           | what SNMP calls it
sorry_server!            words                 | answers when the quorum is lost
sorry_server_inhibit     flag        =no       | Inhibit: failed servers stay at weight 0
sorry_server_lvs_method  {_FORWARDING} =the service's | Forwarding: another one than the service's
real_server!             block                 | a server behind the service
"""

TABLES["real_server"] = f"""
weight!                  number 0..i32 65535<2.1.0 <virtual_server =1
    | Weight: its share; 0: no new connections
inhibit_on_failure       bool <virtual_server =no | Keep failed: stays at weight 0 when it fails
lvs_method!              {_FORWARDING} +1.3.6 <virtual_server =the service's
    | Forwarding: another one than the service's
uthreshold!              number 0..u32 =0      | Upper limit: connections; 0: none
lthreshold!              number 0..u32 =0      | Lower limit: connections; 0: none
delay_loop!              seconds 0.000001.. +1.3.7 <virtual_server =the service's
    | Check every: seconds from one check to the next
connect_timeout!         seconds 0.000001.. +2.0.13 <virtual_server =the service's
    | Timeout: seconds until a connect has failed
retry!                   number 1..u32 +1.3.7 <virtual_server =the service's
    | Retries: failures in a row that are forgiven
delay_before_retry!      seconds 0.000001.. +1.3.7 <virtual_server =the service's
    | Retry after: seconds until it runs again
warmup!                  seconds 0.. +1.3.7 <virtual_server =the service's
    | Warm-up: checks begin within this time, at random
alpha                    bool <virtual_server =the service's
    | Starts as down: no traffic before its first check
notify_up!               notify                | When up: runs when it comes back
notify_down!             notify                | When down: runs when it fails
virtualhost              host        <virtual_server | Host header: for HTTP_GET and SSL_GET
smtp_alert               bool        <virtual_server | mail about checks that fail
snmp_name                name +2.2.3           | what SNMP calls it
TCP_CHECK                block:connect         | a connection is made
HTTP_GET                 block:http            | pages are asked for
SSL_GET                  block:https           | pages are asked for over TLS
SMTP_CHECK               block                 | a mail server greets
DNS_CHECK                block                 | a name server answers
MISC_CHECK               block                 | a command's result counts
PING_CHECK               block:connect +2.0.20 | it answers to pings
UDP_CHECK                block +2.0.20         | nothing refuses a packet
FILE_CHECK               block +2.1.0          | a file's number is the weight
BFD_CHECK                block +2.0.0          | its BFD session is up
"""

_TIMING = """
delay_loop!              seconds 0.000001.. <real_server =60
    | Check every: seconds from one check to the next
retry!                   number 0..u32 <real_server =1
    | Retries: failures in a row that are forgiven
delay_before_retry!      seconds 0.000001.. <real_server =1
    | Retry after: seconds until it runs again
warmup!                  seconds 0.. <real_server =delay_loop
    | Warm-up: checks begin within this time, at random
alpha                    bool <real_server =the server's
    | Starts as down: no traffic before its first check
log_all_failures         bool        <global_defs | log each failure, not only changes
"""

TABLES["connect"] = _CONNECT = f"""
connect_ip!              address     =the server's | Address: instead of the server's own
connect_port!            port 1..65535 =the server's | Port: instead of its own
bindto!                  address               | From address: source of the check
bind_port!               port 1..65535         | From port: source of the check
bind_if!                 interface ..15        | Interface: for link-local addresses
fwmark!                  number 0..u32         | Mark: on packets of the check
connect_timeout!         seconds 0.000001.. <real_server =5
    | Timeout: seconds until a connect has failed
{_TIMING}"""

_PAGES = f"""{_CONNECT}
nb_get_retry!            number      =1        | old spelling of retry
virtualhost              host        <real_server | Host header: of the request
http_protocol            choice:1.0/1.0C/1.1 =1.0
    | HTTP: version of the request
enable_sni               flag        =no       | SNI: name the host in the handshake
fast_recovery            flag                  | one good answer is enough after a failure
"""
_TLS = """
tls_compliant            bool        +2.2.8    | an answer has to end as TLS wants it
"""

TABLES["http"] = f"""{_PAGES}
url                      block                 | a page and what it has to be
"""

TABLES["https"] = f"""{_PAGES}{_TLS}
url                      block:https_url       | a page and what it has to be
"""

TABLES["url"] = """
path!                    url                   | Path: what is asked for: /health
status_code              words       =200-299  | Status: a code, or 200-299
digest!                  opaque ..32           | Digest: MD5 of the answer (genhash)
virtualhost              host                  | the host that is asked for
regex                    opaque                | what the answer has to hold
regex_no_match           flag                  | the answer must not hold it
regex_options            words                 | how it is matched
regex_min_offset         number:bytes          | where it may begin
regex_max_offset         number:bytes          | where it has to begin before
regex_stack              number:bytes          | memory for the match
"""

TABLES["https_url"] = TABLES["url"] + _TLS

TABLES["SMTP_CHECK"] = f"""{_CONNECT}
helo_name                host        =this host | HELO: how we call ourselves
host                     block:connect         | old: another host to be asked
"""

TABLES["DNS_CHECK"] = f"""{_CONNECT}
type!                    choice:A/NS/CNAME/SOA/MX/TXT/AAAA/RRSIG/DNSKEY =SOA | Record: of that name
name!                    host        =.        | Name: what is asked for
"""

TABLES["MISC_CHECK"] = f"""{_TIMING}
misc_path                command               | Command: exit 0: up
misc_timeout!            number:s 0..4294 =delay_loop | Timeout: seconds until it is killed
misc_dynamic             flag        =no       | Sets weight: exit 2-255: weight is that less 2
user                     user        =keepalived_script, else root | As user: who runs it
"""

TABLES["UDP_CHECK"] = f"""{_CONNECT}
payload                  opaque +2.2.0         | Payload: hexadecimal bytes to send
require_reply            words       =no       | Needs a reply: silence is a failure
min_reply_length!        number:bytes 0..65535 +2.2.0 =0 | Shortest reply: bytes
max_reply_length!        number:bytes 0..65535 +2.2.0 =255 | Longest reply: bytes
"""

TABLES["FILE_CHECK"] = """
track_file!              name        +2.1.0    | File: name of a track_file block
weight                   number -i32..i32 +2.1.0 =1 | Factor: the file's number times this
"""

TABLES["BFD_CHECK"] = """
name                     name        +2.0.0    | BFD instance: name of a bfd_instance block
alpha                    bool +2.0.0 <real_server =no
    | Starts as down: no traffic before its first check
"""
