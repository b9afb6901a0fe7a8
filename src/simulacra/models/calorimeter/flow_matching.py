"""The default generator: normal scores of layers and cells, joined by few-step flow matching.

Two stages, layer energies given the conditions and cells given both. In each, networks first say
how every single quantity is distributed (``distributions.marginals``): how often a cell is
empty, and how its energy varies where it is not. That is most of what there is to learn, it is
learned by maximum likelihood, and it makes all quantities standard normal. What is left, how they
hang together, is a small deformation of a Gaussian, which a small network and a few steps of flow
matching do (:mod:`simulacra.models.blocks.velocity`).

Energy closes by construction, and empty cells are exactly empty
(:mod:`simulacra.transforms.calorimeter.logarithmic`).

References:
    Two stages as in Krause, Shih: CaloFlow, arXiv:2106.05285, and Favaro et al.: CaloDREAM,
    arXiv:2405.09629. Normal scores before a flow, the geometry in the marginals and the mirror
    symmetry are ours.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor, nn

from simulacra.detectors import Detector
from simulacra.detectors.base import Frozen
from simulacra.errors import CardError
from simulacra.models.blocks.cell_marginals import CellMarginals
from simulacra.models.blocks.energy_weights import EnergyWeights
from simulacra.models.blocks.networks import dense
from simulacra.models.blocks.velocity import Velocity
from simulacra.models.distributions.marginals import Marginals, parameters
from simulacra.models.requirements import calorimeter_for, several_cells_for
from simulacra.models.system import Recommended, System
from simulacra.transforms import (
    ImpactEncoder,
    LogarithmicShowers,
    PartsOfEnergy,
    Transform,
)
from simulacra.transforms.base import slices_of
from simulacra.transforms.calorimeter.impact import EVENT, POSITIONS, WAVES, lie_alike
from simulacra.transforms.calorimeter.layers import CELLS, ENERGIES
from simulacra.transforms.drawn import normal

ALL_OF_LAYER = 0.0
"""Logarithm of the fraction of a cell that is the only one hit in its layer: not a value with a
density, but what closure leaves. A density would rise without limit there."""
ALWAYS = 1e6
"""Added to how clearly there is something, for what never was empty in training."""


class FlowMatchingConfig(Frozen):
    """The options of the model.

    Attributes:
        waves: waves of the impact in the conditions, per axis.
        marginal_width: hidden units of the networks for single quantities.
        marginal_rank: terms of the cells' distributions.
        energy_maps: sinh-arcsinh maps that take a layer's energy to its normal score; from few
            showers a second one learns their noise.
        cell_maps: sinh-arcsinh maps that take a cell's energy to its normal score.
        energy_width, energy_depth: of the velocity of the layer energies.
        energy_steps: steps of its integration.
        cell_width, cell_depth: of the velocity of the cells.
        cell_steps: steps of its integration.
        energy_balance: how much more a rare energy counts in learning the layer energies: an event
            of an energy with n training events counts n^-energy_balance.
        mean_flow: learn average velocities, for one or two steps.
        pair: pair noise and data of a batch by optimal transport; takes from what goes with the
            conditions.
        symmetries: mirrors and turns to use, such as ``[mirror-x]``; null: training decides by
            detector, beam, conditions and sample, and writes it down.
        sides: give the networks the place of the particle's line between the sides of the stack;
            null: training does so where cells stand still and conditions say it, and writes it
            down.
        layer_energies: ``ratios``: learn the energies of layers as ratios to the layer with the
            most; ``parts``: each as a part of the incident energy; null: training takes parts where
            that layer is often empty, and writes it down. Simulators that do not say it: ratios.
    """

    kind: Literal["flow-matching"] = "flow-matching"
    waves: int = Field(default=8, ge=0)
    marginal_width: int = Field(default=32, ge=1)
    marginal_rank: int = Field(default=32, ge=1)
    energy_maps: Literal[1, 2] = 1
    cell_maps: Literal[1, 2] = 2
    energy_width: int = Field(default=128, ge=1)
    energy_depth: int = Field(default=2, ge=0)
    energy_steps: int = Field(default=4, ge=1)
    cell_width: int = Field(default=128, ge=1)
    cell_depth: int = Field(default=1, ge=0)
    cell_steps: int = Field(default=2, ge=1)
    energy_balance: float = Field(default=0.7, ge=0, le=1)
    mean_flow: bool = False
    pair: bool = False
    symmetries: tuple[str, ...] | None = None
    sides: bool | None = None
    layer_energies: Literal["ratios", "parts"] | None = None


class FlowMatching(nn.Module, System):
    """P(layer energies | conditions) and P(cells | layer energies, conditions).

    Features are those of :class:`LogarithmicShowers` or :class:`PartsOfEnergy`, conditions those of
    :class:`ImpactEncoder`.
    """

    Config = FlowMatchingConfig
    serves = "calorimeter"
    loop = "likelihood"
    summary = "normal scores of layers and cells, joined by few-step flow matching: the default"
    reference = "ours; flow matching: arXiv:2210.02747"
    recommended: ClassVar[Recommended] = {
        "training": {
            "steps": 4000,
            "batch_size": 256,
            "learning_rate": 2e-3,
            "weight_decay": 0.1,
            "gradient_clip": 1.0,
        },
        "selection": {"every": 500},
    }
    """As in benchmarks/flow_matching/default.yaml."""

    centre: Tensor
    spread: Tensor
    occupancy: Tensor
    never_empty: Tensor
    lowest: Tensor
    highest: Tensor

    def __init__(self, config: FlowMatchingConfig, detector: Detector, conditions: int) -> None:  # noqa: ARG002
        super().__init__()
        calorimeter = calorimeter_for(config.kind, detector)
        of_layers = several_cells_for(config.kind, detector)
        self.config = config
        self.layers, self.cells = of_layers.layers, of_layers.cells
        self.sizes = [size for size in of_layers.sizes if size > 1]
        self.in_parts = config.layer_energies == "parts"
        self.numbers = self.layers + self.in_parts
        self.places = slices_of([(ENERGIES, self.numbers), (CELLS, self.cells)])
        self.seen = self.encoder_for(config, detector).slices
        self.balance = EnergyWeights(config.energy_balance)
        event = self.seen[EVENT].stop
        # A stack of slabs does not know where in its cells it is hit: its layers' energies do not
        # depend on that, and from a few thousand showers a network would learn that they do.
        hidden = self.seen[WAVES] if config.sides else slice(event, event)
        self.told = slice(0, hidden.start)
        width = config.marginal_width
        self.energy_marginals = dense(
            (hidden.start, width, self.numbers * parameters(config.energy_maps)), nn.SiLU
        )
        for parameter in self.energy_marginals[-1].parameters():
            nn.init.zeros_(parameter)
        context = event + 3 * self.numbers
        self.cell_marginals = CellMarginals(
            calorimeter,
            context,
            width,
            config.marginal_rank,
            config.cell_maps,
            still=lie_alike(calorimeter, config.symmetries),
        )
        self.energies = Velocity(
            self.numbers,
            hidden.start,
            config.energy_width,
            config.energy_depth,
            mean_flow=config.mean_flow,
        )
        self.shapes = Velocity(
            self.cells, context, config.cell_width, config.cell_depth, mean_flow=config.mean_flow
        )
        for name in ("centre", "occupancy"):
            self.register_buffer(name, torch.zeros(self.numbers))
        self.register_buffer("spread", torch.ones(self.numbers))
        features = self.numbers + self.cells
        self.register_buffer("never_empty", torch.zeros(features))
        self.register_buffer("lowest", torch.full((features,), -1.0))
        self.register_buffer("highest", torch.full((features,), 1.0))

    def fit(self, features: Tensor, conditions: Tensor) -> None:
        """Set the scales of the marginals, and the widest range that a value can have.

        The range is that of the training values, widened by half its length on either side: it
        keeps numbers finite and cuts nothing that training could have taught.
        """
        self.balance.fit(conditions[:, self.seen["energy"]].squeeze(1))
        full = torch.isfinite(features)
        of_energies = self.places[ENERGIES]
        energies = features[:, of_energies]
        held = full[:, of_energies].sum(dim=0)
        some = torch.where(full, features, 0.0)[:, of_energies].double()
        count = held.clamp_min(1)
        self.centre.copy_(some.sum(dim=0) / count)
        away = torch.where(full[:, of_energies], energies - self.centre, 0.0)
        self.spread.copy_((away.square().sum(dim=0) / count).sqrt().clamp_min(1e-3))
        self.occupancy.copy_(((held + 0.5) / (len(features) + 1)).logit())
        cells = features[:, self.places[CELLS]]
        self.cell_marginals.fit(torch.where(cells < ALL_OF_LAYER, cells, -torch.inf))
        self.never_empty.copy_(full.all(dim=0))
        low = torch.where(full, features, torch.inf).amin(dim=0)
        high = torch.where(full, features, -torch.inf).amax(dim=0)
        margin = torch.where(high > low, (high - low) / 2, 1.0)
        self.lowest.copy_(torch.where(torch.isfinite(low), low - margin, -20.0))
        self.highest.copy_(torch.where(torch.isfinite(high), high + margin, 0.0))

    def noise_shape(self, n: int) -> tuple[int, ...]:
        """Return the shape of the Gaussian noise for ``n`` events: one number for each feature."""
        return n, self.numbers + self.cells

    def sample(self, conditions: Tensor, noise: Tensor) -> Tensor:
        """Return features (n, energies + cells) for encoded conditions and noise."""
        event, positions = self._split(conditions)
        steps = self.config.energy_steps
        told = event[:, self.told]
        scores = self.energies.transport(noise[:, self.places[ENERGIES]], told, steps)
        energies = self._values(self._of_energies(told), scores, ENERGIES)
        context = self._context(event, energies, scores)
        steps = self.config.cell_steps
        scores = self.shapes.transport(noise[:, self.places[CELLS]], context, steps)
        marginals = self.cell_marginals(context, positions)
        cells = self._values(marginals, scores, CELLS)
        return torch.cat([energies, cells], dim=1)

    def losses(self, features: Tensor, conditions: Tensor, rng: Generator) -> dict[str, Tensor]:
        """Return the likelihood of single quantities and the error of the velocities, by stage."""
        event, positions = self._split(conditions)
        energies, cells = (features[:, self.places[name]] for name in (ENERGIES, CELLS))
        told = event[:, self.told]
        of_energies = self._of_energies(told)
        with torch.no_grad():
            energy_scores = of_energies.scores(energies, rng)
            context = self._context(event, energies, energy_scores)
        of_cells = self.cell_marginals(context, positions)
        known = self._in_full_layers(cells)
        cells = torch.where(cells < ALL_OF_LAYER, cells, torch.inf)  # what is alone has no choice
        with torch.no_grad():  # cells of an empty layer say nothing
            noise = normal(cells.shape, rng, cells.device)
            cell_scores = torch.where(known, of_cells.scores(cells, rng), noise)
        likelihood = torch.where(known, of_cells.negative_log_likelihood(cells), 0.0)
        pair, weights = self.config.pair, self.balance(event[:, self.seen["energy"]].squeeze(1))
        of_layers = of_energies.negative_log_likelihood(energies).mean(dim=1)
        return {
            "energy_marginals": (weights * of_layers).mean(),
            "cell_marginals": likelihood.mean(),
            "energies": (
                weights * self.energies.errors(energy_scores, told, rng, pair=pair)
            ).mean(),
            "cells": self.shapes.errors(cell_scores, context, rng, pair=pair).mean(),
        }

    def _split(self, conditions: Tensor) -> tuple[Tensor, Tensor]:
        """Return what describes the event, and positions of the windows (n, axes, layers)."""
        event, positions = (conditions[:, self.seen[name]] for name in (EVENT, POSITIONS))
        return event, positions.view(-1, 2, self.layers)

    def _of_energies(self, told: Tensor) -> Marginals:
        each = parameters(self.config.energy_maps)
        outputs = self.energy_marginals(told).view(-1, self.numbers, each)
        return Marginals.of(outputs, self.centre, self.spread, self.occupancy)

    def _context(self, event: Tensor, energies: Tensor, scores: Tensor) -> Tensor:
        """Return what the cells depend on: the event, and its layers in two forms."""
        full = torch.isfinite(energies)
        standard = torch.where(full, (energies - self.centre) / self.spread, 0.0)
        scores = torch.where(full, scores, 0.0)
        return torch.cat([event, standard, scores, full.to(event.dtype)], dim=1)

    def _values(self, marginals: Marginals, scores: Tensor, what: str) -> Tensor:
        """Return values of scores, -inf where there is nothing.

        No layer is without a cell, and no total, where it is learned beside parts, without a layer.
        """
        here = self.places[what]
        values, clarity = marginals.values(scores)
        values = values.clamp(self.lowest[here], self.highest[here])
        clarity = clarity + ALWAYS * self.never_empty[here]
        if what == ENERGIES:
            return torch.where(self._energies_there(clarity), values, -torch.inf)
        best = [part.amax(dim=1, keepdim=True).expand_as(part) for part in self._layers_of(clarity)]
        least = torch.cat(best, dim=1).clamp_max(0.0)
        return torch.where(clarity >= least, values, -torch.inf)

    def _energies_there(self, clarity: Tensor) -> Tensor:
        """Return which energies there are (n, energies), for how clear it is of each."""
        if not self.in_parts:  # beside the reference layer all may be empty
            return clarity > 0
        total, layers = clarity[:, :1], clarity[:, 1:]
        least = layers.amax(dim=1, keepdim=True).clamp_max(0.0)
        return torch.cat([total > 0, (total > 0) & (layers >= least)], dim=1)

    def _in_full_layers(self, cells: Tensor) -> Tensor:
        full = torch.isfinite(cells)
        some = [part.any(dim=1, keepdim=True).expand_as(part) for part in self._layers_of(full)]
        return torch.cat(some, dim=1)

    def _layers_of(self, cells: Tensor) -> tuple[Tensor, ...]:
        return torch.split(cells, self.sizes, dim=1)

    @staticmethod
    def transform_for(config: FlowMatchingConfig, detector: Detector) -> Transform:
        """Return the preprocessing: response, layers and cells as logarithms."""
        showers = PartsOfEnergy if config.layer_energies == "parts" else LogarithmicShowers
        return showers(calorimeter_for(config.kind, detector), config.symmetries)

    @staticmethod
    def encoder_for(config: FlowMatchingConfig, detector: Detector) -> ImpactEncoder:
        """Return the conditions as the model wants them.

        Raises:
            CardError: the options are of a version whose networks saw the sides in another form;
                since then, a training always writes ``layer_energies``.
        """
        if config.sides and config.layer_energies is None:
            msg = "model.sides: an earlier version gave the sides in another form; train again"
            raise CardError(msg)
        calorimeter = calorimeter_for(config.kind, detector)
        sides = bool(config.sides)
        return ImpactEncoder(calorimeter, config.waves, config.symmetries, sides=sides)
