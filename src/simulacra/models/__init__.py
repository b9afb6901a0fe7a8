"""Models: one class for one published system; :data:`MODELS` is their catalogue."""

from simulacra.models.catalogue import MODELS, find_model
from simulacra.models.protocols import Clipped, GenerativeModel, Growing, LikelihoodModel

__all__ = ["MODELS", "Clipped", "GenerativeModel", "Growing", "LikelihoodModel", "find_model"]
