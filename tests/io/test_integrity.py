"""Numbers that nobody wrote are an error, never zeros; stated units are converted."""

import os

import h5py
import numpy as np
import pytest

from simulacra.detectors import load_detector
from simulacra.errors import EventsError
from simulacra.io import EventFile, read_events, write_events
from tests.conftest import random_events
from tests.io.test_foreign import showers_like

N = 12
VOXELS = load_detector("calochallenge-1-photons")


@pytest.fixture
def showers():
    return showers_like(VOXELS, N)["showers"]


def plain(path, showers, energy=None):
    """A plain file whose showers are an array, or made by a function of the open file."""
    with h5py.File(path, "w") as file:
        file["incident_energies"] = np.full((N, 1), 10_000.0) if energy is None else energy
        if callable(showers):
            showers(file)
        else:
            file["showers"] = showers
    return path


def refused(path, *words, rows=slice(None)):
    with pytest.raises(EventsError) as caught:
        read_events(path, VOXELS, rows)
    assert "\n" not in str(caught.value)
    for word in (str(path), *words):
        assert word in str(caught.value)


@pytest.mark.parametrize("attribute", ["_FillValue", "missing_value"])
def test_values_that_the_file_calls_missing_are_refused(showers, tmp_path, attribute):
    """As NetCDF marks them; a mark of which no value is, or of zero, is none."""

    def make(mark, value):
        def write(file):
            file["showers"] = np.where(showers > np.quantile(showers, 0.99), value, showers)
            file["showers"].attrs[attribute] = mark

        return write

    refused(plain(tmp_path / "a.h5", make(-999.0, -999.0)), "showers holds", "calls missing")
    for mark in (np.float32(9.96921e36), 0.0):
        path = plain(tmp_path / "b.h5", make(mark, 1.0))
        assert len(read_events(path, VOXELS)) == N


# --- numbers that were never written -------------------------------------------------------------


