"""The noise of rows: charges undone row by row, and what the moments teach."""

import pytest
import torch

from simulacra.detectors import load_detector
from simulacra.models.tpc.helix_flow.charge_window import Charges, ChargeWindow
from simulacra.models.tpc.helix_flow.noise import SCATTERED, Common, TrackNoise, Trail
from simulacra.models.tpc.helix_flow.polynomials import polynomial_table
from simulacra.models.tpc.helix_flow.rows import ChargeShare, RowNetwork

ROWS, TRACK, ORDERS = 159, 5, 10


@pytest.fixture(scope="module")
def chamber():
    return load_detector("alice-tpc")


@pytest.fixture(scope="module")
def parameters(chamber):
    """Of some tracks whose neighbours share charge."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = RowNetwork(chamber, TRACK, 8)
    rng = torch.Generator().manual_seed(1)
    knots = len(network.rowwise.constants)
    with torch.no_grad():
        found = network(
            torch.randn((20, TRACK), generator=rng), torch.rand((20, 9, knots)), torch.zeros(20, 1)
        )
        share = torch.full((20, ROWS), 0.3)
        first = torch.zeros(20, 1)
        return found._replace(
            share=ChargeShare(share, share / 5, share / 3, first + 0.5, first + 0.1)
        )


def test_scores_of_charges_are_undone_row_by_row(parameters):
    rng = torch.Generator().manual_seed(2)
    normal = torch.randn((20, ROWS), generator=rng)
    scores = parameters.with_tail(normal)
    assert (scores - normal).abs().max() > 0.5
    found = parameters.tail_given(scores).scores(scores, 5.0)
    assert (found - normal).abs().quantile(0.999) < 0.05


def test_window_sees_three_rows_and_nothing_of_the_others(chamber):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        window = ChargeWindow(chamber, TRACK, 8)
        torch.nn.init.normal_(window.leave.weight)
    scores, track = torch.zeros(1, ROWS), torch.zeros(1, TRACK)
    other = scores.clone()
    other[0, 80] = 2.0
    with torch.no_grad():
        changed = torch.stack(window(other, track)) != torch.stack(window(scores, track))
    rows = changed.any(dim=0)[0].nonzero()[:, 0].tolist()
    assert set(rows) <= {79, 80, 81}
    assert len(Charges._fields) == len(changed)


def test_moments_teach_what_neighbours_share_and_nothing_else(chamber, parameters):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        noise = TrackNoise(chamber, TRACK, 3, 8)
    present = torch.ones(20, ROWS)
    basis = polynomial_table(torch.from_numpy(chamber.row_radii).float(), ORDERS)[-1:]
    trail = Trail(present, present, basis.expand(20, -1, -1))
    common = Common(torch.zeros(20, 3), torch.zeros(20, len(SCATTERED) * 3), torch.zeros(20, 3))
    z = parameters.scatter_share.z.clone().requires_grad_(True)
    border = parameters.scatter.border.clone().requires_grad_(True)
    taught = parameters._replace(
        scatter_share=parameters.scatter_share._replace(z=z),
        scatter=parameters.scatter._replace(border=border),
    )
    found = torch.ones(20, 3, ROWS).cumsum(dim=2)  # as correlated as can be
    rng = torch.Generator().manual_seed(3)
    counts = torch.ones(20, 1)
    counts[:5] = 0
    error = noise._error_of_neighbours(
        taught, torch.zeros(20, TRACK), trail, common, found, counts, rng
    )
    error.backward()
    assert (z.grad[:5] == 0).all()  # tracks that do not count teach nothing
    assert z.grad.mean() < 0  # more shall be shared
    assert border.grad is None
    assert all(p.grad is None for p in noise.window.parameters())
    assert any(p.grad is not None for p in noise.stretch.parameters())
