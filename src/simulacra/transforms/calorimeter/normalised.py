"""Showers as layer energies and shapes: the field's standard preprocessing.

Of an event with incident energy E and layer energies E_1 … E_L the features are, in this order,

    u_0 = ΣE_i / (scale · E)      how much of the energy is seen
    u_i = E_i / Σ_{j≥i} E_j       i = 1 … L-1: each layer's part of what is left
    x   = cell / E_layer          of every cell that is not alone in its layer

each as logit(α + (1 - 2α) u), standardised. Values within ``zero_width`` of 0 or 1 count as
exactly 0 or 1: an empty cell, an empty layer, a layer that takes all. They stand as they are in
:meth:`NormalisedShowers.forward`, become uniform noise well within that width in ``dequantise``,
and are cut again on the way back. Of an event without any energy u_0 is -inf, with noise or
without, and it has no part in the standardisation: how far 0 lies from the response of all others
says nothing about their width. Energies add up by construction: the cells of a layer to its energy,
the layers to u_0 · scale · E.

References:
    u-variables: Krause, Shih: CaloFlow, arXiv:2106.05285; logit and noise as in CaloINN,
    arXiv:2312.09290, and CaloDREAM, arXiv:2405.09629.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from simulacra.detectors import Calorimeter, Detector
from simulacra.errors import CardError
from simulacra.transforms.base import Response
from simulacra.transforms.calorimeter.layers import LayersOfCells
from simulacra.transforms.drawn import uniform

HEADROOM = 1.5
"""How far above the largest training response u_0 can go."""
NOISE_PART = 0.4
"""Part of ``zero_width`` that noise fills in place of zeros. The rest stays free: a smooth density
blurs edges, and a gap keeps what it blurs of the empty cells below the cut."""
TINY = 1e-10
"""What a cell's fraction is at least before its layer is normalised, so that no sum is zero."""


