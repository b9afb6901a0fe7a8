"""Files of others: round trips, where a planted hit lands, and what is refused."""

import builtins
import pickle

import h5py
import numpy as np
import pytest

from simulacra.conditions import Conditions
from simulacra.detectors import Calorimeter, load_detector
from simulacra.errors import EventsError, MissingDependencyError
from simulacra.events import Events
from simulacra.io import (
    FORMATS,
    EventFile,
    datasets,
    format_of,
    parse_rows,
    read_events,
    recognise,
    write_events,
)
from tests.conftest import random_events

WRITABLE = {
    "calochallenge": ("calochallenge-1-pions", ".h5"),
    "par04": ("calochallenge-2", ".h5"),
    "calogan": ("calogan", ".h5"),
    "root": ("calochallenge-1-photons", ".root"),
}
"""For each format a detector that it can hold; 3DGAN's is read only."""


def showers_like(detector, n=20, energy=10_000.0, response=0.9, seed=0):
    """Events that look like showers: round, narrow, longer than wide, and with the energy given."""
    rng = np.random.default_rng(seed)
    depth = np.arange(len(detector.layers)) / len(detector.layers)
    cells = np.zeros((n, detector.n_cells))
    for z, layer in zip(depth, detector.layers, strict=True):
        radius = np.hypot(layer.x, layer.y)
        lateral = np.exp(-radius / 12)
        cells[:, layer.cells] = (z + 0.02) * np.exp(-5 * z) * lateral / lateral.sum()
    cells = rng.gamma(200 * cells / cells.max() + 1e-9)
    cells *= energy * response / cells.sum(axis=1, keepdims=True)
    return Events(Conditions({"energy": np.full(n, energy)}), {"showers": cells}, detector)


def one_hit(detector, layer, row, column, energy=1000.0):
    """An event with all its energy in the cell of a layer at (row, column) of its shape."""
    layer = detector.layers[layer]
    cells = np.zeros((1, detector.n_cells), np.float32)
    cells[0, layer.cells][row * layer.shape[1] + column] = energy
    return Events(Conditions({"energy": np.array([energy])}), {"showers": cells}, detector)


def plain(path, **arrays):
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name.replace("three_", "")] = array
    return path


def cube(images, energy=100.0):
    return {"ECAL": images, "target": np.tile([0.0, energy], (len(images), 1))}


def clic_images(n=4):
    """Showers of 100 GeV of which 2 % is visible, in GeV, (n, x, y, z)."""
    detector = load_detector("clic-ecal")
    cells = showers_like(detector, n, energy=100.0, response=0.02)["showers"]
    return np.moveaxis(cells.reshape(n, 25, 25, 25), 1, -1)


# --- round trips ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WRITABLE)
def test_round_trip(name, tmp_path):
    detector_name, ending = WRITABLE[name]
    detector = load_detector(detector_name)
    sent = showers_like(detector)
    path = tmp_path / f"events{ending}"
    write_events(sent, path, name)
    assert recognise(path) == name
    back = read_events(path, detector)
    assert back.detector == detector
    assert np.allclose(back.conditions["energy"], sent.conditions["energy"], rtol=1e-12)
    assert np.allclose(back["showers"], sent["showers"], rtol=1e-12)


@pytest.mark.parametrize("name", ["calochallenge", "par04", "calogan"])
def test_low_energies_come_back_since_units_are_written(name, tmp_path):
    detector = load_detector(WRITABLE[name][0])
    sent = showers_like(detector, energy=50.0)
    write_events(sent, tmp_path / "a.h5", name)
    back = read_events(tmp_path / "a.h5", detector)
    assert np.allclose(back.conditions["energy"], 50.0, rtol=1e-12)


@pytest.mark.parametrize("name", WRITABLE)
def test_part_of_a_file(name, tmp_path):
    detector_name, ending = WRITABLE[name]
    detector = load_detector(detector_name)
    path = tmp_path / f"events{ending}"
    write_events(showers_like(detector), path, name)
    whole = read_events(path, detector)
    for rows in (slice(3, 7), slice(-2, None), slice(5)):
        part = read_events(path, detector, rows)
        assert np.array_equal(part["showers"], whole["showers"][rows])
        assert len(part.conditions) == len(part["showers"])
    with pytest.raises(EventsError, match="slice without step"):
        read_events(path, detector, slice(0, 8, 2))
    file = EventFile(path, detector)
    assert len(file) == len(whole)
    assert np.array_equal(file.take(slice(3, 7))["showers"], whole["showers"][3:7])


