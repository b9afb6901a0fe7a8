"""Clusters to deviations from the helix and back."""

import numpy as np
import pytest
import torch

from simulacra.datasets.samples import load_sample
from simulacra.detectors import load_detector
from simulacra.helix import crossings
from simulacra.transforms import HelixFrame, TrackEncoder
from simulacra.transforms.tpc.circle_crossings import crossings_beside, nearest_to_axis
from simulacra.transforms.tpc.track_encoder import ROW_FEATURES
from tests.tracks import clusters_of, conditions


@pytest.fixture(scope="module")
def chamber():
    return load_detector("alice-tpc")


@pytest.fixture(scope="module")
def frame(chamber):
    return HelixFrame(chamber)


def some_tracks(frame, smearing=(0.5, 0.5), momentum=(120.0, 10_000.0), eta=0.9):
    """Clusters and conditions (300 tracks) in double precision."""
    named = conditions(300, momentum=momentum, eta=eta)
    columns = torch.tensor(np.stack([named[name] for name in frame.names], axis=1)).double()
    _, points, present = clusters_of(named, smearing)
    rng = np.random.default_rng(3)
    charge = np.exp(rng.normal(4, 0.5, present.shape)) * present
    clusters = np.concatenate([points, np.stack([charge, charge / 3], axis=-1)], axis=-1)
    response = {"clusters": clusters, "cluster_mask": present}
    return {k: torch.tensor(v).double() for k, v in response.items()}, columns


@pytest.fixture(scope="module")
def sample(frame):
    return some_tracks(frame)


def test_inverse_after_forward_is_the_identity(frame, sample):
    response, columns = sample
    back = frame.inverse(frame.forward(response, columns).double(), columns)
    assert torch.equal(back["cluster_mask"], response["cluster_mask"])
    apart = (back["clusters"] - response["clusters"]).norm(dim=-1)
    # Single precision of the features; at the apex, where the row is met under no angle, its root.
    assert apart.quantile(0.99) < 2e-3
    assert apart.max() < 10.0


@pytest.mark.slow
def test_curlers_of_full_simulation_come_back(chamber, frame):
    """Also of 100 to 150 MeV/c, which turn back at a row; positions are rounded to 1/64 mm.

    That rounding of a radius is up to 5 mm along a row that a track of 0.8 m just touches.
    """
    events = load_sample("test", chamber.name)
    columns = torch.from_numpy(events.conditions.matrix(frame.names))
    response = {name: torch.from_numpy(array).float() for name, array in events.response.items()}
    back = frame.inverse(frame.forward(response, columns), columns)
    assert torch.equal(back["cluster_mask"], response["cluster_mask"])
    apart = (back["clusters"] - response["clusters"])[..., :3].norm(dim=-1).amax(dim=1)
    slow = columns[:, frame.names.index("transverse_momentum")] < 150.0
    assert (apart > 1.0).sum() < 0.02 * len(apart)
    assert (apart[slow] > 1.0).sum() < 0.1 * slow.sum()
    assert apart.max() < 10.0


def test_exact_helices_have_no_deviations(frame):
    features = frame.forward(*some_tracks(frame, smearing=(0.0, 0.0)))
    assert features[:, 1:3].abs().max() < 1e-6


@pytest.mark.slow
def test_helices_far_off_the_ideal_one_are_found(frame):
    """Clusters of other tracks, under the conditions of these: as after a decay."""
    response, columns = some_tracks(frame, smearing=(0.0, 0.0), momentum=(300.0, 600.0))
    turned = columns.clone()
    turned[:, frame.names.index("phi")] += 0.8
    features = frame.forward(response, turned)
    off = features[:, 5:].view(len(features), 6, -1)[:, 1:3].square().mean(dim=(1, 2)).sqrt()
    assert off.median() < 1e-2
    assert off.quantile(0.9) < 10.0  # mm; they lie 1.4 m away
    back = frame.inverse(features.double(), turned)["clusters"] - response["clusters"]
    assert back.norm(dim=-1).quantile(0.99) < 0.1


def test_helices_that_bend_too_much_still_come_as_far_as_their_last_cluster(frame):
    # of which none leaves through an end plate
    response, columns = some_tracks(frame, momentum=(120.0, 300.0), eta=0.4)
    features = frame.forward(response, columns)
    features[:, 2] += 400.0  # half as much curvature again
    back = frame.inverse(features.double(), columns)
    lost = response["cluster_mask"] - back["cluster_mask"]
    assert lost.mean() < 1e-3
    radius = back["clusters"][..., :2].norm(dim=-1) - frame.radii
    assert radius[back["cluster_mask"] > 0].abs().max() < 1.1


def test_deviations_know_neither_charge_nor_azimuth_nor_side(frame, sample):
    response, columns = sample
    features = frame.forward(response, columns)
    mirrored = columns.clone()
    names = frame.names
    # Charge conjugation with a reflection of y; a reflection of z.
    mirrored[:, names.index("pdg")] *= -1
    for name in ("phi", "vertex_y", "pseudorapidity", "vertex_z"):
        mirrored[:, names.index(name)] *= -1
    clusters = response["clusters"] * torch.tensor([1.0, -1.0, -1.0, 1.0, 1.0])
    same = frame.forward({**response, "clusters": clusters}, mirrored)
    assert torch.allclose(features, same, atol=1e-3)


def test_shifted_circles_cross_the_rows(frame, sample):
    """Points are on their row and on their circle, and the first are where helices cross."""
    _, columns = sample
    helix, radii = frame.helix(columns), frame.radii.double()
    zero = torch.zeros(len(columns), len(radii), dtype=torch.float64)
    across = zero + torch.linspace(-20, 20, len(radii))
    near = nearest_to_axis(helix)
    centre = [part * (1 / near.kappa + near.away) for part in near.towards]
    for turned in (zero, zero + 1):
        found = crossings_beside(helix, across, turned, radii)
        there = found.reached > 0
        assert torch.allclose(torch.hypot(found.x, found.y), radii.expand_as(zero), atol=1e-6)
        from_centre = torch.hypot(found.x - centre[0], found.y - centre[1])
        off = (from_centre - 1 / near.kappa - across).abs()[there]
        assert off.max() < 1.1
        assert off.quantile(0.99) < 1e-4
    ideal, found = crossings(helix, radii), crossings_beside(helix, zero, zero, radii)
    there = ideal.reached & (found.x.hypot(found.y) < 1.99 / near.kappa)
    for name in ("x", "y", "z"):
        pair = (getattr(place, name)[there] for place in (ideal, found))
        assert torch.allclose(*pair, atol=1e-3), name


def test_encoder_is_finite_and_blind_to_symmetries(frame, chamber, sample):
    encoder = TrackEncoder(chamber)
    columns = sample[1].float()
    features = encoder(columns)
    assert features.shape == (len(columns), encoder.features)
    assert encoder.features == encoder.track_features + ROW_FEATURES * len(encoder.radii)
    assert torch.isfinite(features).all()
    columns = columns.clone()
    turned = columns.clone()
    for name in ("vertex_x", "vertex_y"):
        columns[:, frame.names.index(name)] = turned[:, frame.names.index(name)] = 0.0
    turned[:, frame.names.index("phi")] = 1.0
    for name in ("pdg", "pseudorapidity", "vertex_z"):
        turned[:, frame.names.index(name)] *= -1
    assert torch.allclose(encoder(columns), encoder(turned), atol=1e-4)
