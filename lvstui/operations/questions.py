"""What is asked for a first configuration, on the screen and on the shell."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to be answered: a line of the form, an option of the command."""

    field: str
    label: str
    help: str
    hint: str = ""
    """Shown in an empty field, where nothing is guessed."""
    default: str = ""
    shell: str = ""
    """What the help of the option says."""
    metavar: str | None = None
    choices: tuple[str, ...] | None = None
    """Of the option; the form says what is wrong."""


QUESTIONS = (
    Question(
        "vip",
        "VIP",
        "The address that clients use, with the length of its network.",
        shell="the virtual address",
        metavar="ADDR[/PREFIX]",
    ),
    Question(
        "directors",
        "Directors",
        "Names of this director and of its peer.",
        shell="this director, then its peer",
        metavar="NAME,NAME",
    ),
    Question(
        "interface",
        "Interface",
        "Carries VIP and adverts; two names when they differ.",
        shell="of the adverts and the VIP, on each director",
        metavar="IF[,IF]",
    ),
    Question(
        "vrid",
        "VRID",
        "1 to 255; no other pair on this network may use it.",
        shell="virtual router id, 1 to 255",
        metavar="N",
    ),
    Question(
        "unicast",
        "Unicast",
        "Addresses of both directors where multicast is not forwarded (clouds); empty: multicast.",
        "multicast",
        shell="adverts go straight between these addresses",
        metavar="ADDR,ADDR",
    ),
    Question(
        "servers",
        "Real servers",
        "ADDR[=NAME][*WEIGHT], blanks between; all on the VIP's network.",
        "10.0.0.3=rs1*10 10.0.0.4=rs2*10",
        shell="a real server; again for each",
        metavar="ADDR[=NAME][*WEIGHT]",
    ),
    Question(
        "port",
        "Port",
        "Of the service; the real servers listen on the same one.",
        default="80",
        shell="of the service (default 80)",
    ),
    Question(
        "protocol",
        "Protocol",
        "One of tcp, udp, sctp.",
        default="tcp",
        choices=("tcp", "udp", "sctp"),
    ),
    Question(
        "name",
        "Service name",
        "A comment beside it; lvstui shows it.",
        "web",
        shell="of the service, as a comment beside it",
    ),
    Question(
        "scheduler",
        "Scheduler",
        "wlc: fewest connections for the weight; wrr: by turns; sh: by client address.",
        default="wlc",
        shell="how connections are shared (default wlc)",
    ),
    Question(
        "persistence",
        "Persistence",
        "Seconds for which a client stays with its server; empty: none.",
        "none",
        shell="a client stays with its server that long",
        metavar="SECONDS",
    ),
    Question(
        "check",
        "Check",
        "One of TCP_CHECK, HTTP_GET, SSL_GET, none; a server that fails it gets no connections.",
        "TCP_CHECK",
        shell="how servers are checked (default TCP_CHECK; none for UDP)",
        choices=("TCP_CHECK", "HTTP_GET", "SSL_GET", "none"),
    ),
    Question(
        "path",
        "Path",
        "For HTTP_GET and SSL_GET: status 200 is good.",
        default="/",
        shell="for HTTP_GET and SSL_GET (default /)",
    ),
)
"""Of two directors, names, interfaces and addresses have a comma between; servers have blanks or
commas. What is empty is guessed."""
