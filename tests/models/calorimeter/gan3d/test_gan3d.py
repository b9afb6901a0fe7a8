import pytest
import torch

from simulacra.detectors import load_detector
from simulacra.errors import CardError
from simulacra.models.calorimeter.gan3d.critics import percentage_error
from simulacra.models.calorimeter.gan3d.gan3d import (
    CRITIC,
    GAN3D,
    GENERATOR,
    GAN3DConfig,
)
from simulacra.models.calorimeter.gan3d.volumes import sizes
from tests.conftest import DETECTORS_OF_MODELS, SMALL_MODELS

SMALL = GAN3DConfig.model_validate(SMALL_MODELS["gan-3d"])
pytestmark = pytest.mark.usefixtures("seeded")


@pytest.fixture
def cube():
    return load_detector(DETECTORS_OF_MODELS["gan-3d"])


@pytest.fixture
def network(cube):
    return GAN3D(SMALL, cube, 1)


def test_published_shapes():
    trace = [(7, 7, 8), (7, 7, 8), (13, 14, 9), (26, 26, 26), (25, 25, 25)]
    assert sizes((7, 7, 8), GENERATOR) == trace
    assert sizes((25, 25, 25), CRITIC) == [(25, 25, 25)] * 4 + [(23, 23, 23)]


def test_published_sizes():
    network = GAN3D(GAN3DConfig(), load_detector("clic-ecal"), 1)
    dense = 201 * 64 * 7 * 7 * 8
    convolutions = 64 * 64 * 288 + 64 + 64 * 6 * 240 + 6 + 6 * 6 * 72 + 6 + 6 * 8
    norms = 2 * 64 + 2 * 6
    assert sum(p.numel() for p in network.generator.parameters()) == dense + convolutions + norms
    assert network.critics.discriminator.logit.in_features == 11**3 * 8
    shapes = []
    for layer in network.generator.volumes.layers:
        layer.register_forward_hook(lambda _, __, out: shapes.append(tuple(out.shape[2:])))
    with torch.no_grad():
        cells = network.eval().sample(torch.ones(1, 1), torch.randn(network.noise_shape(1)))
    assert cells.shape == (1, 25**3)
    for volume in ((14, 14, 16), (18, 18, 16), (13, 14, 9), (26, 28, 27), (26, 26, 26)):
        assert volume in shapes


def test_energy_is_the_length_of_the_latent_vector(network):
    network.eval()
    noise, energy = torch.randn(5, SMALL.latent), torch.rand(5, 1) + 0.1
    torch.testing.assert_close(network.sample(2 * energy, noise), network.sample(energy, 2 * noise))


def test_axes_are_those_of_the_response(cube, network):
    """Cells are stored layer after layer; the discriminator's volumes are (x, y, depth)."""
    cells = torch.zeros(1, 60)
    cells[0, cube.layers[3].cells.start + 2 * 3 + 1] = 1.0  # layer 3, x 2, y 1
    seen = []
    network.critics.discriminator.layers[0].register_forward_hook(
        lambda _, given, __: seen.append(given[0])
    )
    network.critics.discriminator(cells)
    assert seen[0].shape == (1, 1, 4, 3, 5)
    assert seen[0][0, 0, 2, 1, 3] == 1
    generator = network.generator.volumes
    volumes = seen[0]
    generator.layers = torch.nn.Identity()
    assert torch.equal(generator(volumes), cells)


def test_visible_energy_is_learned_from_the_training_events(network):
    """(2 - 0.1 E) E: the fit gives it back at any energy."""
    energy = torch.rand(200, 1) * 5
    cells = torch.rand(200, 60)
    cells *= (2 - 0.1 * energy) * energy / cells.sum(dim=1, keepdim=True)
    network.fit(cells, energy)
    wanted = torch.tensor([[0.5], [2.0], [4.5]])
    expected = network.critics.expected_visible_energy(wanted)
    torch.testing.assert_close(expected, (2 - 0.1 * wanted) * wanted, rtol=1e-3, atol=1e-3)