def virtual(showers, folder, name="part{}.h5", length=N // 2):
    """A function that makes showers of two halves in files of their own."""
    for k in (0, 1):
        with h5py.File(folder / name.format(k), "w") as file:
            file["cells"] = showers[k * N // 2 :][:length]

    def make(file):
        layout = h5py.VirtualLayout(showers.shape, "f8")
        for k in (0, 1):
            half = slice(k * N // 2, (k + 1) * N // 2)
            layout[half] = h5py.VirtualSource(name.format(k), "cells", (N // 2, showers.shape[1]))
        file.create_virtual_dataset("showers", layout, fillvalue=0)

    return make


def test_virtual_sources_are_followed(showers, tmp_path, monkeypatch):
    path = plain(tmp_path / "all.h5", virtual(showers, tmp_path))
    monkeypatch.chdir(os.sep)  # sources lie beside the file
    assert np.array_equal(read_events(path, VOXELS)["showers"], showers)
    (tmp_path / "part1.h5").unlink()
    refused(path, "its source part1.h5 is missing")
    (tmp_path / "part1.h5").write_text("no HDF5")
    refused(path, "part1.h5 is not a readable HDF5 file")
    with h5py.File(tmp_path / "part1.h5", "w") as file:
        file["other"] = showers[N // 2 :]
    refused(path, "part1.h5 has no data set cells")


def test_virtual_sources_cover_all_events(showers, tmp_path):
    short = plain(tmp_path / "short.h5", virtual(showers, tmp_path, "short{}.h5", length=3))
    refused(short, "short0.h5", "too small")

    def gap(file):
        with h5py.File(tmp_path / "one.h5", "w") as other:
            other["cells"] = showers[:4]
        layout = h5py.VirtualLayout(showers.shape, "f8")
        layout[:4] = h5py.VirtualSource("one.h5", "cells", (4, showers.shape[1]))
        file.create_virtual_dataset("showers", layout, fillvalue=0)

    refused(plain(tmp_path / "gap.h5", gap), "no source covers from event 4 on")


def chunked(showers, written):
    def make(file):
        data = file.create_dataset("showers", showers.shape, "f8", chunks=(4, showers.shape[1]))
        data[written] = showers[written]

    return make


def test_unwritten_chunks_are_named(showers, tmp_path):
    path = plain(tmp_path / "a.h5", chunked(showers, slice(0, 8)))
    refused(path, "showers was never written for events 8 to 11")
    assert np.array_equal(read_events(path, VOXELS, slice(0, 8))["showers"], showers[:8])
    refused(path, "events 8 to 11", rows=slice(7, 9))
    never = plain(tmp_path / "b.h5", lambda f: f.create_dataset("showers", showers.shape, "f8"))
    refused(never, "showers was declared, but its numbers were never written")


def test_unwritten_chunks_of_our_own_files(events, tmp_path):
    write_events(events, tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        shape, attrs = file["showers"].shape, dict(file["showers"].attrs)
        del file["showers"]
        file.create_dataset("showers", shape, "f4", chunks=(8, shape[1])).attrs.update(attrs)
    with pytest.raises(EventsError, match="never written for events 0 to 7"):
        read_events(tmp_path / "a.h5")


def test_external_files_and_links(showers, tmp_path):
    raw = tmp_path / "showers.bin"
    raw.write_bytes(showers.tobytes())

    def external(file):
        place = [(str(raw), 0, showers.nbytes)]
        file.create_dataset("showers", showers.shape, "f8", external=place)

    path = plain(tmp_path / "a.h5", external)
    assert np.array_equal(read_events(path, VOXELS)["showers"], showers)
    raw.write_bytes(showers.tobytes()[:-800])
    refused(path, "showers.bin", "ends 800 bytes early")
    raw.unlink()
    refused(path, "showers.bin, which is missing")

    def link(file):
        file["showers"] = h5py.ExternalLink("gone.h5", "/cells")

    refused(plain(tmp_path / "b.h5", link), "showers is a link to /cells of gone.h5")
    (tmp_path / "b.h5").rename(tmp_path / "showers.h5")
    with pytest.raises(EventsError, match="gone.h5, which is missing"):
        EventFile(tmp_path / "showers.h5", VOXELS)


# --- units and types -----------------------------------------------------------------------------


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize(
    ("attribute", "text", "scale"),
    [
        ("unit", "GeV", 1e-3),
        ("units", b"GeV", 1e-3),
        ("Units", "[keV]", 1e3),
        ("UNIT", np.array(["gev"], dtype="S3"), 1e-3),
        ("energy_unit", "TeV", 1e-6),
        ("unit", "Mega electron", None),
        ("unit", "meV", None),
        ("unit", "cm", None),
        ("unit", 1000.0, None),
        ("scale_factor", 0.5, None),
    ],
)
def test_stated_units_are_converted_or_refused(attribute, text, scale, own, showers, tmp_path):
    path = plain(tmp_path / "a.h5", showers)
    if own:
        write_events(showers_like(VOXELS, N), path)
    with h5py.File(path, "r+") as file:
        for name in ("showers", "incident_energies"):
            file[name][...] = file[name][()] * (scale or 1)
            file[name].attrs.pop("unit", None)
            file[name].attrs[attribute] = text
            file[name].attrs["community"] = "ATLAS"
    if scale is None:
        refused(path, attribute)
        return
    events = read_events(path, VOXELS)
    assert np.allclose(events.conditions["energy"], 10_000, rtol=1e-12)
    assert np.allclose(events["showers"], showers, rtol=1e-12)


def test_one_stated_unit_is_enough_and_two_must_agree(showers, tmp_path):
    path = plain(tmp_path / "a.h5", showers * 1e-3, np.full((N, 1), 10.0))
    refused(path, "no unit is stated", "--unit GeV")
    events = read_events(path, VOXELS, unit="GeV")
    assert np.allclose(events["showers"], showers, rtol=1e-12)
    assert len(EventFile(path, VOXELS, "GeV")) == N
    with h5py.File(path, "r+") as file:
        file.attrs["energy_units"] = "GeV"
    assert np.allclose(read_events(path, VOXELS)["showers"], showers, rtol=1e-12)
    with pytest.raises(EventsError, match="states the unit GeV, which --unit MeV contradicts"):
        read_events(path, VOXELS, unit="MeV")
    with h5py.File(path, "r+") as file:
        file["showers"].attrs.update(unit="GeV", units="MeV")
    refused(path, "showers states two units")


def test_other_units_of_conditions(events, tmp_path):
    write_events(events, tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        impact = file["conditions/impact_eta"]
        impact[...] = impact[()] / 10
        impact.attrs["unit"] = "cm"
    read = read_events(tmp_path / "a.h5").conditions["impact_eta"]
    assert np.allclose(read, events.conditions["impact_eta"], rtol=1e-6)


def test_conditions_whose_unit_nothing_states_are_noted(events, tmp_path):
    """In files that do not say their detector; numbers of centimetres would be taken for mm."""
    write_events(events, tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        del file["conditions/impact_eta"].attrs["unit"]
    read_events(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        del file.attrs["detector"]
    with pytest.warns(UserWarning, match="unit of the conditions: taken are impact_eta in mm$"):
        read_events(tmp_path / "a.h5", events.detector)


@pytest.mark.parametrize("energies", ["<i4", ">i8", ">f4", "<f2", "<u2"])
@pytest.mark.parametrize("cells", [">f4", "<f2", "<i2", ">u4", ">f8"])
@pytest.mark.parametrize("shape", [(N,), (N, 1), (N, 1, 1)])
def test_types_and_shapes_of_others(energies, cells, shape, showers, tmp_path):
    whole = np.round(showers).astype(cells)
    path = plain(tmp_path / "a.h5", whole, np.full(shape, 10_000).astype(energies))
    read = read_events(path, VOXELS)
    assert read["showers"].dtype in (np.float32, np.float64)
    assert read["showers"].dtype.isnative
    assert np.array_equal(read["showers"], whole.astype(float))
    assert read.conditions["energy"].tolist() == [10_000] * N


@pytest.mark.parametrize(
    ("energy", "words"),
    [
        (np.full((N, 2), 1e4), ("incident_energies has the shape (12, 2)",)),
        (np.full((1, N), 1e4), ("incident_energies has the shape (1, 12)",)),
        (np.full(N - 1, 1e4), ("11 in energy, 12 in showers",)),
        (np.float64(1e4), ("incident_energies has no axis of events",)),
        (np.array([b"1 GeV"] * N), ("incident_energies is not an array of numbers",)),
        (np.ones(N, bool), ("incident_energies holds truth values",)),
    ],
)
def test_energies_of_other_shapes_are_named(energy, words, showers, tmp_path):
    refused(plain(tmp_path / "a.h5", showers, energy), *words)


def test_two_energies_must_agree(showers, tmp_path):
    path = plain(tmp_path / "a.h5", showers)
    with h5py.File(path, "r+") as file:
        file["incident_energy"] = np.full(N, 10_000, "f4")
    with pytest.warns(UserWarning, match="left out: incident_energy"):
        read_events(path, VOXELS)
    with h5py.File(path, "r+") as file:
        file["incident_energy"][3] = 9000
    refused(path, "incident_energies and incident_energy disagree", "in event 3")


def test_what_is_left_out_is_named(showers, tmp_path):
    path = plain(tmp_path / "a.h5", showers)
    with h5py.File(path, "r+") as file:
        file["truth/event_id"] = np.arange(N)
        file["mask"] = np.ones(N, bool)
        file["Weights"] = np.where(np.arange(N) % 4, 1.0, -1.0)
    with pytest.warns(UserWarning, match="left out") as caught:
        read_events(path, VOXELS)
    said = [str(warning.message) for warning in caught]
    assert any("(Weights), 3 of them negative, are left out" in line for line in said)
    assert any("left out: mask, truth/event_id" in line for line in said)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"showers": (N, 368)}, ("calochallenge files need incident_energies too",)),
        ({"ECAL": (2, 51, 51, 25), "theta": (2,), "energy": (2,)}, ("3dgan files need target",)),
        ({"incident_energies": (N, 1)}, ("need showers too", "incident_energies (12, 1)")),
        ({"data/incident_energies": (N, 1), "data/showers": (N, 368)}, ("it holds data/",)),
        ({"showers": (N, 368), "truth/incident_energies": (N, 1)}, ("at the top, not as truth/",)),
        ({}, ("it holds no arrays",)),
    ],
)
def test_files_that_are_nearly_of_a_kind(arrays, words, tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, shape in arrays.items():
            file[name] = np.ones(shape)
    refused(tmp_path / "a.h5", *words)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("showers", h5py.Empty("f8")),
        ("showers", np.zeros(N, [("cell", "i4"), ("energy", "f4")])),
        ("showers", np.zeros((N, 368), complex)),
        ("showers", h5py.SoftLink("/")),
        ("incident_energies", h5py.SoftLink("/nowhere")),
    ],
)
def test_what_is_no_array_of_numbers(name, content, showers, tmp_path):
    path = plain(tmp_path / "a.h5", showers)
    with h5py.File(path, "r+") as file:
        del file[name]
        file[name] = content
    for detector in (VOXELS, None):
        with pytest.raises(EventsError, match=r"a\.h5: "):
            read_events(path, detector)


def test_an_array_called_conditions_holds_none(showers, tmp_path):
    path = plain(tmp_path / "a.h5", showers)
    with h5py.File(path, "r+") as file:
        file["conditions"] = np.ones(N)
    with pytest.warns(UserWarning, match="left out: conditions"):
        assert set(read_events(path, VOXELS).conditions.columns) == {"energy"}


# --- Par04's angles ------------------------------------------------------------------------------


def test_angles_of_par04_come_from_the_file_and_go_there(tmp_path):
    detector = load_detector("par04-siw")
    sent = random_events(detector, 6)
    write_events(sent, tmp_path / "a.h5", "par04")
    back = read_events(tmp_path / "a.h5", detector)
    assert np.allclose(back.conditions["theta"], sent.conditions["theta"], atol=1e-7)
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        theta = np.degrees(file["incident_theta"][()])
        del file["incident_theta"]
        file["incident_theta"] = 180 - theta  # from the other side, as steep
    with pytest.raises(EventsError, match="incident_theta goes from .* state it"):
        read_events(tmp_path / "a.h5", detector)
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        file["incident_theta"].attrs["unit"] = "degree"
    back = read_events(tmp_path / "a.h5", detector)
    assert np.allclose(back.conditions["theta"], sent.conditions["theta"], atol=1e-6)
    with pytest.warns(UserWarning, match="incident_theta is left out: calochallenge-2"):
        read_events(tmp_path / "a.h5", load_detector("calochallenge-2"))
