"""Files that do not say their detector beside files and simulators that do."""

import numpy as np
import pytest

from simulacra.conditions import Conditions
from simulacra.detectors import load_detector
from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.io import EventFile, open_partners, write_events
from simulacra.simulators.requests import conditions_like


@pytest.fixture
def rings():
    """A detector of nothing but an energy: what files of others can be of."""
    return load_detector("calochallenge-2")


@pytest.fixture
def files(rings, tmp_path):
    """The same events with their detector and, as others have them, without."""
    rng = np.random.default_rng(1)
    energy = rng.uniform(1e3, 1e4, 12).astype(np.float32)
    cells = rng.dirichlet(np.full(rings.n_cells, 0.05), 12) * energy[:, None]
    events = Events(Conditions({"energy": energy}), {"showers": cells}, rings, {"particle": "e-"})
    write_events(events, tmp_path / "ours.h5")
    write_events(events, tmp_path / "theirs.h5", "calochallenge")
    return tmp_path / "ours.h5", tmp_path / "theirs.h5"


def opener(path):
    return lambda detector: EventFile(path, detector)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_who_does_not_say_the_detector_takes_the_partner_s(files, rings, order):
    chosen = {files[i].name: opener(files[i]) for i in order}
    with pytest.warns(UserWarning, match=r"theirs\.h5 does not say.*calochallenge-2, as ours\.h5"):
        opened = open_partners(chosen)
    assert list(opened) == [files[i].name for i in order]
    assert all(source.detector == rings for source in opened.values())


def test_sizes_are_checked_and_somebody_has_to_say_it(files, barrel, events, tmp_path):
    ours, theirs = files
    with pytest.raises(EventsError, match="does not say which detector"):
        open_partners({"theirs": opener(theirs)})
    write_events(events, tmp_path / "barrel.h5")
    with pytest.raises(EventsError, match=r"theirs\.h5: .*atlas-barrel"):
        open_partners({"theirs": opener(theirs), "b": opener(tmp_path / "barrel.h5")})
    with pytest.raises(EventsError, match=r"no events file"):
        open_partners({"ours": opener(ours), "none": opener(tmp_path / "none.h5")})


class Serving:
    """A simulator that says what it serves."""

    def __init__(self, detector, particles=()):
        self.detector, self.particles = detector, particles
        self.chooses_particle = "pdg" in detector.conditions


def test_conditions_of_a_file_of_others_are_read_as_the_simulator_s(files, rings):
    _, theirs = files
    assert len(conditions_like(Serving(rings), str(theirs))) == 12
    both = Serving(rings.with_particles((11, 22)), ("e-", "gamma"))
    with pytest.raises(EventsError, match="which particle: give --particle"):
        conditions_like(both, str(theirs))
    assert set(conditions_like(both, str(files[0]))["pdg"].tolist()) == {11}
    with pytest.raises(EventsError, match="other axes"):
        conditions_like(Serving(load_detector("calochallenge-3")), str(theirs))
