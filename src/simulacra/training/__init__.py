"""Training: one loop for adversarial models; checkpoints and epoch selection for all."""

from simulacra.training.run import Trained, fit

__all__ = ["Trained", "fit"]
