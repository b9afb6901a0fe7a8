"""Comparing generated events with full simulation, observable by observable, energy by energy."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, NoReturn

import numpy as np

from simulacra.arrays import FloatArray
from simulacra.energies import (
    EnergyGroup,
    energy_groups,
    energy_points,
    mixes_points_with_a_spectrum,
)
from simulacra.errors import EventsError
from simulacra.events import EventSource, require_same_detector
from simulacra.files.devices import CPU, device_of
from simulacra.files.progress import OnProgress, silent, tracked
from simulacra.files.provenance import provenance
from simulacra.observables import Observable, observables_of
from simulacra.units import format_energy
from simulacra.validation.cautions import (
    DIFFERENT_SHARE,
    different_spectrum,
    different_within_bins,
    failed_checks,
    few_events,
    heavy_tails,
    mixtures,
    same_events,
)
from simulacra.validation.classifiers.whole_samples import Profile, judge_samples
from simulacra.validation.compared import Compared
from simulacra.validation.comparer import Comparer, Samples
from simulacra.validation.kinds import kind_of
from simulacra.validation.metrics.calochallenge import legacy_scores, require_official
from simulacra.validation.metrics.correlation import (
    Correlations,
    correlated_names,
    correlations_of,
)
from simulacra.validation.metrics.strata import strata_of
from simulacra.validation.mixture import compare_mixtures, require_common_particle
from simulacra.validation.result import Invariants, ObservableInfo, Validation
from simulacra.validation.sample import Sample, measured
from simulacra.validation.sample_result import SampleComparison


def validate(
    reference: EventSource | Sample,
    generated: EventSource | Sample,
    *,
    baseline: EventSource | Sample | None = None,
    seed: int = 0,
    profile: Profile | Literal["none"] = "none",
    legacy: str | None = None,
    device: str = CPU,
    on_progress: OnProgress = silent,
) -> Validation:
    """Compare generated events with a reference sample of the same detector.

    Events may be in memory or in a file (:class:`simulacra.io.EventFile`), which is read piece by
    piece. The result holds what was measured of both, so that :meth:`Validation.plot` and
    :meth:`Validation.report` measure nothing again.

    Args:
        reference: events of the full simulation.
        generated: events of the simulator that is judged.
        baseline: further, independent events of the full simulation, of the reference's energies.
            They check the baselines of single observables, which always hold for the generated
            size, and are the baseline of classifiers and of metrics of whole samples.
        seed: what the baselines and the classifiers draw from.
        profile: how thoroughly classifiers and metrics of whole samples judge: not at all, in
            minutes, or as in CaloChallenge (hours without a GPU).
        legacy: a CaloChallenge dataset (``2``) whose official scores are added.
        device: where the classifiers' networks run: ``cpu``, ``cuda``, ``auto``.
        on_progress: called with (phase, done, total).

    Raises:
        EventsError: the samples are of different detectors, have no energy in common, one has its
            energies at points and the other between them, or one has no events.
        SimulacraError: the detector has no such official scores.
    """
    require_comparable(reference, generated, baseline=baseline, legacy=legacy)
    ref = measured(reference, on_progress, "measuring the reference")
    gen = measured(generated, on_progress, "measuring the generated events")
    extra = (
        None
        if baseline is None
        else measured(baseline, on_progress, "measuring the baseline sample")
    )
    given = Samples(ref, gen, extra, strata_of(ref.conditions, gen.conditions))
    observables = observables_of(ref.detector)
    comparer = Comparer(np.random.default_rng(seed), {o.name: o for o in observables})
    groups = energy_groups(ref.energies, gen.energies, scale=ref.detector.scale)
    scale = kind_of(ref.detector).scale
    both, notes = _shared(groups, ref, gen)
    notes += compare_mixtures(ref, gen, "generated")
    notes += [] if extra is None else compare_mixtures(ref, extra, "baseline")
    if not both:
        _refuse_disjoint(ref, gen)
    if mixes_points_with_a_spectrum(ref.energies, gen.energies):
        _refuse_mixed(ref, gen)
    notes += [*same_events(given), *different_within_bins(both, ref, gen, scale)]
    samples = given
    if extra is not None and (note := different_spectrum(groups, ref, extra, scale)):
        notes.append(note)
        samples = replace(given, baseline=None)
    limits = _limits(ref.values[observables[0].name])
    judged, cautions = _judged(samples, both, profile, seed, device_of(device), on_progress)
    on_progress("comparing all events", 0, 1)
    pooled = comparer.pooled(both, samples)
    energies = tuple(
        comparer.group(g.label, g.energy, (g,), samples)
        for g in tracked(f"comparing {scale.many}", both, on_progress)
    )
    notes += [*few_events(energies, scale), *failed_checks(energies)]
    if samples.shared is None:
        notes += heavy_tails({name: ref.values[name] for name in pooled.comparisons})
    within = samples.within(both)
    compared = Compared(both, within.reference, within.generated, within.shared)
    result = Validation(
        detector=ref.detector.name,
        scale=ref.detector.scale,
        seed=seed,
        primary_observable=observables[0].name,
        summary=kind_of(ref.detector).summary,
        observables={o.name: ObservableInfo(o.label, o.unit, o.group, o.axis) for o in observables},
        limits=limits,
        invariants={
            "reference": _invariants(ref, observables[0], limits),
            "generated": _invariants(gen, observables[0], limits),
        },
        pooled=pooled,
        energies=energies,
        divisions={
            division.name: comparer.divided(division, both, samples)
            for division in tracked(
                "comparing divisions", kind_of(ref.detector).divisions(ref.detector), on_progress
            )
        },
        samples=judged,
        notes=(*notes, *cautions),
        provenance=provenance(
            "validate",
            reference=dict(ref.source.provenance),
            generated=dict(gen.source.provenance),
            baseline=None if extra is None else dict(extra.source.provenance),
        ),
        correlations=_correlations(samples, both, seed),
        compared=compared,
    )
    on_progress("comparing correlations", 0, 1)
    return replace(
        kind_of(ref.detector).complete(result, compared),
        legacy=None if legacy is None else legacy_scores(ref.source, gen.source, legacy),
    )


def require_comparable(
    reference: EventSource | Sample,
    generated: EventSource | Sample,
    *,
    baseline: EventSource | Sample | None = None,
    legacy: str | None = None,
) -> None:
    """Raise what :func:`validate` raises for these samples, before anything is measured."""
    samples = {"reference": reference, "generated": generated, "baseline": baseline}
    for name, sample in samples.items():
        if sample is not None:
            require_same_detector(reference.detector, sample.detector)
            if sample.detector.thresholds != reference.detector.thresholds:
                msg = (
                    f"the reference and the {name} sample state different hit thresholds: "
                    "name the detector that holds for both (--detector)"
                )
                raise EventsError(msg)
            if not len(sample):
                msg = f"the {name} sample has no events"
                raise EventsError(msg)
            require_common_particle(reference, sample, name)
    if legacy is not None:
        require_official(reference.detector, legacy)


def _correlations(
    samples: Samples, groups: tuple[EnergyGroup, ...], seed: int
) -> Correlations | None:
    """Return the correlations between observables at fixed energy."""
    ref, gen = samples.reference, samples.generated
    table = observables_of(ref.detector)
    return correlations_of(
        correlated_names({o.name: o.group for o in table}),
        _places(ref),
        _places(gen),
        [(g.select(ref.energies), g.select(gen.energies)) for g in groups],
        optional=[o.name for o in table if o.optional],
        strata=samples.shared,
        rng=np.random.default_rng([seed, 2]),
    )


def _places(sample: Sample) -> dict[str, FloatArray]:
    """Return the observables of a sample where they lie on their axes."""
    table = observables_of(sample.detector)
    return {o.name: o.axis.places(sample.values[o.name]) for o in table}


def _judged(
    samples: Samples,
    groups: tuple[EnergyGroup, ...],
    profile: Profile | Literal["none"],
    seed: int,
    device: str,
    on_progress: OnProgress,
) -> tuple[SampleComparison | None, list[str]]:
    """Return what classifiers and sample metrics say, and notes on it."""
    if profile == "none":
        return None, []
    # a stream of its own: the other numbers are the same for any profile
    stream = np.random.default_rng([seed, 1])
    return judge_samples(samples, groups, profile, stream, on_progress, device=device)


def _shared(
    groups: tuple[EnergyGroup, ...], ref: Sample, gen: Sample
) -> tuple[tuple[EnergyGroup, ...], list[str]]:
    """Return the groups with events in both samples, and notes on the others and on the mixture."""
    both, notes = [], []
    for group in groups:
        n_ref = int(group.select(ref.energies).sum())
        n_gen = int(group.select(gen.energies).sum())
        if n_ref and n_gen:
            both.append(group)
        elif n_ref or n_gen:
            owner, n = ("reference", n_ref) if n_ref else ("generated", n_gen)
            notes.append(f"{group.label}: only the {owner} sample has events ({n}); left out")
    if len(both) > 1:
        shares = mixtures(tuple(both), ref.energies, gen.energies)
        shares /= shares.sum(axis=0)
        if np.abs(shares[:, 0] - shares[:, 1]).max() > DIFFERENT_SHARE:
            scale = kind_of(ref.detector).scale
            notes.append(
                f"the samples mix the {scale.many} differently: judge them {scale.one} by "
                f"{scale.one}, the results for all {scale.many} together show the mixture as well"
            )
    return tuple(both), notes


def _refuse_mixed(ref: Sample, gen: Sample) -> NoReturn:
    """Say that energies at points and a spectrum cannot be compared."""
    scale = kind_of(ref.detector).scale
    msg = (
        f"one sample has its {scale.many} at points, the other between them: reference "
        f"{_extent(ref.energies)}, generated {_extent(gen.energies)}; in a common bin their means "
        "differ, whatever the simulator does; generate with --like the reference"
    )
    raise EventsError(msg)


def _refuse_disjoint(ref: Sample, gen: Sample) -> NoReturn:
    """Say that nothing can be compared, and what would help."""
    msg = (
        f"the samples have no {kind_of(ref.detector).scale.one} in common: "
        f"reference {_extent(ref.energies)}, generated {_extent(gen.energies)}; "
        "generate with --like the reference"
    )
    raise EventsError(msg)


def _extent(energies: FloatArray) -> str:
    """Return the energies as text: each where they are few, else their range."""
    points = energy_points(energies, most=8).tolist()
    if points:
        return ", ".join(map(format_energy, points))
    return f"{format_energy(energies.min())} to {format_energy(energies.max())}"


def _limits(primary: FloatArray) -> tuple[float, float]:
    """Return the range of the reference, widened by its own size on either side."""
    finite = primary[np.isfinite(primary)]
    if not len(finite):
        return 0.0, 0.0
    low, high = float(finite.min()), float(finite.max())
    return low - (high - low), high + (high - low)


def _invariants(sample: Sample, o: Observable, limits: tuple[float, float]) -> Invariants:
    primary = sample.values[o.name]
    inside = (primary >= limits[0]) & (primary <= limits[1])
    if o.optional:  # undefined is not beyond
        inside = inside | np.isnan(primary)
    return Invariants(
        non_finite=int(sample.non_finite.sum()),
        negative=int(sample.negative.sum()),
        beyond_limits=int(np.count_nonzero(~inside)),
    )
