"""Imports point one way, and importing the package loads nothing heavy."""

import ast
import resource
import subprocess
import sys
from graphlib import TopologicalSorter
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
    {"engines", "smearing"},
    {"datasets", "faults", "observables", "transforms", "fullsim"},
    {"models", "mixing"},
    {"training"},
    {"simulators", "validation"},
    {"deploy"},
    {"benchmark", "hybrid", "info", "first_steps", "monitoring"},
    {"tuning", "learning"},
    {"cli"},
    {"__main__"},
]
MOST_FILES, MOST_LOOSE = 25, 10
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


def _module_imports(path):
    """Modules that a module imports while it is loaded; not for types, not in functions."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("simulacra"):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else node.module


def _name_of(path):
    return ".".join(("simulacra", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(
        ".__init__"
    )


MODULES = {_name_of(path): path for path in ROOT.rglob("*.py")}


def test_no_module_imports_itself_by_way_of_others():
    graph = {name: set(_module_imports(path)) - {name} for name, path in MODULES.items()}
    order = TopologicalSorter(graph)
    order.prepare()  # raises a CycleError that names the cycle


def test_rooms_are_small():
    for folder in {path.parent for path in ROOT.rglob("*.py")}:
        files = len(list(folder.glob("*.py")))
        assert files <= MOST_FILES, f"{folder} holds {files} modules"
    loose = {path.name for path in ROOT.glob("*.py")} - {"__init__.py", "__main__.py"}
    assert len(loose) <= MOST_LOOSE, sorted(loose)


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
    """Time of the processor, best of five, so that a busy machine does not decide."""
    seconds = []
    for _ in range(5):
        start = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        end = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime)
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
