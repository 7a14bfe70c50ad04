"""The lock under the election: it never raises, and nobody's Lease is overwritten."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from wasmoor_operator import ports, settings
from wasmoor_operator.adapters import leases

pytestmark = pytest.mark.integration  # an election takes seconds by its nature

VALUES = settings.ElectionSettings(identity="one", lease_duration=3, renew_deadline=2, retry_period=1)
OTHER = settings.ElectionSettings(identity="two", lease_duration=3, renew_deadline=2, retry_period=1)


class FakeApi:
    """One Lease in memory, with resourceVersions."""

    def __init__(self) -> None:
        self.lease: dict[str, Any] | None = None
        self.fault: Exception | None = None

    async def read(self, path: str) -> dict[str, Any]:
        self._check()
        if self.lease is None:
            raise ports.ApiFault(404, "NotFound", path)
        return self.lease

    async def create(self, path: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
        self._check()
        if self.lease is not None:
            raise ports.ApiFault(409, "AlreadyExists", path)
        self.lease = {**manifest, "metadata": {**manifest["metadata"], "resourceVersion": "1"}}
        return self.lease

    async def replace(self, path: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
        self._check()
        assert self.lease is not None
        version = self.lease["metadata"]["resourceVersion"]
        if manifest["metadata"]["resourceVersion"] != version:
            raise ports.ApiFault(409, "Conflict", path)
        self.lease = {**manifest, "metadata": {**manifest["metadata"], "resourceVersion": str(int(version) + 1)}}
        return self.lease

    def _check(self) -> None:
        if self.fault is not None:
            raise self.fault


async def lead(api: FakeApi, values: settings.ElectionSettings, leaders: list[str]) -> None:
    async def work() -> None:
        leaders.append(values.identity)
        await asyncio.Event().wait()

    await leases.Election(values, api).lead(work)


async def until(leaders: list[str], expected: list[str]) -> None:
    async with asyncio.timeout(20):
        while leaders != expected:  # noqa: ASYNC110 - the fake tells nobody
            await asyncio.sleep(0.01)


async def test_a_leader_that_goes_hands_over_without_delay() -> None:
    api, leaders = FakeApi(), list[str]()
    first = asyncio.create_task(lead(api, VALUES, leaders))
    await until(leaders, ["one"])
    second = asyncio.create_task(lead(api, OTHER, leaders))
    await asyncio.sleep(0.1)
    assert leaders == ["one"]

    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert api.lease is not None
    assert api.lease["spec"]["holderIdentity"] == ""

    await until(leaders, ["one", "two"])
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)


async def test_a_leader_that_cannot_renew_stops_before_another_can_start() -> None:
    api, leaders = FakeApi(), list[str]()
    leading = asyncio.create_task(lead(api, VALUES, leaders))
    await until(leaders, ["one"])

    api.fault = ports.ApiFault(0, "ClientConnectorError", "no answer")

    with pytest.raises(leases.LeadershipLost, match="could not be renewed for 2 s"):
        await asyncio.wait_for(leading, VALUES.lease_duration)


async def test_a_dead_leader_is_replaced_when_its_lease_has_run_out() -> None:
    api, leaders = FakeApi(), list[str]()
    lock = leases.Lock(VALUES, api)
    record = leases.Record("one", "3", "then", "then")
    assert await lock.create(VALUES.name, VALUES.namespace, record)

    following = asyncio.create_task(lead(api, OTHER, leaders))
    await until(leaders, ["two"])

    assert api.lease is not None
    assert api.lease["spec"]["leaseTransitions"] == 1
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


async def test_work_that_fails_fails_the_leader() -> None:
    async def work() -> None:
        raise KeyError("broken")

    with pytest.raises(KeyError, match="broken"):
        await leases.Election(VALUES, FakeApi()).lead(work)


async def test_a_lease_that_somebody_else_changed_meanwhile_is_not_taken() -> None:
    api = FakeApi()
    lock = leases.Lock(VALUES, api)
    await lock.create(VALUES.name, VALUES.namespace, leases.Record("one", "3", "then", "then"))
    await lock.get(VALUES.name, VALUES.namespace)
    assert api.lease is not None
    api.lease = {**api.lease, "metadata": {**api.lease["metadata"], "resourceVersion": "7"}}

    assert not await lock.update(VALUES.name, VALUES.namespace, leases.Record("one", "3", "now", "now"))


async def test_another_leader_s_lease_is_not_released() -> None:
    api = FakeApi()
    await leases.Lock(OTHER, api).create("n", "ns", leases.Record("two", "3", "then", "then"))

    await leases.Lock(VALUES, api).release()

    assert api.lease is not None
    assert api.lease["spec"]["holderIdentity"] == "two"


async def test_faults_are_returned_and_never_raised() -> None:
    api = FakeApi()
    api.fault = ports.ApiFault(500, "InternalError", "broken")
    lock = leases.Lock(VALUES, api)
    found, problem = await lock.get("n", "ns")
    assert not found
    assert problem.reason == "broken"
    assert not await lock.create("n", "ns", leases.Record("one", "3", "then", "then"))
    await lock.release()
