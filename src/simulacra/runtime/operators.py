"""The operators that exported files may have, read from the file before anything of it is run.

Others are refused: control flow, functions of the file's own, random numbers that no seed governs,
extensions of one runtime. The file is read by the rules of protobuf alone, since ONNX itself is not
needed to generate.

References:
    https://protobuf.dev/programming-guides/encoding; onnx/onnx.proto of ONNX 1.18.
"""

from __future__ import annotations

from collections.abc import Iterator

from simulacra.errors import SimulatorError

_BY_ELEMENT = """
Abs Acos Acosh Add And Asin Asinh Atan Atanh Cast CastLike Ceil Celu Clip Cos Cosh Div Elu Equal Erf
Exp Floor Greater GreaterOrEqual HardSigmoid HardSwish IsInf IsNaN LeakyRelu Less LessOrEqual Log
Max Mean Min Mish Mod Mul Neg Not Or PRelu Pow Reciprocal Relu Round Selu Sigmoid Sign Sin Sinh
Softplus Softsign Sqrt Sub Sum Tan Tanh ThresholdedRelu Where Xor
"""
_OF_PLACES = """
Concat ConstantOfShape DepthToSpace Expand Flatten Gather GatherElements GatherND Identity OneHot
Pad Range Reshape Resize ScatterElements ScatterND Shape Size Slice SpaceToDepth Split Squeeze Tile
Transpose Trilu Unsqueeze
"""
_OF_MANY = """
ArgMax ArgMin AveragePool BatchNormalization Conv ConvTranspose CumSum GRU Gemm GlobalAveragePool
GroupNormalization InstanceNormalization LSTM LayerNormalization LogSoftmax LpNormalization MatMul
MaxPool RNN ReduceL1 ReduceL2 ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum
ReduceSumSquare Softmax TopK
"""
OPERATORS = frozenset(f"{_BY_ELEMENT} {_OF_PLACES} {_OF_MANY}".split())
"""Of ONNX's own set: each makes tensors of tensors, without control flow or chance."""
DOMAINS = frozenset(("", "ai.onnx"))
"""The two names of ONNX's own set."""

_GRAPH, _FUNCTIONS = 7, 25
"""Fields of a model."""
_NODE, _SPARSE = 1, 15
"""Fields of a graph."""
_OPERATOR, _DOMAIN = 4, 7
"""Fields of a node."""
_WHOLE_NUMBER, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5
"""Protobuf's kinds of fields."""
_OPERATOR_TAG, _DOMAIN_TAG = _OPERATOR << 3 | _BYTES, _DOMAIN << 3 | _BYTES
_MORE = 0x80
"""The bit of a byte that says that the number goes on in the next one."""


def require_known_operators(content: bytes) -> None:
    """Refuse an ONNX file with operators that are not among :data:`OPERATORS`.

    Raises:
        SimulatorError: it has others, functions or sparse tensors of its own, or is no such file.
    """
    try:
        operators, domains = _used(content)
        foreign, extensions = operators - OPERATORS, domains - DOMAINS
    except (IndexError, UnicodeDecodeError):
        msg = "ONNX Runtime cannot load it: not a whole ONNX file"
        raise SimulatorError(msg) from None
    if foreign:
        msg = f"operator {min(foreign)!r} is none that simulacra export writes"
        raise SimulatorError(msg)
    if extensions:
        msg = f"operators of {min(extensions)!r} are none that simulacra export writes"
        raise SimulatorError(msg)


def _used(content: bytes) -> tuple[set[str], set[str]]:
    """Return the operators and the domains of all nodes.

    Raises:
        IndexError: the content ends amid a field.
        SimulatorError: it has what no exported file has.
    """
    operators: set[bytes] = set()
    domains: set[bytes] = set()
    for number, start, end in _fields(content, 0, len(content)):
        if number == _FUNCTIONS:
            msg = "it has functions of its own, which simulacra export does not write"
            raise SimulatorError(msg)
        if number != _GRAPH:
            continue
        for part, first, last in _fields(content, start, end):
            if part == _NODE:
                _add_node(content, first, last, operators, domains)
            elif part == _SPARSE:
                msg = "it has sparse tensors, which simulacra export does not write"
                raise SimulatorError(msg)
    return {name.decode() for name in operators}, {name.decode() for name in domains}


def _add_node(
    content: bytes, start: int, end: int, operators: set[bytes], domains: set[bytes]
) -> None:
    """Add the operator and the domain of a node, of short names one comparison each."""
    while start < end:
        tag, size = content[start], content[start + 1]
        if tag & 7 != _BYTES or tag >= _MORE or size >= _MORE:
            break
        first, start = start + 2, start + 2 + size
        if tag == _OPERATOR_TAG:
            operators.add(content[first:start])
        elif tag == _DOMAIN_TAG:
            domains.add(content[first:start])
    for number, first, last in _fields(content, start, end):
        if number in (_OPERATOR, _DOMAIN):
            (operators if number == _OPERATOR else domains).add(content[first:last])


def _fields(content: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield the number of each field of a message and where its value begins and ends.

    Raises:
        IndexError: a field is of no known kind, or longer than the message.
    """
    while start < end:
        tag, start = _whole_number(content, start)
        kind, first = tag & 7, start
        if kind == _BYTES:
            size, first = _whole_number(content, start)
            start = first + size
        elif kind == _WHOLE_NUMBER:
            _, start = _whole_number(content, start)
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            start += 8 if kind == _EIGHT_BYTES else 4
        else:
            raise IndexError(kind)
        if start > end:
            raise IndexError(start)
        yield tag >> 3, first, start


def _whole_number(content: bytes, start: int) -> tuple[int, int]:
    """Return a number of protobuf's variable length, and where it ends."""
    value = content[start]
    if value < _MORE:
        return value, start + 1
    value, shift = value & 0x7F, 7
    while True:
        start += 1
        byte = content[start]
        value |= (byte & 0x7F) << shift
        if byte < _MORE:
            return value, start + 1
        shift += 7
