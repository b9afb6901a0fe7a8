"""The benchmark itself: each simulator timed and judged in turn, then Geant4, in one run."""

from __future__ import annotations

import itertools
import math
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from simulacra.benchmark.result import Benchmark, FastResult
from simulacra.benchmark.timing import cold_start, disk_mb, time_fast, time_full
from simulacra.detectors.base import Frozen
from simulacra.energies import energy_groups, scale_of
from simulacra.events import Events, require_same_detector
from simulacra.files.devices import CPU
from simulacra.files.progress import OnProgress, silent
from simulacra.files.provenance import provenance
from simulacra.fullsim import Geant4Settings
from simulacra.simulators.load import load_simulator
from simulacra.simulators.requests import conditions_for
from simulacra.validation import Comparison, SampleComparison, Validation, measured, validate
from simulacra.validation.summary import SUMMARIES


class BenchmarkSettings(Frozen):
    """What is measured.

    Attributes:
        batches: events asked for at once.
        seconds: how long each number is measured.
        energies: where Geant4 is timed, MeV: energies, or transverse momenta of a TPC.
        seed: of the generated events that are judged.
        profile: of :func:`simulacra.validation.validate`: with ``quick`` or ``official``, the AUC
            of classifiers is among the scores.
        extrapolate: ask for conditions of the reference far outside a simulator's training, too.
        device: where networks run, of simulators and of classifiers; a cold start is the CPU's.
    """

    batches: tuple[Annotated[int, Field(ge=1)], ...] = Field(default=(1, 100, 10_000), min_length=1)
    seconds: float = Field(default=5.0, gt=0)
    energies: tuple[float, ...] = ()
    seed: int = Field(default=1, ge=0)
    profile: Literal["none", "quick", "official"] = "none"
    extrapolate: bool = False
    device: str = CPU


def benchmark(
    simulators: Sequence[str | Path],
    reference: Events,
    geant4: Sequence[Geant4Settings] = (),
    settings: BenchmarkSettings | None = None,
    on_progress: OnProgress = silent,
) -> Benchmark:
    """Measure fast simulators, and Geant4, on one core in one run.

    Args:
        simulators: what :func:`simulacra.load_simulator` takes, such as names, folders and exported
            files; all of the reference's detector.
        reference: full simulation that none of them was trained on or selected by.
        geant4: particle and physics lists to time.
        settings: what is measured; the energies default to the reference's, or to the middles of
            bins where these are continuous.
        on_progress: called with (phase, parts done, parts in all) before each part.

    Raises:
        SimulacraError: a simulator cannot be used, the reference is far outside its training, or
            Geant4 or its data are missing.
    """
    settings = settings or BenchmarkSettings()
    groups = energy_groups(scale_of(reference), scale=reference.detector.scale)
    energies = settings.energies or tuple(group.energy for group in groups)
    loaded = [load_simulator(place, settings.device) for place in simulators]
    for simulator in loaded:
        require_same_detector(simulator.detector, reference.detector)
    total, parts = 4 * len(loaded) + len(geant4) * len(energies), itertools.count()

    def begin(part: str) -> None:
        on_progress(part, next(parts), total)

    fast, judge = [], measured(reference)
    for place, simulator in zip(simulators, loaded, strict=True):
        name = Path(place).name
        begin(f"{name}: generating")
        conditions = conditions_for(simulator, reference)
        generated = simulator.simulate(conditions, settings.seed, extrapolate=settings.extrapolate)
        begin(f"{name}: timing")
        timing = time_fast(place, conditions, settings.batches, settings.seconds, settings.device)
        begin(f"{name}: timing a cold start")
        cold = cold_start(place, energies[0])
        begin(f"{name}: judging")
        fast.append(
            FastResult(
                name=name,
                speeds=timing.speeds,
                cold_start_s=cold,
                peak_memory_mb=timing.peak_memory_mb,
                disk_mb=disk_mb(place),
                quality=quality(
                    validate(judge, generated, profile=settings.profile, device=settings.device)
                ),
            )
        )
    full = [time_full(reference.detector, g, energies, settings.seconds, begin) for g in geant4]
    begin("done")
    return Benchmark(tuple(fast), tuple(full), _facts(reference, settings))


def quality(validation: Validation) -> dict[str, float]:
    """Return the scores that stand beside the speed: worst and typical, baselines in the same unit.

    ``separation`` is the mean over observables and energies; ``baseline`` is what Geant4 reaches
    against itself at the same numbers of events. With classifiers, ``auc_cells`` is the AUC of the
    one that tells the cells apart better, trees or network, and ``auc_cells_baseline`` that of the
    same classifier for Geant4 against itself; likewise for the other tables of features. The worst
    is nan where the primary observable is undefined at an energy.
    """
    comparisons = [c for g in validation.energies for c in g.comparisons.values()]
    primary = [g.comparisons.get(validation.primary_observable) for g in validation.energies]
    summary = SUMMARIES[validation.summary]
    agreeing = [c.verdict != "differs" for c in comparisons]
    return {
        "separation": float(np.mean([c.metrics["separation"].value for c in comparisons])),
        "baseline": float(np.mean([c.baseline.mean for c in comparisons])),
        "not_different": float(np.mean(agreeing)),
        **{
            f"worst_{key}": float(np.max([_distance(c, name) for c in primary]))
            for key, name in zip(summary.keys, summary.metrics, strict=True)
        },
        **_classifier_tests(validation.samples),
    }


def _distance(comparison: Comparison | None, ratio: str) -> float:
    """Return how far a ratio is from 1."""
    return math.nan if comparison is None else abs(comparison.metrics[ratio].value - 1)


def _classifier_tests(samples: SampleComparison | None) -> dict[str, float]:
    """Return the AUC of the classifier that counts and its baseline, by table of features."""
    scores: dict[str, float] = {}
    if samples is None:
        return scores
    for a in samples.classifier_tests:
        if samples.worse[a.features] == a.classifier:
            name = f"auc_{a.features.replace('-', '_')}"
            scores[name] = a.auc.value
            if a.baseline_auc is not None:
                scores[f"{name}_baseline"] = a.baseline_auc.estimate.value
    return scores


def _facts(reference: Events, settings: BenchmarkSettings) -> dict[str, object]:
    return provenance(
        "benchmark",
        detector=reference.detector.name,
        events=len(reference),
        machine=platform.machine(),
        processor=_processor(),
        cores=os.cpu_count(),
        python=platform.python_version(),
        settings=settings.model_dump(mode="json"),
    )


def _processor() -> str:
    """Return what the system calls its processor."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
