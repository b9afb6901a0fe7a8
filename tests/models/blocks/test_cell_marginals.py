"""A cell's distribution depends on where it lies, not on its number."""

import torch

from simulacra.detectors import Calorimeter, load_detector
from simulacra.models.blocks.cell_marginals import CellMarginals


def _marginals(detector):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return CellMarginals(
            detector, 3, width=6, rank=4, maps=2, still=detector.reference_cell is None
        )


def _parts(marginals):
    return marginals.occupancy, *(part for one in marginals.shape.maps for part in one)


def test_cells_move_with_the_impact(barrel):
    marginals = _marginals(barrel)
    context = torch.randn((5, 3), generator=torch.Generator().manual_seed(1))
    here = torch.zeros(5, 2, 4)
    there = here.clone()
    pitch = torch.tensor([layer.segmentation.cell for layer in barrel.layers]).T
    there -= pitch  # the particle one cell further along both axes
    first, second = (marginals(context, x) for x in (here, there))
    parts = _parts(first), _parts(second)
    for a, b in zip(*parts, strict=True):
        for layer in barrel.layers:
            first, second = (x[:, layer.cells].view(5, *layer.shape) for x in (a, b))
            assert torch.allclose(first[:, :-1, :-1], second[:, 1:, 1:], atol=1e-5)
            assert not torch.allclose(first, second, atol=1e-5)


def test_every_layer_and_cell_has_its_distribution():
    for name in ("atlas-barrel", "calogan", "clic-ecal", "calochallenge-1-photons"):
        detector = load_detector(name)
        assert isinstance(detector, Calorimeter)
        marginals = _marginals(detector)
        layers = len(detector.layers)
        found = marginals(torch.zeros(2, 3), torch.zeros(2, 2, layers))
        shared = [x.cells.stop - x.cells.start for x in detector.layers if x.shape != (1, 1)]
        assert all(x.shape == (2, sum(shared)) for x in _parts(found))
        values = torch.full((4, sum(shared)), -3.0)
        marginals.fit(values)
        assert torch.all(marginals.centre == -3)


def test_rings_differ_by_their_radius_and_sectors_by_their_angle():
    detector = load_detector("calochallenge-2")
    assert isinstance(detector, Calorimeter)
    layers = len(detector.layers)
    marginals = _marginals(detector)
    found = marginals(torch.zeros(1, 3), torch.zeros(1, 2, layers)).shape.location
    layer = found[0, detector.layers[0].cells].view(detector.layers[0].shape)
    assert layer.unique().numel() == layer.numel()


def test_cells_that_never_move_take_the_short_way_to_the_same():
    for name in ("par04-siw", "calogan"):
        detector = load_detector(name)
        marginals = _marginals(detector)
        context = torch.randn((3, 3), generator=torch.Generator().manual_seed(1))
        still = torch.zeros(3, 2, len(detector.layers))
        short = marginals(context, still)
        for grid in marginals.grids:
            grid.still = False
        for a, b in zip(_parts(short), _parts(marginals(context, still)), strict=True):
            assert torch.allclose(a, b, atol=1e-5)
