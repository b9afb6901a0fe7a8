"""Models that are given several particles tell them apart, or refuse them."""

import numpy as np
import pytest
import torch

from simulacra.conditions import Conditions
from simulacra.detectors import load_detector
from simulacra.errors import CardError
from simulacra.events import Events
from simulacra.models import MODELS
from simulacra.models.surrogate import Surrogate
from tests.conftest import SMALL_MODELS, detector_of, random_events

CALORIMETERS = [kind for kind, entry in MODELS.items() if entry.serves == "calorimeter"]


def two_particles(kind, n):
    plain = random_events(load_detector(detector_of(kind)), n, seed=1)
    detector = plain.detector.with_particles((11, 22))
    pdg = np.resize(np.array([11, 22], np.int32), n)
    columns = {**plain.conditions.columns, "pdg": pdg}
    return Events(Conditions(columns), plain.response, detector)


@pytest.mark.parametrize("kind", CALORIMETERS)
def test_the_response_depends_on_the_particle_or_the_model_refuses(kind, seeded):
    entry, events = MODELS[kind], two_particles(kind, 64)
    config = entry.Config.model_validate(SMALL_MODELS[kind])
    if entry.sees is not None:
        with pytest.raises(CardError, match="does not look at the particle and would mix e-, gam"):
            Surrogate(entry, config, events.detector)
        Surrogate(entry, config, events.detector.with_particles((11,)))
        return
    surrogate = Surrogate(entry, config, events.detector)
    surrogate.fit(events)
    with torch.no_grad():
        for weights in surrogate.network.parameters():
            weights += 0.1 * torch.randn_like(weights)
    surrogate.eval()
    swapped = {**events.conditions.columns, "pdg": 33 - events.conditions["pdg"]}
    first, other = (
        surrogate.generate(conditions, seed=2)["showers"]
        for conditions in (events.conditions, Conditions(swapped))
    )
    assert not np.allclose(first, other)
