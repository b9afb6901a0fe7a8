"""What every file says of its origin. No dates or host names: equal work gives equal bytes."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from typing import Any

from simulacra import __version__


def provenance(step: str, **facts: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON-like facts
    """Return the record of one step: what was done, by which versions, and the facts given."""
    packages = ("numpy", "torch", "geant4-pybind")
    found = {"simulacra": __version__} | {name: _version(name) for name in packages}
    versions = {name: version for name, version in found.items() if version}
    return {"step": step, "versions": versions, **facts}


def _version(package: str) -> str | None:
    try:
        return installed_version(package)
    except PackageNotFoundError:
        return None
