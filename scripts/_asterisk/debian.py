"""Unpack Debian's Asterisk into a folder: any user, no package installed, signatures verified.

The stable suites carry no current Asterisk, so it comes from `unstable`, through a private apt state in the
folder itself. The mirror is the one this machine's apt uses already.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .faults import Fault

SUITE = "unstable"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
NEEDED_MB = 600
"""Free disk space asked for: packages (80 MB), unpacked files (250 MB), package lists and some air."""
APT_TIMEOUT_S = 900
OWN_ASTERISK = "install Asterisk 20.15 or newer and put it on PATH"

Say = Callable[[str], None]


def unpack(target: Path, say: Say) -> None:
    """Make `target` a file tree with Asterisk and all its libraries; it appears complete or not at all."""
    for tool in ("apt-get", "dpkg-deb", "dpkg"):
        if shutil.which(tool) is None:
            raise Fault(f"{tool} not found, so Debian's Asterisk cannot be unpacked here", OWN_ASTERISK)
    if not KEYRING.is_file():
        raise Fault(f"{KEYRING} is missing, so Debian's signatures cannot be checked",
                    f"install the package debian-archive-keyring, or {OWN_ASTERISK}")  # fmt: skip
    free_mb = shutil.disk_usage(target.parent).free // 1_000_000
    if free_mb < NEEDED_MB:
        raise Fault(f"only {free_mb} MB free in {target.parent}, Asterisk needs {NEEDED_MB} MB", "make room")
    work = target.with_name(f"{target.name}.partial")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        apt = _PrivateApt(work / "apt")
        apt.update(_mirrors(), say)
        packages = apt.download("asterisk", say)
        root = work / "root"
        say(f"unpacking {len(packages)} packages")
        _unpack_all(packages, root)
        _mend(root)
        root.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _mirrors() -> list[str]:
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
            "apt on this machine knows no Debian mirror", f"add one to its sources, or {OWN_ASTERISK}"
        )
    return found


class _PrivateApt:
    """apt with its lists, cache and state in a folder of ours, and an empty list of installed packages."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
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
        for mirror in mirrors:
            say(f"package list of Debian {SUITE}")
            # A snapshot of unstable may be past its date; the signature is what counts, and is required.
            (self._folder / "sources.list").write_text(
                f"deb [arch={architecture} signed-by={KEYRING} check-valid-until=no] {mirror} {SUITE} main\n"
            )
            run = self._run("update", "--error-on=any")
            if run.returncode == 0:
                return
            complaints = _last_complaint(run.stderr) or complaints
        raise Fault(
            f"apt cannot read Debian {SUITE}: {complaints}",
            f"check that this machine reaches its apt mirror (sudo apt-get update), or {OWN_ASTERISK}",
        )

    def download(self, package: str, say: Say) -> list[Path]:
        say(f"downloading {package} and its libraries (about 80 MB)")
        run = self._run("install", "--yes", "--download-only", package)
        if run.returncode != 0:
            raise Fault(f"apt cannot fetch {package}: {_last_complaint(run.stderr)}", "try again later")
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
