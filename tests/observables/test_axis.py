import numpy as np
import pytest

from simulacra.observables import Axis


@pytest.mark.parametrize("axis", [Axis(), Axis("log"), Axis("arsinh", 0.1)])
def test_places_lead_back_to_values_and_keep_their_order(axis):
    values = np.geomspace(1e-3, 1e4, 50)
    places = axis.places(values)
    np.testing.assert_allclose(axis.values(places), values, rtol=1e-12)
    assert np.all(np.diff(places) > 0)
    assert np.isnan(axis.places(np.array([np.nan]))[0])


def test_what_has_no_logarithm_lies_below_everything():
    axis = Axis("log")
    assert np.all(axis.places(np.array([0.0, -3.0])) == -12)


def test_arsinh_is_linear_in_the_core_and_odd():
    axis = Axis("arsinh", 0.1)
    core = np.linspace(-0.01, 0.01, 21)
    np.testing.assert_allclose(axis.places(core), core / 0.1, rtol=2e-3)
    np.testing.assert_allclose(axis.places(-core), -axis.places(core))
