"""Cells of others become ours: by number, by several numbers, and by position."""

import numpy as np
import pytest

from simulacra.detectors import load_detector
from simulacra.errors import EventsError
from simulacra.io.mapped.cell_map import (
    LEFT_OUT,
    OUTSIDE,
    as_ids,
    cells_at,
    layer_extents,
    read_cell_table,
)
from simulacra.io.mapped.tables import stated_unit
from tests.io.test_root import CUBE, HERE, read, refused, showers, write_tree

awkward = pytest.importorskip("awkward")
SMALL = str(HERE.parent / "small-cube.yaml")
FIXED = ["calogan", "clic-ecal", "calochallenge-1-pions", "calochallenge-2", SMALL]


def centres(detector):
    x = np.concatenate([layer.x for layer in detector.layers])
    y = np.concatenate([layer.y for layer in detector.layers])
    z = np.concatenate([np.full(len(layer.x), layer.depth) for layer in detector.layers])
    return x, y, z


@pytest.mark.parametrize("name", FIXED)
def test_the_middle_of_each_cell_lies_in_it(name):
    detector = load_detector(name)
    x, y, z = centres(detector)
    # the middle of a full ring is the axis, which lies in the innermost one
    rings = [layer.shape[0] == 1 and len(layer.x) > 1 for layer in detector.layers]
    sectors = ~np.repeat(rings, [len(layer.x) for layer in detector.layers])
    found = cells_at(detector, (x, y, z))
    assert np.array_equal(found[sectors], np.arange(detector.n_cells)[sectors])


def test_points_beyond_the_cells_lie_in_none():
    inside = (0.1, 0.1, 1.0)
    for axis, limits in ((0, (-10.1, 10.1)), (1, (-7.6, 7.6)), (2, (-0.1, 55.1))):
        for value in limits:
            point = [np.array([v]) for v in inside]
            point[axis][:] = value
            assert cells_at(CUBE, point).tolist() == [OUTSIDE]
    edges = np.array([-10.0, 10.0]), np.array([-7.5, 7.5]), np.array([0.0, 55.0])
    assert cells_at(CUBE, edges).tolist() == [0, 59]
    assert layer_extents(CUBE)[1] == (11, 22)


def test_a_read_out_that_follows_the_particle_has_no_cell_at_a_point():
    with pytest.raises(EventsError, match="follows the particle"):
        cells_at(load_detector("atlas-barrel"), (np.zeros(1), np.zeros(1), np.zeros(1)))


def table(tmp_path, text, origin=None):
    path = tmp_path / "cells.csv"
    path.write_text(text, encoding="utf-8")
    return read_cell_table(path, CUBE, origin)


def test_numbers_of_64_bits_keep_their_pattern(tmp_path):
    big = 2**63 + 17
    found = table(tmp_path, f"id,cell\n{big},4\n-5,7\n0x10,\n")
    assert found.find([np.array([big, 16, 3], np.uint64)]).tolist() == [4, LEFT_OUT, OUTSIDE]
    assert found.find([np.array([-5, 16], np.int32)]).tolist() == [7, LEFT_OUT]
    assert as_ids("id", np.array([3.0, 7.0])).tolist() == [3, 7]
    with pytest.raises(EventsError, match="no whole numbers, such as 0.5"):
        as_ids("id", np.array([0.5]))


