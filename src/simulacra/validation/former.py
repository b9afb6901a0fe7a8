"""Reading ``metrics.json`` of former schemas: their keys become those of today.

Schema 5 has the terms of the field where schemas 3 and 4 had words of their own. Schema 3 lacks
the check of a baseline, and the observables without a comparison.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]
OLDEST = 3
"""The first schema that can be converted; results of schemas 1 and 2 lack most of the numbers."""

NEW_NAMES: Mapping[str, str] = {
    "headline": "primary_observable",
    "adversaries": "classifier_tests",
    "floor": "baseline",
    "floors": "baselines",
    "floor_auc": "baseline_auc",
    "floor_jsd": "baseline_jsd",
    "floor_energies": "baseline_energies",
    "spread": "sigma_eff",
    "spread_ratio": "sigma_eff_ratio",
}
"""Former and present keys; no observable, energy or detector ever had one of these names."""


def converted(content: Json, schema: int) -> Json:
    """Return the content of a ``metrics.json`` of a former schema with the keys of today.

    Args:
        content: of the file.
        schema: its version, :data:`OLDEST` or later.

    Returns:
        The content, with a note that it was converted.
    """
    provenance = dict(content["provenance"])
    if "floor" in provenance:
        provenance["baseline"] = provenance.pop("floor")
    result = {**_renamed(content), "provenance": provenance, "configurations": []}
    if schema < 4:
        for group in (result["pooled"], *result["energies"], *_parts(result)):
            _complete(group)
    if (legacy := result["legacy"]) is not None:
        legacy["separations"] = legacy.pop("scores")
        legacy["n"] = [result["pooled"][name] for name in ("n_reference", "n_generated")]
    note = f"read from a metrics.json of schema {schema}: former keys were renamed"
    return {**result, "notes": [*result["notes"], note]}


def _renamed(value: Any) -> Any:  # noqa: ANN401 - of any type that JSON has
    """Return a value in which the keys of all mappings are those of today."""
    if isinstance(value, dict):
        return {NEW_NAMES.get(key, key): _renamed(item) for key, item in value.items()}
    return [_renamed(item) for item in value] if isinstance(value, list) else value


def _parts(result: Json) -> list[Json]:
    return [group for groups in result["divisions"].values() for group in groups]


def _complete(group: Json) -> None:
    """Add to a group of schema 3 the keys that schema 4 brought: nothing was checked."""
    group.setdefault("undefined", [])
    group.setdefault("constant", [])
    for comparison in group["comparisons"].values():
        for baseline in (comparison["baseline"], *comparison["baselines"].values()):
            baseline.setdefault("sample", None)
