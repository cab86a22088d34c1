# What the scripts of a director share: finding keepalived, and bytes as text. POSIX shell.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin; LC_ALL=C; export PATH LC_ALL

# `@NAME` and base64, or `=NAME` and hexadecimal, to a line with a dot. Processes are few: where each
# one costs, a look costs as many.
if command -v base64 >/dev/null 2>&1; then blob() { echo "@$1"; base64; echo .; }
else blob() { echo "=$1"; od -An -v -tx1; echo .; }
fi
same() {
  if command -v cmp >/dev/null 2>&1; then cmp -s -- "$1" "$2"
  else [ "$(od -An -v -tx1 < "$1")" = "$(od -An -v -tx1 < "$2")" ]; fi
}
line() { # path: its first line, without a process of its own
  IFS= read -r REPLY < "$1" || [ -n "$REPLY" ]
} 2>/dev/null
is_keepalived() { # pid
  REPLY=; line "/proc/$1/comm" || return 1
  case $REPLY in
    [Kk]eepalived*) ;;
    *) REPLY=$(tr '\0' '\n' < "/proc/$1/cmdline" | head -n 1) 2>/dev/null
       [ "${REPLY##*/}" = keepalived ] || return 1 ;;
  esac
  ticks_of "$1"
}
ticks_of() { # pid: STATE, PPID and TICKS (start time since boot, field 22 of stat)
  REPLY=; line "/proc/$1/stat" || return 1
  set -f; set -- ${REPLY##*) }; set +f
  STATE=$1 PPID_=$2 TICKS=${20}
  case $STATE in Z|X|'') return 1 ;; esac
}
ours() { # in our network namespace, as far as we may know
  [ ! -r "/proc/$1/ns/net" ] || [ "/proc/$1/ns/net" -ef /proc/self/ns/net ]
}
only_says() { # -t, -v, -h: a program that says something and ends
  tr '\0' '\n' < "/proc/$1/cmdline" 2>/dev/null |
    grep -q -e '^-t' -e '^--config-test' -e '^-v$' -e '^--version' -e '^-h$' -e '^--signum'
}
find_parent() {
  for file in /run/keepalived.pid /run/keepalived/*keepalived*.pid /run/keepalived_*.pid \
    /var/run/keepalived.pid; do
    [ -r "$file" ] || continue
    REPLY=; line "$file"; pid=${REPLY%% *}
    case $pid in ''|*[!0-9]*) continue ;; esac
    is_keepalived "$pid" && ours "$pid" && return 0
  done
  for folder in /proc/[0-9]*; do
    pid=${folder#/proc/}
    is_keepalived "$pid" || continue
    up=$PPID_
    ours "$pid" || continue
    if is_keepalived "$up"; then continue; fi
    only_says "$pid" || return 0
  done
  pid=0
}
