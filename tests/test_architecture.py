"""Imports point one way, and importing the package loads nothing heavy."""

import ast
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import pytest

import simulacra

ROOT = Path(simulacra.__file__).parent
LEVELS = [
    {"arrays", "errors", "units"},
    {"files", "particles", "columns", "statistics"},
    {"runtime", "faces"},
    {"detectors"},
    {"conditions"},
    {"events"},
    {"energies", "helix"},
    {"io", "drawings"},
    {"datasets", "observables", "transforms", "fullsim"},
    {"models"},
    {"training"},
    {"simulators", "validation"},
    {"deploy"},
    {"benchmark", "hybrid", "info", "first_steps"},
    {"cli"},
    {"__main__"},
]
LEVEL = {name: level for level, names in enumerate(LEVELS) for name in names}


def _imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("simulacra."):
            yield node.module.split(".")[1]


def test_imports_point_one_way():
    for path in ROOT.rglob("*.py"):
        own = path.relative_to(ROOT).parts[0].removesuffix(".py")
        if own == "__init__":
            continue
        for other in _imports(path):
            assert own == other or LEVEL[other] < LEVEL[own], f"{path} imports {other}"


def test_every_module_has_a_level():
    names = {p.name.removesuffix(".py") for p in ROOT.iterdir() if p.suffix == ".py"}
    folders = {p.parent.name for p in ROOT.glob("*/__init__.py")}
    assert names - {"__init__"} | folders == set(LEVEL)


def _loaded_by(statement):
    code = f"import sys; {statement}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_import_and_cli_load_neither_torch_nor_geant4():
    for statement in ("import simulacra", "import simulacra.cli"):
        assert not {"torch", "geant4_pybind", "matplotlib"} & _loaded_by(statement)


def test_events_load_neither_plots_nor_tables():
    heavy = {"torch", "geant4_pybind", "matplotlib", "pandas", "awkward", "hist", "uproot"}
    assert not heavy & _loaded_by("import simulacra.detectors, simulacra.events")


@pytest.mark.parametrize(
    ("arguments", "limit"),
    [(["-c", "import simulacra"], 0.3), (["-m", "simulacra", "--help"], 0.6)],
)
def test_import_and_help_are_quick(arguments, limit):
    """Best of five, so that a busy machine does not decide."""
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < limit


SHOWN_BY = {
    "detectors": {"drawings"},
    "events": {"drawings", "io", "observables"},
}
"""Packages of higher levels that draw and convert an object when one of its methods is called."""


def _late(path):
    """The targets of late calls that a module writes out."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "late":
            yield from (a.value for a in node.args if isinstance(a, ast.Constant))


def test_late_calls_are_there_and_point_up_only_where_objects_show_themselves():
    found = {}
    for path in ROOT.rglob("*.py"):
        own = path.relative_to(ROOT).parts[0].removesuffix(".py")
        for target in _late(path):
            module, _, name = target.partition(":")
            assert callable(getattr(import_module(module), name))
            other = module.split(".")[1]
            if LEVEL[other] >= LEVEL[own]:
                found.setdefault(own, set()).add(other)
    assert found == SHOWN_BY
