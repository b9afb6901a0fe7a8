"""Simulators with random weights: what they answer is no shower, but every step is done."""

import torch

from simulacra.detectors import load_detector
from simulacra.models import find_model
from simulacra.models.surrogate import Surrogate
from simulacra.simulators.trained import TrainedSimulator
from simulacra.training.card import Card
from tests.conftest import SMALL_MODELS, random_events


def untrained(kind, detector="atlas-barrel", **options):
    """A simulator whose preprocessing is fitted to random events, and nothing else."""
    card = Card.model_validate(
        {
            "detector": detector,
            "data": {"train": "sample:train", "selection": "sample:selection"},
            "model": SMALL_MODELS[kind] | options,
            "training": {"steps": 1},
            "seed": 1,
        }
    )
    events = random_events(load_detector(detector), 256)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        surrogate = Surrogate(find_model(kind), card.model, events.detector)
        surrogate.fit(events)
    ranges = {
        name: (float(events.conditions[name].min()), float(events.conditions[name].max()))
        for name, spec in events.detector.conditions.items()
        if spec.role in ("log", "linear")
    }
    return TrainedSimulator(surrogate.eval(), card, ranges)
