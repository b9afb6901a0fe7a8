"""Jets of FastJet: the leading jet of each collision, trimmed.

References:
    Cacciari, Salam, Soyez: FastJet, arXiv:1111.6097; Krohn, Thaler, Wang: Jet trimming,
    arXiv:0912.1342.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simulacra.arrays import FloatArray, IntArray
from simulacra.detectors.jet_image import JetDefinition, Trimming
from simulacra.fullsim.jets.towers import TowerHits

_ALGORITHMS = {
    "anti-kt": "antikt_algorithm",
    "kt": "kt_algorithm",
    "cambridge-aachen": "cambridge_algorithm",
}
MARGIN = 0.8
"""Of the least momentum after trimming: a jet with less before it cannot end with enough."""


@dataclass(frozen=True, slots=True)
class Clusters:
    """Clusters of the towers of several collisions.

    Attributes:
        collision: which collision each cluster is of (m,), ascending.
        vectors: four-momenta (m, 4), GeV.
        member: the towers of all clusters (k,), positions among the towers that were clustered.
        cluster: which cluster each of these towers is in (k,).
    """

    collision: IntArray
    vectors: FloatArray
    member: IntArray
    cluster: IntArray

    @property
    def momentum(self) -> FloatArray:
        """Transverse momenta (m,)."""
        return transverse(self.vectors)


@dataclass(frozen=True, slots=True)
class Jet:
    """A trimmed jet.

    Attributes:
        vector: four-momentum (4,), GeV.
        subjets: those of its subjets (m, 4), the hardest first.
        towers: what is left of it.
    """

    vector: FloatArray
    subjets: FloatArray
    towers: TowerHits


def transverse(vectors: FloatArray) -> FloatArray:
    """Return transverse momenta (...) of four-momenta (..., 4)."""
    momentum: FloatArray = np.hypot(vectors[..., 0], vectors[..., 1])
    return momentum


def mass_of(vectors: FloatArray) -> FloatArray:
    """Return masses (...) of four-momenta (..., 4); 0 where rounding makes the square negative."""
    square = vectors[..., 3] ** 2 - (vectors[..., :3] ** 2).sum(axis=-1)
    mass: FloatArray = np.sqrt(np.maximum(square, 0.0))
    return mass


def pseudorapidity(vectors: FloatArray) -> FloatArray:
    """Return pseudorapidities (...) of four-momenta (..., 4)."""
    eta: FloatArray = np.arcsinh(vectors[..., 2] / transverse(vectors))
    return eta


def cluster(towers: TowerHits, definition: JetDefinition, least: float) -> Clusters:
    """Return the clusters of each collision with at least a transverse momentum (GeV)."""
    collisions, first, number = np.unique(towers.collision, return_index=True, return_counts=True)
    if not len(collisions):
        none = np.zeros(0, np.int64)
        return Clusters(none, np.zeros((0, 4)), none, none)
    import awkward
    import fastjet

    columns = zip(("px", "py", "pz", "E"), towers.vectors.T, strict=True)
    flat = awkward.zip(dict(columns), with_name="Momentum4D")
    algorithm = getattr(fastjet, _ALGORITHMS[definition.algorithm])
    how = fastjet.JetDefinition(algorithm, definition.radius)
    sequence = fastjet.ClusterSequence(awkward.unflatten(flat, number), how)
    found, inside = sequence.inclusive_jets(least), sequence.constituent_index(least)
    jets = awkward.to_numpy(awkward.num(found))
    sizes = awkward.to_numpy(awkward.flatten(awkward.num(inside, axis=2)))
    vectors = [awkward.to_numpy(awkward.flatten(found[name])) for name in ("px", "py", "pz", "E")]
    starts = np.repeat(np.repeat(first, jets), sizes)
    member = awkward.to_numpy(awkward.flatten(inside, axis=None)) + starts
    return Clusters(
        np.repeat(collisions, jets),
        np.stack(vectors, axis=1),
        member.astype(np.int64),
        np.repeat(np.arange(len(sizes)), sizes),
    )


def trimmed_jets(
    towers: TowerHits, jets: JetDefinition, trimming: Trimming, least: float
) -> Iterator[tuple[int, Jet]]:
    """Yield the number of a collision and its leading jet, trimmed.

    Args:
        towers: of some collisions.
        jets: how they become jets.
        trimming: how these are trimmed.
        least: transverse momentum (GeV) after trimming of jets that matter; softer leading jets are
            left out, though not all of them.
    """
    found = cluster(towers, jets, MARGIN * least)
    leading = _leading(found)
    rows = found.member[np.isin(found.cluster, leading)]
    momentum = dict(
        zip(found.collision[leading].tolist(), found.momentum[leading].tolist(), strict=True)
    )
    inside = towers.take(np.sort(rows))
    subjets = cluster(inside, trimming, 0.0)
    limits = np.array([trimming.fraction * momentum[c] for c in subjets.collision.tolist()])
    kept = subjets.momentum >= limits
    for collision in momentum:
        own = np.flatnonzero(kept & (subjets.collision == collision))
        if not len(own):
            continue
        hardest = own[np.argsort(-subjets.momentum[own], kind="stable")]
        vectors = subjets.vectors[hardest]
        members = np.sort(subjets.member[np.isin(subjets.cluster, own)])
        yield collision, Jet(vectors.sum(axis=0), vectors, inside.take(members))


def _leading(found: Clusters) -> IntArray:
    """Return the number of the hardest cluster of each collision that has any."""
    order = np.lexsort((-found.momentum, found.collision))
    starts = np.flatnonzero(np.diff(found.collision[order], prepend=-1))
    leading: IntArray = order[starts]
    return leading
