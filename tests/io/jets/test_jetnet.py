import h5py
import numpy as np
import pytest

from simulacra.detectors import load_detector
from simulacra.errors import EventsError
from simulacra.io import read_events, write_events

N = 12
NOT_STATED = pytest.mark.filterwarnings("ignore:.*left out; the file does not state")
"""What every file of the kind brings about."""


def particles_of(number=30, seed=1):
    """Features (N, number, 4) of jets whose particles carry all momentum; some lists are full."""
    rng = np.random.default_rng(seed)
    share = np.sort(rng.exponential(1.0, (N, number)))[:, ::-1]
    lit = np.arange(number) < rng.integers(5, number + 1, (N, 1))
    share = share * lit
    share = share / share.sum(axis=1, keepdims=True)
    points = rng.normal(0.0, 0.2, (N, number, 2)) * lit[..., None]
    return np.concatenate([points, share[..., None], lit[..., None]], axis=-1)


def jets_of(particles, seed=2):
    """Features (N, 4): momentum, eta, mass and number of particles."""
    rng = np.random.default_rng(seed)
    momentum, eta, mass = rng.uniform(900, 1100, N), rng.uniform(-2, 2, N), rng.uniform(5, 200, N)
    return np.stack([momentum, eta, mass, particles[..., 3].sum(axis=1)], axis=1)


def written(path, particles=None, jets=None):
    particles = particles_of() if particles is None else particles
    jets = jets_of(particles) if jets is None else jets
    with h5py.File(path, "w") as file:
        file["particle_features"] = particles.astype(np.float32)
        file["jet_features"] = jets.astype(np.float32)
    return path


@NOT_STATED
@pytest.mark.parametrize("number", [30, 150])
def test_particles_become_constituents_and_images(number, tmp_path):
    particles = particles_of(number)
    jets = jets_of(particles)
    events = read_events(written(tmp_path / "t.hdf5", particles, jets))
    assert events.detector == load_detector(f"jetnet-{number}")
    assert set(events["process"].tolist()) == {2}
    np.testing.assert_allclose(events["transverse_momentum"], 1e3 * jets[:, 0], rtol=1e-6)
    np.testing.assert_allclose(events["mass"], 1e3 * jets[:, 2], rtol=1e-6)
    constituents = events["constituents"]
    np.testing.assert_allclose(constituents[..., 2].sum(axis=1), jets[:, 0], rtol=1e-5)
    np.testing.assert_allclose(constituents[..., :2], particles[..., :2], atol=1e-6)
    assert (np.diff(constituents[..., 2], axis=1) <= 0).all()
    inside = (np.abs(particles[..., :2]) < 1.0).all(axis=-1)
    expected = (constituents[..., 2] * inside).sum(axis=1)
    np.testing.assert_allclose(events["images"].sum(axis=(1, 2)), expected, rtol=1e-5)


@NOT_STATED
def test_a_particle_lights_the_pixel_that_it_lies_in(tmp_path):
    particles = np.zeros((N, 30, 4))
    particles[:, 3] = [0.5, -0.25, 1.0, 1.0]  # not the first row: the list is sorted
    events = read_events(written(tmp_path / "w30.h5", particles))
    centres = events.detector.pixel_centres
    _, eta, phi = np.nonzero(events["images"])
    half = centres[1] - centres[0]
    assert len(eta) == N
    assert (np.abs(centres[eta] - 0.5) < half).all()
    assert (np.abs(centres[phi] + 0.25) < half).all()
    assert (events["constituents"][:, 0, 3] == 1).all()


@NOT_STATED
@pytest.mark.parametrize("place", [0, 4])
def test_the_type_is_the_first_or_the_last_of_five_columns(place, tmp_path):
    jets = jets_of(particles_of())
    types = np.arange(N) % 5
    five = np.insert(jets, place, types, axis=1)
    events = read_events(written(tmp_path / "all.hdf5", jets=five))
    assert events["process"].tolist() == types.tolist()
    np.testing.assert_allclose(events["mass"], 1e3 * jets[:, 2], rtol=1e-6)


@NOT_STATED
def test_pixels_are_those_of_the_detector_that_is_given(tmp_path):
    fine = load_detector("jetnet-30").model_copy(update={"name": "fine", "pixels": 40})
    events = read_events(written(tmp_path / "g.hdf5"), fine)
    assert events["images"].shape == (N, 40, 40)
    copy = tmp_path / "ours.h5"
    write_events(events, copy)
    np.testing.assert_array_equal(read_events(copy)["images"], events["images"])


def test_what_the_file_does_not_state_is_said(tmp_path):
    path = written(tmp_path / "g.hdf5")
    with pytest.warns(UserWarning, match=r"azimuth.*taken to be in GeV"):
        read_events(path)
    wide = particles_of()
    wide[..., 0] *= 8
    with (
        pytest.warns(UserWarning, match="does not state"),
        pytest.warns(UserWarning, match="beyond the image"),
    ):
        read_events(written(tmp_path / "q.hdf5", wide))


@NOT_STATED
def test_units_that_are_given_hold(tmp_path):
    jets = jets_of(particles_of())
    mega = jets * [1e3, 1, 1e3, 1]
    path = written(tmp_path / "g.hdf5", jets=mega)
    with pytest.raises(EventsError, match="another unit"):
        read_events(path)
    events = read_events(path, unit="MeV")
    np.testing.assert_allclose(events["mass"], mega[:, 2], rtol=1e-6)


@NOT_STATED
@pytest.mark.parametrize(
    ("name", "change", "why"),
    [
        ("jets.hdf5", lambda p, j: (p, j), "does not state the type"),
        ("g.hdf5", lambda p, j: (p[:, :20], j), "name a detector"),
        ("g.hdf5", lambda p, j: (p[..., :3], j), "mask"),
        ("g.hdf5", lambda p, j: (p - [0, 0, 0, 0.5], j), "normalised"),
        ("g.hdf5", lambda p, j: (p * [1, 1, 9, 1], j), "add up to"),
        ("g.hdf5", lambda p, j: (p * [1, 1, -1, 1], j), "add up to"),
        ("g.hdf5", lambda p, j: (p, j / 1e3), "another unit"),
        ("g.hdf5", lambda p, j: (p, j[:, :3]), "4 or 5 columns"),
        ("g.hdf5", lambda p, j: (p, np.insert(j, 4, 7, axis=1)), "types from 0 to 4"),
        ("g.hdf5", lambda p, j: (p, j[:5]), "different numbers"),
    ],
)
def test_files_of_another_form_are_refused(name, change, why, tmp_path):
    particles = particles_of()
    path = written(tmp_path / name, *change(particles, jets_of(particles)))
    with pytest.raises(EventsError, match=why):
        read_events(path)


@NOT_STATED
@pytest.mark.parametrize(
    ("detector", "why"),
    [
        ("atlas-barrel", "no events of"),
        ("jetnet-150", "no events of"),
        ("jet-constituents", "no events of"),
    ],
)
def test_other_detectors_are_refused(detector, why, tmp_path):
    with pytest.raises(EventsError, match=why):
        read_events(written(tmp_path / "g.hdf5"), load_detector(detector))


@NOT_STATED
def test_images_that_are_turned_need_subjets(tmp_path):
    turned = load_detector("jetnet-30").model_copy(update={"turning": "towers"})
    with pytest.raises(EventsError, match="turning: none"):
        read_events(written(tmp_path / "g.hdf5"), turned)
