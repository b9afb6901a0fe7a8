"""What is wrong with a YAML file that a user wrote, in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from pydantic import ValidationError

from simulacra.errors import SimulacraError, summarise_validation_error


def text_of(path: Path, kind: type[SimulacraError]) -> str:
    """Return the text of a file; what is no text is an error of ``kind``."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        msg = f"{path}: not a text file in UTF-8"
        raise kind(msg) from None


@contextmanager
def one_line_errors(source: str, kind: type[SimulacraError]) -> Iterator[None]:
    """Turn errors of YAML and of validation into one of ``kind`` that begins with ``source``."""
    try:
        yield
    except ValidationError as error:
        msg = f"{source}: {summarise_validation_error(error)}"
        raise kind(msg) from None
    except (yaml.YAMLError, ValueError) as error:  # a value error: no such date, too many digits
        msg = f"{source}: not valid YAML: {' '.join(str(error).split())}"
        raise kind(msg) from None
    except RecursionError:
        msg = f"{source}: nested too deeply"
        raise kind(msg) from None
