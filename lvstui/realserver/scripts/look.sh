# Prints what a real server is and has; changes nothing. POSIX sh, also busybox and old bash.
# Comes behind guard.sh. Set before it: N (marker nonce), VIPS and DIPS (addresses, blank between).
PATH=$PATH:/usr/sbin:/sbin:/usr/bin:/bin; export PATH
has() { command -v "$1" >/dev/null 2>&1; }
at() { printf '\n@@%s %s\n' "$N" "$1"; }
if timeout 5 true 2>/dev/null; then t() { timeout 5 "$@" 2>/dev/null; }; else t() { "$@" 2>/dev/null; }; fi
hex() { od -An -v -tx1 | tr -d ' \n'; }
# A file whole: path, mode, owner, group, link target, content in hex.
whole() {
  [ -e "$1" ] || [ -L "$1" ] || return 0
  link=; [ -L "$1" ] && link=$(readlink "$1")
  set -- "$1" $(stat -c '%a %u %g %s' "$1" 2>/dev/null)
  printf 'file\t%s\t%s\t%s\t%s\t%s\t' "$1" "$2" "$3" "$4" "$link"
  if [ -f "$1" ] && [ -r "$1" ] && [ "${5:-0}" -le 262144 ]; then hex < "$1"; else printf '?'; fi
  echo
}

at host
echo "uid $(id -u)"
echo "name $(hostname 2>/dev/null || cat /proc/sys/kernel/hostname)"
echo "kernel $(uname -r)"
echo "boot $(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"
read -r c < /proc/1/comm && echo "init $c"
[ -d /run/systemd/system ] && echo "systemd $(t systemctl --version | sed -n '1s/[^0-9]*\([0-9]*\).*/\1/p')"
{ [ -d /run/openrc ] || [ -x /sbin/openrc-run ]; } && echo "openrc yes"
for p in ip ss nft sysctl ifup systemd-run restorecon flock arping; do
  w=$(command -v $p 2>/dev/null) && echo "program $p $w"
done
for d in /etc /var/lib; do
  # An open for writing is the only question that a read-only mount answers; nothing is written.
  [ -w $d ] && echo "writable $d" || echo "readonly $d"
  echo "free $d $(df -Pk $d 2>/dev/null | awk 'NR==2 {print $4}')"
done

at release
cat /etc/os-release 2>/dev/null || cat /etc/centos-release /etc/redhat-release 2>/dev/null

at addresses
ip -o addr show 2>/dev/null
at links
ip -o link show 2>/dev/null
at rules
ip rule show 2>/dev/null
at routes
for d in $DIPS; do printf 'to %s ' "$d"; ip route get "$d" 2>&1 | head -n 1; done
for v in $VIPS; do
  case $v in
    *:*) printf 'from %s ' "$v"; ip -6 route get 2001:db8::9 from "$v" 2>&1 | head -n 1
         printf 'away %s ' "$v"; ip -6 route get 2001:db8::9 2>&1 | head -n 1 ;;
    *) printf 'from %s ' "$v"; ip route get 198.51.100.9 from "$v" 2>&1 | head -n 1
       printf 'away %s ' "$v"; ip route get 198.51.100.9 2>&1 | head -n 1 ;;
  esac
done

at sysctls
# These files give one read only, so a shell that reads byte by byte sees the first digit and no
# end of line: enough for values below 10, and its status says nothing.
one() { v=; read -r v < "$1"; [ -n "$v" ] && echo "$2 $v"; }
{
  for d in /proc/sys/net/ipv4/conf/*; do
    for k in arp_ignore arp_announce rp_filter; do one "$d/$k" "ipv4 ${d##*/} $k"; done
  done
  for d in all lo; do one /proc/sys/net/ipv6/conf/$d/disable_ipv6 "ipv6 $d disable_ipv6"; done
  for k in ip_forward ip_nonlocal_bind; do one /proc/sys/net/ipv4/$k "ipv4 - $k"; done
  one /proc/sys/net/ipv6/bindv6only "ipv6 - bindv6only"
} 2>/dev/null