def test_several_numbers_make_one_cell(tmp_path):
    numbers = [(n // 12, n // 3 % 4, n % 3) for n in range(60)]
    rows = [f"{layer};{i};{j};{n}" for n, (layer, i, j) in enumerate(numbers)]
    found = table(tmp_path, "# ours\nlayer; ix; iy; cell\n" + "\n".join(rows))
    assert found.names == ("layer", "ix", "iy")
    ids = [np.array(v) for v in ([4, 0, 9], [3, 1, 0], [2, 0, 0])]
    assert found.find(ids).tolist() == [59, 3, OUTSIDE]
    with pytest.raises(EventsError, match="numbers cells by layer, ix, iy"):
        found.find(ids[:1])


def test_positions_go_to_cells_with_their_unit_and_origin(tmp_path):
    x, y, z = centres(CUBE)
    rows = enumerate(zip(x, y, z, strict=True))
    lines = [f"{n + 100},{a / 10},{b},{c - 22.5}" for n, (a, b, c) in rows]
    text = "id,x [cm],y_mm,z [mm]\n" + "\n".join(lines)
    found = table(tmp_path, text, origin=(0.0, 0.0, 5 - 27.5))
    assert np.array_equal(found.find([np.arange(100, 160)]), np.arange(60))
    with pytest.raises(EventsError, match="24 of 60 positions lie in no cell .* z = 0 to 55 mm"):
        table(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,cell\n1,60\n2,61\n", "2 rows name a cell that small-cube has not, such as 60"),
        ("id,cell\n1,3\n1,4\n", "1 cells are there twice"),
        ("id,cell\n1.5,3\n", "must be whole numbers"),
        ("id,ours\n1,x\n", "cell must be a whole number or empty"),
        ("id,x,y,z\n1,0,0,1\n", "the column 'x' needs a unit"),
        ("id,name,more\n1,a,b\n", "needed is 'cell'"),
        ("cell\n1\n", "no column with their number"),
        ("id,cell\n1\n", "lines of as many entries"),
        ("", "lines of as many entries"),
        (f"id,cell\n{2**64},1\n", "more than 64 bits"),
    ],
)
def test_tables_that_make_no_sense_are_one_line(text, message, tmp_path):
    with pytest.raises(EventsError) as caught:
        table(tmp_path, text)
    assert message in str(caught.value)
    assert str(tmp_path / "cells.csv") in str(caught.value)
    with pytest.raises(EventsError, match="not a readable CSV"):
        read_cell_table(tmp_path / "none.csv", CUBE, None)


def test_all_cells_of_an_event_can_be_in_their_order(tmp_path):
    energy, cells = showers()
    order = np.random.default_rng(4).permutation(60)
    path = write_tree(tmp_path / "a.root", {"t": {"energy": energy, "cells": cells[:, order]}})
    lines = [f"{n},{cell}" for n, cell in enumerate(order)]
    (tmp_path / "cells.csv").write_text("place,cell\n" + "\n".join(lines))
    assert np.array_equal(read(path, cells=tmp_path / "cells.csv")["showers"], cells)


def hits_file(tmp_path, ids, energy=30_000.0, **more):
    hits = {"id": awkward.Array([ids]), "e": awkward.Array([np.full(len(ids), energy / len(ids))])}
    hits |= {name: awkward.Array([values]) for name, values in more.items()}
    return write_tree(tmp_path / "a.root", {"t": {"E": np.array([energy]), **hits}})


HITS = ("energy=E:MeV", "cell_id=id", "cell_energy=e:MeV")


def test_hits_without_a_cell_are_counted_and_those_left_out_are_noted(tmp_path):
    path = hits_file(tmp_path, [1, 2, 60, 61])
    said = refused(path, *HITS)
    assert "goes from 1 to 61, small-cube has the cells 0 to 59: 2 of 4 hits (50.00%" in said
    assert "such as 60; --cells FILE.csv maps other numbers" in said
    (tmp_path / "cells.csv").write_text("id,cell\n1,5\n2,5\n60,\n61,\n")
    with pytest.warns(UserWarning, match=r"2 hits with 50.0% of the energy are left"):
        events = read(path, *HITS, cells=tmp_path / "cells.csv")
    assert events["showers"][0, 5] == 15_000
    (tmp_path / "cells.csv").write_text("id,cell\n1,5\n")
    assert "3 of 4 hits (75.00% of the energy) have no cell" in refused(
        path, *HITS, cells=tmp_path / "cells.csv"
    )


def test_entries_without_energy_are_no_hits(tmp_path):
    """Arrays of fixed length end in zeros, with any number of a cell."""
    ids, deposit = np.array([[4, 5, -1, 999]]), np.array([[9000.0, 8000.0, 0.0, 0.0]])
    branches = {"E": np.array([20_000.0]), "id": ids, "e": deposit}
    path = write_tree(tmp_path / "a.root", {"t": branches})
    with pytest.warns(UserWarning, match="in our order"):
        assert read(path, *HITS)["showers"][0, [4, 5]].tolist() == [9000, 8000]


def test_hits_with_positions(tmp_path):
    place = {"px": [-9.0, 9.0], "py": [0.0, 7.0], "pz": [-27.0, 27.0]}
    path = hits_file(tmp_path, [7, 7], **place)
    maps = ("energy=E:MeV", "cell_energy=e:MeV", "cell_x=px:mm", "cell_y=py:mm")
    said = refused(path, *maps, "cell_z=pz:mm")
    assert "1 of 2 hits (50.00% of the energy) lie in no cell, such as at (-9, 0, -27) mm" in said
    with pytest.warns(UserWarning, match="left out: id"):
        events = read(path, *maps, "cell_z=pz:mm", origin="0,0,-2.75cm")
    assert np.flatnonzero(events["showers"][0]).tolist() == [1, 59]
    said = refused(path, *maps, "cell_z=pz")
    assert "no unit is stated for cell_z: give it (--map cell_z=pz:mm)" in said
    assert "--origin belongs to positions" in refused(path, *HITS, origin="0,0,1mm")
    assert "three lengths" in refused(path, *maps, origin="1mm,2mm")
    assert "'1' is not a length" in refused(path, *maps, origin="1,2,3")


@pytest.mark.parametrize(
    ("name", "title", "unit"),
    [
        ("edep", "energy [GeV]", "GeV"),
        ("edep", "energy (keV) of a hit", "keV"),
        ("edep", "beam energy in MeV", "MeV"),
        ("edep[GeV]", "edep[GeV]/F", "GeV"),
        ("E_MeV", "E_MeV/D", "MeV"),
        ("energy", "energy/F", None),
        ("energy", "energy[m]/F", None),
        ("x_m", "x_m/F", None),
        ("x", "x [mm]", "mm"),
    ],
)
def test_units_in_names_and_titles(name, title, unit):
    assert stated_unit(name, title, ["m", "edep"]) == unit
