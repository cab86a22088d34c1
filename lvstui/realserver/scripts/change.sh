# A change on a real server: what is live now, then what lasts, each step with its way back.
# Lives in $T while the change runs. `sh change.sh live | commit | revert WHY | leave`.
# The file `armed` is the one truth: whoever renames it (confirmed, reverting) has decided.
trap '' HUP PIPE
umask 022
PATH=$PATH:/usr/sbin:/sbin:/usr/bin:/bin; LC_ALL=C; export PATH LC_ALL
S=/var/lib/lvstui
T=$S/tx
cd / || exit 70
[ -d $T ] || { echo "gone: there is no change under way"; exit 76; }
. $T/steps.sh

note() { printf '%s %s\n' "$(date '+%Y-%m-%d %H:%M:%S')" "$*" >> $T/log; }
same() {
  if command -v cmp >/dev/null 2>&1; then cmp -s "$1" "$2"
  else [ "$(od -An -v -tx1 < "$1")" = "$(od -An -v -tx1 < "$2")" ]; fi
}
flush() { sync "$@" 2>/dev/null || sync; }
# Going back never stops at a step that fails: it says so and goes on.
going_back=
die() {
  if [ -n "$going_back" ]; then note "could not: $*"; : > $T/trouble; return 0; fi
  note "failed: $*"; echo "failed: $*"
  revert "a step failed"
  exit 1
}
must() {
  note "$1"
  said=$(sh -c "$2" 2>&1 </dev/null) || die "$1: $(printf '%s' "$said" | tail -n 3 | tr '\n' ' ')"
}
maybe() {
  note "$1"
  said=$(sh -c "$2" 2>&1 </dev/null) || note "not done: $(printf '%s' "$said" | tail -n 1)"
}
set_key() {
  note "$1 = $2"
  echo "$2" 2>/dev/null > "/proc/sys/$1" || { die "/proc/sys/$1 can not be written"; return 0; }
  now=; read -r now < "/proc/sys/$1"
  [ "$now" = "$2" ] || die "/proc/sys/$1 reads $now, not $2"
}
on_lo() { ip -o addr show dev lo | grep -F -q " $1 "; }
put_on() {
  must "$1 on lo" "$2"
  on_lo "$1" || die "$1 is not on lo after: $2"
}
take_off() {
  must "$1 off lo" "$2"
  if on_lo "$1"; then die "$1 is still on lo after: $2"; fi
}
# A file whole or not at all: beside it under a name that no reader takes, synced, renamed over it.
put_file() { # number path mode owner
  note "write $2"
  : > "$T/did-$1"
  folder=${2%/*}
  [ -d "$folder" ] || { mkdir -p "$folder" && echo "$folder" >> $T/folders; }
  new=$folder/.lvstui-$1.tmp
  if ! { cat "$T/new/$1" > "$new" && chmod "$3" "$new" && chown "$4" "$new" && flush "$new" &&
    mv -f "$new" "$2"; } 2>> $T/log; then
    why=$(tail -n 1 $T/log); rm -f "$new"; die "$2 can not be written: $why"; return 0
  fi
  flush "$folder"
  if command -v restorecon >/dev/null 2>&1; then restorecon -F "$2" 2>/dev/null; fi
  same "$T/new/$1" "$2" || die "$2 does not read back as it was written"
}
# Only what the plan saw is changed: somebody else may have been here meanwhile.
expect_file() { # number path
  if [ -e "$T/old/$1" ]; then
    same "$T/old/$1" "$2" || die "$2 changed since the plan was made: look again"
  elif [ -e "$2" ]; then die "$2 appeared since the plan was made: look again"
  fi
}
save_file() { # number path
  [ -e "$2" ] || return 0
  cp -pP "$2" "$T/before/$1" && flush "$T/before/$1" || die "no backup of $2 can be made"
}
keep_file() { # number name
  mkdir -p $S/original
  [ -e "$S/original/$2" ] || cp -pP "$T/before/$1" "$S/original/$2" ||
    die "no backup of $2 can be kept"
}
drop_file() { # number path
  note "remove $2"
  : > "$T/did-$1"
  rm -f "$2" 2>> $T/log || die "$2 can not be removed"
  flush "${2%/*}"
  case ${2%/*} in *.network.d) rmdir "${2%/*}" 2>/dev/null ;; esac
}
restore_file() { # number path
  # Only what this change touched: what was in the way of it is somebody else's.
  [ -e "$T/did-$1" ] || return 0
  note "restore $2"
  [ -d "${2%/*}" ] || mkdir -p "${2%/*}"
  if [ -e "$T/before/$1" ]; then
    cp -pP "$T/before/$1" "${2%/*}/.lvstui-$1.tmp" && mv -f "${2%/*}/.lvstui-$1.tmp" "$2" ||
      die "$2 can not be restored"
  else rm -f "$2" || die "$2 can not be removed"
  fi
}

arm() {
  if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null 2>&1; then
    systemctl stop lvstui-rollback.timer 2>/dev/null
    systemctl reset-failed lvstui-rollback.service lvstui-rollback.timer 2>/dev/null
    systemd-run --unit=lvstui-rollback --on-active="$TIMER" --timer-property=AccuracySec=1s \
      /bin/sh $T/change.sh revert "the timer ran out" >/dev/null 2>> $T/log
    if systemctl --quiet is-active lvstui-rollback.timer; then
      echo systemd > $T/timer; echo "armed $TIMER systemd"; return 0
    fi
  fi
  command -v setsid >/dev/null 2>&1 && own=setsid || own=
  $own sh -c 'trap "" HUP; sleep "$1"; exec sh "$2" revert "the timer ran out"' \
    lvstui-timer "$TIMER" $T/change.sh </dev/null >/dev/null 2>&1 &
  echo $! > $T/timer
  kill -0 $! && echo "armed $TIMER process $!"
}
disarm() {
  [ -e $T/timer ] && read -r timer < $T/timer || return 0
  if [ "$timer" = systemd ]; then
    systemctl stop lvstui-rollback.timer 2>/dev/null
    systemctl reset-failed lvstui-rollback.service 2>/dev/null
  elif is_ours "$timer"; then kill -- "-$timer" 2>/dev/null || kill "$timer" 2>/dev/null
  fi
}
# After a reboot a number may be anybody's.
is_ours() { tr '\0' ' ' < "/proc/$1/cmdline" 2>/dev/null | grep -q -e lvstui-timer -e $T/change.sh; }
# The process of a phase that is still at work; it ignores hang-ups, so it is told.
stop_phase() {
  [ -e $T/pid ] && read -r phase < $T/pid || return 0
  [ "$phase" != $$ ] && is_ours "$phase" || return 0
  kill -TERM "$phase" 2>/dev/null || return 0
  tries=0
  while kill -0 "$phase" 2>/dev/null && [ $tries -lt 20 ]; do sleep 0.2; tries=$((tries + 1)); done
  kill -KILL -- "-$phase" 2>/dev/null; kill -KILL "$phase" 2>/dev/null
}
revert() {
  if ! mv $T/armed $T/reverting 2>/dev/null; then
    [ -e $T/reverting ] || { echo "gone: it was decided already"; exit 76; }
  fi
  going_back=yes
  note "going back: $1"
  stop_phase
  echo $$ > $T/pid
  [ -e $T/committing ] && back_commit
  [ -e $T/live ] && back_live
  if [ -s $T/folders ]; then while read -r folder; do rmdir "$folder" 2>/dev/null; done < $T/folders; fi
  [ "$1" = "the timer ran out" ] || disarm
  if [ -e $T/trouble ]; then
    note "went back as far as possible"; echo "trouble: $(grep 'could not' $T/log | tail -n 3)"
    exit 75
  fi
  note "went back: everything is as it was before"
  [ -e $S/manifest.json ] || rm -rf $S/original
  rm -rf $S/reverted; mkdir $S/reverted
  mv $T/log $T/plan.json $S/reverted/ 2>/dev/null
  rm -rf $T
  flush $S
  echo reverted
}

case $1 in
  arm) arm ;;
  live)
    [ -e $T/armed ] || { echo "gone: it went back already"; exit 76; }
    echo $$ > $T/pid; : > $T/live
    live
    rm -f $T/pid
    note "live; waiting for the proof"
    echo done ;;
  commit)
    [ -e $T/armed ] || { echo "gone: it went back already"; exit 76; }
    echo $$ > $T/pid; : > $T/committing; flush $T
    save_all
    commit
    mv $T/armed $T/confirmed 2>/dev/null || { echo "gone: the timer ran out"; exit 76; }
    disarm
    rm -rf $T $S/reverted
    [ -e $S/manifest.json ] || rm -rf $S
    sync
    echo confirmed ;;
  revert) revert "${2:-the operator said so}" ;;
esac
