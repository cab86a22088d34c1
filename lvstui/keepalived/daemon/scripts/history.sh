# The changes that a host remembers. S and ONLY (`current`, or empty for all) come before this.
REPLY=0; line /proc/uptime; now=${REPLY%%.*}
tell() { # folder
  id=${1##*/}
  for state in armed reverting confirmed reverted trouble.end never; do
    [ ! -e "$1/$state" ] || { echo "state $id $state"; break; }
  done
  for word in meta.json outcome; do
    REPLY=; [ ! -e "$1/$word" ] || { line "$1/$word" && echo "${word%.json} $id $REPLY"; }
  done
  [ ! -e "$1/outcome" ] || echo "came $id $(stat -c %Y "$1/outcome" 2>/dev/null)"
  if [ -e "$1/armed" ] || [ -e "$1/reverting" ]; then
    REPLY=0; [ ! -e "$1/deadline" ] || line "$1/deadline"; echo "left $id $((REPLY - now))"
    # Its own pattern must not find the search itself.
    if grep -qa "$id[/]change.sh" /proc/[0-9]*/cmdline 2>/dev/null; then echo "guard $id yes"; fi
  fi
}
if [ -n "$ONLY" ]; then
  if id=$(readlink "$S/current" 2>/dev/null); then tell "$S/$id"; fi
else
  for folder in "$S"/[0-9]*T*; do [ ! -d "$folder" ] || tell "$folder"; done
fi
echo end
