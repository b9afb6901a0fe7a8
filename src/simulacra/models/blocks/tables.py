"""Dense and convolutional networks between tables of tracks and vectors.

A decoder makes a table between 0 and 1 of noise; the generator of a GAN is one, too. An encoder
makes numbers of a table: a latent distribution, or the one logit of a discriminator.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from simulacra.errors import CardError
from simulacra.models.blocks.merged_flows import TableShape, centred
from simulacra.models.blocks.networks import beside, dense, leaky
from simulacra.transforms.tpc.tracks import DIVISOR


class DenseDecoder(nn.Module):
    """Noise to a table, by dense layers.

    Args:
        latent: size of the noise.
        widths: hidden units.
        shape: of the table.
    """

    def __init__(self, latent: int, widths: tuple[int, ...], shape: TableShape) -> None:
        super().__init__()
        self.layers = dense((latent + shape.conditions, *widths, shape.numbers), leaky)
        self.table = nn.Unflatten(1, (shape.rows, shape.columns))

    def forward(self, noise: Tensor, conditions: Tensor) -> Tensor:
        """Return tables (n, rows, columns)."""
        logits: Tensor = self.table(self.layers(beside(noise, conditions)))
        return logits.sigmoid()


class DenseEncoder(nn.Module):
    """A table to numbers, by dense layers.

    Args:
        shape: of the table.
        widths: hidden units.
        outputs: how many numbers.
        dropout: after each hidden layer.
    """

    def __init__(
        self, shape: TableShape, widths: tuple[int, ...], outputs: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        inputs = shape.numbers + shape.conditions
        self.layers = dense((inputs, *widths, outputs), lambda: leaky(dropout))

    def forward(self, table: Tensor, conditions: Tensor) -> Tensor:
        """Return numbers (n, outputs)."""
        numbers: Tensor = self.layers(beside(centred(table), conditions))
        return numbers


class ConvolutionalDecoder(nn.Module):
    """Noise to a table: a dense layer, then transposed convolutions that double the rows.

    The table is an image of one channel; kernels are 4 rows by 3 columns and stride along the rows.

    Args:
        latent: size of the noise.
        channels: of the dense layer's images and after each convolution but the last.
        shape: of the table.
        batch_norm: normalise each hidden layer over the batch.
        dropout: after each hidden convolution.
    """

    def __init__(
        self,
        latent: int,
        channels: tuple[int, ...],
        shape: TableShape,
        *,
        batch_norm: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        image = coarse_image(channels, shape)
        start = nn.Linear(latent + shape.conditions, image[0] * image[1] * image[2])
        layers: list[nn.Module] = [start, nn.Unflatten(1, image), *_after(channels[0], batch_norm)]
        for inputs, outputs in pairwise(channels):
            layers.append(nn.ConvTranspose2d(inputs, outputs, (4, 3), (2, 1), (1, 1)))
            layers += _after(outputs, batch_norm, dropout)
        last = nn.ConvTranspose2d(channels[-1], 1, (4, 3), (2, 1), (1, 1))
        self.layers = nn.Sequential(*layers, last, nn.Flatten(1, 2))

    def forward(self, noise: Tensor, conditions: Tensor) -> Tensor:
        """Return tables (n, rows, columns)."""
        logits: Tensor = self.layers(beside(noise, conditions))
        return logits.sigmoid()


class ConvolutionalEncoder(nn.Module):
    """A table to numbers: the mirror image of :class:`ConvolutionalDecoder`.

    Args:
        shape: of the table.
        channels: after each convolution, from the last to the first, as in the decoder.
        outputs: how many numbers.
        widths: hidden units of dense layers between the images and the numbers; where there are
            conditions, they enter here.
        batch_norm: normalise each hidden convolution over the batch.
        dropout: after each convolution.
    """

    def __init__(
        self,
        shape: TableShape,
        channels: tuple[int, ...],
        outputs: int,
        widths: tuple[int, ...] = (),
        *,
        batch_norm: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        depth, rows, columns = coarse_image(channels, shape)
        layers: list[nn.Module] = []
        for inputs, hidden in pairwise((1, *reversed(channels))):
            layers.append(nn.Conv2d(inputs, hidden, (4, 3), (2, 1), (1, 1)))
            layers += _after(hidden, batch_norm, dropout)
        self.convolutions = nn.Sequential(*layers)
        inputs = depth * rows * columns + shape.conditions
        self.dense = dense((inputs, *widths, outputs), leaky)

    def forward(self, table: Tensor, conditions: Tensor) -> Tensor:
        """Return numbers (n, outputs)."""
        images = self.convolutions(centred(table).unsqueeze(1))
        numbers: Tensor = self.dense(beside(images, conditions))
        return numbers


def coarse_image(channels: tuple[int, ...], shape: TableShape) -> tuple[int, int, int]:
    """Return channels, rows and columns of the images at the dense end of the convolutions.

    Raises:
        CardError: there are more halvings than the rows allow.
    """
    halvings = 2 ** len(channels)
    if halvings > DIVISOR:
        msg = f"model.channels: {len(channels)} convolutions; {shape.rows} rows allow fewer"
        raise CardError(msg)
    return channels[0], shape.rows // halvings, shape.columns


def _after(channels: int, batch_norm: bool, dropout: float = 0.0) -> list[nn.Module]:
    return [*([nn.BatchNorm2d(channels)] if batch_norm else []), leaky(dropout)]
