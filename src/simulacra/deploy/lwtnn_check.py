"""Whether an LWTNN graph answers as the network that it was made of.

What the C++ side hands over is stated here once more, from the conditions, so that a number that
the graph takes for another one is found.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from simulacra.arrays import FloatArray
from simulacra.conditions import Conditions
from simulacra.deploy.contract import contract_of
from simulacra.deploy.lwtnn_inputs import (
    IMPACT_ETA,
    IMPACT_PHI,
    LOG_ENERGY,
    MIDDLE_CELL,
    OwnNoise,
    atlas_read_out,
)
from simulacra.deploy.lwtnn_reader import Graph, Inputs, Json
from simulacra.deploy.parity import LARGEST, relative_difference, typical_conditions
from simulacra.detectors import Calorimeter, ConditionSpec
from simulacra.errors import ExportError
from simulacra.simulators.trained import TrainedSimulator
from simulacra.transforms import ConditionEncoder

CHECKED = 256
"""Events that a new file has to answer as the network does."""


def largest_difference(simulator: TrainedSimulator, graph: Json, events: int = CHECKED) -> float:
    """Return how far a graph is from its network, which both answer in double precision.

    Conditions are spread evenly over what the simulator was trained for. The difference is that of
    the worst cell of the worst event, relative to the event's hottest cell.

    Raises:
        ExportError: it is more than 1e-5, or the C++ reader would not read the graph.
    """
    conditions = typical_conditions(contract_of(simulator), events, seed=1)
    model = simulator.surrogate.model
    rng = torch.Generator().manual_seed(1)
    noise = torch.randn(model.noise_shape(events), generator=rng).double()
    given = given_inputs(simulator, conditions, noise)
    cells = np.stack(list(Graph(graph).compute(given).values()), axis=1)
    found = np.broadcast_to(cells, (events, cells.shape[1])) * conditions["energy"][:, None]
    differences = relative_difference(_answers(simulator, conditions, noise), found)
    largest = float(differences.max(initial=0.0))
    if not largest <= LARGEST:  # nan differs
        msg = (
            f"model {simulator.card.model_kind} cannot be exported to LWTNN: the graph's answers "
            f"differ from the network's by {largest:.1e} of the event's hottest cell"
        )
        raise ExportError(msg)
    return largest


def given_inputs(simulator: TrainedSimulator, conditions: Conditions, noise: Tensor) -> Inputs:
    """Return what the C++ side hands over for conditions and standard normal noise (n, latent)."""
    model, detector = simulator.surrogate.model, simulator.detector
    own = model.own_noise(noise) if isinstance(model, OwnNoise) else noise
    columns = {name: conditions[name].astype(np.float64) for name in conditions.columns}
    if (atlas := atlas_read_out(detector)) is not None:
        given = _of_atlas(columns, atlas)
    else:
        encoder = simulator.surrogate.encoder
        assert isinstance(encoder, ConditionEncoder)
        given = {name: _plain(columns[name], spec) for name, spec in encoder.specs.items()}
    return {"Z": {str(i): column.numpy() for i, column in enumerate(own.T)}, **given}


def _of_atlas(columns: Mapping[str, FloatArray], detector: Calorimeter) -> Inputs:
    """Return the numbers of ATLAS's DNNCaloSimSvc, from energy, angles and indices of cells."""
    assert detector.reference_cell is not None
    eta, phi = (
        columns[f"impact_{axis}"] / mm * size
        for axis, mm, size in zip(detector.axes, detector.reference_cell, MIDDLE_CELL, strict=True)
    )
    index_eta, index_phi = (columns[f"alignment_{axis}"] for axis in detector.axes)
    return {
        "E_true": {"0": (np.log(columns["energy"]) - LOG_ENERGY[0]) / LOG_ENERGY[1]},
        "ripos": {
            "0": (eta - IMPACT_ETA[0]) / IMPACT_ETA[1],
            "1": (phi - IMPACT_PHI[0]) / IMPACT_PHI[1],
        },
        "econfig": {str(i): (index_eta + 1) % 2 == i for i in range(2)},
        "pconfig": {str(i): index_phi % 4 == i for i in range(4)},
    }


def _plain(column: FloatArray, spec: ConditionSpec) -> Mapping[str, ArrayLike]:
    """Return the numbers of one condition in physical units."""
    if spec.categories is not None:
        return {str(value): column == value for value in spec.categories}
    if spec.role == "cyclic":
        return {"cos": np.cos(column), "sin": np.sin(column)}
    return {"log": np.log(column)} if spec.role == "log" else {"value": column}


def _answers(simulator: TrainedSimulator, conditions: Conditions, noise: Tensor) -> FloatArray:
    twice = copy.deepcopy(simulator.surrogate).double()
    with torch.inference_mode():
        response = twice(twice.columns(conditions).double(), noise)
    showers: FloatArray = response["showers"].numpy()
    return showers
