"""CPU time of a training step in single and mixed precision, and of counting batch statistics.

    python benchmarks/systems/step_time.py CARD.yaml ...

Steps are those of the card on random showers of its detector: their time does not depend on what
is learned. The last column is what batch normalisation adds to each evaluation.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from simulacra.conditions import EnergySpectrum, draw_conditions
from simulacra.detectors import Detector, load_detector
from simulacra.events import Events
from simulacra.models import find_model
from simulacra.models.surrogate import Surrogate
from simulacra.training.batches import InMemory
from simulacra.training.card import Card
from simulacra.training.run import Run, start

EVENTS, STEPS, REPEATS = 512, 4, 2


def random_showers(detector: Detector) -> Events:
    """Return showers of random cells that add up to the energy."""
    rng = np.random.default_rng(1)
    conditions = draw_conditions(detector, EnergySpectrum.parse("1GeV..100GeV"), EVENTS, rng)
    cells = rng.exponential(1.0, (EVENTS, *detector.response_arrays["showers"].shape))
    cells *= (conditions["energy"] / cells.sum(axis=1))[:, None]
    return Events(conditions, {"showers": cells.astype(np.float32)}, detector)


def run_of(card: Card, events: Events) -> Run:
    """Return a run at its first step."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        surrogate = Surrogate(find_model(card.model_kind), card.model, events.detector)
    return start(surrogate, InMemory(*surrogate.fit(events), surrogate.transform), card.training, 1)


def cpu_ms(work: Callable[[], object], times: int) -> float:
    """Return the CPU time of one call, in ms."""
    started = time.process_time()
    for _ in range(times):
        work()
    return 1000 * (time.process_time() - started) / times


def main() -> None:
    """Print one line for each card and precision."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cards", nargs="+", type=Path)
    torch.set_num_threads(1)
    logging.getLogger("lightning.fabric").setLevel(logging.ERROR)
    for path in parser.parse_args().cards:
        for precision in ("32-true", "bf16-mixed") * REPEATS:
            card = Card.load(path, [f"training.precision={precision}"])
            run = run_of(card, random_showers(load_detector(card.detector)))
            run.advance()
            step, counting = cpu_ms(run.advance, STEPS), cpu_ms(run.averaged, 1)
            line = f"{path.stem} {precision}: {step:.0f} ms a step, statistics {counting:.0f} ms"
            sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
