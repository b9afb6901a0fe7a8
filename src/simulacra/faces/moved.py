"""Modules that moved: their former names import the new ones, with a warning, until version 0.2."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from importlib.abc import Loader

MOVED: Mapping[str, str] = MappingProxyType(
    {
        "simulacra.card": "simulacra.training.card",
        "simulacra.histograms": "simulacra.statistics.histograms",
        "simulacra.provenance": "simulacra.files.provenance",
        "simulacra.sample": "simulacra.datasets.samples",
        "simulacra.shipped": "simulacra.datasets.shipped",
        "simulacra.simulator": "simulacra.simulators.trained",
        "simulacra.surrogate": "simulacra.models.surrogate",
        "simulacra.deploy.exported": "simulacra.simulators.exported",
        "simulacra.training.one_loss": "simulacra.training.likelihood",
        "simulacra.training.selection": "simulacra.observables.selection_score",
        "simulacra.training.tensors": "simulacra.files.tensors",
        "simulacra.validation.distances": "simulacra.validation.metrics.fpd",
    }
)
"""Former and new names of modules that scripts import."""


class Moved:
    """Finds former names; asked last, after all that finds what is there.

    It is a finder and a loader without the base classes of :mod:`importlib.abc`, whose import would
    be the slowest of the whole package's.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the description of a module under its former name."""
        del path, target
        return ModuleSpec(fullname, cast("Loader", self)) if fullname in MOVED else None

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave the making of the module to Python."""

    def exec_module(self, module: ModuleType) -> None:
        """Fill the module with the names of the new one."""
        new = MOVED[module.__name__]
        msg = f"{module.__name__} is {new} now; the former name goes with version 0.2"
        warnings.warn(msg, DeprecationWarning, stacklevel=2)
        found = import_module(new)
        vars(module).update({k: v for k, v in vars(found).items() if not k.startswith("__")})


def keep_former_names() -> None:
    """Let former names be imported in this process."""
    if not any(isinstance(finder, Moved) for finder in sys.meta_path):
        sys.meta_path.append(Moved())
