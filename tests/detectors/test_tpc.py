import numpy as np
import pytest
import yaml

from simulacra.conditions import conditions_at
from simulacra.detectors import TPC, load_detector, parse_detector
from simulacra.detectors.tpc import ROLES
from simulacra.errors import DetectorError


@pytest.fixture(scope="module")
def tpc() -> TPC:
    return load_detector("alice-tpc")


def test_alice_has_159_rows_in_three_groups(tpc):
    radii = tpc.row_radii
    assert tpc.response_arrays["clusters"].shape == (159, 5)
    assert np.all(np.diff(radii) > 0)
    assert radii[0] == 848 + 3.75
    assert radii[-1] == 2466 - 7.5
    np.testing.assert_allclose(np.diff(radii)[[0, 100, -1]], [7.5, 10, 15])


def test_units_are_those_in_memory(tpc):
    """2.65 cm/us are 94 us for the whole drift; 209 um/sqrt(cm) are 3.3 mm after it."""
    assert tpc.drift_length / tpc.drift.velocity == pytest.approx(94_340, rel=1e-3)
    assert tpc.drift.transverse_diffusion * np.sqrt(2500) == pytest.approx(0.209 * np.sqrt(250))
    assert tpc.gas.energy_per_electron == pytest.approx(36e-6)


def test_drawn_tracks_follow_the_beam(tpc):
    drawn = conditions_at(tpc, "100MeV..10GeV", 20_000, seed=1)
    assert list(drawn.columns) == list(tpc.conditions) == list(ROLES)
    species, counts = np.unique(drawn["pdg"], return_counts=True)
    assert sorted(species) == sorted(tpc.conditions["pdg"].categories)
    assert np.all(np.abs(counts - 2000) < 5 * np.sqrt(2000))
    for name, low, high in (("pseudorapidity", -0.9, 0.9), ("phi", -np.pi, np.pi)):
        assert low <= drawn[name].min() < drawn[name].max() <= high * (1 + 1e-6)
        assert drawn[name].std() == pytest.approx((high - low) / np.sqrt(12), rel=0.02)
    for name, spread in zip(("vertex_x", "vertex_z"), (0.05, 50), strict=True):
        assert drawn[name].std() == pytest.approx(spread, rel=0.03)


def _changed(**changes):
    content = yaml.safe_load(load_detector("alice-tpc").to_yaml())
    for place, value in changes.items():
        *parents, key = place.split("__")
        inside = content
        for parent in parents:
            inside = inside[parent]
        inside[key] = value
    return yaml.safe_dump(content)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"conditions__phi": {"role": "linear"}}, "the conditions of a tpc are pdg"),
        ({"conditions__energy": {"role": "log"}}, "the conditions of a tpc are pdg"),
        ({"gas__inner_radius": "900 mm"}, "from the inside out"),
        ({"drift__velocity": "2.65 cm"}, "is not a velocity"),
        ({"electronics__gain": 3}, "unknown key"),
    ],
)
def test_mistakes_are_named(changes, message):
    with pytest.raises(DetectorError, match=message):
        parse_detector(_changed(**changes))
