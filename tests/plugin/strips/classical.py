"""A simulator that is a formula."""

import numpy as np

from simulacra.conditions import conditions_at
from simulacra.detectors import parse_detector
from simulacra.events import Events

DETECTOR = """
kind: strip-counter
name: row
strips: 4
conditions: {energy: {role: log, unit: MeV}}
"""


class StripsByFormula:
    """A fifth of the energy in each of four strips, smeared by a tenth."""

    particles = ()
    chooses_particle = False
    ranges = {"energy": (100.0, 1e5)}  # noqa: RUF012
    own_ranges = {}  # noqa: RUF012

    def __init__(self):
        self.detector = parse_detector(DETECTOR)

    def simulate(self, conditions, seed):
        rng = np.random.default_rng(seed)
        fractions = np.abs(rng.normal(0.2, 0.02, (len(conditions), 4)))
        charge = (fractions * conditions["energy"][:, None]).astype(np.float32)
        return Events(conditions, {"charge": charge}, self.detector)

    def stream(self, conditions, seed):
        yield self.simulate(conditions, seed)

    def generate(self, energy, n, seed, particle=None):
        return self.simulate(conditions_at(self.detector, energy, n, seed, particle), seed)

    def outside(self, conditions):
        return conditions.outside(self.ranges, self.detector)
