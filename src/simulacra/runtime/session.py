"""Events from an exported file: NumPy and ONNX Runtime, nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulacra.arrays import Array, BoolArray
from simulacra.columns import check_columns, outside_training, require_near
from simulacra.errors import EventsError, MissingDependencyError, SimulatorError
from simulacra.files.digests import require_intact
from simulacra.files.small_files import read_small
from simulacra.particles import PDG
from simulacra.runtime.contract import CONDITIONS, KEY, NOISE, Contract
from simulacra.runtime.operators import require_known_operators
from simulacra.statistics.series import series

if TYPE_CHECKING:
    import onnxruntime

OnnxRuntime = Any  # it carries no types
BLOCK = 1024
"""Events generated at once: keeps the memory small, whatever the number asked for."""
ERRORS_ONLY = 3
"""ONNX Runtime's level of logging that leaves out its warnings."""
MOST_MEMORY = 2**31
"""Bytes that all exported files of this process work in, their weights included: 2 GB."""
LARGEST = 2_147_483_647
"""Bytes of a file in protobuf, by its own rule."""
_TOO_MUCH = "Available memory of"
"""What ONNX Runtime says where its limit does not suffice."""
_ELSEWHERE = re.compile(rb"[\x08\x00]location")
"""The key of weights that lie in another file, with the last byte of its length in protobuf."""


def _onnxruntime() -> OnnxRuntime:
    try:
        import onnxruntime
    except ImportError:
        msg = "exported files need ONNX Runtime: pip install 'simulacra[runtime]'"
        raise MissingDependencyError(msg) from None
    return onnxruntime