class NormalisedShowers(nn.Module):
    """Layer energies as u-variables and cells as fractions of their layer, logit, standardised.

    Args:
        detector: a calorimeter; layers may have any number of cells.
        zero_width: below this fraction of its layer a cell is empty, below this part of what is
            left a layer is.
        alpha: keeps logits finite.

    Raises:
        CardError: the detector is no calorimeter, or so fine that every cell could be cut.
    """

    mean: Tensor
    spread: Tensor
    scale: Tensor

    def __init__(self, detector: Detector, zero_width: float = 5e-6, alpha: float = 1e-6) -> None:
        super().__init__()
        if not isinstance(detector, Calorimeter):
            msg = f"only a calorimeter has layers and cells; {detector.name} is a {detector.kind}"
            raise CardError(msg)
        self.of_layers = LayersOfCells(detector)
        self.layers, self.cells = self.of_layers.layers, self.of_layers.cells
        most = max(self.of_layers.sizes)
        if most * zero_width >= 1:
            msg = f"zero_width {zero_width:g} could cut every cell of a layer of {most}"
            raise CardError(msg)
        self.zero_width, self.alpha = zero_width, alpha
        self.energy_column = list(detector.conditions).index("energy")
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("mean", torch.zeros(self.layers + self.cells))
        self.register_buffer("spread", torch.ones(self.layers + self.cells))

    def fit(self, response: Response, columns: Tensor) -> None:
        """Set the scale of u_0 and the standardisation from training events."""
        seen = response["showers"].double().sum(dim=1)
        self.scale.copy_(HEADROOM * (seen / columns[:, self.energy_column]).max().clamp_min(TINY))
        self.mean.zero_()
        self.spread.fill_(1.0)
        features = self.forward(response, columns)
        features = features[~torch.isneginf(features[:, 0])]
        features = self.dequantise(features, Generator().manual_seed(0))
        spread, mean = torch.std_mean(features.double(), dim=0, correction=0)
        self.mean.copy_(mean)
        self.spread.copy_(torch.where(spread > 1e-6, spread, 1.0))  # a constant stays one

    def forward(self, response: Response, columns: Tensor) -> Tensor:
        """Return features (n, layers + cells) of showers in MeV, exact zeros left as they are."""
        cells = response["showers"].double()
        energies = self.of_layers.sums(cells)
        left = energies.flip(1).cumsum(1).flip(1)  # not by subtraction: small rests stay exact
        incident = self.scale.double() * columns[:, self.energy_column, None].double()
        others = self.of_layers.spread(energies) - cells
        shared = self.of_layers.shared
        part = torch.cat([left[:, :1], energies[:, :-1], cells[:, shared]], dim=1)
        rest = torch.cat([incident - left[:, :1], left[:, 1:], others[:, shared]], dim=1)
        whole = part + rest
        part = torch.where(whole > 0, part / whole, 0.0)
        rest = torch.where(whole > 0, rest / whole, 1.0)
        part, rest = self._cut(part, rest), self._cut(rest, part)
        features = self._standardised(self._logit(part, rest)).float()
        features[:, 0] = torch.where(part[:, 0] > 0, features[:, 0], -torch.inf)
        return features

    def dequantise(self, features: Tensor, rng: Generator) -> Tensor:
        """Return features with fresh noise where :meth:`forward` met an exact 0 or 1."""
        half = self.zero_width / 2  # features hold 0 or at least the whole width: halfway is safe
        edge = self._logit(torch.tensor(half), torch.tensor(1 - half)).to(features.device)
        drawn = uniform(features.shape, rng, features.device)
        part = NOISE_PART * self.zero_width * drawn
        noise = self._logit(part, 1 - part)
        low = features < self._standardised(edge)
        high = features > self._standardised(-edge)
        fresh = self._standardised(torch.where(low, noise, -noise))
        return torch.where((low & (features > -torch.inf)) | high, fresh, features)

    def inverse(self, features: Tensor, columns: Tensor) -> Response:
        """Return showers in MeV; any finite features give finite cells, none negative."""
        energies = self.layer_energies(features, columns)
        z = features[:, self.layers :] * self.spread[self.layers :] + self.mean[self.layers :]
        cells = self._fraction(z).clamp_min(TINY)
        alone = torch.ones_like(features[:, :1])
        of_layers = self.of_layers
        cells = torch.cat([cells, alone], dim=1)[:, of_layers.place]
        part = cells / of_layers.spread(of_layers.sums(cells))
        # Where the sum is far from one, what was drawn as noise must not be scaled up to a hit;
        # the hottest cell is always kept, so that the layer's energy has a place.
        empty = torch.minimum(cells, part) < self.zero_width
        empty &= cells < of_layers.spread(of_layers.highest(cells))
        cells = torch.where(empty, 0.0, part)
        factor = energies / of_layers.sums(cells)
        return {"showers": cells * of_layers.spread(factor)}

    def layer_energies(self, features: Tensor, columns: Tensor) -> Tensor:
        """Return the energy of each layer (n, layers) in MeV; only the first features matter."""
        z = features[:, : self.layers] * self.spread[: self.layers] + self.mean[: self.layers]
        part, rest = self._fraction(z), self._fraction(-z)
        part, rest = self._cut(part, rest), self._cut(rest, part)
        incident = columns[:, self.energy_column, None]
        left = part[:, :1] * self.scale * incident
        energies = []
        for layer in range(1, self.layers):
            energies.append(left * part[:, layer : layer + 1])
            left = left * rest[:, layer : layer + 1]
        return torch.cat([*energies, left], dim=1)

    def _cut(self, part: Tensor, rest: Tensor) -> Tensor:
        """Return ``part`` with what is nearly nothing as 0 and what leaves nearly nothing as 1."""
        part = torch.where(rest < self.zero_width, 1.0, part)
        return torch.where(part < self.zero_width, 0.0, part)

    def _logit(self, part: Tensor, rest: Tensor) -> Tensor:
        """Return logit(α + (1 - 2α) part) with ``rest`` = 1 - part given at its own precision."""
        inner = 1 - 2 * self.alpha
        return (self.alpha + inner * part).log() - (self.alpha + inner * rest).log()

    def _fraction(self, logit: Tensor) -> Tensor:
        inverse = (logit.sigmoid() - self.alpha) / (1 - 2 * self.alpha)
        return inverse.clamp(0.0, 1.0)

    def _standardised(self, logit: Tensor) -> Tensor:
        return (logit - self.mean) / self.spread
