"""How normal the latent space of an autoencoder is, with and without its flow, energy by energy.

    python benchmarks/systems/gaussianity.py atlas-vae atlas-vae-iaf -o results/gaussianity

writes a table and the same numbers as JSON. Latent numbers are drawn from what the encoder says of
the showers of a sample that was not trained on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from simulacra.datasets.samples import resolve_events
from simulacra.energies import energy_groups, scale_of
from simulacra.events import Events
from simulacra.files.atomic import whole_file
from simulacra.io import read_events
from simulacra.models.blocks.variational import drawn
from simulacra.models.calorimeter.atlas_vae import AtlasVAE
from simulacra.simulators.trained import TrainedSimulator
from simulacra.validation.metrics.gaussianity import Gaussianity, gaussianity

SEED = 1


@torch.inference_mode()
def latent_numbers(folder: Path, events: Events) -> Iterator[tuple[str, np.ndarray]]:
    """Yield what the encoder makes of showers (n, latent), and the same after the flow."""
    surrogate = TrainedSimulator.load(folder).surrogate
    model = surrogate.network
    assert isinstance(model, AtlasVAE)
    columns = surrogate.columns(events.conditions)
    conditions = surrogate.encoder(columns)
    showers = torch.from_numpy(events["showers"].astype(np.float32))
    cells = surrogate.transform.forward({"showers": showers}, columns)
    latent = drawn(*model.encode(cells, conditions), torch.Generator().manual_seed(SEED))
    yield f"{folder.name}, encoder", latent.double().numpy()
    if model.flow is not None:
        normal = model.normalised(latent, conditions)
        yield f"{folder.name}, after the flow", normal.double().numpy()


def judged(numbers: np.ndarray, events: Events) -> dict[str, Gaussianity]:
    """Return how normal latent numbers are, for all events and at each energy."""
    rng = np.random.default_rng(SEED)
    found = {"all": gaussianity(numbers, rng)}
    for group in energy_groups(scale_of(events)):
        found[group.label] = gaussianity(numbers[group.select(scale_of(events))], rng)
    return found


def rows(results: dict[str, dict[str, Gaussianity]]) -> Iterator[str]:
    """Yield the lines of the table."""
    yield "| | energy | events | largest KS (floor) | energy distance (floor) |"
    yield "|---|---|---|---|---|"
    for name, groups in results.items():
        for label, g in groups.items():
            yield (
                f"| {name} | {label} | {g.events} "
                f"| {max(g.distances):.3f} ({g.baseline_distance}) | "
                f"{g.energy_distance:.4f} ({g.baseline_energy_distance}) |"
            )


def main() -> None:
    """Encode, judge, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("simulators", type=Path, nargs="+")
    parser.add_argument("--sample", default="sample:test")
    parser.add_argument("-o", "--output", type=Path, required=True, help="without a suffix")
    arguments = parser.parse_args()
    events = read_events(resolve_events(arguments.sample))
    results = {
        name: judged(numbers, events)
        for folder in arguments.simulators
        for name, numbers in latent_numbers(folder, events)
    }
    content = {k: {label: asdict(g) for label, g in v.items()} for k, v in results.items()}
    for suffix, text in (
        (".md", "\n".join(rows(results))),
        (".json", json.dumps(content, indent=1)),
    ):
        with whole_file(arguments.output.with_suffix(suffix)) as part:
            part.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
