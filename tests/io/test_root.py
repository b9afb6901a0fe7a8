"""ROOT files of others: however a program lays showers out, the same showers come back."""

import csv
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from simulacra import cli
from simulacra.conditions import Conditions
from simulacra.detectors import load_detector
from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.io import EventFile, Layout, read_events, write_events

awkward = pytest.importorskip("awkward")
uproot = pytest.importorskip("uproot")
HERE = Path(__file__).parent
CUBE = load_detector(HERE.parent / "small-cube.yaml")
"""5 layers of 4 x 3 cells of 5 mm, each layer 11 mm deep."""


def with_dots(outer, inner):
    return f"{outer}.{inner}" if outer else inner


def write_tree(path, trees, update=False):
    """Write trees: by name, branches by name, in the given order; ``a/b`` is in a folder."""
    with (uproot.update if update else uproot.recreate)(path) as file:
        for name, branches in trees.items():
            types = {
                k: np.dtype((b.dtype, b.shape[1:])) if isinstance(b, np.ndarray) else b.type.content
                for k, b in branches.items()
            }
            file.mktree(name, types, field_name=with_dots).extend(branches)
    return path


def showers(n=12, seed=0, dtype=np.float32):
    """Energies and cells of the cube, some cells and some whole events empty."""
    rng = np.random.default_rng(seed)
    cells = rng.exponential(1.0, (n, CUBE.n_cells)) * (rng.random((n, CUBE.n_cells)) < 0.2)
    cells[[2, n - 1]] = 0
    energy = rng.uniform(20_000, 60_000, n)
    cells *= 0.8 * energy.mean() / cells.sum(axis=1).mean()
    return energy, cells.astype(dtype)


def hit_lists(cells, names=("cell_id", "cell_energy")):
    event, cell = np.nonzero(cells)
    counts = np.bincount(event, minlength=len(cells))
    columns = (cell.astype(np.int32), cells[event, cell])
    return {n: awkward.unflatten(c, counts) for n, c in zip(names, columns, strict=True)}


def rows_of_hits(cells):
    event, cell = np.nonzero(cells)
    return event.astype(np.int32), cell.astype(np.int32), cells[event, cell]


def read(path, *maps, detector=CUBE, rows=slice(None), **options):
    return read_events(path, detector, rows, Layout.parse(maps, **options))


def refused(path, *maps, **options):
    with pytest.raises(EventsError) as caught:
        read(path, *maps, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- layouts: the same showers, laid out as programs do -------------------------------------------


def one_array(path, energy, cells):
    write_tree(path, {"sim": {"E0": energy, "dep": cells}})
    return ["energy=E0:MeV", "cells=dep:MeV"], {}


def one_branch_a_cell(path, energy, cells):
    """Branches do not come in the order of their numbers."""
    columns = {f"bEdep{n}": cells[:, n] for n in reversed(range(cells.shape[1]))}
    write_tree(path, {"ntuple": {"vtxE": energy, **columns}})
    return ["energy=vtxE:MeV", "cells=bEdep*:MeV"], {}


def one_branch_a_layer(path, energy, cells):
    layers = {f"layer{n}": cells[:, 12 * n : 12 * n + 12].reshape(-1, 4, 3) for n in range(5)}
    write_tree(path, {"sim": {"E0": energy, **layers}})
    return ["energy=E0:MeV", "cells=layer*:MeV"], {}


def a_cube(path, energy, cells):
    write_tree(path, {"sim": {"E0": energy, "dep": cells.reshape(-1, 5, 4, 3)}})
    return ["energy=E0:MeV", "cells=dep:MeV"], {}


def lists_of_hits(path, energy, cells):
    write_tree(path, {"sim": {"E0": energy, **hit_lists(cells, ("cell", "edep"))}})
    return ["energy=E0:MeV", "cell_id=cell", "cell_energy=edep:MeV"], {}


def split_objects(path, energy, cells):
    hits = awkward.zip(hit_lists(cells, ("id", "energy")))
    write_tree(path, {"sim/run/events": {"gun": awkward.zip({"E": energy}), "hits": hits}})
    return ["energy=gun.E:MeV", "cell_id=hits.id", "cell_energy=hits.energy:MeV"], {}


def an_rntuple(path, energy, cells):
    hits = awkward.zip(hit_lists(cells, ("id", "energy")))
    with uproot.recreate(path) as file:
        file.mkrntuple("events", {"E0": energy, "hits": hits})
    return ["energy=E0:MeV", "cell_id=hits.id", "cell_energy=hits.energy:MeV"], {}


def two_trees_of_rows(path, energy, cells):
    """As Geant4's ntuples in a folder; threads finish events in any order."""
    event, cell, deposit = rows_of_hits(cells)
    mixed = np.random.default_rng(1).permutation(len(event))
    hits = {"eventID": event[mixed], "cell": cell[mixed], "edep": deposit[mixed].astype(float)}
    truth = {"eventID": np.arange(len(energy)), "Ebeam": energy}
    write_tree(path, {"ntuple/hits": hits, "ntuple/truth": truth})
    maps = ["event=eventID", "energy=Ebeam:MeV", "cell_id=cell", "cell_energy=edep:MeV"]
    return maps, {}


def two_trees_of_other_names(path, energy, cells):
    event, cell, deposit = rows_of_hits(cells)
    hits = {"run": 0 * event, "evt": event, "cell": cell, "energy": deposit}
    truth = {"run": np.zeros(len(energy)), "number": np.arange(len(energy)) * 1.0, "energy": energy}
    write_tree(path, {"hits": hits, "truth": truth, "hits_of_others": hits})
    return [
        *("event=hits/run,evt", "event=truth/run,number", "energy=truth/energy:MeV"),
        *("cell_id=cell", "cell_energy=hits.energy:MeV"),
    ], {"trees": ["hits,truth"]}


def lists_in_a_second_tree(path, energy, cells):
    order = np.random.default_rng(1).permutation(len(energy))
    lists = hit_lists(cells[order], ("cell", "edep"))
    write_tree(
        path, {"gun": {"n": np.arange(len(energy)), "E": energy}, "cal": {"n": order, **lists}}
    )
    return ["event=n", "energy=E:MeV", "cell_id=cell", "cell_energy=edep:MeV"], {}


LAYOUTS = [
    one_array,
    one_branch_a_cell,
    one_branch_a_layer,
    a_cube,
    lists_of_hits,
    split_objects,
    an_rntuple,
    two_trees_of_rows,
    two_trees_of_other_names,
    lists_in_a_second_tree,
]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda f: f.__name__)
@pytest.mark.filterwarnings("ignore:cell_id is taken", "ignore:columns of")
def test_showers_come_back_from_every_layout(layout, tmp_path):
    energy, cells = showers()
    path = tmp_path / "a.root"
    maps, options = layout(path, energy, cells)
    events = read(path, *maps, **options)
    assert np.array_equal(events["showers"], cells)
    assert np.allclose(events.conditions["energy"], energy, rtol=1e-12)
    part = read(path, *maps, rows=slice(1, 4), **options)
    assert np.array_equal(part["showers"], cells[1:4])
    assert np.allclose(part.conditions["energy"], energy[1:4], rtol=1e-12)


