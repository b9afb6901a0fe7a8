"""ATLAS's variational autoencoder of photon showers, and its latent space made normal by a flow.

Encoder and decoder are given the conditions. The loss adds to reconstruction and divergence what
physics looks at: the total energy and each layer's part of it. With so little weight on the
divergence the latent numbers of showers are not normal, and a decoder that is fed normal ones sees
what it was never taught. The published remedy is an autoregressive flow from the one to the other,
trained by maximum likelihood on the encoder's numbers (``flow_blocks``); it tells the encoder
nothing.

References:
    ATL-SOFT-PUB-2018-001; Ghosh & Rousseau (ATLAS, 2019): five latent numbers that "don't look
    Gaussian", IAF.
    Widths and weights are the note's as remembered, not verified; there the latent space has ten.
    Scales, activations of the output and that the flow sees the conditions are ours, and AdamW
    replaces RMSprop.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor, nn

from simulacra.detectors import Detector
from simulacra.detectors.base import Frozen
from simulacra.errors import CardError, ExportError
from simulacra.models.blocks.autoregressive import AutoregressiveFlow
from simulacra.models.blocks.dense_showers import (
    FLOOR,
    DenseShowers,
    Output,
    fractions_of_energy,
)
from simulacra.models.blocks.networks import dense
from simulacra.models.blocks.variational import divergence_from_normal, drawn
from simulacra.models.requirements import calorimeter_for
from simulacra.models.system import Recommended, System
from simulacra.transforms import LayersOfCells


class AtlasVAEConfig(Frozen):
    """The options of the model. What weights multiply is in units of the training sample's spread.

    Attributes:
        latent: size of the latent space.
        widths: hidden units of the encoder, from the cells on; the decoder mirrors it.
        reconstruction: weight of the mean squared difference of a cell.
        divergence: weight of KL(latent distribution || N(0, 1)), summed over the latent space.
        total: weight of the mean absolute difference of the total energy.
        layers: weight, for each layer, of that of its part of the total energy.
        output: activation of the decoder's last layer; relu leaves empty cells.
        flow_blocks: masked networks of the flow between latent numbers and normal ones; 0 leaves it
            out, and normal ones are decoded as they are.
        flow_widths: hidden units of each of them.
    """

    kind: Literal["atlas-vae"] = "atlas-vae"
    latent: int = Field(default=5, ge=1)
    widths: tuple[int, ...] = (200, 150, 100, 50)
    reconstruction: float = Field(default=1.0, gt=0)
    divergence: float = Field(default=1e-4, ge=0)
    total: float = Field(default=1e-2, ge=0)
    layers: tuple[float, ...] = (0.08, 0.6, 0.2, 0.1)
    output: Output = "softplus"
    flow_blocks: int = Field(default=0, ge=0)
    flow_widths: tuple[int, ...] = (64, 64)


class ShowerTerms(nn.Module):
    """How far decoded showers are from those that were encoded.

    Args:
        config: the weights.
        of_layers: which cell belongs to which layer.
    """

    cell_spread: Tensor
    total_spread: Tensor
    part_spread: Tensor
    weights: Tensor

    def __init__(self, config: AtlasVAEConfig, of_layers: LayersOfCells) -> None:
        super().__init__()
        self.config, self.of_layers = config, of_layers
        self.register_buffer("cell_spread", torch.ones(len(of_layers.layer_of_cell)))
        self.register_buffer("total_spread", torch.ones(1))
        self.register_buffer("part_spread", torch.ones(of_layers.layers))
        self.register_buffer("weights", torch.tensor(config.layers), persistent=False)

    def fit(self, cells: Tensor) -> None:
        """Set the units from training cells (n, cells)."""
        total, parts = self._total_and_parts(cells)
        self.cell_spread.copy_(cells.std(dim=0) + FLOOR)
        self.total_spread.copy_(total.std(dim=0) + FLOOR)
        self.part_spread.copy_(parts.std(dim=0) + FLOOR)

    def standardised(self, cells: Tensor) -> Tensor:
        """Return cells in units of their spread."""
        return cells / self.cell_spread

    def forward(self, cells: Tensor, decoded: Tensor) -> dict[str, Tensor]:
        """Return the weighted terms; both are cell fractions (n, cells)."""
        total, parts = self._total_and_parts(cells)
        decoded_total, decoded_parts = self._total_and_parts(decoded)
        off_cells = self.standardised(decoded - cells)
        off_total = (decoded_total - total).abs() / self.total_spread
        off_parts = (decoded_parts - parts).abs() / self.part_spread
        return {
            "reconstruction": self.config.reconstruction * off_cells.square().mean(),
            "total": self.config.total * off_total.mean(),
            "layers": (self.weights * off_parts).sum(dim=1).mean(),
        }

    def _total_and_parts(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        layers = self.of_layers.sums(cells)
        total = layers.sum(dim=1, keepdim=True)
        return total, layers / total.clamp_min(FLOOR)


class AtlasVAE(nn.Module, System):
    """Encoder, decoder and, where asked for, the flow; the loop ``likelihood`` trains them.

    Raises:
        CardError: the detector has not as many layers as the options have weights.
    """

    Config = AtlasVAEConfig
    serves = "calorimeter"
    loop = "likelihood"
    summary = "dense variational autoencoder; with flow_blocks, latent space made normal by IAF"
    reference = "ATLAS (Ghosh & Rousseau 2019); ATL-SOFT-PUB-2018-001"
    transform_for = staticmethod(fractions_of_energy)
    recommended: ClassVar[Recommended] = {
        "training": {"steps": 7100, "batch_size": 100},
        "selection": {"every": 710},
    }
    """As in benchmarks/systems/atlas-vae.yaml."""

    def __init__(self, config: AtlasVAEConfig, detector: Detector, conditions: int) -> None:
        super().__init__()
        calorimeter = calorimeter_for(config.kind, detector)
        cells, layers = calorimeter.n_cells, len(calorimeter.layers)
        if len(config.layers) != layers:
            msg = (
                f"model.layers: {len(config.layers)} weights, but {detector.name} has "
                f"{layers} layers"
            )
            raise CardError(msg)
        self.config = config
        self.terms = ShowerTerms(config, LayersOfCells(calorimeter))
        self.encoder = dense((cells + conditions, *config.widths, 2 * config.latent), nn.ELU)
        decoder = dense((config.latent + conditions, *config.widths[::-1], cells), nn.ELU)
        self.decoder = DenseShowers(decoder, cells, config.output)
        self.flow = (
            AutoregressiveFlow(config.latent, conditions, config.flow_blocks, config.flow_widths)
            if config.flow_blocks
            else None
        )

    def fit(self, features: Tensor, conditions: Tensor) -> None:  # noqa: ARG002
        """Set the scales from training cells (n, cells)."""
        self.terms.fit(features)
        self.decoder.fit(features)

    def encode(self, features: Tensor, conditions: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance (n, latent) of the latent numbers of showers."""
        seen = torch.cat([self.terms.standardised(features), conditions], dim=1)
        mean, log_variance = self.encoder(seen).chunk(2, dim=1)
        return mean, log_variance

    def losses(self, features: Tensor, conditions: Tensor, rng: Generator) -> dict[str, Tensor]:
        """Return the weighted terms, and what the flow alone minimises, in nats per number."""
        mean, log_variance = self.encode(features, conditions)
        latent = drawn(mean, log_variance, rng)
        divergence = divergence_from_normal(mean, log_variance).mean()
        losses: dict[str, Tensor] = self.terms(features, self.decoder(conditions, latent))
        losses["divergence"] = self.config.divergence * divergence
        if self.flow is not None:
            likelihood = self.flow.log_likelihood(latent.detach(), conditions)
            losses["flow"] = -likelihood.mean() / self.config.latent
        return losses

    def normalised(self, latent: Tensor, conditions: Tensor) -> Tensor:
        """Return what should be normal: latent numbers (n, latent) of showers after the flow."""
        if self.flow is None:
            return latent
        normal: Tensor = self.flow(latent, conditions)[0]
        return normal

    def noise_shape(self, n: int) -> tuple[int, ...]:
        """Return the shape of the Gaussian noise for ``n`` events."""
        return n, self.config.latent

    def sample(self, conditions: Tensor, noise: Tensor) -> Tensor:
        """Return cell fractions (n, cells) for encoded conditions and noise."""
        latent = noise if self.flow is None else self.flow.invert(noise, conditions)
        cells: Tensor = self.decoder(conditions, latent)
        return cells

    def chain(self) -> nn.Sequential:
        """Return the decoder as a chain of layers from noise and conditions, joined, to cells.

        Raises:
            ExportError: the flow stands before it.
        """
        if self.flow is not None:
            msg = (
                "model atlas-vae with a flow cannot be exported to LWTNN: undoing the flow "
                "multiplies numbers of the network with one another. ONNX can: --to onnx"
            )
            raise ExportError(msg)
        return self.decoder.chain()