def test_generator_begins_with_the_energy_that_is_expected(network):
    energy = torch.rand(64, 1) * 5
    cells = torch.rand(64, 60)
    cells *= 2 * energy / cells.sum(dim=1, keepdim=True)
    network.fit(cells, energy)
    noise = torch.randn(network.noise_shape(64), generator=torch.Generator().manual_seed(0))
    visible = network.critics.visible_energy(network.sample(energy, noise)).mean()
    torch.testing.assert_close(visible, 2 * energy.mean(), rtol=1e-2, atol=0)


def test_losses_are_the_published_ones(network, monkeypatch):
    """Logits, regressed energies and cells given: 6 BCE, 0.2 and 0.1 times errors in %."""
    critics = network.critics
    logits, energies = torch.tensor([[1.0], [-2.0]]), torch.tensor([[1.5], [1.0]])
    monkeypatch.setattr(critics.discriminator, "forward", lambda _: (logits, energies))
    critics.response.copy_(torch.tensor([2.0, 0.0, 0.0]))
    cells = torch.zeros(2, 60)
    cells[:, 7] = torch.tensor([2.2, 4.0])
    wanted = torch.tensor([[1.0], [2.0]])
    cross_entropy = torch.nn.functional.binary_cross_entropy_with_logits
    one, zero = torch.ones(2, 1), torch.zeros(2, 1)
    terms = critics.judge(cells, wanted)
    torch.testing.assert_close(terms["generator"], 6 * cross_entropy(logits, one))
    assert terms["generator_energy"].item() == pytest.approx(0.2 * 50)
    assert terms["generator_visible"].item() == pytest.approx(0.1 * 5, rel=1e-4)
    terms = critics(cells, cells, wanted, torch.full((2, 1), 0.5))
    torch.testing.assert_close(terms["real"], 6 * cross_entropy(logits, one))
    torch.testing.assert_close(terms["fake"], 6 * cross_entropy(logits, zero))
    assert terms["energy_real"].item() == terms["energy_fake"].item() == pytest.approx(10)
    flipped = critics(cells, cells, wanted, torch.tensor([[0.01], [0.5]]))
    torch.testing.assert_close(
        flipped["real"], 6 * cross_entropy(logits, torch.tensor([[0.0], [1]]))
    )
    torch.testing.assert_close(flipped["fake"], terms["fake"])
    flipped = critics(cells, cells, wanted, torch.tensor([[0.5], [0.99]]))
    torch.testing.assert_close(
        flipped["fake"], 6 * cross_entropy(logits, torch.tensor([[0.0], [1]]))
    )


def test_percentage_error():
    found, wanted = torch.tensor([[90.0], [220.0]]), torch.tensor([[100.0], [200.0]])
    assert percentage_error(found, wanted).item() == pytest.approx(10)


def test_smallest_cells_are_emptied(cube):
    preprocessing = GAN3D.transform_for(GAN3DConfig(), cube)
    showers = torch.full((1, 60), 5e-4)
    showers[0, 4] = 20.0
    features = preprocessing.forward({"showers": showers}, torch.ones(1, 1))
    assert features.sum() == features[0, 4] == 2.0
    assert preprocessing.inverse(features, torch.ones(1, 1))["showers"][0, 4] == 20.0


def test_other_detectors_are_refused():
    with pytest.raises(CardError, match="model gan-3d needs layers that are all alike"):
        GAN3D(GAN3DConfig(), load_detector("calogan"), 1)
    with pytest.raises(CardError, match=r"gan-3d: .* 25x25x25, small-cube has 4x3x5 cells"):
        GAN3D(GAN3DConfig(), load_detector(DETECTORS_OF_MODELS["gan-3d"]), 1)
    with pytest.raises(CardError, match="model gan-3d needs layers of Cartesian cells"):
        GAN3D(GAN3DConfig(), load_detector("calochallenge-2"), 1)
