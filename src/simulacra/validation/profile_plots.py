"""Plots of the mean shower along and across its direction."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes

from simulacra.arrays import FloatArray
from simulacra.detectors import Calorimeter, Layer
from simulacra.detectors.segmentation import PolarSegmentation
from simulacra.events import Events
from simulacra.observables.showers import ring_radii
from simulacra.validation.canvas import BLACK, COLOUR, FAST, FULL, Plot, finish, panels, ratio_axis
from simulacra.validation.cell_plots import brightest, mean_share, mean_share_error
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
    rows = [_layer_shares(events, detector) for events in shared]
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


def _layer_shares(events: Events, detector: Calorimeter) -> tuple[FloatArray, FloatArray]:
    """Return the mean of E_layer / E_inc (layers,) and its error."""
    energy = events.conditions["energy"].astype(np.float64)
    showers = np.nan_to_num(events["showers"], nan=0.0, posinf=0.0, neginf=0.0)
    shares = np.stack(
        [showers[:, la.cells].sum(axis=1, dtype=np.float64) / energy for la in detector.layers]
    )
    return shares.mean(axis=1), shares.std(axis=1) / np.sqrt(len(events))


def lateral_profiles(
    validation: Validation, reference: Events, generated: Events
) -> Iterator[Plot]:
    """Yield the mean energy per cell against the distance from the axis, layer by layer."""
    shared = shared_events(validation, reference, generated)
    if shared is None:
        return
    detector = reference.detector
    assert isinstance(detector, Calorimeter)
    means, errors = [], []
    for events in shared:
        means.append(mean_share(events))
        errors.append(mean_share_error(events))
    layers = [la for la in brightest(detector.layers, means[0]) if np.any(means[0][la.cells] > 0)]
    if not layers:
        return
    figure, pairs = panels(len(layers))
    for layer, (main, ratio) in zip(layers, pairs, strict=True):
        distance, group = _distances(layer)
        rows = [
            _by_group(group, len(distance), m[layer.cells], e[layer.cells])
            for m, e in zip(means, errors, strict=True)
        ]
        _draw(main, ratio, distance, rows, [FULL, FAST])
        main.set_yscale("log")
        main.set_ylabel(r"$\langle E_{cell} / E_{inc} \rangle$")
        main.legend(title=layer.name, alignment="left")
        ratio.set_xlabel("distance from the layer's centre [mm]")
    yield Plot(
        "lateral",
        "Across the shower",
        "Mean energy of a cell over the incident energy against the distance of its middle from "
        "the centre of the layer's cells, all energies together. Errors are statistical.",
        finish(figure),
    )


def _distances(layer: Layer) -> tuple[FloatArray, np.ndarray[tuple[int, ...], np.dtype[np.intp]]]:
    """Return ascending distances (k,) in mm, and for each cell (cells,) the place of its own."""
    if isinstance(layer.segmentation, PolarSegmentation):
        distance = ring_radii(layer)
    else:
        # the distance in units of the narrower cells' size: a curve, not a cloud of points
        step = min(layer.segmentation.cell)
        distance = np.round(np.hypot(layer.x, layer.y) / step) * step
    values, places = np.unique(distance, return_inverse=True)
    return values, places


def _by_group(
    group: np.ndarray[tuple[int, ...], np.dtype[np.intp]],
    count: int,
    mean: FloatArray,
    error: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return mean and error of the cells of each group (count,)."""
    cells = np.bincount(group, minlength=count)
    total = np.bincount(group, weights=mean, minlength=count)
    # cells of one shower fluctuate together: adding their errors linearly is the safe side
    return total / cells, np.bincount(group, weights=error, minlength=count) / cells


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
