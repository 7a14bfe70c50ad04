"""Options and environment become settings, or one line that says what to write."""

from __future__ import annotations

import pytest

from wasmoor_operator import options, settings


def build(*argv: str, **environment: str) -> settings.Settings:
    return options.build_settings(options.parse_arguments(["run", *argv], environment))


def test_the_command_line_wins_over_the_environment() -> None:
    told = {"WASMOOR_RUNTIME_IMAGE": "from-environment", "WASMOOR_RESYNC": "60"}
    values = build("--runtime-image=from-line", **told)
    assert values.render.runtime_image == "from-line"
    assert values.pace.resync == 60


def test_everything_has_a_default_but_the_image() -> None:
    values = build("--runtime-image=x")
    assert values.watch.namespaces == ()
    assert values.election.enabled
    assert values.queue.concurrency == 16
    with pytest.raises(options.UsageError, match="--runtime-image is required"):
        build()


def test_lists_are_separated_by_commas() -> None:
    values = build("--runtime-image=x", "--namespaces=a, b,", "--mirrors=ghcr.io=https://m.example/,d=http://n:5000")
    assert values.watch.namespaces == ("a", "b")
    assert values.render.mirrors == {"ghcr.io": "https://m.example", "d": "http://n:5000"}


@pytest.mark.parametrize("url", ["events.example", "ftp://events.example", "https://"])
def test_events_go_to_a_url_or_nowhere(url: str) -> None:
    assert build("--runtime-image=x").render.events_sink == ""
    assert build("--runtime-image=x", "--events-sink=https://e.example/h").render.events_sink == "https://e.example/h"
    with pytest.raises(options.UsageError, match="--events-sink must begin with http"):
        build("--runtime-image=x", f"--events-sink={url}")


def test_a_pod_gives_its_name_and_namespace_to_the_election() -> None:
    values = build("--runtime-image=x", POD_NAME="operator-1", POD_NAMESPACE="system")
    assert (values.election.identity, values.election.namespace) == ("operator-1", "system")


def test_two_processes_outside_a_cluster_never_share_an_identity() -> None:
    first, second = build("--runtime-image=x"), build("--runtime-image=x")
    assert first.election.identity != second.election.identity


def test_a_cache_may_be_shared() -> None:
    assert build("--runtime-image=x").render.cache == settings.CacheSettings(type="emptyDir", size_bytes=2 << 30)
    node = build("--runtime-image=x", "--cache-type=hostPath", "--cache-path=/var/cache/w", "--cache-size=10Gi")
    assert node.render.cache == settings.CacheSettings(type="hostPath", size_bytes=10 << 30, path="/var/cache/w")
    claim = build("--runtime-image=x", WASMOOR_CACHE_TYPE="persistentVolumeClaim", WASMOOR_CACHE_CLAIM="w")
    assert (claim.render.cache.type, claim.render.cache.claim) == ("persistentVolumeClaim", "w")


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("--mirrors=ghcr.io", "write HOST=URL"),
        ("--mirrors=ghcr.io=ftp://x", "write HOST=URL"),
        ("--concurrency=0", "from 1 to 256"),
        ("--resync=0", "at least 1 second"),
        ("--image-pull-policy=Sometimes", "invalid choice"),
        ("--cache-size=lots", "--cache-size: 'lots' is no quantity"),
        ("--cache-size=1Mi", "at least 64Mi"),
        ("--cache-type=hostPath", "needs --cache-path, an absolute path"),
        ("--cache-type=persistentVolumeClaim", "needs --cache-claim"),
        ("--no-such-option", "unrecognized arguments"),
    ],
)
def test_what_cannot_be_used_is_named(argument: str, told: str) -> None:
    with pytest.raises(options.UsageError, match=told):
        build("--runtime-image=x", argument)