def test_part_of_a_native_file(events, tmp_path):
    write_events(events, tmp_path / "events.h5")
    part = read_events(tmp_path / "events.h5", rows=slice(10, 20))
    assert np.array_equal(part["showers"], events["showers"][10:20])
    name = "alignment_phi"
    assert np.array_equal(part.conditions[name], events.conditions[name][10:20])


@pytest.mark.parametrize("detector_name", ["atlas-barrel", "calochallenge-2"])
def test_root_carries_conditions_detector_and_provenance(detector_name, tmp_path):
    """Few cells are written one and all, many cells as hits; both come back exactly."""
    detector = load_detector(detector_name)
    events = random_events(detector, 8)
    write_events(
        Events(events.conditions, events.response, detector, {"seed": 3}), tmp_path / "a.root"
    )
    back = read_events(tmp_path / "a.root")
    assert back.detector == detector
    assert dict(back.provenance) == {"seed": 3}
    with pytest.raises(EventsError, match=f"of detector {detector_name}, not of calogan"):
        read_events(tmp_path / "a.root", load_detector("calogan"))
    assert np.array_equal(back["showers"], events["showers"])
    for name, column in events.conditions.columns.items():
        assert np.array_equal(back.conditions[name], column)


@pytest.mark.parametrize("ending", [".h5", ".root"])
def test_files_of_ours_need_not_look_like_showers(ending, tmp_path):
    """Muons leave a thousandth of their energy in thin silicon, or less."""
    events = random_events(load_detector("clic-ecal"), 4)
    thin = Events(events.conditions, {"showers": 1e-4 * events["showers"]}, events.detector)
    write_events(thin, tmp_path / f"muons{ending}")
    assert np.array_equal(read_events(tmp_path / f"muons{ending}")["showers"], thin["showers"])


@pytest.mark.parametrize("name", WRITABLE)
def test_no_events_are_a_file_too(name, tmp_path):
    detector_name, ending = WRITABLE[name]
    detector = load_detector(detector_name)
    path = tmp_path / f"events{ending}"
    write_events(showers_like(detector).take(slice(0)), path, name)
    assert len(read_events(path, detector)) == 0


# --- where voxels lie ----------------------------------------------------------------------------


@pytest.mark.parametrize(("layer", "alpha", "r"), [(0, 0, 0), (7, 3, 5), (44, 15, 8)])
def test_par04_hit_lands_where_calochallenge_has_it(layer, alpha, r, tmp_path):
    """The two formats have the axes of one another in reverse."""
    showers = np.zeros((1, 9, 16, 45))
    showers[0, r, alpha, layer] = 1000.0
    path = plain(tmp_path / "par04.h5", incident_energy=[1000.0], showers=showers)
    detector = load_detector("calochallenge-2")
    read = read_events(path, detector)
    assert np.flatnonzero(read["showers"][0]) == [(layer * 16 + alpha) * 9 + r]
    assert np.array_equal(read["showers"], one_hit(detector, layer, alpha, r)["showers"])
    write_events(read, tmp_path / "flat.h5", "calochallenge")
    with h5py.File(tmp_path / "flat.h5") as file:
        assert file["showers"][()].reshape(1, 45, 16, 9)[0, layer, alpha, r] == 1000.0
        assert file["incident_energies"].shape == (1, 1)


def test_hit_in_an_irregular_layer_has_the_radius_of_the_binning(tmp_path):
    """Layer 13 of the pions is the sixth one with voxels; its ring 14 is 600 to 1000 mm."""
    detector = load_detector("calochallenge-1-pions")
    start = 8 + 100 + 100 + 5 + 150
    flat = np.zeros((1, 533))
    flat[0, start + 9 * 16 + 14] = 500.0
    path = plain(tmp_path / "pions.h5", incident_energies=[[1000.0]], showers=flat)
    read = read_events(path, detector)
    layer = detector.layers[5]
    cell = int(np.flatnonzero(read["showers"][0, layer.cells]).item())
    assert layer.name == "layer_13"
    assert np.hypot(layer.x[cell], layer.y[cell]) == pytest.approx(800)
    assert np.arctan2(layer.y[cell], layer.x[cell]) == pytest.approx(np.pi * 0.9)


