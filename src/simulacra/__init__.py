"""Simulacra: fast detector simulation for particle physics.

A simulator turns conditions into events. Geant4 is one, a trained network is one, an exported file
is one; training, validation, export and hybrid simulation work on that sentence alone.

Five lines:

    >>> import simulacra as sim
    >>> photons = sim.load_simulator("atlas-barrel-photons")
    >>> fast = sim.generate(photons, energy="25GeV", n=100, seed=1)
    >>> fast["showers"].shape, fast["energy"][:2]
    ((100, 266), array([25000., 25000.], dtype=float32))
    >>> figure = fast.plot(3)

Verbs
    simulate              events of a detector by Geant4, or jets by Pythia
    generate              events by a simulator, quickly
    train                 a simulator from a run card and full simulation
    tune                  search for the options of a run card
    learn                 simulate, train and validate within some hours
    build                 a classical simulation: a formula, a library or a table
    validate              generated events against full simulation; .report() makes HTML of it
    validate_side_by_side several simulators against full simulation, in one table and picture
    overlay               events of a library on each event: pile-up, several particles
    smear                 generated particles into tracks and towers, by a card
    distort               events with the faults of a scenario: "data" whose truth is known
    export                a simulator as an ONNX file, for LWTNN or for FastCaloSim
    quickstart            all of these on the embedded sample, in a few minutes
    describe              the facts on a file, a simulator or a detector
    draw_conditions       conditions of particles in a detector's beam spot
    read_events, write_events, load_detector, load_sample, load_simulator, observables_of

Objects
    Conditions            named columns, a row for each event
    Events                conditions, response, detector and provenance: events[:100],
                          events["energy"], events.plot(3), events.to_pandas()
    Card, TuneCard        a run card, and one with a search for its options
    TrainedSimulator, ExportedSimulator, Geant4Simulator

Each object prints itself in at most twelve lines. Energies are in MeV, lengths in mm and angles
in rad. Most verbs are commands as well: ``simulacra --help``.

Names load when they are first used: importing the package loads neither torch nor Geant4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulacra.faces.lazy import attach
from simulacra.faces.moved import keep_former_names

__version__ = "0.1.0"

keep_former_names()
# No __all__: help() would print the documentation of every class below that of the package.
__getattr__, __dir__ = attach(
    __name__,
    __path__,
    {
        "conditions": ("Conditions", "EnergySpectrum", "draw_conditions"),
        "datasets.samples": ("load_sample",),
        "deploy": ("export",),
        "detectors": ("load_detector",),
        "drawings": ("draw_detector",),
        "errors": ("SimulacraError",),
        "events": ("Events",),
        "faults": ("Scenario", "distort"),
        "first_steps": ("quickstart",),
        "fullsim": ("Geant4Settings", "Geant4Simulator"),
        "fullsim.verb": ("simulate",),
        "info": ("describe",),
        "io": ("read_events", "write_events"),
        "learning.run": ("learn",),
        "mixing.verb": ("overlay",),
        "observables": ("observables_of",),
        "simulators.classical.build": ("build",),
        "simulators.exported": ("ExportedSimulator",),
        "simulators.generate": ("generate",),
        "simulators.load": ("load_simulator",),
        "simulators.protocol": ("Simulator",),
        "simulators.trained": ("TrainedSimulator", "train"),
        "training.card": ("Card",),
        "smearing.particles": ("Particles",),
        "smearing.smear": ("smear",),
        "tuning.card": ("TuneCard",),
        "tuning.run": ("tune",),
        "validation": ("validate", "validate_side_by_side"),
    },
)

if TYPE_CHECKING:
    from simulacra.conditions import Conditions as Conditions
    from simulacra.conditions import EnergySpectrum as EnergySpectrum
    from simulacra.conditions import draw_conditions as draw_conditions
    from simulacra.datasets.samples import load_sample as load_sample
    from simulacra.deploy import export as export
    from simulacra.detectors import load_detector as load_detector
    from simulacra.drawings import draw_detector as draw_detector
    from simulacra.errors import SimulacraError as SimulacraError
    from simulacra.events import Events as Events
    from simulacra.faults import Scenario as Scenario
    from simulacra.faults import distort as distort
    from simulacra.first_steps import quickstart as quickstart
    from simulacra.fullsim import Geant4Settings as Geant4Settings
    from simulacra.fullsim import Geant4Simulator as Geant4Simulator
    from simulacra.fullsim.verb import simulate as simulate
    from simulacra.info import describe as describe
    from simulacra.io import read_events as read_events
    from simulacra.io import write_events as write_events
    from simulacra.learning.run import learn as learn
    from simulacra.mixing.verb import overlay as overlay
    from simulacra.observables import observables_of as observables_of
    from simulacra.simulators.classical.build import build as build
    from simulacra.simulators.exported import ExportedSimulator as ExportedSimulator
    from simulacra.simulators.generate import generate as generate
    from simulacra.simulators.load import load_simulator as load_simulator
    from simulacra.simulators.protocol import Simulator as Simulator
    from simulacra.simulators.trained import TrainedSimulator as TrainedSimulator
    from simulacra.simulators.trained import train as train
    from simulacra.smearing.particles import Particles as Particles
    from simulacra.smearing.smear import smear as smear
    from simulacra.training.card import Card as Card
    from simulacra.tuning.card import TuneCard as TuneCard
    from simulacra.tuning.run import tune as tune
    from simulacra.validation import validate as validate
    from simulacra.validation import validate_side_by_side as validate_side_by_side
