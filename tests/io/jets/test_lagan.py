import h5py
import numpy as np
import pytest

from simulacra.detectors import load_detector
from simulacra.errors import EventsError
from simulacra.io import read_events
from simulacra.observables import observables_of, observe
from tests.jets import random_jets


def written(path, events, scale=1.0, **changes):
    """A file in LAGAN's form: rows against phi, columns along eta, GeV."""
    images = np.rot90(events["images"].transpose(0, 2, 1), 0)[:, ::-1] * scale
    arrays = {
        "image": images,
        "signal": events["process"].astype(float),
        "jet_pt": events["images"].sum(axis=(1, 2)) * 1.05,
        "jet_mass": events["mass"] / 1e3,
        **changes,
    }
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array
    return path


def test_images_come_with_eta_first_and_phi_upwards(tmp_path):
    events = random_jets(20, 1)
    read = read_events(written(tmp_path / "a.h5", events))
    np.testing.assert_allclose(read["images"], events["images"])
    assert read.detector == load_detector("jet-image")
    assert read["process"].tolist() == events["process"].tolist()
    np.testing.assert_allclose(read["mass"], events["mass"], rtol=1e-6)
    # the authors' own formula, on their arrays: eta along columns, phi against rows
    with h5py.File(tmp_path / "a.h5") as file:
        theirs = file["image"][:]
    centres = events.detector.pixel_centres
    px = (theirs * np.cos(centres[::-1, None])).sum(axis=(1, 2))
    py = (theirs * np.sin(centres[::-1, None])).sum(axis=(1, 2))
    table = [o for o in observables_of(read.detector) if o.name == "image_pt"]
    np.testing.assert_allclose(observe(read, table)["image_pt"], np.hypot(px, py), rtol=1e-5)
    assert len(read_events(tmp_path / "a.h5", rows=slice(3, 7))) == 4


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"scale": 0.01}, "add up to"),
        ({"signal": np.full(20, 0.5)}, "no labels"),
        ({"signal": np.full(20, 2.0)}, "must be one of"),
        ({"image": np.ones((20, 24, 24))}, "reads out"),
        ({"jet_mass": np.full(19, 80.0)}, "different numbers"),
    ],
)
def test_files_of_another_form_are_refused(options, why, tmp_path):
    with pytest.raises(EventsError, match=why):
        read_events(written(tmp_path / "a.h5", random_jets(20, 1), **options))


def test_other_detectors_are_refused(tmp_path):
    path = written(tmp_path / "a.h5", random_jets(20, 1))
    for name in ("atlas-barrel", "jet-constituents"):
        with pytest.raises(EventsError, match="images of jets alone"):
            read_events(path, load_detector(name))
