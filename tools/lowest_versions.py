"""Print the lowest versions that ``pyproject.toml`` allows, as pins for pip: ``make test-lowest``.

    python tools/lowest_versions.py pyproject.toml geant4 onnx root > pins.txt

The names behind the file are the extras to add to the dependencies and to the group ``test``.
"""

import re
import sys
import tomllib
from pathlib import Path

BOUND = re.compile(r"^([\w.-]+)>=([\w.]+)$")


def pins(project: Path, extras: list[str]) -> list[str]:
    """Return ``name==version`` for each requirement that has a lower bound and nothing else."""
    content = tomllib.loads(project.read_text(encoding="utf-8"))
    wanted = [*content["project"]["dependencies"], *content["dependency-groups"]["test"]]
    for extra in extras:
        wanted += content["project"]["optional-dependencies"][extra]
    found = [BOUND.match(requirement) for requirement in dict.fromkeys(wanted)]
    return [f"{match[1]}=={match[2]}" for match in found if match]


if __name__ == "__main__":
    sys.stdout.write("\n".join(pins(Path(sys.argv[1]), sys.argv[2:])) + "\n")
