"""Training: one loop for adversarial models, one for models with one loss; the rest for both."""

from simulacra.training.run import Trained, fit

__all__ = ["Trained", "fit"]
