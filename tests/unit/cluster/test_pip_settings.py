"""The machine's pip settings reach a build, and nothing else does."""

import pathlib

from tests.cluster import pip_settings


def test_the_environment_wins_over_files_and_later_files_over_earlier_ones() -> None:
    texts = ["[global]\nindex-url = one\ntimeout = 1\n", "[global]\nindex-url = two\n"]
    assert pip_settings.merge_settings(texts, {}) == {"index-url": "two", "timeout": "1"}
    assert pip_settings.merge_settings(texts, {"PIP_INDEX_URL": "three"})["index-url"] == "three"


def test_settings_that_a_build_must_not_inherit_are_left_out() -> None:
    assert pip_settings.merge_settings(["[global]\nrequire-virtualenv = true\ntarget = /x\n"], {}) == {}


def test_a_percent_sign_in_an_address_is_taken_as_it_is() -> None:
    text = "[global]\nindex-url = https://user:p%40ss@host/simple\n"
    assert pip_settings.merge_settings([text], {})["index-url"] == "https://user:p%40ss@host/simple"


def test_certificates_are_at_the_usual_place_inside() -> None:
    assert "cert = /etc/ssl/certs/ca-certificates.crt\n" in pip_settings.render_configuration({"cert": "/mine.pem"})


def test_several_indexes_stay_several_lines() -> None:
    rendered = pip_settings.render_configuration({"extra-index-url": "a\nb"})
    assert pip_settings.merge_settings([rendered], {})["extra-index-url"].split() == ["a", "b"]


def test_everything_is_mounted_read_only(tmp_path: pathlib.Path) -> None:
    configuration, certificates = tmp_path / "pip.conf", tmp_path / "mine.pem"
    configuration.touch()
    certificates.touch()
    settings = {"cert": str(certificates), "find-links": f"{tmp_path} https://host/links /not/there"}
    assert sorted(pip_settings.list_volumes(settings, configuration)) == sorted(
        [
            f"{certificates}:/etc/ssl/certs/ca-certificates.crt:ro",
            f"{configuration}:/etc/pip.conf:ro",
            f"{tmp_path}:{tmp_path}:ro",
        ]
    )


def test_a_person_who_turned_configuration_files_off_is_obeyed() -> None:
    assert pip_settings.list_files({"PIP_CONFIG_FILE": "/dev/null", "HOME": "/h"}) == []
