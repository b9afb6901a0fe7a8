"""The flow inverts exactly, its density is one, and no noise makes it give anything but showers."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from zuko.transforms import MonotonicRQSTransform

from simulacra.detectors import load_detector
from simulacra.errors import CardError
from simulacra.events import Events
from simulacra.models import MODELS
from simulacra.models.calorimeter.coupling_flow import (
    CouplingBlock,
    CouplingFlow,
    CouplingFlowConfig,
    TwoStageFlow,
    inverse_and_log_slope,
)
from simulacra.models.distributions.emptiness import Emptiness
from simulacra.models.surrogate import Surrogate
from tests.conftest import SMALL_MODELS, random_events

RNG = torch.Generator
CONFIG = CouplingFlowConfig(**SMALL_MODELS["coupling-flow"])


def _flow(features, size=0.3, seed=0):
    """A flow whose networks are random, of weights ``size``."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        flow = CouplingFlow(features, 2, 4, (8,), CONFIG)
        for parameter in flow.parameters():
            torch.nn.init.normal_(parameter, std=size)
    return flow


def test_an_untrained_flow_is_the_identity(barrel):
    network = TwoStageFlow(CONFIG, barrel, conditions=9)
    noise = torch.randn(10, 270, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(network.sample(torch.zeros(10, 9), noise), noise, atol=1e-5)
    losses = network.losses(noise, torch.zeros(10, 9), torch.Generator())
    gaussian = (noise[:, 4:].square().mean() + math.log(2 * math.pi)) / 2
    assert losses["shapes"].item() == pytest.approx(gaussian.item(), rel=1e-4)


@pytest.mark.parametrize("features", [1, 2, 3, 7])
def test_noise_to_data_and_back(features):
    flow = _flow(features).double()
    rng = torch.Generator().manual_seed(1)
    noise = 4 * torch.randn(300, features, generator=rng).double()
    context = torch.randn(300, 2, generator=rng).double()
    data = back = flow(noise, context)
    for block in reversed(flow.blocks):
        back, _ = block.invert(back, context)
    assert torch.allclose(back, noise, atol=1e-8)
    assert (data - noise).abs().max() > 0.1


def test_single_precision_finds_the_root_that_double_does():
    """Steep splines, of logits of a spread of four, as a long training may end with."""
    block = CouplingBlock(torch.tensor([0]), torch.arange(1, 9), 2, (8,), 8, 10.0)
    rng = RNG().manual_seed(1)
    with torch.no_grad():
        block.network[-1].bias.copy_(4 * torch.randn(8 * 23, generator=rng))
    data, context = 3 * torch.randn(20_000, 9, generator=rng), torch.zeros(20_000, 2)
    with torch.no_grad():
        found = block.invert(data, context)
        expected = block.double().invert(data.double(), context.double())
    for single, double in zip(found, expected, strict=True):
        assert torch.allclose(single.double(), double, rtol=1e-5, atol=1e-5)


def test_log_likelihood_is_that_of_the_change_of_variables():
    flow = _flow(3).double()
    rng = torch.Generator().manual_seed(1)
    noise = torch.randn(20, 3, generator=rng).double()
    context = torch.randn(20, 2, generator=rng).double()
    jacobian = torch.func.vmap(torch.func.jacrev(lambda n, c: flow(n[None], c[None])[0]))
    log_volume = torch.linalg.slogdet(jacobian(noise, context)).logabsdet
    expected = -(noise.square().sum(1) + 3 * math.log(2 * math.pi)) / 2 - log_volume
    found = flow.log_likelihood(flow(noise, context), context)
    assert torch.allclose(found, expected, atol=1e-8)


def test_density_integrates_to_one():
    flow = _flow(1).double()
    x = torch.linspace(-9.999, 9.999, 40001).double()[:, None]
    density = flow.log_likelihood(x, torch.zeros(len(x), 2).double()).exp()
    assert torch.trapezoid(density, x[:, 0]).item() == pytest.approx(1, abs=1e-3)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([0.1, 3.0, 30.0, 1e6]))
def test_inverse_of_wild_splines_stays_finite(seed, size):
    """Neighbouring slopes as unequal as the parametrisation allows: no root of a negative."""
    rng = torch.Generator().manual_seed(seed)
    parameters = (size * torch.randn((200, k), generator=rng) for k in (8, 8, 7))
    spline = MonotonicRQSTransform(*parameters, bound=10.0)
    y = (24 * torch.rand(200, generator=rng) - 12).requires_grad_(True)
    x, log_slope = inverse_and_log_slope(spline, y)
    (gradient,) = torch.autograd.grad(log_slope.sum() + x.sum(), y)
    for tensor in (x, log_slope, gradient):
        assert torch.isfinite(tensor).all()
    outside = y.detach().abs() > 10
    assert torch.equal(x[outside], y[outside])
    assert log_slope[outside].abs().max() == 0


