# A change on a real server: what is live now, then what lasts, each step with its way back. Runs
# behind guard.sh and lives in $T while the change runs: `sh change.sh PHASE [WHY]`.
trap '' HUP PIPE
umask 022
PATH=$PATH:/usr/sbin:/sbin:/usr/bin:/bin; LC_ALL=C; export PATH LC_ALL
S=/var/lib/lvstui
T=$S/tx
NAME=lvstui-rollback.service
# What was written already may have come into force at boot: it is taken back behind that.
BEFORE= AFTER="network.target lvstui-vip.service" FAILED="a step failed: "
cd / || exit 70
[ -d $T ] || { echo "gone: there is no change under way"; exit 76; }
. $T/steps.sh

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
  # A setting that went with its interface needs no way back.
  [ -z "$going_back" ] || [ -e "/proc/sys/$1" ] || return 0
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
  mark "did-$1" || { die "no room to note it"; return 0; }
  folder=${2%/*}
  [ -d "$folder" ] || { echo "$folder" >> $T/folders && mkdir -p "$folder"; } ||
    { die "$folder can not be made"; return 0; }
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
kept() { printf '%s' "${2%/*}/.lvstui-$1.old~"; }
save_file() { # number path: also beside it, so that going back is a rename that needs no room
  reserve "did-$1" || die "no room for the change"
  [ -e "$2" ] || return 0
  room=$(kept "$1" "$2")
  cp -pP "$2" "$T/before/$1" && cp -pP "$2" "$room" && flush "$T/before/$1" "$room" &&
    same "$2" "$room" || die "no backup of $2 can be made"
}
release_file() { # number path
  rm -f "$(kept "$1" "$2")" "${2%/*}/.lvstui-$1.tmp" 2>/dev/null
  case ${2%/*} in *.network.d) rmdir "${2%/*}" 2>/dev/null ;; esac
}
keep_file() { # number name
  mkdir -p $S/original
  [ -e "$S/original/$2" ] || cp -pP "$T/before/$1" "$S/original/$2" ||
    die "no backup of $2 can be kept"
}
drop_file() { # number path
  note "remove $2"
  mark "did-$1" || { die "no room to note it"; return 0; }
  rm -f "$2" 2>> $T/log || die "$2 can not be removed"
  flush "${2%/*}"
  case ${2%/*} in *.network.d) rmdir "${2%/*}" 2>/dev/null ;; esac
}
restore_file() { # number path
  # Only what this change touched: what was in the way of it is somebody else's.
  [ -e "$T/did-$1" ] || return 0
  note "restore $2"
  if [ -e "$T/before/$1" ]; then
    room=$(kept "$1" "$2")
    if [ ! -e "$room" ]; then
      ! same "$T/before/$1" "$2" || return 0
      [ -d "${2%/*}" ] || mkdir -p "${2%/*}"
      cp -pP "$T/before/$1" "$room" || { rm -f "$room"; again "$2 can not be restored"; return 0; }
    fi
    made=$(mv -f "$room" "$2" 2>&1) || again "$2 can not be restored: $made"
  else made=$(rm -f "$2" 2>&1) || again "$2 can not be removed: $made"
  fi
  flush "${2%/*}"
}

go_back() {
  [ ! -e $T/committing ] || back_commit
  # What was only live ended with the boot.
  [ ! -e $T/live ] || { [ ! -e $T/committing ] && other_boot; } || back_live
  if [ -s $T/folders ]; then while read -r folder; do rmdir "$folder" 2>/dev/null; done < $T/folders; fi
}
ended() {
  release_all
  disarm
  [ ! -e $T/trouble.end ] || return 0
  if [ -e $T/confirmed ]; then rm -rf $S/reverted
  else
    [ -e $S/manifest.json ] || rm -rf $S/original
    rm -rf $S/reverted; mkdir $S/reverted 2>/dev/null && mv $T/log $T/plan.json $S/reverted/ 2>/dev/null
  fi
  rm -rf $T
  [ -e $S/manifest.json ] || [ -e $S/reverted ] || rm -rf $S
  flush
}

case $1 in
  reserve) lay_room "$TIMER" outcome live committing ;;
  arm) set_deadline "$TIMER" && watch ;;
  guard) guard "$2" ;;
  boot) ;; # the guard does it, once the network is up
  live)
    undecided
    put phase $$; mark live || die "no room for the change"
    live
    put phase none
    note "live; waiting for the proof"
    echo done ;;
  commit)
    undecided
    put phase $$; mark committing && flush $T || die "no room for the change"
    save_all
    commit
    decide armed confirmed "confirmed" || { echo "gone: the timer ran out"; exit 76; }
    ended
    echo confirmed ;;
  revert) revert "${2:-the operator said so}" ;;
  stop) give_up "${2:-the operator}" ;;
  ended) ended ;;
esac