def flat(path, cells, energy, event=None, **more):
    number, cell, deposit = rows_of_hits(cells)
    event = number if event is None else event[number]
    branches = {"event": event, "cell": cell, "edep": deposit, "Ebeam": energy[number]}
    return write_tree(path, {"hits": {**branches, **more}})


FLAT = ("energy=Ebeam:MeV", "cell_id=cell", "cell_energy=edep:MeV")
order_note = pytest.mark.filterwarnings("ignore:cell_id is taken")


@order_note
def test_one_row_a_hit_loses_empty_events_and_says_so(tmp_path):
    energy, cells = showers()
    path = flat(tmp_path / "a.root", cells, energy)
    with pytest.warns(UserWarning, match="1 event numbers between the first and the last have no"):
        events = read(path, *FLAT)
    kept = np.flatnonzero(cells.any(axis=1))
    assert np.array_equal(events["showers"], cells[kept])
    assert np.array_equal(events.conditions["energy"], energy[kept])
    with pytest.warns(UserWarning, match="event numbers"):
        part = read(path, *FLAT, rows=slice(2, 5))
    assert np.array_equal(part["showers"], cells[kept][2:5])


@order_note
def test_rows_with_lists_of_one_event_are_joined_or_noted(tmp_path):
    """One row for each half of the calorimeter."""
    energy, cells = showers()
    halves = np.repeat(cells, 2, axis=0)
    halves[0::2, 30:] = halves[1::2, :30] = 0
    rows = {"event": np.repeat(np.arange(12), 2), "Ebeam": np.repeat(energy, 2)}
    lists = hit_lists(halves, ("cell", "edep"))
    path = write_tree(tmp_path / "a.root", {"t": {**rows, **lists}})
    joined = Layout.parse([*FLAT, "event=event"])
    events = read_events(path, CUBE, layout=joined)
    assert np.array_equal(events["showers"], cells)
    assert np.array_equal(events.conditions["energy"], energy)
    assert len(EventFile(path, CUBE, layout=joined)) == 12
    with pytest.warns(UserWarning, match="12 rows repeat the number of another one"):
        assert len(read(path, *FLAT)) == 24
    other = {"event": energy / 7, "energy": energy, "cells": cells}
    assert len(read(write_tree(tmp_path / "b.root", {"t": other}))) == 12


