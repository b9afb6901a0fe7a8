"""The digitiser as a whole: deposits in, clusters out."""

import numpy as np
import pytest

from simulacra.fullsim.tpc import Deposits, digitise
from tests.fullsim.conftest import MINIMUM_IONISING, changed, radial_steps, together


def digitised(detector, *parts, seed=1):
    return digitise(together(*parts), detector, np.random.default_rng(seed))


def residuals(detector, n=12, z=1000.0, **options):
    """Clusters minus truth along r-phi and z (n, rows) of radial particles anywhere in phi, mm."""
    rng = np.random.default_rng(3)
    r_phi, along_z = [], []
    for phi in rng.uniform(-np.pi, np.pi, n):
        made = digitise(radial_steps(detector, phi=phi, z=z, **options), detector, rng)
        x, y, found, *_ = made.clusters.astype(np.float64).T
        angle = np.angle((x + 1j * y) * np.exp(-1j * phi))
        present = made.mask > 0
        r_phi.append((angle * detector.row_radii)[present])
        along_z.append((found - z)[present])
    return np.concatenate(r_phi), np.concatenate(along_z)


def test_clusters_lie_on_their_rows(tpc):
    made = digitised(tpc, radial_steps(tpc))
    assert made.mask.sum() > 155
    present = made.mask > 0
    np.testing.assert_allclose(
        np.hypot(*made.clusters[present, :2].T), tpc.row_radii[present], rtol=1e-6
    )
    assert np.all(made.clusters[~present] == 0)
    assert np.all(made.clusters[present, 3] >= made.clusters[present, 4])
    assert np.all(made.clusters[present, 4] >= tpc.electronics.peak)


def test_equal_generators_give_equal_bytes(tpc):
    first, again, other = (digitised(tpc, radial_steps(tpc), seed=s) for s in (1, 1, 2))
    assert first.clusters.tobytes() == again.clusters.tobytes()
    assert first.clusters.tobytes() != other.clusters.tobytes()


@pytest.mark.parametrize("z", [-2440.0, -1203.3, 40.7, 2001.0])
def test_positions_are_not_biased(tpc, z):
    for shift in residuals(tpc, z=z):
        assert abs(shift.mean()) < 4 * shift.std() / np.sqrt(len(shift)) + 0.01


def test_resolution_is_that_of_alice_and_grows_with_the_root_of_the_drift_length(tpc):
    """Variances are linear in the drift length: a small constant and D^2 L over electrons."""
    lengths = np.array([100.0, 600.0, 1200.0, 1800.0, 2400.0])
    spread = np.array([[r.std() for r in residuals(tpc, z=2500 - length)] for length in lengths])
    assert np.all((spread[-1] > 0.7) & (spread[-1] < 1.1))  # mm; published 0.8 to 1.25
    assert np.all(spread[0] < 0.4)
    for sigma in spread.T:
        slope, constant = np.polyfit(lengths, sigma**2, 1)
        np.testing.assert_allclose(slope * lengths + constant, sigma**2, atol=0.06)
        assert constant < 0.1 * sigma[-1] ** 2
        # the effective number of electrons of 7.5 to 15 mm: 33 to 66, less for unequal gains
        diffusion = 0.209**2 / 10
        assert 10 < diffusion / slope < 60


def test_inclined_particles_are_measured_less_well(tpc):
    """Collisions are few along a row, so that their middle is not the row's."""
    spread = []
    for slope in (0.0, 1.0):
        steep = digitised(tpc, radial_steps(tpc, z=800.0, tan_lambda=slope))
        shift = steep.clusters[:, 2] - (800 + slope * (tpc.row_radii - 848))
        spread.append(shift[steep.mask > 0].std())
    assert 1.3 * spread[0] < spread[1] < 2.5


def test_charge_is_proportional_to_the_energy(tpc):
    mean = [
        digitised(tpc, radial_steps(tpc, loss=f * MINIMUM_IONISING)).clusters[:, 3].mean()
        for f in (2, 4)
    ]
    assert mean[1] / mean[0] == pytest.approx(2, rel=0.1)


def test_charge_of_a_quiet_chamber_closes(quiet):
    """All charge of a row is in its cluster: electrons times pulse area."""
    detector = changed(quiet, electronics={"noise": 0.0, "threshold": 1e-9, "saturation": 1e9})
    made = digitised(detector, radial_steps(detector))
    electrons = MINIMUM_IONISING * np.repeat([7.5, 10, 15], [63, 64, 32]) / 36e-6
    expected = electrons * detector.amplification.adc_per_electron * 2.0225
    assert made.clusters[:, 3].sum() == pytest.approx(expected.sum(), rel=0.01)


def test_close_branches_share_a_cluster_and_far_ones_do_not(quiet):
    particle = radial_steps(quiet, phi=0.3)
    middle = quiet.row_radii[100]
    close = radial_steps(quiet, phi=0.3 + 3 / middle, time=particle.time + 5)
    far = radial_steps(quiet, phi=0.3 + 90 / middle, time=particle.time + 5)
    alone, shared, apart = (
        digitised(quiet, particle, *other).clusters[100] for other in ((), (close,), (far,))
    )
    assert apart[3] == pytest.approx(alone[3], rel=0.05)
    assert shared[3] == pytest.approx(2 * alone[3], rel=0.1)
    angle = np.arctan2(shared[1], shared[0])
    assert (angle - 0.3) * middle == pytest.approx(1.5, abs=0.4)  # half-way


def test_rows_without_charge_or_with_too_little_have_no_cluster(tpc):
    whole = radial_steps(tpc)
    row = np.repeat(np.arange(159), 4)
    gap = whole.take((row < 50) | (row >= 60))
    made = digitised(tpc, gap)
    assert not made.mask[51:59].any()
    faint = Deposits(gap.start, gap.stop, gap.energy * 1e-3, gap.time, gap.track)
    assert digitised(tpc, faint).mask.mean() < 0.05


def test_no_deposits_make_no_clusters(tpc):
    made = digitise(Deposits.of_steps([]), tpc, np.random.default_rng(0))
    assert not made.mask.any()
    assert made.clusters.shape == (159, 5)
    assert not made.clusters.any()


def test_electrons_beyond_the_drift_volume_are_lost(tpc):
    assert not digitised(tpc, radial_steps(tpc, z=2600.0)).mask.any()
