# The dead man's switch under which a change is made on any host: unless it is confirmed in time, the
# host goes back. POSIX shell; functions only, behind tools.sh. The script of a change (in $T,
# `change.sh`) sets T, NAME (of its unit), BEFORE (units that have to find the old files after a boot),
# AFTER and FAILED (what is said before the step that failed), and says with functions what is its own:
#   go_back  one try, from the start, of which every step may be done twice; `again WHY` for what may
#            work the next time, `stuck WHY` for what trying again never mends
#   ended    what is left to do once it is decided: reserved room goes, others are let in
# `armed` and `reverting` are the one truth: whoever renames one has decided. Text only tells.

note() { printf '%s %s\n' "$(date '+%Y-%m-%d %H:%M:%S')" "$*" 2>/dev/null >> "$T/log"; } 2>/dev/null
flush() { sync -- "$@" 2>/dev/null || sync; }
uptime_s() { REPLY=0; line /proc/uptime; REPLY=${REPLY%%.*}; }

# A disk that fills up later must not matter: marks are renamed, and texts are written over blanks.
reserve() { # names
  for name; do printf '%1000s\n' '' > "$T/room.$name" || return 1; done
} 2>/dev/null
mark() { # name
  [ -e "$T/$1" ] || mv "$T/room.$1" "$T/$1" || printf '' > "$T/$1"
} 2>/dev/null
put() { # name text: its first line
  [ -e "$T/$1" ] || mv "$T/room.$1" "$T/$1"
  printf '%s\n' "$2" 1<> "$T/$1"
} 2>/dev/null
lay_room() { # seconds names: before `armed`, since that without a deadline is one that ran out
  seconds=$1; shift
  reserve deadline boot_id why trouble seen phase guard.1 guard.2 "$@" &&
    printf '' >> "$T/log" && ln -sf change.sh "$T/again.sh" || return 1
  set_deadline "$seconds"
}
set_deadline() { # seconds
  uptime_s
  put deadline $((REPLY + $1)) || return 1
  REPLY=; line /proc/sys/kernel/random/boot_id
  put boot_id "$REPLY"
}
other_boot() {
  REPLY=; line /proc/sys/kernel/random/boot_id; this_boot=$REPLY
  REPLY=; line "$T/boot_id"
  [ -n "${REPLY%% *}" ] && [ "$REPLY" != "$this_boot" ]
}
left() { # seconds; none under another boot than that in which it was armed
  uptime_s; now=$REPLY
  if other_boot; then REPLY=0; return 0; fi
  REPLY=0; line "$T/deadline"; REPLY=$((${REPLY%% *} - now))
}

guarding= # we are the guard, or what systemd lets run before it

# A number may be anybody's by now, and anybody may call himself what he likes.
owned() { # pid: all three uids are root's, or ours where we are not root; a setuid program's are not
  key=; real=; effective=; saved=
  while read -r key real effective saved _; do
    case $key in Uid:) break ;; esac
  done < "/proc/$1/status"
  [ "$key $real $real" = "Uid: $effective $saved" ] && { [ "$real" = 0 ] || [ -O "/proc/$1" ]; }
} 2>/dev/null
is_ours() { # pid [phase]
  case $1 in ''|0|*[!0-9]*) return 1 ;; esac
  owned "$1" && tr '\0' ' ' < "/proc/$1/cmdline" |
    grep -q -F -e "$T/change.sh ${2:-}" -e "$T/again.sh ${2:-}"
} 2>/dev/null
guarded() {
  for guard in guard.1 guard.2; do
    REPLY=; line "$T/$guard"
    is_ours "$REPLY" guard && return 0
  done
  return 1
}
stop_phase() { # the one that is at work; it ignores hang-ups, so it is told
  REPLY=; line "$T/phase"
  [ "$REPLY" != $$ ] && is_ours "$REPLY" || return 0
  phase=$REPLY
  kill -TERM "$phase" 2>/dev/null || return 0
  tries=0
  while kill -0 "$phase" 2>/dev/null && [ $tries -lt 15 ]; do sleep 0.2; tries=$((tries + 1)); done
  kill -s KILL -- "-$phase" 2>/dev/null; kill -KILL "$phase" 2>/dev/null
}

decide() { # mark end text
  mv "$T/$1" "$T/$2" 2>/dev/null || return 1
  put outcome "$3"
  flush "$T"
}
undecided() { [ -e "$T/armed" ] || { echo "gone: it went back already"; exit 76; }; }
# Going back never stops at a step that fails: it says so and goes on.
going_back=
die() {
  if [ -n "$going_back" ]; then again "$*"; return 0; fi
  note "failed: $*"; echo "failed: $*"
  revert "$FAILED$*"
  exit 1
}
again() { note "could not: $*"; failing="${failing:+$failing; }$*"; }
stuck() { note "could not: $*"; lost="${lost:+$lost; }$*"; }
revert() { # why
  if ! mv "$T/armed" "$T/reverting" 2>/dev/null; then
    [ -e "$T/reverting" ] || { echo "gone: it was decided already"; return 76; }
  fi
  going_back=yes failing='' lost=''
  REPLY=; line "$T/why"; [ -n "${REPLY%% *}" ] || { put why "$1"; REPLY=$1; }
  why=$REPLY
  note "going back: $why"
  stop_phase
  put phase $$
  go_back
  if [ -n "$failing" ]; then
    failing=$failing${lost:+; $lost}
    put trouble "$failing"
    put phase none
    if [ -n "$guarding" ] || guarded || watch > /dev/null; then echo "trouble: $failing; it is tried again"
    else echo "trouble: $failing; no timer can be set, so that it is NOT tried again"
    fi
    return 75
  fi
  if [ -n "$lost" ]; then
    decide reverting trouble.end "$why; $lost"
    note "went back as far as possible"
    ended
    echo "trouble: $lost"; return 75
  fi
  decide reverting reverted "$why"
  note "went back: everything is as it was before"
  ended
  echo reverted
}
give_up() { # who: it stays as it is now, and the trouble with it is known
  if [ -e "$T/trouble.end" ]; then mark seen; echo stopped; return 0; fi
  [ -e "$T/reverting" ] || { echo "gone: it is not on its way back"; return 76; }
  stop_phase
  REPLY=; line "$T/trouble"
  decide reverting trouble.end "given up by $1: $REPLY" || { echo "gone: it was decided already"; return 76; }
  mark seen
  note "given up by $1"
  ended
  echo stopped
}