@order_note
def test_rows_of_hits_need_their_event_once_and_with_one_energy(tmp_path):
    energy, cells = showers(6)
    cells = cells[[0, 1, 3, 4]]
    same = np.full(4, energy[0])
    nameless = write_tree(tmp_path / "n.root", {"t": {"E": same, "cell": np.arange(4), "e": same}})
    said = refused(nameless, "energy=E:MeV", "cell_id=cell", "cell_energy=e:MeV")
    assert "--map event=COLUMN" in said
    assert "t has E, cell, e" in said
    twice = np.array([0, 1, 0, 1])
    path = flat(tmp_path / "a.root", cells, energy[:4], event=twice)
    assert "the rows of 2 events lie apart, such as of event 0" in refused(path, *FLAT)
    together = np.array([0, 0, 1, 1])
    path = flat(tmp_path / "b.root", cells, energy[:4], event=together)
    assert "Ebeam is not the same in all rows of 2 events" in refused(path, *FLAT)
    path = flat(tmp_path / "c.root", cells, same, event=twice)
    events = read(path, *FLAT, "event=event:scattered")
    assert np.allclose(events["showers"], cells[:2] + cells[2:])


@order_note
def test_runs_in_one_file_are_told_apart_by_their_number(tmp_path):
    energy, cells = showers(4)
    cells[2:] = cells[:2] + 1
    event, cell, deposit = rows_of_hits(cells)
    hits = {"run": event // 2, "event": event % 2, "cell": cell, "edep": deposit}
    truth = {"run": np.arange(4) // 2, "event": np.arange(4) % 2, "Ebeam": energy}
    path = write_tree(tmp_path / "a.root", {"hits": hits, "truth": truth})
    maps = FLAT
    said = refused(path, *maps)
    assert "2 rows repeat an event number, such as 0" in said
    assert "--map event=RUN,event" in said
    assert np.array_equal(read(path, *maps, "event=run,event")["showers"], cells)


@order_note
def test_hits_of_events_that_the_truth_has_not_are_counted(tmp_path):
    energy, cells = showers()
    event, cell, deposit = rows_of_hits(cells)
    hits = {"event": event, "cell": cell, "edep": deposit}
    short = {"event": np.arange(9), "Ebeam": energy[:9]}
    path = write_tree(tmp_path / "a.root", {"hits": hits, "truth": short})
    lost = int(np.sum(event >= 9))
    expected = f"{lost} of {len(event)} rows of hits are of 2 events that truth has not, such as"
    assert expected in refused(path, *FLAT)


# --- what ROOT itself writes ----------------------------------------------------------------------


def test_vectors_leaves_and_the_newest_cycle():
    """ROOT wrote two cycles of a tree of vectors; the older has half of the events."""
    path = HERE / "data/vectors.root"
    with pytest.warns(UserWarning, match=r"left out: gun.pdg, gun.e, edep, cells16"):
        events = read(path)
    assert events.conditions["energy"].tolist() == [20_000, 40_000, 60_000, 80_000]
    assert events["showers"].sum(axis=1).tolist() == [0, 5000, 15_000, 30_000]
    assert events["showers"][3, [0, 7, 14]].tolist() == [5000, 10_000, 15_000]
    with pytest.warns(UserWarning, match=r"left out: energy, cell_energy, cell_id, edep"):
        leaves = read(path, "energy=gun.e:GeV", "pdg=gun.pdg", "cells=cells16:MeV")
    assert np.array_equal(leaves["showers"], events["showers"])
    assert np.array_equal(leaves.conditions["energy"], events.conditions["energy"])
    assert leaves.provenance["particle"] == "e-"


@pytest.mark.parametrize("name", ["edm4hep.root", "edm4hep-rntuple.root"])
def test_edm4hep_needs_no_mapping(name, tmp_path):
    """Electrons of |p| = 10 GeV with a photon of another status, and hits of 2 GeV by position."""
    path = HERE / "data" / name
    with pytest.warns(UserWarning, match="left out: ECalBarrel.cellID"):
        events = read(path)
    mass = 0.510999
    kinetic = np.sqrt(10_000.0**2 + mass**2) - mass
    assert np.allclose(events.conditions["energy"], kinetic, rtol=1e-9)
    assert events.provenance["particle"] == "e-"
    hit = [np.flatnonzero(cells).tolist() for cells in events["showers"]]
    assert hit == [[5, 17, 29], [5], [5, 17], []]  # the last event has no hits
    assert events["showers"].max() == 2000
    with (tmp_path / "cells.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["cellID", "cell"])
        table.writerows([[2**63, 40], [hex(2**63 + 5), 41], [2**63 + 10, 3]])
    with pytest.warns(UserWarning, match="left out: ECalBarrel.position.x"):
        mapped = read(path, cells=tmp_path / "cells.csv")
    assert [np.flatnonzero(c).tolist() for c in mapped["showers"]] == [
        [3, 40, 41],
        [40],
        [40, 41],
        [],
    ]


def test_collections_that_could_be_meant_are_asked_for(tmp_path):
    hits = {"energy": [[9.0]], "cellID": [[1]], "position": [[{"x": 1.0, "y": 1.0, "z": 1.0}]]}
    gun = {"PDG": [[11]], "generatorStatus": [[1]], "mass": [[0.0]], "momentum": hits["position"]}
    zipped = {k: awkward.zip(dict(v), depth_limit=2) for k, v in (("A", hits), ("MC", gun))}
    with uproot.recreate(tmp_path / "a.root") as file:
        file.mkrntuple("events", {**zipped, "B": zipped["A"]})
    said = refused(tmp_path / "a.root")
    assert "several collections of hits: A, B; name one (--map cell_energy=A.energy)" in said


def test_calogan_s_generator_needs_no_mapping(tmp_path):
    """One branch a cell in MeV, the energy in GeV, three cells for what went beside."""
    cells = np.random.default_rng(3).exponential(90.0, (3, 507))
    columns = {f"cell_{n}": cells[:, n] for n in range(507)}
    path = write_tree(
        tmp_path / "a.root", {"fancy_tree": {**columns, "TotalEnergy": np.full(3, 50.0)}}
    )
    with pytest.warns(UserWarning, match="left out: cell_504, cell_505, cell_506"):
        events = read(path, detector=None)
    assert events.detector.name == "calogan"
    assert events.conditions["energy"].tolist() == [50_000] * 3
    assert np.array_equal(events["showers"], cells[:, :504])


# --- numbers --------------------------------------------------------------------------------------


NUMBERS = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]


@pytest.mark.parametrize("dtype", NUMBERS)
def test_deposits_of_any_type_are_summed_without_wrapping(dtype, tmp_path):
    """300 deposits in one cell: more than most of the types hold."""
    branches = {
        "energy": np.full(1, 40_000, "i4"),
        "cell_id": awkward.unflatten(np.zeros(300, "u2"), [300]),
        "cell_energy": awkward.unflatten(np.full(300, 120, dtype), [300]),
    }
    events = read(write_tree(tmp_path / "a.root", {"events": branches}))
    assert events["showers"][0, 0] == 36_000
    assert events["showers"].dtype == (np.float32 if dtype == "f4" else np.float64)


def test_copies_of_one_event_say_nothing_of_the_order_of_cells(tmp_path):
    """Forty deposits in the first cell and two in each of the next hundred, the same every time."""
    detector = load_detector("calochallenge-1-photons")
    cells = np.r_[np.zeros(40, int), np.repeat(np.arange(1, 101), 2)]
    deposit = np.r_[np.full(40, 1000), np.full(200, 300)].astype("i2")
    branches = {
        "energy": np.full(20, deposit.sum(dtype=float) / 0.9),
        "cell_id": awkward.Array([cells] * 20),
        "cell_energy": awkward.values_astype(awkward.Array([deposit] * 20), "int16"),
    }
    path = write_tree(tmp_path / "a.root", {"events": branches})
    events = read(path, detector=detector)
    assert np.all(events["showers"][:, 0] == 40_000)
    assert np.all(events["showers"][:, 1:101] == 600)


def test_bits_are_cells_hit_or_not(tmp_path):
    """A digital calorimeter: each hit counts as a number of the unit given."""
    energy, cells = showers()
    path = write_tree(tmp_path / "a.root", {"t": {"E": energy, "hit": cells > 0}})
    events = read(path, "energy=E:MeV", "cells=hit:GeV")
    assert np.array_equal(events["showers"], 1000.0 * (cells > 0))


def test_numbers_in_lists_of_one_are_numbers(tmp_path):
    energy, cells = showers()
    branches = {"energy": awkward.Array(energy[:, None].tolist()), "cells": cells}
    assert np.array_equal(read(write_tree(tmp_path / "a.root", {"t": branches}))["showers"], cells)
    fixed = {"energy": energy[:, None], "cells": awkward.Array(cells.tolist())}
    assert np.array_equal(read(write_tree(tmp_path / "b.root", {"t": fixed}))["showers"], cells)
    two = {"energy": np.stack([energy, energy], axis=1), "cells": cells}
    assert "holds (2,) numbers a row" in refused(write_tree(tmp_path / "c.root", {"t": two}))
    lists = {"energy": energy, "cells": hit_lists(cells)["cell_energy"]}
    assert "rows of different lengths" in refused(write_tree(tmp_path / "d.root", {"t": lists}))


def test_what_is_not_finite_is_said_before_units_are(tmp_path):
    energy, cells = showers()
    cells[:, 0] = np.nan
    path = write_tree(tmp_path / "a.root", {"t": {"E": energy, "cells": cells}})
    assert "12 values that are not finite" in refused(path, "energy=E:MeV")


def test_unequal_lists_are_counted(tmp_path):
    energy, cells = showers()
    lists = hit_lists(cells)
    lists["cell_id"] = awkward.Array([row[:-1] for row in lists["cell_id"].tolist()])
    path = write_tree(tmp_path / "a.root", {"t": {"energy": energy, **lists}})
    assert "different lengths in 10 rows" in refused(path)


# --- units ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [2.0, 50.0, 1500.0, 5e7])
def test_energies_whose_unit_nothing_tells_are_asked_for(scale, tmp_path):
    energy, cells = showers()
    factor = scale / energy.max()
    branches = {"energy": energy * factor, "cells": cells * np.float32(factor)}
    path = write_tree(tmp_path / "a.root", {"events": branches})
    which = "MeV or GeV" if scale < 2e3 else "keV or MeV"
    assert f"{which}? No column states it" in refused(path)
    for unit, in_mev in (("GeV", 1000), ("MeV", 1)):
        events = read(path, f"energy=energy:{unit}", f"cells=cells:{unit}")
        assert events.conditions["energy"].max() == pytest.approx(scale * in_mev)
        assert np.allclose(events["showers"], cells * factor * in_mev, rtol=1e-5)


def test_energies_that_are_seldom_gev_are_mev_with_a_note(tmp_path):
    energy, cells = showers()
    factor = 8000 / energy.max()
    branches = {"energy": energy * factor, "cells": cells * np.float32(factor)}
    path = write_tree(tmp_path / "a.root", {"events": branches})
    with pytest.warns(UserWarning, match="energy and cells are taken in MeV, which no column"):
        assert read(path).conditions["energy"].max() == pytest.approx(8000)


def test_names_state_units_and_the_other_unit_follows_with_a_note(tmp_path):
    energy, cells = showers()
    branches = {"E_GeV": energy / 1000, "dep": cells * 1000, "dep_keV": cells * 1000}
    path = write_tree(tmp_path / "a.root", {"t": branches})
    with (
        pytest.warns(UserWarning, match="cells is taken in keV, which no column states"),
        pytest.warns(UserWarning, match="left out: dep_keV"),
    ):
        events = read(path, "energy=E_GeV", "cells=dep")
    assert np.allclose(events["showers"], cells, rtol=1e-6)
    assert np.allclose(events.conditions["energy"], energy)
    with pytest.warns(UserWarning, match="left out: dep$"):
        stated = read(path, "energy=E_GeV", "cells=dep_keV")
    assert np.allclose(stated["showers"], cells, rtol=1e-6)
    assert stated.provenance["converted_from"]["columns"]["cells"] == "t/dep_keV:keV"


def test_stated_units_are_believed_down_to_next_to_nothing_but_never_beyond_all(tmp_path):
    """Muons leave a thousandth in thin silicon; nothing leaves nine times what it had."""
    energy, cells = showers()
    path = write_tree(tmp_path / "a.root", {"t": {"energy": energy, "cells": cells / 1000}})
    assert "a factor 1000 on the cells" in refused(path)
    with pytest.warns(UserWarning, match=r"the cells sum to 0.000\d+ times the incident energy"):
        read(path, "energy=energy:MeV", "cells=cells:MeV")
    assert "a unit is wrong" in refused(path, "energy=energy:keV", "cells=cells:GeV")
    assert "is stated in mm, which is no energy" in refused(
        path, "energy=energy:mm", "cells=cells:MeV"
    )


# --- kinematics and particles ---------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:columns of")
def test_kinetic_energy_follows_from_momentum_or_total_energy(tmp_path):
    _, cells = showers()
    n, mass = len(cells), 938.272
    kinetic = np.linspace(20_000, 60_000, n)
    total = kinetic + mass
    p = np.sqrt(total**2 - mass**2) / 1000
    branches = {
        **{"px": 0.6 * p, "py": 0 * p, "pz": 0.8 * p, "E": total, "id": np.full(n, 2212)},
        **{"cells": cells, "m": np.full(n, mass)},
    }
    path = write_tree(tmp_path / "a.root", {"t": branches})
    by_id = ("pdg=id", "cells=cells:MeV")
    for maps in (
        ("momentum=px,py,pz:GeV", *by_id),
        ("total_energy=E:MeV", *by_id),
        ("total_energy=E:MeV", "mass=m:MeV", *by_id),
    ):
        events = read(path, *maps)
        assert np.allclose(events.conditions["energy"], kinetic, rtol=1e-6)
        assert events.provenance["particle"] == "p"
    assert "needs the particle's mass" in refused(path, "momentum=px,py,pz:GeV", "cells=cells:MeV")
    assert "no unit is stated for momentum" in refused(path, "momentum=px,py,pz", *by_id)
    assert "takes three columns" in refused(path, "momentum=px,py:GeV", *by_id)


def test_one_number_for_all_events_needs_no_column(tmp_path):
    """Many programs write no beam energy, which their macro had."""
    _, cells = showers()
    path = write_tree(tmp_path / "a.root", {"B4": {"Edep": cells.astype(float)}})
    events = read(path, "energy=40GeV", "cells=Edep:MeV", "pdg=-11")
    assert events.conditions["energy"].tolist() == [40_000.0] * 12
    assert events.provenance["particle"] == "e+"
    assert events.provenance["converted_from"]["columns"]["energy"] == "40:GeV"
    assert "a column is needed, not a number" in refused(path, "energy=40GeV", "cells=3")


@order_note
@pytest.mark.filterwarnings("ignore:event numbers are taken", "ignore:columns of")
def test_the_particle_that_was_shot_is_chosen_among_rows(tmp_path):
    """A tree of all particles: the primary is track 1; event numbers are found by their name."""
    energy, cells = showers()
    event, cell, deposit = rows_of_hits(cells)
    hits = {"EventID": event, "cell": cell, "edep": deposit}
    rows = np.repeat(np.arange(12), 3)
    track = np.tile([2, 1, 3], 12)
    tracks = {
        "fEventID": rows,
        "trackID": track,
        "Ekin": energy[rows] * np.where(track == 1, 1, 0.1),
    }
    path = write_tree(tmp_path / "a.root", {"hits": hits, "tracks": tracks})
    maps = ("energy=Ekin:MeV", "cell_id=cell", "cell_energy=edep:MeV")
    assert "24 rows repeat an event number" in refused(path, *maps)
    events = read(path, *maps, "primary=trackID", rows=slice(3, 9))
    assert np.array_equal(events.conditions["energy"], energy[3:9])
    assert np.array_equal(events["showers"], cells[3:9])


@order_note
@pytest.mark.filterwarnings("ignore:columns of")
def test_a_second_tree_names_the_events_where_the_energy_is_one_number(tmp_path):
    _, cells = showers()
    event, cell, deposit = rows_of_hits(cells)
    hits = {"Event": event, "strip": cell, "E": deposit}
    path = write_tree(tmp_path / "a.root", {"hits": hits, "tracks": {"Event": np.arange(12)}})
    maps = ("event=Event", "energy=40GeV", "cell_id=strip", "cell_energy=E:MeV")
    assert np.array_equal(read(path, *maps, trees=["hits", "tracks"])["showers"], cells)
    with pytest.warns(UserWarning, match="1 event numbers between"):
        assert len(read(path, *maps)) == 10


@order_note
@pytest.mark.filterwarnings("ignore:columns of")
def test_particles_of_hits_are_not_the_one_that_was_shot(tmp_path):
    energy, cells = showers()
    event, cell, deposit = rows_of_hits(cells)
    of_step = np.where(event % 2, 11, 22).astype("i4")
    hits = {"event": event, "cell": cell, "edep": deposit, "pdg": of_step}
    truth = {"event": np.arange(12), "Ebeam": energy, "pdg": np.full(12, 211)}
    path = write_tree(tmp_path / "a.root", {"hits": hits, "truth": truth})
    assert read(path, *FLAT).provenance["particle"] == "pi+"
    path = write_tree(tmp_path / "b.root", {"hits": hits, "truth": {**truth, "pdg": energy * 0}})
    with pytest.raises(EventsError, match="pdg 0 is no particle"):
        read(path, *FLAT)
    path = write_tree(tmp_path / "c.root", {"t": {**hits, "Ebeam": energy[event]}})
    with pytest.warns(UserWarning, match="event numbers between"):
        assert "particle" not in read(path, *FLAT).provenance


def test_the_energy_of_hits_is_not_that_of_the_particle(tmp_path):
    hits = {"event": np.arange(3), "energy": np.full(3, 20_000.0), "id": np.arange(3)}
    path = write_tree(tmp_path / "a.root", {"t": hits})
    said = refused(path, "cell_energy=energy:MeV", "cell_id=id")
    assert "the conditions energy of detector small-cube are missing" in said


def test_several_particles_become_a_condition(tmp_path):
    """Of the whole file: the first events may be of one particle."""
    energy, cells = showers()
    ids = np.where(np.arange(12) < 8, 22, 11).astype("i4")
    branches = {"energy": energy, "cells": cells, "pdg": ids}
    path = write_tree(tmp_path / "a.root", {"t": branches})
    events = read(path)
    assert events.detector.particles == (11, 22)
    assert np.array_equal(events.conditions["pdg"], ids)
    first = read(path, rows=slice(0, 4))
    assert first.detector == events.detector
    file = EventFile(path, CUBE)
    assert file.detector == events.detector
    assert np.array_equal(file.take(slice(6, 10)).conditions["pdg"], ids[6:10])
    write_events(events, tmp_path / "b.root")
    assert np.array_equal(read_events(tmp_path / "b.root").conditions["pdg"], ids)
    one = write_tree(tmp_path / "c.root", {"t": {**branches, "pdg": np.full(12, -11)}})
    assert read(one).provenance["pdg"] == -11
    assert "pdg" not in read(one).conditions.columns


# --- what is missing, ambiguous or left out -------------------------------------------------------


def test_what_is_missing_lists_what_there_is_up_to_a_bound(tmp_path):
    energy, cells = showers()
    many = {f"x{n}": energy for n in range(60)}
    path = write_tree(tmp_path / "a.root", {"sim/t": {"E": energy, "cells": cells, **many}})
    said = refused(path, "energy=Ebeam:MeV")
    assert "no column Ebeam for energy; sim/t has E, cells, x0" in said
    assert "… and 42 more" in said
    assert len(said) < 400
    assert "the conditions energy of detector small-cube are missing" in refused(path)
    assert "no such target; there are energy, cells" in refused(path, "beam=E")
    assert "no tree 'u'; there are sim/t" in refused(path, trees=["u"])
    assert "'GEV' is not a unit" in refused(path, "energy=E:GEV")
    assert "should be TARGET=COLUMN" in refused(path, "energy")
    assert "is given twice" in refused(path, "energy=E:GeV", "energy=E:MeV")


def test_trees_of_one_name_are_told_apart_by_their_folder(tmp_path):
    energy, cells = showers()
    trees = {f"run{n}/events": {"energy": energy + n, "cells": cells} for n in range(2)}
    path = write_tree(tmp_path / "a.root", trees)
    assert "no tree 'events'; there are run0/events, run1/events" in refused(path)
    assert "several trees are called 'events'" in refused(path, trees=["events"])
    assert "in several trees (run0/events, run1/events)" in refused(path, "energy=energy:MeV")
    assert np.array_equal(read(path, trees=["run1/events"]).conditions["energy"], energy + 1)
    both = {"events": {"energy": energy, "cells": cells}, "old": {"energy": energy[:3]}}
    assert len(read(write_tree(tmp_path / "b.root", both))) == 12


def test_weights_are_noted_with_what_they_hold(tmp_path):
    energy, cells = showers()
    weight = np.ones(12)
    weight[:3] = (-1, 2, 0.5)
    branches = {"energy": energy, "cells": cells, "weight": weight}
    path = write_tree(tmp_path / "a.root", {"t": branches})
    with (
        pytest.warns(UserWarning, match="columns of t that are left out: weight"),
        pytest.warns(UserWarning, match="3 of 12 values of t/weight are not 1, 1 are negative"),
    ):
        read(path)


def test_other_conditions_keep_their_unit(tmp_path):
    content = CUBE.model_dump()
    content["conditions"]["impact"] = {"role": "linear", "unit": "mm"}
    detector = type(CUBE).model_validate(content)
    energy, cells = showers()
    branches = {"energy": energy, "cells": cells, "impact": energy / 1000, "x_cm": energy / 1000}
    path = write_tree(tmp_path / "a.root", {"t": branches})
    with (
        pytest.warns(UserWarning, match="taken are impact in mm"),
        pytest.warns(UserWarning, match="left out: x_cm"),
    ):
        assert np.allclose(read(path, detector=detector).conditions["impact"], energy / 1000)
    with pytest.warns(UserWarning, match="left out: impact"):
        events = read(path, "impact=x_cm", detector=detector)
    assert np.allclose(events.conditions["impact"], energy / 100)


# --- the command ----------------------------------------------------------------------------------


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["simulacra", *map(str, arguments)])
    with warnings.catch_warnings():
        warnings.simplefilter("default")  # as outside of tests: lines on stderr
        with pytest.raises(SystemExit) as ended:
            cli.main()
    return ended.value.code or 0


def test_convert_takes_two_trees_and_what_it_writes_reads_back(tmp_path, monkeypatch, capsys):
    energy, cells = showers()
    path = tmp_path / "a.root"
    two_trees_of_rows(path, energy / 1000, cells / 1000)
    yaml = HERE.parent / "small-cube.yaml"
    options = ["--detector", yaml, "--tree", "hits", "--tree", "truth", "--map", "event=eventID"]
    options += ["--map", "cell_id=cell", "--map", "cell_energy=edep:GeV"]
    for ending in (".h5", ".root"):
        out = tmp_path / f"out{ending}"
        code = run(monkeypatch, "convert", path, out, *options, "--map", "energy=Ebeam:GeV")
        assert code == 0
        told = capsys.readouterr()
        assert "12 events of small-cube" in told.out
        assert "cell_id is taken as the place in our order" in " ".join(told.err.split())
        back = read_events(out)
        assert np.allclose(back["showers"], cells, rtol=1e-6)
        assert np.allclose(back.conditions["energy"], energy)
        assert back.provenance["converted_from"]["columns"]["energy"] == "ntuple/truth/Ebeam:GeV"
    assert run(monkeypatch, "convert", path, tmp_path / "no.h5", *options, "--map", "energy=x") == 2
    assert "ntuple/truth has eventID, Ebeam" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "no.h5").exists()


