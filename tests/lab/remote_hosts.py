"""More SSH daemons on the lab's nodes, each with one peculiarity."""

from __future__ import annotations

from tests.labs import Lab

PASSWORD, ASKS, HANGS, CHACHA, TWO_KEYS, NEW_KEY, CERTIFIED, ONLY_CERTIFICATE = range(2201, 2209)
"""Ports on rs2: password login; keyboard-interactive; nothing after the login; one cipher that
paramiko has not; ecdsa beside ed25519; another ed25519 key than known; a host certificate."""

_COMMON = """\
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
AuthorizedKeysFile .ssh/authorized_keys
UsePAM no
UseDNS no
"""
_OWN_KEY = "HostKey /etc/ssh/ssh_host_ed25519_key\n"
_MORE = {
    PASSWORD: _OWN_KEY + "PasswordAuthentication yes\n",
    ASKS: _OWN_KEY + "KbdInteractiveAuthentication yes\nUsePAM yes\n",
    HANGS: _OWN_KEY + "ForceCommand sleep 600\n",
    CHACHA: _OWN_KEY + "Ciphers chacha20-poly1305@openssh.com\n",
    TWO_KEYS: _OWN_KEY + "HostKey /etc/ssh/more/ecdsa\n",
    NEW_KEY: "HostKey /etc/ssh/more/ed25519\n",
    CERTIFIED: "HostKey /etc/ssh/more/ed25519\nHostCertificate /etc/ssh/more/ed25519-cert.pub\n",
    ONLY_CERTIFICATE: _OWN_KEY + "TrustedUserCAKeys /etc/ssh/more/ca.pub\n"
    "AuthorizedKeysFile none\n",
}

_PAM = """\
auth required pam_unix.so
account required pam_permit.so
session required pam_permit.so
"""

_KEYS = """\
mkdir -p /etc/ssh/more; cd /etc/ssh/more
[ -e ca ] || {
  ssh-keygen -q -t ed25519 -N '' -f ed25519
  ssh-keygen -q -t ecdsa -N '' -f ecdsa
  ssh-keygen -q -t ed25519 -N '' -f ca
  ssh-keygen -q -s ca -I lab -h -n rs2,10.10.0.4 -V -1d:+520w ed25519.pub
}
"""

SUDO_RS = r"""#!/bin/sh
# A stand-in for sudo-rs: it wraps the prompt and words its refusals as sudo-rs does.
prompt= ask=yes
while [ $# -gt 0 ]; do
    case $1 in
        -k|-S) ;;
        -n) ask=no ;;
        -p) prompt=$2; shift ;;
        --) shift; break ;;
        *) break ;;
    esac
    shift
done
[ $ask = yes ] || { echo 'sudo: interactive authentication is required' >&2; exit 1; }
printf '[sudo: %s] Password: ' "$prompt" >&2
IFS= read -r word
if [ "$word" = lab ]; then exec /usr/bin/sudo-real -n "$@"; fi
echo >&2
echo 'sudo: Authentication failed, try again.' >&2
printf '[sudo: %s] Password: ' "$prompt" >&2
IFS= read -r word
echo 'sudo: Maximum 3 incorrect authentication attempts' >&2
exit 1
"""


def prepare(lab: Lab) -> None:
    """Start the daemons on rs2, and make rs3 want a terminal for sudo."""
    lab.run("lb1", "cp -a /root/.ssh /root/.ssh-before")
    script = [_KEYS, f"printf '%s' '{_PAM}' > /etc/pam.d/sshd", "mkdir -p /run/sshd"]
    for port, more in _MORE.items():
        # The first value of a keyword counts.
        config = f"{more}{_COMMON}PidFile /run/sshd/{port}.pid\n"
        script.append(f"cat > /etc/ssh/more/{port} <<'E'\n{config}E")
        script.append(f"/usr/sbin/sshd -f /etc/ssh/more/{port} -p {port} -E /run/sshd/{port}.log")
    lab.run("rs2", "\n".join(script), timeout=60)
    for name, mode in (("ca", 0o600), ("ca.pub", 0o644)):
        key = lab.run("rs2", f"cat /etc/ssh/more/{name}").stdout
        lab.write("lb1", f"/root/.ssh/lab-{name}", key, mode=mode)
    lab.run(
        "rs3", "printf 'Defaults requiretty\\n' > /etc/sudoers.d/tty; chmod 440 /etc/sudoers.d/tty"
    )


def tidy(lab: Lab) -> None:
    """Take it all back."""
    lab.run("rs2", "kill $(cat /run/sshd/*.pid); rm -r /etc/ssh/more", check=False)
    lab.run("rs3", "rm -f /etc/sudoers.d/tty")
    lab.run("lb1", "rm -rf /root/.ssh; mv /root/.ssh-before /root/.ssh")


def put_sudo_rs(lab: Lab, node: str) -> None:
    """The stand-in for sudo-rs in place of sudo."""
    script = """\
    mv /usr/bin/sudo /usr/bin/sudo-real
    echo 'ops ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/rs
    chmod 440 /etc/sudoers.d/rs
    """
    lab.run(node, script)
    lab.write(node, "/usr/bin/sudo", SUDO_RS, mode=0o755)


def put_sudo_back(lab: Lab, node: str) -> None:
    """The real one again."""
    lab.run(node, "mv /usr/bin/sudo-real /usr/bin/sudo; rm -f /etc/sudoers.d/rs")
