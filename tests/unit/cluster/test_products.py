"""What is built, and when it is built again."""

import pathlib

import pytest

from tests.cluster import paths, products, toolchain

MODULES = paths.find_paths().go_modules


@pytest.mark.parametrize("product", products.PRODUCTS, ids=lambda product: product.name)
def test_every_product_has_a_module_that_pins_its_version(product: products.Product, tmp_path: pathlib.Path) -> None:
    build = products.plan_build(product, modules=MODULES, binaries=tmp_path)
    assert build.version.startswith("v") == bool(product.module)
    assert not build.is_built


def test_all_programs_of_kubernetes_are_tools_of_its_module() -> None:
    text = (MODULES / "kubernetes" / "go.mod").read_text(encoding="utf-8")
    assert all(f"\tk8s.io/kubernetes/cmd/{program}\n" in text for program in products.KUBERNETES.programs)


def test_the_version_is_stamped_into_kubernetes() -> None:
    flags = products.render_linker_flags(products.KUBERNETES, "v1.2.3")
    assert "-X k8s.io/component-base/version.gitVersion=v1.2.3" in flags


def test_a_changed_checksum_file_is_another_build() -> None:
    one = products.compute_key(products.ETCD, {"go.mod": b"a", "go.sum": b"b"}, "-s")
    assert one != products.compute_key(products.ETCD, {"go.mod": b"a", "go.sum": b"c"}, "-s")


def test_a_changed_flag_is_another_build() -> None:
    one = products.compute_key(products.ETCD, {"go.mod": b"a"}, "-s")
    assert one != products.compute_key(products.ETCD, {"go.mod": b"a"}, "-s -w")


def test_text_that_moves_from_one_file_to_the_next_is_another_build() -> None:
    one = products.compute_key(products.ETCD, {"go.mod": b"ab", "go.sum": b""}, "")
    assert one != products.compute_key(products.ETCD, {"go.mod": b"a", "go.sum": b"b"}, "")


def test_go_versions_are_compared_by_number() -> None:
    assert toolchain.parse_go_version("go1.26.10\n") > toolchain.parse_go_version("go1.26.9")


@pytest.mark.parametrize("text", ["", "devel +abc", "go1.27rc1", "gone"])
def test_a_go_that_is_no_release_is_not_new_enough(text: str) -> None:
    assert toolchain.parse_go_version(text) < toolchain.LOWEST_GO
