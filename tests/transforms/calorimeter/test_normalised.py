"""Showers to features and back: exact above the cut, zero below it, energies closed."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from simulacra.datasets.samples import load_sample
from simulacra.detectors import load_detector, parse_detector
from simulacra.errors import CardError
from simulacra.transforms import NormalisedShowers
from simulacra.transforms.calorimeter.normalised import NOISE_PART

WIDTH = 5e-6
TOWER = """
kind: calorimeter
name: tower
volume: {kind: box, width: [40 mm, 40 mm]}
conditions: {energy: {role: log, unit: MeV}}
stack:
  - &one
    name: one
    slabs: [{material: G4_Pb, thickness: 10 mm, sensitive: true}]
    readout: {segmentation: {kind: cartesian, cell: [40 mm, 40 mm]}}
  - <<: *one
    name: four
    readout: {segmentation: {kind: cartesian, cell: [20 mm, 20 mm]}}
  - <<: *one
    name: another
"""
"""Three layers of 1, 4 and 1 cells."""


def _fitted(showers, energies, detector):
    transform = NormalisedShowers(detector, WIDTH)
    transform.fit({"showers": showers}, energies)
    return transform


def _tower_events(n=500):
    rng = torch.Generator().manual_seed(1)
    energies = 100 + 900 * torch.rand((n, 1), generator=rng)
    showers = -torch.rand((n, 6), generator=rng).log()
    showers[torch.rand((n, 6), generator=rng) < 0.3] = 0.0
    showers[:5] = 0.0  # nothing seen at all
    showers[5:10, 1:] = 0.0  # the first layer takes all
    showers[10:15, :5] = 0.0  # the last one does
    return energies * showers / 10, energies


@pytest.fixture(scope="module")
def tower():
    showers, energies = _tower_events()
    return _fitted(showers, energies, parse_detector(TOWER)), showers, energies


@pytest.fixture(scope="module")
def photons():
    events = load_sample("train").take(slice(0, 2000))
    columns = torch.from_numpy(events.conditions.matrix(list(events.detector.conditions)))
    showers = torch.from_numpy(np.asarray(events["showers"]))
    return _fitted(showers, columns, events.detector), showers, columns


@pytest.fixture(params=["tower", "photons"])
def sample(request):
    return request.getfixturevalue(request.param)


def _sums(transform, cells):
    return torch.stack([c.sum(1) for c in cells.double().split(transform.of_layers.sizes, 1)], 1)


def _parts(transform, showers):
    """Fractions of layer and of what is left, in double precision, as the definition says."""
    layers = _sums(transform, showers)
    left = torch.stack([layers[:, i:].sum(1) for i in range(transform.layers)], 1)
    of_layer = showers.double() / layers.clamp_min(1e-300)[:, transform.of_layers.layer_of_cell]
    return of_layer, layers / left.clamp_min(1e-300), left


def test_inverse_undoes_forward_above_the_cut(sample):
    transform, showers, columns = sample
    features = transform.forward({"showers": showers}, columns)
    noisy = transform.dequantise(features, torch.Generator().manual_seed(3))
    of_layer, of_left, left = _parts(transform, showers)
    # the noise in place of zeros shifts what a layer is normalised by a little
    clear = of_layer > WIDTH * 1.01
    whole_layer = (of_left > WIDTH * 1.01).all(1) & (1 - of_left[:, :-1] > WIDTH * 1.01).all(1)
    events = whole_layer & (left[:, 0] > 0)
    assert events.float().mean() > 0.3
    for z in (features, noisy):
        back = transform.inverse(z, columns)["showers"]
        relative = (back - showers).abs() / showers
        cut = torch.where(of_layer < WIDTH, of_layer, 0.0)  # the others share what this held
        excess = relative - _sums(transform, cut)[:, transform.of_layers.layer_of_cell]
        assert excess[clear & events[:, None]].max() < 1e-4
        assert torch.all(back[(showers == 0) & events[:, None]] == 0)


def test_zeros_return_as_zeros_and_so_do_empty_layers(sample):
    transform, showers, columns = sample
    features = transform.forward({"showers": showers}, columns)
    noisy = transform.dequantise(features, torch.Generator().manual_seed(3))
    layers = _sums(transform, showers)
    for z in (features, noisy):
        back = transform.inverse(z, columns)["showers"]
        assert torch.all(back[showers == 0] == 0)
        assert torch.all(_sums(transform, back)[layers == 0] == 0)


def test_dequantised_features_are_standardised_and_fresh_only_at_zeros(sample):
    transform, showers, columns = sample
    full = showers.sum(1) > 0
    showers, columns = showers[full], columns[full]
    features = transform.forward({"showers": showers}, columns)
    first, second = (
        transform.dequantise(features, torch.Generator().manual_seed(seed)) for seed in (1, 2)
    )
    assert torch.allclose(first.mean(0), torch.zeros(first.shape[1]), atol=0.05)
    assert torch.allclose(first.std(0), torch.ones(first.shape[1]), atol=0.05)
    of_layer, _, _ = _parts(transform, showers)
    inside = (of_layer > WIDTH) & (1 - of_layer > WIDTH)
    kept = inside[:, transform.of_layers.shared]
    changed = first != second
    assert torch.equal(~changed[:, transform.layers :], kept)
    again = transform.dequantise(features, torch.Generator().manual_seed(1))
    assert torch.equal(first, again)


def test_empty_events_leave_the_standardisation_of_others_alone():
    """Their response is -inf, also with noise, and comes back as nothing."""
    showers, energies = _tower_events()
    detector = parse_detector(TOWER)
    full = showers.sum(1) > 0
    with_empty = _fitted(showers, energies, detector)
    without = _fitted(showers[full], energies[full], detector)
    for name, value in without.state_dict().items():
        assert torch.equal(value, with_empty.state_dict()[name]), name
    features = with_empty.forward({"showers": showers}, energies)
    noisy = with_empty.dequantise(features, torch.Generator().manual_seed(1))
    for z in (features, noisy):
        assert torch.equal(torch.isneginf(z[:, 0]), ~full)
        assert torch.isfinite(z[:, 1:]).all()
        assert with_empty.inverse(z, energies)["showers"][~full].abs().max() == 0


def test_noise_is_uniform_well_below_the_width(tower):
    transform, showers, columns = tower
    features = transform.forward({"showers": torch.zeros_like(showers)}, columns)
    noisy = transform.dequantise(features, torch.Generator().manual_seed(1))
    cells = slice(transform.layers, None)
    logit = noisy[:, cells].double() * transform.spread[cells] + transform.mean[cells]
    noise = (logit.sigmoid() - 1e-6) / (NOISE_PART * WIDTH)
    assert noise.min() > -0.01
    assert noise.max() < 1.01
    assert noise.mean().item() == pytest.approx(0.5, abs=0.03)
    assert noise.std().item() == pytest.approx(math.sqrt(1 / 12), abs=0.02)


def test_noise_is_not_scaled_up_to_hits(photons):
    """Energy in a layer whose cells are all noise: one cell takes it."""
    transform, showers, columns = photons
    features = transform.forward({"showers": showers}, columns)
    nothing = transform.forward({"showers": torch.zeros_like(showers)}, columns)
    features[:, transform.layers :] = nothing[:, transform.layers :]
    noise = transform.dequantise(features, torch.Generator().manual_seed(1))
    back = transform.inverse(noise, columns)["showers"]
    filled = transform.layer_energies(noise, columns) > 0
    assert torch.equal(_sums(transform, (back > 0).float()), filled.double())


def test_energies_close(sample):
    transform, _, columns = sample
    rng = torch.Generator().manual_seed(5)
    features = 2 * torch.randn((len(columns), transform.layers + transform.cells), generator=rng)
    layers = transform.layer_energies(features, columns).double()
    back = transform.inverse(features, columns)["showers"]
    assert torch.allclose(_sums(transform, back), layers, rtol=1e-5)
    logit = features[:, 0].double() * transform.spread[0] + transform.mean[0]
    part = (logit.sigmoid() - 1e-6) / (1 - 2e-6)
    seen = part * transform.scale * columns[:, 0]
    assert torch.allclose(layers.sum(1), seen, rtol=1e-5)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["mixed", "low", "high", "noise"]),
    st.floats(0, 1e6, width=32),
    st.integers(0, 2**31),
)
def test_any_finite_features_give_a_shower(kind, size, seed):
    showers, energies = _tower_events(64)
    transform = _fitted(showers, energies, parse_detector(TOWER))
    rng = torch.Generator().manual_seed(seed)
    shape = (64, transform.layers + transform.cells)
    features = {
        "mixed": size * torch.randint(-1, 2, shape, generator=rng).float(),
        "low": torch.full(shape, -size),
        "high": torch.full(shape, size),
        "noise": size * torch.randn(shape, generator=rng),
    }[kind]
    back = transform.inverse(features, energies)["showers"]
    assert torch.isfinite(back).all()
    assert back.min() >= 0
    assert torch.allclose(
        _sums(transform, back), transform.layer_energies(features, energies).double(), rtol=1e-5
    )


def test_cells_alone_in_their_layer_have_no_feature(tower):
    transform, _, _ = tower
    assert (transform.layers, transform.cells) == (3, 4)


def test_constants_travel_and_what_follows_from_the_detector_does_not(tower):
    transform, showers, columns = tower
    assert set(transform.state_dict()) == {"mean", "spread", "scale"}
    other = NormalisedShowers(parse_detector(TOWER), WIDTH)
    other.load_state_dict(transform.state_dict())
    response = {"showers": showers}
    assert torch.equal(other.forward(response, columns), transform.forward(response, columns))


def test_what_cannot_be_normalised_is_refused():
    with pytest.raises(CardError, match="only a calorimeter"):
        NormalisedShowers(load_detector("jet-image"))
    with pytest.raises(CardError, match="cut every cell of a layer of 168"):
        NormalisedShowers(load_detector("atlas-barrel"), zero_width=0.01)
