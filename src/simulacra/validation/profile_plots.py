"""Plots of the mean shower along and across its direction."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from simulacra.arrays import FloatArray
from simulacra.detectors import Calorimeter, Layer
from simulacra.detectors.segmentation import PolarSegmentation
from simulacra.events import Events
from simulacra.observables.showers import ring_radii
from simulacra.validation.canvas import BLACK, COLOUR, FAST, FULL, Plot, finish, panels, ratio_axis
from simulacra.validation.cell_plots import brightest, mean_share
from simulacra.validation.group_plots import shared_events
from simulacra.validation.result import Validation


def longitudinal_profile(
    validation: Validation, reference: Events, generated: Events
) -> Iterator[Plot]:
    """Yield the mean energy of each layer over the incident energy, against its depth."""
    shared = shared_events(validation, reference, generated)
    if shared is None:
        return
    detector = reference.detector
    assert isinstance(detector, Calorimeter)
    names = [f"layer_energy.{layer.name}" for layer in detector.layers]
    depth = np.array([layer.depth for layer in detector.layers])
    figure, ((main, ratio),) = panels(1, width=6.5, height=4.6)
    rows = [_layer_profile(events, detector) for events in shared]
    labels = [
        f"{title}: {_moments(validation, generated=fast)}"
        for title, fast in ((FULL.split()[0], False), (FAST.split()[0], True))
    ]
    _draw(main, ratio, depth, rows, labels)
    main.set_yscale("log")
    main.set_ylabel(r"$\langle E_{layer} / E_{inc} \rangle$")
    main.legend()
    ratio.set_xlabel("depth [mm]")
    yield Plot(
        "longitudinal",
        "Along the shower",
        f"Mean energy of the {len(names)} layers over the incident energy, all energies together, "
        "with the errors of the mean; in the legend, the mean of each event's depth and of its "
        "spread in depth.",
        finish(figure),
    )


def _moments(validation: Validation, *, generated: bool) -> str:
    texts = []
    for name, symbol in (("depth", r"$\langle z \rangle$"), ("depth_width", r"$\sigma_z$")):
        comparison = validation.pooled.comparisons.get(name) if validation.pooled else None
        if comparison is not None:
            moments = comparison.generated if generated else comparison.reference
            texts.append(f"{symbol} = {moments.mean.value:.4g} mm")
    return ", ".join(texts)


def _layer_profile(events: Events, detector: Calorimeter) -> tuple[FloatArray, FloatArray]:
    """Return the mean of E_layer / E_inc (layers,) and its error."""
    parts = [
        _mean_shares(events, layer, np.ones((layer.cells.stop - layer.cells.start, 1)))
        for layer in detector.layers
    ]
    mean, error = np.concatenate(parts, axis=1)
    return mean, error


def lateral_profiles(
    validation: Validation, reference: Events, generated: Events
) -> Iterator[Plot]:
    """Yield the mean energy in the rows, columns or rings of cells, layer by layer."""
    shared = shared_events(validation, reference, generated)
    if shared is None:
        return
    detector = reference.detector
    assert isinstance(detector, Calorimeter)
    mean = mean_share(shared[0])
    layers = [la for la in brightest(detector.layers, mean) if np.any(mean[la.cells] > 0)]
    drawn = [(layer, axis) for layer in layers for axis in _axes_of(detector, layer)]
    if not drawn:
        return
    figure, pairs = panels(len(drawn))
    for (layer, (name, position)), (main, ratio) in zip(drawn, pairs, strict=True):
        places, group = np.unique(position, return_inverse=True)
        sums = (group[:, None] == np.arange(len(places))).astype(np.float64)
        rows = [_mean_shares(events, layer, sums) for events in shared]
        _draw(main, ratio, places, rows, [FULL, FAST])
        main.set_yscale("log")
        main.yaxis.set_minor_formatter(NullFormatter())
        main.set_ylabel(r"$\langle E / E_{inc} \rangle$")
        main.legend(title=layer.name, alignment="left")
        ratio.set_xlabel(f"{name} [mm]")
    yield Plot(
        "lateral",
        "Across the shower",
        "Mean energy in each row of cells (each ring of round layers) over the incident energy, "
        "all energies together, around the centre of each layer's cells, with the errors of the "
        "mean.",
        finish(figure),
    )


def _axes_of(detector: Calorimeter, layer: Layer) -> list[tuple[str, FloatArray]]:
    """Return what the cells (cells,) are lined up along: both axes, or the radius."""
    if isinstance(layer.segmentation, PolarSegmentation):
        return [("radius", ring_radii(layer))]
    names = {"eta": r"$\eta$", "phi": r"$\phi$"}
    return [
        (names.get(name, name), position)
        for name, position in zip(detector.axes, (layer.x, layer.y), strict=True)
    ]


def _mean_shares(events: Events, layer: Layer, sums: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and error (k,) of sums of cells (cells, k) over the incident energy."""
    cells = np.nan_to_num(events["showers"][:, layer.cells], nan=0.0, posinf=0.0, neginf=0.0)
    shares = cells @ sums / events.conditions["energy"].astype(np.float64)[:, None]
    return shares.mean(axis=0), shares.std(axis=0) / np.sqrt(len(events))


def _draw(
    main: Axes,
    ratio: Axes,
    x: FloatArray,
    rows: list[tuple[FloatArray, FloatArray]],
    labels: list[str],
) -> None:
    (full, full_error), (fast, fast_error) = rows
    main.errorbar(x, full, full_error, fmt="o-", color=BLACK, ms=3.5, lw=1, label=labels[0])
    main.errorbar(x, fast, fast_error, fmt="s--", color=COLOUR, ms=3, lw=1, label=labels[1])
    safe = np.where(full > 0, full, np.nan)
    ratio.fill_between(
        x, 1 - full_error / safe, 1 + full_error / safe, color="0.5", alpha=0.25, lw=0
    )
    ratio.errorbar(x, fast / safe, fast_error / safe, fmt="s", color=COLOUR, ms=3, lw=1)
    ratio_axis(ratio)
