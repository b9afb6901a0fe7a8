"""What each part of ``helix-flow`` brings: each is replaced by a plain form and trained again.

    python ablation.py tracks.h5 test.h5 -o results/ablation --work FOLDER
    python ablation.py tracks.h5 test.h5 -o results/ablation --work FOLDER --variant full --seed 2

The variants are those of ``ablation_parts.py``. The whole model is trained first (``base``). From
its weights it goes on for a number of steps with each part replaced, and with none (``full``);
layers that do not fit begin anew. Variants that draw other numbers train for all these steps from
the start. The averaged weights of the last step are judged. Each variant and seed is one JSON file
in ``--work``; those that are there are not made again. The table is written after each.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ablation_parts import BASE, VARIANTS, Variant
from bins import AIMS, MOMENTA, compare_values
from bins import SEED as SEED_OF_BINS
from table import cpu_ms

from simulacra.benchmark.timing import one_core
from simulacra.events import Events
from simulacra.files.atomic import whole_file
from simulacra.io import read_events
from simulacra.models.surrogate import Surrogate
from simulacra.training.card import LikelihoodCard
from simulacra.training.run import start
from simulacra.validation import measured
from simulacra.validation.classifiers.classifier_test import classify
from simulacra.validation.classifiers.features import sample_tables
from simulacra.validation.classifiers.split import matched_split
from simulacra.validation.classifiers.whole_samples import PROFILES
from simulacra.validation.sample import Sample

BASE_STEPS, STEPS, TRACKS_OF_A_STEP = 800, 300, 128
BATCH = 1000
"""Tracks at once where time is measured."""
JUDGED = 6000
"""Tracks that classifiers see, of each kind."""
HEAD = f"""# What the parts of helix-flow bring

`python ablation.py tracks.h5 test.h5 -o results/ablation --work FOLDER` in `benchmarks/tpc`.
{{tracks}} training tracks; {BASE_STEPS} steps for `base` and {STEPS} more for each variant, of
{TRACKS_OF_A_STEP} tracks each. `…-off` is the model of `full` with the part switched off in
sampling, not trained again. AUC: boosted trees, {JUDGED} tracks of each kind. RMSE to the true
helix (median), mean and width of dE/dx: bins within 5, 1 and 5 % or two errors. μs: CPU time of a
track, batches of {BATCH}. Lines: about those of the package that the part takes. Seed 1 unless
stated."""


def features_of(
    surrogate: Surrogate, tracks: Events, cache: Path
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return features and encoded conditions; the frame's fit is kept in a file."""
    columns = surrogate.columns(tracks.conditions)
    if not cache.is_file():
        response = {n: torch.from_numpy(np.float32(a)) for n, a in tracks.response.items()}
        features = surrogate.transform.forward(response, columns)
        with whole_file(cache) as part, part.open("wb") as file:
            np.save(file, features.numpy())
    return torch.from_numpy(np.load(cache)), surrogate.encoder(columns)


