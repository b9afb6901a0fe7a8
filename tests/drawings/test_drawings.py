"""Drawings of detectors show every cell, in order, and are the same bytes every time."""

import pytest
from matplotlib.collections import PatchCollection

from simulacra import cli, draw_detector
from simulacra.detectors import builtin_detectors, load_detector
from simulacra.drawings import write_drawing
from simulacra.errors import SimulacraError
from tests.detectors.calorimeter.test_places import IMPACTS, own


def _cells(axes):
    return [
        c for c in axes.collections if isinstance(c, PatchCollection) and c.get_array() is not None
    ]


@pytest.mark.parametrize("name", ["atlas-barrel", "calogan", "atlas-voxels"])
def test_every_cell_of_every_layer_is_drawn_where_it_is(name):
    detector = load_detector(name)
    _, *fronts = draw_detector(detector).axes
    for layer, axes in zip(detector.layers, fronts, strict=True):
        (cells,) = _cells(axes)
        assert len(cells.get_paths()) == layer.shape[0] * layer.shape[1]
        for path, x, y in zip(cells.get_paths(), layer.x, layer.y, strict=True):
            box = path.get_extents()
            if layer.shape[0] > 1:  # a full ring is centred on the axis
                assert box.x0 - 1e-6 <= x <= box.x1 + 1e-6
                assert box.y0 - 1e-6 <= y <= box.y1 + 1e-6


def test_numbers_stand_on_their_cells():
    detector = load_detector("atlas-barrel")
    _, *fronts = draw_detector(detector).axes
    for layer, axes in zip(detector.layers, fronts, strict=True):
        (cells,) = _cells(axes)
        for text in axes.texts:
            path = cells.get_paths()[int(text.get_text()) - layer.cells.start]
            assert path.contains_point(text.xy)
    assert "cell = 189 + 7 · index in eta + index in phi" in fronts[2].get_xlabel()


@pytest.mark.parametrize("name", builtin_detectors())
def test_every_shipped_detector_can_be_drawn(name):
    figure = draw_detector(load_detector(name))
    assert name in figure.get_suptitle() or name in figure.axes[0].get_title("left")


@pytest.mark.slow
def test_files(tmp_path):
    detector = load_detector("jet-image")
    for ending in ("png", "svg", "pdf"):
        first, second = tmp_path / f"a.{ending}", tmp_path / f"b.{ending}"
        for path in (first, second):
            write_drawing(detector, path)
        assert first.stat().st_size > 1000
    with pytest.raises(SimulacraError, match="a drawing is written to"):
        write_drawing(detector, tmp_path / "a.txt")


@pytest.mark.slow
def test_command(tmp_path, monkeypatch, capsys):
    path = tmp_path / "barrel.png"
    for arguments, code in (
        (["detectors", "draw", "atlas-barrel", "-o", str(path)], 0),
        (["detectors", "draw", "atlas-barrel"], 2),
        (["detectors", "show", "atlas-barrel", "-o", str(path)], 2),
    ):
        monkeypatch.setattr("sys.argv", ["simulacra", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert (ended.value.code or 0) == code
    assert path.read_bytes().startswith(b"\x89PNG")
    assert "needs a file" in capsys.readouterr().err


def test_beams_of_any_form_are_drawn(tmp_path):
    """A Gaussian spot, and directions all around the axis: their ends are drawn."""
    angles = {"theta": {"role": "linear"}, "phi": {"role": "cyclic"}}
    beam = {
        "x": {"mean": "10 mm", "spread": "2 mm"},
        "theta": ["0 deg", "20 deg"],
        "phi": ["-180 deg", "180 deg"],
    }
    write_drawing(own(declared=IMPACTS | angles, beam=beam), tmp_path / "own.svg")
    assert (tmp_path / "own.svg").stat().st_size > 1000
