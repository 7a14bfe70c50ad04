"""Builds images with buildah, which needs no daemon: storage of its own in the cache, isolation by chroot.

Called by images, under its lock.
"""

import ipaddress
import json
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from tests.cluster import base_image, longrun, mounts, pip_settings, processes
from tests.cluster.kubeconfig import write_private
from tests.cluster.paths import Paths
from tests.cluster.progress import Progress

# Where Kubernetes looks a short name such as `wasmoor/operator:1` up.
DEFAULT_REGISTRY = "docker.io"
# A build gives five or six: two results and what the other stages end with. Two builds are kept.
KEPT_IMAGES = 12


def choose_unneeded(listed: Sequence[Mapping[str, Any]], base: str) -> list[str]:
    """Identities of images that no later build will use again, from `buildah images --json`.

    Layers that a newer image shares stay with that image; the base image is always kept.
    """
    built = [image for image in listed if base not in (image["names"] or [])]
    newest_first = sorted(built, key=lambda image: int(image["created"]), reverse=True)
    return [str(image["id"]) for image in newest_first[KEPT_IMAGES:]]


def is_local(reference: str) -> bool:
    """Whether an image reference names a registry on this machine or a private network: those may speak plain HTTP."""
    host = reference.partition("/")[0].rpartition(":")[0] or reference.partition("/")[0]
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host == "localhost"
    return address.is_private


class Builder:
    """buildah with storage of its own in the cache; each run works in a temporary folder."""

    def __init__(self, paths: Paths, folder: pathlib.Path, progress: Progress) -> None:
        self._paths = paths
        self._folder = folder
        self._progress = progress
        policy = folder / "policy.json"
        policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}', encoding="utf-8")
        self._policy = f"--signature-policy={policy}"
        storage = ["--root", str(paths.images / "storage"), "--runroot", "/run/wasmoor/builder"]
        self._buildah = [processes.find_program("buildah"), *storage]

    def provide_base(self, name: str) -> None:
        """Have the base image in the storage."""
        listed = processes.run([*self._buildah, "images", "--format", "{{.Name}}:{{.Tag}}"])
        archive = base_image.provide_base(self._paths, self._progress)
        if name not in listed.split():
            pulled = processes.run(
                [*self._buildah, "pull", "--quiet", self._policy, f"oci-archive:{archive}"], timeout=300
            )
            processes.run([*self._buildah, "tag", pulled.split()[-1], name])

    def build(self, target: str, base: str, tag: str, archive: pathlib.Path) -> None:
        """Build one target of the Dockerfile into an OCI archive; layers of earlier builds are used again."""
        what = f"building wasmoor/{target}:{tag}"
        self._progress.say(what)
        built = f"localhost/wasmoor/{target}:{tag}"
        arguments = ["--layers", "--pull-never", "--isolation", "chroot", "--format", "oci", "--target", target]
        for volume in self._list_volumes():
            arguments += ["--volume", volume]
        arguments += ["--build-arg", f"BASE={base}", "--tag", built, str(self._folder / "context")]
        log = self._paths.images / f"{target}.log"
        command = [*self._buildah, "build", self._policy, *arguments]
        longrun.run_long(command, what=what, log=log, progress=self._progress)
        temporary = self._folder / archive.name
        name = f"{DEFAULT_REGISTRY}/wasmoor/{target}:{tag}"
        push = [*self._buildah, "push", "--quiet", self._policy, built, f"oci-archive:{temporary}:{name}"]
        processes.run(push, timeout=300)
        temporary.rename(archive)
        self._progress.say(f"built wasmoor/{target}:{tag} ({archive.stat().st_size / 1e6:.0f} MB)")

    def push(self, archive: pathlib.Path, reference: str) -> None:
        """Push an archive to a registry."""
        verify = "false" if is_local(reference) else "true"
        push = [*self._buildah, "push", "--quiet", self._policy, f"--tls-verify={verify}"]
        processes.run([*push, self._pull(archive), f"docker://{reference}"], timeout=600)

    def trim(self) -> None:
        """Forget builds before the last two, or the storage would grow by some 300 MB with each."""
        listed = json.loads(processes.run([*self._buildah, "images", "--json"]))
        if unneeded := choose_unneeded(listed, base_image.name_base()):
            processes.run([*self._buildah, "rmi", "--force", *unneeded], timeout=300)

    def close(self) -> None:
        """Remove the working containers and unmount the storage, which buildah leaves mounted."""
        processes.run([*self._buildah, "rm", "--all"])
        mounts.unmount_below([self._paths.images / "storage"])

    def _pull(self, archive: pathlib.Path) -> str:
        """Take an archive into the storage and return its image's identity."""
        pull = [*self._buildah, "pull", "--quiet", self._policy, f"oci-archive:{archive}"]
        return processes.run(pull, timeout=300).split()[-1]

    def _list_volumes(self) -> list[str]:
        texts = [file.read_text(encoding="utf-8") for file in pip_settings.list_files(os.environ) if file.is_file()]
        settings = pip_settings.merge_settings(texts, os.environ)
        configuration = self._folder / "pip.conf"
        write_private(configuration, pip_settings.render_configuration(settings))
        return pip_settings.list_volumes(settings, configuration)
