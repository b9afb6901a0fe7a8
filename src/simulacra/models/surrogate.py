"""Encoder, model and transform in one module: conditions in physical units to a response in MeV."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from simulacra.arrays import Array, filled
from simulacra.conditions import Conditions
from simulacra.detectors import Detector
from simulacra.detectors.base import Frozen
from simulacra.events import Events
from simulacra.models import GenerativeModel
from simulacra.models.blocks.bounded import Bounded
from simulacra.models.system import System
from simulacra.transforms import Encoder, Response, Transform
from simulacra.transforms.drawn import normal

BLOCK = 2048
"""Events generated at once: fixed, so that a seed gives the same events for any total number."""
NOISE_ROWS = 16
"""Noise is drawn for multiples of this: torch fills normal numbers in groups of 16, and only whole
groups begin alike for any length."""


class Surrogate(nn.Module):
    """A generative model between its preprocessing and the inverse of it.

    Args:
        system: the class of the model.
        config: the model's options.
        detector: the detector whose response is modelled.

    Raises:
        CardError: the model is for another kind of detector, or needs more of it.
        SimulacraError: the memory does not hold it.
    """

    encoder: Encoder

    def __init__(self, system: type[System], config: Frozen, detector: Detector) -> None:
        super().__init__()
        system.check(detector)
        self.detector = detector
        with Bounded():
            self.encoder = system.encoder_for(config, detector)
            self._transform = cast("nn.Module", system.transform_for(config, detector))
            self._model = cast("nn.Module", system(config, detector, self.encoder.features))

    @property
    def transform(self) -> Transform:
        """The preprocessing of the response."""
        return cast("Transform", self._transform)

    @property
    def model(self) -> GenerativeModel:
        """The generative model."""
        return cast("GenerativeModel", self._model)

    @property
    def network(self) -> nn.Module:
        """The generative model, as the module that training works on."""
        return self._model

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return next(self._model.parameters()).device

    def columns(self, conditions: Conditions) -> Tensor:
        """Return conditions as a tensor (n, columns) in physical units, where the weights lie."""
        return torch.from_numpy(conditions.matrix(self.encoder.names)).to(self.device)

    def fit(self, events: Events) -> tuple[Tensor, Tensor]:
        """Fit the preprocessing to training events; return features and encoded conditions."""
        columns, response = self.columns(events.conditions), _response(events)
        self.encoder.fit(columns)
        self.transform.fit(response, columns)
        features = self.transform.forward(response, columns)
        conditions = self.encoder(columns)
        self.model.fit(features, conditions)
        return features, conditions

    def features(self, events: Events) -> tuple[Tensor, Tensor]:
        """Return features and encoded conditions of events, on the CPU, by fitted preprocessing."""
        columns = torch.from_numpy(events.conditions.matrix(self.encoder.names))
        return self.transform.forward(_response(events), columns), self.encoder(columns)

    def forward(self, columns: Tensor, noise: Tensor) -> Response:
        """Return the response in physical units for conditions (n, columns) and noise."""
        features = self.model.sample(self.encoder(columns), noise)
        return self.transform.inverse(features, columns)

    def blocks(self, conditions: Conditions, seed: int) -> Iterator[dict[str, Array]]:
        """Yield response arrays block by block, all rows of the conditions in the end.

        The same seed and conditions give the same bytes on a CPU, and others on other devices,
        which draw their noise themselves; a block has :data:`BLOCK` rows.
        """
        columns = self.columns(conditions)
        rng = torch.Generator(self.device).manual_seed(seed)
        names = self.detector.response_arrays
        for start in range(0, len(columns), BLOCK):
            rows = columns[start : start + BLOCK]
            drawn = math.ceil(len(rows) / NOISE_ROWS) * NOISE_ROWS
            with torch.inference_mode():
                noise = normal(self.model.noise_shape(drawn), rng)
                block = self(rows, noise[: len(rows)])
            yield {name: block[name].cpu().numpy() for name in names}

    def generate(self, conditions: Conditions, seed: int) -> dict[str, Array]:
        """Return response arrays; the same seed and conditions give the same bytes."""
        arrays = self.detector.response_arrays
        return filled(self.blocks(conditions, seed), len(conditions), arrays)


def _response(events: Events) -> Response:
    """Return the response of events in single precision."""
    return {
        name: torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
        for name, array in events.response.items()
    }
