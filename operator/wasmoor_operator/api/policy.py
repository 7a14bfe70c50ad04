"""`ComponentPolicy.spec`: what the components of a namespace may use. Pure."""

from __future__ import annotations

from wasmoor_runtime.contract.model import Model
from wasmoor_runtime.contract.spec import Artifacts, Limits


class ComponentPolicySpec(Model):
    """What components may use; whatever is not named stays denied."""

    default: bool = False
    """Applies to every component of the namespace that names no policy. At most one policy may say so."""
    artifacts: Artifacts = Artifacts()
    """Which components may be served."""
    limits: Limits = Limits()
    """What one call may use. A component may ask for less, never for more."""