def test_calogan_hit_is_in_its_row_and_column_and_units_are_ours(tmp_path):
    arrays = {name: np.zeros((1, *shape)) for name, shape in CALOGAN.items()}
    arrays["layer_0"][0, 2, 95] = 1000.0
    arrays["layer_2"][0, 0, 5] = 4000.0
    path = plain(tmp_path / "calogan.h5", energy=[[5.0]], overflow=np.zeros((1, 3)), **arrays)
    with pytest.warns(UserWarning, match="left out: overflow"):
        read = read_events(path)
    assert read.detector == load_detector("calogan")
    assert read.conditions["energy"].tolist() == [5000.0]
    assert {int(i): float(read["showers"][0, i]) for i in np.flatnonzero(read["showers"][0])} == {
        2 * 96 + 95: 1000.0,
        288 + 144 + 5: 4000.0,
    }


CALOGAN = {"layer_0": (3, 96), "layer_1": (12, 12), "layer_2": (12, 6)}


def test_3dgan_depth_is_its_last_axis_and_energies_become_mev(tmp_path):
    images = np.zeros((1, 25, 25, 25), np.float32)
    images[0, 12, 7, 3:20] = 2.0 / 17
    read = read_events(plain(tmp_path / "ele.h5", **cube(images)))
    cells = read["showers"].reshape(25, 25, 25)
    assert read.conditions["energy"].tolist() == [100_000.0]
    assert np.allclose(cells[3:20, 12, 7], 2000 / 17)
    assert np.count_nonzero(cells) == 17


# --- units and axes are checked ------------------------------------------------------------------


@pytest.mark.parametrize(("factor", "mend"), [(1e-3, "a factor 1000 on"), (1e3, "a factor 0.001")])
@pytest.mark.parametrize("name", WRITABLE)
def test_wrong_units_are_refused_with_the_factor_that_mends_them(name, factor, mend, tmp_path):
    detector_name, ending = WRITABLE[name]
    detector = load_detector(detector_name)
    events = showers_like(detector)
    wrong = Events(events.conditions, {"showers": events["showers"] * factor}, detector)
    path = tmp_path / f"events{ending}"
    if name == "root":  # one of ours carries its detector, and is believed
        root_file(path, energy=wrong.conditions["energy"], cells=wrong["showers"])
    else:
        write_events(wrong, path, name)
    with pytest.raises(EventsError, match=mend) as caught:
        read_events(path, detector)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_3dgan_in_mev_is_told_by_its_sampling_fraction(tmp_path):
    images = clic_images()
    assert read_events(plain(tmp_path / "gev.h5", **cube(images)))["showers"].sum(
        axis=1
    ) == pytest.approx(np.full(4, 2000.0))
    with pytest.raises(EventsError, match=r"sum to 20 times .* a factor 0.001 on the cells"):
        read_events(plain(tmp_path / "mev.h5", **cube(1000 * images)))


def test_3dgan_with_another_depth_axis_is_refused(tmp_path):
    images = np.moveaxis(clic_images(), -1, 1)
    with pytest.raises(EventsError, match="longest along axis 1, not along axis 3"):
        read_events(plain(tmp_path / "turned.h5", **cube(images)))


@pytest.mark.parametrize("name", ["calochallenge-2", "calochallenge-3"])
def test_flat_voxels_in_par04_order_are_refused(name, tmp_path):
    """Same number of voxels, same names, other order: only the showers themselves can tell."""
    detector = load_detector(name)
    events = showers_like(detector, n=5)
    counts = (len(detector.layers), *detector.layers[0].shape)
    turned = events["showers"].reshape(-1, *counts).transpose(0, 3, 2, 1).reshape(5, -1)
    path = tmp_path / "turned.h5"
    plain(path, incident_energies=events.conditions["energy"][:, None], showers=turned)
    with pytest.raises(EventsError, match=r"order \(r, alpha, layer\), slowest first"):
        read_events(path, detector)


