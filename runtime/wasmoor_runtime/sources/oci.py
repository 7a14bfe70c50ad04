"""Components from OCI registries: by digest into the cache, and references to digests where there is no operator.

Everything is asked for by digest and checked against it; what is in the cache is used without asking anybody. Pulling
is anonymous: `find_credentials` is where pull secrets come in.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from wasmoor_runtime import errors
from wasmoor_runtime.artifacts import locations, manifests, mirrors, preambles, references
from wasmoor_runtime.artifacts.manifests import ComponentArtifact
from wasmoor_runtime.artifacts.references import Reference
from wasmoor_runtime.artifacts.refusals import Refusal
from wasmoor_runtime.contract.document import PinnedOciSource
from wasmoor_runtime.ports import Blob, Progress
from wasmoor_runtime.registry import resolution, threads
from wasmoor_runtime.registry.aborts import Abort
from wasmoor_runtime.registry.authentication import Credentials
from wasmoor_runtime.registry.client import Client
from wasmoor_runtime.registry.resolution import Resolved
from wasmoor_runtime.sources import faults, progress
from wasmoor_runtime.sources.cache import Cache

# Seconds for one pull, manifest and component.
TIMEOUT = 300.0

FindCredentials = Callable[[Reference], Credentials | None]


def ask_anonymously(_: Reference) -> Credentials | None:
    """Return no credentials, whatever is asked for."""
    return None


class OciFetcher:
    """Brings pinned artifacts to this machine (`ports.Fetcher`)."""

    def __init__(
        self, cache: Cache, *, find_credentials: FindCredentials = ask_anonymously, timeout: float = TIMEOUT
    ) -> None:
        self._cache = cache
        self._find_credentials = find_credentials
        self._timeout = timeout

    async def fetch(self, source: PinnedOciSource, told: Progress | None = None) -> Blob:
        """Return the checked bytes, from the cache if they are there.

        Raises:
            Stalled: somebody must act: the reference, the registry's rights, the artifact.
            Waiting: the registry or the disk may serve again later.
        """
        try:
            reference = references.parse_reference(source.reference)
            location = locations.locate(reference, insecure=source.insecure, mirror=source.mirror)
        except ValueError as error:
            raise errors.Stalled("ReferenceInvalid", str(error)) from None
        subject = reference.pin(source.digest)
        report = progress.report_from_thread(told)

        def pull(abort: Abort) -> Blob:
            with Client(location, subject, abort, self._find_credentials(reference)) as client:
                return _Pull(self._cache, client, source, subject, report).run()

        try:
            return await threads.run(pull, subject=subject, host=location.host, timeout=self._timeout)
        except Refusal as refusal:
            raise faults.render_fault(refusal) from refusal


class _Pull:
    """One pull, in a thread: each step takes from the cache, else from the registry into the cache."""

    def __init__(self, cache: Cache, client: Client, source: PinnedOciSource, subject: str, report: Progress) -> None:
        self._cache = cache
        self._client = client
        self._source = source
        self._subject = subject
        self._report = report

    def run(self) -> Blob:
        artifact = manifests.parse_component(self._read_manifest(), self._subject)
        manifests.check_size(artifact, self._source.max_bytes, self._subject)
        path = self._cache.find(artifact.layer_digest) or self._client.retry(lambda: self._download(artifact))
        with path.open("rb") as file:
            preambles.check_component(file.read(preambles.LENGTH), self._subject)
        return Blob(
            path=path,
            digest=artifact.layer_digest,
            manifest_digest=self._source.digest,
            media_type=artifact.media_type,
            size=artifact.size,
            annotations=artifact.annotations,
            policy_digest=artifact.policy_digest,
        )

    def _read_manifest(self) -> bytes:
        digest = self._source.digest
        known = self._cache.read(digest, manifests.LARGEST_MANIFEST)
        if known is not None:
            return known
        body = self._client.retry(lambda: self._client.read_manifest(digest))
        self._cache.write(digest, len(body), [body], lambda _: None)
        return body

    def _download(self, artifact: ComponentArtifact) -> Path:
        chunks = self._client.stream_blob(artifact.layer_digest, artifact.size)
        return self._cache.write(
            artifact.layer_digest, artifact.size, chunks, lambda done: self._report(done, artifact.size)
        )


async def resolve(reference: str, *, insecure: bool = False, mirror_urls: mirrors.Mirrors | None = None) -> Resolved:
    """Return what a reference names, for use without an operator.

    Raises:
        Stalled: ReferenceInvalid, or whatever else somebody must act on.
        Waiting: the registry does not say now.
    """
    try:
        parsed = references.parse_reference(reference)
        mirror = mirrors.find_mirror(parsed, mirror_urls or {})
        return await resolution.resolve(parsed, insecure=insecure, mirror=mirror, credentials=ask_anonymously(parsed))
    except ValueError as error:
        raise errors.Stalled("ReferenceInvalid", str(error)) from None
    except Refusal as refusal:
        raise faults.render_fault(refusal) from refusal
