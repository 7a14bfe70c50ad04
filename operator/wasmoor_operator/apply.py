"""Carry out a plan: children in stages, then what is to go; the status afterwards.

Everything is a write that may be repeated: a process that dies anywhere in between leaves nothing that the next
reconcile does not mend. What the API server refuses for good becomes a fault of ours, so that `decide` can say it as a
condition; what merely did not work this time stays an `ApiFault` and is tried again. Called by the controller.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from http import HTTPStatus

from wasmoor_operator import errors, ports, reasons
from wasmoor_operator.decide import model

# Somebody has to grant a right or raise a quota, and nothing announces that they did.
RETRY_REFUSED = 30.0

_NOT_IN_SCHEMA = "failed to create typed patch object"


async def apply_children(component: model.Component, plan: model.Plan, cluster: ports.Cluster) -> None:
    """Write and delete children, one stage after another. Raises `errors.OperatorFault` and `ports.ApiFault`."""
    for stage in sorted({child.stage for child in plan.children}):
        children = [child for child in plan.children if child.stage == stage]
        await _together([cluster.apply(component.namespace, child) for child in children])
    await _together([cluster.delete(component.namespace, child) for child in plan.prune])


async def apply_status(key: ports.Key, uid: str, status: model.Manifest, cluster: ports.Cluster) -> None:
    """Write a status. Raises `ports.ApiFault`."""
    try:
        await cluster.write_status(key, uid, status)
    except ports.ApiFault as fault:
        # Gone, or another object of that name: there is nobody to tell any more, and the watch will say so.
        if fault.status not in {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}:
            raise


async def _together(writes: Sequence[ports.Write]) -> None:
    """Await all writes, whatever becomes of the others, then raise the first fault."""
    for result in await asyncio.gather(*writes, return_exceptions=True):
        if isinstance(result, ports.ApiFault):
            raise explain(result) or result from result
        if isinstance(result, BaseException):
            raise result


def explain(fault: ports.ApiFault) -> errors.OperatorFault | None:
    """Return who must act about a refusal; None when trying again may do."""
    reason = reasons.Reason
    if fault.status == HTTPStatus.FORBIDDEN and "exceeded quota" in fault.message:
        return errors.Waiting(reason.QUOTA_EXCEEDED, fault.message, delay=RETRY_REFUSED)
    if fault.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return errors.Waiting(reason.FORBIDDEN, fault.message, delay=RETRY_REFUSED)
    if fault.status == HTTPStatus.CONFLICT and "Apply failed" in fault.message:
        taken = "an object of this name exists and is managed by somebody else; delete it, or rename the component"
        message = f"{taken}: {fault.message}"
        return errors.Waiting(reason.NAME_TAKEN, message, delay=RETRY_REFUSED)
    # A podTemplate that names no field of a pod, or one of another type. Server-side apply says so with a plain 500.
    unreadable = fault.status == HTTPStatus.INTERNAL_SERVER_ERROR and _NOT_IN_SCHEMA in fault.message
    if fault.status == HTTPStatus.UNPROCESSABLE_ENTITY or unreadable:
        return errors.Stalled(reason.POD_REJECTED, fault.message)
    if fault.status == HTTPStatus.BAD_REQUEST:
        return errors.Stalled(reason.SPEC_INVALID, fault.message)
    return None