def test_par04_axes_of_equal_length_are_told_by_the_showers(tmp_path):
    """12 sectors and 12 rings: the lengths say nothing."""
    detector = load_detector("calochallenge-2")
    content = detector.model_dump()
    content["stack"][0]["readout"]["segmentation"] |= {
        "alpha": 12,
        "r_edges": tuple(4.0 * n for n in range(13)),
    }
    content["volume"]["radius"] = 50.0
    square = Calorimeter.model_validate(content)
    events = showers_like(square)
    write_events(events, tmp_path / "good.h5", "par04")
    assert np.array_equal(read_events(tmp_path / "good.h5", square)["showers"], events["showers"])
    with h5py.File(tmp_path / "good.h5") as file:
        turned = file["showers"][()].transpose(0, 2, 1, 3)
    energy = events.conditions["energy"]
    with pytest.raises(EventsError, match=r"look like \(alpha, r, layer\)"):
        read_events(plain(tmp_path / "b.h5", incident_energy=energy, showers=turned), square)
    flat = np.full_like(turned, 10_000 / turned[0].size)
    with pytest.warns(UserWarning, match="cannot be told apart"):
        read_events(plain(tmp_path / "c.h5", incident_energy=energy, showers=flat), square)


@pytest.mark.parametrize(
    ("arrays", "detector", "message"),
    [
        ({"incident_energy": [1e3], "showers": np.ones((1, 9, 16, 44))}, "calochallenge-2", "45"),
        ({"incident_energy": [1e3], "showers": np.ones((1, 9, 16, 45))}, None, "--detector"),
        ({"incident_energies": [[1e3]], "showers": np.ones((1, 369))}, "calochallenge-2", "6480"),
        ({"incident_energies": [[1e3]], "showers": np.ones((1, 368))}, None, "1-photons"),
        ({"incident_energies": [[1e3]], "showers": np.ones((1, 368))}, "alice-tpc", "is a tpc"),
        (cube(np.ones((1, 24, 25, 25))), None, "25, 25, 25"),
        (
            {
                "energy": [[5.0]],
                **{k: np.ones((1, *s[::-1])) for k, s in CALOGAN.items()},
            },
            None,
            "layer_0 has (96, 3) values",
        ),
        (
            {
                "energy": [[5.0]],
                "layer_3": np.ones((1, 2)),
                **{k: np.ones((1, *s)) for k, s in CALOGAN.items()},
            },
            None,
            "4 layers",
        ),
        ({"incident_energies": [[-1.0]], "showers": np.ones((1, 368))}, "calochallenge-1-photons",
         "must be positive"),
    ],
)  # fmt: skip
def test_other_shapes_are_refused_in_one_line(arrays, detector, message, tmp_path):
    path = plain(tmp_path / "a.h5", **arrays)
    with pytest.raises(EventsError) as caught:
        read_events(path, load_detector(detector) if detector else None)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


# --- damage, strangers and pickles ---------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 3, 10, 500, 3000, -3000])
@pytest.mark.parametrize("name", WRITABLE)
def test_truncated_files_are_one_line(name, size, tmp_path):
    detector_name, ending = WRITABLE[name]
    detector = load_detector(detector_name)
    path = tmp_path / f"events{ending}"
    write_events(showers_like(detector), path, name)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(EventsError, match="truncated") as caught:
        read_events(path, detector)
    assert "\n" not in str(caught.value)


class Bomb:
    """An object that would leave a trace if anything unpickled it."""

    def __reduce__(self):
        return exec, ("raise SystemExit('a foreign pickle was loaded')",)


@pytest.mark.parametrize("ending", [".h5", ".root", ".pkl", ".npy"])
def test_pickles_are_never_loaded(ending, tmp_path):
    path = tmp_path / f"events{ending}"
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(EventsError, match="not an events file of a known kind"):
        read_events(path)


