"""Names of packages load when they are used, and Tab offers all of them."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from pydoc import plain, render_doc

import pytest

import simulacra
from simulacra.errors import SimulacraError
from simulacra.faces.lazy import attach, late

PACKAGES = ("simulacra", "simulacra.benchmark", "simulacra.validation")
SCREEN = 100
"""Lines of the documentation of the package."""


def _stated(package):
    """The names that a type checker sees, with their modules."""
    block = next(
        node
        for node in ast.parse(Path(package.__file__).read_text()).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    assert all(isinstance(node, ast.ImportFrom) for node in block.body)
    assert all(alias.asname == alias.name for node in block.body for alias in node.names)
    return {alias.name: node.module for node in block.body for alias in node.names}


@pytest.mark.parametrize("name", PACKAGES)
def test_tab_offers_every_name_and_every_module(name):
    package = import_module(name)
    stated = _stated(package)
    modules = {m.name for m in iter_modules(package.__path__) if not m.name.startswith("_")}
    assert not modules & set(stated)
    assert set(dir(package)) == modules | set(stated)
    for attribute, home in stated.items():
        assert getattr(package, attribute) is getattr(import_module(home), attribute)
    for module in modules:
        assert getattr(package, module) is import_module(f"{name}.{module}")
    with pytest.raises(AttributeError, match=f"module '{name}' has no attribute 'nonsense'"):
        _ = package.nonsense


@pytest.mark.slow
def test_a_name_stays_itself_whatever_was_imported_before():
    code = "import simulacra.first_steps, simulacra.simulators.generate, simulacra as sim; "
    code += "assert callable(sim.quickstart); assert callable(sim.generate)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_name_may_be_that_of_a_module():
    with pytest.raises(ValueError, match="events is the name of a module"):
        attach("simulacra", simulacra.__path__, {"io": ("events",)})


def test_help_is_a_page():
    page = plain(render_doc(simulacra))
    assert len(page.splitlines()) <= SCREEN
    words = set(page.replace(",", " ").split())
    assert {"simulate", "generate", "train", "validate", "export", "quickstart"} <= words
    assert "sim.load_simulator" in page


def test_late_functions_pass_everything_on():
    assert late("builtins:sorted")([1, 3, 2], reverse=True) == [3, 2, 1]
    with pytest.raises(SimulacraError):
        late("simulacra.particles:pdg_id")("nonsense")
