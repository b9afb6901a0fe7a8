from itertools import pairwise

import pytest
import torch

from simulacra.detectors import load_detector
from simulacra.errors import CardError
from simulacra.models.calorimeter.wgan import WGAN, WGANConfig

SMALL = WGANConfig(latent=4, generator_widths=(8,), critic_widths=(8,))


def network(config=SMALL, detector="atlas-barrel-89"):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return WGAN(config, load_detector(detector), conditions=9)


@pytest.fixture
def cells():
    return torch.rand((12, 89), generator=torch.Generator().manual_seed(1)) / 89


def numbers(*widths):
    """Weights and biases of dense layers."""
    return sum(a * b + b for a, b in pairwise(widths))


def test_default_is_of_the_size_that_is_documented():
    model = network(WGANConfig())
    sizes = [sum(p.numel() for p in part.parameters()) for part in (model.generator, model.critics)]
    assert sizes == [numbers(64, 128, 128, 128, 89), numbers(90, 128, 128, 128, 1)]


def test_conditions_are_not_looked_at(cells):
    model = network()
    noise = torch.randn(model.noise_shape(12), generator=torch.Generator().manual_seed(2))
    one, other = torch.zeros(12, 9), torch.ones(12, 9)
    assert torch.equal(model.sample(one, noise), model.sample(other, noise))
    assert torch.equal(model.critics.score(cells, one), model.critics.score(cells, other))


def test_critic_is_given_the_mean_energy_in_standard_deviations(cells):
    """With all other weights zero the score is linear in it: 0 at the mean, 1 a deviation above."""
    model = network(SMALL.model_copy(update={"critic_widths": ()}))
    model.fit(cells, torch.zeros(12, 9))
    (layer,) = model.critics.score.layers
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.zero_()
        layer.weight[0, 89] = 1.0
    scores = model.critics.score(cells, torch.zeros(12, 9)).detach().squeeze(1)
    total = cells.sum(dim=1)
    torch.testing.assert_close(scores, (total - total.mean()) / total.std(), atol=1e-4, rtol=1e-4)


def test_mean_energy_can_be_left_out():
    model = network(SMALL.model_copy(update={"mean_energy": False}))
    assert model.critics.score.layers[0].in_features == 89


def test_clipping_leaves_no_weight_outside(cells):
    model = network()
    model.fit(cells, torch.zeros(12, 9))
    spread = model.critics.score.spread.clone()
    model.critics.clip()
    assert max(float(p.detach().abs().max()) for p in model.critics.parameters()) <= 0.01
    assert max(float(p.detach().abs().max()) for p in model.generator.parameters()) > 0.01
    assert torch.equal(model.critics.score.spread, spread)  # a constant is no weight


def test_empty_cells_are_possible():
    noise = torch.randn((64, 4), generator=torch.Generator().manual_seed(3))
    cells = network().sample(torch.zeros(64, 9), noise)
    assert cells.min() == 0
    assert (cells == 0).float().mean() > 0.1


def test_needs_a_calorimeter():
    with pytest.raises(CardError, match="needs a calorimeter"):
        network(detector="jet-image")
