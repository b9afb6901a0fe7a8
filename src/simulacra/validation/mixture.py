"""Whether two samples are of the same particles: others are refused, other shares are named."""

from __future__ import annotations

import math

import numpy as np

from simulacra.errors import EventsError
from simulacra.events import EventSource, particles_of
from simulacra.particles import PDG, in_order, names_of, recorded_particles
from simulacra.validation.sample import Sample

SHOULD_BE_THERE = 10.0
"""Events of a particle that one sample lets expect of the other; by chance, none has none."""
LEAST_DIFFERENCE = 0.05
"""Between the shares of a particle in two samples, below which nothing is said."""
DEVIATIONS = 3.0
"""Standard deviations of chance that a difference must exceed."""


def require_common_particle(
    reference: EventSource | Sample, other: EventSource | Sample, name: str
) -> None:
    """Raise an :class:`EventsError` where two samples say that they have no particle in common."""
    sources = (s.source if isinstance(s, Sample) else s for s in (reference, other))
    ours, theirs = map(particles_of, sources)
    if ours and theirs and not set(ours) & set(theirs):
        _refuse(ours, theirs, name)


def compare_mixtures(reference: Sample, other: Sample, name: str) -> list[str]:
    """Return notes on how two samples mix particles.

    Args:
        reference: the sample that is judged by.
        other: ``generated`` or ``baseline``, which is its ``name``.
        name: see there.

    Raises:
        EventsError: a particle that is frequent in one is missing in the other.
    """
    ours, theirs = _shares(reference), _shares(other)
    if not ours or not theirs:
        return _unnamed(reference, other, name)
    notes = []
    for pdg in in_order({*ours, *theirs}):
        a, b = ours.get(pdg, 0.0), theirs.get(pdg, 0.0)
        if (not b and a * len(other) >= SHOULD_BE_THERE) or (
            not a and b * len(reference) >= SHOULD_BE_THERE
        ):
            _refuse(in_order(ours), in_order(theirs), name)
        p = (a * len(reference) + b * len(other)) / (len(reference) + len(other))
        chance = math.sqrt(p * (1 - p) * (1 / len(reference) + 1 / len(other)))
        if abs(a - b) > max(LEAST_DIFFERENCE, DEVIATIONS * chance):
            notes.append(
                f"{names_of([pdg])}: {a:.0%} of the reference, {b:.0%} of the {name} sample; "
                "results for all particles together show the mixture as well"
            )
    return notes


def _shares(sample: Sample) -> dict[int, float]:
    """Return the share of each particle; nothing where the events do not say it one by one."""
    if PDG in sample.conditions.columns:
        found, counts = np.unique(sample.conditions[PDG], return_counts=True)
        shares = (counts / len(sample)).tolist()
        return {int(pdg): share for pdg, share in zip(found, shares, strict=True)}
    ids = recorded_particles(sample.source.provenance)
    return {ids[0]: 1.0} if len(ids) == 1 else {}


def _unnamed(reference: Sample, other: Sample, name: str) -> list[str]:
    """Return a note where one sample says its particles and the other one does not."""
    ours, theirs = (_named(sample) for sample in (reference, other))
    if set(ours) == set(theirs):
        return []
    if ours and theirs:
        _refuse(ours, theirs, name)
    silent, named = (name, ours) if ours else ("reference", theirs)
    return [f"the {silent} sample does not name its particle, the other one {names_of(named)}"]


def _named(sample: Sample) -> tuple[int, ...]:
    if PDG in sample.conditions.columns:
        return in_order(np.unique(sample.conditions[PDG]).astype(int).tolist())
    return recorded_particles(sample.source.provenance)


def _refuse(ours: tuple[int, ...], theirs: tuple[int, ...], name: str) -> None:
    msg = (
        f"the reference holds {names_of(ours)}, the {name} sample {names_of(theirs)}: "
        "generate with --like the reference, or choose with --particle"
    )
    raise EventsError(msg)
