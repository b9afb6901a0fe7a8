"""Minibatch discrimination: how alike an event is to the others of its batch.

References:
    Salimans et al.: Improved techniques for training GANs, arXiv:1606.03498, section 3.2.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from simulacra.models.blocks.networks import started


class MinibatchDiscrimination(nn.Module):
    """o_f = sum_j exp(-|M_if - M_jf|_1) over the events j of a batch, i itself among them.

    M_f is an affine map of an event's numbers to ``dimensions`` ones; a generator that makes the
    same event again and again is betrayed by large o_f.

    Args:
        inputs: numbers of an event.
        features: how many f.
        dimensions: of each M_f.
    """

    def __init__(self, inputs: int, features: int, dimensions: int) -> None:
        super().__init__()
        self.features, self.dimensions = features, dimensions
        self.places = started(nn.Linear(inputs, features * dimensions))

    def forward(self, numbers: Tensor) -> Tensor:
        """Return o (n, features) of numbers (n, inputs)."""
        places = self.places(numbers).unflatten(1, (self.features, self.dimensions)).transpose(0, 1)
        distances = torch.cdist(places, places, p=1.0)  # (features, n, n)
        return torch.exp(-distances).sum(dim=2).T
