"""What there is: detectors, models, shipped simulators."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simulacra.cli.terminal import console, table, write
from simulacra.errors import SimulacraError

_SEVERAL = {
    (True, "calorimeter"): "chosen",
    (True, "tpc"): "chosen",
    (False, "calorimeter"): "refused",
    (False, "tpc"): "as trained",
}
"""What becomes of several particles, by whether a model looks at them and the kind it serves."""


def detectors(
    verb: Annotated[
        str | None, typer.Argument(help="'show' to print one as YAML, 'draw' to draw it.")
    ] = None,
    name: Annotated[str | None, typer.Argument(help="A shipped detector or a YAML file.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The drawing: PNG, SVG or PDF.")
    ] = None,
) -> None:
    """List the shipped detectors, or show or draw one."""
    from simulacra.detectors import builtin_detectors, load_detector

    if (verb == "draw") != (output is not None):
        msg = "a drawing needs a file: detectors draw NAME -o FILE.png"
        raise SimulacraError(msg)
    if output is not None and name is not None:
        from simulacra.drawings import write_drawing

        write_drawing(load_detector(name), output)
        return
    if _wants_one(verb, name):
        write(load_detector(str(name)).to_yaml())
        return
    listing = table("detector", "kind", "response", "description")
    for builtin in builtin_detectors():
        detector = load_detector(builtin)
        arrays = ", ".join(f"{k} {v.shape}" for k, v in detector.response_arrays.items())
        listing.add_row(builtin, detector.kind, arrays, detector.description)
    console.print(listing)


def models(
    verb: Annotated[str | None, typer.Argument(help="'show' to print one's options.")] = None,
    name: Annotated[str | None, typer.Argument(help="A model of the catalogue.")] = None,
) -> None:
    """List the models, or show the options of one with their defaults."""
    from simulacra.models import MODELS

    if _wants_one(verb, name):
        from simulacra.models.description import as_yaml

        write(as_yaml(str(name)))
        return
    listing = table("model", "for a", "training", "several particles", "what it is", "reference")
    for kind, entry in MODELS.items():
        several = _SEVERAL[entry.tells_particles_apart(), entry.serves]
        words = entry.serves, entry.loop, several, entry.summary, entry.reference
        listing.add_row(kind, *words)
    console.print(listing)


def simulators() -> None:
    """List the simulators that are shipped, trained and ready to generate."""
    from simulacra.datasets.shipped import shipped_simulators
    from simulacra.simulators.trained import TrainedSimulator
    from simulacra.units import format_energy

    listing = table("simulator", "detector", "model", "particles", "trained range")
    for name in shipped_simulators():
        shipped = TrainedSimulator.load(name)
        low, high = (format_energy(energy) for energy in shipped.ranges[shipped.detector.scale])
        particles = ", ".join(shipped.particles) or "not named"
        kind, reach = shipped.card.model_kind, f"{low} to {high}"
        listing.add_row(name, shipped.detector.name, kind, particles, reach)
    console.print(listing)


def _wants_one(verb: str | None, name: str | None) -> bool:
    if verb is None:
        return False
    if verb != "show" or name is None:
        msg = f"unknown request {verb!r}; write 'show NAME'"
        raise SimulacraError(msg)
    return True
