"""Free constants of GFlash from full simulation.

Three steps, all with random numbers that stay the same while constants change:

1. Longitudinal profile, its fluctuation, the stochastic term: maximum likelihood of the response
   and of the shares of depth intervals. The likelihood of an event is the mean over simulated
   profiles of normal densities; data and model are smeared alike, so that the width of the
   densities does not bias the fit.
2. Radii: two moments of the lateral profile in cells, ⟨Σ e r / Σ e⟩ and ⟨Σ e r² / Σ e⟩.
3. Visible energy: mean energies of sections, and the mean response against the energy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import least_squares, minimize
from scipy.special import logsumexp, ndtri
from scipy.stats import qmc

from simulacra.arrays import Array, FloatArray
from simulacra.conditions import Conditions
from simulacra.detectors.calorimeter.points import offsets, sections_of_layers
from simulacra.energies import energy_groups, scale_of
from simulacra.errors import SimulatorError
from simulacra.events import Events
from simulacra.particles import PDG
from simulacra.simulators.classical.base import Inputs
from simulacra.simulators.classical.gflash.showers import (
    Tracks,
    energies,
    shapes_of,
    stochastic_terms,
)

if TYPE_CHECKING:
    from simulacra.simulators.classical.gflash.simulator import GFlash

MOST_EVENTS = 1500
"""Events of a sample that the likelihood looks at; the first, energy by energy."""
FEWEST_EVENTS = 100
PROFILES = 256
"""Simulated profiles that an event's likelihood is the mean over."""
INTERVALS = 6
"""Depth intervals of the likelihood at most."""
SMEARING = 0.4
"""Smearing of data and model over the standard deviation of the data."""
LATERAL_EVENTS = 300
CLOSURE_EVENTS = 1000
PASSES = 2
FACTORS = (0.5, 2.0)
"""Limits of the factors of radii."""


def tuned(untuned: GFlash, inputs: Inputs) -> GFlash:
    """Return GFlash with constants fitted to a sample.

    Raises:
        SimulatorError: the sample is too small.
    """
    sample = inputs.required("gflash")
    if len(sample) < FEWEST_EVENTS:
        msg = f"gflash is fitted to {FEWEST_EVENTS} events or more, not to {len(sample)}"
        raise SimulatorError(msg)
    steps: tuple[tuple[str, Callable[[GFlash, Events, int], GFlash]], ...] = (
        ("fitting the longitudinal profile", _longitudinal),
        ("fitting the radii", _lateral),
        ("fitting the visible energy", _closure),
    )
    found = untuned
    for done, (phase, step) in enumerate(steps):
        inputs.on_progress(phase, done, len(steps))
        found = step(found, sample, inputs.seed)
    inputs.on_progress("fitted", len(steps), len(steps))
    for name, value in found.options.model_dump().items():
        inputs.on_note(f"{name}: {_text(value)}")
    about = {**found.made.about, "fitted_by": "likelihood of depth intervals; moments of radii"}
    return replace(found, made=replace(found.made, about=about))


def _text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {number:.4f}" for name, number in value.items())
    return f"{value:.4f}" if isinstance(value, float) else str(value)


# --- 1. the longitudinal profile ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bin:
    """Events of about one energy, and simulated particles of their conditions.

    Attributes:
        data: response, then shares of all intervals but the last (n, i), smeared.
        smearing: of each column (i,).
        tracks: of simulated particles.
        normal: their normal numbers (2, k).
        energy: kinetic energies of simulated particles (m,), MeV.
    """

    data: FloatArray
    smearing: FloatArray
    tracks: Tracks
    normal: FloatArray
    energy: FloatArray


def _longitudinal(simulator: GFlash, sample: Events, seed: int) -> GFlash:
    """Return the simulator with the constants of largest likelihood."""
    names = _free(simulator)
    bins = tuple(_bins(simulator, sample, seed))
    sections = tuple(section.name for section in simulator.calorimeter.readout_sections)

    def options_at(values: FloatArray) -> GFlash:
        return simulator.with_options(_changes(names, sections, values))

    def cost(values: FloatArray) -> float:
        model = options_at(values)
        return -sum(_log_likelihood(model, each) for each in bins)

    start = np.zeros(len(names) + len(sections))
    if "stochastic" in names:
        start[names.index("stochastic")] = math.log(_stochastic(simulator))
    limits = [(-LIMITS.get(name, 0.7), LIMITS.get(name, 0.7)) for name in names]
    limits = [(a + s, b + s) for (a, b), s in zip(limits, start, strict=False)]
    limits += [(-0.7, 0.7)] * len(sections)
    best = minimize(
        cost,
        start,
        method="L-BFGS-B",
        bounds=limits,
        options={"maxiter": 30, "eps": 1e-3, "ftol": 1e-5},
    )
    return options_at(best.x)


LIMITS = {"depth": 0.4, "shape": 0.4}
"""How far a constant may go from the published one; others by a factor of two."""


