"""Digests and preambles: what is let through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wasmoor_runtime.artifacts import digests, preambles
from wasmoor_runtime.artifacts.preambles import Kind
from wasmoor_runtime.artifacts.refusals import Refusal
from wasmoor_runtime.contract.status import Reason


@given(st.lists(st.binary(max_size=20), max_size=8))
def test_the_right_bytes_pass_however_they_are_cut(chunks: list[bytes]) -> None:
    data = b"".join(chunks)
    passed = digests.check_stream(chunks, digests.compute_digest(data), len(data), "x")
    assert b"".join(passed) == data


@given(st.binary(min_size=1, max_size=64), st.integers(0, 63))
def test_one_changed_byte_is_digest_mismatch(data: bytes, place: int) -> None:
    place %= len(data)
    changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
    with pytest.raises(Refusal) as caught:
        list(digests.check_stream([changed], digests.compute_digest(data), len(data), "x"))
    assert caught.value.reason is Reason.DIGEST_MISMATCH


def test_not_one_byte_beyond_the_size_passes() -> None:
    passed: list[bytes] = []
    with pytest.raises(Refusal) as caught:
        passed.extend(digests.check_stream([b"abc", b"d"], digests.compute_digest(b"abcd"), 3, "x"))
    assert caught.value.reason is Reason.DIGEST_MISMATCH
    assert passed == [b"abc"]


def test_missing_bytes_may_come_another_time() -> None:
    with pytest.raises(Refusal) as caught:
        list(digests.check_stream([b"ab"], digests.compute_digest(b"abc"), 3, "x"))
    assert caught.value.reason is Reason.PULL_FAILED
    assert caught.value.delay is not None


def test_bytes_are_checked_as_a_whole() -> None:
    assert digests.check_bytes(b"a", digests.compute_digest(b"a"), "x") == b"a"
    with pytest.raises(Refusal, match="DigestMismatch"):
        digests.check_bytes(b"b", digests.compute_digest(b"a"), "x")


@pytest.mark.parametrize("text", ["", "sha256:", f"sha256:{'A' * 64}", f"sha256:{'a' * 64}\n", f"md5:{'a' * 64}"])
def test_what_is_no_digest_is_known(text: str) -> None:
    assert not digests.is_digest(text)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\0asm\x0d\x00\x01\x00", Kind.COMPONENT),
        (b"\0asm\x0d\x00\x01\x00more", Kind.COMPONENT),
        (b"\0asm\x01\x00\x00\x00", Kind.MODULE),
        (b"\0asm\x0c\x00\x01\x00", Kind.OTHER_VERSION),
        (b"\0asm\x0d", Kind.NOT_WASM),
        (b"", Kind.NOT_WASM),
        (b"<html><b", Kind.NOT_WASM),
    ],
)
def test_the_first_bytes_decide(head: bytes, kind: Kind) -> None:
    assert preambles.decide_kind(head) is kind
    if kind is Kind.COMPONENT:
        preambles.check_component(head, "x")
    else:
        with pytest.raises(Refusal) as caught:
            preambles.check_component(head, "demo/clock:1")
        assert caught.value.reason is Reason.NOT_A_COMPONENT
        assert caught.value.message.startswith("demo/clock:1 is ")
