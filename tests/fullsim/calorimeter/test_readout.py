import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulacra.detectors import load_detector
from simulacra.errors import DetectorError
from simulacra.fullsim.calorimeter.readout import section_readouts, window_starts
from tests.fullsim.conftest import RINGS, TUBE, stack

ATLAS = load_detector("atlas-barrel")


@given(
    st.floats(-40, 40, exclude_max=True),
    st.floats(-80, 80, exclude_max=True),
    st.integers(0, 3),
    st.data(),
)
def test_a_deposit_is_read_out_in_the_cell_that_holds_it(x, y, number, data):
    """Score one cell of the whole layer; the response's own cell positions must find it."""
    section, layer = ATLAS.readout_sections[number], ATLAS.layers[number]
    readout = section_readouts(ATLAS)[number]
    start = window_starts(ATLAS, np.array([x]), np.array([y]))[0, number]
    cell = [data.draw(st.integers(0, n - 1)) for n in readout.window]
    grid = start + cell
    size = np.array(section.readout.segmentation.cell)
    position = (grid + 0.5) * size - np.array(ATLAS.volume.width) / 2

    index = np.array([grid[0] * readout.grid[1] + grid[1]])
    response = readout.read(index, np.array([3.0]), tuple(start))

    assert np.count_nonzero(response) == 1
    hit = int(response.argmax())
    assert response[hit] == pytest.approx(3.0 / section.readout.sampling_fraction)
    centre = np.ravel(ATLAS.reference_centre(np.array([x]), np.array([y])))
    columns = ATLAS.locate(np.array([x]), np.array([y]))
    offset = [
        ATLAS.window_offset(layer, axis)[int(columns[f"alignment_{name}"][0])]
        for axis, name in enumerate(ATLAS.axes)
    ]
    found = centre + offset + [layer.x[hit], layer.y[hit]]
    np.testing.assert_allclose(found, position, atol=1e-9)


def test_polar_cells_come_with_r_fastest_then_alpha_then_layer():
    detector = stack(TUBE, RINGS, each="true")
    (readout,) = section_readouts(detector)
    alpha, r, layer = 5, 2, 3
    index = np.array([(alpha * 4 + r) * 6 + layer])
    response = readout.read(index, np.array([1.0]), (0, 0))
    assert response.shape == (detector.n_cells,)
    assert int(response.argmax()) == (layer * 8 + alpha) * 4 + r


def test_an_impact_too_far_out_is_an_error():
    with pytest.raises(DetectorError, match="leaves the section"):
        window_starts(ATLAS, np.array([310.0]), np.array([0.0]))
