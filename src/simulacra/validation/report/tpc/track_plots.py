"""Plots of a TPC's tracks: single tracks, pad rows one by one, energy loss against momentum."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from simulacra.arrays import FloatArray
from simulacra.detectors import TPC
from simulacra.drawings.tpc.event import draw_track
from simulacra.helix import residuals
from simulacra.observables.tpc.tracks import Tracks
from simulacra.units import format_energy
from simulacra.validation.compared import Compared
from simulacra.validation.kinds import kind_of
from simulacra.validation.report.canvas import (
    BLACK,
    COLOUR,
    FAST,
    FULL,
    Plot,
    finish,
    new_figure,
    panels,
    ratio_axis,
)
from simulacra.validation.report.pairing import pairs_of
from simulacra.validation.result import Validation
from simulacra.validation.sample import Sample
from simulacra.validation.tpc.rows import RowProfile, row_profiles

SHOWN = 4
"""Tracks of each sample that are drawn, from low to high momentum."""
MOST_POINTS = 4000
"""Tracks in the picture of the energy loss."""
WIDEST = 5.0
"""Residuals in mm up to which the axis of a single track goes."""


def single_tracks(_: Validation, compared: Compared) -> Iterator[Plot]:
    """Yield some tracks across and along the beam, with the helix they would follow."""
    full, fast, detector = compared.full, compared.fast, compared.detector
    assert isinstance(detector, TPC)
    pairs, matched = pairs_of(full, fast, SHOWN)
    figure = new_figure(11.0, 3.4 * len(pairs), "constrained")
    grid = figure.subplots(len(pairs), 3, squeeze=False)
    for row, (i, j) in zip(grid, pairs, strict=True):
        for sample, place, colour, name in ((full, i, BLACK, FULL), (fast, j, COLOUR, FAST)):
            _draw_track(list(row), _track(sample, place), colour, name.split()[0])
        momentum = format_energy(float(full.energies[i]))
        row[0].set_title(f"{_species(full, i)}, pT {momentum}", fontsize=9, loc="left")
        row[0].legend(fontsize=7)
    same = "the same conditions" if matched else "the closest conditions that the fast sample has"
    yield Plot(
        "tracks",
        "Single tracks",
        f"One particle per row, {same}. Lines are the ideal helices. Across the beam, along it, "
        "and the residuals in r phi to the ideal helix, row by row.",
        finish(figure),
    )


def _track(sample: Sample, place: int) -> Tracks:
    ((_, events),) = sample.take(np.array([place])).pieces()
    return Tracks(events)


def _species(sample: Sample, place: int) -> str:
    from particle import Particle

    return str(Particle.from_pdgid(int(sample.conditions["pdg"][place])).name)


def _draw_track(row: list[Axes], tracks: Tracks, colour: str, name: str) -> None:
    present = tracks.present[0]
    points = tracks.points[0, present]
    draw_track(row[0], row[1], tracks.true, points, tracks.detector, colour, name)
    r_phi = residuals(tracks.true, tracks.points).r_phi[0, present]
    clipped = np.clip(r_phi, -WIDEST, WIDEST)
    row[2].scatter(np.flatnonzero(present), clipped, color=colour, s=3.0, linewidths=0.0)
    row[2].axhline(0, color=BLACK, lw=0.5)
    row[2].set(xlabel="pad row", ylabel=r"$\Delta r\phi$ [mm]", ylim=(-WIDEST, WIDEST))


def pad_rows(_: Validation, compared: Compared) -> Iterator[Plot]:
    """Yield what depends on the pad row: clusters, residuals and charge."""
    full, fast = compared.full.summed(row_profiles), compared.fast.summed(row_profiles)
    detector = compared.detector
    assert isinstance(detector, TPC)
    figure, pairs = panels(6, most_columns=3, width=4.2)
    drawn = (
        ("presence", False, "share of tracks with a cluster"),
        ("shift r phi", False, r"$\langle \Delta r\phi \rangle$ [mm], true helix"),
        ("shift z", False, r"$\langle \Delta z \rangle$ [mm], true helix"),
        ("charge", False, r"$\langle q / l \rangle$ [ADC/mm]"),
        ("square r phi", True, r"rms $\Delta r\phi$ [mm], fitted helix"),
        ("square z", True, r"rms $\Delta z$ [mm], fitted helix"),
    )
    for (name, root, label), (main, ratio) in zip(drawn, pairs, strict=True):
        profiles = [p[name].root if root else p[name] for p in (full, fast)]
        _draw_profiles(main, ratio, *profiles, signed=name.startswith("shift"))
        main.set_ylabel(label)
        for edge in np.cumsum([group.rows for group in detector.pad_rows])[:-1]:
            main.axvline(edge - 0.5, color="0.8", lw=0.8, zorder=0)
    yield Plot(
        "pad-rows",
        "Pad row by pad row",
        "Means over all tracks with their errors; below, fast over full simulation, or for shifts "
        "their difference in units of its error. Grey lines: where the pads change size.",
        finish(figure),
    )


def _draw_profiles(
    main: Axes, ratio: Axes, full: RowProfile, fast: RowProfile, *, signed: bool
) -> None:
    row = np.arange(len(full.mean))
    dots: dict[str, Any] = {"fmt": ".", "ms": 2, "lw": 0.6}
    for profile, colour, name in ((full, BLACK, FULL), (fast, COLOUR, FAST)):
        main.errorbar(row, profile.mean, profile.error, color=colour, label=name, **dots)
    main.legend()
    with np.errstate(invalid="ignore", divide="ignore"):
        if signed:
            pull = (fast.mean - full.mean) / np.hypot(full.error, fast.error)
            ratio.plot(row, pull, ".", color=COLOUR, ms=2)
            ratio.axhspan(-1, 1, color="0.5", alpha=0.25, lw=0)
            ratio.set(ylim=(-5, 5), ylabel="pull")
        else:
            safe = np.where(full.mean > 0, full.mean, np.nan)
            value = fast.mean / safe
            ratio.errorbar(row, value, fast.error / safe, color=COLOUR, **dots)
            ratio_axis(ratio)
            span = min(max(1.5 * float(np.nanmax(np.abs(value - 1), initial=0.0)), 0.02), 1.0)
            ratio.set_ylim(1 - span, 1 + span)
    ratio.set_xlabel("pad row")


def energy_loss(_: Validation, compared: Compared) -> Iterator[Plot]:
    """Yield the truncated mean of the charge against the momentum, species by species."""
    samples = [s.take(np.arange(min(len(s), MOST_POINTS))) for s in (compared.full, compared.fast)]
    if not any(np.any(sample.values["dedx"] > 0) for sample in samples):
        return  # logarithmic axes need something to show
    parts = {d.name: d.parts for d in kind_of(compared.detector).divisions(compared.detector)}
    figure = new_figure(10.5, 4.6, "constrained")
    grid = figure.subplots(1, 2, sharex=True, sharey=True)
    for axes, few, title in zip(grid, samples, (FULL, FAST), strict=True):
        momentum = _momentum(few)
        for i, part in enumerate(parts["species"]):
            chosen = part.select(few.conditions) & np.isfinite(few.values["dedx"])
            axes.scatter(
                momentum[chosen] / 1000,
                few.values["dedx"][chosen],
                s=4,
                color=f"C{i}",
                linewidths=0,
                alpha=0.6,
                label=part.label,
            )
        axes.set(xscale="log", yscale="log", xlabel="momentum [GeV]", title=title)
    grid[0].set_ylabel("truncated dE/dx [ADC/mm]")
    grid[0].legend(markerscale=3)
    yield Plot(
        "energy-loss",
        "Energy loss",
        "Truncated mean of the charge over the path in a row against the momentum at the vertex. "
        "The tables and the pictures by species judge means and widths.",
        finish(figure),
    )


def _momentum(sample: Sample) -> FloatArray:
    columns = sample.conditions
    size: FloatArray = columns["transverse_momentum"] * np.cosh(columns["pseudorapidity"])
    return size.astype(np.float64)
