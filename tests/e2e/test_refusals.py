"""Everything a person can get wrong has its own reason and a message; what served before goes on serving."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from scripts import client_pod, installation, kubectl
from scripts.commands import StepFailed
from tests.e2e.harness import API_VERSION, Tenant, find_condition

pytestmark = pytest.mark.e2e


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A version that cannot be served, and what is said about it."""

    name: str
    fixture: str
    condition: str
    status: str
    reason: str
    says: tuple[str, ...]
    stalled: bool = True


MISTAKES = (
    Mistake(name="text-file", fixture="not-wasm", condition="Loaded", status="False", reason="NotAComponent",
            says=("component",)),
    Mistake(name="module", fixture="module", condition="Loaded", status="False", reason="NotAComponent",
            says=("module", "component")),
    Mistake(name="broken", fixture="broken", condition="Loaded", status="False", reason="CompileFailed",
            says=()),
    Mistake(name="import", fixture="needs-unknown", condition="Loaded", status="False", reason="UnsupportedInterface",
            says=("acme:secret/vault",)),
    Mistake(name="tag", fixture="", condition="Resolved", status="False", reason="ArtifactNotFound",
            says=("bad", "push")),
)  # fmt: skip


@pytest.fixture(scope="module")
def victims(
    cluster: kubectl.Kubectl, made: installation.Installation, client: client_pod.ClientPod, run_id: str
) -> Iterator[Tenant]:
    """A namespace with one good component for each mistake, all serving."""
    tenant = Tenant(cluster, made, client, f"e2e-refusals-{run_id}")
    tenant.create()
    digest = tenant.push("spin", "good")
    for mistake in MISTAKES:
        tenant.apply(mistake.name, tenant.reference("good"))
    tenant.wait_ready(*(mistake.name for mistake in MISTAKES))
    for mistake in MISTAKES:
        tenant.wait_serving(mistake.name, digest)
    yield tenant
    tenant.remove()


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: str(mistake.name))
def test_a_bad_version_is_named_and_the_good_one_serves_on(victims: Tenant, mistake: Mistake) -> None:
    repository = victims.repository(mistake.name)
    if mistake.fixture:
        victims.push(mistake.fixture, "bad", repository)
    victims.point_to(mistake.name, victims.reference("bad", repository))
    found = victims.wait_condition(mistake.name, mistake.condition, mistake.status, mistake.reason)
    assert not [word for word in mistake.says if word not in found["message"]], found["message"]
    stalled = victims.wait_condition(mistake.name, "Stalled", "True", mistake.reason)
    assert stalled["message"]
    component = victims.read(mistake.name)
    assert find_condition(component, "Ready")["status"] == "True"
    assert component["status"]["phase"] == "Degraded"
    victims.assert_answers_ping(mistake.name)
    victims.point_to(mistake.name, victims.reference("good"))
    victims.wait_condition(mistake.name, "Stalled", "False", "AsExpected")


def test_a_component_that_never_was_good_is_not_ready_and_says_why(tenant: Tenant) -> None:
    tenant.push("broken", "1")
    tenant.apply("broken", tenant.reference("1"))
    ready = tenant.wait_condition("broken", "Ready", "False", "CompileFailed")
    assert ready["message"]
    assert tenant.read("broken")["status"]["phase"] == "Failed"


def test_a_tag_that_comes_later_is_found_without_a_further_change(tenant: Tenant) -> None:
    tenant.apply("late", tenant.reference("1"), oci={"refresh": "10s"})
    tenant.wait_condition("late", "Resolved", "False", "ArtifactNotFound")
    digest = tenant.push("spin", "1")
    tenant.wait_serving("late", digest)
    tenant.assert_answers_ping("late")


@pytest.mark.parametrize(
    ("reference", "advice"),
    [
        ("https://ghcr.io/acme/time:1", "without a scheme"),
        ("ghcr.io/acme/time", "tag"),
        ("ghcr.io/Acme/time:1", "lower case"),
        ("ghcr.io/acme/time@sha256:abc", "64"),
    ],
)
def test_a_wrong_reference_is_refused_at_admission(cluster: kubectl.Kubectl, reference: str, advice: str) -> None:
    manifest = {
        "apiVersion": API_VERSION,
        "kind": "WasmComponent",
        "metadata": {"name": "wrong", "namespace": "default"},
        "spec": {"source": {"oci": {"reference": reference}}},
    }
    with pytest.raises(StepFailed) as refused:
        cluster.apply(manifest)
    assert "spec.source.oci.reference" in str(refused.value)
    assert advice in str(refused.value)


def test_a_misspelt_field_is_refused_at_admission(cluster: kubectl.Kubectl) -> None:
    manifest = {
        "apiVersion": API_VERSION,
        "kind": "WasmComponent",
        "metadata": {"name": "wrong", "namespace": "default"},
        "spec": {"source": {"oci": {"referense": "ghcr.io/acme/time:1"}}},
    }
    with pytest.raises(StepFailed, match="referense"):
        cluster.apply(manifest)


class Door:
    """A Service in front of the registry, which a test can shut: to its clients the registry is then down."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        (url,) = tenant.installation.mirrors.values()
        self._host, _, port = url.rpartition("/")[2].partition(":")
        self._port = int(port or 443)
        service = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "registry", "namespace": tenant.namespace},
            "spec": {"ports": [{"name": "http", "port": 5000, "targetPort": self._port}]},
        }
        tenant.kubectl.apply(service)
        made = tenant.kubectl.read("service", "registry", tenant.namespace)
        assert made is not None
        self.address = f"{made['spec']['clusterIP']}:5000"

    def open(self) -> None:
        self._tenant.kubectl.apply(
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {
                    "name": "registry",
                    "namespace": self._tenant.namespace,
                    "labels": {"kubernetes.io/service-name": "registry"},
                },
                "addressType": "IPv4",
                "ports": [{"name": "http", "port": self._port}],
                "endpoints": [{"addresses": [self._host]}],
            }
        )

    def shut(self) -> None:
        self._tenant.kubectl.run("delete", "endpointslice", "registry", "--namespace", self._tenant.namespace)


def test_a_registry_that_is_down_stops_nothing_that_runs_and_is_found_again(tenant: Tenant) -> None:
    door = Door(tenant)
    door.open()
    repository = f"{door.address}/{tenant.repository()}"
    first, second = tenant.push("spin", "1"), tenant.push("trap", "2")
    # One asks for a tag, which the operator has to resolve; the other for a digest, which its new pod has to pull.
    wanted = {"by-tag": f"{repository}:2", "by-digest": f"{repository}@{second}"}
    for name in wanted:
        tenant.apply(name, f"{repository}:1", oci={"insecure": True})
    for name in wanted:
        tenant.wait_serving(name, first)
    door.shut()
    for name, reference in wanted.items():
        tenant.point_to(name, reference)
    for name, condition in (("by-tag", "Resolved"), ("by-digest", "Loaded")):
        found = tenant.wait_condition(name, condition, "Unknown", "RegistryUnavailable")
        assert door.address in found["message"]
        component = tenant.read(name)
        assert find_condition(component, "Ready")["status"] == "True"
        assert find_condition(component, "Stalled")["status"] == "False"
        tenant.assert_answers_ping(name)
    door.open()
    for name in wanted:
        tenant.wait_serving(name, second)
        tenant.assert_answers_ping(name)
