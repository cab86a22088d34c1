# What there is of keepalived on a director. Reads only; nothing is signalled, nothing is written.
# One fact a line, bytes as `blob` tells them. Comes behind common.sh; root to see everything.
# BRIEF: only what changes while it runs.
line /proc/sys/kernel/random/boot_id && echo "boot $REPLY"
line /proc/sys/kernel/hostname && echo "node $REPLY"
line /proc/uptime && echo "uptime ${REPLY%% *}"
while read -r key value _; do
  case $key in btime) echo "booted $value"; break ;; esac
done < /proc/stat
while read -r key value _; do
  case $key in Uid:) echo "user $value"; break ;; esac
done < /proc/self/status
find_parent
echo "pid $pid"
program=
if [ "$pid" != 0 ]; then
  ticks_of "$pid" && echo "ticks $TICKS"
  children=
  if [ -r "/proc/$pid/task/$pid/children" ]; then
    REPLY=; line "/proc/$pid/task/$pid/children"; children=$REPLY
  else
    for folder in /proc/[0-9]*; do
      ticks_of "${folder#/proc/}" && [ "$PPID_" = "$pid" ] && children="$children ${folder#/proc/}"
    done
  fi
  for child in $children; do
    is_keepalived "$child" || continue
    blocked=0
    while read -r key value; do
      case $key in SigBlk:) blocked=$value; break ;; esac
    done < "/proc/$child/status"
    REPLY=; line "/proc/$child/comm"
    echo "child $child $TICKS $blocked $REPLY"
  done
  for role in vrrp checkers bfd; do
    for file in /run/$role.pid /run/keepalived/*$role*.pid /run/${role}_*.pid /var/run/$role.pid; do
      [ -r "$file" ] && { REPLY=; line "$file"; echo "pidfile $role $REPLY"; }
    done
  done
  if [ -z "$BRIEF" ]; then
    blob argv < "/proc/$pid/cmdline"
    if [ -r "/proc/$pid/environ" ]; then
      tr '\0' '\n' < "/proc/$pid/environ" | sed -n 's/^TMPDIR=//p' | blob tmpdir
    fi
    if [ -r "/proc/$pid/exe" ]; then program=/proc/$pid/exe; fi
    if [ -d /run/systemd/system ] && command -v systemctl >/dev/null 2>&1; then
      unit=$(sed -n 's|.*/\([^/]*\.service\)$|\1|p' "/proc/$pid/cgroup" | head -n 1)
      [ -n "$unit" ] || unit=keepalived.service
      [ "$(systemctl show -p MainPID "$unit" 2>/dev/null)" = "MainPID=$pid" ] && echo "unit $unit"
    fi
  fi
  # The copy of what it has loaded: a memory file, or an unlinked one (tmp_config_directory).
  ls -l "/proc/$pid/fd" 2>/dev/null | while read -r entry; do
    number=${entry%% -> *}; number=${number##* }
    case $entry in
      *consolidated_configuration*) blob loaded < "/proc/$pid/fd/$number"; break ;;
      *'/#'*' (deleted)')
        [ "$(head -c 3 "/proc/$pid/fd/$number")" = '# /' ] &&
          { blob loaded < "/proc/$pid/fd/$number"; break; } ;;
    esac
  done
elif [ -z "$BRIEF" ]; then
  if [ -d /run/systemd/system ] && systemctl cat keepalived.service >/dev/null 2>&1; then
    echo "unit keepalived.service"
  fi
fi
if [ -z "$BRIEF" ]; then
  # As `by_systemd` of guard.sh: what takes a change back after a boot.
  [ ! -d /run/systemd/system ] || ! command -v systemctl >/dev/null 2>&1 || echo "systemd yes"
  [ -n "$program" ] || program=$(command -v keepalived)
  [ -z "$program" ] || {
    echo "program $program"
    echo "hz $(getconf CLK_TCK 2>/dev/null || echo 100)"
    "$program" --version 2>&1 | head -n 1 | blob version; }
fi
[ ! -r /proc/net/ip_vs ] || blob table < /proc/net/ip_vs
ip -o addr show 2>/dev/null | blob addresses
echo end
