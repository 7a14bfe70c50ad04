"""Places and names are derived from the checkout alone."""

import pathlib

from tests.cluster import paths


def test_two_checkouts_share_a_cache_and_no_name() -> None:
    environment = {"WASMOOR_CACHE": "/cache"}
    one, other = (paths.derive_paths(pathlib.Path(folder), environment) for folder in ("/a/wasmoor", "/b/wasmoor"))
    assert one.binaries == other.binaries
    assert {one.name, one.interface, one.node, one.run, one.lock}.isdisjoint(
        {other.name, other.interface, other.node, other.run, other.lock}
    )


def test_names_fit_into_what_the_kernel_holds() -> None:
    known = paths.derive_paths(pathlib.Path("/a/very/long/path" * 20), {"HOME": "/root"})
    assert len(known.interface) <= 15
    assert len(str(known.containerd_socket)) <= 107


def test_the_cache_is_where_the_environment_says() -> None:
    checkout = pathlib.Path("/a")
    assert paths.derive_paths(checkout, {"HOME": "/h"}).cache == pathlib.Path("/h/.cache/wasmoor")
    assert paths.derive_paths(checkout, {"HOME": "/h", "XDG_CACHE_HOME": "/x"}).cache == pathlib.Path("/x/wasmoor")


def test_only_a_named_context_is_a_cluster_of_somebody_else() -> None:
    assert paths.foreign_context({"KUBECONFIG": "/production"}) is None
    assert paths.foreign_context({"CONTEXT": "kind-x"}) == "kind-x"
