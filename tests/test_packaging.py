"""The source distribution and the wheel: whole, and of use outside the checkout."""

import os
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
import yaml

import simulacra

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).parents[1]
PACKAGE = Path(simulacra.__file__).parent


def run(*command, folder, **environment):
    result = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    return result.stdout


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("sdist")
    run("-m", "hatchling", "build", "-t", "sdist", "-d", folder, folder=CHECKOUT)
    return next(folder.glob("*.tar.gz"))


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    """The wheel as pip builds it of the source distribution, without network."""
    folder = tmp_path_factory.mktemp("wheel")
    offline = ("--no-build-isolation", "--no-deps", "--no-index", "--disable-pip-version-check")
    run("-m", "pip", "wheel", *offline, sdist, folder=folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def site(wheel, tmp_path_factory):
    """A folder for the search path that holds the installed wheel and nothing else."""
    folder = tmp_path_factory.mktemp("site")
    offline = ("--no-deps", "--no-index", "--disable-pip-version-check")
    run("-m", "pip", "install", *offline, "--target", folder, wheel, folder=folder)
    return folder


def test_the_citation_has_the_version_of_the_package():
    citation = yaml.safe_load((CHECKOUT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == simulacra.__version__


def test_the_source_distribution_has_the_files_that_its_tests_need(sdist):
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "CITATION.cff", "Makefile", "constraints.txt"} <= names
    tests = {str(path.relative_to(CHECKOUT)) for path in Path(__file__).parent.rglob("*.py")}
    assert tests <= names


def test_the_wheel_holds_every_file_of_the_package_and_no_other(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        about = next(name for name in archive.namelist() if name.endswith("METADATA"))
        metadata = Parser().parsestr(archive.read(about).decode())
    sources = {
        str(path.relative_to(PACKAGE.parent))
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert names == sources
    assert "simulacra/py.typed" in names
    assert metadata["Version"] == simulacra.__version__


def test_an_installed_wheel_lists_generates_and_reports_in_another_folder(site, tmp_path):
    def simulacra(*arguments):
        script = site / "bin" / "simulacra"
        return run(script, *arguments, folder=tmp_path, PYTHONPATH=str(site))

    where = run(
        "-c", "import simulacra as s; print(s.__file__)", folder=tmp_path, PYTHONPATH=str(site)
    )
    assert where.startswith(str(site))
    assert "alice-tpc" in simulacra("detectors")
    energy = ("--energy", "16GeV", "-n", "50")
    simulacra("generate", "atlas-barrel-photons", *energy, "--seed", "1", "-o", "fast.h5")
    assert "50" in simulacra("info", "fast.h5")
    simulacra("validate", "sample:test", "fast.h5", "-o", "report")
    assert (tmp_path / "report" / "index.html").is_file()
