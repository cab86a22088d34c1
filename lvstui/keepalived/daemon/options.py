"""keepalived's command line, as its getopt_long takes it (core/main.c, 1.2 to 2.4)."""

from __future__ import annotations

DEFAULT_CONFIG = "/etc/keepalived/keepalived.conf"

_SHORT_WITH_VALUE = frozenset("ufpisSrcbA")
_SHORT_MAY_HAVE_VALUE = frozenset("Mgt")
_LONG = {
    "use-file": "f",
    "umask": "u",
    "pid": "p",
    "config-id": "i",
    "namespace": "s",
    "log-facility": "S",
    "vrrp_pid": "r",
    "vrrp-pid": "r",
    "checkers_pid": "c",
    "checkers-pid": "c",
    "bfd_pid": "b",
    "bfd-pid": "b",
    "snmp-agent-socket": "A",
    "log-file": "g",
    "core-dump-pattern": "M",
    "config-test": "t",
    "flush-log-file": "flush",
    "no-syslog": "G",
    "log-console": "l",
    "log-detail": "D",
    "dont-fork": "n",
    "vrrp": "P",
    "check": "C",
    "signum": "signum",
    "version": "v",
    "help": "h",
}


def options_of(argv: tuple[str, ...]) -> dict[str, str]:
    """keepalived's options by their short letter (`flush` for --flush-log-file).

    Understands what getopt_long does: bundled letters, glued and separate values, abbreviated
    long names. An option without a value gives an empty string; the last one wins.
    """
    found: dict[str, str] = {}
    words = list(argv[1:])
    while words:
        word = words.pop(0)
        if word == "--":
            break
        if word.startswith("--"):
            name, has_value, value = word[2:].partition("=")
            matches = {s for n, s in _LONG.items() if n == name} or {
                s for n, s in _LONG.items() if name and n.startswith(name)
            }
            if len(matches) != 1:
                continue
            letter = matches.pop()
            if letter in _SHORT_WITH_VALUE and not has_value and words:
                value = words.pop(0)
            found[letter] = value
        elif word.startswith("-") and len(word) > 1:
            letters = word[1:]
            while letters:
                letter, letters = letters[0], letters[1:]
                if letter in _SHORT_WITH_VALUE:
                    found[letter] = letters or (words.pop(0) if words else "")
                    break
                if letter in _SHORT_MAY_HAVE_VALUE:
                    found[letter] = letters
                    break
                found[letter] = ""
    return found


def main_file(argv: tuple[str, ...]) -> str:
    """The main configuration file of a daemon with this command line."""
    return options_of(argv).get("f") or DEFAULT_CONFIG


def config_id(argv: tuple[str, ...], node: str) -> str:
    """What `@id` lines are compared with: `-i`, else the node's name up to its first dot."""
    return options_of(argv).get("i") or node.partition(".")[0]
