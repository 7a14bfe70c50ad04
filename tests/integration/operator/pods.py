"""A component together with the pod that will serve it."""

from __future__ import annotations

from tests.fakes.operator_pods import FakePod
from tests.integration.operator.clusters import Site, wait_until


def apply_with_pod(site: Site, name: str, **changes: object) -> tuple[FakePod, str]:
    """Apply a component, wait for its Deployment, and return its pod and the address to serve it at."""
    site.apply(name)
    wait_until(lambda: site.deployment(name), "the Deployment")
    pod = FakePod(namespace=site.name, component=name, contract=site.contract(name))
    for field, value in changes.items():
        setattr(pod, field, value)
    return pod, site.make_address()
