"""What is built from Go modules, and the key under which each result is cached.

Pure. One small go.mod per product, because each is its upstream's tested set of dependencies. Called by toolchain and
by everything that needs one of the programs.
"""

import dataclasses
import hashlib
import pathlib
import re
from collections.abc import Mapping

# Everything but the modules that decides what a build gives.
FLAGS = ("-trimpath", "-buildvcs=false", "-mod=readonly")
STATIC: Mapping[str, str] = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A Go module in `tests/cluster/go/NAME` and the programs it gives."""

    name: str
    programs: tuple[str, ...]
    # Module whose version in go.mod is the product's; empty for our own code.
    module: str = ""
    # Package to build; `tool` builds everything that go.mod names as a tool, each under its own name.
    package: str = "tool"
    # Variables that receive the version, as the project's own release build sets them.
    stamps: tuple[str, ...] = ()


KUBERNETES = Product(
    name="kubernetes",
    programs=(
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kubelet",
        "kube-proxy",
        "kubectl",
    ),
    module="k8s.io/kubernetes",
    # Clients parse the version: without this it reads v0.0.0-master+$Format.
    stamps=("k8s.io/component-base/version.gitVersion",),
)
ETCD = Product(
    name="etcd",
    programs=("etcd",),
    module="go.etcd.io/etcd/server/v3",
    package="go.etcd.io/etcd/server/v3",
)
HELM = Product(
    name="helm",
    programs=("helm",),
    module="helm.sh/helm/v3",
    package="helm.sh/helm/v3/cmd/helm",
    stamps=("helm.sh/helm/v3/internal/version.version",),
)
PAUSE = Product(name="pause", programs=("pause",), package=".")
PRODUCTS = (PAUSE, ETCD, HELM, KUBERNETES)


def parse_version(product: Product, go_mod: str) -> str:
    """Version of the product's module in its go.mod, such as `v1.36.3`; empty for our own code."""
    if not product.module:
        return ""
    found = re.search(rf"^\s*(?:require )?{re.escape(product.module)} (v\S+)", go_mod, re.MULTILINE)
    if found is None:
        raise ValueError(f"{product.name}/go.mod does not require {product.module}")
    return found.group(1)


def render_linker_flags(product: Product, version: str) -> str:
    """Linker flags: no symbol tables, and the version stamped in."""
    return " ".join(["-s", "-w", *(f"-X {variable}={version}" for variable in product.stamps)])


def compute_key(product: Product, sources: Mapping[str, bytes], flags: str) -> str:
    """Cache key: product, every source file, every flag. Sources are the folder's files by name."""
    digest = hashlib.sha256(repr((product, FLAGS, sorted(STATIC.items()), flags)).encode())
    for name, content in sorted(sources.items()):
        digest.update(f"\0{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A product with everything known about its build: sources, version, and where the programs are or will be."""

    product: Product
    source: pathlib.Path
    version: str
    linker_flags: str
    folder: pathlib.Path

    @property
    def is_built(self) -> bool:
        """The folder appears in one step when the build is complete."""
        return self.folder.is_dir()

    def program(self, name: str) -> pathlib.Path:
        """Path of one of the product's programs."""
        return self.folder / name


def plan_build(product: Product, *, modules: pathlib.Path, binaries: pathlib.Path) -> Build:
    """Read the product's sources and decide its cache key."""
    source = modules / product.name
    files = {file.name: file.read_bytes() for file in source.iterdir() if file.suffix in {".mod", ".sum", ".go"}}
    version = parse_version(product, files["go.mod"].decode())
    flags = render_linker_flags(product, version)
    key = compute_key(product, files, flags)
    folder = binaries / f"{product.name}-{key}"
    return Build(product=product, source=source, version=version, linker_flags=flags, folder=folder)