class NeedsMemoryError(SimulatorError):
    """The graph needs more memory than it gets."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """An exported simulator, ready to generate.

    It has no state: threads can share one, each with its own random generator. Pickled, for worker
    processes, it carries the whole file.

    Attributes:
        contract: what the file says of itself.
    """

    contract: Contract
    _session: onnxruntime.InferenceSession = field(repr=False)
    _content: bytes = field(repr=False)
    _threads: int = field(repr=False)

    @classmethod
    def load(cls, path: str | Path, threads: int = 1) -> Self:
        """Read an exported file.

        Args:
            path: the file; nothing beside it is opened.
            threads: that ONNX Runtime works with inside one call; 1 means the caller's own.

        Raises:
            MissingDependencyError: ONNX Runtime is not installed.
            SimulatorError: there is no such file, it is damaged, or not one of ours.
        """
        path = Path(path)
        if not path.is_file():
            msg = f"no exported simulator {path}"
            raise SimulatorError(msg)
        try:
            content = read_small(path, SimulatorError, LARGEST)
            require_intact(content)
            return cls.of_bytes(content, threads)
        except SimulatorError as error:
            msg = f"{path}: {error}"
            raise SimulatorError(msg) from None

    @classmethod
    def of_bytes(cls, content: bytes, threads: int = 1) -> Self:
        """Read the content of an exported file; see :meth:`load`."""
        session = _session(content, threads)
        carried = session.get_modelmeta().custom_metadata_map
        if KEY not in carried:
            msg = "an ONNX file, but not one of simulacra export"
            raise SimulatorError(msg)
        return cls(Contract.from_json(carried[KEY]), session, content, threads)

    def __reduce__(self) -> tuple[Callable[[bytes, int], Runtime], tuple[bytes, int]]:
        """Pickle the file, since a session cannot be."""
        return type(self).of_bytes, (self._content, self._threads)

    def generate(
        self,
        conditions: Mapping[str, ArrayLike],
        seed: int | np.random.Generator,
        *,
        extrapolate: bool = False,
    ) -> dict[str, NDArray[np.float32]]:
        """Return the response, one event for each row of conditions.

        Equal seeds give equal events, and the first of many are those of few, up to rounding. They
        are not the events that the trained simulator itself gives for that seed: its noise comes
        from torch.

        Args:
            conditions: columns by name in physical units; single values stand for all rows, names
                that the file does not ask for are left aside.
            seed: a seed, or a generator to draw from.
            extrapolate: answer conditions far outside the training, too.

        Raises:
            EventsError: a condition is missing or not sensible.
            SimulatorError: a condition is far outside the training.
        """
        blocks = list(self.blocks(conditions, seed, extrapolate=extrapolate))
        return {
            output.name: np.concatenate([block[output.name] for block in blocks])
            if blocks
            else np.zeros((0, *output.shape), np.float32)
            for output in self.contract.outputs
        }

    def blocks(
        self,
        conditions: Mapping[str, ArrayLike],
        seed: int | np.random.Generator,
        *,
        extrapolate: bool = False,
    ) -> Iterator[dict[str, NDArray[np.float32]]]:
        """Yield the response of :meth:`generate` block by block, so that memory stays small.

        Raises:
            EventsError: a condition is missing or not sensible; before the first block.
            SimulatorError: a condition is far outside the training; likewise.
        """
        columns, declared = self._columns(conditions), self.contract.declared
        for name, limits in () if extrapolate else self.contract.ranges.items():
            require_near(name, columns[name], limits, declared[name])
        rows = np.stack([columns[c.name] for c in self.contract.columns], axis=1, dtype=np.float32)
        if isinstance(seed, np.random.Generator):
            return self._blocks(rows, seed)
        every = series(len(rows), seed)
        return (
            block
            for some, own in every
            for block in self._blocks(rows[some], np.random.default_rng(own))
        )

    def _blocks(
        self, rows: NDArray[np.float32], rng: np.random.Generator
    ) -> Iterator[dict[str, NDArray[np.float32]]]:
        size = BLOCK
        for start in range(0, len(rows), BLOCK):
            block = rows[start : start + BLOCK]
            noise = rng.standard_normal((len(block), *self.contract.noise), dtype=np.float32)
            first = 0
            while first < len(block):
                some = slice(first, first + size)
                try:
                    response = self.run(block[some], noise[some])
                except NeedsMemoryError:
                    if size == 1:
                        raise
                    size = min(size, len(block)) // 2 or 1
                    continue
                yield response
                first += size

    def run(
        self, conditions: NDArray[np.float32], noise: NDArray[np.float32]
    ) -> dict[str, NDArray[np.float32]]:
        """Return the response to conditions (n, columns) in the contract's order, and noise.

        Nothing is checked and nothing drawn: the graph itself.

        Raises:
            NeedsMemoryError: so many events take more than :data:`MOST_MEMORY`.
            SimulatorError: the graph does not work.
        """
        names = [output.name for output in self.contract.outputs]
        try:
            arrays = self._session.run(names, {CONDITIONS: conditions, NOISE: noise})
        except _failures(_onnxruntime()) as error:
            said = " ".join(str(error).split())
            if _TOO_MUCH not in said:
                msg = f"ONNX Runtime cannot run it: {said}"
                raise SimulatorError(msg) from None
            msg = f"it needs more than {MOST_MEMORY / 1e9:.3g} GB for {len(conditions)} events"
            raise NeedsMemoryError(msg) from None
        return dict(zip(names, arrays, strict=True))

    def outside(self, conditions: Mapping[str, ArrayLike]) -> BoolArray:
        """Return which rows of conditions lie outside the ranges of training (n,)."""
        columns, contract = self._columns(conditions), self.contract
        known = contract.ranges, contract.own_ranges, contract.seen
        return outside_training(columns, columns.get(PDG), *known, contract.declared)

    def _columns(self, conditions: Mapping[str, ArrayLike]) -> dict[str, Array]:
        names = [column.name for column in self.contract.columns]
        known = [name for name in names if name in conditions]
        try:
            given = [np.asarray(conditions[name], dtype=np.float64) for name in known]
            arrays = np.broadcast_arrays(np.zeros(1), *given)[1:]
        except (TypeError, ValueError):  # no numbers, or of several lengths
            arrays = (np.zeros((1, 1)),)
        if any(array.ndim != 1 for array in arrays):
            msg = "conditions are single numbers or columns of one length"
            raise EventsError(msg)
        columns = dict(zip(known, arrays, strict=True))
        check_columns(columns, self.contract.declared)
        return columns


def _session(content: bytes, threads: int) -> onnxruntime.InferenceSession:
    if _ELSEWHERE.search(content):
        msg = "its weights lie in another file, which is not read: no digest covers that one"
        raise SimulatorError(msg)
    require_known_operators(content)
    ort = _onnxruntime()
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = ERRORS_ONLY
    if _limited(ort):
        options.add_session_config_entry("session.use_env_allocators", "1")
    try:
        return ort.InferenceSession(
            content,
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=["ConstantFolding"],  # is done, and would be outside of the limit
        )
    except _failures(ort) as error:
        msg = f"ONNX Runtime cannot load it: {' '.join(str(error).split())}"
        raise SimulatorError(msg) from None


@cache
def _limited(ort: OnnxRuntime) -> bool:
    """Limit the memory in which this process's sessions work; return whether that was possible.

    It is not where another part of the program has settled that memory otherwise.
    """
    place = ort.OrtMemoryInfo(
        "Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT
    )
    try:
        ort.create_and_register_allocator(place, ort.OrtArenaCfg({"max_mem": MOST_MEMORY}))
    except RuntimeError:
        return False
    return True


def _failures(ort: OnnxRuntime) -> tuple[type[Exception], ...]:
    """Return the exceptions that ONNX Runtime raises for files that it cannot load or run."""
    state = ort.capi.onnxruntime_pybind11_state
    names = ("Fail", "InvalidProtobuf", "InvalidGraph", "InvalidArgument", "NotImplemented")
    return (*(getattr(state, name) for name in names), state.RuntimeException)
