"""Observables that the read-out alone decides are no observables."""

import numpy as np
import pytest

from simulacra.conditions import Conditions
from simulacra.detectors import load_detector
from simulacra.errors import CardError
from simulacra.events import Events
from simulacra.observables import fixed_observables, observables_of, selection_groups
from simulacra.observables.selection_score import EpochSelection
from simulacra.validation import Thresholds, apply_thresholds, validate

LAYERS = (  # cells (x, y) in mm of layers of 40 x 40 mm
    (40, 40),
    (20, 40),
    (40, 10),
    (20, 20),
)


def stack(layers=LAYERS):
    """A calorimeter with one layer for each size of cells."""
    from simulacra.detectors.calorimeter.calorimeter import Calorimeter

    sections = [
        {
            "name": f"l{i}",
            "slabs": [{"material": "G4_Pb", "thickness": 10.0, "sensitive": True}],
            "readout": {"segmentation": {"kind": "cartesian", "cell": cell}},
        }
        for i, cell in enumerate(layers)
    ]
    return Calorimeter.model_validate(
        {
            "name": "toy",
            "kind": "calorimeter",
            "volume": {"kind": "box", "width": (40.0, 40.0)},
            "axes": ("x", "y"),
            "stack": sections,
            "conditions": {"energy": {"role": "log", "unit": "MeV"}},
        }
    )


def events(detector, n, seed):
    rng = np.random.default_rng(seed)
    energy = np.repeat([1e3, 1e4], n // 2)
    shares = rng.dirichlet(np.ones(detector.n_cells), n)
    showers = shares * (energy * rng.normal(0.9, 0.05, n))[:, None]
    return Events(Conditions({"energy": energy}), {"showers": showers}, detector)


def test_what_cells_leave_to_the_shower():
    fixed = {o.name for o in fixed_observables(stack())}
    one = ("centre_x", "centre_y", "width_x", "width_y", "hottest_cells_ratio", "hottest_cell")
    assert fixed == {
        *(f"{name}.l0" for name in one),
        *("centre_y.l1", "width_y.l1"),
        *("centre_x.l2", "width_x.l2"),
    }
    assert not fixed & {o.name for o in observables_of(stack())}


def test_a_single_layer_has_no_depth():
    fixed = {o.name for o in fixed_observables(stack(((20, 20),)))}
    assert fixed == {"depth", "depth_width", "fraction.l0"}


def test_rings_without_sectors_have_a_radius_alone():
    detector = load_detector("calochallenge-1-photons")
    fixed = {o.name for o in fixed_observables(detector)}
    assert {"centre_eta.layer_0", "width_phi.layer_12"} <= fixed
    assert not any(name.startswith(("centre_r", "width_r", "hottest")) for name in fixed)


@pytest.mark.parametrize("name", ["atlas-barrel", "calogan", "par04-siw", "alice-tpc"])
def test_finely_divided_layers_fix_nothing(name):
    assert fixed_observables(load_detector(name)) == ()


def test_what_is_fixed_is_really_constant_and_nothing_else_is():
    sample = events(stack(), 200, 0)
    for observable in fixed_observables(sample.detector):
        values = observable(sample)
        assert np.ptp(values) <= 1e-9 * max(1, np.abs(values).max())
    for observable in observables_of(sample.detector):
        assert np.ptp(observable(sample)) > 1e-6 or observable.group == "sparsity"


def test_one_empty_event_does_not_rule_the_score_of_an_epoch():
    detector = stack()
    selection = EpochSelection(events(detector, 200, 1))
    generated = events(detector, 200, 2)
    before, _ = selection.score(generated)
    showers = generated["showers"].copy()
    showers[7, detector.layers[0].cells] = 0
    after, _ = selection.score(Events(generated.conditions, {"showers": showers}, detector))
    assert after == pytest.approx(before, abs=0.1)


def test_groups_of_fixed_observables_are_left_out_or_refused():
    detector = stack(((40, 40), (40, 40)))
    assert selection_groups(detector) == ("response", "fraction")
    with pytest.raises(CardError, match="the read-out alone fixes 'hottest_cells_ratio'"):
        EpochSelection(events(detector, 20, 0), ["hottest_cells_ratio"])


def test_constants_are_compared_with_nothing_and_fail_no_limit():
    """The same number in all events of both samples: no verdict, no width, no failure."""
    detector = stack()
    samples = []
    for seed in (1, 2):
        sample = events(detector, 400, seed)
        cells = sample["showers"].copy()
        cells[:, detector.layers[3].cells] = 0  # a layer that no shower reaches
        samples.append(Events(sample.conditions, {"showers": cells}, detector))
    result = validate(*samples)
    assert "width_x.l3" in result.pooled.constant
    assert "width_x.l3" not in result.pooled.comparisons
    counted = sum(result.to_json()["verdicts"].values())
    assert counted == sum(len(g.comparisons) for g in result.groups)
    rules = [{"observables": ["width_*"], "width_ratio": 0.5, "mean_shift": 0.5, "sigmas": 5}]
    checked = apply_thresholds(result, Thresholds.model_validate({"rules": rules}))
    assert checked.thresholds.failures == ()
