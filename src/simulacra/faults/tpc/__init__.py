"""Faults of TPCs; the channels are the pad rows of a track."""

from simulacra.faults.kinds import FaultsOfKind
from simulacra.faults.tpc.cross_talk import CROSS_TALK
from simulacra.faults.tpc.dead_board import DEAD_BOARD
from simulacra.faults.tpc.dead_rows import DEAD_ROWS
from simulacra.faults.tpc.gain import GAIN
from simulacra.faults.tpc.misalignment import MISALIGNMENT
from simulacra.faults.tpc.noise import BLUR, COHERENT_NOISE, NOISE
from simulacra.faults.tpc.place import TPCPlace
from simulacra.faults.tpc.saturation import SATURATION
from simulacra.faults.tpc.space_charge import SPACE_CHARGE
from simulacra.faults.tpc.threshold import THRESHOLD
from simulacra.faults.tpc.timing import DRIFT_VELOCITY, TIMING

FAULTS = FaultsOfKind(
    {
        "dead-rows": DEAD_ROWS,
        "dead-board": DEAD_BOARD,
        "gain": GAIN,
        "cross-talk": CROSS_TALK,
        "noise": NOISE,
        "coherent-noise": COHERENT_NOISE,
        "blur": BLUR,
        "saturation": SATURATION,
        "threshold": THRESHOLD,
        "timing": TIMING,
        "drift-velocity": DRIFT_VELOCITY,
        "misalignment": MISALIGNMENT,
        "space-charge": SPACE_CHARGE,
    },
    TPCPlace,
)
