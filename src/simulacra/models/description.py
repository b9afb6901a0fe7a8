"""What a model says of itself: its options with defaults and meaning, and how large it is.

Everything comes from the code: the catalogue's rows, the classes of options, their docstrings.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import cast

import torch
import yaml
from torch import nn

from simulacra.detectors import Detector, builtin_detectors, load_detector
from simulacra.detectors.base import Frozen
from simulacra.errors import CardError, SimulacraError
from simulacra.models import find_model
from simulacra.models.system import System

_ENTRY = re.compile(r"^ {4}(\w+(?:, \w+)*):\s+(.*)$")
"""A name, or several, and the beginning of its description in a docstring's list."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a model.

    Attributes:
        name: its key in a card.
        default: its default as YAML, on one line.
        meaning: its description, from the docstring.
    """

    name: str
    default: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Size:
    """The number of trainable weights of a model with its default options, for one detector."""

    detector: str
    weights: int


def options_of(config: type[Frozen]) -> tuple[Option, ...]:
    """Return the options of a class with their defaults, in order; ``kind`` is the first."""
    meanings = _meanings(inspect.getdoc(config) or "")
    content = config().model_dump(mode="json")
    return tuple(
        Option(name, _one_line(value), meanings.get(name, "")) for name, value in content.items()
    )


def as_yaml(kind: str) -> str:
    """Return a model's options as the part ``model`` of a card, each with what it means.

    Raises:
        CardError: there is no such model.
    """
    lines = []
    for option in options_of(find_model(kind).Config):
        comment = f"  # {option.meaning}" if option.meaning else ""
        lines.append(f"{option.name}: {option.default}{comment}\n")
    return "".join(lines)


def size_of(system: type[System]) -> Size:
    """Return how many weights a model has, for the detector that its row names.

    Where it names none, for the first shipped one of its kind that the model takes.

    Raises:
        CardError: no shipped detector fits.
    """
    names = (system.default_detector,) if system.default_detector else builtin_detectors()
    for name in names:
        detector = load_detector(name)
        if detector.kind != system.serves:
            continue
        try:
            return Size(name, _weights(system, detector))
        except SimulacraError:
            continue  # it needs another number of layers, or another read-out
    msg = f"no shipped detector fits {system.__name__}"
    raise CardError(msg)


def _weights(system: type[System], detector: Detector) -> int:
    config = system.Config()
    with torch.random.fork_rng(devices=[]):
        features = system.encoder_for(config, detector).features
        network = cast("nn.Module", system(config, detector, features))
    return sum(weights.numel() for weights in network.parameters())


def _meanings(text: str) -> dict[str, str]:
    """Return the descriptions below ``Attributes:`` in a docstring, each on one line."""
    found: dict[str, list[str]] = {}
    _, _, listed = text.partition("Attributes:\n")
    names: tuple[str, ...] = ()
    for line in listed.splitlines():
        entry = _ENTRY.match(line)
        if entry:
            names = tuple(entry[1].split(", "))
        elif not line.startswith(" " * 8):
            names = ()
        for name in names:
            found.setdefault(name, []).append(entry[2] if entry else line.strip())
    return {name: " ".join(parts).removesuffix(".") for name, parts in found.items()}


def _one_line(value: object) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, width=10_000)
    return text.removesuffix("\n").removesuffix("\n...")
