"""Finding simulators: the shipped ones by name, a user's own by its folder."""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def _home() -> Path:
    return Path(str(resources.files("simulacra.datasets"))) / "data" / "simulators"


def shipped_simulators() -> tuple[str, ...]:
    """Return the names of the simulators that travel with the package, ready to generate."""
    return tuple(sorted(entry.name for entry in _home().iterdir() if entry.is_dir()))


def simulator_folder(name: str | Path) -> Path:
    """Return the folder of a shipped simulator by its name; of any other, the folder itself.

    Example:
        >>> simulator_folder("atlas-barrel-photons").name
        'atlas-barrel-photons'
    """
    return _home() / name if str(name) in shipped_simulators() else Path(name)
