"""Chambers of one's own: no cluster behind an end plate, whatever the model and the chamber."""

import numpy as np
import pytest
import torch

from simulacra.errors import CardError, EventsError
from simulacra.helix import crossings, helix_of
from simulacra.models import MODELS, find_model
from simulacra.models.surrogate import Surrogate
from simulacra.transforms import HelixFrame, TrackTables
from simulacra.transforms.tpc.effective_helix import PARAMETERS
from simulacra.transforms.tpc.tracks import presence_of, table_rows
from tests.chambers import chamber, ideal_events, random_chamber, random_particles
from tests.conftest import SMALL_MODELS

CHAMBERS = 200
OF_TRACKS = [kind for kind, entry in MODELS.items() if entry.serves == "tpc"]


def ideal_z(detector, conditions):
    """Return z (n, rows) at which ideal helices cross the pad rows, mm."""
    columns = {name: np.asarray(column, float) for name, column in conditions.columns.items()}
    species = detector.conditions["pdg"].categories
    helix = helix_of(columns, species, detector.magnetic_field)
    return crossings(helix, detector.row_radii)


def check(detector, response):
    """Check that rows have a cluster between the end plates, or none and zeros."""
    clusters, present = (np.asarray(response[name]) for name in ("clusters", "cluster_mask"))
    present = present > 0
    assert np.all(np.isfinite(clusters))
    assert not np.any(clusters[~present])
    assert np.all(np.abs(clusters[..., 2]) <= np.float32(detector.drift_length))
    return present


