"""Layers that draw random numbers or grow: the loops serve both, and leave no trace of it."""

import pytest
import torch
import yaml
from torch import nn

from simulacra.errors import CardError
from simulacra.models import MODELS, find_model
from simulacra.models.surrogate import Surrogate
from simulacra.training.adversarial import AdversarialRun
from simulacra.training.batches import InMemory
from simulacra.training.card import AdversarialCard, Card
from simulacra.training.compute import launched
from simulacra.training.layers import own_random_numbers, set_progress
from simulacra.training.run import start
from tests.conftest import SMALL_MODELS, detector_of, small_sample

CPU = torch.device("cpu")


def test_each_step_has_its_own_numbers_and_the_global_ones_stay():
    dropout, x = nn.Dropout(0.5), torch.ones(200)
    before = torch.random.get_rng_state()
    drawn = []
    for seed, step in ((1, 1), (1, 1), (1, 2), (2, 1)):
        with own_random_numbers(seed, step, CPU):
            drawn.append(dropout(x))
    assert torch.equal(torch.random.get_rng_state(), before)
    first, again, later, other = drawn
    assert torch.equal(first, again)
    assert not torch.equal(first, later)
    assert not torch.equal(first, other)


def test_only_growing_networks_are_told():
    class Grows(nn.Linear):
        told = -1.0

        def set_progress(self, fraction):
            self.told = fraction

    grows = Grows(1, 1)
    set_progress(grows, 0.25)
    assert grows.told == 0.25
    set_progress(nn.Linear(1, 1), 0.25)


def _run(barrel, kind="dnncalogan", **options):
    entry = find_model(kind)
    config = entry.Config.model_validate(SMALL_MODELS[kind])
    with torch.random.fork_rng():
        torch.manual_seed(1)
        surrogate = Surrogate(entry, config, barrel)
    card = AdversarialCard(**{"steps": 4, "batch_size": 4, "critic_updates": 1} | options)
    rng = torch.Generator().manual_seed(2)
    features = torch.rand((16, barrel.n_cells), generator=rng)
    conditions = torch.rand((16, surrogate.encoder.features), generator=rng)
    batches = InMemory(features, conditions, surrogate.transform)
    return AdversarialRun(surrogate, batches, card, 7, launched(card))


def test_the_card_chooses_the_optimiser(barrel):
    for run, kind in (
        (_run(barrel), torch.optim.RMSprop),
        (_run(barrel, optimiser={"kind": "adam"}), torch.optim.Adam),
    ):
        assert isinstance(run.generator_optimiser.optimizer, kind)
        assert isinstance(run.critics_optimiser.optimizer, kind)
    group = run.generator_optimiser.param_groups[0]
    assert group["betas"] == (0.5, 0.999)
    run = _run(barrel, optimiser={"kind": "adam", "betas": [0.0, 0.99]}, critic_learning_rate=1e-2)
    assert run.critics_optimiser.param_groups[0]["betas"] == (0.0, 0.99)
    before = {k: v.clone() for k, v in run.averaged().items()}
    run.advance()
    moved = max((v - before[k]).abs().max().item() for k, v in run._network.state_dict().items())
    assert moved == pytest.approx(1e-2, rel=1e-3)  # Adam's first step is the learning rate


def _largest(module):
    return max(float(weights.detach().abs().max()) for weights in module.parameters())


def test_critics_with_bounds_are_clipped_after_each_update(barrel):
    run = _run(barrel, "wgan", learning_rate=0.1)
    for _ in range(2):
        run.advance()
        assert _largest(run._network.critics) == pytest.approx(0.01)
    run = _run(barrel, learning_rate=0.1)
    run.advance()
    assert _largest(run._network.critics) > 0.01


def test_the_default_optimiser_is_the_decks(barrel):
    group = _run(barrel).generator_optimiser.param_groups[0]
    assert (group["alpha"], group["momentum"], group["lr"]) == (0.9, 0, 3e-4)


def test_options_of_another_optimiser_are_refused(small_card):
    content = small_card().model_dump(mode="json")
    content["training"]["optimiser"] = {"kind": "rmsprop", "betas": [0.5, 0.9]}
    with pytest.raises(
        CardError, match="unknown key training.optimiser.rmsprop.betas; there are kind, smoothing"
    ):
        Card.parse(yaml.safe_dump(content), "card")


def _products(network):
    """A list that fills with the types of all products of dense and convolutional layers."""
    found = []
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d):
            module.register_forward_hook(lambda _m, _i, product: found.append(product.dtype))
    return found


@pytest.mark.parametrize("kind", MODELS)
def test_mixed_precision_is_that_of_all_products(kind):
    """Of a whole step, in either loop; weights and losses are single, and lose three digits."""
    events = small_sample(kind, 32)
    terms = {}
    for precision, dtype in (("32-true", torch.float32), ("bf16-mixed", torch.bfloat16)):
        card = Card.model_validate(
            {
                "detector": detector_of(kind),
                "data": {"train": "train.h5", "selection": "selection.h5"},
                "model": SMALL_MODELS[kind],
                "training": {"steps": 4, "batch_size": 16, "precision": precision},
            }
        )
        with torch.random.fork_rng():
            torch.manual_seed(1)
            surrogate = Surrogate(find_model(kind), card.model, events.detector)
        run = start(
            surrogate, InMemory(*surrogate.fit(events), surrogate.transform), card.training, 7
        )
        products = _products(surrogate.network)
        for _ in range(3):  # some networks begin as the identity
            terms[precision] = run.advance()
        assert set(products) <= {dtype}
        assert {p.dtype for p in surrogate.network.parameters()} == {torch.float32}
        assert {value.dtype for value in terms[precision].values()} == {torch.float32}
    single, mixed = terms.values()
    assert any(not torch.equal(single[name], mixed[name]) for name in single)
    for name, value in single.items():
        assert mixed[name].item() == pytest.approx(value.item(), rel=0.1, abs=0.05)


def test_a_batch_of_one_cannot_be_normalised():
    events = small_sample("voxel-gan", 16)
    config = find_model("voxel-gan").Config(**SMALL_MODELS["voxel-gan"], batch_norm=True)
    surrogate = Surrogate(find_model("voxel-gan"), config, events.detector)
    card = AdversarialCard(steps=1, batch_size=1)
    with pytest.raises(CardError, match=r"training\.batch_size: batch normalisation needs"):
        start(surrogate, InMemory(*surrogate.fit(events), surrogate.transform), card, 1)


def test_generator_can_be_updated_more_often(barrel):
    """Critics come first, so that two updates begin as one does, and end elsewhere."""
    calls = []
    states = {}
    for updates in (1, 2):
        run = _run(barrel, generator_updates=updates)
        judge = run.critics.judge
        run._network.critics.judge = lambda fake, c, judge=judge: calls.append(c) or judge(fake, c)
        run.advance()
        states[updates] = {k: v.clone() for k, v in run._network.state_dict().items()}
    assert len(calls) == 3
    assert torch.equal(calls[0], calls[1])
    assert not torch.equal(calls[1], calls[2])
    for name, value in states[1].items():
        assert torch.equal(value, states[2][name]) == ("critics" in name or "spread" in name), name
