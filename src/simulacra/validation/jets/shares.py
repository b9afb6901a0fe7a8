"""Whether two samples mix processes in the same way; others are named."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from simulacra.detectors import JetImage
from simulacra.detectors.jet_image import PROCESS

if TYPE_CHECKING:
    from simulacra.validation.compared import Compared
    from simulacra.validation.result import Validation

DIFFERENT = 0.02
"""Between the shares of a process in two samples, from which on they are named."""


def with_processes(validation: Validation, compared: Compared) -> Validation:
    """Return the result with a note on each process that the samples hold in unlike shares."""
    detector = compared.detector
    assert isinstance(detector, JetImage)
    notes = []
    for label, name in detector.processes.items():
        full, fast = (
            float(np.mean(sample.conditions[PROCESS] == label))
            for sample in (compared.full, compared.fast)
        )
        if abs(full - fast) > DIFFERENT:
            notes.append(
                f"process {name}: {full:.0%} of the reference, {fast:.0%} of the generated "
                "sample; results for all jets together show the mixture as well"
            )
    return replace(validation, notes=(*validation.notes, *notes))
