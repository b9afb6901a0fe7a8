import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from simulacra.detectors import load_detector
from simulacra.errors import CardError
from simulacra.models.jets import image_networks as networks
from simulacra.models.jets.lagan import LAGAN, VARIANTS, LAGANConfig
from simulacra.models.surrogate import Surrogate
from tests.jets import DETECTOR, random_jets


def lagan(**options):
    torch.manual_seed(1)
    return LAGAN(LAGANConfig(**options), DETECTOR, 2)


def one_hot(*labels):
    return torch.nn.functional.one_hot(torch.tensor(labels), 2).float()


@pytest.fixture(autouse=True)
def _random_state():
    state = torch.random.get_rng_state()
    yield
    torch.random.set_rng_state(state)


def test_sizes_are_the_published_ones():
    model = lagan()
    sizes = {name: tuple(p.shape) for name, p in model.generator.named_parameters()}
    assert sizes["embedding"] == (2, 200)
    assert sizes["images.0.weight"] == (128 * 49, 200)
    # locally connected: places x what a kernel sees x outputs
    shapes = [shape for shape in sizes.values() if len(shape) == 3]
    assert [s for s in shapes if s[1] != 1] == [
        (14 * 14, 64 * 25, 6),
        (26 * 26, 6 * 9, 6),
        (625, 24, 1),
    ]
    assert networks.number_of(model.critics.discriminator.features) == 72
    assert model.critics.discriminator.alike(torch.zeros(3, 72)).shape == (3, 20)
    assert model.critics.discriminator.real.in_features == 92


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_makes_images_and_tells_them(variant):
    model = lagan(variant=variant)
    pixels = model.sample(one_hot(0, 1, 1), torch.randn(3, 200))
    assert pixels.shape == (3, 625)
    assert pixels.min() >= 0
    real, process = model.critics.discriminator(pixels)
    assert (real.shape, process.shape) == ((3, 1), (3, 2))
    terms = model.critics(pixels.detach(), pixels.detach(), one_hot(0, 1, 1), torch.rand(3, 1))
    sum(terms.values()).backward()
    assert all(p.grad is not None for p in model.critics.parameters())


def test_the_process_multiplies_the_noise():
    model = lagan(variant="dense").eval()
    noise = torch.randn(4, 200)
    first, second = (model.sample(one_hot(*[k] * 4), noise) for k in (0, 1))
    assert not torch.allclose(first, second)
    with torch.no_grad():
        model.generator.embedding[1] = model.generator.embedding[0]
    assert torch.equal(model.sample(one_hot(*[1] * 4), noise), first)


@torch.no_grad()
def test_losses_are_cross_entropies_and_flips_turn_labels():
    model = lagan(variant="dense", label_flips=0.0, process_flips=0.0, generator_process_flips=0.0)
    critics = model.critics.eval()
    torch.manual_seed(2)
    real, fake = torch.rand(6, 625), torch.rand(6, 625)
    conditions, mix = one_hot(0, 1, 0, 1, 1, 0), torch.rand(6, 1)
    (on_real, of_real), (on_fake, of_fake) = map(critics.discriminator, (real, fake))
    labels = conditions.argmax(1)
    expected = {
        "real": binary_cross_entropy_with_logits(on_real, torch.ones(6, 1)),
        "fake": binary_cross_entropy_with_logits(on_fake, torch.zeros(6, 1)),
        "process_real": cross_entropy(of_real, labels),
        "process_fake": cross_entropy(of_fake, labels),
    }
    terms = critics(real, fake, conditions, mix)
    for name, value in expected.items():
        assert float(terms[name]) == pytest.approx(float(value), rel=1e-5)
    judged = critics.judge(fake, conditions)
    wanted = binary_cross_entropy_with_logits(on_fake, torch.ones(6, 1))
    assert float(judged["generator"]) == pytest.approx(float(wanted), rel=1e-5)
    # a classifier of two processes with one logit is the published sigmoid
    logit = of_real[:, 1] - of_real[:, 0]
    sigmoid = binary_cross_entropy_with_logits(logit, labels.float())
    assert float(terms["process_real"]) == pytest.approx(float(sigmoid), rel=1e-5)


def test_flips_are_as_frequent_as_they_are_to_be():
    critics = lagan(variant="dense").critics
    labels = torch.arange(200_000) % 2
    flipped = critics._flipped(labels, 0.05) != labels
    for process in (0, 1):
        assert float(flipped[labels == process].float().mean()) == pytest.approx(0.05, abs=0.003)
    assert torch.equal(critics._flipped(labels, 0.0), labels)


@torch.no_grad()
def test_small_pixels_are_emptied_and_units_are_undone():
    events = random_jets(8, 1)
    surrogate = Surrogate(LAGAN, LAGANConfig(variant="dense"), DETECTOR)
    features, conditions = surrogate.fit(events)
    assert conditions.tolist() == one_hot(*events["process"].tolist()).tolist()
    assert float(features.max()) == pytest.approx(events["images"].max() / 100)
    back = surrogate.transform.inverse(features, surrogate.columns(events.conditions))["images"]
    np.testing.assert_allclose(back.numpy(), events["images"], rtol=1e-5, atol=1e-3)


def test_only_images_of_its_size_and_nothing_else():
    for name, why in (
        ("jet-constituents", "makes images alone"),
        ("alice-tpc", "needs a jet image"),
    ):
        with pytest.raises(CardError, match=why):
            LAGAN.check(load_detector(name))
    with pytest.raises(CardError, match="25 x 25 pixels"):
        LAGAN.check(DETECTOR.model_copy(update={"pixels": 24}))
