import pytest
import torch

from simulacra.detectors import load_detector
from simulacra.errors import CardError
from simulacra.models.blocks.networks import TrainableSwish, gradient_penalty
from simulacra.models.calorimeter.dnncalogan import DNNCaloGAN, DNNCaloGANConfig

CONFIG = DNNCaloGANConfig(latent=8, generator_widths=(16,), critic_widths=(16,))


@pytest.fixture
def network(barrel):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return DNNCaloGAN(CONFIG, barrel, conditions=9)


@pytest.fixture
def batch():
    rng = torch.Generator().manual_seed(1)
    real, fake = torch.rand((2, 12, 266), generator=rng) / 266
    return real, fake, torch.rand((12, 9), generator=rng), torch.rand((12, 1), generator=rng)


def test_default_inputs_are_atlas_309(barrel):
    network = DNNCaloGAN(DNNCaloGANConfig(), barrel, conditions=9)
    assert network.generator.layers[0].in_features == 309
    assert network.generator.layers[-1].out_features == 266


def test_second_penalty_ignores_the_total_energy(network, batch):
    """However steep the second critic is in the sum, its gradient penalty stays the same."""
    penalties = []
    for slope in (0.0, 1e3):
        first = network.critics.energy[0]
        with torch.no_grad():
            first.weight[:, 266] = 0.0
            # a path of its own from the sum to the score: the last unit carries nothing else
            first.weight[-1] = 0.0
            first.weight[-1, 266] = slope
        terms = network.critics(*batch)
        penalties.append(terms["second_penalty"].item())
    assert penalties[0] == pytest.approx(penalties[1], rel=1e-5)


def test_critic_losses_give_no_gradient_through_the_sum(network, batch):
    real, fake, conditions, mix = batch
    fake = fake.requires_grad_(True)
    with torch.no_grad():
        network.critics.energy[0].weight[:, :266] = 0.0  # the second critic sees the sum only
    terms = network.critics(real, fake, conditions, mix)
    gradient = torch.autograd.grad(terms["second_wasserstein"], fake, allow_unused=True)[0]
    assert gradient is None or not gradient.any()


def test_generator_feels_the_second_critic_through_the_sum(network, batch):
    _, fake, conditions, _ = batch
    fake = fake.requires_grad_(True)
    with torch.no_grad():
        network.critics.energy[0].weight[:, :266] = 0.0
    loss = network.critics.judge(fake, conditions)["generator_second"]
    (gradient,) = torch.autograd.grad(loss, fake)
    assert gradient.abs().max() > 0
    assert torch.allclose(gradient, gradient[:, :1].expand_as(gradient))  # all cells alike


def test_one_critic_has_no_second_terms(barrel, batch):
    network = DNNCaloGAN(CONFIG.model_copy(update={"critics": 1}), barrel, conditions=9)
    assert set(network.critics(*batch)) == {"wasserstein", "penalty"}
    assert set(network.critics.judge(batch[1], batch[2])) == {"generator"}


def test_gradient_penalty_of_a_linear_critic():
    """|grad (w x)| = |w| everywhere: the penalty is (|w| - 1)^2."""
    weights = torch.tensor([[3.0, 4.0]])
    real, fake, mix = torch.rand(3, 5, 2)
    penalty = gradient_penalty(lambda x: x @ weights.T, real, fake, mix[:, :1])
    assert penalty.item() == pytest.approx(16.0)


def test_swish_with_zero_beta_is_half_the_identity():
    swish = TrainableSwish()
    torch.nn.init.zeros_(swish.beta)
    x = torch.linspace(-3, 3, 7)
    assert torch.allclose(swish(x), x / 2)


def test_needs_a_calorimeter():
    with pytest.raises(CardError, match="needs a calorimeter"):
        DNNCaloGAN(CONFIG, load_detector("jet-image"), conditions=2)
