"""From nothing to tools that answer: `python -m scripts.up`, which is `make up`.

    a cluster, unless CONTEXT names one      components built from source      a registry with them
    both images                              the chart                         the examples, called once each

Every step can be repeated: what is there already is found, not made again. Everything it installs is described in
`installation`, for the tests.
"""

from __future__ import annotations

import http.client
import json
import shutil
import sys
import time
from typing import Any

from scripts import client_pod, examples, explain, push
from scripts.commands import REPOSITORY, StepFailed, run, run_relayed, run_shown, tell
from scripts.installation import NAMESPACE, RELEASE, Installation, write_installation
from scripts.kubectl import Kubectl
from tests.cluster import paths, progress, registry, toolchain
from tests.cluster.errors import ClusterError

CLUSTER = (sys.executable, "-m", "tests.cluster")
READY_TIMEOUT = 240.0


class Up:
    """The steps, in order; each leaves what the next one needs."""

    def __init__(self) -> None:
        self._places = paths.find_paths()
        self._progress = progress.Progress("up")

    def run(self) -> None:
        """Do everything. Raises `StepFailed`."""
        self._start_cluster()
        programs = find_programs(self._places)
        self._build_components()
        endpoints = self._provide_registry()
        images = self._provide_images()
        installation = self._describe(endpoints, images, programs)
        write_installation(installation)
        kubectl = Kubectl(installation.kubectl, installation.kubeconfig)
        self._install(installation, kubectl)
        self._apply_examples(installation, kubectl)
        self._call_examples(installation, kubectl)
        self._say_what_next(installation)

    def _start_cluster(self) -> None:
        self._progress.say("cluster")
        run_shown([*CLUSTER, "up"], todo="`python3 -m tests.cluster down` removes what is left of a cluster")

    def _build_components(self) -> None:
        self._progress.say("components of the examples, from source")
        build = [sys.executable, "examples/build.py", "examples"]
        run_shown(build, todo="its logs are in the cache, under components/")

    def _provide_registry(self) -> registry.Endpoints:
        self._progress.say("registry, and the components in it")
        if paths.foreign_context() is None:
            run_shown([*CLUSTER, "registry", "up"], todo="choose another port with WASMOOR_REGISTRY_PORT")
        endpoints = registry.endpoints(self._places)
        if endpoints is None or endpoints.pods is None:
            todo = "set REGISTRY=HOST[:PORT] to one that this machine can push to and the cluster can pull from"
            raise StepFailed("there is no registry that the cluster reaches", todo=todo)
        for name, digest in push.push_examples(endpoints.host, plain_http=speaks_plain_http(endpoints.host)).items():
            self._progress.say(f"  {name} is {digest}")
        return endpoints

    def _provide_images(self) -> dict[str, str]:
        self._progress.say("images of operator and runtime")
        command = [str(word) for word in (*CLUSTER, "images")]
        said = run_relayed(command, todo="see the builder's logs in the cache, under images/")
        return dict(word.split("=", 1) for word in said.split() if "=" in word)

    def _describe(
        self, endpoints: registry.Endpoints, images: dict[str, str], programs: dict[str, str]
    ) -> Installation:
        plain = speaks_plain_http(endpoints.host)
        return Installation(
            kubeconfig=str(self._places.kubeconfig),
            kubectl=programs["kubectl"],
            helm=programs["helm"],
            operator_image=images["operator"],
            runtime_image=images["runtime"],
            registry=endpoints.host,
            mirrors={examples.REGISTRY: f"{'http' if plain else 'https'}://{endpoints.pods}"},
            plain_http=plain,
        )

    def _install(self, installation: Installation, kubectl: Kubectl) -> None:
        self._progress.say(f"chart, into namespace {NAMESPACE}")
        kubectl.apply(render_namespace())
        try:
            run(
                render_helm(installation),
                todo=f"`kubectl get pods -n {NAMESPACE}` shows the operator's pods",
                timeout=240,
            )
        except StepFailed:
            explain.show_operator(kubectl, NAMESPACE)
            raise

    def _apply_examples(self, installation: Installation, kubectl: Kubectl) -> None:
        self._progress.say("kubectl apply -f examples/, and wait until every component is Ready")
        kubectl.run("apply", f"--filename={examples.MANIFESTS}", todo="is examples/ as it was?")
        names = [f"wasmcomponent/{name}" for name in examples.list_references()]
        try:
            kubectl.wait("condition=Ready", *names, namespace=examples.NAMESPACE, timeout=READY_TIMEOUT)
            wait_settled(kubectl, installation.runtime_image)
        except StepFailed:
            explain.show_components(kubectl, examples.NAMESPACE)
            explain.show_operator(kubectl, NAMESPACE)
            raise
        tell()
        tell("$ kubectl get wasmcomponents --all-namespaces")
        tell(kubectl.run("get", "wasmcomponents", "--all-namespaces").rstrip())

    def _call_examples(self, installation: Installation, kubectl: Kubectl) -> None:
        self._progress.say("one call of each through its Service, with the official MCP client in a pod")
        pod = client_pod.ClientPod(kubectl, image=installation.runtime_image, namespace=NAMESPACE)
        pod.start()
        showcases = examples.find_showcases()
        urls = [pod.find_url(call.component, examples.NAMESPACE) for call in showcases]
        plans = [
            {"url": url, "tool": call.tool, "arguments": call.arguments}
            for call, url in zip(showcases, urls, strict=True)
        ]
        answers = pod.call(plans)
        pod.stop()
        for call, url, answer in zip(showcases, urls, answers, strict=True):
            tell()
            tell(f"{call.component} at {url}")
            tell(f"  {call.tool} {json.dumps(call.arguments, ensure_ascii=False)}")
            tell(f"  -> {read_result(call, answer)}")

    def _say_what_next(self, installation: Installation) -> None:
        tell()
        tell(f"Everything is up after {self._progress.elapsed:.0f} s. The kubeconfig is .wasmoor/kubeconfig:")
        tell()
        tell("  export KUBECONFIG=$PWD/.wasmoor/kubeconfig")
        if shutil.which("kubectl") is None:
            tell(f"  alias kubectl={installation.kubectl}")
        tell("  kubectl describe wasmcomponent text -n tools")
        tell("  kubectl explain wasmcomponent.spec")
        tell("  make down    # ends it")


