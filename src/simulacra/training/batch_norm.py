"""Statistics of batch normalisation that belong to averaged weights.

An average of weights is a network of its own. The means and variances that the trained network
met are not those of its layers, so they are counted anew before the average is judged or saved.

References:
    Izmailov et al.: Averaging weights leads to wider optima and better generalization,
    arXiv:1803.05407, section 3.2.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import torch
from torch import Generator, nn
from torch.nn.modules.batchnorm import _BatchNorm

BATCHES, EVENTS = 8, 64
"""Batches that are counted, and events in each: widths of single units within 3 %. In smaller
batches each is normalised by its own mean, and the layers behind never see it move."""
STREAM = 1
"""Distinguishes the random numbers of the count from the run's others."""


@torch.no_grad()
def with_own_statistics(
    network: nn.Module, seed: int, run_batch: Callable[[nn.Module, Generator], object]
) -> nn.Module:
    """Return a copy whose batch normalisations have the statistics of its own weights.

    They depend on the weights and the seed alone, so that a resumed run needs no state of theirs.
    Dropout is off, as it is when events are generated. A network without such layers is returned
    as it is.

    Args:
        network: averaged weights.
        seed: of the run.
        run_batch: runs the network on :data:`EVENTS` events drawn by the generator.
    """
    if not _layers(network):
        return network
    network = copy.deepcopy(network).eval()
    (number,) = np.random.SeedSequence(seed, spawn_key=(STREAM,)).generate_state(1)
    rng = Generator().manual_seed(int(number))
    layers = _layers(network)
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the plain mean over the batches
        layer.train()
    for _ in range(BATCHES):
        run_batch(network, rng)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    return network.eval()


def _layers(network: nn.Module) -> list[_BatchNorm]:
    layers = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    return [layer for layer in layers if layer.track_running_stats]
