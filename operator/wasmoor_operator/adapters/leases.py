"""One leader among the replicas, by a Lease; kubernetes' own election, made safe.

Threat: two leaders undo each other's writes. The election trusts the wall clock and raises on a broken connection. So
the lock here gives every request a deadline, turns every fault into "not this time", and notes by the monotonic clock
when it was last renewed; a watchdog ends the leadership when that is too long ago, whatever the election thinks. There
is no fencing: who lost the Lease must end its process. Called by `__main__`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import aiohttp
from kubernetes.aio.client import exceptions
from kubernetes.aio.leaderelection import electionconfig, leaderelection, leaderelectionrecord
from kubernetes.aio.leaderelection.resourcelock import leaselock

from wasmoor_operator import settings
from wasmoor_operator.adapters import connection

logger = logging.getLogger(__name__)

# How long a leader that must go is waited for.
STOP_SECONDS = 5.0


class LeadershipLost(Exception):
    """Another replica may lead by now; this process must end."""


class Lock(leaselock.LeaseLock):
    """A Lease whose requests end in time and never raise."""

    def __init__(self, values: settings.ElectionSettings, api: connection.Connection) -> None:
        super().__init__(values.name, values.namespace, values.identity, api.api_client)
        self._deadline = values.renew_deadline / 2
        self.renewed = time.monotonic()
        """When this process last held the Lease for certain."""

    async def get(self, name: str, namespace: str) -> tuple[bool, Any]:
        """Read the Lease; a fault is returned, as the election expects."""
        try:
            async with asyncio.timeout(self._deadline):
                found: tuple[bool, Any] = await super().get(name, namespace)
                return found
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return False, exceptions.ApiException(status=0, reason=f"{type(error).__name__}: {error}")

    async def create(self, name: str, namespace: str, record: leaderelectionrecord.LeaderElectionRecord) -> bool:
        """Create the Lease."""
        return await self._write(super().create(name, namespace, record))

    async def update(self, name: str, namespace: str, record: leaderelectionrecord.LeaderElectionRecord) -> bool:
        """Renew the Lease or take it over; its resourceVersion makes that fail where somebody else did."""
        return await self._write(super().update(name, namespace, record))

    async def release(self) -> None:
        """Give the Lease back, so that the next leader need not wait for it to expire."""
        found, record = await self.get(self.name, self.namespace)
        if not found or record is None or record.holder_identity != self.identity:
            return
        lease: Any = self.lease_reference
        lease.spec.holder_identity = ""
        lease.spec.lease_duration_seconds = 1
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError, exceptions.ApiException):
            async with asyncio.timeout(self._deadline):
                await self.api_instance.replace_namespaced_lease(name=self.name, namespace=self.namespace, body=lease)

    async def _write(self, write: Awaitable[bool]) -> bool:
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._deadline):
                written = await write
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            logger.warning("the Lease could not be written: %s: %s", type(error).__name__, error)
            return False
        if written:
            self.renewed = began
        return written


class Election:
    """Leads while this process holds the Lease."""

    def __init__(self, values: settings.ElectionSettings, api: connection.Connection) -> None:
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
