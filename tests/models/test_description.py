"""What models say of themselves is complete, and the committed page is what the code gives."""

import importlib.util
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from simulacra.models import MODELS
from simulacra.models.calorimeter.wgan import WGANConfig
from simulacra.models.description import as_yaml, options_of, size_of

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("kind", MODELS)
def test_every_option_has_a_default_and_a_meaning(kind):
    config = MODELS[kind].Config
    assert yaml.safe_load(as_yaml(kind)) == config().model_dump(mode="json")
    missing = [o.name for o in options_of(config)[1:] if not o.meaning]
    assert not missing


def test_meanings_are_joined_from_the_docstring():
    (clip,) = (option for option in options_of(WGANConfig) if option.name == "clip")
    assert (clip.default, clip.meaning) == ("0.01", "largest weight of the critic")


def test_sizes_are_those_of_the_networks():
    size = size_of(MODELS["voxel-gan"])
    assert size.detector == "atlas-voxels"
    widths = (51, 50, 100, 200, 368), (369, 368, 368, 368, 1)
    dense = sum(a * b + b for w in widths for a, b in pairwise(w))
    assert size.weights == dense


@pytest.mark.slow
def test_committed_page_is_what_the_code_gives():
    path = ROOT / "tools" / "write_models_page.py"
    spec = importlib.util.spec_from_file_location("write_models_page", path)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert (ROOT / "docs" / "models.md").read_text(encoding="utf-8") == tool.page(), (
        "run: python tools/write_models_page.py"
    )
