"""Packages of Debian or Ubuntu, fetched without root and without installing anything.

The host's own `apt-get` (its own sources and keys, but state and cache folders of ours) downloads
the packages and what they need that the host lacks; `dpkg-deb -x` unpacks them into a folder of the
user's cache. No maintainer script runs.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lvstui.lab.errors import LabError

Progress = Callable[[str], None]

RECIPE = "1"
"""Raised when the way a layer is made changes, so that old caches are not used."""

_MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")

_APT_CONF = """\
Dir::State "{folder}/state";
Dir::State::status "{status}";
Dir::Cache "{folder}/cache";
APT::Sandbox::User "";
Debug::NoLocking "1";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
APT::Get::Assume-Yes "true";
APT::Install-Recommends "false";
APT::Keep-Downloaded-Packages "true";
Binary::apt-get::APT::Keep-Downloaded-Packages "true";
Dpkg::Use-Pty "0";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Install-Pkgs;
"""
_FOREIGN = """\
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
"""


def cache_home() -> Path:
    """The lab's folder in the user's cache ($XDG_CACHE_HOME, else ~/.cache)."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(base) if base.startswith("/") else Path.home() / ".cache"
    return root / "lvstui" / "lab"


def host_release() -> str:
    try:
        fields = platform.freedesktop_os_release()
    except OSError:
        return "unknown"
    return fields.get("VERSION_CODENAME") or fields.get("VERSION_ID") or fields["ID"]


@contextlib.contextmanager
def _locked(path: Path, progress: Progress) -> Iterator[None]:
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("waiting for another lab that is fetching the packages")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def fetched(wanted: list[str], progress: Progress, foreign: str = "") -> Path | None:
    """A folder with these packages and what they need beyond this host's; None for no packages.

    foreign: a Debian release other than the host's; then with all that they need.

    Raises LabError as `ensure` does.
    """
    if not wanted:
        return None
    release = foreign or host_release()
    key = hashlib.sha256("\n".join([RECIPE, release, *wanted]).encode()).hexdigest()[:12]
    home = cache_home()
    folder = home / f"{release}-{key}"
    if (folder / "root").is_dir():
        return folder / "root"
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise LabError(
                "the lab lacks " + ", ".join(wanted),
                f"and {program} is not there to fetch them",
                "install the packages of these names, or use Debian or Ubuntu",
            )
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _locked(home / f"{release}-{key}.lock", progress):
            if not (folder / "root").is_dir():
                _fetch(folder, wanted, progress, foreign)
    except OSError as error:
        raise LabError(
            f"cannot write the lab's cache {home}",
            str(error),
            "free some space there, or set XDG_CACHE_HOME to a folder of yours with 1 GB free",
        ) from error
    return folder / "root"


