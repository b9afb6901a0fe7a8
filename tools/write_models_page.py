"""Write docs/models.md, the catalogue of models, from the code.

The command: python tools/write_models_page.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from simulacra.models import MODELS
from simulacra.models.description import options_of, size_of
from simulacra.models.system import System

PAGE = Path(__file__).parents[1] / "docs" / "models.md"
HEAD = """\
# Models

What `simulacra models` lists and `simulacra models show NAME` prints, on one page. It is generated
from the code by `python tools/write_models_page.py`; a test keeps the two equal. Adding a model is
one file in `simulacra.models` and one row of its table. [How they are trained](training.md), and
[more on those for tracks](tpc-models.md) and on [the default generator](default-generator.md).
"""
SERVES = {
    "calorimeter": "calorimeters",
    "tpc": "time-projection chambers",
    "jet-image": "jet images",
}


def page() -> str:
    """Return the whole page as Markdown."""
    return "\n".join((HEAD, *_overview(), *(line for row in MODELS.items() for line in _of(*row))))


def _overview() -> Iterator[str]:
    yield "| model | for | loop | what it is |"
    yield "|---|---|---|---|"
    for kind, entry in MODELS.items():
        serves = SERVES.get(entry.serves, entry.serves)
        yield f"| [`{kind}`](#{kind}) | {serves} | `{entry.loop}` | {entry.summary} |"
    yield ""


def _of(kind: str, entry: type[System]) -> Iterator[str]:
    size = size_of(entry)
    yield f"## {kind}"
    yield ""
    yield f"{entry.summary[0].upper()}{entry.summary[1:]}. {entry.reference}."
    yield f"`{entry.__module__}`, {size.weights} weights with these defaults for `{size.detector}`."
    yield ""
    yield "| option | default | meaning |"
    yield "|---|---|---|"
    for option in options_of(entry.Config)[1:]:  # without the kind
        yield f"| `{option.name}` | `{option.default}` | {_cell(option.meaning)} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("``", "`")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
