"""Samples for the tests of validation: parts of the embedded one, and toys."""

import numpy as np

from simulacra.datasets.samples import load_sample
from simulacra.events import Events


def halves(energy=None, seed=0):
    """Two independent halves of the embedded sample, of one energy (MeV) or all."""
    events = load_sample("train")
    if energy is not None:
        events = events.take(events.conditions["energy"] == energy)
    order = np.random.default_rng(seed).permutation(len(events))
    half = len(events) // 2
    return events.take(order[:half]), events.take(order[half : 2 * half])


def few(split, per_energy):
    """The first events of each energy of a split."""
    events = load_sample(split)
    energies = events.conditions["energy"]
    chosen = [np.flatnonzero(energies == e)[:per_energy] for e in np.unique(energies)]
    return events.take(np.concatenate(chosen))


def with_showers(events, showers):
    return Events(events.conditions, {"showers": showers}, events.detector, events.provenance)
