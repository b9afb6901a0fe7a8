"""Runs some steps of a training, in as many processes as asked for, and writes the losses.

``python -m tests.training.processes KIND DEVICES STEPS FILE``
"""

import json
import sys
import warnings
from pathlib import Path

import torch

from simulacra.models import find_model
from simulacra.models.surrogate import Surrogate
from simulacra.training.batches import InMemory
from simulacra.training.card import Card
from simulacra.training.compute import launched, together
from simulacra.training.run import start
from tests.conftest import SMALL_MODELS, detector_of, small_sample


def losses(kind, devices, steps):
    """Return the loss terms of each step, as a mean over all processes; in the first one."""
    events = small_sample(kind, 64, seed=1)
    card = Card.model_validate(
        {
            "detector": detector_of(kind),
            "data": "train.h5",
            "model": SMALL_MODELS[kind],
            "training": {"steps": steps, "batch_size": 16, "devices": devices},
        }
    )
    fabric = launched(card.training)
    with together(fabric):
        found = _steps(card, events, fabric)
    return found if fabric.is_global_zero else None


def _steps(card, events, fabric):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        surrogate = Surrogate(find_model(card.model_kind), card.model, events.detector)
    batches = InMemory(*surrogate.fit(events), surrogate.transform)
    run = start(surrogate, batches, card.training, 7, fabric)
    found = []
    for _ in range(card.training.steps):
        terms = run.advance()
        found.append({k: float(fabric.all_reduce(v)) for k, v in terms.items()})
    return found


if __name__ == "__main__":
    warnings.simplefilter("error")
    kind, devices, steps, file = sys.argv[1:]
    found = losses(kind, int(devices), int(steps))
    if found is not None:
        Path(file).write_text(json.dumps(found))
