"""More SSH daemons on the lab's nodes, each with one peculiarity."""

from __future__ import annotations

from lvstui.lab import Lab

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
PidFile none
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
    """Start the daemons on rs2, make rs3 want a terminal for sudo, and rs1 count refusals."""
    script = [_KEYS, f"printf '%s' '{_PAM}' > /etc/pam.d/sshd", "mkdir -p /run/sshd"]
    for port, more in _MORE.items():
        # The first value of a keyword counts.
        config = more + _COMMON
        script.append(f"cat > /etc/ssh/more/{port} <<'E'\n{config}E")
        script.append(f"/usr/sbin/sshd -f /etc/ssh/more/{port} -p {port} -E /run/sshd/{port}.log")
    lab.run("rs2", "\n".join(script), timeout=60)
    for name, mode in (("ca", 0o600), ("ca.pub", 0o644)):
        key = lab.run("rs2", f"cat /etc/ssh/more/{name}").stdout
        lab.write("lb1", f"/root/.ssh/lab-{name}", key, mode=mode)
    lab.run(
        "rs3",
        "printf 'Defaults requiretty\\n' > /etc/sudoers.d/tty; chmod 440 /etc/sudoers.d/tty",
    )
