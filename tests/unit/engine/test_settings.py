from __future__ import annotations

from wasmoor_runtime.contract.document import CallLimits
from wasmoor_runtime.engine import children
from wasmoor_runtime.engine.compiler import cache_name
from wasmoor_runtime.engine.settings import EngineSettings

DIGEST = "sha256:" + "ab" * 32


def test_settings_pass_as_text() -> None:
    settings = EngineSettings.from_limits(CallLimits(fuel=7, stack_bytes=65536))

    assert settings == EngineSettings(stack_bytes=65536, metered=True)
    assert EngineSettings.from_json(settings.to_json()) == settings


def test_compiled_code_is_keyed_by_component_settings_and_machine() -> None:
    plain = EngineSettings.from_limits(CallLimits())
    metered = EngineSettings.from_limits(CallLimits(fuel=1))

    found = {
        cache_name(DIGEST, plain, "x86_64"),
        cache_name(DIGEST, metered, "x86_64"),
        cache_name(DIGEST, plain, "aarch64"),
        cache_name("sha256:" + "cd" * 32, plain, "x86_64"),
    }

    assert len(found) == 4
    assert cache_name(DIGEST, plain, "x86_64") in found


def test_a_digest_that_looks_like_a_path_stays_in_the_directory() -> None:
    name = cache_name("sha256:../../etc/passwd", EngineSettings.from_limits(CallLimits()), "x86_64")

    assert "/" not in name
    assert not name.startswith(".")


def test_children_get_a_few_variables_and_no_module_path_of_the_current_directory() -> None:
    assert set(children.child_environment()) <= {
        "PATH",
        "PYTHONPATH",
        "PYTHONHOME",
        "LANG",
        "LC_ALL",
        "LD_LIBRARY_PATH",
        "TMPDIR",
    }
    assert children.child_command("a.b", ["c"])[1:] == ["-P", "-m", "a.b", "c"]
