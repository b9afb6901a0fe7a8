"""Geant4's data sets: found before ``geant4_pybind`` is imported, which otherwise asks on stdin.

The package looks for the folders of a dozen data sets when it is imported and offers to download
those that are missing; inside a worker nobody answers. So the look-up happens here first.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from simulacra.errors import MissingDependencyError

DATA_DIR = "GEANT4_DATA_DIR"

Geant4Object: TypeAlias = Any  # geant4_pybind and all that comes out of it carry no types


@dataclass(frozen=True, slots=True)
class DataSet:
    """One of Geant4's data sets, or a part of one.

    Attributes:
        folder: its folder's name, which carries the version that Geant4 11.4 wants.
        variable: the environment variable that may point at it.
        markers: patterns of files of which at least one must be there, for an empty folder of the
            right name is no data; none where the folder is enough.
        holds: what it holds, where Geant4 runs without it.
    """

    folder: str
    variable: str
    markers: tuple[str, ...]
    holds: str = ""


_EMLOW = ("G4EMLOW8.8", "G4LEDATA")
_PARTICLEXS = ("G4PARTICLEXS4.2", "G4PARTICLEXSDATA")
_LEVELS = ("PhotonEvaporation6.1.2", "G4LEVELGAMMADATA")
_STATES = ("G4ENSDFSTATE3.0", "G4ENSDFSTATEDATA")

# Without these Geant4 aborts.
EM_TABLES = DataSet(*_EMLOW, ("brem_SB/br82*", "brem_SB/SBTables/*"))
PHOTOELECTRIC = DataSet(*_EMLOW, ("epics2017/phot/*",))
RAYLEIGH = DataSet(*_EMLOW, ("epics2017/rayl/*",))
SHELLS = DataSet(*_EMLOW, ("fluor/binding.dat",))
GOUDSMIT_SAUNDERSON = DataSet(*_EMLOW, ("msc_GS/*/*",))
LEVELS_FOLDER = DataSet(*_LEVELS, ())
NUCLIDES = DataSet(*_STATES, ("ENSDFSTATE.dat",))
NEUTRON = DataSet(*_PARTICLEXS, ("neutron/inel*",))
PHOTONUCLEAR = DataSet(*_PARTICLEXS, ("gamma/inel*",))
PROTON = DataSet(*_PARTICLEXS, ("proton/inel*",))
IONS = tuple(
    DataSet(*_PARTICLEXS, (f"{ion}/inel*",)) for ion in ("deuteron", "triton", "He3", "alpha")
)
CASCADE = DataSet("G4INCL1.3", "G4INCLDATA", ("*.dat",))
NEUTRONS = DataSet("G4NDL4.7.1", "G4NEUTRONHPDATA", ("Inelastic/*",))
CHARGED = DataSet("G4TENDL1.4", "G4PARTICLEHPDATA", ("Proton/*",))
DECAYS = DataSet("RadioactiveDecay6.1.2", "G4RADIOACTIVEDATA", ("z*.a*",))

# Without these it runs, and says nothing.
LEVELS = DataSet(*_LEVELS, ("z*.a*",), "levels of nuclei")
STATES = DataSet(*_STATES, ("ENSDFSTATE.dat",), "excited states of nuclei")
ISOTOPES = DataSet(*_PARTICLEXS, ("neutron/inel*_*",), "cross sections of isotopes")

ELECTROMAGNETIC = (EM_TABLES, PHOTOELECTRIC, RAYLEIGH, LEVELS_FOLDER, NUCLIDES)
HADRONIC = (*ELECTROMAGNETIC, NEUTRON, PHOTONUCLEAR)
REFINING = (LEVELS, STATES, ISOTOPES)
"""What hadronic physics reads where it is there."""


def data_folder() -> Path:
    """Return the folder that holds the data sets without a variable of their own."""
    if os.environ.get(DATA_DIR):
        return Path(os.environ[DATA_DIR])
    return Path.home() / ".geant4_pybind"


def require_geant4(needed: Iterable[DataSet]) -> None:
    """Raise a :class:`MissingDependencyError` unless Geant4 and the data sets are installed."""
    if importlib.util.find_spec("geant4_pybind") is None:
        msg = "full simulation needs Geant4: pip install 'simulacra[geant4]'"
        raise MissingDependencyError(msg)
    for data_set in needed:
        folder = _folder(data_set)
        if not _is_there(folder, data_set.markers):
            wanted = "/".join((data_set.folder, *data_set.markers[:1]))
            msg = (
                f"no Geant4 data {wanted} (looked in {folder}): set {DATA_DIR} to the folder that "
                f"holds {data_set.folder}, or run `python -c 'import geant4_pybind'` once in a "
                "terminal and answer y, which downloads the data"
            )
            raise MissingDependencyError(msg)


def lacking(refining: Iterable[DataSet]) -> tuple[str, ...]:
    """Return which data Geant4 runs without, a few words each: a file without content is none."""
    return tuple(
        f"{data_set.holds} ({data_set.folder}/{data_set.markers[0]})"
        for data_set in refining
        if not any(
            file.stat().st_size
            for marker in data_set.markers
            for file in _folder(data_set).glob(marker)
        )
    )


def _folder(data_set: DataSet) -> Path:
    return Path(os.environ.get(data_set.variable) or data_folder() / data_set.folder)


def _is_there(folder: Path, markers: tuple[str, ...]) -> bool:
    if not markers:
        return folder.is_dir()
    return any(next(folder.glob(marker), None) is not None for marker in markers)


def import_geant4(needed: Iterable[DataSet]) -> Geant4Object:
    """Return the module ``geant4_pybind``, imported without questions or downloads.

    Raises:
        MissingDependencyError: the package or a data set is missing.
    """
    require_geant4(needed)
    # With this variable set, the import neither asks nor downloads; sets with a variable of their
    # own are still found through that one.
    if not os.environ.get(DATA_DIR):
        os.environ[DATA_DIR] = str(_any_data_folder())
    return importlib.import_module("geant4_pybind")


def _any_data_folder() -> Path:
    if data_folder().is_dir():
        return data_folder()
    return Path(os.environ[EM_TABLES.variable]).resolve().parent
