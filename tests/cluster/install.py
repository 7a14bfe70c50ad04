"""Installs everything that the cluster needs, or finds it in the cache. Called by `__main__`, node and images."""

from tests.cluster import locks, packages, products, toolchain
from tests.cluster.paths import Paths
from tests.cluster.progress import Progress


def is_complete(paths: Paths) -> bool:
    """Whether nothing is left to install."""
    builds = (
        products.plan_build(product, modules=paths.go_modules, binaries=paths.binaries) for product in products.PRODUCTS
    )
    built = all(build.is_built for build in builds)
    return built and not packages.find_missing() and packages.find_registry(paths) is not None


def install_all(paths: Paths, progress: Progress) -> None:
    """Install what is missing; a second caller waits for the first and then finds everything there."""
    if is_complete(paths):
        return
    with locks.hold(paths.cache / "install.lock"):
        packages.install_packages(progress)
        packages.install_registry(paths, progress)
        toolchain.install_products(paths, progress)


def install_builder(paths: Paths, progress: Progress) -> None:
    """Install what building images needs: Debian packages alone, nothing that takes minutes."""
    if packages.find_missing():
        with locks.hold(paths.cache / "install.lock"):
            packages.install_packages(progress)
