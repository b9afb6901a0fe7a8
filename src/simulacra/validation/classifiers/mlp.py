"""A dense network that tells generated from reference events; torch loads when it is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulacra.arrays import BoolArray, FloatArray
from simulacra.files.devices import CPU
from simulacra.statistics.rounding import is_constant

if TYPE_CHECKING:
    from torch import Tensor, nn

LINEAR = 10.0
"""Standardised features are logarithmic beyond this: one wild event must not rule the gradients,
and the energy of a cell that one event in a thousand hits lies tens of deviations from the mean."""
_ROWS_AT_ONCE = 8192


@dataclass(frozen=True, slots=True)
class MlpOptions:
    """Sizes and training of the network.

    Attributes:
        widths: of the hidden layers, with LeakyReLU between them.
        learning_rate: of Adam.
        batch_size: events in a step.
        epochs: the one with the best accuracy on held-out events is kept.
        device: where it runs. Starting weights and the order of events are drawn on the CPU and the
            same on each.
    """

    widths: tuple[int, ...]
    learning_rate: float
    batch_size: int
    epochs: int
    device: str = CPU


Rows = tuple[NDArray[np.float32], BoolArray]
"""Features (n, f), and whether each event is generated (n,)."""


def mlp_scores(
    train: Rows, held_out: Rows, others: NDArray[np.float32], options: MlpOptions, seed: int
) -> FloatArray:
    """Return the logarithm of the odds that each of ``others`` (n, f) is generated.

    Features are standardised by the training events and compressed beyond ``LINEAR``. Single
    precision, where CaloChallenge's classifier has double. The caller's random state is left as it
    was.
    """
    import torch

    mean, scale = train[0].mean(axis=0), train[0].std(axis=0)
    scale[is_constant(train[0])] = 1.0

    def tensor(x: NDArray[np.float32]) -> Tensor:
        return torch.from_numpy(compressed((x - mean) / scale)).to(options.device)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _network(train[0].shape[1], options.widths).to(options.device)
        labels = torch.from_numpy(train[1].astype(np.float32)).to(options.device)
        _fit(network, tensor(train[0]), labels, (tensor(held_out[0]), held_out[1]), options)
    return _logits(network, tensor(others))


def compressed(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return standardised features, linear up to ``LINEAR`` and its logarithm beyond."""
    beyond = np.abs(x) > LINEAR
    result = x.copy()
    far = x[beyond]
    result[beyond] = np.sign(far) * LINEAR * (1 + np.log(np.abs(far) / np.float32(LINEAR)))
    return result


def _network(features: int, widths: tuple[int, ...]) -> nn.Sequential:
    from torch import nn

    layers: list[nn.Module] = []
    for width in widths:
        layers += [nn.Linear(features, width), nn.LeakyReLU()]
        features = width
    return nn.Sequential(*layers, nn.Linear(features, 1))


def _fit(
    network: nn.Sequential,
    x: Tensor,
    labels: Tensor,
    held_out: tuple[Tensor, BoolArray],
    options: MlpOptions,
) -> None:
    """Train, and leave the network as it was after its best epoch."""
    import torch

    optimiser = torch.optim.Adam(network.parameters(), lr=options.learning_rate)
    best, kept = -1.0, network.state_dict()
    for _ in range(options.epochs):
        for rows in torch.split(torch.randperm(len(x)).to(x.device), options.batch_size):
            optimiser.zero_grad()
            logits = network(x[rows])[:, 0]
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels[rows])
            torch.autograd.backward(loss)
            optimiser.step()
        accuracy = float(np.mean((_logits(network, held_out[0]) > 0) == held_out[1]))
        if accuracy > best:
            best = accuracy
            kept = {name: value.clone() for name, value in network.state_dict().items()}
    network.load_state_dict(kept)


def _logits(network: nn.Sequential, x: Tensor) -> FloatArray:
    import torch

    with torch.no_grad():
        parts = [network(part)[:, 0].cpu().numpy() for part in torch.split(x, _ROWS_AT_ONCE)]
    return np.concatenate(parts).astype(np.float64)
