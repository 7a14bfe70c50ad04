"""What passes between operator, pods and people keeps its meaning on the way."""

from hypothesis import given
from hypothesis import strategies as st

from wasmoor_runtime.contract.document import CallLimits, ComponentRef, Contract, PinnedOciSource
from wasmoor_runtime.contract.spec import ToolOverride, Tools

TEXT = st.text(max_size=20)
CONTRACTS = st.builds(
    Contract,
    component=st.builds(ComponentRef, namespace=TEXT, name=TEXT),
    source=st.builds(
        PinnedOciSource,
        reference=TEXT,
        digest=st.sampled_from(["sha256:" + "a" * 64, "sha256:" + "0" * 64]),
        insecure=st.booleans(),
        mirror=st.none() | TEXT,
    ),
    limits=st.builds(CallLimits, fuel=st.none() | st.integers(1), timeout_seconds=st.floats(0.001, 1e6)),
    tools=st.builds(
        Tools,
        include=st.lists(st.text(min_size=1, max_size=20), max_size=3).map(tuple),
        overrides=st.lists(
            st.builds(ToolOverride, name=st.text(min_size=1, max_size=20), description=st.none() | TEXT), max_size=2
        ).map(tuple),
    ),
)


@given(CONTRACTS)
def test_a_contract_survives_its_own_text(contract: Contract) -> None:
    read = Contract.model_validate_json(contract.to_json())
    assert read == contract
    assert read.hash() == contract.hash()


@given(CONTRACTS, CONTRACTS)
def test_two_contracts_have_one_hash_only_when_they_are_equal(one: Contract, other: Contract) -> None:
    assert (one.hash() == other.hash()) == (one == other)
