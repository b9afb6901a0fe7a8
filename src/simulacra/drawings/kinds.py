"""The drawing of each kind of detector: one row a kind."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _lazily(module: str) -> Callable[[Any], Figure]:
    """Return the function ``draw`` of a module, which is loaded with the first drawing."""

    def draw(detector: Any) -> Figure:  # noqa: ANN401 - of the kind that the row names
        figure: Figure = import_module(module).draw(detector)
        return figure

    return draw


KINDS: dict[str, Callable[[Any], Figure]] = {
    "calorimeter": _lazily("simulacra.drawings.calorimeter"),
    "tpc": _lazily("simulacra.drawings.tpc"),
    "jet-image": _lazily("simulacra.drawings.jet_image"),
}
