# What the scripts of a director share: finding keepalived, and bytes as text. POSIX shell. Comes
# behind tools.sh.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin; LC_ALL=C; export PATH LC_ALL

# `@NAME` and base64, or `=NAME` and hexadecimal, to a line with a dot. Processes are few: where each
# one costs, a look costs as many.
if command -v base64 >/dev/null 2>&1; then blob() { echo "@$1"; base64; echo .; }
else blob() { echo "=$1"; od -An -v -tx1; echo .; }
fi
only_roots() { # path [top [file]]: it, or `file` in its place, and all folders down to it from `top`
  # belong to root, and nobody else may write there. `top` is another root folder, in place of /.
  case $1 in /*) ;; *) return 1 ;; esac
  rest=$1 top=$2; set -- "${3:-$2$1}"
  while rest=${rest%/*}; [ -n "$rest" ]; do set -- "$@" "$top$rest"; done
  modes=$(stat -L -c %u:%a -- "$@" "$top/" 2>/dev/null) || return 1
  for mode in $modes; do
    case $mode in 0:*[2367]|0:*[2367]?) return 1 ;; 0:*) ;; *) return 1 ;; esac
  done
}
# Everybody can call a process keepalived, in many ways; so what nobody but root can bring about
# decides: all three uids are root's, and so is the program, which is called keepalived where it lies.
# It is held open as descriptor 7, so what is run later is what was looked at.
is_keepalived() { # pid
  called_so "$1" && roots_process "$1" || return 1
  if [ -r "/proc/$1/exe" ]; then
    [ "/proc/$1/exe" -ef "/proc/$$/fd/7" ] || hold_program "$1" || return 1
    # Not one that became another program meanwhile, as a setuid one.
    roots_process "$1" || return 1
  fi
  ticks_of "$1"
}
called_so() { # pid
  REPLY=; line "/proc/$1/comm" || return 1
  case $REPLY in [Kk]eepalived*) return 0 ;; esac
  # `process_names` may have renamed it. Shells leave the NULs out.
  REPLY=; line "/proc/$1/cmdline"
  case $REPLY in *keepalived*) ;; *) return 1 ;; esac
  [ ! -r "/proc/$1/exe" ] || return 0
  REPLY=$(tr '\0' '\n' < "/proc/$1/cmdline" | head -n 1) 2>/dev/null
  [ "${REPLY##*/}" = keepalived ]
}
roots_process() { # pid
  key=; real=; effective=; saved=
  while read -r key real effective saved _; do
    case $key in Uid:) break ;; esac
  done < "/proc/$1/status"
  [ "$key $real $effective $saved" = "Uid: 0 0 0" ]
} 2>/dev/null
hold_program() { # pid
  command exec 8< "/proc/$1/exe" || return 1
  lies=$(readlink "/proc/$$/fd/8"); lies=${lies%" (deleted)"}
  case ${lies##*/} in *keepalived*) ;; *) return 1 ;; esac
  [ -f "/proc/$$/fd/8" ] && only_roots "$lies" "/proc/$1/root" "/proc/$$/fd/8" || {
    # root started it: who reads that keepalived does not run has to hear of it.
    if ours "$1"; then UNBELIEVED="process $1 runs $lies"; fi
    return 1; }
  exec 7<&8 8<&-
  HELD=$lies
} 2>/dev/null
program() { # pid or 0: what may be run as that daemon, else as the installed one; empty: nothing
  if [ "$1" != 0 ] && is_keepalived "$1" && [ "/proc/$1/exe" -ef "/proc/$$/fd/7" ]; then
    REPLY=/proc/$$/fd/7; return 0
  fi
  installed keepalived
}
installed() { # name or path: REPLY is where it lies, if it is a keepalived that only root can have put there
  HELD=$(readlink -f -- "$(command -v "$1")") 2>/dev/null
  REPLY=
  case ${HELD##*/} in
    *keepalived*) if [ -f "$HELD" ] && only_roots "$HELD"; then REPLY=$HELD; fi ;;
  esac
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
  UNBELIEVED=
  for file in /run/keepalived.pid /run/keepalived/*keepalived*.pid /run/keepalived_*.pid \
    /var/run/keepalived.pid; do
    [ -r "$file" ] || continue
    REPLY=; line "$file"; pid=${REPLY%% *}
    case $pid in ''|*[!0-9]*) continue ;; esac
    is_keepalived "$pid" && ours "$pid" && only_roots "$file" && return 0
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
