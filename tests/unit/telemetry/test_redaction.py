from __future__ import annotations

import json

import pytest

from wasmoor_runtime.telemetry.redaction import LONGEST, render_redacted


@pytest.mark.parametrize(
    "name",
    ["password", "apiKey", "api_key", "API-KEY", "accessToken", "client_secret", "Authorization", "cookie",
     "privateKey", "passphrase", "sessionId", "key", "pin"],
)  # fmt: skip
def test_values_under_names_that_look_secret_are_left_out_however_deep(name: str) -> None:
    text = render_redacted(json.dumps({"list": [{name: {"a": "s3cret"}}], name: "s3cret"}).encode())

    assert "s3cret" not in text
    assert json.loads(text)[name] == "[redacted]"


@pytest.mark.parametrize("name", ["text", "keyboard", "monkey", "spinning", "count"])
def test_other_values_are_shown(name: str) -> None:
    assert json.loads(render_redacted(json.dumps({name: "shown"}).encode())) == {name: "shown"}


def test_what_is_long_is_cut_and_what_is_huge_or_no_json_is_not_shown() -> None:
    assert len(render_redacted(json.dumps({"text": "x" * 5000}).encode())) < LONGEST + 40
    assert render_redacted(b'{"text":"' + b"x" * 100_000 + b'"}') == "[100011 bytes]"
    assert render_redacted(b"{") == "[unreadable]"
    assert render_redacted(b"[" * 60_000 + b"]" * 10) == "[unreadable]"
