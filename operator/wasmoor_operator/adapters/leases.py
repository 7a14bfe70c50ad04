"""One leader among the replicas, by a Lease; kubernetes' own election, made safe.

Threat: two leaders undo each other's writes. The election trusts the wall clock and raises on a broken connection, and
its own lock cannot create a Lease (kubernetes 37.0). So the lock here writes plain dictionaries, gives every request a
deadline, turns every fault into "not this time", and notes by the monotonic clock when it was last renewed; a watchdog
ends the leadership when that is too long ago, whatever the election thinks. There is no fencing: who lost
the Lease must end its process. Called by `__main__`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Protocol

from kubernetes.aio.client import exceptions
from kubernetes.aio.leaderelection import electionconfig, leaderelection, leaderelectionrecord
from kubernetes.aio.leaderelection.resourcelock import baselock

from wasmoor_operator import ports, settings

logger = logging.getLogger(__name__)

Record = leaderelectionrecord.LeaderElectionRecord
# How long a leader that must go is waited for.
STOP_SECONDS = 5.0


class Store(Protocol):
    """What a lock needs of a `connection.Connection`."""

    async def read(self, path: str) -> dict[str, Any]:
        """GET the Lease."""
        ...

    async def create(self, path: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """POST the Lease."""
        ...

    async def replace(self, path: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """PUT the Lease."""
        ...


class LeadershipLost(Exception):
    """Another replica may lead by now; this process must end."""


class Lock(baselock.BaseLock):
    """A Lease whose requests end in time and never raise."""

    def __init__(self, values: settings.ElectionSettings, api: Store) -> None:
        super().__init__(values.name, values.namespace, values.identity)
        self._api = api
        self._collection = f"/apis/coordination.k8s.io/v1/namespaces/{values.namespace}/leases"
        self._deadline = values.renew_deadline / 2
        self._lease: Mapping[str, Any] = {}
        self._problem = ""
        self.renewed = time.monotonic()
        """When this process last held the Lease for certain."""

    async def get(self, name: str, namespace: str) -> tuple[bool, Any]:
        """Read the Lease; a fault is returned, as the election expects, which creates the Lease on a 404 only."""
        del namespace
        try:
            async with asyncio.timeout(self._deadline):
                self._lease = await self._api.read(f"{self._collection}/{name}")
        except (ports.ApiFault, TimeoutError) as error:
            return False, self._note(error)
        return True, parse_record(self._lease)

    async def create(self, name: str, namespace: str, election_record: Record) -> bool:
        """Create the Lease."""
        manifest = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": name, "namespace": namespace},
            "spec": render_record(election_record, {}),
        }
        return await self._write(self._api.create(self._collection, manifest))

    async def update(self, name: str, namespace: str, updated_record: Record) -> bool:
        """Renew the Lease or take it over; its resourceVersion makes that fail where somebody else did."""
        del namespace
        lease = {**self._lease, "spec": render_record(updated_record, self._lease.get("spec") or {})}
        return await self._write(self._api.replace(f"{self._collection}/{name}", lease))

    async def release(self) -> None:
        """Give the Lease back, so that the next leader need not wait for it to expire."""
        found, record = await self.get(self.name, self.namespace)
        if not found or record.holder_identity != self.identity:
            return
        spec = {**self._lease["spec"], "holderIdentity": "", "leaseDurationSeconds": 1}
        if await self._write(self._api.replace(f"{self._collection}/{self.name}", {**self._lease, "spec": spec})):
            logger.info("gave the Lease back")

    async def _write(self, write: Awaitable[Mapping[str, Any]]) -> bool:
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._deadline):
                await write
        except (ports.ApiFault, TimeoutError) as error:
            self._note(error)
            return False
        self.renewed = began
        self._problem = ""
        return True

    def _note(self, error: Exception) -> exceptions.ApiException:
        """Say a problem once, and return it in the election's words."""
        status = error.status if isinstance(error, ports.ApiFault) else 0
        message = str(error) or "no answer in time"
        # Not there yet, or another replica was faster: both are part of an election.
        if status not in {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT} and message != self._problem:
            logger.warning("the Lease could not be read or written: %s", message)
            self._problem = message
        fault = exceptions.ApiException(status=status, reason=message)
        fault.body = json.dumps({"code": status})
        return fault


def parse_record(lease: Mapping[str, Any]) -> Record:
    """Return a Lease in the election's words; whoever holds nothing makes it free to take."""
    spec = lease.get("spec") or {}
    duration = spec.get("leaseDurationSeconds")
    return leaderelectionrecord.LeaderElectionRecord(
        spec.get("holderIdentity") or None,
        str(duration) if duration else None,
        spec.get("acquireTime"),
        spec.get("renewTime"),
    )


def render_record(record: Record, before: Mapping[str, Any]) -> dict[str, Any]:
    """Return the spec of a Lease. Its times tell people; the election goes by when it saw them change."""
    taken_over = before.get("holderIdentity") != record.holder_identity
    return {
        **before,
        "holderIdentity": record.holder_identity,
        "leaseDurationSeconds": int(record.lease_duration or 0),
        "acquireTime": format_now() if taken_over else before.get("acquireTime"),
        "renewTime": format_now(),
        "leaseTransitions": int(before.get("leaseTransitions") or 0) + (1 if before and taken_over else 0),
    }


def format_now() -> str:
    """Return the time as a Lease stores it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Election:
    """Leads while this process holds the Lease."""

    def __init__(self, values: settings.ElectionSettings, api: Store) -> None:
        self._values = values
        self._lock = Lock(values, api)
        # It logs tracebacks of what is expected; the lock above says the same in a line.
        logging.getLogger("kubernetes.aio.leaderelection").setLevel(logging.CRITICAL)

    async def lead(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Wait for the Lease, then do the work while holding it; give it back at the end.

        Raises:
            LeadershipLost: the Lease could not be renewed in time.
        """
        acquired = asyncio.Event()

        async def note() -> None:
            acquired.set()

        async def ignore() -> None:
            """The end of the election is seen by its task."""

        election: Any = leaderelection.LeaderElection(
            electionconfig.Config(
                self._lock,
                lease_duration=self._values.lease_duration,
                renew_deadline=self._values.renew_deadline,
                retry_period=self._values.retry_period,
                onstarted_leading=note,
                onstopped_leading=ignore,
            )
        )
        tasks = [asyncio.create_task(election.run(), name="election")]
        try:
            await self._wait_acquired(acquired, tasks[0])
            logger.info("leading as %s", self._values.identity)
            tasks.append(asyncio.create_task(self._watch(), name="lease watchdog"))
            tasks.append(asyncio.create_task(work(), name="lead"))
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if tasks[2] not in done:
                raise LeadershipLost(
                    f"the Lease {self._values.namespace}/{self._values.name} could not be renewed for "
                    f"{self._values.renew_deadline} s"
                )
            tasks[2].result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=STOP_SECONDS)
            await self._lock.release()

    async def _wait_acquired(self, acquired: asyncio.Event, election: asyncio.Task[None]) -> None:
        waiting = asyncio.create_task(acquired.wait())
        try:
            await asyncio.wait({election, waiting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if not acquired.is_set():
            election.result()
            raise LeadershipLost("the election ended without a leader")

    async def _watch(self) -> None:
        """Return when the last renewal is too long ago, by a clock that nobody sets."""
        while True:
            left = self._lock.renewed + self._values.renew_deadline - time.monotonic()
            if left <= 0:
                return
            await asyncio.sleep(left)
