# Lay a change out under $T and arm its guard; nothing is changed yet. ID, SECONDS_, KEEP, SIZE and
# the functions `unpack`, `copy_old` come before this; the files come by standard input.
umask 077
S=/var/lib/lvstui/config
T=$S/$ID
mkdir -p "$S" && chmod 700 "$S" || { echo "$S can not be made"; exit 73; }
give_up() {
  [ ! -e "$T/change.sh" ] || sh "$T/change.sh" release
  rm -rf "$T"; echo "$1"; exit "$2"
}
mkdir "$T" && mkdir "$T/new" "$T/old" "$T/seen" || give_up "$T can not be made" 73
cat > "$T/all"
[ "$(wc -c < "$T/all")" -eq "$SIZE" ] || give_up "the files did not arrive whole" 73
unpack || give_up "no room for the change" 73
rm -f "$T/all"
copy_old || exit 77
rm -rf "$T/seen"
said=$(sh "$T/change.sh" reserve "$SECONDS_") || give_up "$said" 73
: > "$T/armed" && sync || give_up "no room for the change" 73
cut_by_boot() { # folder
  REPLY=; line /proc/sys/kernel/random/boot_id; boot=$REPLY
  REPLY=; line "$1/boot_id" && [ "$REPLY" != "$boot" ]
}
run_out() { # folder
  REPLY=; line "$1/deadline"; deadline=${REPLY%% *}
  REPLY=0; line /proc/uptime
  [ -n "$deadline" ] && [ "$deadline" -lt "${REPLY%%.*}" ]
}
# Whoever was cut or killed while it was laid out leaves copies beside the files.
for other in "$S"/[0-9]*T[0-9]*; do
  for mark in armed reverting reverted confirmed trouble.end never; do
    [ ! -e "$other/$mark" ] || continue 2
  done
  if cut_by_boot "$other" || run_out "$other"; then
    sh "$other/change.sh" release; : > "$other/never"
  fi
done
# One change at a time. What is left of one that was killed before it wrote anything is in nobody's
# way; nor is the mark of one that was decided.
if was=$(readlink "$S/current"); then
  if [ ! -e "$S/$was/armed" ] && [ ! -e "$S/$was/reverting" ]; then rm -f "$S/current"
  elif [ -e "$S/$was/armed" ] && [ ! -e "$S/$was/writing" ] &&
    { run_out "$S/$was" || cut_by_boot "$S/$was"; }
  then mv "$S/$was/armed" "$S/$was/never"; sh "$S/$was/change.sh" release; rm -f "$S/current"
  fi
fi
# -n: a mark that leads to a folder is in the way, not a place to put this one in.
ln -sn "$ID" "$S/current" 2>/dev/null || give_up "another change is under way: $(readlink "$S/current")" 75
sh "$T/change.sh" arm "$SECONDS_" || { rm -f "$S/current"; give_up "no timer can be set" 1; }
# The oldest of those that were decided go.
set -- "$S"/[0-9]*T[0-9]*
while [ $# -gt "$KEEP" ]; do
  [ -e "$1/armed" ] || [ -e "$1/reverting" ] || rm -rf "$1"
  shift
done
