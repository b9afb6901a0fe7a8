"""A simulator that is a formula."""

import numpy as np

from simulacra.detectors import parse_detector
from simulacra.simulators.fast import FastSimulator

DETECTOR = """
kind: strip-counter
name: row
strips: 4
conditions: {energy: {role: log, unit: MeV}}
"""


class StripsByFormula(FastSimulator):
    """A fifth of the energy in each of four strips, smeared by a tenth."""

    detector = parse_detector(DETECTOR)
    particles = ()
    chooses_particle = False
    ranges = {"energy": (100.0, 1e5)}  # noqa: RUF012

    def blocks(self, conditions, seed):
        rng = np.random.default_rng(seed)
        fractions = np.abs(rng.normal(0.2, 0.02, (len(conditions), 4)))
        yield {"charge": (fractions * conditions["energy"][:, None]).astype(np.float32)}

    def facts(self, seed):
        return {"step": "generate", "seed": seed}