def built(variant: Variant, tracks: Events, seed: int) -> Surrogate:
    """Return the untrained surrogate."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = variant.system.Config(**variant.options)
        return Surrogate(variant.system, config, tracks.detector)


def trained(variant: Variant, surrogate: Surrogate, tracks: Events, work: Path, seed: int) -> float:
    """Train a surrogate, and return the seconds of CPU that it took."""
    features, conditions = features_of(surrogate, tracks, work / f"features-{variant.frame}.npy")
    began = time.process_time()
    surrogate.model.fit(features, conditions)
    steps = BASE_STEPS * (variant.trained_as != BASE) + STEPS * (variant is not VARIANTS[BASE])
    if variant.trained_as == BASE:
        load_fitting(surrogate, work / f"{BASE}-1.pt")
    card = LikelihoodCard(
        steps=steps,
        batch_size=TRACKS_OF_A_STEP,
        learning_rate=8e-3,
        weight_decay=1e-3,
        gradient_clip=5.0,
        averaging=0.99,
    )
    run = start(surrogate, features, conditions, card, seed)
    while run.step < steps:
        run.advance()
    surrogate.network.load_state_dict(run.averaged())
    return time.process_time() - began


def load_fitting(surrogate: Surrogate, weights: Path) -> None:
    """Set the parameters that a file has in the same shape; what is fitted before stays."""
    saved = torch.load(weights, weights_only=True)
    with torch.no_grad():
        for name, parameter in surrogate.named_parameters():
            if name in saved and saved[name].shape == parameter.shape:
                parameter.copy_(saved[name])


def judged(test: Events, full: Sample, generated: Events) -> dict[str, Any]:
    """Return AUCs of boosted trees, and how many bins are right."""
    sample = measured(generated)
    groups = (np.zeros(JUDGED, dtype=np.int64),) * 2
    first = np.arange(JUDGED)
    tables = [sample_tables(part.take(first)) for part in (full, sample)]
    conditions = test.take(slice(JUDGED)).conditions
    matrix = conditions.matrix(tuple(conditions.columns))
    options = PROFILES["quick"].classifier
    rng = np.random.default_rng(SEED_OF_BINS)
    split = matched_split((matrix, matrix), groups, options.parts, rng)
    found: dict[str, Any] = {}
    for features in ("clusters", "high-level"):
        both = tables[0][features], tables[1][features]
        score = classify("trees", both, groups, {0: "all"}, split, options, SEED_OF_BINS)
        assert score is not None
        found[f"AUC {features}"] = [score.auc.value, score.auc.error]
    bins = compare_values(test.conditions, full.values, {"variant": sample.values}, MOMENTA)
    for observable, aim in AIMS.items():
        off = [row["variant"] for row in bins if row["observable"] == observable]
        found[observable] = {
            "bins": len(off),
            "within the aim": sum(abs(r - 1) <= aim for r, _ in off),
            "or two errors": sum(abs(r - 1) <= max(aim, 2 * e) for r, e in off),
            "mean distance from 1": float(np.mean([abs(r - 1) for r, _ in off])),
            "mean square in errors": float(np.mean([((r - 1) / e) ** 2 for r, e in off])),
        }
    return found


def microseconds(surrogate: Surrogate, test: Events) -> float:
    """Return the CPU time per track from conditions to clusters, in batches of ``BATCH``."""
    columns = surrogate.columns(test.conditions.take(slice(BATCH)))
    noise = torch.randn(surrogate.model.noise_shape(BATCH), generator=torch.Generator())
    with torch.inference_mode():
        return 1000 * cpu_ms(lambda: surrogate(columns, noise)) / BATCH


def made(name: str, seed: int, tracks: Events, test: Events, full: Sample, work: Path) -> None:
    """Train and judge one variant, and write its file."""
    variant = VARIANTS[name]
    with variant.applied():
        surrogate = built(variant, tracks, seed)
        seconds = 0.0
        if variant.only_in_sampling:
            weights = work / f"{variant.trained_as}-{seed}.pt"
            surrogate.load_state_dict(torch.load(weights, weights_only=True))
        else:
            seconds = trained(variant, surrogate, tracks, work, seed)
            torch.save(surrogate.state_dict(), work / f"{name}-{seed}.pt")
        surrogate.eval()
        response = surrogate.generate(test.conditions, SEED_OF_BINS)
        time_of_a_track = microseconds(surrogate, test)
    found = {
        "variant": name,
        "seed": seed,
        "tracks": len(tracks),
        "parameters": sum(p.numel() for p in surrogate.network.parameters()),
        "training, s of CPU": seconds,
        "microseconds of a track": time_of_a_track,
        **judged(test, full, Events(test.conditions, response, test.detector)),
    }
    with whole_file(work / f"{name}-{seed}.json") as part:
        part.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def table(work: Path, tracks: int) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the lines of the table, and all numbers, of the variants that are there."""
    columns = "AUC clusters | AUC high-level | RMSE | mean dE/dx | width | μs | parameters"
    names = f"| variant | replaced | by | lines | {columns} |"
    lines = [*HEAD.format(tracks=tracks).splitlines(), "", names, "|---" * 11 + "|"]
    numbers = []
    for name, variant in VARIANTS.items():
        for path in sorted(work.glob(f"{name}-[0-9].json")):
            found = json.loads(path.read_text(encoding="utf-8"))
            numbers.append(found)
            aucs = [
                "{:.3f} ± {:.3f}".format(*found[f"AUC {f}"]) for f in ("clusters", "high-level")
            ]
            bins = [f"{found[o]['or two errors']} of {found[o]['bins']}" for o in AIMS]
            speed = f"{found['microseconds of a track']:.0f}"
            called = f"{name}, seed {found['seed']}" if found["seed"] > 1 else name
            about = str(variant.lines or "–")
            cells = [called, variant.part, variant.plain, about, *aucs, *bins, speed]
            lines.append("| " + " | ".join([*cells, f"{found['parameters']:,}"]) + " |")
    return lines, numbers


def main() -> None:
    """Make what is missing, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tracks", type=Path, help="to train on")
    parser.add_argument("test", type=Path)
    parser.add_argument("--variant", choices=["ALL", *VARIANTS], default="ALL")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, required=True, help="folder for results and features")
    parser.add_argument("-o", "--output", type=Path, required=True, help="without a suffix")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.work.mkdir(parents=True, exist_ok=True)
    tracks, test = read_events(arguments.tracks), read_events(arguments.test)
    names = list(VARIANTS) if arguments.variant == "ALL" else [arguments.variant]
    work, seed = arguments.work, arguments.seed
    missing = [name for name in names if not (work / f"{name}-{seed}.json").is_file()]
    write_table(work, len(tracks), arguments.output)
    if missing:
        full = measured(test)
        with one_core():
            for name in missing:
                made(name, seed, tracks, test, full, work)
                write_table(work, len(tracks), arguments.output)


def write_table(work: Path, tracks: int, output: Path) -> None:
    """Write the table and the numbers of the variants that are there."""
    lines, numbers = table(work, tracks)
    output.with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    content = json.dumps(numbers, indent=1) + "\n"
    output.with_suffix(".json").write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
