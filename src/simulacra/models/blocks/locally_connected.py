"""Convolutions whose weights are not shared: every place of the image has a kernel of its own.

References:
    De Oliveira, Paganini, Nachman: Learning particle physics by example, arXiv:1701.05927, section
    4.1: jets and showers are not the same everywhere in an image, unlike photographs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from simulacra.models.blocks.networks import Start


class LocallyConnected(nn.Module):
    """A locally connected layer on images.

    Args:
        inputs, outputs: channels.
        image: rows and columns of the images that come in.
        kernel: rows and columns of each kernel.
        stride: steps between kernels.
        bias: one for each output and place.
        start: fills the kernels (outputs, what a kernel sees, places). The places count among the
            inputs, as where these systems were published: the layer begins with small weights, and
            a generator with little energy. What begins with too much is pushed below zero, where a
            place that is cut off there, and shares no weights, never comes back.

    Attributes:
        size: rows and columns of the images that come out.
        seen: which pixels each place's kernels see, place after place.
    """

    seen: Tensor

    def __init__(
        self,
        inputs: int,
        outputs: int,
        image: tuple[int, int],
        kernel: tuple[int, int],
        stride: tuple[int, int] = (1, 1),
        *,
        bias: bool = True,
        start: Start = nn.init.xavier_uniform_,
    ) -> None:
        super().__init__()
        rows, columns = ((n - k) // s + 1 for n, k, s in zip(image, kernel, stride, strict=True))
        self.size = rows, columns
        places = rows * columns
        kernels = start(torch.empty(outputs, inputs * kernel[0] * kernel[1], places))
        # (places, what a kernel sees, outputs): the right-hand side of one product for each place
        self.weight = nn.Parameter(kernels.permute(2, 1, 0).contiguous())
        self.bias = nn.Parameter(torch.zeros(places, 1, outputs)) if bias else None
        pixels = torch.arange(image[0] * image[1]).view(image)
        windows = pixels.unfold(0, kernel[0], stride[0]).unfold(1, kernel[1], stride[1])
        self.register_buffer("seen", windows.flatten(), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return images (n, outputs, rows, columns) of images (n, inputs, ...)."""
        rows, columns = self.size
        # channels last: what a kernel sees is then whole runs of memory, gathered by one look-up
        pixels = images.flatten(2).transpose(1, 2)
        seen = torch.unflatten(pixels.index_select(1, self.seen), 1, (rows * columns, -1))
        products = torch.bmm(seen.flatten(2).transpose(0, 1), self.weight)
        if self.bias is not None:
            products = products + self.bias
        return torch.unflatten(products.permute(1, 2, 0), 2, self.size)
