# Test the files as they are, and a candidate in their place. PID (0: none), SIZE, ALONE, BESIDE, NO_BEFORE,
# MOUNTS and the functions `unpack`, `place`, `test_it`, `test_beside` come before this.
umask 077
program "$PID"; PROGRAM=$REPLY
[ -n "$PROGRAM" ] || { echo "untested no keepalived of root's own is installed here"; echo end; exit 0; }
for base in /run /dev/shm /tmp; do
  T=$(mktemp -d "$base/lvstui-test-XXXXXXXXXX" 2>/dev/null) && break
done
[ -n "$T" ] || { echo "untested no folder for the test can be made"; echo end; exit 0; }
trap 'rm -rf "$T"' EXIT
trap 'exit 1' HUP INT TERM
cat > "$T/all"
run_it() {
  if command -v timeout >/dev/null 2>&1; then timeout 20 "$PROGRAM" "$@"; else "$PROGRAM" "$@"; fi
}
# A folder in which files come or go: a copy of the nearest one that is there, to be laid over it.
NEAREST='nearest() { # folder
  folder=$1
  while [ ! -d "$folder" ]; do folder=${folder%/*}; [ -n "$folder" ] || folder=/; done
}'
eval "$NEAREST"
shadow() { # number folder
  nearest "$2"
  [ "$folder" != / ] && [ "$(du -sk "$folder" | cut -f1)" -lt 65536 ] || return 1
  # A folder that lies over another one already holds its files, too.
  for one in "$T"/d*; do [ ! "$one" -ef "$folder" ] || return 0; done
  ln -s "$folder" "$T/d$1" && cp -a "$folder" "$T/s$1"
}
[ "$(wc -c < "$T/all")" -eq "$SIZE" ] && unpack ||
  { echo "untested the files did not arrive whole"; echo end; exit 0; }
if [ -z "$NO_BEFORE" ]; then
  test_it > "$T/said" 2>&1 </dev/null; echo "before $?"
  blob before < "$T/said"
fi
[ -n "$MOUNTS" ] || { echo end; exit 0; }
status=119
if place 2>/dev/null && command -v unshare >/dev/null 2>&1; then
  printf '%s\n' "T='$T'" 'mount --make-rprivate / 2>/dev/null' "$NEAREST" 'lay_over() {
  [ -d "$T/s$1" ] || return 0
  nearest "$2"; mount --bind "$T/s$1" "$folder" || exit 119
}' "$MOUNTS" 'shift; exec "$@"' > "$T/inside"
  PLAIN=$PROGRAM
  run_it() {
    if command -v timeout >/dev/null 2>&1; then set -- timeout 20 "$PLAIN" "$@"
    else set -- "$PLAIN" "$@"; fi
    unshare -m sh "$T/inside" x "$@"
  }
  test_it > "$T/said" 2>&1 </dev/null; status=$?
fi
if [ $status = 119 ] && [ -n "$ALONE" ]; then
  run_it() {
    if command -v timeout >/dev/null 2>&1; then timeout 20 "$PROGRAM" "$@"; else "$PROGRAM" "$@"; fi
  }
  trap 'rm -rf "$T" "$BESIDE"' EXIT
  if { [ ! -e "$T/f$ALONE" ] || cp -a "$T/f$ALONE" "$BESIDE"; } && cat "$T/c$ALONE" > "$BESIDE"; then
    test_beside > "$T/said" 2>&1 </dev/null; status=$?
  fi
fi
if [ $status = 119 ]; then echo "untested the candidate's files can not be laid over the real ones for a test"
else echo "after $status"; blob after < "$T/said"
fi
echo end
