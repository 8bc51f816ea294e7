"""Unpack a Debian package and its libraries into a folder: any user, nothing installed, signatures verified.

It works through a private apt state in the folder itself, from the mirror that this machine's apt uses.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .faults import Fault

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
APT_TIMEOUT_S = 900
Say = Callable[[str], None]


@dataclass(frozen=True)
class Wanted:
    """What to unpack.

    packages:     the first is what it is about, others go along
    suite:        of Debian, such as `unstable`
    download_mb:  how much there is to fetch, for people
    disk_mb:      free disk space asked for: packages, unpacked files, package lists and some air
    instead:      what one can do where it does not work
    """

    packages: tuple[str, ...]
    suite: str
    download_mb: int
    disk_mb: int
    instead: str

    @property
    def name(self) -> str:
        return self.packages[0]


def unpack(target: Path, wanted: Wanted, say: Say) -> None:
    """Make `target` a file tree of these packages; it appears complete or not at all. Raises Fault."""
    for tool in ("apt-get", "dpkg-deb", "dpkg"):
        if shutil.which(tool) is None:
            raise Fault(f"{tool} not found, so {wanted.name} cannot be unpacked here", wanted.instead)
    if not KEYRING.is_file():
        raise Fault(f"{KEYRING} is missing, so Debian's signatures cannot be checked",
                    f"install the package debian-archive-keyring, or {wanted.instead}")  # fmt: skip
    free_mb = shutil.disk_usage(target.parent).free // 1_000_000
    if free_mb < wanted.disk_mb:
        raise Fault(
            f"{target.parent} has only {free_mb} MB free, {wanted.name} needs {wanted.disk_mb} MB",
            "make room",
        )
    work = target.with_name(f"{target.name}.partial")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        apt = _PrivateApt(work / "apt", wanted)
        apt.update(_mirrors(wanted), say)
        packages = apt.download(say)
        root = work / "root"
        say(f"unpacking {len(packages)} packages")
        _unpack_all(packages, root)
        _mend(root)
        root.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _mirrors(wanted: Wanted) -> list[str]:
    """Return the archives this machine's apt is set up for, those known to be Debian's first."""
    form = "$(REPO_URI)|$(ORIGIN)|$(LABEL)"
    run = subprocess.run(
        ["apt-get", "indextargets", "--format", form, "Created-By: Packages"],
        capture_output=True, text=True, check=False, env=_environment(),
    )  # fmt: skip
    sure: list[str] = []
    perhaps: list[str] = []
    for line in run.stdout.splitlines():
        uri, origin, label = line.split("|")
        if (origin, label) == ("Debian", "Debian"):
            sure.append(uri)
        elif origin.startswith("$("):  # apt has not fetched this archive's release file yet, so it cannot say
            perhaps.append(uri)
    found = list(dict.fromkeys(sure + perhaps))
    if not found:
        raise Fault(
            "apt on this machine knows no Debian mirror", f"add one to its sources, or {wanted.instead}"
        )
    return found


class _PrivateApt:
    """apt with its lists, cache and state in a folder of ours, and an empty list of installed packages."""

    def __init__(self, folder: Path, wanted: Wanted) -> None:
        self._folder = folder
        self._wanted = wanted
        for name in ("lists/partial", "archives/partial", "sources.d", "preferences.d", "log"):
            (folder / name).mkdir(parents=True)
        (folder / "status").touch()
        # The machine's own settings (proxy, credentials of a mirror) stay in force, its hooks do not.
        (folder / "apt.conf").write_text(
            "#clear APT::Update;\n#clear DPkg;\n#clear Acquire::IndexTargets::deb::DEP-11;\n"
            "#clear Acquire::IndexTargets::deb::CNF;\n"
            'APT::Sandbox::User "";\nAPT::Install-Recommends "false";\nAcquire::Languages "none";\n'
            'Acquire::Retries "3";\n'
            f'Dir::Etc::SourceList "{folder}/sources.list";\nDir::Etc::SourceParts "{folder}/sources.d";\n'
            f'Dir::Etc::Preferences "{folder}/none";\nDir::Etc::PreferencesParts "{folder}/preferences.d";\n'
            f'Dir::State "{folder}";\nDir::State::Lists "{folder}/lists";\n'
            f'Dir::State::status "{folder}/status";\n'
            f'Dir::State::extended_states "{folder}/extended";\n'
            f'Dir::Cache "{folder}";\nDir::Cache::Archives "{folder}/archives";\nDir::Log "{folder}/log";\n'
        )

    def update(self, mirrors: list[str], say: Say) -> None:
        architecture = subprocess.run(
            ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
        ).stdout.strip()
        complaints = ""
        suite = self._wanted.suite
        for mirror in mirrors:
            say(f"package list of Debian {suite}")
            # A snapshot of a suite may be past its date; the signature is what counts, and is required.
            (self._folder / "sources.list").write_text(
                f"deb [arch={architecture} signed-by={KEYRING} check-valid-until=no] {mirror} {suite} main\n"
            )
            run = self._run("update", "--error-on=any")
            if run.returncode == 0:
                return
            complaints = _last_complaint(run.stderr) or complaints
        raise Fault(
            f"apt cannot read Debian {suite}: {complaints}",
            "check that this machine reaches its apt mirror (sudo apt-get update), or "
            + self._wanted.instead,
        )

    def download(self, say: Say) -> list[Path]:
        wanted = self._wanted
        say(f"downloading {wanted.name} and its libraries (about {wanted.download_mb} MB)")
        run = self._run("install", "--yes", "--download-only", *wanted.packages)
        if run.returncode != 0:
            raise Fault(f"apt cannot fetch {wanted.name}: {_last_complaint(run.stderr)}", "try again later")
        return sorted((self._folder / "archives").glob("*.deb"))

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                ["apt-get", "-q", "-c", f"{self._folder}/apt.conf", *arguments],
                capture_output=True, text=True, check=False, env=_environment(), timeout=APT_TIMEOUT_S,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise Fault(
                f"apt took longer than {APT_TIMEOUT_S} s", "check the network and try again"
            ) from None


def _last_complaint(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.startswith(("E:", "Err:"))]
    return lines[0].removeprefix("E:").strip() if lines else "no reason given"


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}


def _unpack_all(packages: list[Path], root: Path) -> None:
    root.mkdir()

    def one(package: Path) -> None:
        run = subprocess.run(["dpkg-deb", "-x", package, root], capture_output=True, text=True, check=False)
        if run.returncode != 0:
            raise Fault(f"{package.name} cannot be unpacked: {run.stderr.strip()}", "free some disk space?")
        package.unlink()

    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        list(pool.map(one, packages))


def _mend(root: Path) -> None:
    """Drop what nothing here reads, and point absolute links (made for an installed system) into the tree."""
    for name in ("doc", "man", "locale", "info", "perl", "lintian", "bug"):
        shutil.rmtree(root / "usr/share" / name, ignore_errors=True)
    for link in root.rglob("*"):
        if link.is_symlink() and (points_to := str(link.readlink())).startswith("/"):
            inside = root / points_to.lstrip("/")
            link.unlink()
            if inside.exists():
                link.symlink_to(os.path.relpath(inside, link.parent))


@contextmanager
def only_one(lock: Path, say: Say) -> Iterator[None]:
    """Hold `lock` for the time of the block; if another process has it, say so and wait."""
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another process to finish")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