def test_objects_within_hdf5_are_not_numbers(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["incident_energies"] = [[1000.0]]
        file["showers"] = np.void(pickle.dumps(Bomb()))
    with pytest.raises(EventsError, match="showers is not an array of numbers"):
        read_events(tmp_path / "a.h5", load_detector("calochallenge-2"))


@pytest.mark.parametrize("name", WRITABLE)
def test_more_than_the_memory_holds_is_told_before_it_is_read(name, tmp_path, monkeypatch):
    detector_name, ending = WRITABLE[name]
    detector = load_detector(detector_name)
    path = tmp_path / f"events{ending}"
    write_events(showers_like(detector), path, name)
    monkeypatch.setattr(datasets, "memory", lambda: 6 * 8 * detector.n_cells)
    with pytest.raises(EventsError, match=r"is too large; read a part of it \(--rows"):
        read_events(path, detector)
    assert len(read_events(path, detector, slice(3))) == 3


def test_unknown_content_lists_the_kinds(tmp_path):
    path = plain(tmp_path / "a.h5", data=np.ones(3))
    with pytest.raises(EventsError, match=f"kinds known are {', '.join(FORMATS)}"):
        read_events(path)


def test_the_ending_does_not_matter_for_reading(events, tmp_path):
    write_events(events, tmp_path / "events.h5")
    (tmp_path / "events.h5").rename(tmp_path / "events.root")
    assert len(read_events(tmp_path / "events.root")) == len(events)


# --- ROOT ----------------------------------------------------------------------------------------


def root_file(path, **branches):
    import uproot

    types = {
        name: np.dtype((b.dtype, b.shape[1:])) if isinstance(b, np.ndarray) else b.type.content
        for name, b in branches.items()
    }
    with uproot.recreate(path) as file:
        file.mktree("tree", types).extend(branches)
    return path


def test_root_hits_in_one_cell_are_summed(tmp_path):
    import awkward

    detector = load_detector("calogan")
    path = root_file(
        tmp_path / "hits.root",
        energy=np.array([20_000.0, 20_000.0]),
        cell_id=awkward.Array([[3, 500, 3], []]),
        cell_energy=awkward.Array([[2000.0, 14_000.0, 3000.0], []]),
    )
    cells = read_events(path, detector)["showers"]
    assert cells[0, [3, 500]].tolist() == [5000.0, 14_000.0]
    assert cells.sum() == 19_000
    with pytest.raises(EventsError, match="goes from 3 to 500, clic has the cells 0 to 48"):
        read_events(path, load_detector("examples/crystal-matrix.yaml").model_copy(
            update={"name": "clic", "conditions": detector.conditions}
        ))  # fmt: skip


@pytest.mark.parametrize(
    ("branches", "message"),
    [
        ({"cells": np.ones((2, 504))}, "conditions energy"),
        ({"energy": np.ones(2)}, "neither a branch 'cells'"),
        ({"energy": np.ones(2), "cells": np.ones((2, 503))}, "(503,) values"),
    ],
)
def test_root_trees_without_the_branches_are_refused(branches, message, tmp_path):
    path = root_file(tmp_path / "a.root", **branches)
    with pytest.raises(EventsError) as caught:
        read_events(path, load_detector("calogan"))
    assert message in str(caught.value)


def test_missing_uproot_is_told_with_the_line_that_installs_it(events, tmp_path, monkeypatch):
    original = builtins.__import__

    def without(name, *arguments, **options):
        if name.split(".")[0] in ("uproot", "awkward"):
            raise ImportError(name)
        return original(name, *arguments, **options)

    path = tmp_path / "a.root"
    write_events(events, path)
    monkeypatch.setattr(builtins, "__import__", without)
    for call in (lambda: read_events(path), lambda: write_events(events, path)):
        with pytest.raises(MissingDependencyError, match=r"pip install 'simulacra\[root\]'"):
            call()


# --- writing -------------------------------------------------------------------------------------


def test_conditions_without_a_place_are_told(events, tmp_path):
    with pytest.warns(UserWarning, match="no place for impact_eta, impact_phi"):
        write_events(events, tmp_path / "a.h5", "calochallenge")


def test_formats_that_cannot_hold_the_events(events, tmp_path):
    with pytest.raises(EventsError, match="3dgan files are read, not written"):
        write_events(events, tmp_path / "a.h5", "3dgan")
    with pytest.raises(EventsError, match="no format 'xml'"):
        format_of(tmp_path / "a.h5", "xml")
    only_energy = Events(
        Conditions({"energy": events.conditions["energy"]}), events.response, events.detector
    )
    with pytest.raises(EventsError, match="cylinders of equal layers"):
        write_events(only_energy, tmp_path / "a.h5", "par04")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["5", "a:b", "-3:", "1:2:3"])
def test_rows_are_first_and_last(text):
    assert parse_rows("2:5") == slice(2, 5)
    with pytest.raises(EventsError, match="FIRST:LAST"):
        parse_rows(text)
