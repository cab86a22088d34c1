# A change of keepalived's configuration on one director. Lies in $S/ID with its files (new/N, old/N)
# and steps.sh, and runs behind common.sh: `sh change.sh PHASE [WORDS]`.
# The file `armed` is the one truth: whoever renames it (confirmed, reverting) has decided.
trap '' HUP PIPE
umask 077
T=${0%/*}
S=${T%/*}
cd "$T" || exit 70
. ./steps.sh

note() { printf '%s %s\n' "$(date '+%Y-%m-%d %H:%M:%S')" "$*" >> log; }
uptime_s() { REPLY=0; line /proc/uptime; REPLY=${REPLY%%.*}; }
flush() { sync -- "$@" 2>/dev/null || sync; }
# Going back never stops at a step that fails: it says so and goes on.
going_back=
die() {
  if [ -n "$going_back" ]; then note "could not: $*"; printf '%s\n' "$*" >> trouble; return 0; fi
  note "failed: $*"; echo "failed: $*"
  revert "$*"
  exit 1
}
decide() { # marker end text: the rename decides, the text only tells
  mv "$1" "$2" 2>/dev/null || return 1
  printf '%s\n' "$3" > outcome
  flush "$T"
}
release() { # the lock, if it is ours
  [ "$(readlink "$S/current" 2>/dev/null)" != "${T##*/}" ] || rm -f "$S/current"
}

# Only what the plan saw is changed: somebody else may have been here meanwhile.
expect_file() { # number path real
  [ "$(readlink -f -- "$2")" = "$3" ] || [ ! -e "$2" ] || {
    die "$2 leads elsewhere since the plan was made: look again"; return 0; }
  if [ -e "old/$1" ]; then
    [ -f "$3" ] && same "old/$1" "$3" || die "$2 changed since the plan was made: look again"
  elif [ -e "$3" ]; then die "$2 appeared since the plan was made: look again"
  fi
}
beside() { printf '%s' "${2%/*}/.lvstui-$ID.$1~"; }
# A file whole or not at all: beside it under a name that no include takes, synced, renamed over it.
put_file() { # number real
  new=$(beside "$1" "$2")
  [ -d "${2%/*}" ] || mkdir -p -m 755 "${2%/*}" || { die "${2%/*} can not be made"; return 0; }
  if [ -e "old/$1" ]; then
    # Owner, mode, label and access list are those of the file that it replaces.
    made=$(cp -a -- "$2" "$new" 2>&1) || { rm -f "$new"; die "${2%/*}: $made"; return 0; }
  else made=$( (: > "$new" && chmod 640 "$new") 2>&1) || { die "${2%/*}: $made"; return 0; }
  fi
  made=$( (cat "new/$1" > "$new" && flush "$new") 2>&1) || { rm -f "$new"; die "$2: $made"; return 0; }
  same "new/$1" "$new" || { rm -f "$new"; die "$2 does not read back as it was written"; return 0; }
  made=$(mv -f -- "$new" "$2" 2>&1) || { rm -f "$new"; die "$2: $made"; return 0; }
  if [ ! -e "old/$1" ] && command -v restorecon >/dev/null 2>&1; then restorecon -F "$2"; fi
  flush "${2%/*}"
  same "new/$1" "$2" || die "$2 does not read back as it was written"
  note "wrote $2"
}
drop_file() { # number real
  made=$(rm -f -- "$2" 2>&1) || { die "$2: $made"; return 0; }
  flush "${2%/*}"
  note "removed $2"
}
restore_file() { # number real
  new=$(beside "$1" "$2")
  rm -f -- "$new"
  if [ -e "old/$1" ]; then
    if [ -f "$2" ]; then
      same "old/$1" "$2" && return 0
      # What a third hand wrote meanwhile is not ours to take away.
      if [ ! -e "new/$1" ] || ! same "new/$1" "$2"; then
        die "$2 was changed by somebody else meanwhile and stays as it is"; return 0
      fi
    elif [ -e "new/$1" ]; then die "$2 was removed by somebody else meanwhile"; return 0
    fi
    { made=$(cp -a -- "old/$1" "$new" 2>&1) && flush "$new" && made=$(mv -f -- "$new" "$2" 2>&1); } ||
      { rm -f -- "$new"; die "$2 can not be restored: $made"; return 0; }
  elif [ -e "$2" ]; then
    if ! same "new/$1" "$2"; then die "$2 was changed by somebody else meanwhile"; return 0; fi
    rm -f -- "$2" || { die "$2 can not be removed"; return 0; }
  fi
  flush "${2%/*}"
  note "restored $2"
}