def test_half_precision_is_written_as_single(tmp_path):
    energy, cells = showers(dtype=np.float16)
    single = {"energy": energy, "cells": cells.astype("f4")}
    events = read(write_tree(tmp_path / "a.root", {"t": single}))
    half = type(events)(events.conditions, {"showers": cells}, CUBE)
    write_events(half, tmp_path / "b.root")
    assert np.array_equal(read_events(tmp_path / "b.root")["showers"], cells.astype(np.float32))


@order_note
@pytest.mark.filterwarnings("ignore:event numbers are taken", "ignore:columns of")
def test_counts_follow_the_mapping(tmp_path):
    content = CUBE.model_dump()
    content["conditions"]["impact"] = {"role": "linear", "unit": "mm"}
    detector = type(CUBE).model_validate(content)
    energy, cells = showers()
    event, cell, deposit = rows_of_hits(cells)
    hits = {"EventID": event, "cell": cell, "edep": deposit}
    rows = np.repeat(np.arange(12), 3)
    tracks = {
        "EventID": rows,
        "id": np.tile([2, 1, 3], 12),
        "Ekin": energy[rows],
        "x": energy[rows],
    }
    path = write_tree(tmp_path / "a.root", {"hits": hits, "tracks": tracks})
    maps = ("energy=Ekin:MeV", "cell_id=cell", "cell_energy=edep:MeV", "primary=id", "impact=x:um")
    file = EventFile(path, detector, layout=Layout.parse(maps))
    assert len(file) == 12
    assert np.allclose(file.take(slice(5, 7)).conditions["impact"], energy[5:7] / 1000)


