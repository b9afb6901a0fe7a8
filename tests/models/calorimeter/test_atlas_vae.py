import pytest
import torch
from torch.distributions import Normal, kl_divergence

from simulacra.detectors import load_detector
from simulacra.errors import CardError, ExportError
from simulacra.models.calorimeter.atlas_vae import AtlasVAE, AtlasVAEConfig, ShowerTerms
from simulacra.transforms import LayersOfCells

WITH_FLOW = AtlasVAEConfig(widths=(8,), flow_blocks=3, flow_widths=(8,))


def network(barrel, config=WITH_FLOW):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return AtlasVAE(config, barrel, conditions=9)


@pytest.fixture
def batch():
    rng = torch.Generator().manual_seed(1)
    return torch.rand((12, 266), generator=rng) / 266, torch.randn((12, 9), generator=rng)


def widths_of(layers):
    return [(layer.in_features, layer.out_features) for layer in layers[::2]]


def test_default_layers_are_those_of_the_note(barrel):
    model = network(barrel, AtlasVAEConfig())
    encoder = [(275, 200), (200, 150), (150, 100), (100, 50), (50, 10)]
    decoder = [(14, 50), (50, 100), (100, 150), (150, 200), (200, 266)]
    assert widths_of(model.encoder) == encoder
    assert widths_of(model.decoder.layers) == decoder
    assert model.noise_shape(3) == (3, 5)
    assert model.flow is None


def test_terms_on_hand_made_showers(barrel):
    """All in the front layer against half of it in the middle one, and twice the total."""
    config = AtlasVAEConfig(reconstruction=2.0, total=3.0, layers=(10.0, 20.0, 30.0, 40.0))
    of_layers = LayersOfCells(barrel)
    terms = ShowerTerms(config, of_layers)
    cells, decoded = torch.zeros(2, 1, 266)
    strip, middle = (int((of_layers.layer_of_cell == layer).nonzero()[0]) for layer in (1, 2))
    cells[0, strip] = 1.0
    decoded[0, strip] = decoded[0, middle] = 1.0
    found = {name: term.item() for name, term in terms(cells, decoded).items()}
    assert found["reconstruction"] == pytest.approx(2.0 / 266)
    assert found["total"] == pytest.approx(3.0)
    assert found["layers"] == pytest.approx(20 * 0.5 + 30 * 0.5)


def test_terms_are_in_units_of_the_spread(barrel, batch):
    """Scaling all showers changes no term: each is in units of the sample's own spread."""
    terms = ShowerTerms(AtlasVAEConfig(), LayersOfCells(barrel))
    cells = 1000 * batch[0]
    found = []
    for factor in (1.0, 7.0):
        terms.fit(factor * cells)
        found.append(terms(factor * cells, factor * cells.flip(0)))
    for name, term in found[0].items():
        assert term.item() == pytest.approx(found[1][name].item(), rel=1e-3), name


def test_divergence_has_its_weight(barrel, batch):
    model = network(barrel)
    mean, log_variance = model.encode(*batch)
    expected = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).sum(dim=1)
    term = model.losses(*batch, torch.Generator().manual_seed(1))["divergence"]
    assert term.item() == pytest.approx(1e-4 * expected.mean().item(), rel=1e-5)


def test_flow_tells_the_encoder_nothing(barrel, batch):
    model = network(barrel)
    terms = model.losses(*batch, torch.Generator().manual_seed(1))
    assert set(terms) == {"reconstruction", "total", "layers", "divergence", "flow"}
    terms["flow"].backward()
    assert all(p.grad is None for p in (*model.encoder.parameters(), *model.decoder.parameters()))
    assert any(p.grad is not None for p in model.flow.parameters())


def test_generating_undoes_the_flow_and_decodes(barrel, batch):
    """Normal numbers that the flow made of latent ones are decoded as those latent ones."""
    model = network(barrel)
    rng = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for weights in model.flow.parameters():
            weights.copy_(0.3 * torch.randn(weights.shape, generator=rng))
    latent = torch.randn((12, 5), generator=rng)
    normal = model.normalised(latent, batch[1])
    assert (normal - latent).abs().max() > 0.1
    expected = model.decoder(batch[1], latent)
    torch.testing.assert_close(model.sample(batch[1], normal), expected)


def test_conditions_are_concatenated_in_encoder_and_decoder(barrel, batch):
    model = network(barrel, AtlasVAEConfig(widths=(8,)))
    cells, conditions = batch
    noise = torch.zeros(12, 5)
    assert not torch.equal(model.sample(conditions, noise), model.sample(conditions + 1, noise))
    assert not torch.equal(
        model.encode(cells, conditions)[0], model.encode(cells, conditions + 1)[0]
    )


def test_decoder_is_a_chain_without_the_flow_alone(barrel, batch):
    model = network(barrel, AtlasVAEConfig(widths=(8,)))
    model.fit(*batch)
    noise = torch.ones(12, 5)
    chained = model.chain()(torch.cat([noise, batch[1]], dim=1))
    torch.testing.assert_close(chained, model.sample(batch[1], noise))
    with pytest.raises(ExportError, match=r"with a flow .* ONNX can"):
        network(barrel).chain()


def test_every_layer_needs_a_weight():
    with pytest.raises(CardError, match=r"model.layers: 4 weights, but calogan has 3 layers"):
        AtlasVAE(AtlasVAEConfig(), load_detector("calogan"), conditions=1)
