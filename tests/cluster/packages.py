"""Programs that come as Debian packages: the container runtime, the network plugins, the builder, the registry.

Asks apt only for what is missing. The registry is unpacked, not installed, because installing it starts a system
service on port 5000. Called by install.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile

from tests.cluster import processes
from tests.cluster.errors import ClusterError
from tests.cluster.paths import Paths
from tests.cluster.progress import Progress

# Program that shows that a package is there -> Debian package.
PROGRAMS = {
    "containerd": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "openssl": "openssl",
    "buildah": "buildah",
    "debootstrap": "debootstrap",
}
PLUGIN_FOLDERS = (pathlib.Path("/usr/lib/cni"), pathlib.Path("/opt/cni/bin"))
PLUGINS = ("bridge", "host-local", "loopback", "portmap")
APT_TIMEOUT = 600.0


def find_missing() -> list[str]:
    """Debian packages that this machine lacks."""
    path = os.environ.get("PATH", os.defpath) + ":/usr/local/sbin:/usr/sbin:/sbin"
    missing = [package for program, package in PROGRAMS.items() if shutil.which(program, path=path) is None]
    if find_plugin_folder() is None:
        missing.append("containernetworking-plugins")
    return missing


def find_plugin_folder() -> pathlib.Path | None:
    """Folder that holds every network plugin we use."""
    complete = (folder for folder in PLUGIN_FOLDERS if all((folder / plugin).is_file() for plugin in PLUGINS))
    return next(complete, None)


def install_packages(progress: Progress) -> None:
    """Install what is missing, as root; nothing is asked of apt when nothing is."""
    missing = find_missing()
    if not missing:
        return
    names = " ".join(missing)
    if os.geteuid() != 0:
        raise ClusterError(f"missing: {names}", where="this machine", todo="run this as root, or install them yourself")
    progress.say(f"installing Debian packages: {names}")
    run_apt(["install", "--yes", "--no-install-recommends", *missing])


def find_registry(paths: Paths) -> pathlib.Path | None:
    """The registry program: the machine's own, or the one in the cache."""
    own = shutil.which("docker-registry")
    cached = paths.binaries / "docker-registry" / "usr" / "bin" / "docker-registry"
    return pathlib.Path(own) if own else cached if cached.is_file() else None


def install_registry(paths: Paths, progress: Progress) -> None:
    """Unpack Debian's registry into the cache; the caller holds the install lock."""
    if find_registry(paths) is not None:
        return
    progress.say("fetching docker-registry (unpacked into the cache, no service is started)")
    paths.binaries.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=paths.binaries, prefix=".docker-registry-") as temporary:
        folder = pathlib.Path(temporary)
        run_apt(["download", "docker-registry"], folder=folder)
        package = next(folder.glob("docker-registry_*.deb"))
        processes.run([processes.find_program("dpkg"), "-x", package, folder / "unpacked"])
        (folder / "unpacked").rename(paths.binaries / "docker-registry")


def run_apt(arguments: list[str], *, folder: pathlib.Path | None = None) -> None:
    """Run apt-get; when its lists are missing or old, fetch them and try once more."""
    apt = shutil.which("apt-get")
    if apt is None:
        raise ClusterError(
            f"cannot install {' '.join(arguments[1:])} without apt-get",
            where="this machine",
            todo="install them with your own package manager, or use a cluster of your own with CONTEXT=",
        )
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for attempt in (arguments, ["update"], arguments):
        done = subprocess.run(
            [apt, "--quiet", *attempt],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=APT_TIMEOUT,
            check=False,
        )
        if attempt is arguments and done.returncode == 0:
            return
    last = (done.stderr.strip().splitlines() or ["no message"])[-1]
    raise ClusterError(f"apt-get {arguments[0]} failed: {last}", where=" ".join(arguments), todo="mend apt's sources")
