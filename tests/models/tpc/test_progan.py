"""Growth: what is not reached yet has no part, and fading in is a straight line between the two."""

import numpy as np
import pytest
import torch

from simulacra.detectors import load_detector
from simulacra.models import Growing
from simulacra.models.blocks.merged_flows import TableShape, centred
from simulacra.models.tpc.progan import (
    GrowingCritic,
    GrowingGenerator,
    ProGAN,
    ProGANConfig,
    coarser,
    finer,
    level_at,
)

CHANNELS = (6, 5, 4)
SHAPE = TableShape(16, 4, 0)
NONE = torch.zeros(7, 0)


@pytest.fixture
def generator():
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return GrowingGenerator(8, CHANNELS, SHAPE)


@pytest.fixture
def critic():
    with torch.random.fork_rng():
        torch.manual_seed(2)
        return GrowingCritic(CHANNELS, SHAPE, penalty=10.0, drift=1e-3)


@pytest.fixture
def noise():
    return torch.randn((7, 8), generator=torch.Generator().manual_seed(3))


@pytest.fixture
def tables():
    return torch.rand((7, 16, 4), generator=torch.Generator().manual_seed(4))


def _at(network, level):
    network.level.fill_(level)
    return network


def _logits(generator, level, noise):
    return torch.logit(_at(generator, level)(noise, NONE))


def _pure(generator, level, noise):
    """The network of one level as one would write it without growth."""
    images = generator.start(noise)
    for block in generator.blocks[:level]:
        images = block(finer(images))
    logits = generator.heads[level](images)
    for _ in range(level, len(CHANNELS) - 1):
        logits = finer(logits)
    return logits.squeeze(1)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("level", [0, 1, 2])
def test_whole_levels_are_the_pure_networks(generator, noise, level, training):
    found = _logits(generator.train(training), level, noise)
    torch.testing.assert_close(found, _pure(generator, level, noise))


def test_a_fade_is_between_the_two_levels(generator, noise):
    low, high = _pure(generator, 1, noise), _pure(generator, 2, noise)
    for share in (0.0, 0.25, 1.0):
        found = _logits(generator, 1 + share, noise)
        torch.testing.assert_close(found, torch.lerp(low, high, share))


def test_coarse_tables_repeat_their_rows(generator, noise):
    table = _at(generator, 0)(noise, NONE)
    assert table.shape == (7, 16, 4)
    blocks = table.unflatten(1, (4, 4))
    assert torch.equal(blocks, blocks[:, :, :1].expand_as(blocks))


def test_blocks_that_are_not_reached_do_not_learn(generator, noise):
    _at(generator.train(), 1)(noise, NONE).sum().backward()
    assert all(p.grad is not None for p in generator.blocks[0].parameters())
    assert all(p.grad is None for p in generator.blocks[1].parameters())


def test_training_and_answering_agree_at_any_level(generator, noise):
    for level in (0.0, 0.3, 1.0, 1.7, 2.0):
        _at(generator, level)
        answers = [generator.train(mode)(noise, NONE) for mode in (True, False)]
        torch.testing.assert_close(*answers)


def _pure_score(critic, level, images):
    hidden = critic.entries[level](images)
    for number in range(level, 0, -1):
        hidden = coarser(critic.blocks[number - 1](hidden))
    return critic.dense(critic.images(hidden).flatten(1))


@pytest.mark.parametrize("level", [0, 1, 2])
def test_whole_levels_are_the_pure_critics(critic, tables, level):
    images = centred(tables).unsqueeze(1)
    for _ in range(2 - level):
        images = coarser(images)
    found = _at(critic, level).judge(tables, NONE)["generator"]
    torch.testing.assert_close(found, -_pure_score(critic, level, images).mean())


def test_the_critic_has_no_jump_where_a_level_begins_to_fade_in(critic, tables):
    """Just above a level, its score is that level's of the averaged table."""
    images = tables.unsqueeze(1)
    low = _at(critic, 1).score(coarser(images), NONE)
    torch.testing.assert_close(_at(critic, 1 + 1e-6).score(images, NONE), low, rtol=1e-4, atol=1e-5)
    high = _at(critic, 2).score(images, NONE)
    torch.testing.assert_close(
        _at(critic, 2 - 1e-6).score(images, NONE), high, rtol=1e-4, atol=1e-5
    )


def test_full_simulation_is_blurred_as_much_as_the_generator_is(critic, tables):
    images = tables.unsqueeze(1)
    faded = _at(critic, 1.25)._faded(images)
    torch.testing.assert_close(faded, torch.lerp(finer(coarser(images)), images, 0.25))
    assert torch.equal(_at(critic, 2)._faded(images), images)


def test_averaging_undoes_repeating(tables):
    images = tables.unsqueeze(1)
    assert torch.equal(coarser(finer(images)), images)


def test_losses_are_wasserstein_with_penalty_and_drift(critic, tables):
    fake = tables.flip(0) * 0.5
    mix = torch.rand((7, 1), generator=torch.Generator().manual_seed(5))
    losses = critic(tables, fake, NONE, mix)
    on_real = critic.score(centred(tables).unsqueeze(1), NONE)
    on_fake = critic.score(centred(fake).unsqueeze(1), NONE)
    torch.testing.assert_close(losses["wasserstein"], on_fake.mean() - on_real.mean())
    torch.testing.assert_close(losses["drift"], 1e-3 * on_real.square().mean())
    between = centred(torch.lerp(fake, tables, mix[:, :, None])).requires_grad_(True)
    score = critic.score(between.unsqueeze(1), NONE).sum()
    (gradient,) = torch.autograd.grad(score, between)
    penalty = 10 * (gradient.flatten(1).norm(dim=1) - 1).square().mean()
    torch.testing.assert_close(losses["penalty"], penalty)


def test_levels_rise_steadily_and_hold():
    levels = np.array([level_at(x, 5) for x in np.linspace(0, 1, 401)])
    assert np.all(np.diff(levels) >= 0)
    assert (levels[0], levels[-1], level_at(7.0, 5)) == (0.0, 4.0, 4.0)
    held = [np.mean(levels == whole) for whole in range(4)]
    assert held == pytest.approx([1 / 8] * 4, abs=0.01)


def test_the_network_grows_and_says_so_in_its_state():
    config = ProGANConfig(latent=4, channels=(4, 4, 4, 4, 4), growth=0.5)
    network = ProGAN(config, load_detector("alice-tpc"), conditions=9)
    assert isinstance(network, Growing)
    levels = {k: v for k, v in network.state_dict().items() if k.endswith("level")}
    assert len(levels) == 4
    assert all(level == 4 for level in levels.values())  # whole unless training says otherwise
    network.set_progress(0.25)
    assert all(level == 2 for level in levels.values())
    network.set_progress(0.6)
    assert all(level == 4 for level in levels.values())
