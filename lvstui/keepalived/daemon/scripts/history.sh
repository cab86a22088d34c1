# The changes that a host remembers. Comes behind common.sh and guard.sh. S and ONLY (an id, or
# `current` for the one under way; empty for all) come before this.
tell() { # folder
  T=$1 id=${1##*/}
  for state in armed reverting confirmed reverted trouble.end never; do
    [ ! -e "$T/$state" ] || { echo "state $id $state"; break; }
  done
  for word in meta.json outcome; do
    REPLY=; [ ! -e "$T/$word" ] || { line "$T/$word" && echo "${word%.json} $id $REPLY"; }
  done
  [ ! -e "$T/outcome" ] || echo "came $id $(stat -c %Y "$T/outcome" 2>/dev/null)"
  if [ -e "$T/armed" ] || [ -e "$T/reverting" ]; then
    left; echo "left $id $REPLY"
    ! other_boot || echo "boot $id other"
    # A guard that was not started yet is none that is gone.
    if guarded || { [ -e "$T/room.guard.1" ] && [ ! -e "$T/writing" ]; }; then echo "guard $id yes"; fi
    REPLY=; line "$T/trouble"; echo "trouble $id $REPLY"
  fi
  [ ! -e "$T/seen" ] || echo "seen $id yes"
}
[ "$ONLY" != current ] || ONLY=$(readlink "$S/current" 2>/dev/null) || ONLY=-
for folder in "$S"/${ONLY:-[0-9]*T*}; do [ ! -d "$folder" ] || tell "$folder"; done
echo end
