"""Closed forms and symmetries of the observables."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulacra.conditions import Conditions, EnergySpectrum, draw_conditions
from simulacra.detectors import Calorimeter, builtin_detectors, load_detector
from simulacra.errors import DetectorError
from simulacra.events import Events
from simulacra.observables import fixed_observables, observable, observables_of, observe

CALORIMETERS = [n for n in builtin_detectors() if isinstance(load_detector(n), Calorimeter)]


def make(name, showers, seed=0):
    detector = load_detector(name)
    rng = np.random.default_rng(seed)
    conditions = draw_conditions(detector, EnergySpectrum((1e3, 2e4)), len(showers), rng)
    return Events(conditions, {"showers": showers}, detector)


def random_showers(name, n, seed=0):
    rng = np.random.default_rng(seed)
    shape = (n, load_detector(name).n_cells)
    return (rng.exponential(50, shape) * (rng.random(shape) < 0.4)).astype(np.float32)


def compute(events):
    return {o.name: o(events) for o in observables_of(events.detector)}


def one_hit(name, cell, energy=100.0):
    showers = np.zeros((1, load_detector(name).n_cells), np.float32)
    showers[0, cell] = energy
    return make(name, showers)


@pytest.mark.parametrize("name", CALORIMETERS)
def test_names_are_unique_and_values_finite_with_one_value_per_event(name):
    observables = observables_of(load_detector(name))
    assert len({o.name for o in observables}) == len(observables)
    showers = random_showers(name, 3)
    showers[1] = 0  # an empty event
    for key, values in compute(make(name, showers)).items():
        assert values.shape == (3,), key
        assert values.dtype == np.float64, key
        assert np.all(np.isfinite(values)), key


@pytest.mark.parametrize("name", CALORIMETERS)
def test_a_single_hit_cell_is_its_own_centre_and_has_no_width(name):
    detector = load_detector(name)
    for layer in {
        detector.layers[0].name: detector.layers[0],
        "last": detector.layers[-1],
    }.values():
        cell = layer.cells.start + int(np.prod(layer.shape)) // 3
        events = one_hit(name, cell)
        values = compute(events)
        for i, axis in enumerate(detector.axes):
            width, found = f"width_{axis}.{layer.name}", f"centre_{axis}.{layer.name}"
            if width not in values:  # the read-out fixes it
                assert {width, found} & {o.name for o in fixed_observables(detector)}
                continue
            assert values[width] == pytest.approx(0, abs=1e-5)
            offsets = detector.window_offset(layer, i)
            state = int(events.conditions[f"alignment_{axis}"][0]) if len(offsets) > 1 else 0
            impact = f"impact_{axis}"
            shift = events.conditions[impact][0] if impact in events.conditions.columns else 0.0
            position = (layer.x, layer.y)[i][cell - layer.cells.start] + offsets[state] - shift
            assert values[found] == pytest.approx(position, abs=1e-4)
        assert values[f"hottest_cell.{layer.name}"] == pytest.approx(1)
        assert values[f"hottest_cells_ratio.{layer.name}"] == pytest.approx(1)
        assert values[f"fraction.{layer.name}"] == pytest.approx(1)
        assert values[f"layer_energy.{layer.name}"] == pytest.approx(100)
        assert values[f"sparsity.{layer.name}"] == pytest.approx(1 - 1 / np.prod(layer.shape))
        assert values["depth"] == pytest.approx(layer.depth)
        assert values["depth_width"] == pytest.approx(0, abs=1e-4)
        assert values["response"] == pytest.approx(100 / events.conditions["energy"][0])


def test_two_equal_cells_have_half_their_distance_as_width():
    detector = load_detector("atlas-barrel")
    middle = next(layer for layer in detector.layers if layer.name == "middle")
    showers = np.zeros((1, detector.n_cells), np.float32)
    showers[0, middle.cells.start + np.array([24, 24 + 7])] = 50  # neighbours along the first axis
    values = compute(make("atlas-barrel", showers))
    assert values["width_eta.middle"] == pytest.approx(middle.segmentation.cell[0] / 2)
    assert values["width_phi.middle"] == pytest.approx(0, abs=1e-5)
    assert values["hottest_cells_ratio.middle"] == pytest.approx(0)
    assert values["hottest_cell.middle"] == pytest.approx(0.5)
    assert values["r_phi"] == pytest.approx(1)


@pytest.mark.parametrize("name", CALORIMETERS)
def test_empty_layers_give_zero(name):
    values = compute(make(name, np.zeros((2, load_detector(name).n_cells), np.float32)))
    for key, value in values.items():
        expected = 1.0 if key.startswith("sparsity") else 0.0
        assert np.all(value == expected), key


@pytest.mark.parametrize("name", ["atlas-barrel", "par04-siw"])
def test_a_cell_that_is_nan_makes_what_it_is_part_of_nan(name):
    detector = load_detector(name)
    layer, other = detector.layers[1], detector.layers[2]
    whole = random_showers(name, 3)
    broken = whole.copy()
    broken[1, layer.cells.start + int(np.prod(layer.shape)) // 2] = np.nan
    before, after = compute(make(name, whole)), compute(make(name, broken))
    of_layer = {key for key in after if key.endswith(f".{layer.name}")}
    for key in of_layer | {"response", "depth", "depth_width", f"fraction.{other.name}"}:
        assert np.isnan(after[key]).tolist() == [False, True, False], key
    for key in after:
        np.testing.assert_array_equal(after[key][::2], before[key][::2])
    for key in (f"layer_energy.{other.name}", f"sparsity.{other.name}"):
        np.testing.assert_array_equal(after[key], before[key])


@pytest.mark.parametrize("name", CALORIMETERS)
def test_layer_fractions_sum_to_one(name):
    values = compute(make(name, random_showers(name, 4)))
    total = sum(value for key, value in values.items() if key.startswith("fraction."))
    np.testing.assert_allclose(total, 1, rtol=1e-5)


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(scale=st.floats(0.01, 100), seed=st.integers(0, 1000))
def test_scaling_all_cells_scales_energies_and_nothing_else(scale, seed):
    showers = random_showers("atlas-barrel", 3, seed).astype(np.float64)
    before = compute(make("atlas-barrel", showers))
    after = compute(make("atlas-barrel", scale * showers))
    for key in before:
        if key.startswith("sparsity"):
            continue  # counts cells above a fixed energy
        energy = key in ("response", "delta_e") or key.startswith("layer_energy")
        factor = scale if energy else 1.0
        np.testing.assert_allclose(after[key], factor * before[key], rtol=1e-6, atol=1e-5)


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(axis=st.integers(0, 1), seed=st.integers(0, 1000))
def test_moving_a_shower_by_one_cell_moves_its_centre_by_the_cell_size(axis, seed):
    detector = load_detector("atlas-barrel")
    before_showers = random_showers("atlas-barrel", 2, seed)
    after_showers = before_showers.copy()
    for layer in detector.layers:
        grid = before_showers[:, layer.cells].reshape(-1, *layer.shape)
        edge = [slice(None)] * 3
        edge[axis + 1] = slice(-1, None)
        grid[tuple(edge)] = 0  # nothing leaves the window
        before_showers[:, layer.cells] = grid.reshape(len(grid), -1)
        after_showers[:, layer.cells] = np.roll(grid, 1, axis + 1).reshape(len(grid), -1)
    before, after = (compute(make("atlas-barrel", s)) for s in (before_showers, after_showers))
    for layer in detector.layers:
        name = detector.axes[axis]
        filled = before[f"layer_energy.{layer.name}"] > 0
        moved = (after[f"centre_{name}.{layer.name}"] - before[f"centre_{name}.{layer.name}"])[
            filled
        ]
        np.testing.assert_allclose(moved, layer.segmentation.cell[axis], rtol=1e-4)
        for other in ("width_eta", "width_phi", "fraction", "hottest_cells_ratio", "sparsity"):
            key = f"{other}.{layer.name}"
            np.testing.assert_allclose(after[key], before[key], rtol=1e-4, atol=1e-4)


def test_the_centre_is_relative_to_the_impact():
    detector = load_detector("atlas-barrel")
    events = one_hit("atlas-barrel", 150)
    columns = dict(events.conditions.columns)
    columns["impact_eta"] = columns["impact_eta"] + np.float32(3)
    moved = Events(Conditions(columns), events.response, detector)
    layer = next(la for la in detector.layers if la.cells.start <= 150 < la.cells.stop)
    key = f"centre_eta.{layer.name}"
    assert compute(moved)[key] == pytest.approx(compute(events)[key] - 3, abs=1e-4)


def test_detectors_without_observables_say_so():
    with pytest.raises(DetectorError, match="no observables"):
        observables_of(load_detector("jet-image").model_copy(update={"kind": "cube"}))


def strips_hit(energies):
    """An event in the barrel whose strips of the middle phi row have these energies, from 20 on."""
    detector = load_detector("atlas-barrel")
    strips = next(layer for layer in detector.layers if layer.name == "strips")
    showers = np.zeros((1, detector.n_cells), np.float32)
    grid = showers[:, strips.cells].reshape(1, *strips.shape)
    grid[0, 20 : 20 + len(energies), 1] = energies
    showers[:, strips.cells] = grid.reshape(1, -1)
    return compute(make("atlas-barrel", showers))


def test_widths_of_strips_in_closed_form():
    values = strips_hit([10, 20, 70, 10, 10])  # 10, 70 and 10 around the hottest; steps -2 ... 2
    assert values["w_eta1"] == pytest.approx(np.sqrt((20 + 10) / 100))
    assert values["w_stot"] == pytest.approx(np.sqrt((4 * 10 + 20 + 10 + 4 * 10) / 120))
    assert values["central_phi.strips"] == pytest.approx(1)
    far = strips_hit([1, *[0] * 11, 99])  # 12 strips away: outside of the 20 around the hottest
    assert far["w_stot"] == pytest.approx(0)


def test_a_shower_at_the_edge_of_the_strips_has_a_width():
    detector = load_detector("atlas-barrel")
    strips = next(layer for layer in detector.layers if layer.name == "strips")
    values = compute(one_hit("atlas-barrel", strips.cells.start))
    assert values["w_eta1"] == values["w_stot"] == pytest.approx(0)


def test_the_width_in_the_middle_layer_ignores_what_is_outside_its_window():
    detector = load_detector("atlas-barrel")
    middle = next(layer for layer in detector.layers if layer.name == "middle")
    showers = np.zeros((1, detector.n_cells), np.float32)
    grid = np.zeros((7, 7), np.float32)
    grid[2:5, 3] = 25, 50, 25
    grid[0, 0] = 1000
    showers[:, middle.cells] = grid.ravel()
    assert compute(make("atlas-barrel", showers))["w_eta2"] == pytest.approx(np.sqrt(0.5))


def test_lengths_in_cells_are_those_in_millimetres_over_the_cell():
    events = make("atlas-barrel", random_showers("atlas-barrel", 5))
    in_mm = {o.name: o for o in observables_of(events.detector)}
    in_cells = {o.name: o for o in observables_of(events.detector, "cells")}
    assert list(in_mm) == list(in_cells)
    for layer in events.detector.layers:
        for axis, size in zip(("eta", "phi"), layer.segmentation.cell, strict=True):
            for name in (f"centre_{axis}.{layer.name}", f"width_{axis}.{layer.name}"):
                assert (in_mm[name].unit, in_cells[name].unit) == ("mm", "cells")
                np.testing.assert_allclose(in_cells[name](events), in_mm[name](events) / size)


@pytest.mark.parametrize("name", CALORIMETERS)
def test_many_at_once_are_what_each_is_alone(name, monkeypatch):
    monkeypatch.setattr(observable, "CHUNK", 3 * load_detector(name).n_cells)
    events = make(name, random_showers(name, 8))
    chosen = observables_of(events.detector)[::7]
    together = observe(events, chosen)
    for o in chosen:
        np.testing.assert_allclose(together[o.name], o(events), rtol=1e-12, atol=1e-9)


def test_observing_keeps_memory_bounded():
    events = make("par04-siw", np.ones((2000, 6480), np.float32))
    chosen = observables_of(events.detector)[:60]
    tracemalloc.start()
    observe(events, chosen)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6  # in double precision the events alone are 104 MB


def test_the_radius_of_round_layers_in_closed_form():
    detector = load_detector("par04-siw")
    layer = detector.layers[7]
    showers = np.zeros((1, detector.n_cells), np.float32)
    showers[0, layer.cells.start + np.array([0, 9 + 4])] = 30, 10  # innermost and fifth ring
    values = compute(make("par04-siw", showers))
    inner, outer = 4.65 / 2, 4.65 * 4.5
    mean = 0.75 * inner + 0.25 * outer
    assert values[f"centre_r.{layer.name}"] == pytest.approx(mean)
    expected = np.sqrt(0.75 * inner**2 + 0.25 * outer**2 - mean**2)
    assert values[f"width_r.{layer.name}"] == pytest.approx(expected)