def wait_settled(kubectl: Kubectl, image: str) -> None:
    """Wait until pods of an earlier `up` are gone: Ready stays True while a new runtime takes over from an old one.

    Raises:
        StepFailed: they are still there, or no new ones, after a while.
    """
    deadline = time.monotonic() + READY_TIMEOUT
    while True:
        pods = kubectl.list_all("pods", examples.NAMESPACE, "wasmoor.dev/component")
        components = kubectl.list_all("wasmcomponents", examples.NAMESPACE)
        conditions = [one for component in components for one in component["status"]["conditions"]]
        busy = [one for one in conditions if one["type"] == "Reconciling" and one["status"] == "True"]
        if pods and not busy and all(pod["spec"]["containers"][0]["image"] == image for pod in pods):
            return
        if time.monotonic() > deadline:
            raise StepFailed("the examples' pods were not replaced by new ones", todo="see what the lines above say")
        time.sleep(1)


def read_result(call: examples.Call, answer: dict[str, Any]) -> str:
    """Return the answer as people read it. Raises `StepFailed`: there was none, or a wrong one."""
    name = f"{call.component}'s {call.tool}"
    todo = f"`kubectl logs -n {examples.NAMESPACE} -l wasmoor.dev/component={call.component}` shows the pods' side"
    if "failure" in answer:
        raise StepFailed(f"{name} could not be called: {answer['failure']}", todo=todo)
    found = examples.read_answer(answer)
    if answer["isError"] != call.failed or found != call.answer:
        raise StepFailed(f"{name} answered {answer['text']} instead of {json.dumps(call.answer)}", todo=todo)
    return json.dumps(found, ensure_ascii=False)


def render_namespace() -> dict[str, Any]:
    """Render the operator's namespace, which takes restricted pods only."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}


def render_helm(installation: Installation) -> list[str]:
    """Render the installation of the chart as one command."""
    values = {
        "image": split_image(installation.operator_image),
        "runtimeImage": split_image(installation.runtime_image),
        "registryMirrors": installation.mirrors,
    }
    words = [f"--set-json={name}={json.dumps(value)}" for name, value in values.items()]
    where = [f"--kubeconfig={installation.kubeconfig}", f"--namespace={NAMESPACE}"]
    chart = str(REPOSITORY / "charts" / "wasmoor")
    return [installation.helm, "upgrade", "--install", RELEASE, chart, *where, *words, "--wait", "--timeout=3m"]


def split_image(reference: str) -> dict[str, str]:
    """Split `repository:tag` or `repository@digest` into the chart's values."""
    repository, separator, digest = reference.partition("@")
    if separator:
        return {"repository": repository, "tag": "", "digest": digest}
    repository, _, tag = reference.rpartition(":")
    return {"repository": repository, "tag": tag, "digest": ""}


def speaks_plain_http(host: str) -> bool:
    """Whether a registry answers in plain HTTP."""
    connection = http.client.HTTPConnection(host, timeout=5)
    try:
        connection.request("GET", "/v2/")
        return connection.getresponse().status in {200, 401}
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def find_programs(places: paths.Paths) -> dict[str, str]:
    """Return the paths of kubectl and helm: this machine's own for a cluster of its own, else those built here.

    Raises:
        StepFailed: there is neither.
    """
    foreign = paths.foreign_context() is not None
    tools = toolchain.find_tools(places)
    found: dict[str, str] = {}
    for name in ("kubectl", "helm"):
        own = shutil.which(name) if foreign else None
        try:
            found[name] = own or str(tools.find(name))
        except ClusterError as error:
            todo = "install it, or build it with `python3 -m tests.cluster install`"
            raise StepFailed(f"there is no {name}", todo=todo) from error
    return found


def main() -> int:
    """Bring everything up; 0 when every example answered."""
    try:
        Up().run()
    except StepFailed as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; `make up` goes on where it was, `make down` ends everything\n")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
