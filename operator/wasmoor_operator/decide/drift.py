"""Whether an object is as it should be: what makes a reconcile with nothing to do cost nothing. Pure.

The API server stores more than was applied (defaults, other managers' fields) and spells some of it differently
(quantities), so the wish has to be contained in what is observed, not equal to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wasmoor_operator.decide.model import Manifest
from wasmoor_runtime.contract import quantities

# Maps that belong to one manager as a whole (`mapType: atomic`): one label too many, and a Service finds no pod.
_ATOMIC = frozenset({"selector", "nodeSelector"})


def find_child(children: tuple[Manifest, ...], wanted: Manifest) -> Manifest | None:
    """Return the observed object of the same kind and name."""
    name = wanted["metadata"]["name"]
    return next((c for c in children if c["kind"] == wanted["kind"] and c["metadata"]["name"] == name), None)


def is_as_wanted(wanted: Manifest, observed: Manifest) -> bool:
    """Return whether nothing has to be applied: the same wish was applied, and nobody has undone any of it.

    A wish carries its own hash as an annotation, so one that lost a field since is not contained either.
    """
    return contains(observed, wanted)


def contains(observed: Any, wanted: Any) -> bool:
    """Return whether everything wanted is there; items of lists of objects are found wherever they stand."""
    if isinstance(wanted, Mapping):
        return isinstance(observed, Mapping) and all(
            _holds(key, observed[key], value) if key in observed else not value for key, value in wanted.items()
        )
    if isinstance(wanted, list) and wanted and isinstance(wanted[0], Mapping):
        return isinstance(observed, list) and all(any(contains(o, w) for o in observed) for w in wanted)
    return bool(observed == wanted) or _same_quantity(observed, wanted)


def _holds(key: str, observed: Any, wanted: Any) -> bool:
    """Return whether one field is as wanted."""
    return bool(observed == wanted) if key in _ATOMIC else contains(observed, wanted)


def is_owned_by_another(child: Manifest, uid: str) -> bool:
    """Return whether another object controls this child, such as an earlier component of the same name."""
    owners = child["metadata"].get("ownerReferences") or ()
    return any(owner.get("controller") and owner["uid"] != uid for owner in owners)


def _same_quantity(observed: Any, wanted: Any) -> bool:
    """Return whether two texts are the same quantity in different spelling, such as 1024Mi and 1Gi."""
    if not (isinstance(observed, str) and isinstance(wanted, str)):
        return False
    try:
        return quantities.parse_quantity(observed) == quantities.parse_quantity(wanted)
    except ValueError:
        return False