is_daemon() { # pid ticks: that very process
  [ "$1" != 0 ] && is_keepalived "$1" && [ "$TICKS" = "$2" ]
}
program() {
  if [ -r "/proc/$1/exe" ]; then REPLY=/proc/$1/exe; else REPLY=$(command -v keepalived); fi
}
tell() { # pid: read the configuration anew
  if [ -n "$UNIT" ] && [ "$(systemctl show -p MainPID "$UNIT" 2>/dev/null)" = "MainPID=$1" ]; then
    systemctl reload "$UNIT" >> log 2>&1 && return 0
    note "systemctl reload $UNIT failed: SIGHUP instead"
  fi
  kill -HUP "$1"
}
# The old file may have become lethal meanwhile (an interface that went): it is tested again.
safe_to_tell() { # pid
  if [ -n "$OLD_IS_LETHAL" ]; then
    die "the old files are back, but keepalived would not survive loading them: not reloaded"
    return 1
  fi
  program "$1"
  [ -n "$REPLY" ] || return 0
  run_test "$REPLY" > test.back 2>&1; echo "status $?" >> test.back
  [ ! -e test.before ] || same test.before test.back ||
    [ "$(cat test.back)" = "status 0" ] || {
      die "the old files are back, but keepalived -t says of them what it did not say before: not reloaded"
      return 1; }
}
start_again() {
  note "keepalived does not run: starting it"
  if [ -n "$UNIT" ] && command -v systemctl >/dev/null 2>&1; then
    systemctl reset-failed "$UNIT" 2>/dev/null; systemctl start "$UNIT" >> log 2>&1
  else start_daemon; fi
  tries=0
  while [ $tries -lt 50 ]; do
    find_parent; [ "$pid" = 0 ] || break
    sleep 0.2; tries=$((tries + 1))
  done
  if [ "$pid" = 0 ]; then die "keepalived died and does not start again"
  else note "keepalived runs again, pid $pid"; echo "started $pid"; fi
}
reload_back() {
  # A daemon that was never told has nothing to take back, and one that did not run stays so.
  [ -e reloading ] && [ "$PID" != 0 ] || return 0
  if is_daemon "$PID" "$TICKS_WERE"; then
    safe_to_tell "$PID" && tell "$PID" && note "told keepalived (pid $PID)"
    return 0
  fi
  find_parent
  if [ "$pid" = 0 ]; then
    [ -n "$OLD_IS_LETHAL" ] || start_again
  elif tr '\0' '\n' < "/proc/$pid/cmdline" | cmp -s - argv; then
    # It was started anew meanwhile, as it was before.
    safe_to_tell "$pid" && tell "$pid" && note "told keepalived (pid $pid, another than before)"
  else
    die "another keepalived runs (pid $pid): it was not told"
  fi
}