at sysctl-files
for d in /etc/sysctl.d /run/sysctl.d /usr/local/lib/sysctl.d /usr/lib/sysctl.d /lib/sysctl.d; do
  [ -d $d ] || continue
  [ $d = /lib/sysctl.d ] && [ -L /lib ] && continue
  for f in $d/*.conf; do
    [ -e "$f" ] || [ -L "$f" ] || continue
    link=; [ -L "$f" ] && link=$(readlink "$f")
    printf 'F\t%s\t%s\n' "$f" "$link"
    grep -nE 'arp_ignore|arp_announce' "$f" 2>/dev/null
  done
done
if [ -e /etc/sysctl.conf ]; then
  printf 'F\t/etc/sysctl.conf\t\n'; grep -nE 'arp_ignore|arp_announce' /etc/sysctl.conf
fi

at network-manager
if has nmcli; then
  t nmcli -t -f RUNNING,VERSION general
  t nmcli -t -f DEVICE,STATE,CONNECTION device | grep '^lo:'
fi
at networkd
if has networkctl; then
  t systemctl is-active systemd-networkd
  t networkctl --no-legend --no-pager list | grep -w lo
  t networkctl --no-pager status lo | grep -i 'network file'
fi
at netplan
if has netplan || [ -d /etc/netplan ]; then
  has netplan && echo "program $(command -v netplan)"
  for f in /etc/netplan/*.yaml; do
    [ -e "$f" ] || continue
    echo "file $f"
    grep -nE '^[[:space:]]*(renderer|lo):' "$f" 2>/dev/null
  done
fi
at ifupdown
if has ifup && [ -e /etc/network/interfaces ]; then
  echo "version $(t ifup --version | head -n 1)"
  echo "service $(t systemctl is-enabled networking || true)"
  # OpenRC, and Debian without systemd.
  for f in /etc/runlevels/boot/networking /etc/rc[S2].d/S[0-9][0-9]networking; do
    [ -e "$f" ] && echo "service enabled"
  done
  whole /etc/network/interfaces
fi
at network-scripts
if [ -d /etc/sysconfig/network-scripts ]; then
  echo "service $(t systemctl is-enabled network || true)"
  echo "active $(t systemctl is-active network || true)"
  [ -e /etc/init.d/network ] && echo "init yes"
  ls /etc/rc3.d/S*network >/dev/null 2>&1 && echo "rc yes"
  for f in /etc/sysconfig/network-scripts/ifcfg-lo*; do
    case $f in *\~ | *.bak | *.orig | *.rpm*) continue ;; esac
    whole "$f"
  done
fi
at wicked
if has wicked; then
  echo "active $(t systemctl is-active wickedd || true)"
  whole /etc/sysconfig/network/ifcfg-lo
fi

at ours
whole /var/lib/lvstui/manifest.json
for f in /etc/sysctl.d/99-zz-lvstui.conf /etc/systemd/system/lvstui-vip.service \
  /etc/network/interfaces.d/lvstui /etc/netplan/90-lvstui.yaml \
  /etc/systemd/network/10-lvstui-lo.network /etc/systemd/network/*.network.d/lvstui.conf \
  /run/systemd/network/*.network.d/lvstui.conf \
  /etc/NetworkManager/system-connections/lvstui-lo.nmconnection /etc/init.d/lvstui-vip; do
  whole "$f"
done
for d in /var/lib/lvstui/original/*; do [ -e "$d" ] && whole "$d"; done
[ -d /run/systemd/system ] && echo "unit $(t systemctl is-enabled lvstui-vip.service || true)"
[ -e /etc/runlevels/boot/lvstui-vip ] && echo "rc enabled"
if [ -d /var/lib/lvstui/tx ]; then
  standing
  whole /var/lib/lvstui/tx/plan.json
fi
[ -d /var/lib/lvstui/reverted ] && whole /var/lib/lvstui/reverted/log

at mentions
for v in $VIPS; do
  grep -rnFIs -- "$v" /etc/network /etc/netplan /etc/systemd/network /etc/systemd/system \
    /etc/NetworkManager/system-connections /etc/sysconfig/network-scripts /etc/sysconfig/network \
    /etc/rc.local /etc/rc.d/rc.local /etc/local.d /etc/init.d /etc/cron.d /etc/keepalived \
    2>/dev/null | cut -c1-300 | head -n 40
done

at listeners
if has ss; then
  echo ss; ss -ltn 2>/dev/null | head -n 2000; echo udp; ss -lun 2>/dev/null | head -n 2000
elif has netstat; then
  echo netstat; netstat -ltn 2>/dev/null | head -n 2000; echo udp; netstat -lun 2>/dev/null | head -n 2000
else
  echo proc
  for p in tcp tcp6; do awk -v p=$p '$4 == "0A" {print p, $2}' /proc/net/$p 2>/dev/null; done
  for p in udp udp6; do awk -v p=$p 'NR > 1 {print p, $2}' /proc/net/$p 2>/dev/null; done
fi

at processes
# One word for each that writes to addresses or ARP settings; builtins only, hosts have thousands.
for f in /proc/[0-9]*/comm; do
  read -r c < "$f" || continue
  case $c in keepalived | dockerd | containerd | kubelet | kube-proxy | crio | podman | tuned | pacemakerd | corosync | NetworkManager | firewalld | cloud-init) echo "$c" ;; esac
done 2>/dev/null | sort -u

at firewall
if has firewall-cmd; then
  s=$(t firewall-cmd --state); echo "firewalld ${s:-not running}"
  [ "$s" = running ] && t firewall-cmd --list-all | head -n 40 | sed 's/^/firewalld: /'
fi
if has ufw; then t ufw status | head -n 1 | sed 's/^/ufw /'; fi
if has nft; then
  t nft list ruleset | grep -E '^table|type filter hook input|hook input.*policy' | head -n 60 | sed 's/^/nft: /'
fi
if has iptables; then t iptables -S INPUT | head -n 60 | sed 's/^/iptables: /'; fi
if has arptables; then t arptables -S 2>/dev/null | grep -v '^-P' | head -n 20 | sed 's/^/arptables: /'; fi

at selinux
if has getenforce; then getenforce 2>/dev/null; fi
at end
