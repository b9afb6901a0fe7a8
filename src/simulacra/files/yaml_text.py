"""What is wrong with a YAML file that a user wrote, in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml
from pydantic import ValidationError

from simulacra.errors import CardError, SimulacraError
from simulacra.files.mistakes import summarise_validation_error
from simulacra.files.small_files import LARGEST

MOST_NODES = 1_000_000
"""Values that aliases may make of a text."""


class _Loader(yaml.SafeLoader):
    """YAML as the standard has it: a key that is given twice is an error, not the last of both."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:  # noqa: ANN401 - untyped there
        """Return a mapping with distinct keys."""
        node = super().compose_mapping_node(anchor)
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if (key.tag, key.value) in seen:
                problem = f"the key {key.value} is given twice"
                raise yaml.MarkedYAMLError(None, None, problem, key.start_mark)
            seen.add((key.tag, key.value))
        return node


def parse_yaml(text: str) -> Any:  # noqa: ANN401 - whatever YAML holds
    """Return what a YAML text holds.

    Raises:
        ValueError: it is too long, or its aliases make far more of it than is written.
        yaml.YAMLError: it is no YAML, or gives a key twice.
    """
    if len(text) > LARGEST:
        msg = f"a text of {len(text)} characters; at most {LARGEST} are read"
        raise ValueError(msg)
    if "*" in text and "&" in text:  # aliases of aliases grow without limit
        sizes: dict[int, int] = {}
        node = yaml.compose(text, _Loader)
        if node is not None and _nodes(node, sizes) > MOST_NODES:
            msg = f"aliases make more than {MOST_NODES} values of it"
            raise ValueError(msg)
    return yaml.load(text, _Loader)


def _nodes(node: yaml.Node, sizes: dict[int, int]) -> int:
    """Return how many values a node stands for; ``sizes`` holds those that are known."""
    if id(node) not in sizes:
        sizes[id(node)] = MOST_NODES  # of one that holds itself
        below = [] if isinstance(node, yaml.ScalarNode) else node.value
        items = [item for pair in below for item in (pair if isinstance(pair, tuple) else (pair,))]
        sizes[id(node)] = 1 + sum(_nodes(item, sizes) for item in items)
    return sizes[id(node)]


@contextmanager
def one_line_errors(source: str, kind: type[SimulacraError]) -> Iterator[None]:
    """Turn errors of YAML and of validation into one of ``kind`` that begins with ``source``."""
    try:
        yield
    except ValidationError as error:
        msg = f"{source}: {summarise_validation_error(error)}"
        raise kind(msg) from None
    except yaml.MarkedYAMLError as error:
        place, problem = error.problem_mark, " ".join(str(error.problem).split())
        line = "" if place is None else f"line {place.line + 1}: "
        msg = f"{source}: {line}not valid YAML: {problem}"
        raise kind(msg) from None
    except (yaml.YAMLError, ValueError) as error:  # a value error: no such date, too many digits
        msg = f"{source}: not valid YAML: {' '.join(str(error).split())}"
        raise kind(msg) from None
    except RecursionError:
        msg = f"{source}: nested too deeply"
        raise kind(msg) from None


def set_key(content: dict[str, Any], override: str) -> None:
    """Set one dotted key of a card's content in place, as ``--set`` has it: ``key=value``.

    Raises:
        CardError: it is no key and value, or a part of the key is a value already.
    """
    dotted, equals, value = override.partition("=")
    if not equals:
        msg = f"--set {override}: write key=value, for example training.steps=5000"
        raise CardError(msg)
    *parents, last = dotted.strip().split(".")
    for parent in parents:
        content = content.setdefault(parent, {})
        if not isinstance(content, dict):
            msg = f"--set {override}: {parent} has no keys below it"
            raise CardError(msg)
    with one_line_errors(f"--set {override}", CardError):
        content[last] = parse_yaml(value)
