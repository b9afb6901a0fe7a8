"""Training steps per second, and ms per event, of every model: on a device and on one core.

    python benchmarks/gpu/timings.py -o OUT --minutes 8

Each model has its default size and the batch that it recommends, on random events of the detector
that its size is quoted for; times do not depend on what is learned. ``timings.json`` is written
after each model, and a run goes on after those that it finds there. ``--smoke`` times some models
on the CPU for a moment.
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from random_events import random_events  # beside this file

from simulacra.events import Events
from simulacra.models import MODELS, find_model
from simulacra.models.description import size_of
from simulacra.models.surrogate import Surrogate
from simulacra.training.batches import InMemory
from simulacra.training.card import Card
from simulacra.training.compute import launched
from simulacra.training.run import start

BATCHES = (1, 100, 10_000)
EVENTS = 512
SECONDS = 4.0
SMOKE = ("wgan",)


def synchronise(device: str) -> None:
    """Wait until the device has computed."""
    if device != "cpu":
        torch.cuda.synchronize()


def per_second(call: Callable[[], object], seconds: float, device: str) -> float:
    """Return how often a call is made in a second, after two that are not counted."""
    for _ in range(2):
        call()
    synchronise(device)
    began, calls = time.perf_counter(), 0
    while not calls or time.perf_counter() - began < seconds:
        call()
        calls += 1
    synchronise(device)
    return calls / (time.perf_counter() - began)


def timings(kind: str, events: Events, device: str, seconds: float, most: int) -> dict[str, Any]:
    """Return the speeds of a model on a device."""
    content = {"detector": events.detector.name, "data": "none.h5", "model": {"kind": kind}}
    options = [f"training.accelerator={device}"]
    card = Card.parse(json.dumps(content), kind, options)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        surrogate = Surrogate(find_model(kind), card.model, events.detector)
    batches = InMemory(*surrogate.fit(events), surrogate.transform)
    answering = copy.deepcopy(surrogate).to(device).eval()
    run = start(surrogate, batches, card.training, 1, launched(card.training))
    found: dict[str, Any] = {
        "batch_size": card.training.batch_size,
        "steps_per_second": per_second(run.advance, seconds, device),
    }
    for n in BATCHES:
        if n > most:
            continue
        rows = events.conditions.take(torch.arange(n).remainder(len(events)).numpy())
        columns = answering.columns(rows)
        noise = torch.randn(answering.model.noise_shape(n), device=device)
        with torch.inference_mode():
            rate = per_second(lambda: answering(columns, noise), seconds, device)  # noqa: B023
        found[f"ms_per_event_{n}"] = 1000 / rate / n
    return found


def main() -> None:
    """Time each model that is not in the file yet, as long as there is time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--most", type=int, default=max(BATCHES), help="events at once, at most")
    parser.add_argument("--smoke", action="store_true")
    given = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() and not given.smoke else "cpu"
    torch.set_num_threads(1)
    given.output.mkdir(parents=True, exist_ok=True)
    file = given.output / "timings.json"
    result: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {"models": {}}
    result["device"] = torch.cuda.get_device_name() if device == "cuda" else "cpu"
    result["torch"] = torch.__version__
    began, seconds = time.perf_counter(), 0.01 if given.smoke else SECONDS
    for kind in SMOKE if given.smoke else MODELS:
        if time.perf_counter() - began > 60 * given.minutes - 10 * seconds:
            break
        for place in dict.fromkeys((device, "cpu")):
            known = result["models"].setdefault(kind, {})
            if place not in known:
                events = random_events(size_of(find_model(kind)).detector, EVENTS)
                most = 100 if given.smoke or place == "cpu" else given.most
                known[place] = timings(kind, events, place, seconds, most)
                file.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