def _free(simulator: GFlash) -> list[str]:
    """Return the names of the constants of the longitudinal fit; logarithms of factors."""
    names = ["depth", "shape", "fluctuation"]
    return [*names, "stochastic"] if _stochastic(simulator) > 0 else names


def _stochastic(simulator: GFlash) -> float:
    return float(stochastic_terms(simulator.steps, simulator.options).max())


def _changes(names: list[str], sections: tuple[str, ...], values: FloatArray) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in zip(names, values.tolist(), strict=False):
        found[name] = math.exp(value) if name in ("fluctuation", "stochastic") else value
    factors = np.exp(values[len(names) :]).tolist()
    return found | {"response": dict(zip(sections, factors, strict=True))}


def _bins(simulator: GFlash, sample: Events, seed: int) -> Iterator[Bin]:
    """Yield the bins of energy and particle that hold enough events."""
    rng = np.random.default_rng(seed)
    scale = scale_of(sample)
    particle = sample.conditions.columns.get(PDG, np.zeros(len(sample)))
    groups = energy_groups(scale)
    most = max(MOST_EVENTS // len(groups), 30)
    for group in groups:
        for pdg in np.unique(particle):
            rows = np.flatnonzero(group.select(scale) & (particle == pdg))[:most]
            if len(rows) > len(sample.response):
                yield _bin(simulator, sample.take(rows), rng)


def _bin(simulator: GFlash, events: Events, rng: np.random.Generator) -> Bin:
    parts = _intervals(simulator)
    showers = events["showers"].astype(np.float64)
    energy = np.stack([showers[:, cells].sum(axis=1) for cells, _ in parts], axis=1)
    data = _response_and_shares(energy, events["energy"].astype(np.float64))
    smearing = SMEARING * data.std(axis=0) + 1e-4
    data = data + smearing * rng.standard_normal(data.shape)
    rows = np.arange(PROFILES) % len(events)
    conditions = events.conditions.take(rows)
    numbers = qmc.Sobol(6, rng=rng).random(PROFILES)
    lines = simulator.lines(conditions, rng)
    tracks = simulator.tracks(conditions, lines, numbers[:, :2])
    normal = ndtri(np.clip(numbers[:, 2:], 1e-9, 1 - 1e-9)).reshape(PROFILES, 2, 2)
    second = np.append(False, tracks.event[1:] == tracks.event[:-1]).astype(int)
    return Bin(
        data,
        smearing,
        tracks,
        normal[tracks.event, second].T,
        conditions["energy"].astype(np.float64),
    )


def _response_and_shares(energy: FloatArray, incident: FloatArray) -> FloatArray:
    total = energy.sum(axis=1)
    shares = energy[:, :-1] / np.maximum(total, 1e-9)[:, None]
    return np.column_stack([total / incident, shares])


def _log_likelihood(simulator: GFlash, each: Bin) -> float:
    """Return the logarithm of the likelihood of the events of a bin."""
    steps, options = simulator.steps, simulator.options
    shapes = shapes_of(each.tracks, steps, options, each.normal)
    deposited = energies(each.tracks, shapes, steps)
    number = len(each.energy)
    whole = np.stack([np.bincount(each.tracks.event, e, number) for e in deposited.T], axis=1)
    signal = whole * simulator.visible / _sampling_fractions(simulator)
    noise = signal**2 / np.maximum(whole, 1e-9) * 1000 * stochastic_terms(steps, options) ** 2
    parts = [chosen for _, chosen in _intervals(simulator)]
    mean = np.stack([signal[:, chosen].sum(axis=1) for chosen in parts], axis=1)
    variance = np.stack([noise[:, chosen].sum(axis=1) for chosen in parts], axis=1)
    total = np.maximum(mean.sum(axis=1), 1e-9)
    model = _response_and_shares(mean, each.energy)
    widths = np.column_stack(
        [variance.sum(axis=1) / each.energy**2, variance[:, :-1] / total[:, None] ** 2]
    )
    widths = widths + each.smearing**2
    away = (each.data[:, None, :] - model) ** 2
    exponent = -0.5 * (np.sum(away / widths, axis=2) + np.log(widths).sum(axis=1))
    return float(np.sum(logsumexp(exponent, axis=1)))


def _sampling_fractions(simulator: GFlash) -> FloatArray:
    """Return by what the energy of each step (s,) is divided in the response."""
    stack = simulator.calorimeter.stack
    fractions = [1.0 if s.readout is None else s.readout.sampling_fraction for s in stack]
    return np.array(fractions)[simulator.steps.section]


def _intervals(simulator: GFlash) -> list[tuple[slice, Array]]:
    """Return depth intervals of whole layers: their cells, and the steps that lie in them."""
    detector, steps = simulator.calorimeter, simulator.steps
    middles = (steps.z[1:] + steps.z[:-1]) / 2
    layers = detector.layers
    ends, back = [], 0.0
    for section in detector.stack:
        if section.readout is not None:
            ends += [
                back + section.thickness * (k + 1) / section.copies for k in range(section.copies)
            ]
        back += section.thickness
    read = np.array([section.readout is not None for section in detector.stack])[steps.section]
    layer = np.where(read, np.searchsorted(ends, middles), -1)
    groups = np.array_split(np.arange(len(layers)), min(len(layers), INTERVALS))
    return [
        (
            slice(layers[group[0]].cells.start, layers[group[-1]].cells.stop),
            np.flatnonzero(np.isin(layer, group)),
        )
        for group in groups
    ]


# --- 2. the radii ---------------------------------------------------------------------------------


def _lateral(simulator: GFlash, sample: Events, seed: int) -> GFlash:
    """Return the simulator whose showers are as wide in cells as those of the sample."""
    rows = np.random.default_rng(seed).permutation(len(sample))[:LATERAL_EVENTS]
    events = sample.take(np.sort(rows))
    wanted, error = _moments(simulator, events["showers"], events.conditions)

    def at(factors: FloatArray) -> GFlash:
        core, tail = factors.tolist()
        return simulator.with_options({"core": core, "tail": tail})

    def pulls(factors: FloatArray) -> FloatArray:
        model = at(factors)
        fast = model.simulate(events.conditions, seed, extrapolate=True)
        found, _ = _moments(model, fast["showers"], events.conditions)
        # where cells are too coarse to tell, the published radii stay
        return np.concatenate([(found - wanted) / error, np.log(factors)])

    start = np.clip([simulator.options.core, simulator.options.tail], *FACTORS)
    return at(least_squares(pulls, start, bounds=FACTORS, diff_step=[0.03, 0.03], max_nfev=8).x)


def _moments(
    simulator: GFlash, showers: Array, conditions: Conditions
) -> tuple[FloatArray, FloatArray]:
    """Return two moments of the distance of cells from the line, and their errors."""
    detector = simulator.calorimeter
    lines = simulator.lines(conditions, np.random.default_rng(0))
    sums = np.zeros((3, len(showers)))
    for section, layer in sections_of_layers(detector):
        x, y = offsets(detector, lines, section, layer)
        r = np.hypot(x, y) / simulator.steps.main.matter.moliere_radius
        energy = showers[:, layer.cells].astype(np.float64)
        sums += [np.sum(energy * r**power, axis=1) for power in range(3)]
    moments = sums[1:] / np.maximum(sums[0], 1e-9)
    return moments.mean(axis=1), moments.std(axis=1) / math.sqrt(len(showers))


# --- 3. the visible energy ------------------------------------------------------------------------


def _closure(simulator: GFlash, sample: Events, seed: int) -> GFlash:
    """Return the simulator with the sample's mean energies of sections and mean responses."""
    rows = np.random.default_rng(seed).permutation(len(sample))[:CLOSURE_EVENTS]
    events = sample.take(np.sort(rows))
    for _ in range(PASSES):
        response = _section_factors(simulator, events, seed)
        simulator = simulator.with_options({"response": response})
        slope = simulator.options.slope + _slope(simulator, events, seed)
        simulator = simulator.with_options({"slope": slope})
    return simulator


def _slope(simulator: GFlash, events: Events, seed: int) -> float:
    """Return by which power of the energy the response of the sample differs."""
    fast = simulator.simulate(events.conditions, seed, extrapolate=True)
    incident = scale_of(events)
    groups = [g.select(incident) for g in energy_groups(incident)]
    groups = [chosen for chosen in groups if chosen.any()]
    log_e = np.array([np.log(incident[chosen]).mean() for chosen in groups])
    if np.ptp(log_e) < math.log(2):
        return 0.0
    total = [s["showers"].sum(axis=1, dtype=np.float64) / incident for s in (events, fast)]
    full, ours = (np.array([each[chosen].mean() for chosen in groups]) for each in total)
    weight = np.sqrt([chosen.sum() for chosen in groups])
    return float(np.polyfit(log_e, np.log(full / ours), 1, w=weight)[0])


def _section_factors(simulator: GFlash, events: Events, seed: int) -> dict[str, float]:
    """Return the factors of sections that give the sample's mean shares of the energy."""
    fast = simulator.simulate(events.conditions, seed, extrapolate=True)
    incident = events["energy"].astype(np.float64)
    factors, start = dict(simulator.options.response), 0
    detector = simulator.calorimeter
    for section in detector.readout_sections:
        layers = detector.layers[start : start + section.copies]
        start += section.copies
        cells = slice(layers[0].cells.start, layers[-1].cells.stop)
        full_mean, fast_mean = (
            float(np.mean(s["showers"][:, cells].sum(axis=1, dtype=np.float64) / incident))
            for s in (events, fast)
        )
        if full_mean > 0 and fast_mean > 0:
            factors[section.name] = factors.get(section.name, 1.0) * full_mean / fast_mean
    return factors
