# A change of keepalived's configuration on one director. Lies in $S/ID with its files (new/N, old/N)
# and steps.sh, and runs behind common.sh and guard.sh: `sh change.sh PHASE [WORDS]`.
trap '' HUP PIPE
umask 077
T=${0%/*}
S=${T%/*}
cd "$T" || exit 70
. ./steps.sh
NAME=lvstui-config-$ID.service
BEFORE="keepalived.service${UNIT:+ $UNIT}" AFTER= FAILED=

release() { # the lock, if it is ours
  [ "$(readlink "$S/current" 2>/dev/null)" != "${T##*/}" ] || rm -f "$S/current"
}

# Only what the plan saw is changed: somebody else may have been here meanwhile.
expect_file() { # number path real
  [ "$(readlink -f -- "$2"; echo .)" = "$3$(printf '\n.')" ] || [ ! -e "$2" ] || {
    die "$2 leads elsewhere since the plan was made: look again"; return 0; }
  if [ -e "old/$1" ]; then
    [ -f "$3" ] && same "old/$1" "$3" || die "$2 changed since the plan was made: look again"
  elif [ -e "$3" ]; then die "$2 appeared since the plan was made: look again"
  fi
}
beside() { printf '%s' "${2%/*}/.lvstui-$ID.$1~"; }
kept() { printf '%s' "${2%/*}/.lvstui-$ID.$1.old~"; }
# What goes back is there beforehand, with all that it had: going back is a rename.
reserve_file() { # number real
  [ -e "old/$1" ] || return 0
  room=$(kept "$1" "$2")
  made=$(cp -a -- "old/$1" "$room" 2>&1) && flush "$room" && same "old/$1" "$room" ||
    { echo "no room for the way back: ${made:-$room}"; return 1; }
}
release_file() { # number real
  rm -f -- "$(kept "$1" "$2")" "$(beside "$1" "$2")" 2>/dev/null
}
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
  new=$(beside "$1" "$2") room=$(kept "$1" "$2")
  rm -f -- "$new"
  if [ -e "old/$1" ]; then
    if [ -f "$2" ]; then
      same "old/$1" "$2" && return 0
      # What a third hand wrote meanwhile is not ours to take away.
      if [ ! -e "new/$1" ] || ! same "new/$1" "$2"; then
        stuck "$2 was changed by somebody else meanwhile and stays as it is"; return 0
      fi
    elif [ -e "new/$1" ]; then stuck "$2 was removed by somebody else meanwhile"; return 0
    fi
    [ -d "${2%/*}" ] || mkdir -p -m 755 "${2%/*}"
    [ -f "$room" ] && same "old/$1" "$room" ||
      { made=$(cp -a -- "old/$1" "$room" 2>&1) && flush "$room"; } ||
      { rm -f -- "$room"; again "$2 can not be restored: $made"; return 0; }
    made=$(mv -f -- "$room" "$2" 2>&1) || { again "$2 can not be restored: $made"; return 0; }
  elif [ -e "$2" ]; then
    if ! same "new/$1" "$2"; then stuck "$2 was changed by somebody else meanwhile"; return 0; fi
    rm -f -- "$2" || { again "$2 can not be removed"; return 0; }
  fi
  flush "${2%/*}"
  note "restored $2"
}

is_daemon() { # pid ticks: that very process
  [ "$1" != 0 ] && is_keepalived "$1" && [ "$TICKS" = "$2" ]
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
    stuck "the old files are back, but keepalived would not survive loading them: not reloaded"
    return 1
  fi
  program "$1"
  [ -n "$REPLY" ] || return 0
  said=$(run_test "$REPLY" 2>&1; echo "status $?")
  [ ! -e test.before ] || [ "$said" = "$(cat test.before)" ] || [ "$said" = "status 0" ] || {
      again "the old files are back, but keepalived -t says of them what it did not say before: not reloaded"
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
  if [ "$pid" = 0 ]; then again "keepalived died and does not start again"
  else note "keepalived runs again, pid $pid"; echo "started $pid"; fi
}
reload_back() {
  # A daemon that was never told has nothing to take back, and one that did not run stays so. One
  # that came up after a boot has read the new files, and one that has yet to come reads the old.
  [ "$PID" != 0 ] && { [ -e reloading ] || other_boot; } || return 0
  if is_daemon "$PID" "$TICKS_WERE"; then
    safe_to_tell "$PID" && tell "$PID" && note "told keepalived (pid $PID)"
    return 0
  fi
  find_parent
  if [ "$pid" = 0 ]; then
    [ -n "$OLD_IS_LETHAL" ] || [ -n "$booting" ] || start_again
  elif [ "$(od -An -v -tx1 < "/proc/$pid/cmdline")" = "$(od -An -v -tx1 < argv)" ]; then
    # It was started anew meanwhile, as it was before.
    safe_to_tell "$pid" && tell "$pid" && note "told keepalived (pid $pid, another than before)"
  else
    stuck "another keepalived runs (pid $pid): it was not told"
  fi
}

booting=
go_back() {
  [ -e writing ] || return 0
  restore_all
  # With half of the old files in place it must not be loaded.
  [ -n "$failing" ] || reload_back
}
ended() {
  release_all
  drop_unit
  release
}

case $1 in
  reserve) # seconds
    lay_room "$2" outcome writing reloading || { echo "no room for the change"; exit 73; }
    reserve_all || exit 73 ;;
  release) release_all ;;
  arm) set_deadline "$2" && watch ;; # seconds
  guard) guard "$2" ;;
  boot)
    booting=yes guarding=yes
    if { [ -e armed ] || [ -e reverting ]; } && other_boot; then
      revert "the host was started anew before it was kept"
    fi ;;
  extend) # seconds
    undecided
    set_deadline "$2" || { echo "failed: the timer can not be put off"; exit 1; }
    guarded || watch > /dev/null || { echo "failed: no timer can be set"; exit 1; }
    undecided
    echo extended ;;
  write)
    undecided
    put phase $$
    expect_all
    mark writing && flush "$T" || die "no room for the change"
    write_all
    put phase none
    echo written ;;
  reload)
    undecided
    put phase $$
    mark reloading && flush "$T" || die "no room for the change"
    if [ "$PID" = 0 ]; then note "keepalived does not run: nothing to reload"
    elif is_daemon "$PID" "$TICKS_WERE"; then
      tell "$PID" || die "keepalived (pid $PID) could not be told"
      note "told keepalived (pid $PID)"
    else die "keepalived is another one than when the plan was made: look again"
    fi
    put phase none
    uptime_s; echo "reloaded $REPLY" ;;
  confirm) # who
    put phase $$
    decide armed confirmed "kept by $2" || { echo "gone: it went back already"; exit 76; }
    note "kept by $2"
    ended
    echo confirmed ;;
  revert) revert "${2:-the operator said so}" ;;
  stop) give_up "$2" ;; # who
esac
