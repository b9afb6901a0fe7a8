"""Time-projection chambers of one's own, small and unlike the shipped one, for property tests."""

import numpy as np

from simulacra.conditions import Conditions
from simulacra.detectors import parse_detector
from simulacra.detectors.tpc import SPECIES
from simulacra.events import Events
from simulacra.helix import crossings, displaced, helix_of

OWN = """
kind: tpc
name: own
magnetic_field: {magnetic_field}
drift_length: {drift_length}
production_cut: 5 mm
beam: {{pseudorapidity: [{eta[0]}, {eta[1]}], vertex_spread: [{spot}, {spot}, {vertex}]}}
gas: {{density: 1.7 mg/cm3, fractions: {{Ar: 0.95, CO2: 0.05}}, inner_radius: {inner},
      outer_radius: {outer}, energy_per_electron: 26 eV, fano: 0.2}}
cylinders: [{{name: cage, material: G4_KAPTON, radius: {cage}, thickness: 3 mm}}]
drift: {{velocity: 0.075, transverse_diffusion: 0.01, longitudinal_diffusion: 0.07}}
amplification: {{adc_per_electron: 4}}
electronics: {{sampling: 50, shaping: 100, noise: 0.7, threshold: 2, peak: 4, window: [2, 4],
              saturation: 1023}}
pad_rows:
  - {{name: rows, rows: {rows}, inner_radius: {inner}, pitch: {pitch}, pad_width: 2 mm,
      pad_response: 1 mm}}
conditions:
  pdg: {{role: categorical, categories: {species}}}
  transverse_momentum: {{role: log, unit: MeV}}
  pseudorapidity: {{role: linear}}
  phi: {{role: cyclic, unit: rad}}
  vertex_x: {{role: linear, unit: mm}}
  vertex_y: {{role: linear, unit: mm}}
  vertex_z: {{role: linear, unit: mm}}
"""


def chamber(**changes):
    """Return a chamber of 20 rows from 32 to 52 cm, 1.2 m of drift on either side, 1.5 T.

    Args:
        changes: of ``magnetic_field`` (T), ``drift_length``, ``inner``, ``pitch``, ``spot``,
            ``vertex`` (mm), ``rows``, ``eta`` and ``species``.
    """
    values = {
        "magnetic_field": 1.5,
        "drift_length": 1200.0,
        "inner": 320.0,
        "pitch": 10.0,
        "rows": 20,
        "eta": (0.0, 1.2),
        "spot": 1.0,
        "vertex": 20.0,
        "species": (211, -211, 2212),
        **changes,
    }
    values["outer"] = values["inner"] + values["rows"] * values["pitch"] + 10
    values["cage"] = values["inner"] - 10
    values["species"] = list(values["species"])
    return parse_detector(OWN.format(**values))


def random_chamber(rng):
    """Return a chamber whose tracks may leave through the end plate, in a field of either sign."""
    inner, pitch = rng.uniform(50, 800), rng.uniform(3, 40)
    rows = int(rng.integers(4, 80))
    low, high = np.sort(rng.uniform(-2.5, 2.5, 2))
    species = rng.permutation([11, -11, 13, -13, 211, -211, 321, -321, 2212, -2212])
    return chamber(
        magnetic_field=float(rng.choice([-1, 1]) * np.exp(rng.uniform(np.log(0.2), np.log(4.0)))),
        drift_length=float(np.exp(rng.uniform(np.log(200), np.log(3000)))),
        inner=float(inner),
        pitch=float(pitch),
        rows=rows,
        eta=(float(low), float(high + 1e-3)),
        spot=float(rng.choice([0.0, 0.1, 20.0])),
        vertex=float(rng.choice([0.0, 10.0, 100.0])),
        species=species[: rng.integers(1, 6)].tolist(),
    )


def random_particles(detector, n, rng, momentum=(80.0, 20_000.0)):
    """Return conditions of particles that the chamber's beam makes."""
    drawn = np.exp(rng.uniform(*np.log(momentum), n))
    columns = detector.draw(drawn, rng)
    assert set(columns[SPECIES]) <= set(detector.conditions[SPECIES].categories)
    return Conditions(columns)


def ideal_events(detector, conditions, rng, smearing=0.5):
    """Return events of smeared ideal helices: a cluster in every row inside of the drift volume."""
    columns = {name: np.asarray(column, float) for name, column in conditions.columns.items()}
    species = detector.conditions[SPECIES].categories
    ideal = crossings(helix_of(columns, species, detector.magnetic_field), detector.row_radii)
    r_phi, z = (smearing * rng.standard_normal(ideal.x.shape) for _ in range(2))
    points = displaced(ideal, r_phi, z)
    present = ideal.reached & (np.abs(points[..., 2]) < detector.drift_length)
    charge = np.exp(rng.normal(4, 0.3, present.shape))
    clusters = np.concatenate([points, np.stack([charge, charge / 3], axis=-1)], axis=-1)
    response = {
        "clusters": np.where(present[..., None], clusters, 0.0).astype(np.float32),
        "cluster_mask": present.astype(np.uint8),
    }
    return Events(conditions, response, detector, {})
