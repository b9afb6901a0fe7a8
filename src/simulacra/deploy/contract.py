"""The contract of a trained simulator, for the file that it becomes."""

from __future__ import annotations

from simulacra.detectors import Detector
from simulacra.detectors.calorimeter.impacts import IMPACTS, POSITIONS, impacts_of
from simulacra.files.provenance import provenance
from simulacra.particles import PDG, pdg_id
from simulacra.runtime import SEES_PARTICLE, Column, Contract, Output
from simulacra.simulators.trained import TrainedSimulator


def contract_of(simulator: TrainedSimulator) -> Contract:
    """Return what an exported file says of itself."""
    detector, surrogate = simulator.detector, simulator.surrogate
    trained = {pdg_id(name) for name in simulator.particles}
    learned = tuple(pdg for pdg in detector.particles if pdg in trained)
    columns = tuple(
        Column(
            name,
            spec.role,
            spec.unit,
            learned if name == PDG else spec.categories,
            simulator.ranges.get(name),
        )
        for name in surrogate.encoder.names
        for spec in [detector.conditions[name]]
    )
    outputs = tuple(
        Output(name, array.shape, array.unit) for name, array in detector.response_arrays.items()
    )
    return Contract(
        model=simulator.card.model_kind,
        detector=detector.name,
        fingerprint=detector.fingerprint,
        detector_yaml=detector.to_yaml(),
        columns=columns,
        noise=tuple(surrogate.model.noise_shape(1)[1:]),
        outputs=outputs,
        facts=provenance(
            "export",
            **simulator.about,
            **_impacts(detector),
            **{SEES_PARTICLE: simulator.chooses_particle},
        ),
    )


def _impacts(detector: Detector) -> dict[str, str]:
    """Return what the file says of impacts: only where earlier versions had offsets."""
    return {IMPACTS: POSITIONS} if impacts_of(detector) == POSITIONS else {}
