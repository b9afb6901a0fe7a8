"""What every file says of its origin. No dates or host names: equal work gives equal bytes."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any


def provenance(step: str, **facts: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON-like facts
    """Return the record of one step: what was done, by which versions, and the facts given."""
    packages = ("simulacra", "numpy", "torch", "geant4-pybind")
    versions = {name: found for name in packages if (found := _version(name))}
    return {"step": step, "versions": versions, **facts}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