# Who goes back when nobody else does. systemd starts its guard again and after a boot; where there
# is none two processes start each other again, and a boot ends both.
watch() {
  if by_systemd; then echo "armed systemd"; return 0; fi
  spawn 1
  tries=0
  until guarded; do
    [ $tries -lt 50 ] || return 1
    sleep 0.1; tries=$((tries + 1))
  done
  echo "armed process"
}
spawn() { # number
  own=; command -v setsid >/dev/null 2>&1 && own=setsid
  # Away from the session, so that no hang-up reaches it: one that is ignored would be ignored by
  # what the guard starts, too.
  # Two names, so that who kills one by its name does not kill both.
  name=change; [ "$1" = 1 ] || name=again
  (trap - HUP PIPE; exec $own sh "$T/$name.sh" guard "$1") </dev/null >/dev/null 2>&1 &
}
UNITS=/etc/systemd/system
by_systemd() {
  [ -d /run/systemd/system ] && command -v systemctl >/dev/null 2>&1 || return 1
  # KillMode: what the guard had to start outlives it. The start of ExecStart is what other units
  # wait for. A status of 0 says that there is nothing left to guard.
  {
    cat > "$UNITS/$NAME" <<END &&
[Unit]
Description=lvstui: goes back to what was before unless the change is kept
ConditionPathExists=$T/change.sh
After=local-fs.target $AFTER
${BEFORE:+Before=$BEFORE}
StartLimitIntervalSec=0
[Service]
ExecStartPre=-/bin/sh $T/change.sh boot
ExecStart=/bin/sh $T/change.sh guard 0
Restart=always
RestartSec=1
RestartPreventExitStatus=0
KillMode=process
TimeoutStartSec=90
StartLimitInterval=0
END
    chmod 644 "$UNITS/$NAME" && mkdir -p "$UNITS/multi-user.target.wants" &&
    ln -sf "../$NAME" "$UNITS/multi-user.target.wants/$NAME"
  } 2>> "$T/log" || { drop_unit; return 1; }
  flush "$UNITS/$NAME" "$UNITS/multi-user.target.wants"
  # Up to version 219 new units are not seen without the reload.
  systemctl start "$NAME" 2>> "$T/log" ||
    { systemctl daemon-reload && systemctl start "$NAME"; } 2>> "$T/log"
  tries=0
  until guarded; do
    [ $tries -lt 50 ] || { systemctl stop "$NAME" 2>/dev/null; drop_unit; return 1; }
    sleep 0.1; tries=$((tries + 1))
  done
}
drop_unit() { rm -f "$UNITS/$NAME" "$UNITS/multi-user.target.wants/$NAME"; } 2>/dev/null
guard() { # 1, and 2 that starts it again; 0: systemd does
  guarding=yes
  mine=guard.${1#0}; [ "$1" != 0 ] || mine=guard.1
  alone=0 pause=5
  while [ -e "$T/change.sh" ]; do
    if [ ! -e "$T/armed" ] && [ ! -e "$T/reverting" ]; then
      # Whoever decided puts things in order, unless he was cut.
      REPLY=; line "$T/phase"
      [ "$REPLY" != $$ ] && is_ours "$REPLY" || { ended; return 0; }
    fi
    REPLY=; line "$T/$mine"
    if [ "$REPLY" != $$ ]; then
      if is_ours "$REPLY" "guard $1"; then return 0; fi
      put "$mine" $$
    fi
    case $1 in
      1) REPLY=; line "$T/guard.2"; is_ours "$REPLY" guard || spawn 2 ;;
      2) REPLY=; line "$T/guard.1"; is_ours "$REPLY" guard || spawn 1 ;;
    esac
    if [ "$1" = 2 ]; then :
    elif [ -e "$T/armed" ]; then
      left; [ "$REPLY" -gt 0 ] || { revert "the timer ran out"; alone=0 pause=1; }
    elif [ -e "$T/reverting" ]; then
      # Whoever goes back may not have said yet who it is.
      REPLY=; line "$T/phase"
      if is_ours "$REPLY"; then alone=0; else alone=$((alone + 1)); fi
      if [ $alone -ge $pause ]; then
        [ $pause -le 4 ] && pause=$((pause * 2)) || pause=10
        alone=0; revert "it was cut while going back"
      fi
    fi
    sleep 1
  done
}
disarm() { # at once, so that none is left that takes the next change for its own
  if [ -e "$UNITS/$NAME" ]; then
    drop_unit
    [ -n "$guarding" ] || systemctl stop "$NAME" 2>/dev/null
  fi
  for guard in guard.2 guard.1; do
    REPLY=; line "$T/$guard"
    [ "$REPLY" = $$ ] || ! is_ours "$REPLY" guard || kill -KILL "$REPLY" 2>/dev/null
  done
}
