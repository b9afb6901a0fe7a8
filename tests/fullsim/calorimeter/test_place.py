import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulacra.detectors import load_detector
from simulacra.errors import DetectorError

ATLAS = load_detector("atlas-barrel")
x_in_spot = st.floats(-40, 39.999)
y_in_spot = st.floats(-80, 79.999)
impact = st.floats(-20, 20, width=32)


@given(x_in_spot, y_in_spot)
def test_place_inverts_locate_within_the_beam_spot(x, y):
    columns = ATLAS.locate(np.array([x]), np.array([y]))
    placed = ATLAS.place(columns)
    np.testing.assert_allclose(np.ravel(placed), [x, y], atol=1e-5)


@given(impact, impact, st.integers(0, 1), st.integers(0, 3))
def test_locate_inverts_place(eta, phi, state_eta, state_phi):
    columns = {
        "impact_eta": np.array([eta], np.float32),
        "impact_phi": np.array([phi], np.float32),
        "alignment_eta": np.array([state_eta], np.int8),
        "alignment_phi": np.array([state_phi], np.int8),
    }
    again = ATLAS.locate(*ATLAS.place(columns))
    for name, column in columns.items():
        np.testing.assert_allclose(again[name], column, atol=1e-5, err_msg=name)


def test_place_explains_what_it_cannot_use():
    columns = ATLAS.locate(np.array([1.0]), np.array([2.0]))
    with pytest.raises(DetectorError, match="impact_eta must lie within ±20 mm"):
        ATLAS.place(columns | {"impact_eta": np.array([21.0])})
    with pytest.raises(DetectorError, match="alignment_phi is needed"):
        ATLAS.place({k: v for k, v in columns.items() if k != "alignment_phi"})
    with pytest.raises(DetectorError, match="nothing of the impact along x"):
        load_detector("calogan").place({})
