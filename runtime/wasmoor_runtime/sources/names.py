"""What tags named, remembered in the cache: `names/<hash of the reference>.json`. For use without an operator.

Used while it is younger than a time that the user chooses, and when a registry does not answer. Blocking.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from wasmoor_runtime.artifacts import digests

_LARGEST = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What a reference named."""

    digest: str
    at: float  # seconds since the epoch

    def is_fresh(self, ttl: float) -> bool:
        """Return whether it was learned in the last `ttl` seconds."""
        return 0.0 <= time.time() - self.at < ttl


class Names:
    """A folder of answers; what cannot be read is as good as none, and nothing here is worth a failure."""

    def __init__(self, root: Path) -> None:
        self._folder = root / "names"

    def recall(self, reference: str) -> Remembered | None:
        """Return what the reference named last."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            with self._path(reference).open("rb") as file:
                document = json.loads(file.read(_LARGEST))
            if document["reference"] == reference and digests.is_digest(document["digest"]):
                return Remembered(digest=document["digest"], at=float(document["at"]))
        return None

    def remember(self, reference: str, digest: str) -> None:
        """Note what the reference names now."""
        text = json.dumps({"reference": reference, "digest": digest, "at": time.time()})
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self._folder, suffix=".part")
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).replace(self._path(reference))

    def _path(self, reference: str) -> Path:
        return self._folder / f"{hashlib.sha256(reference.encode()).hexdigest()}.json"