@settings(max_examples=25, deadline=None)
@given(st.floats(0, 1e8, width=32), st.sampled_from([0.01, 1.0, 30.0]), st.integers(0, 2**31))
def test_any_noise_gives_a_shower(barrel, spread, size, seed):
    events = random_events(barrel, 64)
    surrogate = Surrogate(MODELS["coupling-flow"], CONFIG, barrel)
    surrogate.fit(events)
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in surrogate.network.parameters():
            parameter.copy_(size * torch.randn(parameter.shape, generator=rng))
        noise = spread * torch.randn((64, 270), generator=rng)
        columns = surrogate.columns(events.conditions)
        showers = surrogate(columns, noise)["showers"]
    assert torch.isfinite(showers).all()
    assert showers.min() >= 0
    total, limit = showers.sum(1), surrogate.transform.scale * columns[:, 0]
    assert torch.all(total <= limit * (1 + 1e-5))


@pytest.mark.slow
def test_learns_a_correlated_gaussian():
    """Two features with correlation 0.8 and a mean that follows the context."""
    flow = _flow(2, size=0.05)
    optimiser = torch.optim.Adam(flow.parameters(), lr=1e-2)
    rng = torch.Generator().manual_seed(1)

    def draw(n):
        context = torch.randn(n, 2, generator=rng)
        first, other = torch.randn(2, n, generator=rng)
        data = torch.stack([first, 0.8 * first + 0.6 * other], 1) + context[:, :1]
        return data, context

    for _ in range(300):
        data, context = draw(256)
        loss = -flow.log_likelihood(data, context).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    entropy = 1 + math.log(2 * math.pi) + math.log(0.6)
    data, context = draw(4000)
    assert -flow.log_likelihood(data, context).mean().item() == pytest.approx(entropy, abs=0.1)
    fixed = torch.tensor([[1.0, 0.0]]).expand(4000, 2)
    sample = flow(torch.randn(4000, 2, generator=rng), fixed).detach().numpy()
    assert np.allclose(sample.mean(0), 1, atol=0.15)
    assert np.corrcoef(sample.T)[0, 1] == pytest.approx(0.8, abs=0.05)


def test_part_of_the_noise_stands_for_emptiness_and_the_rest_is_normal():
    """At the part of the training events that are empty; without any the noise is as it was."""
    emptiness = Emptiness(2, (8,))
    noise, conditions = torch.randn((200_000, 1), generator=RNG()), torch.zeros(200_000, 2)
    full, rest = emptiness(noise, conditions)
    assert full.all()
    assert torch.equal(rest, noise)
    emptiness.fit(torch.arange(100) < 10)
    full, rest = emptiness(noise, conditions)
    assert 1 - full.double().mean().item() == pytest.approx(0.1, abs=0.003)
    assert stats.kstest(rest[full].detach().double(), "norm").statistic < 0.004
    loss = emptiness.loss(torch.tensor([True] * 10 + [False] * 90), conditions[:100]).item()
    assert loss == pytest.approx(-0.1 * math.log(0.1) - 0.9 * math.log(0.9), rel=1e-4)


def test_empty_events_change_nothing_of_the_others(barrel):
    """Neither their likelihood, nor what they are generated as."""
    events = random_events(barrel, 64)
    showers = events["showers"].copy()
    showers[:16] = 0
    some = Events(events.conditions, {"showers": showers}, barrel)
    full = some.take(np.arange(16, 64))
    losses, generated = {}, {}
    for name, sample in (("some", some), ("full", full)):
        with torch.random.fork_rng():
            torch.manual_seed(1)
            surrogate = Surrogate(MODELS["coupling-flow"], CONFIG, barrel)
        features, conditions = surrogate.fit(sample)
        last = features[-48:]  # without noise in place of zeros, which would be another
        losses[name] = surrogate.network.losses(last, conditions[-48:], RNG())
        generated[name] = surrogate.generate(sample.conditions, 1)["showers"]
    for stage in ("energies", "shapes"):
        assert losses["some"][stage].item() == pytest.approx(losses["full"][stage].item(), rel=1e-3)
    empty = generated["some"].sum(1) == 0
    assert 4 < np.count_nonzero(empty) < 30
    assert (generated["full"].sum(1) > 0).all()


def test_a_state_that_says_nothing_of_emptiness_has_no_empty_events(barrel):
    network = TwoStageFlow(CONFIG, barrel, conditions=9)
    state = {k: v for k, v in network.state_dict().items() if "emptiness" not in k}
    fresh = TwoStageFlow(CONFIG, barrel, conditions=9)
    fresh.load_state_dict(state)
    noise = torch.randn(10, 270, generator=RNG())
    assert torch.isfinite(fresh.sample(torch.zeros(10, 9), noise)).all()
    with pytest.raises(RuntimeError, match="Missing"):
        fresh.load_state_dict({k: v for k, v in state.items() if "shapes" not in k})


def test_needs_a_calorimeter():
    with pytest.raises(CardError, match="needs a calorimeter"):
        TwoStageFlow(CONFIG, load_detector("jet-image"), conditions=2)
    with pytest.raises(CardError, match="only a calorimeter"):
        TwoStageFlow.transform_for(CONFIG, load_detector("jet-image"))
