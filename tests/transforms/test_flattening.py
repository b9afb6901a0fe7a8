"""Sharp features go, the broad course stays, and the way back is exact."""

import numpy as np
import torch

from simulacra.transforms.flattening import FEWEST, Flattening

GROUP = torch.tensor([0, 0, 1])


def peaked(n, seed=1):
    """A broad spectrum with a narrow peak at 1."""
    rng = np.random.default_rng(seed)
    peak = rng.random(n) < 0.2
    return torch.from_numpy(np.where(peak, rng.normal(1, 0.1, n), rng.normal(0, 2, n)))


def fitted():
    flattening = Flattening(GROUP)
    flattening.fit([peaked(50_000), torch.zeros(FEWEST - 1)])
    return flattening


def test_there_and_back_inside_and_beyond():
    x = torch.linspace(-30, 30, 999).view(333, 3).double()
    flattening = fitted().double()
    u = flattening(x)
    assert torch.allclose(flattening.inverse(u), x, atol=1e-4)


def test_it_rises_everywhere():
    x = torch.linspace(-12, 12, 4001)[:, None].expand(-1, 3).double()
    assert torch.all(fitted().double()(x).diff(dim=0) > 0)


def test_few_values_leave_it_the_identity():
    x = torch.linspace(-5, 5, 300).view(100, 3)
    assert torch.allclose(fitted()(x)[:, 2], x[:, 2], atol=1e-5)
    assert torch.allclose(fitted().inverse(x)[:, 2], x[:, 2], atol=1e-5)


def test_the_highest_values_stay_where_they_are():
    x = peaked(50_000).max() + torch.tensor([[0.0, 1.0, 1.0]])
    assert torch.allclose(fitted()(x.float()), x.float(), atol=1e-4)


def test_a_peak_is_flattened():
    x = peaked(200_000, seed=2)
    u = fitted().double()(x[:, None].expand(-1, 3))[:, 0]

    def roughness(values):
        counts = np.histogram(values.numpy(), np.linspace(-4, 4, 81))[0]
        return np.abs(np.diff(counts)).max() / counts.max()

    assert roughness(x) > 0.4
    assert roughness(u) < roughness(x) / 2