@pytest.mark.filterwarnings("ignore:1 event numbers")
def test_files_of_hits_are_read_piece_by_piece(tmp_path):
    energy, cells = showers()
    event, cell, deposit = rows_of_hits(cells)
    branches = {"event": event, "energy": energy[event], "cell_id": cell, "cell_energy": deposit}
    file = EventFile(write_tree(tmp_path / "a.root", {"hits": branches}), CUBE)
    kept = cells[cells.any(axis=1)]
    assert len(file) == len(kept)
    assert np.array_equal(file.take(slice(3, 6))["showers"], kept[3:6])


def test_maps_are_for_files_of_others(tmp_path):
    energy, cells = showers()
    events = read(write_tree(tmp_path / "a.root", {"t": {"energy": energy, "cells": cells}}))
    write_events(events, tmp_path / "a.h5")
    assert "this one is of ours" in refused(tmp_path / "a.h5", "energy=E:GeV")


# --- two energies, and what is said of the file ---------------------------------------------------


@pytest.mark.filterwarnings("ignore:.*taken in MeV")
def test_two_energies_of_one_event_must_agree(tmp_path):
    energy, cells = showers()
    path = tmp_path / "two.root"
    same = {"energy": energy, "cells": cells, "true_energy": energy.astype(np.float32)}
    with pytest.warns(UserWarning, match="left out: true_energy"):
        assert len(read(write_tree(path, {"events": same}))) == len(energy)
    other = energy.copy()
    other[7] *= 1.01
    write_tree(path, {"events": {**same, "true_energy": other}})
    words = f"energy and true_energy disagree: {energy[7]:g} and {other[7]:g} MeV in event 7"
    assert words in refused(path)
    assert words in refused(path, rows=slice(5, 9))
    with pytest.warns(UserWarning, match="left out: energy"):
        events = read(path, "energy=true_energy:MeV")  # whoever names one is believed
    assert events.conditions["energy"][7] == other[7]


def test_two_energies_in_a_file_of_ours_must_agree(tmp_path):
    energy, cells = showers()
    events = Events(Conditions({"energy": energy}), {"showers": cells}, CUBE)
    path = tmp_path / "ours.root"
    write_events(events, path)
    with uproot.open(path) as file:
        said = {name: str(file[name]) for name in ("detector", "provenance")}
    write_tree(path, {"events": {"energy": energy, "cells": cells, "incident_energy": energy / 2}})
    with uproot.update(path) as file:
        file["detector"], file["provenance"] = said["detector"], said["provenance"]
    assert "energy and incident_energy disagree" in refused(path)


@pytest.mark.parametrize("provenance", ["[1]", "{", "[" * 100_000])
def test_a_provenance_that_is_no_object_is_one_line(provenance, tmp_path):
    energy, cells = showers()
    path = write_tree(tmp_path / "ours.root", {"events": {"energy": energy, "cells": cells}})
    with uproot.update(path) as file:
        file["detector"], file["provenance"] = CUBE.to_yaml(), provenance
    refused(path)
