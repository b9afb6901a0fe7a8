"""The model of tracks: taken apart and put together, hazards, and that nothing is ever odd."""

import copy

import numpy as np
import pytest
import torch

from simulacra.conditions import EnergySpectrum, draw_conditions
from simulacra.datasets.samples import load_sample
from simulacra.detectors import load_detector
from simulacra.models import find_model
from simulacra.models.surrogate import Surrogate
from simulacra.models.tpc.helix_flow.rows import shared
from simulacra.models.tpc.helix_flow.traits import TRAITS
from simulacra.transforms.tpc.row_knots import interpolation
from simulacra.validation import measured
from tests.conftest import random_tracks

ROWS = 159


@pytest.fixture(scope="module")
def chamber():
    return load_detector("alice-tpc")


@pytest.fixture(scope="module")
def surrogate(chamber):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        entry = find_model("helix-flow")
        found = Surrogate(entry, entry.Config(), chamber)
    found.fit(random_tracks(chamber, 300))
    return found.eval()


def conditions_of(surrogate, n, seed=1):
    rng = np.random.default_rng(seed)
    spectrum = EnergySpectrum.parse("100MeV..10GeV")
    return surrogate.columns(draw_conditions(surrogate.detector, spectrum, n, rng))


@pytest.mark.slow
def test_losses_and_their_gradients_are_finite(chamber, surrogate):
    features, conditions = surrogate.fit(random_tracks(chamber, 60, seed=3))
    features = features.clone()
    features[:3] = 0  # no cluster at all
    features[3, 5:].view(-1, ROWS)[:, 1:] = 0  # a single one
    network = surrogate.network
    terms = network.losses(features, conditions, torch.Generator().manual_seed(1))
    assert all(torch.isfinite(term) for term in terms.values())
    torch.stack(tuple(terms.values())).sum().backward()
    for parameter in network.parameters():
        assert parameter.grad is None or torch.isfinite(parameter.grad).all()
    network.zero_grad()


@pytest.mark.parametrize("wild", [1.0, 4.0])
def test_every_track_is_sensible(surrogate, wild):
    columns = conditions_of(surrogate, 500)
    rng = torch.Generator().manual_seed(2)
    noise = wild * torch.randn(surrogate.model.noise_shape(500), generator=rng)
    with torch.inference_mode():
        response = surrogate(columns, noise)
    clusters, mask = response["clusters"], response["cluster_mask"]
    assert torch.isfinite(clusters).all()
    assert set(mask.unique().tolist()) <= {0.0, 1.0}
    assert (clusters[mask == 0] == 0).all()
    q, peak = clusters[mask > 0][:, 3:].unbind(1)
    assert (q > 0).all()
    assert (peak > 0).all()
    assert (peak <= q * (1 + 1e-5)).all()
    radius = clusters[..., :2].norm(dim=-1) - surrogate.transform.radii
    assert radius[mask > 0].abs().max() < 1.1


def test_neighbours_share_what_they_are_told_to():
    rng = torch.Generator().manual_seed(1)
    scores = shared(torch.randn((5000, ROWS), generator=rng), torch.tensor(0.4))
    assert scores.std().item() == pytest.approx(1, abs=0.01)
    correlation = (scores[:, 1:] * scores[:, :-1]).mean().item()
    assert correlation == pytest.approx(0.4 / (1 + 0.4**2), abs=0.01)
    assert (scores[:, 2:] * scores[:, :-2]).mean().item() == pytest.approx(0, abs=0.01)


def test_charge_moves_clusters_along_the_track(surrogate):
    """Charge at a common border of two rows moves z, and z takes what is across with it."""
    model = surrogate.network
    track, rows = model._split(surrogate.encoder(conditions_of(surrogate, 3)))
    with_dedx = torch.nn.functional.pad(track, (0, TRAITS + 1))
    parameters = model.of_rows(with_dedx, rows, torch.zeros(3, ROWS))
    scatter = parameters.scatter._replace(
        border=torch.full((3, ROWS), 0.5), tilt=torch.full((3, ROWS), -0.2)
    )
    score = torch.zeros(3, ROWS)
    score[:, 80] = 1.0
    # untrained, a window gives nothing but the difference of neighbours
    charges = model.noise.window(score, track)
    given = scatter.given(charges)
    assert given.location[0, 79:82].tolist() == [0.5, 0.0, -0.5]
    assert torch.allclose(given.tilt, scatter.tilt)


@pytest.mark.slow
def test_the_truncated_dedx_of_tracks_is_the_observable(chamber):
    """Though that takes paths in rows from the true helix, and the model from a few knots."""
    events = load_sample("train", "alice-tpc").take(slice(0, 1000))
    entry = find_model("helix-flow")
    with torch.random.fork_rng(devices=[]):
        model = Surrogate(entry, entry.Config(), chamber)
    features, encoded = model.fit(events)
    network = model.network
    typical = network.of_rows.typical_charge(*network._split(encoded))
    found = network._dedx(network._channels(features)[1], typical)
    ratio = found[:, 0].numpy() - np.log(measured(events).values["dedx"])
    fast = (events.conditions["transverse_momentum"] > 300) & np.isfinite(ratio)
    assert fast.sum() > 500
    assert np.ptp(ratio[fast]) < 0.003


def test_charges_have_the_dedx_that_was_drawn(surrogate):
    model = copy.deepcopy(surrogate.network)
    model.range[:, 0] = torch.tensor([-1e3, 1e3])
    encoded = surrogate.encoder(conditions_of(surrogate, 200))
    rng = torch.Generator().manual_seed(5)
    noise = torch.randn(surrogate.model.noise_shape(200), generator=rng)
    drawn = {}
    original = model._drawn_first
    model._drawn_first = lambda *arguments: drawn.setdefault("first", original(*arguments))
    with torch.inference_mode():
        features = model.sample(encoded, noise)
    typical = model.of_rows.typical_charge(*model._split(encoded))
    found = model._dedx(model._channels(features)[1], typical)
    some = drawn["first"].trail.present.sum(dim=1) > 0
    assert some.sum() > 50
    assert torch.allclose(found[some], drawn["first"].dedx[some], atol=1e-3)


def test_interpolation_keeps_lines_within_a_group_and_knots_everywhere():
    counts = [63, 64, 32]
    knots, weights = interpolation(counts, 9)
    assert torch.allclose(weights.sum(dim=0), torch.ones(sum(counts)))
    line = torch.arange(sum(counts)).float()
    steps = line + 100 * (line >= 63)  # a jump between two groups
    assert torch.allclose(steps[knots] @ weights, steps, atol=1e-4)


@pytest.mark.slow
def test_typical_sizes_keep_their_digits_where_features_are_alike():
    """Features that hardly differ from sums of others get no huge weights of either sign."""
    events = load_sample("train", "alice-tpc").take(slice(0, 3000))
    entry = find_model("helix-flow")
    with torch.random.fork_rng(devices=[]):
        surrogate = Surrogate(entry, entry.Config(), events.detector)
    surrogate.fit(events)
    smooth = surrogate.network.smooth
    assert 0 < smooth.scale.abs().max() < 1e3
    rng = torch.Generator().manual_seed(1)
    inputs = torch.rand((100, len(smooth.scale) - 1), generator=rng)
    single = smooth.typical(inputs)
    exact = copy.deepcopy(smooth).double().typical(inputs.double())
    assert torch.allclose(single.double(), exact, atol=1e-3)
