"""Faults of calorimeters; the channels are the cells of the response."""

from simulacra.faults.calorimeter.cross_talk import CROSS_TALK
from simulacra.faults.calorimeter.dead_board import DEAD_BOARD
from simulacra.faults.calorimeter.dead_cells import DEAD_CELLS
from simulacra.faults.calorimeter.gain import GAIN
from simulacra.faults.calorimeter.hot_cells import HOT_CELLS
from simulacra.faults.calorimeter.misalignment import MISALIGNMENT_X, MISALIGNMENT_Y
from simulacra.faults.calorimeter.noise import COHERENT_NOISE, NOISE
from simulacra.faults.calorimeter.pedestal import PEDESTAL
from simulacra.faults.calorimeter.place import CalorimeterPlace
from simulacra.faults.calorimeter.saturation import SATURATION
from simulacra.faults.calorimeter.zero_suppression import ZERO_SUPPRESSION
from simulacra.faults.kinds import FaultsOfKind

FAULTS = FaultsOfKind(
    {
        "dead-cells": DEAD_CELLS,
        "dead-board": DEAD_BOARD,
        "hot-cells": HOT_CELLS,
        "gain": GAIN,
        "cross-talk": CROSS_TALK,
        "pedestal": PEDESTAL,
        "noise": NOISE,
        "coherent-noise": COHERENT_NOISE,
        "saturation": SATURATION,
        "zero-suppression": ZERO_SUPPRESSION,
        "misalignment-x": MISALIGNMENT_X,
        "misalignment-y": MISALIGNMENT_Y,
    },
    CalorimeterPlace,
)
