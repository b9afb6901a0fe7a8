"""HDF5 files of others whose columns are mapped: the same showers, however they are laid out."""

import h5py
import numpy as np
import pytest

from simulacra.errors import EventsError
from simulacra.io import EventFile, Layout, read_events
from tests.io.test_root import CUBE, rows_of_hits, showers

N = 12


def written(path, arrays, units=None, **attributes):
    """Write data sets by their paths, some with units, and attributes of the file."""
    with h5py.File(path, "w") as file:
        file.attrs.update(attributes)
        for name, array in arrays.items():
            if array.dtype == object:
                kind = h5py.vlen_dtype(array[0].dtype)
                file.create_dataset(name, array.shape, kind)[...] = array
            else:
                file[name] = array
            if unit := (units or {}).get(name):
                file[name].attrs["unit"] = unit
    return path


def read(path, *maps, rows=slice(None), unit=None, **options):
    return read_events(path, CUBE, rows, Layout.parse(maps, **options), unit)


def refused(path, *maps, **options):
    with pytest.raises(EventsError) as caught:
        read(path, *maps, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- layouts: what is written, and how it is mapped -----------------------------------------------


def a_row_a_shower(energy, cells):
    return {"Ebeam": energy / 1000, "dep": cells}, ["energy=Ebeam:GeV", "cells=dep:MeV"]


def a_cube_in_a_group(energy, cells):
    arrays = {"run/E": energy[:, None], "run/dep": cells.reshape(-1, 5, 4, 3)}
    return arrays, ["energy=E:MeV", "cells=dep:MeV"]


def one_data_set_a_layer(energy, cells):
    layers = {f"layer_{n}": cells[:, 12 * n : 12 * n + 12] for n in range(5)}
    return {"E": energy, **layers}, ["energy=E:MeV", "cells=layer_*:MeV"]


def lists_of_hits(energy, cells):
    ids, deposits = (np.empty(len(cells), object) for _ in range(2))
    for row, event in enumerate(cells):
        ids[row] = np.flatnonzero(event).astype(np.int64)
        deposits[row] = event[ids[row]]
    arrays = {"E": energy, "id": ids, "edep": deposits}
    return arrays, ["energy=E:MeV", "cell_id=id", "cell_energy=edep:MeV"]


def hits_and_truth(energy, cells):
    """Two groups, joined by an event number; the hits lie in any order."""
    event, cell, deposit = rows_of_hits(cells)
    order = np.random.default_rng(3).permutation(len(event))
    arrays = {
        "truth/event": np.arange(len(energy), dtype=np.int64) + 100,
        "truth/E": energy,
        "hits/event": event[order].astype(np.int64) + 100,
        "hits/id": cell[order],
        "hits/edep": deposit[order],
    }
    maps = ["energy=E:MeV", "cell_id=id", "cell_energy=edep:MeV"]
    return arrays, [*maps, "event=truth/event", "event=hits/event:scattered"]


def hits_and_truth_in_one_group(energy, cells):
    event, cell, deposit = rows_of_hits(cells)
    arrays = {"evt": np.arange(len(energy)), "E": energy}
    arrays |= {"hit_evt": event, "hit_id": cell, "hit_edep": deposit}
    maps = ["energy=E:MeV", "cell_id=hit_id", "cell_energy=hit_edep:MeV"]
    return arrays, [*maps, "event=evt", "event=hit_evt"]


def compound_tables(energy, cells):
    """As pandas and PyTables write them."""
    event, cell, deposit = rows_of_hits(cells)
    truth = np.zeros(len(energy), [("event", "i8"), ("E", "f8"), ("note", "S4")])
    truth["event"], truth["E"] = np.arange(len(energy)), energy
    hits = np.zeros(len(event), [("event", "i8"), ("id", "i4"), ("edep", "f4")])
    hits["event"], hits["id"], hits["edep"] = event, cell, deposit
    arrays = {"df/truth": truth, "df/hits": hits}
    return arrays, ["energy=E:MeV", "cell_id=id", "cell_energy=edep:MeV"]


LAYOUTS = [
    a_row_a_shower,
    a_cube_in_a_group,
    one_data_set_a_layer,
    lists_of_hits,
    hits_and_truth,
    hits_and_truth_in_one_group,
    compound_tables,
]


@pytest.mark.filterwarnings("ignore:cell_id is taken")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_same_showers_come_back(tmp_path, layout):
    energy, cells = showers(N)
    arrays, maps = layout(energy, cells)
    path = written(tmp_path / "theirs.h5", arrays)
    events = read(path, *maps)
    np.testing.assert_allclose(events.conditions["energy"], energy, rtol=1e-6)
    np.testing.assert_allclose(events["showers"], cells, rtol=1e-6)
    file = EventFile(path, CUBE, None, Layout.parse(maps))
    assert len(file) == N
    np.testing.assert_allclose(file.take(slice(3, 7))["showers"], cells[3:7], rtol=1e-6)
    assert events.provenance["converted_from"]["file"] == "theirs.h5"


def test_units_of_the_file_are_honoured(tmp_path):
    """Of a data set, or of the file as a whole; the mapping's own goes first."""
    energy, cells = showers(N)
    arrays = {"E": energy / 1000, "dep": cells / 1000}
    maps = ("energy=E", "cells=dep")
    each = written(tmp_path / "each.h5", arrays, {"E": "GeV", "dep": "GeV"})
    whole = written(tmp_path / "whole.h5", arrays, energy_unit="GeV")
    bare = written(tmp_path / "bare.h5", arrays)
    mixed = written(tmp_path / "mixed.h5", {"E": energy, "dep": cells / 1000}, {"dep": "GeV"})
    for events in (
        read(each, *maps),
        read(whole, *maps),
        read(bare, *maps, unit="GeV"),
        read(mixed, "energy=E:MeV", "cells=dep"),
    ):
        np.testing.assert_allclose(events.conditions["energy"], energy, rtol=1e-5)
        np.testing.assert_allclose(events["showers"], cells, rtol=1e-5)


def test_what_does_not_fit_is_refused_in_one_line(tmp_path):
    energy, cells = showers(N)
    arrays = {"E": energy, "dep": cells, "other": np.zeros(3), "text": np.array([b"a"] * N)}
    path = written(tmp_path / "theirs.h5", arrays)
    assert "no column Ebeam for energy; " in refused(path, "energy=Ebeam:MeV", "cells=dep:MeV")
    assert "E, dep" in refused(path, "energy=Ebeam:MeV", "cells=dep:MeV")
    assert "no column text" in refused(path, "energy=text:MeV", "cells=dep:MeV")
    short = refused(path, "energy=other:MeV", "cells=dep:MeV")
    assert "joined by an event number" in short
    transposed = written(tmp_path / "transposed.h5", {"E": energy, "dep": cells.T})
    assert "joined by an event number" in refused(transposed, "energy=E:MeV", "cells=dep:MeV")
    assert "no group" in refused(path, "energy=E:MeV", "cells=dep:MeV", trees=["events"])


def test_unwritten_chunks_are_refused(tmp_path):
    energy, _ = showers(N)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["E"] = energy
        file.create_dataset("dep", (N, CUBE.n_cells), "f4", chunks=(4, CUBE.n_cells))
    assert "never written" in refused(tmp_path / "a.h5", "energy=E:MeV", "cells=dep:MeV")


def test_columns_that_are_left_out_are_noted(tmp_path):
    energy, cells = showers(N)
    path = written(tmp_path / "a.h5", {"E": energy, "dep": cells, "weight": np.full(N, 0.5)})
    with pytest.warns(UserWarning, match="left out: weight"), pytest.warns(match="not 1"):
        read(path, "energy=E:MeV", "cells=dep:MeV")


def test_numbers_that_other_programs_shrank_are_refused(tmp_path):
    energy, cells = showers(N)
    path = written(tmp_path / "a.h5", {"E": energy, "dep": cells})
    with h5py.File(path, "a") as file:
        file["dep"].attrs["scale_factor"] = 2.0
    assert "attribute scale_factor" in refused(path, "energy=E:MeV", "cells=dep:MeV")


def test_a_unit_that_contradicts_the_file_is_noted(tmp_path):
    energy, cells = showers(N)
    path = written(tmp_path / "a.h5", {"E": energy, "dep": cells}, {"dep": "keV"})
    with pytest.warns(UserWarning, match="dep states keV, the mapping says MeV: that is taken"):
        read(path, "energy=E:MeV", "cells=dep:MeV")
