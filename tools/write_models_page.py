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

A card names a model by its kind, and trains it with the recommended options:

```yaml
detector: atlas-barrel
data: {train: photons.h5}
model: {kind: flow-matching}
```

`simulacra models` lists the kinds; `simulacra models show KIND` prints the options of one, as YAML
for a card:

```
$ simulacra models show gan-mlp
kind: gan-mlp
latent: 100  # size of the Gaussian noise
generator_widths: [256, 512]  # hidden units of the generator
critic_widths: [512, 256]  # hidden units of the discriminator
dropout: 0.3  # of the discriminator
```

This page has all of them. [Training](training.md) explains cards and loops. More on
[tracks](tpc-models.md), on [the default generator](default-generator.md), and on
[the calorimeter systems](calorimeter-systems.md).
`python tools/write_models_page.py` writes this page from the code; a test keeps the two equal.
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
