"""Averaged weights are judged with statistics of batch normalisation that are their own."""

import copy

import pytest
import torch
from torch import nn

from simulacra.models import find_model
from simulacra.models.surrogate import Surrogate
from simulacra.training.batch_norm import EVENTS, with_own_statistics
from simulacra.training.batches import InMemory
from simulacra.training.card import Card
from simulacra.training.run import start
from tests.conftest import SMALL_MODELS, detector_of, small_sample


def _run(kind, steps, **model):
    training = {"steps": 100, "batch_size": 8, "averaging": 0.99, "learning_rate": 0.02}
    card = Card.model_validate(
        {
            "detector": detector_of(kind),
            "data": {"train": "train.h5", "selection": "selection.h5"},
            "model": SMALL_MODELS[kind] | model,
            "training": training,
        }
    )
    events = small_sample(kind, 64)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        surrogate = Surrogate(find_model(kind), card.model, events.detector)
    run = start(surrogate, InMemory(*surrogate.fit(events), surrogate.transform), card.training, 7)
    for _ in range(steps):
        run.advance()
    return run, surrogate


def _numbers(n, rng):
    return 3 + 2 * torch.randn((n, 4), generator=rng)


def test_counted_layers_normalise_what_they_see():
    """Mean 0 and width 1 behind each layer, whatever statistics the network came with."""
    network = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Dropout(0.5))
    network[0].running_mean += 100
    before = copy.deepcopy(network.state_dict())
    counted = with_own_statistics(network, 1, lambda n, rng: n(_numbers(EVENTS, rng)))
    assert not counted.training
    assert counted[0].momentum == network[0].momentum == 0.1
    seen = counted(_numbers(20_000, torch.Generator().manual_seed(2)))
    assert torch.allclose(seen.mean(0), torch.zeros(3), atol=0.15)
    assert torch.allclose(seen.std(0), torch.ones(3), atol=0.15)
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name
    plain = nn.Linear(2, 2)
    assert with_own_statistics(plain, 1, lambda *_: None) is plain


@pytest.mark.parametrize(
    ("kind", "options"),
    [("voxel-gan", {"batch_norm": True}), ("calogan", {}), ("gan-3d", {})],
)
def test_an_averaged_generator_answers_as_its_batches_do(kind, options):
    """Evaluated it gives the mean that it has when normalised by batches of its own."""
    run, surrogate = _run(kind, 12, **options)
    judged = copy.deepcopy(surrogate)
    judged.network.load_state_dict(run.averaged())
    generator = judged.network.generator
    rng = torch.Generator().manual_seed(3)
    conditions = run._batches.conditions(512, rng)
    noise = torch.randn(run.noise_shape(512), generator=rng)
    with torch.no_grad():
        evaluated = generator.eval()(conditions, noise).mean()
        in_batches = generator.train()(conditions, noise).mean()
    assert evaluated.item() == pytest.approx(in_batches.item(), rel=0.1)


@pytest.mark.parametrize(("kind", "options"), [("voxel-gan", {"batch_norm": True}), ("cvae", {})])
def test_counting_changes_nothing_in_the_run(kind, options):
    """Its random numbers are its own: a run that is evaluated is the one that is not."""
    run, _ = _run(kind, 2, **options)
    before = {name: value.clone() for name, value in run.state().items()}
    first, again = run.averaged(), run.averaged()
    for name, value in run.state().items():
        assert torch.equal(value, before[name]), name
    trained = run._network.state_dict()
    counted = [name for name in first if "running_mean" in name and "critics" not in name]
    assert counted
    for name in first:
        assert torch.equal(first[name], again[name]), name
    assert not any(torch.equal(first[name], trained[name]) for name in counted)


@pytest.mark.parametrize("kind", ["dnncalogan", "atlas-vae"])
def test_the_average_of_a_short_run_forgets_its_start(kind):
    """In either loop; 0.99 ** 40 alone would keep two thirds of it."""
    run, _ = _run(kind, 1)
    averages = list(run._averaged.module.parameters())
    with torch.no_grad():
        for weights in averages:
            weights.fill_(1e6)
    for _ in range(40):
        run.advance()
    assert max(weights.abs().max().item() for weights in averages) < 10