# After a reboot, or when it ended, a number may be anybody's.
is_ours() { tr '\0' ' ' < "/proc/$1/cmdline" 2>/dev/null | grep -q -F "$T/change.sh"; }
stop_phase() {
  REPLY=; [ -e phase ] && line phase || return 0
  [ "$REPLY" != $$ ] && is_ours "$REPLY" || return 0
  phase=$REPLY
  kill -TERM "$phase" 2>/dev/null || return 0
  tries=0
  while kill -0 "$phase" 2>/dev/null && [ $tries -lt 15 ]; do sleep 0.2; tries=$((tries + 1)); done
  kill -KILL "$phase" 2>/dev/null
}
revert() { # why
  if ! mv armed reverting 2>/dev/null; then
    [ -e reverting ] || { echo "gone: it was decided already"; exit 76; }
  fi
  # A way back that was cut is begun again from its start: every step may be done twice.
  going_back=yes
  [ -s why ] || printf '%s\n' "$1" > why
  REPLY=; line why; why=$REPLY
  note "going back: $why"
  stop_phase
  echo $$ > phase
  rm -f trouble
  if [ -e writing ]; then restore_all; reload_back; fi
  rm -f phase
  if [ -s trouble ]; then
    decide reverting trouble.end "$why; $(tr '\n' ' ' < trouble)"
    release; echo "trouble: $(tr '\n' ' ' < trouble)"; return 0
  fi
  decide reverting reverted "$why"
  note "went back: the files are as they were before"
  release
  echo reverted
}
left() { uptime_s; now=$REPLY; REPLY=0; line deadline; REPLY=$((REPLY - now)); }

case $1 in
  arm) # seconds
    # KillMode: a keepalived that the guard had to start outlives it.
    uptime_s; echo $((REPLY + $2)) > deadline
    if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null 2>&1 &&
      systemd-run --unit="lvstui-config-$ID" --property=Restart=on-failure \
        --property=RestartSec=1 --property=KillMode=process /bin/sh "$T/change.sh" guard > /dev/null 2>> log; then
      echo "armed systemd"; exit 0
    fi
    # Away from the session, so that no hang-up reaches it: one that is ignored would be ignored by
    # a keepalived that the guard starts, too.
    own=; command -v setsid >/dev/null 2>&1 && own=setsid
    [ -n "$own" ] && trap - HUP PIPE
    # Whoever kills the guard gets another one, as long as there is something to guard.
    $own sh -c 'until sh "$1/change.sh" guard || [ ! -e "$1/change.sh" ]; do sleep 1; done' \
      lvstui-guard "$T" \
      </dev/null >/dev/null 2>&1 &
    kill -0 $! && echo "armed process $!" ;;
  guard)
    alone=0
    while :; do
      if [ -e reverting ]; then
        # Whoever goes back may not have said yet who it is.
        REPLY=; [ -e phase ] && line phase
        if [ -n "$REPLY" ] && is_ours "$REPLY"; then alone=0; else alone=$((alone + 1)); fi
        [ $alone -lt 5 ] || { revert "it was cut while going back"; exit 0; }
      elif [ -e armed ]; then
        left; [ "$REPLY" -gt 0 ] || { revert "the timer ran out"; exit 0; }
      else exit 0
      fi
      sleep 1
    done ;;
  extend) # seconds
    [ -e armed ] || { echo "gone: it went back already"; exit 76; }
    uptime_s; echo $((REPLY + $2)) > deadline.new && mv -f deadline.new deadline
    [ -e armed ] || { echo "gone: it went back already"; exit 76; }
    echo extended ;;
  write)
    [ -e armed ] || { echo "gone: it went back already"; exit 76; }
    echo $$ > phase
    expect_all
    : > writing; flush "$T"
    write_all
    rm -f phase
    echo written ;;
  reload)
    [ -e armed ] || { echo "gone: it went back already"; exit 76; }
    echo $$ > phase
    : > reloading; flush "$T"
    if [ "$PID" = 0 ]; then note "keepalived does not run: nothing to reload"
    elif is_daemon "$PID" "$TICKS_WERE"; then
      tell "$PID" || die "keepalived (pid $PID) could not be told"
      note "told keepalived (pid $PID)"
    else die "keepalived is another one than when the plan was made: look again"
    fi
    rm -f phase
    uptime_s; echo "reloaded $REPLY" ;;
  confirm) # who
    decide armed confirmed "kept by $2" || { echo "gone: it went back already"; exit 76; }
    rm -f deadline
    note "kept by $2"
    release
    echo confirmed ;;
  revert) revert "${2:-the operator said so}" ;;
esac
