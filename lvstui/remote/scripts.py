"""The shell snippets that carry scripts and files to another host.

The login shell there may be anything (csh, fish), so command lines hold plain words and single
quotes without newlines only; all else is for `sh`.
"""

from __future__ import annotations

import shlex

SYSTEM_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"
PATHS = f"PATH=$PATH:{SYSTEM_FOLDERS}"
"""A user's PATH often lacks the folders of ip, sysctl and keepalived."""

PLAIN_SHELL = f"exec env LC_ALL=C sh -c '{PATHS}; export PATH; eval \"$(cat)\"'"
"""Reads a script from standard input to its end, and then runs it."""

INLINE = 30_000
"""Characters of script that a command line takes: four times as much when encoded, and the kernel
allows 128 KiB for one argument."""

_SAFE = frozenset(
    b'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 "$&()*+,-./:;<=>?@[]^_`{|}~#'
)


NOT_THERE = 127
"""A shell's exit status for a program that is not there."""

PROBE_ROOT = """\
u=$(id -u) && echo $u
[ "$u" != 0 ] || exit 0
sudo -k -n -- sh -c : </dev/null >/dev/null; echo $?
doas -n sh -c : </dev/null >/dev/null 2>&1; echo $?
"""
"""Prints who we are and, when that is not root, whether sudo and doas make us root without a
password: root's own sudo would be a line in the host's log for nothing. `-k`: by the rules alone,
not by the ticket of a session elsewhere, which may run out before the next command."""


def script_bytes(script: str) -> bytes:
    """A script as the shell gets it: file names that are no UTF-8 keep their bytes."""
    return script.encode("utf-8", "surrogateescape")


def encoded(script: str) -> str:
    """A script as the argument of `printf %b` in single quotes, the same for every shell."""
    return "".join(chr(c) if c in _SAFE else f"\\0{c:03o}" for c in script_bytes(script))


def inline(script: str) -> str:
    """A command line that runs a short script and leaves standard input to it."""
    return (
        f"exec env LC_ALL=C sh -c '{PATHS}; export PATH; "
        f'eval "set --;$(printf %b "$1")"\' sh \'{encoded(script)}\''
    )


def root_command(marker: str, folder: str = "", *, apart: bool = False, script: str = "") -> str:
    """What root's `sh -c` gets, in single quotes: a line with `marker` on standard error says that
    it is root, which no words of sudo can be mistaken for; then it runs a script.

    folder: as `stage_script` made it, removed before the script runs. Empty: the script comes by
    standard input, unless it is given here. apart: the outputs and the exit status go to files in
    the folder.
    """
    start = f"echo {marker} >&2; LC_ALL=C; export LC_ALL; {PATHS}; export PATH; cd /; "
    if script:
        run = 'exec < /dev/null; eval "set --;$(printf %b "$1")"'
        return f"'{start}{run}' sh '{encoded(script)}'"
    if not folder:
        return f"'{start}eval \"$(cat)\"'"
    take = f"s=$(cat {folder}/script) || exit 126; exec < {folder}/in; "
    if apart:
        run = f'(eval "$s") > {folder}/out 2> {folder}/err; echo $? > {folder}/status'
        return f"'{start}{take}rm -f {folder}/script {folder}/in; {run}'"
    return f"'{start}{take}rm -rf {folder}; eval \"$s\"'"


def staged_command(folder: str) -> str:
    """A command line that runs what `stage_script` put there, not as root."""
    return (
        f"exec env LC_ALL=C sh -c '{PATHS}; export PATH; s=$(cat {folder}/script) || exit 126; "
        f'exec < {folder}/in; rm -rf {folder}; eval "$s"\''
    )


def stage_script(script: str | None) -> str:
    """Make a private folder with a script and its input in it, and print the folder's name.

    None: the script comes by standard input, and its own input is empty so far.
    """
    if script is None:
        fill = 'cat > "$d/script" && : > "$d/in"'
    else:
        fill = f'printf %b \'{encoded(script)}\' > "$d/script" && cat > "$d/in"'
    return f"""\
umask 077
for base in /dev/shm /tmp /var/tmp "$HOME"; do
    d=$(mktemp -d "$base/.lvstui-XXXXXXXXXX" 2>/dev/null) || continue
    if {fill} && : > "$d/out" && : > "$d/err" && : > "$d/status"; then
        echo "$d"
        exit 0
    fi
    rm -rf "$d"
done
echo "no folder for temporary files could be written" >&2
exit 1
"""


def write_script(path: str, size: int, mode: int, nonce: str) -> str:
    """Write standard input, which has `size` bytes, as a whole file.

    The temporary file lies in the target's folder, so that the rename is one step, under a name
    that no reader of configuration folders takes (a leading dot, no suffix, a tilde at the end).
    The length is checked, because a connection that breaks looks like the end of the input.
    """
    return f"""\
t={shlex.quote(path)}
if [ -L "$t" ]; then t=$(readlink -f -- "$t") || exit 1; fi
case $t in */*) d=${{t%/*}} ;; *) d=. ;; esac
[ -n "$d" ] || d=/
n=$d/.lvstui-{nonce}~
umask 077
trap 'rm -f -- "$n"' EXIT
trap 'exit 1' HUP INT TERM
cat > "$n" || exit 1
[ "$(wc -c < "$n")" -eq {size} ] || {{ echo "the data did not arrive whole" >&2; exit 1; }}
if [ -d "$t" ]; then echo "$t: Is a directory" >&2; exit 1; fi
if [ -e "$t" ]; then chown "$(stat -c %u:%g -- "$t")" "$n" 2>/dev/null || :; fi
chmod {mode:04o} "$n" || exit 1
sync "$n" 2>/dev/null || sync
mv -f -- "$n" "$t" || exit 1
trap - EXIT
if command -v restorecon >/dev/null 2>&1; then restorecon -F -- "$t" >/dev/null 2>&1 || :; fi
sync "$d" 2>/dev/null || sync
"""
