"""What an exported file says of itself: what goes in, what comes out, and whose work it is.

The contract lies as JSON in the metadata of the file, under the key ``simulacra``. Reading it takes
nothing but this module.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from simulacra.errors import SimulatorError
from simulacra.particles import OwnRanges, Seen, own_ranges_of, seen_of

KEY = "simulacra"
"""Where the contract lies in the file's metadata."""
VERSION = 1
CONDITIONS, NOISE = "conditions", "noise"
"""The names of the graph's two inputs."""
ROLES = ("log", "linear", "cyclic", "categorical")
NOISE_RULE = "numpy.random.default_rng(seed).standard_normal((n, *shape), dtype=float32)"
"""How a seed becomes noise: row after row, so that the first events are the same for any number."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the input ``conditions``.

    Attributes:
        name: of the condition.
        role: ``log``, ``linear``, ``cyclic`` or ``categorical``: how it is to be understood. The
            graph takes the physical value in every case.
        unit: its unit: MeV, mm, ns, rad.
        categories: the values that a categorical condition can have.
        range: lowest and highest value in training, of numerical conditions.
    """

    name: str
    role: str
    unit: str = ""
    categories: tuple[int, ...] | None = None
    range: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """One output of the graph: its shape for a single event, and its unit."""

    name: str
    shape: tuple[int, ...]
    unit: str


SEES_PARTICLE = "sees_particle"
"""Among the facts: whether the condition ``pdg`` enters the network."""


@dataclass(frozen=True, slots=True)
class Contract:
    """The whole of it.

    Attributes:
        model: kind of the model.
        detector: name of the detector.
        fingerprint: SHA-256 of what the detector reads out and is built of.
        detector_yaml: the detector.
        columns: the columns of ``conditions``, in order.
        noise: shape of the standard normal ``noise`` of a single event.
        outputs: what comes out, in order.
        facts: how the file was made: versions, digests, training.
    """

    model: str
    detector: str
    fingerprint: str
    detector_yaml: str
    columns: tuple[Column, ...]
    noise: tuple[int, ...]
    outputs: tuple[Output, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def declared(self) -> dict[str, Column]:
        """The columns by name."""
        return {column.name: column for column in self.columns}

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Lowest and highest value in training of each numerical condition."""
        return {c.name: c.range for c in self.columns if c.range is not None}

    @property
    def own_ranges(self) -> OwnRanges:
        """Ranges, by PDG id and condition, of particles that had less than all of them."""
        scale = next((c.name for c in self.columns if c.role == "log"), "")
        return own_ranges_of(self.facts, scale)

    @property
    def seen(self) -> Seen:
        """Values of categorical conditions in training, where not all that there are."""
        return seen_of(self.facts)

    def to_json(self) -> str:
        """Return the text that the file carries; equal contracts give equal texts."""
        content = {"format_version": VERSION, "noise_rule": NOISE_RULE, **asdict(self)}
        return json.dumps(content, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the contract of a file.

        Raises:
            SimulatorError: the text is damaged or of a newer format.
        """
        try:
            content = json.loads(text)
            version = content.pop("format_version")
            if version != VERSION:
                msg = f"format {version}, this version reads {VERSION}"
                raise SimulatorError(msg)
            content.pop("noise_rule")
            columns = tuple(_column(**column) for column in content.pop("columns"))
            outputs = tuple(_output(**output) for output in content.pop("outputs"))
            noise = _whole(content.pop("noise"), least=0)
            facts = dict(content.pop("facts"))
            words = {name: _text(value) for name, value in content.items()}
            return cls(columns=columns, outputs=outputs, noise=noise, facts=facts, **words)
        except (ArithmeticError, ValueError, LookupError, TypeError, AttributeError) as error:
            msg = f"damaged: {error}"
            raise SimulatorError(msg) from None
        except RecursionError:
            msg = "damaged: nested too deeply"
            raise SimulatorError(msg) from None


def _column(
    categories: list[int] | None,
    range: list[float] | None,
    **words: str,
) -> Column:
    limits = None if range is None else _limits(*range)
    known = None if categories is None else _whole(categories)
    column = Column(**{k: _text(v) for k, v in words.items()}, categories=known, range=limits)
    if column.role not in ROLES or (column.role == "categorical") != bool(known):
        msg = f"{column.name} has the role {column.role} and the categories {categories}"
        raise ValueError(msg)
    return column


def _output(shape: list[int], **words: str) -> Output:
    return Output(**{k: _text(v) for k, v in words.items()}, shape=_whole(shape, least=1))


def _limits(low: float, high: float) -> tuple[float, float]:
    limits = float(low), float(high)
    if not -math.inf < limits[0] <= limits[1] < math.inf:
        msg = f"no range from {low} to {high}"
        raise ValueError(msg)
    return limits


def _text(value: object) -> str:
    if not isinstance(value, str):
        msg = f"{value!r} is no text"
        raise TypeError(msg)
    return value


def _whole(values: list[int], least: int | None = None) -> tuple[int, ...]:
    """Return whole numbers of 32 bits."""
    for value in values:
        if type(value) is not int or abs(value) >= 2**31 or (least is not None and value < least):
            msg = f"{value!r} is no such number"
            raise ValueError(msg)
    return tuple(values)
