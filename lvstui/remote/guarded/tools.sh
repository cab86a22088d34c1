# What every script of ours has. POSIX shell; functions only.
line() { # path: its first line, without a process of its own
  IFS= read -r REPLY < "$1" || [ -n "$REPLY" ]
} 2>/dev/null
same() {
  if command -v cmp >/dev/null 2>&1; then cmp -s -- "$1" "$2"
  else [ "$(od -An -v -tx1 < "$1")" = "$(od -An -v -tx1 < "$2")" ]; fi
}