def run(
    argv: Sequence[str | Path], env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program of this host to its end, with no input."""
    return subprocess.run(
        argv,
        capture_output=True,
        text=True,
        errors="replace",
        env=env,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def _apt_environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}


def _apt(conf: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return run(["apt-get", "-c", str(conf), *args], _apt_environment())


def _last_lines(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-6:])


def _mirror(conf: Path) -> str:
    """Where this host has Debian's packages from."""
    update = _apt(conf, "update", "-qq")  # whose origin is known only when they were read
    form = "$(ORIGIN) $(COMPONENT) $(REPO_URI)"
    listing = _apt(conf, "indextargets", "--format", form, "Identifier: Packages")
    for line in listing.stdout.splitlines():
        if line.startswith("Debian main "):
            return line.split()[2]
    raise LabError(
        "packages of another Debian release cannot be fetched",
        _last_lines(update.stderr) or "this host has no source of Debian's packages",
        "check that `apt-get update` works, on Debian",
    )


def _fetch(folder: Path, wanted: list[str], progress: Progress, foreign: str) -> None:
    work = folder.with_name(folder.name + ".work")
    for part in ("state/lists/partial", "cache/archives/partial"):
        (work / part).mkdir(parents=True, exist_ok=True)
    conf = work / "apt.conf"
    progress("reading the package lists")
    conf.write_text(_APT_CONF.format(folder=work, status="/var/lib/dpkg/status"), encoding="utf-8")
    if foreign:
        (work / "sources.list").write_text(f"deb {_mirror(conf)} {foreign} main\n")
        options = _APT_CONF.format(folder=work, status="/dev/null") + _FOREIGN.format(folder=work)
        conf.write_text(options, encoding="utf-8")
    update = _apt(conf, "update", "-qq")
    listing = _apt(conf, "install", "-qq", "--print-uris", *wanted)
    if listing.returncode != 0:
        raise LabError(
            "the lab's packages cannot be found: " + " ".join(wanted),
            # A source that does not answer is only a warning to apt, with status 0.
            _last_lines(update.stderr) or _last_lines(listing.stderr or listing.stdout),
            "check the network and that `apt-get update` works for the sources of this system",
        )
    debs: dict[str, int] = {}
    for line in listing.stdout.splitlines():
        fields = line.split()
        if len(fields) >= 3 and fields[0].startswith("'"):
            debs[fields[1]] = int(fields[2])
    # Unpacked, these packages are about five times their compressed size.
    remedy = "free some space, or set XDG_CACHE_HOME to another folder"
    require_space(work, sum(debs.values()) * 7 >> 20, str(work.parent), remedy)
    _download(conf, work / "cache/archives", wanted, debs, progress)
    temporary = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(temporary, ignore_errors=True)
    root = temporary / "root"
    root.mkdir(parents=True)
    for number, deb in enumerate(debs, 1):
        progress(f"unpacking {number} of {len(debs)}: {deb.split('_')[0]}")
        _unpack(work / "cache/archives" / deb, root)
    _follow_merged_usr(root)
    shutil.rmtree(folder, ignore_errors=True)
    temporary.rename(folder)
    shutil.rmtree(work, ignore_errors=True)


def require_space(folder: Path, need_mb: int, what: str, remedy: str) -> None:
    """Raises LabError when so much is not free there."""
    free = shutil.disk_usage(folder).free >> 20
    if free < need_mb:
        raise LabError(
            f"not enough space in {what}", f"{need_mb} MB needed, {free} MB free", remedy
        )


def _download(
    conf: Path, archives: Path, wanted: list[str], debs: dict[str, int], progress: Progress
) -> None:
    """Run apt's own download (verifies, retries, resumes) and count the files as they arrive."""
    log = conf.with_name("download.log")
    with log.open("w") as output:
        process = subprocess.Popen(
            ["apt-get", "-c", str(conf), "install", "-qq", "--download-only", *wanted],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=_apt_environment(),
        )
        try:
            while process.poll() is None:
                ready = sum((archives / deb).exists() for deb in debs)
                size = sum(debs.values()) >> 20
                progress(f"downloading {ready} of {len(debs)} packages ({size} MB)")
                time.sleep(0.3)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    missing = [deb for deb in debs if not (archives / deb).exists()]
    if process.returncode != 0 or missing:
        raise LabError(
            "downloading the lab's packages failed",
            _last_lines(log.read_text(errors="replace")) or ", ".join(missing),
            "check the network and start again: what has arrived is kept",
        )


def _unpack(deb: Path, root: Path) -> None:
    done = run(["dpkg-deb", "-x", deb, root])
    if done.returncode != 0:
        deb.unlink(missing_ok=True)
        raise LabError(
            f"cannot unpack {deb.name}",
            done.stderr,
            "free some space if the disk is full, then start again",
        )


def _follow_merged_usr(root: Path) -> None:
    """Move /sbin and the like below /usr where the host has only links there.

    A real folder in an upper layer would hide the host's link and with it every host program.
    """
    for name in _MERGED:
        host, ours = Path("/") / name, root / name
        if not host.is_symlink() or not ours.is_dir() or ours.is_symlink():
            continue
        for path in sorted(ours.rglob("*")):
            target = root / "usr" / name / path.relative_to(ours)
            if path.is_dir() and not path.is_symlink():
                target.mkdir(parents=True, exist_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(path, target)
        shutil.rmtree(ours)
