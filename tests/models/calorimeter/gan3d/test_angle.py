import math

import pytest
import torch

from simulacra.detectors import load_detector
from simulacra.errors import CardError
from simulacra.models.calorimeter.gan3d.angle import (
    CRITIC,
    GENERATOR,
    AngleCritics,
    BarycentreAngle,
    GAN3DAngle,
    GAN3DAngleConfig,
)
from simulacra.models.calorimeter.gan3d.volumes import sizes
from tests.conftest import DETECTORS_OF_MODELS, SMALL_MODELS

SMALL = GAN3DAngleConfig.model_validate(SMALL_MODELS["gan-3d-angle"])
pytestmark = pytest.mark.usefixtures("seeded")


@pytest.fixture
def cube():
    return load_detector(DETECTORS_OF_MODELS["gan-3d-angle"])


def test_published_shapes():
    blocks = [(49, 49, 41), (50, 50, 38), (51, 51, 35), (52, 52, 32)]
    trace = [(9, 9, 8), *blocks, (52, 52, 28), (52, 52, 26), (51, 51, 25)]
    assert sizes((9, 9, 8), GENERATOR) == trace
    assert sizes((51, 51, 25), CRITIC)[1:] == [
        (51, 51, 25),
        (47, 46, 22),
        (43, 41, 19),
        (39, 36, 14),
    ]


def test_published_sizes():
    detector = load_detector("clic-ecal-angle")
    network = GAN3DAngle(GAN3DAngleConfig(), detector, 2)
    dense = network.generator.volumes.layers[0]
    assert (dense.in_features, dense.out_features) == (256, 5184)
    assert network.noise_shape(3) == (3, 254)
    assert network.critics.discriminator.logit.in_features == 8 * 19 * 18 * 7


def test_energy_and_angle_are_latent_numbers(cube):
    columns = torch.tensor([[2e5, 0.3], [1e5, -0.1]])  # MeV, rad
    encoded = GAN3DAngle.encoder_for(GAN3DAngleConfig(), cube)(columns)
    torch.testing.assert_close(encoded, torch.tensor([[2.0, 0.3], [1.0, -0.1]]))
    network = GAN3DAngle(SMALL, cube, 2)
    seen = []
    network.generator.volumes.layers[0].register_forward_hook(
        lambda _, given, __: seen.append(given[0])
    )
    noise = torch.randn(2, SMALL.latent)
    network.sample(encoded, noise)
    assert torch.equal(seen[0], torch.cat([encoded, noise], dim=1))


@pytest.mark.parametrize("theta", [-0.4, 0.0, 0.2])
def test_angle_of_a_straight_line_of_energy(theta):
    """Energy along a line through the middle, shared by the two cells next to it."""
    detector = load_detector("clic-ecal-angle")
    grid = torch.zeros(25, 51, 51)
    depth = torch.tensor([layer.depth for layer in detector.layers])
    place = (depth - depth.mean()) * math.tan(theta) / 5 + 25
    low = place.floor().long()
    for layer in range(25):
        share = place[layer] - low[layer]
        grid[layer, low[layer], 25] = (1 - share) * (layer + 1)
        grid[layer, low[layer] + 1, 25] = share * (layer + 1)
    angle = BarycentreAngle(detector)
    showers = torch.stack([grid.flatten(), 7 * grid.flatten()])
    torch.testing.assert_close(angle(showers), torch.full((2, 1), theta), rtol=1e-3, atol=1e-4)


def test_an_empty_shower_has_a_gradient():
    cells = torch.zeros(1, 60, requires_grad=True)
    angle = BarycentreAngle(load_detector(DETECTORS_OF_MODELS["gan-3d-angle"]))(cells)
    (gradient,) = torch.autograd.grad(angle.sum(), cells)
    assert gradient.isfinite().all()


def test_losses_are_the_published_ones(cube, monkeypatch):
    critics = AngleCritics(SMALL, cube, (4, 3, 5), GAN3DAngle.encoder_for(SMALL, cube).slices)
    logits = torch.tensor([[0.0]])
    monkeypatch.setattr(critics.discriminator, "forward", lambda _: (logits, torch.ones(1, 1)))
    monkeypatch.setattr(critics.angle, "forward", lambda _: torch.tensor([[0.3]]))
    critics.response.copy_(torch.tensor([2.0, 0.0, 0.0]))
    cells = torch.zeros(1, 60)
    cells[0, 5] = 3.0**0.85
    terms = critics.judge(cells, torch.tensor([[2.0, 0.1]]))
    expected = {
        "generator": 3 * math.log(2),
        "generator_energy": 0.1 * 50,
        "generator_visible": 0.1 * 25,
        "generator_angle": 25 * 0.2,
    }
    assert {k: v.item() for k, v in terms.items()} == pytest.approx(expected, rel=1e-4)


def test_cells_are_lifted_and_brought_back(cube):
    preprocessing = GAN3DAngle.transform_for(GAN3DAngleConfig(), cube)
    showers = torch.rand(3, 60) * 100
    features = preprocessing.forward({"showers": showers}, torch.ones(3, 2))
    torch.testing.assert_close(features, (showers / 10) ** 0.85)
    back = preprocessing.inverse(features, torch.ones(3, 2))["showers"]
    torch.testing.assert_close(back, showers, rtol=1e-4, atol=1e-4)


def test_needs_an_angle():
    with pytest.raises(CardError, match="gan-3d-angle needs the condition theta, clic-ecal has"):
        GAN3DAngle.encoder_for(GAN3DAngleConfig(), load_detector("clic-ecal"))
