"""The default generator: whole showers whatever the noise, and a graph that exports."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from simulacra.detectors import load_detector, parse_detector
from simulacra.errors import CardError
from simulacra.models import MODELS
from simulacra.models.calorimeter.flow_matching import (
    FlowMatching,
    FlowMatchingConfig,
)
from simulacra.models.surrogate import Surrogate
from tests.conftest import DETECTORS_OF_MODELS, SMALL_MODELS, random_events

CONFIG = FlowMatchingConfig(**SMALL_MODELS["flow-matching"])


def _fitted(events, config=CONFIG):
    surrogate = Surrogate(MODELS["flow-matching"], config, events.detector)
    features, conditions = surrogate.fit(events)
    return surrogate, features, conditions


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.floats(0, 1e8, width=32), st.sampled_from([0.01, 1.0, 30.0]), st.integers(0, 2**31))
def test_any_noise_and_weights_give_a_shower(barrel, spread, size, seed):
    events = random_events(barrel, 64)
    surrogate, features, _ = _fitted(events)
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in surrogate.network.parameters():
            parameter.copy_(size * torch.randn(parameter.shape, generator=rng))
        noise = spread * torch.randn((64, 270), generator=rng)
        columns = surrogate.columns(events.conditions)
        sample = surrogate.model.sample(surrogate.encoder(columns), noise)
        showers = surrogate(columns, noise)["showers"]
    assert torch.isfinite(showers).all()
    assert showers.min() >= 0
    # closure: the total is what the first stage said
    total = sample[:, 0].double().exp() * columns[:, 0]
    assert torch.allclose(showers.double().sum(1), total, rtol=1e-5)
    assert torch.all(sample[:, 0] <= 2 * features[:, 0].max() - features[:, 0].min() + 1)


def test_layers_with_energy_have_cells_and_empty_ones_none(barrel):
    events = random_events(barrel, 64)
    for layer in barrel.layers[::3]:
        events["showers"][::2, layer.cells] = 0
    surrogate, *_ = _fitted(events)
    columns = surrogate.columns(events.conditions)
    noise = 2 * torch.randn((64, 270), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        energies = surrogate.model.sample(surrogate.encoder(columns), noise)[:, :4]
        layers = surrogate.transform.of_layers.sums(surrogate(columns, noise)["showers"])
    full = layers[:, surrogate.transform.others] > 0
    assert torch.equal(full, torch.isfinite(energies[:, 1:]))
    assert not full.all()


def test_a_cell_alone_in_its_layer_has_a_probability_and_no_density(barrel):
    events = random_events(barrel, 64)
    for layer in barrel.layers:
        events["showers"][:, layer.cells][:, 1:] = 0
        events["showers"][:, layer.cells][:, :1] = 1
    surrogate, features, conditions = _fitted(events)
    before = surrogate.model.losses(features, conditions, torch.Generator().manual_seed(1))
    surrogate.network.cell_marginals.centre += 1.0  # where the values are
    after = surrogate.model.losses(features, conditions, torch.Generator().manual_seed(1))
    assert before["cell_marginals"] == after["cell_marginals"] > 0


def test_losses_are_finite_and_use_every_weight(barrel):
    events = random_events(barrel, 64)
    for mean_flow in (False, True):
        config = CONFIG.model_copy(update={"mean_flow": mean_flow, "pair": True})
        surrogate, features, conditions = _fitted(events, config)
        rng = torch.Generator().manual_seed(1)
        optimiser = torch.optim.SGD(surrogate.network.parameters(), lr=1e-3)
        for _ in range(2):  # after one step no weight is zero any more
            losses = surrogate.model.losses(features, conditions, rng)
            optimiser.zero_grad()
            torch.stack(tuple(losses.values())).sum().backward()
            optimiser.step()
        for name, parameter in surrogate.network.named_parameters():
            assert torch.isfinite(parameter.grad).all(), name
            assert parameter.grad.abs().max() > 0, name


def test_mirrored_conditions_give_mirrored_showers(barrel):
    events = random_events(barrel, 32)
    surrogate, *_ = _fitted(events)
    columns = surrogate.columns(events.conditions)
    reflections = surrogate.transform.reflections
    noise = torch.randn((32, 270), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        showers = surrogate(columns, noise)["showers"]
        folded = surrogate(reflections.fold(columns), noise)["showers"]
    assert torch.allclose(reflections.mirror(showers, columns), folded)


@pytest.mark.slow
@pytest.mark.parametrize("mean_flow", [False, True])
def test_exports_as_one_graph(barrel, mean_flow):
    """No control flow depends on data, noise is an input, the number of events is free."""
    events = random_events(barrel, 40)
    surrogate, *_ = _fitted(events, CONFIG.model_copy(update={"mean_flow": mean_flow}))
    columns = surrogate.columns(events.conditions)
    noise = torch.randn((40, 270), generator=torch.Generator().manual_seed(1))
    number = torch.export.Dim("events", min=1, max=100_000)
    graph = torch.export.export(
        surrogate.eval(), (columns[:7], noise[:7]), dynamic_shapes=({0: number}, {0: number})
    ).module()
    with torch.no_grad():
        expected = surrogate(columns, noise)["showers"]
        found = graph(columns, noise)["showers"]
    assert torch.allclose(found, expected, rtol=1e-5)


def test_other_calorimeters():
    for name in ("calogan", "calochallenge-1-pions"):
        detector = load_detector(name)
        events = random_events(detector, 32)
        surrogate, features, conditions = _fitted(events)
        rng = torch.Generator().manual_seed(1)
        losses = surrogate.model.losses(features, conditions, rng)
        assert all(torch.isfinite(loss) for loss in losses.values())
        with torch.no_grad():
            noise = torch.randn(surrogate.model.noise_shape(32), generator=rng)
            showers = surrogate(surrogate.columns(events.conditions), noise)["showers"]
        assert torch.isfinite(showers).all()


def test_needs_a_calorimeter():
    detector = load_detector("jet-image")
    for build in (FlowMatching.encoder_for, FlowMatching.transform_for):
        with pytest.raises(CardError, match="needs a calorimeter"):
            build(CONFIG, detector)
    with pytest.raises(CardError, match="needs a calorimeter"):
        FlowMatching(CONFIG, detector, 3)


def test_needs_a_layer_of_several_cells():
    """Where each layer is one cell, energies are all there is."""
    text = Path(DETECTORS_OF_MODELS["gan-3d"]).read_text(encoding="utf-8")
    detector = parse_detector(text.replace("cell: [5 mm, 5 mm]", "cell: [20 mm, 15 mm]"), "cube")
    with pytest.raises(CardError, match="flow-matching needs a layer of several cells"):
        Surrogate(MODELS["flow-matching"], CONFIG, detector)
