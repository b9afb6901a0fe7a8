"""The names of the files in a simulator's folder, and while it is trained in ``<folder>.part``."""

ABOUT = "simulator.json"
"""Format version, ranges, facts on the training, digests of the other files."""
DETECTOR = "detector.yaml"
CARD = "card.yaml"
"""The resolved card that it was trained with."""
WEIGHTS = "weights.safetensors"
"""Weights and the constants of the preprocessing."""
METRICS = "metrics.csv"
"""The evaluations during training."""
LOG = "training.log"
"""The same in words, with what was decided and where training went on."""
CURVE = "learning-curve.png"
"""The same as a picture."""
CHECKPOINT = "checkpoint.safetensors"
"""The state of a training that goes on."""

DIGESTED = (DETECTOR, CARD, WEIGHTS, METRICS)
NEEDED = (ABOUT, *DIGESTED)
FOR_PEOPLE = (LOG, CURVE)
"""Files that nothing reads: a folder without them loads."""
EVERY = (*NEEDED, *FOR_PEOPLE)
