"""The model of tracks: taken apart and put together, hazards, and that nothing is ever odd."""

import math

import pytest
import torch

from simulacra.conditions import EnergySpectrum, draw_conditions
from simulacra.detectors import load_detector
from simulacra.models import find_model
from simulacra.models.track_fates import presence
from simulacra.models.track_polynomials import (
    leverages,
    neighbours,
    orthonormal_polynomials,
    smooth_and_rough,
)
from simulacra.models.track_rows import (
    interpolation,
    log_density_of_neighbours,
    shared,
    survival,
)
from simulacra.surrogate import Surrogate
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
        found = Surrogate(entry, entry.config_class()(), chamber)
    found.fit(random_tracks(chamber, 300))
    return found.eval()


def conditions_of(surrogate, n, seed=1):
    import numpy as np

    rng = np.random.default_rng(seed)
    spectrum = EnergySpectrum.parse("100MeV..10GeV")
    return surrogate.columns(draw_conditions(surrogate.detector, spectrum, n, rng))


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


def test_a_track_is_its_polynomials_and_its_noise(surrogate):
    rng = torch.Generator().manual_seed(1)
    present = (torch.rand((40, ROWS), generator=rng) < 0.9).float()
    position = torch.linspace(0.8, 2.5, ROWS).expand(40, -1)
    basis = orthonormal_polynomials(position, present, 10)
    noise = torch.randn((40, ROWS), generator=rng)
    coefficients = torch.randn((40, 7), generator=rng)
    (track,) = smooth_and_rough(basis[:, :7], coefficients[:, None], noise[:, None])
    found = (basis[:, :7] @ track[..., None])[..., 0]
    assert torch.allclose(found, coefficients, atol=1e-4)
    # what is left has the variance that the projection leaves
    rest = (track - (coefficients[:, None] @ basis[:, :7])[:, 0])[present > 0]
    left = (1 - leverages(basis[:, :7]))[present > 0]
    assert rest.square().sum().item() == pytest.approx(left.sum().item(), rel=0.05)


def test_constant_hazards_end_tracks_geometrically(surrogate):
    hazard = 0.05
    parameters = surrogate.network.of_rows(
        torch.zeros(1, surrogate.network.track + 2), torch.zeros(1, 7, ROWS)
    )
    n = 20_000
    logit = torch.full((n, ROWS), math.log(hazard / (1 - hazard)))
    parameters = parameters._replace(ends=logit, present=torch.full((n, ROWS), 20.0))
    rng = torch.Generator().manual_seed(1)
    log_chance = torch.rand((n, 1), generator=rng).log()
    present = presence(parameters, log_chance, torch.zeros(n, ROWS))
    expected = (1 - (1 - hazard) ** ROWS) / hazard
    assert present.sum(dim=1).mean().item() == pytest.approx(expected, rel=0.03)
    assert torch.all(present.diff(dim=1) <= 0)  # no holes where every row answers


def test_survival_is_the_product_of_what_goes_on():
    hazards = torch.randn(3, 7)
    expected = (1 - hazards.sigmoid()).cumprod(dim=1).log()
    assert torch.allclose(survival(hazards), expected, atol=1e-5)


def test_neighbours_share_what_they_are_told_to():
    rng = torch.Generator().manual_seed(1)
    scores = shared(torch.randn((5000, ROWS), generator=rng), torch.tensor(0.4))
    assert scores.std().item() == pytest.approx(1, abs=0.01)
    correlation = (scores[:, 1:] * scores[:, :-1]).mean().item()
    assert correlation == pytest.approx(0.4 / (1 + 0.4**2), abs=0.01)
    assert (scores[:, 2:] * scores[:, :-2]).mean().item() == pytest.approx(0, abs=0.01)
    # the truth is likelier than independence and than twice as much
    likelihoods = [
        log_density_of_neighbours(scores, torch.tensor(share)).mean().item()
        for share in (0.4, 0.0, 0.8)
    ]
    assert likelihoods[0] > max(likelihoods[1:])


def test_taking_polynomials_out_correlates_neighbours_as_foreseen():
    rng = torch.Generator().manual_seed(1)
    n = 4000
    position = torch.linspace(0.8, 2.5, ROWS).expand(n, -1)
    basis = orthonormal_polynomials(position, torch.ones(n, ROWS), 10)
    (left,) = smooth_and_rough(
        basis, torch.zeros(n, 1, 10), torch.randn((n, 1, ROWS), generator=rng)
    )
    left = left / (1 - leverages(basis)).sqrt()
    found = (left[:, 1:] * left[:, :-1]).mean(dim=0)
    assert torch.allclose(found[1:-1], neighbours(basis)[0, 1:-1], atol=0.07)
    assert found.mean().item() == pytest.approx(neighbours(basis).mean().item(), abs=0.01)


def test_interpolation_keeps_lines_within_a_group_and_knots_everywhere():
    counts = [63, 64, 32]
    knots, weights = interpolation(counts, 9)
    assert torch.allclose(weights.sum(dim=0), torch.ones(sum(counts)))
    line = torch.arange(sum(counts)).float()
    steps = line + 100 * (line >= 63)  # a jump between two groups
    assert torch.allclose(steps[knots] @ weights, steps, atol=1e-4)