@pytest.fixture(scope="module", params=range(CHAMBERS // 50))
def chambers(request):
    """50 chambers with 20 particles each."""
    rng = np.random.default_rng(request.param)
    some = [random_chamber(rng) for _ in range(50)]
    return [(each, random_particles(each, 20, rng)) for each in some]


def test_helices_end_at_the_end_plate_of_any_chamber(chambers):
    """Of tracks that follow their helix, exactly the rows behind the plate are empty."""
    cut = 0
    for detector, conditions in chambers:
        frame = HelixFrame(detector)
        columns = torch.from_numpy(conditions.matrix(frame.names))
        rows = len(detector.row_radii)
        features = torch.zeros(len(columns), PARAMETERS + 6 * rows)
        features[:, PARAMETERS : PARAMETERS + rows] = 1.0  # every row has a cluster
        ideal = ideal_z(detector, conditions)
        there = ideal.reached.all(axis=1)  # others bend less until they come so far
        present = check(detector, frame.inverse(features, columns))[there]
        z = np.abs(ideal.z[there])
        sure = np.abs(z - detector.drift_length) > 0.1  # single precision
        np.testing.assert_array_equal(present[sure], (z < detector.drift_length)[sure])
        cut += np.sum(~present)
    assert cut > 100


def test_tables_end_at_the_end_plate_of_any_chamber(chambers):
    """Rows behind the plate are empty whatever the network says; the others it decides."""
    rng = torch.Generator().manual_seed(1)
    for detector, conditions in chambers:
        tables = TrackTables(detector)
        columns = torch.from_numpy(conditions.matrix(tuple(detector.conditions)))
        made = torch.rand((len(columns), table_rows(detector), 6), generator=rng)
        present = check(detector, tables.inverse(made, columns))
        asked = presence_of(made)[:, : len(detector.row_radii)].numpy() > 0.5
        z = np.abs(ideal_z(detector, conditions).z)
        sure = np.abs(z - detector.drift_length) > 0.1
        expected = asked & (z < detector.drift_length)
        np.testing.assert_array_equal(present[sure], expected[sure])


@pytest.mark.slow
def test_helices_come_back_in_any_chamber(chambers):
    """Clusters to features and back, also of tracks that leave through the end plate."""
    off, lost, clusters = [], 0, 0
    for detector, conditions in chambers:
        events = ideal_events(detector, conditions, np.random.default_rng(1), smearing=0.0)
        frame = HelixFrame(detector)
        columns = torch.from_numpy(conditions.matrix(frame.names))
        response = {name: torch.from_numpy(a).float() for name, a in events.response.items()}
        back = frame.inverse(frame.forward(response, columns), columns)
        both = (response["cluster_mask"] * back["cluster_mask"])[..., None] > 0
        apart = torch.where(both, back["clusters"] - response["clusters"], 0.0)[..., :3]
        off += apart.norm(dim=-1).amax(dim=1).tolist()
        lost += (response["cluster_mask"] - back["cluster_mask"]).abs().sum().item()
        clusters += response["cluster_mask"].sum().item()
    assert lost < 1e-3 * clusters
    assert np.mean(np.array(off) > 1.0) < 0.01


@pytest.mark.parametrize("kind", OF_TRACKS)
def test_no_model_makes_a_cluster_behind_an_end_plate(kind):
    """Random weights, tracks of any direction, a chamber of 30 cm drift that most of them leave."""
    detector, rng = chamber(drift_length=300.0, eta=(-1.8, 1.8)), np.random.default_rng(2)
    conditions = random_particles(detector, 200, rng)
    entry = find_model(kind)
    config = entry.Config.model_validate(SMALL_MODELS[kind])
    with torch.random.fork_rng():
        torch.manual_seed(1)
        surrogate = Surrogate(entry, config, detector)
        surrogate.fit(ideal_events(detector, conditions, rng))
    present = check(detector, surrogate.eval().generate(conditions, seed=1))
    ideal = ideal_z(detector, conditions)
    stiff = conditions["transverse_momentum"] > 1000.0
    beyond = (np.abs(ideal.z) > detector.drift_length + 60)[stiff]
    assert beyond.mean() > 0.2
    # Untrained, helix-flow's own helices lead up to centimetres beside the ideal ones.
    assert present[stiff][beyond].mean() < 0.01


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": 5, "pitch": 40.0},
        {"magnetic_field": 0.0, "species": (211,)},
        {"magnetic_field": -4.0, "eta": (-2.0, 2.0), "drift_length": 200.0},
        {"spot": 0.0, "vertex": 0.0, "eta": (0.5, 0.5)},
        {"spot": 30.0, "vertex": 200.0, "drift_length": 400.0},
    ],
)
def test_helix_flow_learns_and_answers_in_odd_chambers(changes):
    """Few rows, no field, one species, a fixed direction or vertex: all numbers are finite."""
    surrogate, events = small_helix_flow(changes)
    features, conditions = surrogate.fit(events)
    losses = surrogate.model.losses(features, conditions, torch.Generator().manual_seed(1))
    sum(losses.values()).backward()
    numbers = [features, conditions, *losses.values()]
    numbers += [p.grad for p in surrogate.model.parameters() if p.grad is not None]
    assert all(torch.isfinite(number).all() for number in numbers)
    check(events.detector, surrogate.eval().generate(events.conditions, seed=1))


def test_what_helix_flow_cannot_learn_is_refused():
    with pytest.raises(CardError, match="at least 5 pad rows, own has 4"):
        small_helix_flow({"rows": 4})
    surrogate, events = small_helix_flow({"eta": (2.0, 2.5), "drift_length": 300.0})
    with pytest.raises(EventsError, match="no clusters"):
        surrogate.fit(events)


def small_helix_flow(changes):
    """Return a tiny helix-flow for a chamber, and 150 tracks there."""
    detector, rng = chamber(**changes), np.random.default_rng(1)
    entry = find_model("helix-flow")
    config = entry.Config.model_validate(SMALL_MODELS["helix-flow"])
    with torch.random.fork_rng():
        torch.manual_seed(1)
        surrogate = Surrogate(entry, config, detector)
    conditions = random_particles(detector, 150, rng, (50.0, 5000.0))
    return surrogate, ideal_events(detector, conditions, rng)
