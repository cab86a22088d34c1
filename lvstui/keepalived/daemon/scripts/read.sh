# Files of a configuration and what patterns match. `want N PATH` and `match N PATTERN` follow. Behind common.sh.
want() { # number path
  readlink -f -- "$2" 2>/dev/null | blob "real.$1"
  [ -e "$2" ] || { echo "gone $1"; return 0; }
  if [ ! -f "$2" ]; then echo "odd $1"; return 0; fi
  echo "file $1 $(stat -L -c '%f %u %g %h' -- "$2")"
  if [ -r "$2" ]; then blob "data.$1" < "$2"; else echo "denied $1"; fi
}
match() { # number pattern
  number=$1; IFS=
  set -- $2
  unset IFS
  for found; do [ ! -e "$found" ] || printf '%s\0' "$found"; done | blob "match.$number"
}
